"""What to do where a matmul ran on the CPU, failed, or gave a wrong result."""

from __future__ import annotations

from xpu_doctor.model.commands import Command
from xpu_doctor.model.facts import Compute, ComputeDevice, Variable
from xpu_doctor.model.findings import Remedy, Risk
from xpu_doctor.model.unknown import known_or
from xpu_doctor.remedies.commands import lines, shells
from xpu_doctor.remedies.variables import unset_lines

FALLBACK = "https://github.com/intel/torch-xpu-ops/issues"
BUGS = "https://github.com/pytorch/pytorch/issues"
CODE = "import torch; a = torch.ones(64, 64, device={device!r}); print((a @ a).sum().item())"


def forcing(compute: Compute) -> tuple[Variable, ...]:
    """Return the variables that send operators to the CPU, as far as they are set."""
    variables = known_or(compute.fallback_variables, ())
    on = {"PYTORCH_ENABLE_XPU_FALLBACK": lambda value: value not in ("", "0"), "PYTORCH_XPU_FALLBACK_OP": bool}
    return tuple(item for item in variables if item.name in on and on[item.name](item.value))


def fallback(device: ComputeDevice, compute: Compute, os: str, python: str) -> tuple[Remedy, ...]:
    """Return what ends a silent CPU fallback, most likely first."""
    verify = _once(device, os, python, {"PYTORCH_DEBUG_XPU_FALLBACK": "1"})
    result: list[Remedy] = []
    set_ones = forcing(compute)
    if set_ones:
        names = tuple(item.name for item in set_ones)
        result.append(
            Remedy(
                f"Take {' and '.join(names)} out of your environment",
                "These variables make operators run on the CPU and say so at most once.",
                commands=unset_lines(names, os),
                verify=verify,
            )
        )
    result.append(
        Remedy(
            "Look for what makes this device fall back: a back end loaded beside torch, or a wheel without its kernels",
            "A native XPU build has its own matmul kernel; where it is not used, another package took the device over, or part of the wheel is missing.",
            commands=lines([Command((python, "-m", "pip", "list"))], shells(os)[0]),
            verify=verify,
            url=FALLBACK,
        )
    )
    return tuple(result)


def failed(device: ComputeDevice | None, kind: str, os: str, python: str) -> tuple[Remedy, ...]:
    """Return what helps after a failed matmul; `kind` is `memory`, `lost`, `hang`, `crash` or empty."""
    verify = _once(device, os, python, {}) if device else ()
    if kind == "memory":
        return (
            Remedy(
                "Free memory on the device: end other programs that use it, then try again",
                "Even a small product found no memory. A process that ran out of memory may have to be restarted.",
                verify=verify,
            ),
        )
    log = Remedy(
        "Read what the kernel's log says about the GPU at that moment",
        "A hang or a reset of the GPU is written there by the driver i915 or xe, with the engine that hung.",
        commands=("sudo dmesg | grep -iE 'xe |i915|drm' | tail -n 40",),
        os="linux",
        risk=Risk.ADMIN,
        verify=verify,
    )
    event = Remedy(
        "Look in Event Viewer, Windows Logs, System, for 'Display' events of that moment",
        "Windows resets a GPU that does not answer for two seconds and logs event 4101.",
        os="windows",
        verify=verify,
        url="https://learn.microsoft.com/en-us/windows-hardware/drivers/display/timeout-detection-and-recovery",
    )
    update = Remedy(
        "Update the GPU driver",
        "Lost devices and hangs are bugs of the driver or the kernel more often than of PyTorch.",
        verify=verify,
    )
    if kind in ("lost", "hang", "crash"):
        return (event if os == "windows" else log, update)
    url = BUGS if device is None or device.type in ("", "xpu") else ""
    return (
        Remedy(
            "Run the product by itself and read the whole error",
            "The doctor shows one line of it.",
            commands=verify,
            url=url,
        ),
    )


def another_device(count: int, os: str, python: str) -> Remedy:
    """Return what to ask for in place of a device that does not exist."""
    target = ("--python", python) if python else ()
    wish = ("--device", "xpu:0") if count else ()
    return Remedy(
        "Name a device that torch has, such as xpu:0"
        if count
        else "Leave --device out: the rest of this report tells why there is no XPU device",
        "Devices are named as torch names them: a type, a colon and a number that counts from 0.",
        commands=lines([Command(("xpu-doctor", "check", *target, *wish))], shells(os)[0]),
    )


def wrong_result(device: ComputeDevice, os: str, python: str) -> tuple[Remedy, ...]:
    """Return what to do about a device that computes wrong results."""
    verify = _once(device, os, python, {})
    return (
        Remedy(
            "Update the GPU driver and torch, then check again",
            "Wrong products come from driver or compiler bugs, which are fixed by version.",
            verify=verify,
        ),
        Remedy(
            "Do not use results of this device until the check is clear",
            "Training on it would go wrong without any error.",
            verify=verify,
            url=BUGS,
        ),
    )


def _once(device: ComputeDevice | None, os: str, python: str, variables: dict[str, str]) -> tuple[str, ...]:
    code = CODE.format(device=device.device if device else "xpu")
    return lines([Command((python, "-c", code), variables=variables)], shells(os)[0])

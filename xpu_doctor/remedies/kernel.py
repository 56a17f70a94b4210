"""What to type where the kernel's graphics driver is not bound, or hung."""

from __future__ import annotations

from xpu_doctor.model.facts import Machine
from xpu_doctor.model.findings import Remedy, Risk
from xpu_doctor.model.unknown import Maybe, known_or
from xpu_doctor.model.versions import numbers
from xpu_doctor.remedies.boot import REBOOT, REBUILD_NIXOS, install_firmware, on_host, without_parameters
from xpu_doctor.remedies.system_packages import in_order, install_steps
from xpu_doctor.tables.distributions import Distribution, distribution_of

GUIDE = "https://dgpu-docs.intel.com/driver/client/overview.html"
BACKPORTS = "https://backports.debian.org/Instructions/"
DATA_CENTRE = "https://dgpu-docs.intel.com/driver/kernel-driver-types.html"
UBUNTU_KERNELS = {"20.04": "5.15", "22.04": "6.8", "24.04": "7.0"}
"""The last kernel of releases that get no newer one (https://ubuntu.com/kernel/lifecycle; 24.04: USN-8569-1; checked 2026-11-26)."""
OFFERED = "Take the newest kernel that this distribution offers."
KERNELS: dict[str, tuple[str, tuple[str, ...]]] = {
    "fedora": ("", ("sudo dnf upgrade -y --refresh kernel", REBOOT)),
    "tumbleweed": ("", ("sudo zypper dup", REBOOT)),
    "leap": ("A newer kernel comes with a newer release of Leap, or with Tumbleweed.", ()),
    "redhat": (
        "A kernel of this family keeps its number and takes drivers from newer ones: the newest minor release knows the most GPUs.",
        (),
    ),
    "arch": ("", ("sudo pacman -Syu", REBOOT)),
    "nixos": ("Write `boot.kernelPackages = pkgs.linuxPackages_latest;` into the configuration.", REBUILD_NIXOS),
    "ostree": ("An image-based system brings its kernel with each update.", ("sudo rpm-ostree upgrade", REBOOT)),
}
"""A sentence and the steps to a newer kernel, by base or family."""


def bind_driver(machine: Machine, bound: str, wanted: str, why: str) -> tuple[Remedy, ...]:
    """Return how to give the GPU back to its graphics driver, after what keeps the driver away."""
    module = wanted if wanted in ("i915", "xe") else "i915"
    if bound.startswith("vfio"):
        return (
            Remedy(
                "Take the GPU back from vfio-pci, or run torch in the virtual machine that it is meant for",
                "vfio-pci keeps a device for a virtual machine; the host cannot use it meanwhile. Look for vfio-pci.ids= on the "
                "kernel's command line and in /etc/modprobe.d, remove the GPU's id, and reboot.",
                commands=("grep -r vfio /etc/modprobe.d /proc/cmdline",),
                os="linux",
                risk=Risk.REBOOT,
                url="https://docs.kernel.org/driver-api/vfio.html",
            ),
        )
    if "booted with" in why:
        word = why.rpartition("booted with ")[2]
        return (
            without_parameters(
                machine, (word,), "That parameter tells the kernel to leave the GPU alone.", verify=("ls /dev/dri",)
            ),
        )
    if "firmware" in why:
        return (install_firmware(machine),)
    return (
        Remedy(
            f"Load the kernel module {module}, and see what it says",
            "If this kernel has no such module, take the distribution's full kernel (cloud and minimal kernels leave graphics out).",
            commands=(f"sudo modprobe {module}", "sudo dmesg | tail -n 30"),
            os="linux",
            risk=Risk.ADMIN,
            verify=("ls /dev/dri",),
            url=GUIDE,
        ),
    )


def after_hang(machine: Machine) -> tuple[Remedy, ...]:
    """Return what to do after a hang of the GPU."""
    return (
        Remedy(
            "Reboot, then run the same again with a smaller load",
            "After a hang the driver often works again, sometimes it does not until a reboot. If the hang comes back, take a newer kernel "
            "and driver, and report it with the kernel's log.",
            commands=("sudo dmesg | grep -iE 'i915|xe' | tail -n 50", "sudo reboot"),
            os="linux",
            risk=Risk.REBOOT,
            url="https://drm.pages.freedesktop.org/intel-docs/how-to-file-i915-bugs.html",
        ),
    )


def back_to_i915(machine: Machine, device_id: Maybe[int], words: tuple[str, ...] = ()) -> Remedy:
    """Return how to give a GPU back to i915; `words` are the parameters that keep it away, where they are known."""
    number = f"{device_id:04x}" if isinstance(device_id, int) else "ID"
    return without_parameters(
        machine,
        words or (f"xe.force_probe={number}", f"i915.force_probe=!{number}"),
        f"Without them i915 takes the device {number} by itself, and the compute driver finds it there.",
        url="https://github.com/intel/compute-runtime/issues/905",
        verify=("lspci -nnk -d 8086:",),
    )


def newer_kernel(machine: Machine, minimum: str, module: str = "") -> tuple[Remedy, ...]:
    """Return how to get a kernel that knows the GPU, or the package `module` where no kernel of its own does."""
    if known_or(machine.wsl, False) is True:
        return (_wsl_kernel(),)
    if module:
        return (_data_centre(machine, module),)
    found, outside = distribution_of(machine), on_host(machine)
    note, steps = ("", ()) if outside else _kernel_steps(found, minimum)
    what = f"Boot a kernel of {minimum} or newer" if minimum else "Boot a newer kernel"
    return (
        Remedy(
            f"On the host: {what[0].lower()}{what[1:]}" if outside else what,
            f"The GPU's driver is part of the kernel; a newer user-space driver does not replace it. {note}".rstrip(),
            commands=in_order(*steps),
            os="linux",
            risk=Risk.REBOOT,
            verify=("uname -r", "ls /dev/dri"),
            url=BACKPORTS if "backports" in note else GUIDE,
        ),
    )


def _kernel_steps(found: Distribution, minimum: str) -> tuple[str, tuple[str, ...]]:
    """Return a sentence and the steps for a distribution."""
    if not found.parameters:
        return OFFERED, ()
    if found.base == "ubuntu":
        return _ubuntu_kernel(found, minimum)
    if found.base == "debian" and found.version in ("12", "13"):
        suite = f"{found.codename}-backports"
        source = f"deb http://deb.debian.org/debian {suite} main non-free-firmware"
        return "Debian has newer kernels in its backports.", (
            f"apt-cache policy | grep -q n={suite} || echo '{source}' | sudo tee /etc/apt/sources.list.d/{suite}.list",
            "sudo apt-get update",
            f"sudo apt-get install -y -t {suite} linux-image-amd64",
            REBOOT,
        )
    if found.base == "debian" and found.version == "14":
        return "", (*install_steps(found, ("linux-image-amd64",)), REBOOT)
    if found.base == "debian" and found.version:
        return f"Debian {found.version} gets no newer kernel any more: upgrade to Debian 13.", ()
    if found.id == "manjaro":
        return (
            "Manjaro has a package for each series of kernels: choose one of this list, and install it by `sudo mhwd-kernel -i NAME`.",
            ("mhwd-kernel -l",),
        )
    return KERNELS.get(found.base, KERNELS.get(found.family, (OFFERED, ())))


def _ubuntu_kernel(found: Distribution, minimum: str) -> tuple[str, tuple[str, ...]]:
    own = found.id == "ubuntu"
    if not own and found.id != "linuxmint":
        return OFFERED, ()
    offered = UBUNTU_KERNELS.get(found.version, "")
    if offered and minimum and numbers(minimum) > numbers(offered):
        note = f"The newest kernel of Ubuntu {found.version} is {offered}: only a newer release brings one that knows this GPU."
        return note, ("sudo do-release-upgrade",) if own else ()
    if found.version in ("22.04", "24.04"):
        return "", (*install_steps(found, (f"linux-generic-hwe-{found.version}",)), REBOOT)
    if found.ended:
        return (
            f"Ubuntu {found.version} is past its end of life and gets no newer kernel: upgrade to 26.04, or install 24.04 anew.",
            (),
        )
    return OFFERED, ()


def _wsl_kernel() -> Remedy:
    return Remedy(
        "In Windows: update WSL, which brings its kernel",
        "Inside WSL2 the kernel is Microsoft's; no package of the distribution replaces it.",
        commands=("wsl --update", "wsl --shutdown"),
        os="windows",
        verify=("wsl --version",),
        url="https://learn.microsoft.com/en-us/windows/wsl/basic-commands#update-wsl",
    )


def _data_centre(machine: Machine, module: str) -> Remedy:
    return Remedy(
        f"{'On the host: install' if on_host(machine) else 'Install'} Intel's own kernel driver for data centre GPUs ({module})",
        "A newer kernel alone does not drive the Flex and Max series: Intel's out-of-tree i915 does, on the kernels that its guide lists.",
        os="linux",
        risk=Risk.REBOOT,
        verify=("ls /dev/dri",),
        url=DATA_CENTRE,
    )

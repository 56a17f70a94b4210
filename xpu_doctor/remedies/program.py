"""How a program is brought to compute on the GPU, and to feed it: by its application, its DataLoader, its torch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from xpu_doctor.model.commands import Command
from xpu_doctor.model.facts import InsideReport, Watched
from xpu_doctor.model.findings import Remedy, Risk
from xpu_doctor.model.unknown import denied, known_or
from xpu_doctor.model.versions import numbers
from xpu_doctor.remedies.commands import lines, shells
from xpu_doctor.tables.program_devices import ProgramDevice, Takes, application_of, program_devices

_PLAIN = re.compile(r"[^\s\"'`\\$]{1,1000}")
"""A word that is typed as it is."""
ACCELERATOR = "https://docs.pytorch.org/docs/stable/accelerator.html"
DATA = "https://docs.pytorch.org/docs/stable/data.html"
PINS_ITSELF = (2, 7)
"""The first torch whose DataLoader pins memory for the accelerator at hand; older ones pin for CUDA unless told."""
MOST_APPLICATIONS = 2
MOST_WORKERS = 8


def onto_the_gpu(watched: Watched, system: str) -> tuple[Remedy, ...]:
    """Return how the program gets onto the GPU, by what it is written with; where torch offers no device, how to find out why."""
    reports = known_or(watched.inside, ())
    verify = watch_again(watched, system)
    if watched.device_type == "xpu" and reports and _without_device(reports):
        why = "In the program torch offered no XPU device, so there was nothing to move to. The whole examination tells why."
        check = lines([Command(("xpu-doctor", "check", "--python", reports[0].python or "python"))], shells(system)[0])
        found_out = Remedy("Find out why torch offers no XPU device", why, commands=check, verify=verify)
        # An application that takes an XPU device only where it is told stays on the CPU with any torch.
        told = _told(watched, reports, system, verify, (Takes.ASKED,))
        return (found_out, *(replace(remedy, besides=True) for remedy in told))
    told = _told(watched, reports, system, verify, tuple(Takes))
    return (*told, _by_hand(watched.device_type, verify))


def _told(
    watched: Watched, reports: tuple[InsideReport, ...], system: str, verify: tuple[str, ...], takes: tuple[Takes, ...]
) -> tuple[Remedy, ...]:
    """Return how the program's applications are told, of those that take a device in one of these ways."""
    rows = _applications(reports) if watched.device_type == "xpu" else ()
    return tuple(_of_application(row, version, reports, system, verify) for row, version in rows if row.takes in takes)


def _without_device(reports: tuple[InsideReport, ...]) -> bool:
    """Return whether every torch says that it has no device of the type, or was built without it."""
    return all(denied(report.available) or report.torch_xpu == "" for report in reports)


def _applications(reports: tuple[InsideReport, ...]) -> tuple[tuple[ProgramDevice, str], ...]:
    found = dict.fromkeys(row for report in reports for told in report.applications if (row := application_of(told)))
    order = {row.called: place for place, row in enumerate(program_devices())}
    return tuple(sorted(found, key=lambda each: order[each[0].called])[:MOST_APPLICATIONS])


def _of_application(
    row: ProgramDevice, version: str, reports: tuple[InsideReport, ...], system: str, verify: tuple[str, ...]
) -> Remedy:
    """Return how an application is told; of a release that cannot, how to get one that can."""
    if row.takes is Takes.NONE:
        return Remedy(f"{row.application} has no device type for XPU", row.say, verify=verify)
    if row.can(version):
        itself = row.takes is Takes.ITSELF
        since = f" It can from {row.since} on." if row.since and not version else ""
        why = f"{row.application} takes an XPU device {'by itself unless it is told another one' if itself else 'only where it is told'}.{since}"
        return Remedy(f"In {row.application}: {row.say}", why, verify=verify)
    why = f"{row.application} {version} cannot compute on XPU devices; {row.since} is the first that can."
    python = next((report.python for report in reports if report.python), "python")
    update = Command((python, "-m", "pip", "install", f"{row.distribution}>={row.since}"))
    return Remedy(
        f"Update {row.application}, and then: {row.say}",
        why,
        commands=lines([update], shells(system)[0]),
        risk=Risk.REINSTALL,
        verify=verify,
    )


def _by_hand(device: str, verify: tuple[str, ...]) -> Remedy:
    return Remedy(
        f"Move the model and every batch to the device: model.to('{device}'), batch.to('{device}')",
        "Torch computes where the tensors are, and they are on the CPU until the program moves them. "
        "Look for 'cpu', for 'cuda' with a fallback to 'cpu', and for options such as --device. "
        f"torch.accelerator.current_accelerator() gives '{device}' where torch has that device.",
        verify=verify,
        url=ACCELERATOR,
    )


def watch_again(watched: Watched, system: str) -> tuple[str, ...]:
    """Return the line that watches the program again."""
    command = known_or(watched.command, ())
    if not command or not all(map(_PLAIN.fullmatch, command)):  # quoted again, a secret in it might not be told as one
        command = ("python", "train.py")
    kind = () if watched.device_type == "xpu" else ("--device-type", watched.device_type)
    return lines([Command(("xpu-doctor", "watch", *kind, "--", *command))], shells(system)[0])


def feed_the_gpu(watched: Watched, system: str, *, disk: bool, cpus_busy: bool) -> tuple[Remedy, ...]:
    """Return how a program feeds its GPU faster; `disk` says that it waits for one, `cpus_busy` that no CPU is left."""
    verify = watch_again(watched, system)
    return tuple(_feeding(watched, system, verify, disk=disk, cpus_busy=cpus_busy))


def _feeding(
    watched: Watched, system: str, verify: tuple[str, ...], *, disk: bool, cpus_busy: bool
) -> Iterator[Remedy]:
    loaders = [report for report in known_or(watched.inside, ()) if known_or(report.batches, 0)]
    workers = max((known_or(report.loader_workers, -1) for report in loaders), default=-1)
    cpus = known_or(watched.logical_cpus, 0)
    ranks = max(1, len({report.rank for report in loaders if isinstance(report.rank, int)}))
    if disk:
        yield Remedy(
            "Bring the data nearer: to a local SSD or into memory, in fewer and larger files",
            "The program's processes waited for a disk. More workers help only where the disk is not the limit.",
            verify=verify,
        )
    if workers == 0 and cpus != 1:
        count = max(1, min(MOST_WORKERS, (cpus or MOST_WORKERS) // ranks - 1))
        guard = (
            " On Windows the program's start belongs under if __name__ == '__main__'." if system == "windows" else ""
        )
        yield Remedy(
            f"Load the data in processes of their own: DataLoader(..., num_workers={count}, persistent_workers=True)",
            f"With num_workers=0 each batch is made while the GPU waits.{guard}",
            verify=verify,
            url=DATA,
        )
    elif cpus_busy:
        yield Remedy(
            "Make a batch cheaper: decode, resize and tokenise once and store the result, or do it on the GPU",
            "All CPUs are busy already, so that further workers would not help.",
            verify=verify,
            url=DATA,
        )
    elif workers > 0:
        yield Remedy(
            f"Take more than {workers} workers: DataLoader(..., num_workers=..., prefetch_factor=4)",
            "CPUs were idle while the GPU waited for the workers.",
            verify=verify,
            url=DATA,
        )
    if any(denied(report.pin_memory) for report in loaders):
        yield _pinning(watched, loaders, verify)


def _pinning(watched: Watched, loaders: list[InsideReport], verify: tuple[str, ...]) -> Remedy:
    """Return how batches are copied beside the computing; what older versions of torch need besides is told where one runs."""
    version = numbers(loaders[0].torch_version)
    old = watched.device_type != "cuda" and bool(version) and version < PINS_ITSELF
    device = f", pin_memory_device='{watched.device_type}'" if old else ""
    why = "From pinned memory the copy to the device runs beside the computing: batch.to(device, non_blocking=True)."
    more = (
        " Before torch 2.7 the DataLoader pins for CUDA unless pin_memory_device names another device." if old else ""
    )
    return Remedy(
        f"Pin the memory of batches: DataLoader(..., pin_memory=True{device})", why + more, verify=verify, url=DATA
    )


def on_the_cpu(watched: Watched, system: str) -> tuple[Remedy, ...]:
    """Return what to do about a program that uses the GPU a little and the CPU a lot."""
    verify = watch_again(watched, system)
    device = watched.device_type
    return (
        Remedy(
            f"Look at where the CPU time goes, and move that part to the device: .to('{device}') for the model and every batch",
            "Part of the model, the loss, the metrics or the augmentation runs on the CPU; "
            ".item(), .cpu() and .numpy() in each step wait for the GPU and copy.",
            commands=_stacks(watched, system),
            verify=verify,
        ),
        Remedy(
            "Give the GPU more at once: larger batches, bfloat16 with torch.autocast, torch.compile",
            "Many small operations keep one CPU thread busy with starting them, while the GPU idles between them.",
            verify=verify,
            url=ACCELERATOR,
        ),
    )


def _stacks(watched: Watched, system: str) -> tuple[str, ...]:
    """Return what makes the doctor sample stacks, where it had no sampler."""
    python_tool = Command(("python", "-m", "pip", "install", "xpu-doctor[watch]"))
    return lines([python_tool], shells(system)[0]) if not isinstance(watched.hot_spots, tuple) else ()


def off_the_fallback(routes: set[str], watched: Watched) -> tuple[Remedy, ...]:
    """Return what to do about operators that fall back, by the routes that they took."""
    return tuple(_off(routes, watched))


def _off(routes: set[str], watched: Watched) -> Iterator[Remedy]:
    if "forced" in routes:
        yield Remedy(
            "Take PYTORCH_XPU_FALLBACK_OP out of the environment",
            "It sends the operators that it names to the CPU, whether or not torch has a kernel for them.",
        )
    if "listed" in routes or "unimplemented" in routes:
        yield Remedy(
            "Update torch: each release has XPU kernels for more operators",
            "Where an operator is called rarely, its fallback costs little; what counts is how often the tensors travel.",
            url="https://github.com/intel/torch-xpu-ops/issues",
        )
    yield Remedy(
        "Call the operator less often, or another one in its place",
        "Linear algebra outside of the training loop, or on a CPU tensor that stays there, costs no copies.",
    )

"""The running kernel: version, what was asked of its graphics drivers, and what it logged about the GPU."""

from __future__ import annotations

import re

from xpu_doctor.host.interface import Host
from xpu_doctor.model.facts import Kernel, LogLine
from xpu_doctor.model.findings import Layer
from xpu_doctor.model.unknown import Maybe, Unknown
from xpu_doctor.probes.runner import probe

MODULES = ("i915", "xe", "vfio_pci", "amdgpu", "nvidia", "nouveau", "dxgkrnl")
GRAPHICS_PARAMETER = re.compile(
    r"^(i915|xe|drm|intel_iommu|iommu|vfio[-_]pci)[.=]|^(nomodeset|module_blacklist=|modprobe\.blacklist=|rd\.driver\.blacklist=|pci=)"
)
SPEAKER = re.compile(r"\b(i915|xe|dxgk\w*|drm)\b")
TROUBLE = re.compile(
    r"GPU HANG|reset|wedged|hung|hang\b|Timedout job|timed out|Fault response|CAT error|GuC|HuC|firmware|[Ff]ailed|[Ee]rror|force_probe|"
    r"not properly supported|not supported|[Uu]nsupported|coredump|device lost|BAR|Ioctl",
)
MAX_LINES = 60
LOG_COMMANDS = (
    (("dmesg",), 1.0),
    (("journalctl", "-k", "-b", "-q", "-n", "3000", "--no-pager", "-o", "short-monotonic"), 1.5),
)
"""Each command with the seconds that it may take; the journal's end is enough, its whole can take long to read."""


@probe("kernel-driver", layer=Layer.KERNEL, fills="kernel", on=("linux",))
def kernel(host: Host) -> Kernel:
    """Version, graphics parameters, loaded graphics drivers, and the log's lines about i915 and xe."""
    version = host.read("/proc/sys/kernel/osrelease", 256)
    return Kernel(
        version=version.strip() if isinstance(version, str) else version,
        command_line=graphics_parameters(host.read("/proc/cmdline", 16384)),
        modules=_modules(host),
        gpu_log=_gpu_log(host),
    )


def graphics_parameters(text: Maybe[str]) -> Maybe[tuple[str, ...]]:
    """Return the kernel parameters that concern graphics."""
    return text if isinstance(text, Unknown) else tuple(word for word in text.split() if GRAPHICS_PARAMETER.match(word))


def _modules(host: Host) -> Maybe[tuple[str, ...]]:
    if host.exists("/sys/module") is not True:
        return Unknown("/sys/module cannot be read")
    return tuple(name for name in MODULES if host.exists(f"/sys/module/{name}") is True)


def _gpu_log(host: Host) -> Maybe[tuple[LogLine, ...]]:
    """Read the kernel's log where an Intel driver or WSL's bridge could have written into it; it costs a process."""
    speakers = ("/sys/module/i915", "/sys/module/xe", "/dev/dxg")
    if not any(host.exists(path) is True for path in speakers):
        return Unknown("no Intel graphics driver is loaded, so the kernel's log was not read")
    reasons = []
    for argv, seconds in LOG_COMMANDS:
        done = host.run(argv, seconds)
        if isinstance(done, Unknown):
            reasons.append(done.reason)
        elif done.code == 0 and done.stdout.strip():
            return trouble(done.stdout, argv[0])
        else:
            reasons.append(f"{argv[0]}: {(done.stderr.strip().splitlines() or ['no line'])[0]}")
    return Unknown("the kernel's log cannot be read (" + "; ".join(reasons) + ")")


def trouble(text: str, source: str) -> tuple[LogLine, ...]:
    """Return the lines of a kernel log that speak of trouble with an Intel GPU, the last ones where there are many."""
    found = [line.strip() for line in text.splitlines() if SPEAKER.search(line) and TROUBLE.search(line)]
    return tuple(LogLine(line[:400], source) for line in found[-MAX_LINES:])

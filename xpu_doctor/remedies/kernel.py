"""What to type where the kernel's graphics driver is not bound, or hung."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from xpu_doctor.model.facts import Machine
from xpu_doctor.model.findings import Remedy, Risk
from xpu_doctor.model.unknown import Maybe, holds
from xpu_doctor.model.versions import numbers
from xpu_doctor.remedies.boot import REBOOT, REBUILD_NIXOS, install_firmware, on_host, without_parameters
from xpu_doctor.remedies.system_packages import in_order, install_steps
from xpu_doctor.tables.distributions import Distribution, distribution_of

GUIDE = "https://dgpu-docs.intel.com/driver/client/overview.html"
BACKPORTS = "https://backports.debian.org/Instructions/"
DATA_CENTRE = "https://dgpu-docs.intel.com/driver/kernel-driver-types.html"
UBUNTU_KERNELS = {"20.04": "5.15", "22.04": "6.8", "24.04": "7.0"}
"""The last kernel of releases that get no newer one (https://ubuntu.com/kernel/lifecycle; 24.04: USN-8569-1; checked 2026-11-26)."""


@dataclass(frozen=True)
class KernelSteps:
    """How a distribution gets a newer kernel: the steps, a sentence on them, and where more is written."""

    steps: tuple[str, ...] = ()
    note: str = ""
    url: str = GUIDE


OFFERED = KernelSteps(note="Take the newest kernel that this distribution offers.")
KERNELS: dict[str, KernelSteps] = {
    "fedora": KernelSteps(("sudo dnf upgrade -y --refresh kernel", REBOOT)),
    "tumbleweed": KernelSteps(("sudo zypper dup", REBOOT)),
    "leap": KernelSteps(note="A newer kernel comes with a newer release of Leap, or with Tumbleweed."),
    "redhat": KernelSteps(
        note="A kernel of this family keeps its number and takes drivers from newer ones: the newest minor release knows the most GPUs."
    ),
    "arch": KernelSteps(("sudo pacman -Syu", REBOOT)),
    "nixos": KernelSteps(
        REBUILD_NIXOS, "Write `boot.kernelPackages = pkgs.linuxPackages_latest;` into the configuration."
    ),
    "ostree": KernelSteps(
        ("sudo rpm-ostree upgrade", REBOOT), "An image-based system brings its kernel with each update."
    ),
    "gentoo": KernelSteps(
        note="Install a newer kernel package (sys-kernel/gentoo-kernel-bin, with ACCEPT_KEYWORDS=~amd64 for the newest), or build one with "
        "CONFIG_DRM_XE and CONFIG_DRM_I915.",
        url="https://wiki.gentoo.org/wiki/Project:Distribution_Kernel",
    ),
    "haos": KernelSteps(
        ("ha os update",),
        "Home Assistant OS brings its kernel with each release; where the newest one is too old as well, give the GPU to another guest.",
        "https://github.com/home-assistant/operating-system/releases",
    ),
    "unraid": KernelSteps(
        note="Unraid brings its kernel with each release: update it under Tools, Update OS.",
        url="https://docs.unraid.net/unraid-os/updating-unraid/",
    ),
    "truenas": KernelSteps(
        note="TrueNAS brings its kernel with each release: update it under System, Update.",
        url="https://www.truenas.com/docs/scale/gettingstarted/scalereleasenotes/",
    ),
    "proxmox": KernelSteps(
        ("sudo apt-get update", "sudo apt-get full-upgrade -y", REBOOT),
        "Proxmox VE has kernels of its own, and newer ones to opt in to (proxmox-kernel-6.x): see what its release offers.",
        "https://pve.proxmox.com/wiki/Proxmox_VE_Kernel",
    ),
    "yocto": KernelSteps(
        note="The image's own build decides: set PREFERRED_PROVIDER_virtual/kernel to a newer linux-intel of meta-intel, and build the image anew.",
        url="https://git.yoctoproject.org/meta-intel/about/",
    ),
}
"""The way to a newer kernel, by base or family."""


class Unbound(Enum):
    """What keeps the graphics driver away from a GPU."""

    VIRTUAL_MACHINE = "virtual machine"
    PARAMETER = "parameter"
    FIRMWARE = "firmware"
    GAVE_UP = "gave up"
    NO_MODULE = "no module"
    NOT_SEEN = "not seen"


@dataclass(frozen=True)
class KeptAway:
    """What keeps the graphics driver away, and what shows it."""

    cause: Unbound
    shown: str = ""
    """The kernel parameter, the line of the kernel's log, or the module."""
    fact: str = ""
    """Path of the fact that holds it."""


def bind_driver(machine: Machine, wanted: str, kept: KeptAway) -> tuple[Remedy, ...]:
    """Return how to give the GPU back to its graphics driver, after what keeps the driver away."""
    module = wanted if wanted in ("i915", "xe") else "i915"
    if kept.cause is Unbound.VIRTUAL_MACHINE:
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
    if kept.cause is Unbound.PARAMETER:
        why = "That parameter tells the kernel to leave the GPU alone."
        return (without_parameters(machine, (kept.shown,), why, verify=("ls /dev/dri",)),)
    if kept.cause is Unbound.FIRMWARE:
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
    if holds(machine.wsl):
        return (_wsl_kernel(),)
    if module:
        return (_data_centre(machine, module),)
    found, outside = distribution_of(machine), on_host(machine)
    how = KernelSteps() if outside else _kernel_steps(found, minimum)
    what = f"Boot a kernel of {minimum} or newer" if minimum else "Boot a newer kernel"
    return (
        Remedy(
            f"On the host: {what[0].lower()}{what[1:]}" if outside else what,
            f"The GPU's driver is part of the kernel; a newer user-space driver does not replace it. {how.note}".rstrip(),
            commands=in_order(*how.steps),
            os="linux",
            risk=Risk.REBOOT,
            verify=("uname -r", "ls /dev/dri"),
            url=how.url,
        ),
    )


def _kernel_steps(found: Distribution, minimum: str) -> KernelSteps:
    """Return the way to a newer kernel for a distribution."""
    if not found.parameters:
        return KERNELS.get(found.base, OFFERED)
    if found.base == "ubuntu":
        return _ubuntu_kernel(found, minimum)
    if found.base == "debian" and found.version in ("12", "13"):
        return _debian_backports(found)
    if found.base == "debian" and found.version == "14":
        return KernelSteps((*install_steps(found, ("linux-image-amd64",)), REBOOT))
    if found.base == "debian" and found.version:
        return KernelSteps(note=f"Debian {found.version} gets no newer kernel any more: upgrade to Debian 13.")
    if found.id == "manjaro":
        return KernelSteps(
            ("mhwd-kernel -l",),
            "Manjaro has a package for each series of kernels: choose one of this list, and install it by `sudo mhwd-kernel -i NAME`.",
        )
    return KERNELS.get(found.base, KERNELS.get(found.family, OFFERED))


def _debian_backports(found: Distribution) -> KernelSteps:
    suite = f"{found.codename}-backports"
    source = f"deb http://deb.debian.org/debian {suite} main non-free-firmware"
    return KernelSteps(
        (
            f"apt-cache policy | grep -q n={suite} || echo '{source}' | sudo tee /etc/apt/sources.list.d/{suite}.list",
            "sudo apt-get update",
            f"sudo apt-get install -y -t {suite} linux-image-amd64",
            REBOOT,
        ),
        "Debian has newer kernels in its backports.",
        BACKPORTS,
    )


def _ubuntu_kernel(found: Distribution, minimum: str) -> KernelSteps:
    own = found.id == "ubuntu"
    if not own and found.id != "linuxmint":
        return OFFERED
    offered = UBUNTU_KERNELS.get(found.version, "")
    if offered and minimum and numbers(minimum) > numbers(offered):
        note = f"The newest kernel of Ubuntu {found.version} is {offered}: only a newer release brings one that knows this GPU."
        return KernelSteps(("sudo do-release-upgrade",) if own else (), note)
    if found.version in ("22.04", "24.04"):
        return KernelSteps((*install_steps(found, (f"linux-generic-hwe-{found.version}",)), REBOOT))
    if found.ended:
        return KernelSteps(
            note=f"Ubuntu {found.version} is past its end of life and gets no newer kernel: upgrade to 26.04, or install 24.04 anew."
        )
    return OFFERED


def _wsl_kernel() -> Remedy:
    return Remedy(
        "In Windows: update WSL, which brings its kernel",
        "Inside WSL2 the kernel is Microsoft's; no package of the distribution replaces it.",
        commands=("wsl --update", "wsl --shutdown"),
        os="windows",
        side="windows",
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

"""What to type where the kernel's graphics driver is not bound, or hung."""

from __future__ import annotations

from xpu_doctor.facts import Machine
from xpu_doctor.findings import Remedy, Risk
from xpu_doctor.unknown import Maybe, known_or

GUIDE = "https://dgpu-docs.intel.com/driver/client/overview.html"


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
            Remedy(
                f"Remove {word} from the kernel's command line, then reboot",
                "That parameter tells the kernel to leave the GPU alone. On Ubuntu, Debian and Fedora it stands in /etc/default/grub.",
                commands=("sudoedit /etc/default/grub", _update_grub(machine), "sudo reboot"),
                os="linux",
                risk=Risk.REBOOT,
                verify=("cat /proc/cmdline", "ls /dev/dri"),
            ),
        )
    if "firmware" in why:
        package = "linux-firmware" if known_or(machine.distribution, "") != "debian" else "firmware-misc-nonfree"
        return (
            Remedy(
                "Install the GPU's firmware, then reboot",
                "i915 and xe load firmware (GuC, HuC, DMC) from /lib/firmware; a new GPU needs a new firmware package.",
                commands=_install(machine, package),
                os="linux",
                risk=Risk.REBOOT,
                verify=("sudo dmesg | grep -iE 'i915|xe' | grep -i firmware",),
                url="https://git.kernel.org/pub/scm/linux/kernel/git/firmware/linux-firmware.git",
            ),
        )
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


def _update_grub(machine: Machine) -> str:
    debian = known_or(machine.distribution, "") in ("ubuntu", "debian") or "debian" in known_or(machine.distribution_like, ())
    return "sudo update-grub" if debian else "sudo grub2-mkconfig -o /boot/grub2/grub.cfg"


def _install(machine: Machine, package: str) -> tuple[str, ...]:
    manager = {"fedora": "dnf install -y", "rhel": "dnf install -y", "arch": "pacman -S"}.get(
        known_or(machine.distribution, ""), "apt-get install -y"
    )
    return (f"sudo {manager} {package}", "sudo reboot")


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


def back_to_i915(device_id: Maybe[int]) -> Remedy:
    """Return how to give a GPU back to i915."""
    number = f"{device_id:04x}" if isinstance(device_id, int) else "ID"
    return Remedy(
        "Remove xe.force_probe (and i915.force_probe=!...) from the kernel's command line, then reboot",
        f"Without them i915 takes the device {number} by itself, and the compute driver finds it there.",
        commands=("cat /proc/cmdline", "sudoedit /etc/default/grub", "sudo reboot"),
        os="linux",
        risk=Risk.REBOOT,
        verify=("lspci -nnk -d 8086:",),
        url="https://github.com/intel/compute-runtime/issues/905",
    )

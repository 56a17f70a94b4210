"""How a parameter is taken out of the kernel's command line, and how the GPU's firmware is installed."""

from __future__ import annotations

from collections.abc import Iterable

from xpu_doctor.model.facts import Machine
from xpu_doctor.model.findings import Remedy, Risk, Shell
from xpu_doctor.model.unknown import known_or
from xpu_doctor.remedies.commands import quote
from xpu_doctor.remedies.system_packages import in_order, install_steps
from xpu_doctor.tables.distributions import Distribution, distribution_of

PARAMETERS = "https://docs.kernel.org/admin-guide/kernel-parameters.html"
FIRMWARE = "https://git.kernel.org/pub/scm/linux/kernel/git/firmware/linux-firmware.git"
REBOOT = "sudo reboot"
EDIT_GRUB = "sudoedit /etc/default/grub"
REBUILD_NIXOS = ("sudoedit /etc/nixos/configuration.nix", "sudo nixos-rebuild boot", REBOOT)
WHERE = {
    "grub": "It stands in GRUB_CMDLINE_LINUX of /etc/default/grub, or in a file of /etc/default/grub.d; the first command edits it.",
    "grubby": "grubby takes it out of every boot entry; writing GRUB's configuration anew would not.",
    "kernelstub": "On Pop!_OS kernelstub holds the command line; where it boots by GRUB, edit /etc/default/grub and run update-grub.",
    "entries": "With systemd-boot it stands in /etc/kernel/cmdline or in the line `options` of /boot/loader/entries/*.conf, "
    "with Limine in /etc/default/limine, with GRUB in /etc/default/grub; write the entries anew after the change.",
    "nixos": "Take it out of `boot.kernelParams` in the configuration.",
    "ostree": "rpm-ostree holds the command line of an image-based system.",
    "": "Where it stands depends on the boot loader: see what your distribution says of kernel parameters.",
}
SYSTEMD_BOOT = " With systemd-boot it stands in the line `options` of /boot/loader/entries/*.conf instead."
COMPONENT = (
    "sudo find /etc/apt -name sources.list -o -name debian.sources | "
    "xargs -r sudo sed -i -E '/^(deb .*debian|Components:)/{/non-free-firmware/!s/ main( |$)/ main non-free-firmware\\1/}'"
)
"""Adds a component to the sources that Debian's installer wrote: a source of one's own would clash with the keyring that they name."""


def on_host(machine: Machine) -> bool:
    """Return whether the kernel belongs to another system than the one that was examined, whose tools are not known."""
    return bool(known_or(machine.container, ""))


def without_parameters(
    machine: Machine, words: Iterable[str], why: str, url: str = PARAMETERS, verify: tuple[str, ...] = ()
) -> Remedy:
    """Return how to take parameters out of the kernel's command line and reboot."""
    names, found = tuple(words), distribution_of(machine)
    here = "On the host: remove" if on_host(machine) else "Remove"
    where = (
        WHERE[""]
        if on_host(machine)
        else WHERE[found.parameters] + (SYSTEMD_BOOT if found.family == "arch" and found.parameters == "grub" else "")
    )
    return Remedy(
        f"{here} {' and '.join(names)} from the kernel's command line, then reboot",
        f"{why} {where}",
        commands=("cat /proc/cmdline",) if on_host(machine) else _removal(found, names),
        os="linux",
        risk=Risk.REBOOT,
        verify=("cat /proc/cmdline", *verify),
        url=url,
    )


def _removal(found: Distribution, words: tuple[str, ...]) -> tuple[str, ...]:
    joined = quote(" ".join(words), Shell.SH)
    if found.parameters == "grub":
        return in_order(EDIT_GRUB, f"sudo {found.make}", REBOOT)
    if found.parameters == "grubby":
        return in_order(f"sudo grubby --update-kernel=ALL --remove-args={joined}", REBOOT)
    if found.parameters == "kernelstub":
        return in_order(f"sudo kernelstub --delete-options {joined}", REBOOT)
    if found.parameters == "nixos":
        return in_order(*REBUILD_NIXOS)
    if found.parameters == "ostree":
        deleted = " ".join(f"--delete={quote(word, Shell.SH)}" for word in words)
        return in_order(f"sudo rpm-ostree kargs {deleted}", REBOOT)
    return ("cat /proc/cmdline",)


def install_firmware(machine: Machine) -> Remedy:
    """Return how to install the firmware that i915 and xe load, and reboot."""
    found, outside = distribution_of(machine), on_host(machine)
    why = "i915 and xe load firmware (GuC, HuC, DMC) from /lib/firmware; a new GPU needs a new firmware package."
    note, steps = ("", ()) if outside else _firmware(found)
    return Remedy(
        "On the host: install the GPU's firmware, then reboot"
        if outside
        else "Install the GPU's firmware, then reboot",
        f"{why} {note}".rstrip(),
        commands=in_order(*steps, REBOOT) if steps else (),
        os="linux",
        risk=Risk.REBOOT,
        verify=("sudo dmesg | grep -iE 'i915|xe' | grep -i firmware",),
        url=FIRMWARE,
    )


def _firmware(found: Distribution) -> tuple[str, tuple[str, ...]]:
    """Return a sentence and the steps for a distribution."""
    if found.ended:
        return f"Ubuntu {found.version} is past its end of life: upgrade it first.", ()
    if found.base == "debian":
        if found.version not in ("12", "13", "14"):
            return "This release of Debian is too old for the firmware of today's GPUs.", ()
        package = "firmware-misc-nonfree" if found.version == "12" else "firmware-intel-graphics"
        return f"{package} is in Debian's component non-free-firmware.", (COMPONENT, *install_steps(found, (package,)))
    if found.family == "nixos":
        return "Write `hardware.enableRedistributableFirmware = true;` into the configuration.", REBUILD_NIXOS[:2]
    if found.family == "ostree":
        return "An image-based system brings its firmware with each update.", ("sudo rpm-ostree upgrade",)
    package = {"ubuntu": "linux-firmware", "fedora": "linux-firmware intel-gpu-firmware"}.get(
        found.base
    ) or FIRMWARE_PACKAGES.get(found.family, "")
    return "", install_steps(found, (package,))


FIRMWARE_PACKAGES = {
    "redhat": "linux-firmware",
    "suse": "kernel-firmware-all",
    "arch": "linux-firmware",
    "gentoo": "sys-kernel/linux-firmware",
}
"""The package with the firmware of i915 and xe, by family; Debian's and Ubuntu's relatives differ."""

"""What to do where something else than a group keeps the user from the device node."""

from __future__ import annotations

from xpu_doctor.model.facts.machine import Confinement
from xpu_doctor.model.findings import Remedy, Risk
from xpu_doctor.remedies.driver import join_group


def confined(by: Confinement | None) -> tuple[Remedy, ...]:
    """Return how to get around a snap, SELinux, AppArmor or a device cgroup."""
    if by is Confinement.SNAP:
        return (
            Remedy(
                "Start Python from an ordinary terminal, not from inside the snap",
                "A snap sees only the devices that its interfaces allow; its terminal inherits that.",
                commands=("snap connections",),
                os="linux",
                url="https://snapcraft.io/docs/snap-confinement",
            ),
        )
    if by is Confinement.SELINUX:
        return (
            Remedy(
                "Allow containers to use devices, as SELinux puts it",
                "The label of this process forbids device nodes; the audit log names the refusal.",
                commands=("sudo ausearch -m avc -ts recent | grep dri", "sudo setsebool -P container_use_devices=true"),
                os="linux",
                risk=Risk.ADMIN,
                url="https://docs.fedoraproject.org/en-US/quick-docs/selinux-getting-started/",
            ),
        )
    if by is Confinement.APPARMOR:
        return (
            Remedy(
                "Let the AppArmor profile open /dev/dri",
                "The profile of this process forbids the node; the kernel's log names the refusal.",
                commands=("sudo dmesg | grep -i apparmor | grep dri",),
                os="linux",
                risk=Risk.ADMIN,
                url="https://gitlab.com/apparmor/apparmor/-/wikis/home",
            ),
        )
    return (
        Remedy(
            "Let the service use the device: DeviceAllow=char-drm rw, PrivateDevices=no",
            "A systemd unit or a cgroup may forbid device nodes even to root.",
            commands=("systemctl status $$",),
            os="linux",
            risk=Risk.ADMIN,
            url="https://www.freedesktop.org/software/systemd/man/latest/systemd.resource-control.html",
        ),
    )


def seat_only(group: str) -> Remedy:
    """Return what makes access last beyond the console session."""
    kept = join_group(group)
    return Remedy(
        f"Join the group {group}, so that it also works over ssh and in services",
        "logind gives the node to whoever sits at the console, and takes it away at logout.",
        kept.commands,
        os="linux",
        risk=Risk.RE_LOGIN,
        verify=kept.verify,
        url="https://www.freedesktop.org/software/systemd/man/latest/sd-login.html",
    )

"""What to type to mend the driver, the kernel and the access to the device, for one snapshot's machine."""

from __future__ import annotations

import re
from dataclasses import replace

from xpu_doctor.facts import Machine
from xpu_doctor.findings import Remedy, Risk
from xpu_doctor.tables.drivers import package_row
from xpu_doctor.unknown import known_or
from xpu_doctor.versions import numbers

LINUX_GUIDE = "https://dgpu-docs.intel.com/driver/client/overview.html"
RELEASES = "https://github.com/intel/compute-runtime/releases"
LOADER_RELEASES = "https://github.com/oneapi-src/level-zero/releases"
WINDOWS_DRIVER = "https://www.intel.com/content/www/us/en/download/785597/intel-arc-graphics-windows.html"
WSL_GUIDE = "https://github.com/intel/compute-runtime/blob/master/documentation/WSL.md"
UBUNTU_KERNELS = {"20.04": "5.15", "22.04": "6.8"}
"""The newest kernel of releases that get no newer one (https://ubuntu.com/kernel/lifecycle, 2026-11-21)."""
VERIFY = ("clinfo -l", """python3 -c "import ctypes; print(hex(ctypes.CDLL('libze_loader.so.1').zeInit(0) & 0xffffffff))\"""")
"""The second line prints 0x0 where the driver works."""

NO_ROW = "This distribution is in no table of packages here; Intel publishes packages and their checksums with each release."


def install_driver(machine: Machine, newest: bool = False) -> tuple[Remedy, ...]:
    """Return the official steps that install (or with `newest` update) loader and GPU driver on this system."""
    if known_or(machine.os, "linux") == "windows":
        return (windows_driver(),)
    inside = _linux(machine, newest)
    return (*_windows_side(machine), inside)


def windows_driver() -> Remedy:
    """Return the remedy that installs the graphics driver on Windows."""
    return Remedy(
        "Install Intel's newest graphics driver",
        "On Windows the graphics driver brings the Level Zero loader (ze_loader.dll) and the compute driver; take Intel's, not the PC maker's older one.",
        os="windows",
        risk=Risk.REBOOT,
        verify=("Test-Path $env:SystemRoot\\System32\\ze_loader.dll",),
        url=WINDOWS_DRIVER,
    )


def _windows_side(machine: Machine) -> tuple[Remedy, ...]:
    if known_or(machine.wsl, False) is not True:
        return ()
    return (
        replace(
            windows_driver(),
            title="In Windows: install Intel's newest graphics driver, then update WSL",
            why="WSL2 borrows Windows' driver through /dev/dxg; the compute driver inside WSL must find a recent one there.",
            commands=("wsl --update", "wsl --shutdown"),
            verify=(),
        ),
    )


def _linux(machine: Machine, newest: bool) -> Remedy:
    row = package_row(
        known_or(machine.distribution, ""), known_or(machine.distribution_like, ()), known_or(machine.distribution_version, "")
    )
    where = "Inside WSL: " if known_or(machine.wsl, False) is True else ""
    if row is None or not re.fullmatch(row.get("releases", ".*"), known_or(machine.distribution_version, "")):
        why = "Intel's repository has a folder for each minor release, and none is known to fit here." if row else NO_ROW
        return Remedy(
            f"{where}install the Level Zero loader and Intel's GPU driver",
            why,
            os="linux",
            risk=Risk.ADMIN,
            verify=VERIFY,
            url=LINUX_GUIDE if row else RELEASES,
        )
    commands = tuple(row.get("newest", row["commands"]) if newest else row["commands"])
    verb = "update" if newest else "install"
    why = f"`{row['loader']}` holds the Level Zero loader, `{row['driver']}` the GPU driver behind it: both are needed, and of one generation."
    if row.get("note"):
        why += f" {row['note']}."
    container = known_or(machine.container, "")
    if container:
        where = "In the container's image: "
        why += " Only the kernel's driver is shared with a container; the rest must be in the image."
        commands = tuple(line.replace("sudo ", "") for line in commands)
    return Remedy(
        f"{where}{verb} the Level Zero loader and Intel's GPU driver",
        why,
        commands=tuple(_filled(line, machine) for line in commands),
        os="linux",
        risk=Risk.ADMIN,
        verify=VERIFY,
        url=str(row["source"]),
    )


def _filled(line: str, machine: Machine) -> str:
    version = known_or(machine.distribution_version, "")
    return line.replace("${VERSION_ID}", version).replace("${VERSION_SP}", version.replace(".", "sp"))


def install_loader(machine: Machine) -> tuple[Remedy, ...]:
    """Return what installs or updates the Level Zero loader alone."""
    if known_or(machine.os, "linux") == "windows":
        return (windows_driver(),)
    row = package_row(
        known_or(machine.distribution, ""), known_or(machine.distribution_like, ()), known_or(machine.distribution_version, "")
    )
    where = "Inside WSL: take" if known_or(machine.wsl, False) is True else "Take"
    direct = Remedy(
        f"{where} the loader from its release page",
        "The .deb and .rpm files there are newer than what stable distributions carry; loader and GPU driver should be of one generation.",
        os="linux",
        risk=Risk.ADMIN,
        verify=VERIFY,
        url=LOADER_RELEASES,
    )
    return (*install_driver(machine, newest=True), direct) if row else (direct,)


def join_group(group: str) -> Remedy:
    """Return the remedy that gives the user the group of the render node."""
    return Remedy(
        f"Join the group {group}, then log in again",
        f"The kernel lets only root and the group {group} open the render node. Groups are read at login, so a running session does not get them.",
        commands=(f'sudo usermod -aG {group} "$USER"',),
        os="linux",
        risk=Risk.RE_LOGIN,
        verify=("id -nG", "ls -l /dev/dri/renderD*"),
        url=LINUX_GUIDE,
    )


def log_in_again(group: str) -> Remedy:
    """Return the remedy for a session that is older than its user's group."""
    return Remedy(
        "Log out and in again (or reboot)",
        f"The account is in the group {group} already, but this session began before that. A terminal multiplexer, an IDE or a "
        "remote server that is still running keeps the old groups too.",
        commands=(f"newgrp {group}",),
        os="linux",
        risk=Risk.RE_LOGIN,
        verify=("id -nG",),
    )


def container_device(machine: Machine, group_id: int | None, rootless: bool) -> tuple[Remedy, ...]:
    """Return how to start the container so that it gets the GPU and may open it."""
    kind = known_or(machine.container, "") or "container"
    if known_or(machine.wsl, False) is True:
        return (
            Remedy(
                "Inside WSL, outside the container: start it with Windows' GPU",
                "In WSL2 the GPU is /dev/dxg, and Windows' libraries under /usr/lib/wsl must be visible too.",
                commands=("docker run --device /dev/dxg -v /usr/lib/wsl:/usr/lib/wsl -e LD_LIBRARY_PATH=/usr/lib/wsl/lib IMAGE",),
                os="linux",
                url=WSL_GUIDE,
            ),
        )
    if kind == "kubernetes":
        group = f"supplementalGroups: [{group_id}]" if group_id else "supplementalGroups with the number of the node's render group"
        return (
            Remedy(
                "Ask the cluster for the GPU in the pod's resources",
                f"Intel's device plugin passes the render node into a pod that asks for it; a user without root needs {group} in its securityContext too.",
                commands=("kubectl describe node NODE | grep gpu.intel.com",),
                os="linux",
                url="https://intel.github.io/intel-device-plugins-for-kubernetes/cmd/gpu_plugin/README.html",
            ),
        )
    number = str(group_id) if group_id else "$(stat -c %g /dev/dri/renderD128)"
    if rootless or kind == "podman":
        commands: tuple[str, ...] = ("podman run --device /dev/dri --group-add keep-groups IMAGE",)
        why = "A rootless container has its own numbers of users and groups: keep-groups lets it keep the groups of the user who starts it."
    else:
        commands = (f"docker run --device /dev/dri --group-add {number} IMAGE",)
        why = "The group is named by its number, since the image's own group `render` has another number or does not exist."
    return (
        Remedy(
            "On the host: start the container with the GPU's device nodes",
            why,
            commands=commands,
            os="linux",
            verify=("ls -ln /dev/dri",),
            url=LINUX_GUIDE,
        ),
    )


def newer_kernel(machine: Machine, minimum: str) -> tuple[Remedy, ...]:
    """Return how to get a kernel that knows the GPU."""
    distribution, version = known_or(machine.distribution, ""), known_or(machine.distribution_version, "")
    why = "The GPU's driver is part of the kernel; a newer user-space driver does not replace it."
    commands: tuple[str, ...] = ()
    offered = UBUNTU_KERNELS.get(version) if distribution == "ubuntu" else None
    if offered and minimum and numbers(minimum) > numbers(offered):
        why += f" The newest kernel of Ubuntu {version} is {offered}: only a newer Ubuntu brings one that knows this GPU."
        commands = ("sudo do-release-upgrade",)
    elif distribution == "ubuntu" and version in ("22.04", "24.04"):
        commands = ("sudo apt-get update", f"sudo apt-get install -y linux-generic-hwe-{version}", "sudo reboot")
    elif distribution == "fedora":
        commands = ("sudo dnf upgrade --refresh kernel", "sudo reboot")
    elif distribution in ("arch", "manjaro"):
        commands = ("sudo pacman -Syu", "sudo reboot")
    elif distribution == "debian":
        commands = (f"sudo apt-get install -y -t {_debian_name(version)}-backports linux-image-amd64", "sudo reboot")
    return (
        Remedy(
            f"Boot a kernel of {minimum} or newer" if minimum else "Boot a newer kernel",
            why,
            commands=commands,
            os="linux",
            risk=Risk.REBOOT,
            verify=("uname -r", "ls /dev/dri"),
            url=LINUX_GUIDE,
        ),
    )


def _debian_name(version: str) -> str:
    return {"11": "bullseye", "12": "bookworm", "13": "trixie"}.get(version, "stable")


def rebar() -> tuple[Remedy, ...]:
    """Return how to switch Resizable BAR on."""
    return (
        Remedy(
            'In the firmware setup, switch on "Above 4G Decoding" and "Resizable BAR", and switch CSM off',
            "Without them the card shows only 256 MiB of its memory to the processor, and Intel's compute driver refuses it. "
            "Boards older than about 2019 may need a firmware update first, or cannot do it.",
            risk=Risk.REBOOT,
            verify=("sudo lspci -vv -d 8086: | grep -A3 'Resizable BAR'",),
            url="https://github.com/intel/compute-runtime/blob/master/documentation/FAQ.md",
        ),
    )


def unset(names: tuple[str, ...], os: str) -> Remedy:
    """Return how to try without some environment variables."""
    windows = os == "windows"
    commands = tuple(f"Remove-Item Env:{name}" for name in names) if windows else (f"unset {' '.join(names)}",)
    return Remedy(
        f"Unset {' and '.join(names)} in this shell, and look where it is set",
        "If it helps, remove it for good: from shell start-up files, the service's unit, the container's settings or Windows' environment dialog.",
        commands=commands,
        os="windows" if windows else "linux",
        verify=('python -c "import torch; print(torch.xpu.device_count())"',),
        url="https://github.com/intel/llvm/blob/sycl/sycl/doc/EnvironmentVariables.md",
    )

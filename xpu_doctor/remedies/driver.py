"""What to type to fix the driver, the kernel and the access to the device, for one snapshot's machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from xpu_doctor.model.facts import Machine
from xpu_doctor.model.findings import Remedy, Risk
from xpu_doctor.model.unknown import holds, known_or
from xpu_doctor.remedies.system_packages import in_order, without_sudo
from xpu_doctor.tables.distributions import Distribution, distribution_of
from xpu_doctor.tables.drivers import PackageSet, package_rows

LINUX_GUIDE = "https://dgpu-docs.intel.com/driver/client/overview.html"
RELEASES = "https://github.com/intel/compute-runtime/releases"
LOADER_RELEASES = "https://github.com/oneapi-src/level-zero/releases"
WINDOWS_DRIVER = "https://www.intel.com/content/www/us/en/download/785597/intel-arc-graphics-windows.html"
WSL_GUIDE = "https://github.com/intel/compute-runtime/blob/master/documentation/WSL.md"
VERIFY = (
    "clinfo -l",
    """python3 -c "import ctypes; print(hex(ctypes.CDLL('libze_loader.so.1').zeInit(0) & 0xffffffff))\"""",
)
"""The second line prints 0x0 where the driver works."""

NO_ROW = "No right command is known here for this distribution; Intel publishes packages and their checksums with each release."
NO_GOOD_BUILD = (
    "This release's archive has no good GPU driver for this card: take another release, or a container of one"
)
WHICH = "Which commands are right depends on the release: see VERSION_ID in /etc/os-release."


def install_driver(
    machine: Machine, newest: bool = False, families: frozenset[str] = frozenset()
) -> tuple[Remedy, ...]:
    """Return the official steps that install (or with `newest` update) loader and GPU driver for GPUs of these families on this system."""
    if known_or(machine.os, "linux") == "windows":
        return (windows_driver(),)
    windows, linux = _windows_side(machine), _linux(machine, newest, families)
    return (
        (*windows, *(replace(remedy, besides=not number) for number, remedy in enumerate(linux))) if windows else linux
    )


def windows_driver() -> Remedy:
    """Return the remedy that installs the graphics driver on Windows."""
    return Remedy(
        "Install Intel's newest graphics driver",
        "On Windows the graphics driver brings the Level Zero loader (ze_loader.dll) and the compute driver; take Intel's, not the PC maker's older one.",
        os="windows",
        risk=Risk.REBOOT,
        verify=('Test-Path "$env:SystemRoot\\System32\\ze_loader.dll"',),
        url=WINDOWS_DRIVER,
    )


def switch_on() -> Remedy:
    """Return the remedy that switches a GPU on again in Windows."""
    return Remedy(
        "Switch the GPU on in Device Manager",
        "In Device Manager (devmgmt.msc), under Display adapters, right-click the GPU and choose Enable device; Windows drives no device that is off.",
        os="windows",
        risk=Risk.ADMIN,
        verify=("pnputil /enum-devices /class Display",),
    )


def _windows_side(machine: Machine) -> tuple[Remedy, ...]:
    if not holds(machine.wsl):
        return ()
    return (
        replace(
            windows_driver(),
            title="In Windows: install Intel's newest graphics driver, then update WSL",
            side="windows",
            why="WSL2 borrows Windows' driver through /dev/dxg; the compute driver inside WSL must find a recent one there.",
            commands=("wsl --update", "wsl --shutdown"),
            verify=(),
        ),
    )


def _linux(machine: Machine, newest: bool, families: frozenset[str]) -> tuple[Remedy, ...]:
    found = distribution_of(machine)
    rows = package_rows(found.base, found.version)
    if not rows:
        return (_no_row(machine),)
    return tuple(_of_row(row, machine, found, newest, families, several=len(rows) > 1) for row in rows)


def _no_row(machine: Machine) -> Remedy:
    title = f"{_place(machine)}install the Level Zero loader and Intel's GPU driver"
    return Remedy(title[0].upper() + title[1:], NO_ROW, os="linux", risk=Risk.ADMIN, verify=VERIFY, url=RELEASES)


def _place(machine: Machine) -> str:
    if known_or(machine.container, ""):
        return "In the container's image: "
    return "Inside WSL: " if holds(machine.wsl) else ""


def _side(machine: Machine) -> str:
    """Return on which side of WSL and a container in it the driver is installed."""
    return "wsl" if holds(machine.wsl) and not known_or(machine.container, "") else ""


def _of_row(
    row: PackageSet, machine: Machine, found: Distribution, newest: bool, families: frozenset[str], several: bool
) -> Remedy:
    needed = bool(families & set(row.newest_for))
    steps = row.newest if needed or (newest and row.newest) else row.commands
    what = row.title or ("the Level Zero loader and Intel's GPU driver" if steps else NO_GOOD_BUILD)
    title = f"{'update' if newest else 'install'} {what}" if steps else what
    title = _place(machine) + (f"on {row.release}: " if several else "") + title
    return Remedy(
        title[0].upper() + title[1:],
        _filled(" ".join(_reasons(row, machine, needed, several)), found),
        commands=in_order(*(_filled(line, found) for line in without_sudo(machine, steps))),
        os="linux",
        risk=Risk.ADMIN,
        verify=VERIFY if steps else (),
        url=row.url or row.source,
        side=_side(machine),
    )


def _reasons(row: PackageSet, machine: Machine, needed: bool, several: bool) -> Iterator[str]:
    if several:
        yield WHICH
    if row.commands and row.loader and (row.newest or not needed):
        yield f"`{row.loader}` holds the Level Zero loader, `{row.driver}` the GPU driver behind it: both are needed, and of one generation."
    if needed:
        yield f"{row.newest_note}."
    if row.note:
        yield f"{row.note}."
    if known_or(machine.container, ""):
        yield "Only the kernel's driver is shared with a container; the rest must be in the image."


def _filled(line: str, found: Distribution) -> str:
    return line.replace("${VERSION_ID}", found.version).replace("${VERSION_SP}", found.version.replace(".", "sp"))


def install_loader(machine: Machine) -> tuple[Remedy, ...]:
    """Return what installs or updates the Level Zero loader alone."""
    if known_or(machine.os, "linux") == "windows":
        return (windows_driver(),)
    where = "Inside WSL: take" if holds(machine.wsl) else "Take"
    direct = Remedy(
        f"{where} the loader from its release page",
        "The .deb and .rpm files there are newer than what stable distributions carry; loader and GPU driver should be of one generation.",
        os="linux",
        risk=Risk.ADMIN,
        verify=VERIFY,
        url=LOADER_RELEASES,
    )
    found = distribution_of(machine)
    return (*install_driver(machine, newest=True), direct) if package_rows(found.base, found.version) else (direct,)


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


def rebar(windows: bool = False) -> tuple[Remedy, ...]:
    """Return how to switch Resizable BAR on."""
    return (
        Remedy(
            'In the firmware setup, switch on "Above 4G Decoding" and "Resizable BAR", and switch CSM off',
            "Without them the card shows only 256 MiB of its memory to the processor: on xe Intel's compute driver refuses it, on i915 it is slower. "
            "Boards older than about 2019 may need a firmware update first, or cannot do it.",
            risk=Risk.REBOOT,
            verify=() if windows else ("sudo lspci -vv -d 8086: | grep -A3 'Resizable BAR'",),
            url="https://github.com/intel/compute-runtime/blob/master/documentation/FAQ.md",
        ),
    )

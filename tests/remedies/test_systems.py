"""Remedies where no system is told, lines of package tools, and the number of a card."""

from __future__ import annotations

import pytest

from xpu_doctor.model.facts import Machine, XpuDevice
from xpu_doctor.model.findings import Remedy
from xpu_doctor.remedies.device import for_cards
from xpu_doctor.remedies.package_tools import as_typed_on
from xpu_doctor.remedies.systems import either
from xpu_doctor.tables.distributions import distribution_of

SHARED = Remedy("Update torch", "Why.", commands=("python -m pip install torch",))
FOLLOWS = Remedy("Then this", "Why.", besides=True)
LINUX = Remedy("Set it", "It helps.", commands=("export A=1",))
WINDOWS = Remedy("Set it", "It helps.", commands=('$env:A = "1"',))
OTHER = Remedy("Install the driver", "Why.", os="windows", url="https://example.org/")


@pytest.mark.parametrize(
    ("linux", "windows", "titles"),
    [
        ([SHARED], [SHARED], ["Update torch"]),
        ([LINUX], [WINDOWS], ["On Linux: Set it", "On Windows: Set it"]),
        ([LINUX], [], ["Set it"]),
        ([], [WINDOWS], ["Set it"]),
        ([SHARED, LINUX], [SHARED, WINDOWS], ["Update torch", "On Linux: Set it", "On Windows: Set it"]),
        ([LINUX, SHARED], [WINDOWS, SHARED], ["On Linux: Set it", "On Windows: Set it", "Update torch"]),
        ([LINUX, FOLLOWS], [WINDOWS, FOLLOWS], ["On Linux: Set it", "On Windows: Set it", "Then this"]),
        ([LINUX, FOLLOWS], [OTHER], ["On Linux: Set it", "On Linux: Then this", "On Windows: Install the driver"]),
        ([SHARED, FOLLOWS], [SHARED, FOLLOWS], ["Update torch", "Then this"]),
        ([SHARED], [SHARED, OTHER], ["Update torch", "On Windows: Install the driver"]),
        ([], [], []),
    ],
)
def test_each_system_under_its_name(linux: list[Remedy], windows: list[Remedy], titles: list[str]) -> None:
    """What both share is told once, and of no system."""
    both = either(linux, windows)
    assert [remedy.title for remedy in both] == titles
    for remedy in both:
        assert (remedy.os == "linux") is (
            remedy.title.startswith("On Linux") or (remedy in linux and remedy.os == "linux")
        )


def test_a_reason_is_told_once() -> None:
    """Where only what is typed differs, the second does not repeat why."""
    first, second = either([LINUX], [WINDOWS])
    assert (first.why, second.why) == ("It helps.", "")
    assert (first.commands, second.commands) == (LINUX.commands, WINDOWS.commands)


def test_what_is_typed_around_wsl_keeps_its_title() -> None:
    """It says where by itself."""
    around = Remedy("In Windows: update WSL", "", commands=("wsl --update",), os="windows", side="windows")
    assert [remedy.title for remedy in either([around], [OTHER])] == [
        "In Windows: update WSL",
        "On Windows: Install the driver",
    ]


LINE = "sudo apt-get update && sudo apt-get install libze1   # Debian, Ubuntu 24.04 or newer. Fedora: sudo dnf install oneapi-level-zero; openSUSE: sudo zypper install level-zero; Arch: sudo pacman -Syu level-zero-loader"


@pytest.mark.parametrize(
    ("distribution", "line", "typed"),
    [
        ("", LINE, LINE),
        ("ubuntu", LINE, "sudo apt-get update && sudo apt-get install libze1"),
        ("linuxmint", LINE, "sudo apt-get update && sudo apt-get install libze1"),
        ("fedora", LINE, "sudo dnf install oneapi-level-zero"),
        ("opensuse-tumbleweed", LINE, "sudo zypper install level-zero"),
        ("arch", LINE, "sudo pacman -Syu level-zero-loader"),
        ("cachyos", LINE, "sudo pacman -Syu level-zero-loader"),
        ("gentoo", LINE, ""),
        ("nixos", LINE, ""),
        ("haos", LINE, ""),
        ("unraid", LINE, ""),
        ("poky", LINE, ""),
        ("steamos", LINE, ""),
        (
            "fedora",
            "dpkg -l | grep x   # Fedora, RHEL, openSUSE: rpm -qa | grep x; Arch: pacman -Q | grep x",
            "rpm -qa | grep x",
        ),
        (
            "opensuse",
            "dpkg -l | grep x   # Fedora, RHEL, openSUSE: rpm -qa | grep x; Arch: pacman -Q | grep x",
            "rpm -qa | grep x",
        ),
        (
            "manjaro",
            "dpkg -l | grep x   # Fedora, RHEL: rpm -qa | grep x; Arch: pacman -Q | grep x",
            "pacman -Q | grep x",
        ),
        ("gentoo", "ls -l /dev/dri; id", "ls -l /dev/dri; id"),
        ("haos", "python -c 'x'   # any comment", "python -c 'x'   # any comment"),
        ("arch", "sudo dmesg | grep apt", "sudo dmesg | grep apt"),
        ("debian", "sudo apt-get install x   # once", "sudo apt-get install x   # once"),
    ],
)
def test_a_line_of_another_distribution(distribution: str, line: str, typed: str) -> None:
    """The distribution's own line stands in the comment behind another's; else there is none."""
    assert as_typed_on(distribution_of(Machine(os="linux", distribution=distribution)), line) == typed


@pytest.mark.parametrize(
    ("names", "number"),
    [
        (("Intel(R) Iris(R) Xe Graphics", "Intel(R) Arc(TM) A770M Graphics"), 1),
        (("Intel(R) Arc(TM) B580 Graphics", "Intel(R) UHD Graphics 770"), 0),
        (("Intel(R) Arc(TM) B580 Graphics",), 0),
        (("Intel(R) UHD Graphics 770",), 0),
        (("Intel(R) UHD Graphics 770", "Intel(R) UHD Graphics 770", "Intel(R) Arc(TM) Pro B60 Graphics"), 2),
        ((), 0),
        (("something else", "Intel(R) Data Center GPU Max 1550"), 1),
    ],
)
def test_the_card_by_its_number(names: tuple[str, ...], number: int) -> None:
    """A remedy selects the card where a listing of torch has it."""
    remedy = Remedy("Show it", "the card is often 0. Set it.", commands=("export ONEAPI_DEVICE_SELECTOR=level_zero:0",))
    shown = for_cards(remedy, [XpuDevice(place, name) for place, name in enumerate(names)])
    assert shown.commands == (f"export ONEAPI_DEVICE_SELECTOR=level_zero:{number}",)
    assert ("often" in shown.why) is (number == 0)

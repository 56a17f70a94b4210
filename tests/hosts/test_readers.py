"""The small readers of the probes: any text gives facts or reasons, never an exception, and real spellings are read right."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpu_doctor.model.facts import Driver, LevelZero, Library, Package, ZeDriver
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.model.versions import numbers, release
from xpu_doctor.probes.access import user_namespace
from xpu_doctor.probes.driver import dpkg_packages, library_version, pacman_packages, rpm_packages
from xpu_doctor.probes.gpus import bar_sizes
from xpu_doctor.probes.kernel import graphics_parameters, trouble
from xpu_doctor.probes.machine import os_release, windows_name
from xpu_doctor.probes.windows_gpus import device_ids
from xpu_doctor.tables.drivers import between, installed_build, parse_build, parse_windows


@given(st.text())
def test_any_text(text: str) -> None:
    """No reader raises on any text."""
    os_release(text)
    bar_sizes(text)
    dpkg_packages(text)
    rpm_packages(text)
    pacman_packages((text,))
    user_namespace(text)
    graphics_parameters(text)
    trouble(text, "test")
    device_ids(text)
    parse_build(text)
    parse_windows(text)
    release(text)
    numbers(text)
    library_version(text, "libze_loader.so.1")


SPELLINGS = {
    "1.6.33578+15": (33578, 15),
    "25.18.33578.15-1146~24.04": (33578, 15),
    "1.6.33578": (33578, None),
    "26.27.039122": (39122, None),
    "23.43.27642.40-1ubuntu3": (27642, 40),
    "1.3.24595": (24595, None),
    "24.52.32224": (32224, None),
    "25.48.36300.8-1.fc43": (36300, 8),
}


@pytest.mark.parametrize("text", SPELLINGS)
def test_builds(text: str) -> None:
    """All spellings of a driver's version give its build number."""
    build = parse_build(text)
    assert build is not None and (build.number, build.hotfix) == SPELLINGS[text]


@pytest.mark.parametrize("text", ["32.0.101.8801", "31.0.101.5122", "1.8.12-1", "1.28.2-2", "6.8.0-45-generic", ""])
def test_no_builds(text: str) -> None:
    """A Windows driver, a loader and a kernel are no build of compute-runtime."""
    assert parse_build(text) is None


@given(st.integers(1, 30), st.integers(0, 60), st.integers(10000, 99999), st.integers(0, 999))
def test_spellings_agree(major: int, minor: int, number: int, hotfix: int) -> None:
    """The Level Zero and the package spelling of one build are one build."""
    one, other = (
        parse_build(f"{major}.{minor}.{number}+{hotfix}"),
        parse_build(f"{major}.{minor:02d}.{number}.{hotfix}-1~24.04"),
    )
    assert (
        one is not None
        and other is not None
        and (one.number, one.hotfix) == (other.number, other.hotfix) == (number, hotfix)
    )


def test_windows_builds() -> None:
    """Numbers are compared, not texts: 10000 comes after 9999."""
    assert parse_windows("32.0.101.8801") == 8801 and parse_windows("31.0.101.5122") == 5122
    assert parse_windows("27.20.100.9466") is None
    newer, older = parse_windows("32.0.101.10000"), parse_windows("32.0.101.9999")
    assert newer is not None and older is not None and newer > older


def test_releases() -> None:
    """6.10 comes after 6.8, and both bounds belong to a range."""
    assert release("6.10.3-arch1") > release("6.8.0-45-generic")
    assert between(release("6.8.0-45-generic"), ("6.8", "6.9")) and between(release("6.9.12"), ("6.8", "6.9"))
    assert not between(release("6.10.0"), ("6.8", "6.9"))


def test_build_from_the_best_source() -> None:
    """What the driver told wins over its library, that over its package; the package lends its hotfix."""
    packages = (Package("libze-intel-gpu1", "25.18.33578.6-1", "dpkg"),)
    driver = Driver(
        libraries=(Library("libze_intel_gpu.so.1", "/usr/lib/libze_intel_gpu.so.1", "1.6.33578"),), packages=packages
    )
    told = LevelZero(drivers=(ZeDriver(0, "1.15.39122+14", 39122),))
    best = installed_build(told, driver)
    assert not isinstance(best, Unknown) and best.number == 39122
    second = installed_build(LevelZero(), driver)
    assert not isinstance(second, Unknown) and (second.number, second.hotfix) == (33578, 6)
    assert isinstance(installed_build(LevelZero(), Driver(libraries=(), packages=())), Unknown)


def test_dpkg() -> None:
    """Only installed packages of the driver stack; the last stanza and continued lines are no trap."""
    status = (
        "Package: libze1\nStatus: install ok installed\nDescription: x\n more\nVersion: 1.8.12-1\n\n"
        "Package: libze1-something\nStatus: install ok installed\nVersion: 9\n\n"
        "Package: intel-opencl-icd\nStatus: deinstall ok config-files\nVersion: 22.43\n\n"
        "Package: libze-intel-gpu1\nStatus: install ok installed\nVersion: 25.18.33578.6-0"
    )
    assert [(row.name, row.version) for row in dpkg_packages(status)] == [
        ("libze1", "1.8.12-1"),
        ("libze-intel-gpu1", "25.18.33578.6-0"),
    ]


def test_rpm_in_any_language() -> None:
    """rpm's sentences about absent packages are left out, in English and in German."""
    text = "package libze1 is not installed\nDas Paket level-zero ist nicht installiert\nintel-opencl 25.18.33578.6-1\n"
    assert [row.name for row in rpm_packages(text)] == ["intel-opencl"]


def test_windows_11() -> None:
    """Windows 11 still calls itself 10 in the registry."""
    assert windows_name(
        {"ProductName": "Windows 10 Pro", "DisplayVersion": "24H2", "CurrentBuild": "26100"}
    ).startswith("Windows 11 Pro 24H2")
    assert windows_name({"ProductName": "Windows 10 Home", "CurrentBuild": "19045"}).startswith("Windows 10 Home")


def test_log_keeps_trouble_only() -> None:
    """Greetings of the drivers and lines of others are left out."""
    text = (
        "[1.0] i915 0000:03:00.0: [drm] VT-d active for gfx access\n[2.0] usb 1-1: reset high-speed USB device\n"
        "[3.0] xe 0000:03:00.0: [drm] *ERROR* GT0: Timedout job\n"
    )
    assert [line.text for line in trouble(text, "dmesg")] == ["[3.0] xe 0000:03:00.0: [drm] *ERROR* GT0: Timedout job"]

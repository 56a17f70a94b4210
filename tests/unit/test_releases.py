"""The releases table answers for what it knows and says nothing of the rest."""

from __future__ import annotations

import pytest

from xpu_doctor.tables.releases import (
    installable,
    is_nightly,
    known_pythons,
    platform_tag,
    python_tag,
    release_of,
    releases,
)


@pytest.mark.parametrize(
    ("version", "row"),
    [
        ("2.14.0+xpu", "2.14.0"),
        ("2.14.0", "2.14.0"),
        ("2.5.1+cxx11.abi", "2.5"),
        ("2.4.0", "2.4"),
        ("2.99.0", None),
        ("2.9.0a0+git1", None),
    ],
)
def test_row_of_a_version(version: str, row: str | None) -> None:
    """The local label is no part of the question; an unlisted version has no row."""
    found = release_of(version)
    assert (found.torch if found else None) == row


def test_nightlies_have_no_row() -> None:
    """A nightly of 2.14 is not 2.14."""
    assert is_nightly("2.14.0.dev20260401+xpu") and release_of("2.14.0.dev20260401+xpu") is None
    assert not is_nightly("2.14.0")


def test_only_sure_rows_are_installed() -> None:
    """A row that was concluded from its neighbour is never what a remedy pins."""
    assert release_of("2.15.0") is not None
    found = installable("3.12", "linux_x86_64", "2.15.0")
    assert found is not None and found.confirmed and found.torch == "2.14.1"
    assert installable("3.15", "linux_x86_64") is None and "3.15" in known_pythons()
    assert installable("3.12", "linux_aarch64") is None and installable("3.8", "linux_x86_64") is None


def test_free_threaded_wheels_ended() -> None:
    """From 2.13 on there is no wheel for the free-threaded Python 3.13; for 3.14 there is."""
    found = installable("3.13t", "linux_x86_64", "2.14.1")
    assert found is not None and found.torch.startswith("2.12.")
    again = installable("3.14t", "linux_x86_64")
    assert again is not None and again.torch == "2.14.1"


@pytest.mark.parametrize(
    ("torch", "name", "version", "fits"),
    [
        ("2.14.0", "torchvision", "0.29.0+xpu", True),
        ("2.14.0", "torchvision", "0.29.2+xpu", True),
        ("2.14.0", "torchvision", "0.28.0+xpu", False),
        ("2.14.1", "torchvision", "0.29.0+xpu", False),
        ("2.14.1", "torchvision", "0.29.1", True),
        ("2.14.1", "torchaudio", "2.11.0+xpu", True),
        ("2.13.0", "torchaudio", "2.10.0", False),
        ("2.9.1", "torchvision", "0.1.0", True),
    ],
)
def test_one_torchvision_serves_several_releases(torch: str, name: str, version: str, fits: bool) -> None:
    """From torchvision 0.29.1 on; where no partner is known, nothing is wrong."""
    row = release_of(torch)
    assert row is not None and row.fits(name, version) is fits


def test_no_row_names_what_does_not_exist() -> None:
    """torchvision ended its own numbers at 0.29.2 so far, and torchaudio's last release is 2.11.0."""
    for row in releases():
        assert row.torchvision != "0.30.0" and "0.30.0" not in row.torchvision_also, row.torch
        assert tuple(map(int, (row.torchaudio or "0.0").split(".")[:2])) <= (2, 11), row.torch


@pytest.mark.parametrize(
    ("os", "machine", "tag"),
    [
        ("linux", "x86_64", "linux_x86_64"),
        ("windows", "AMD64", "win_amd64"),
        ("windows", "ARM64", "win_aarch64"),
        ("linux", "aarch64", "linux_aarch64"),
    ],
)
def test_platform_tags(os: str, machine: str, tag: str) -> None:
    """Spelled as the table spells them."""
    assert platform_tag(os, machine) == tag


def test_python_tags() -> None:
    """Free-threaded builds are Pythons of their own."""
    assert python_tag("3.13.1", True) == "3.13t" and python_tag("3.9.18") == "3.9"

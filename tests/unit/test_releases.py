"""The releases table answers for what it knows and says nothing of the rest."""

from __future__ import annotations

import pytest

from xpu_doctor.tables.releases import installable, is_nightly, known_pythons, platform_tag, python_tag, release_of


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
    assert release_of("2.14.1") is not None
    found = installable("3.12", "linux_x86_64", "2.14.1")
    assert found is not None and found.confirmed and found.torch == "2.14.0"
    assert installable("3.15", "linux_x86_64") is None and "3.15" in known_pythons()
    assert installable("3.12", "linux_aarch64") is None and installable("3.8", "linux_x86_64") is None


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

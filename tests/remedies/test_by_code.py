"""Remedies of a pasted text are those of the distribution that it tells."""

from __future__ import annotations

import pytest

from xpu_doctor.catalogue.names import all_rules
from xpu_doctor.model.findings import Finding
from xpu_doctor.pasted.run import triage_texts
from xpu_doctor.text.safe import from_bytes


def first(text: str) -> Finding:
    """The first root cause of a text."""
    return triage_texts([("text", from_bytes(text.encode(), "text"))], rules=all_rules()).diagnosis.root_causes[0]


def commands(text: str) -> str:
    """Everything to type against the first root cause."""
    return "\n".join(line for remedy in first(text).remedies for line in remedy.commands)


@pytest.mark.parametrize(
    ("where", "typed"),
    [
        ("Fedora 42", "sudo dnf install"),
        ("Arch Linux", "sudo pacman -S"),
        ("Ubuntu 24.04", "sudo apt-get"),
        ("Windows 11", ""),
        ("some Linux", "apt-get install"),
    ],
)
def test_driver_of_the_distribution(where: str, typed: str) -> None:
    """A missing driver is installed by the tool that the distribution has."""
    text = f"{where}, Arc A770, torch 2.9.1+xpu: XPU device count is zero! I have not installed the GPU driver packages"
    assert first(text).code == "gpu-driver-missing"
    assert typed in commands(text)
    assert ("sudo" in commands(text)) is bool(typed)


def test_no_sudo_in_an_image() -> None:
    """In a container the packages belong into the image."""
    text = "docker run --device /dev/dri fedora:42\nFedora 42, Arc A770: XPU device count is zero!\nI have not installed the GPU driver packages in the image"
    assert first(text).code == "gpu-driver-missing"
    assert "dnf install" in commands(text)
    assert "sudo" not in commands(text)


@pytest.mark.parametrize(("release", "typed"), [("22.04", "do-release-upgrade"), ("24.04", "linux-generic-hwe-24.04")])
def test_kernel_that_the_release_can_have(release: str, typed: str) -> None:
    """Where the distribution's newest kernel is too old as well, only a newer distribution helps."""
    text = f"OS: Ubuntu {release}.5 LTS\nKernel: 5.15.0-100-generic\nXPU device count is zero!\nIntel(R) Arc(TM) B580 Graphics, torch 2.9.1+xpu"
    assert first(text).code == "kernel-too-old"
    assert typed in commands(text)


@pytest.mark.parametrize(
    ("system", "repository"),
    [
        ("Red Hat Enterprise Linux 9.4 (Plow)", "rhel/9.4/unified/intel-gpu-9.4.repo"),
        ("Rocky Linux release 8.10", "rhel/8.10/unified/intel-gpu-8.10.repo"),
        ("CentOS Linux 7 (Core)", ""),
        ("CentOS Stream 9", ""),
        ("openSUSE Leap", ""),
    ],
)
def test_only_repositories_that_can_be(system: str, repository: str) -> None:
    """Intel's repositories are by minor release: without one no address is made up."""
    text = f"OS: {system}, Arc A770, torch 2.9.1+xpu: XPU device count is zero! I have not installed the GPU driver packages"
    assert first(text).code == "gpu-driver-missing"
    assert repository in commands(text)
    assert ("repositories.intel.com" in commands(text)) is bool(repository)


def test_a_compiler_of_red_hat_is_no_red_hat() -> None:
    """Fedora's GCC says Red Hat, too; its version is no release of a distribution."""
    text = "GCC version: (GCC) 11.4.1 20231218 (Red Hat 11.4.1-3)\nFedora 42: XPU device count is zero! I have not installed the GPU driver packages"
    assert "repositories.intel.com" not in commands(text)
    assert "dnf install" in commands(text)

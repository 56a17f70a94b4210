"""What the closure tests need: compilers, and the real Intel wheels."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.closure import linux_world, real_wheels


def need(*programs: str) -> None:
    """Skip where a program of .ci/apt-packages.txt is not installed."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (see .ci/apt-packages.txt)")


def wheels(name: str, system: str, requirements: tuple[str, ...]) -> Path:
    """Return the installed wheels, or skip where pip cannot fetch them."""
    try:
        return real_wheels.installed(name, system, requirements)
    except real_wheels.NotAvailable as error:
        pytest.skip(f"the real Intel wheels cannot be fetched here: {error}")


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program that asks the real loader."""
    need("gcc")
    return linux_world.opener(tmp_path_factory.mktemp("opener"))

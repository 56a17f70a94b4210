"""Fixtures of the programs that are watched: the simulated device, built once for a run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.watching.truth.building import build_device


@pytest.fixture(scope="session")
def device(torch_env: Path, shared_folder: Path) -> Path:
    """The library of the simulated device."""
    if not sys.platform.startswith("linux"):
        pytest.skip("the simulated machine is a Linux")
    built = build_device(torch_env, shared_folder / "simulated-device")
    if isinstance(built, str):
        pytest.skip(f"the simulated device cannot be built: {built}")
    return built

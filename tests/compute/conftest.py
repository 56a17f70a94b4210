"""The interpreter with a real torch and the test device."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compute.targets import Target, build


@pytest.fixture(scope="session")
def target(torch_env: Path, tmp_path_factory: pytest.TempPathFactory) -> Target:
    """The test device, compiled for the suite's torch; skipped where there is no C++ compiler."""
    try:
        return build(torch_env, tmp_path_factory.mktemp("testgpu"))
    except RuntimeError as error:
        pytest.skip(str(error))

"""The loopback indexes of these tests, served once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.remedies.environments import CHANNELS, World
from tests.support.fake_index import serve


@pytest.fixture(scope="session")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Address of each channel: xpu, cpu, nightly."""
    with serve(tmp_path_factory.mktemp("indexes"), CHANNELS) as addresses:
        yield addresses


@pytest.fixture
def world(tmp_path: Path, urls: Mapping[str, str]) -> World:
    """A new home folder whose files do not obey this machine's pip settings."""
    home = tmp_path / "home"
    home.mkdir()
    return World(home, urls, variables={"PIP_CONFIG_FILE": "/dev/null"})

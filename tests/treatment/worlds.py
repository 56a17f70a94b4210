"""An index on loopback whose torch works, and an environment that `fix` may change."""

from __future__ import annotations

import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.remedies.environments import CPU, XPU, World
from tests.support.fake_index import Wheel, package, serve

WORKING = """
from . import xpu

class Ones:
    def __init__(self, count): self.count = count
    def sum(self): return self
    def cpu(self): return self
    def __float__(self): return float(self.count)

def ones(count, device="cpu"):
    return Ones(count)
"""
XPU_MODULE = """
def _is_compiled(): return True
def is_available(): return True
def device_count(): return 1

class Properties:
    name = "Intel(R) Arc(TM) B580 Graphics"

def get_device_properties(index): return Properties()
"""
"""A torch whose one device takes a tensor, as far as the doctor looks before it computes."""


def _library() -> bytes:
    """A small shared library that is whole: an extension module of this interpreter."""
    folder = Path(sysconfig.get_path("stdlib"), "lib-dynload")
    return min(folder.glob("*.so"), key=lambda path: path.stat().st_size).read_bytes()


def whole(wheel: Wheel) -> Wheel:
    """A wheel whose libraries can be loaded."""
    files = {name: _library() if content == "\x7fELF" else content for name, content in wheel.files.items()}
    return working(replace(wheel, files=files))


def working(wheel: Wheel) -> Wheel:
    """A wheel whose torch finds a device, where it is a build for XPU."""
    if wheel.name != "torch" or not wheel.version.endswith("+xpu"):
        return wheel
    text = f"{wheel.files['torch/__init__.py']!s}{WORKING}"
    return replace(wheel, files={**wheel.files, "torch/__init__.py": text, "torch/xpu/__init__.py": XPU_MODULE})


@pytest.fixture(scope="session")
def working_urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    channels = {
        "xpu": [whole(wheel) for wheel in XPU],
        "cpu": [whole(wheel) for wheel in CPU],
        "empty": [package("nothing", "1.0")],
    }
    with serve(tmp_path_factory.mktemp("index"), channels) as served:
        yield served


@pytest.fixture
def world(tmp_path: Path, working_urls: Mapping[str, str]) -> World:
    home = tmp_path / "home"
    home.mkdir()
    return World(home, working_urls, variables={"XDG_STATE_HOME": str(home / "state")})

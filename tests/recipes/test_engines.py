"""The recipes of examples/fleet/ on the engines themselves: `tools/try_fleet.py`, with each engine that this machine has."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.cli import ROOT

sys.path.insert(0, str(ROOT / "tools"))

from fleet_engines.bench import NotHere
from try_fleet import ENGINES, on_bench

pytestmark = pytest.mark.heavy


@pytest.mark.parametrize("name", ENGINES)
def test_a_recipe_reports_on_every_node(name: str, tmp_path: Path) -> None:
    try:
        rows = on_bench(name, None, tmp_path / name)
    except NotHere as missing:
        pytest.skip(str(missing))
    assert rows and [row for row in rows if not row.good] == []

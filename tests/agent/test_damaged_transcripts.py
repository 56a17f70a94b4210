"""Damaged transcripts come to a clean report: a slice of what `tools/fuzz_transcripts.py` tries."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="scripts with a #! line")
SEED = 20261126


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> object:
    from tools.fuzz_transcripts import Bench

    return Bench(Path(tmp_path_factory.mktemp("transcripts")))


@pytest.mark.parametrize("number", range(26))
def test_a_damaged_transcript(bench: object, number: int) -> None:
    outcome = bench.outcome(number, SEED)  # type: ignore[attr-defined]
    assert not outcome.fault, outcome

"""No text of a size that people paste keeps triage busy for long, whatever is in it."""

from __future__ import annotations

import time

import pytest
from click.testing import CliRunner

from tests.support.large_texts import large_texts
from xpu_doctor.cli.triage import triage

SIZE = 50_000
MOST = 2.0
"""Seconds of the processor's time; nearly all of these texts take less than a tenth of them."""
TEXTS = dict(large_texts(SIZE))


def seconds(text: str) -> float:
    """How long triage is busy with a text."""
    started = time.process_time()
    CliRunner().invoke(triage, ["--json", "-"], input=text.encode(), standalone_mode=False)
    return time.process_time() - started


@pytest.mark.parametrize("name", TEXTS)
def test_no_text_takes_long(name: str) -> None:
    """The better of two runs counts, since the machine may be busy."""
    text = TEXTS[name]
    assert seconds(text) < MOST or seconds(text) < MOST

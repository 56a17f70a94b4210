"""The whole command bears any input: no traceback, no control character, no known name, in two seconds."""

from __future__ import annotations

import json
import re
import time

from click.testing import CliRunner
from hypothesis import given

from tests.parsers.strategies import hard, raw
from xpu_doctor.cli.triage import triage
from xpu_doctor.text.private_names import names_in
from xpu_doctor.text.safe import from_bytes
from xpu_doctor.text.word_index import IndexedText

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@hard
@given(raw)
def test_any_bytes(data: bytes) -> None:
    """A report or one clear line; names that stand where names stand are never in it."""
    started = time.process_time()
    result = CliRunner().invoke(triage, ["--json", "-"], input=data, standalone_mode=False)
    assert time.process_time() - started < 2.0
    if result.exception is not None:
        assert type(result.exception).__name__ == "UsageError", result.exception
        assert "\n" not in str(result.exception)
        return
    report = json.loads(result.stdout)
    assert report["exit_code"] in (0, 1, 3)
    assert not CONTROL.search(json.dumps(report, ensure_ascii=False))
    users, hosts = names_in(IndexedText(from_bytes(data, "text").text))
    for name in {"anna", "tower"} & (users | hosts):
        assert not re.search(rf"(?<![\w.-]){name}(?![\w-])", result.stdout)


@hard
@given(raw)
def test_any_bytes_as_text_and_reply(data: bytes) -> None:
    """The report for people and the reply are clean too."""
    for options in ([], ["--reply"], ["-v"]):
        result = CliRunner().invoke(triage, [*options, "-"], input=data, standalone_mode=False)
        if result.exception is None:
            assert not CONTROL.search(result.stdout)

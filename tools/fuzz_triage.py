"""Feeds mutated texts to the triage of pasted text, guided by coverage, for as long as it is let run.

    pip install atheris
    python tools/fuzz_triage.py [SEEDS_FOLDER] -max_total_time=1800

A crash is an exception, more than two seconds of processor time, or a control character in the report. The seeds are the examples of the
table of known messages and the cases under fixtures/cases.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["xpu_doctor"]):
    from xpu_doctor.catalogue.names import all_rules
    from xpu_doctor.pasted.run import triage_texts
    from xpu_doctor.report.build import Report
    from xpu_doctor.report.reply import reply
    from xpu_doctor.tables.signatures import signatures
    from xpu_doctor.text.safe import NotText, from_bytes

ROOT = Path(__file__).parents[1]
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
SLOW = 2.0
RULES = all_rules()


def one(data: bytes) -> None:
    """Triage one input."""
    started = time.process_time()
    try:
        safe = from_bytes(data, "file")
    except NotText:
        return
    triaged = triage_texts([("file", safe)], rules=RULES)
    assert not any(snapshot.failures for snapshot in triaged.snapshots), triaged.snapshots
    report = Report().of_texts(triaged.diagnosis, triaged.snapshot, triaged.redactor)
    shown = reply(report, triaged.diagnosis, triaged.snapshot) + "".join(
        finding.summary + "".join(item.value for item in finding.evidence) for finding in report.root_causes
    )
    assert not CONTROL.search(shown.replace("\n", "")), repr(shown)
    assert time.process_time() - started < SLOW, "slow"


def seeds(folder: Path) -> None:
    """Write the seeds."""
    for number, row in enumerate(signatures()):
        (folder / f"signature-{number}").write_text("\n".join((*row.examples, *row.near_misses)), encoding="utf-8")
    for case in (ROOT / "fixtures" / "cases").glob("*.toml"):
        (folder / case.stem).write_bytes(case.read_bytes())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        given = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
        folder = Path(given[0]) if given else Path(name)
        seeds(folder)
        atheris.Setup(
            [sys.argv[0], *(argument for argument in sys.argv[1:] if argument.startswith("-")), str(folder)], one
        )
        atheris.Fuzz()

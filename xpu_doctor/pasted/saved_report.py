"""Saved JSON reports in what people send: told from prose, read strictly, refused in words."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn

from xpu_doctor.model.codec import SnapshotError, SnapshotTooNew, decode
from xpu_doctor.model.findings import Layer
from xpu_doctor.model.terms import Origin
from xpu_doctor.pasted.own_formats import refuse_own_format
from xpu_doctor.report.document import DOCUMENT_SCHEMA
from xpu_doctor.text.late_pattern import late_pattern
from xpu_doctor.text.report_shape import looks_saved
from xpu_doctor.text.safe import cleaned

if TYPE_CHECKING:
    from xpu_doctor.model.snapshot import Snapshot
    from xpu_doctor.text.safe import SafeText

MAX_DEPTH = 40
"""Levels of lists and objects that a report has at most."""
MAX_BEGINNINGS = 40
"""Braces at which a report is looked for."""
MAX_NUMBER = 2**63
SUBJECTS = ("machine", "host", "container")
PARTS = ("probe", "rule", "plugin", "tool")
"""What can fail, by the schema of reports."""
WHOLE_FILE = "ask for the whole file that `xpu-doctor check --json -o report.json` writes"
COMPARISON = (
    "this is a comparison by xpu-doctor and no report: give the reports that were compared, "
    "which `xpu-doctor check --json -o report.json` writes"
)

_OF_COMPARISON = late_pattern(r'"same":\s{0,9}(?:true|false),\s{0,9}"compared":\s{0,9}\d')
_QUOTING = late_pattern(r"(?m)^[ \t]{0,200}(?:> ?)+|^[ \t]{0,200}(?:`{3,9}|~{3,9})\w{0,20}[ \t]{0,200}$")
_DATE = late_pattern(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_BEGIN = late_pattern(r'\{\s{0,2000}"')


@dataclass(frozen=True)
class SavedReport:
    """What is read of a saved report: its facts, and when they were gathered."""

    snapshot: Snapshot
    created: str = ""
    """UTC, ISO 8601; empty where the report does not say it so."""


class _Refused(ValueError):
    """The text is JSON of a form that no report has; the message says which."""


def read_saved(text: SafeText) -> SavedReport | None:
    """Return the saved report that a text holds, None where it is any other text that can be read.

    Raises:
        SnapshotError: it is a report that is cut off, damaged or of a newer version, or another output of the doctor's own.
    """
    refuse_own_format(text.text)
    return saved_report(text.report)


def saved_report(text: str) -> SavedReport | None:
    """Return a saved JSON report, quoted or in a Markdown fence too; None where the text holds none.

    Raises:
        SnapshotError: it is one, but cut off, damaged or of a newer version.
    """
    if not looks_saved(text):
        return None

    try:
        values = next(_reports(_QUOTING.sub("", text)), None)
        if values is None and _OF_COMPARISON.search(text):
            raise SnapshotError(COMPARISON)
        if values is None:
            raise SnapshotError(f"the saved report is cut off or damaged: {WHOLE_FILE}")
        number = values.get("schema")
        if type(number) is not int or number < 1:
            raise SnapshotError(f"the saved report is damaged: its schema is no number; {WHOLE_FILE}")
        if number > DOCUMENT_SCHEMA:
            raise SnapshotTooNew(
                f"the report has schema {number}, and this xpu-doctor reads up to {DOCUMENT_SCHEMA}: upgrade xpu-doctor"
            )
        if not isinstance(values.get("snapshot"), dict):
            raise SnapshotError(f"the saved report holds no snapshot: {WHOLE_FILE}")
        snapshot = decode(_clean(values["snapshot"]))
    except _Refused as error:
        raise SnapshotError(f"the saved report is damaged: {error}; {WHOLE_FILE}") from error
    return SavedReport(_as_saved(snapshot), created if _DATE.fullmatch(created := str(values.get("created"))) else "")


def _as_saved(snapshot: Snapshot) -> Snapshot:
    """Return a snapshot with words of closed sets alone where a report has such."""
    return replace(
        snapshot,
        origin=Origin.SAVED,
        subject=snapshot.subject if snapshot.subject in SUBJECTS else SUBJECTS[0],
        skipped=tuple(name for name in snapshot.skipped if name in _layers()),
        failures=tuple(
            failure if failure.part in PARTS else replace(failure, part="tool") for failure in snapshot.failures
        ),
    )


def _layers() -> frozenset[str]:
    return frozenset(layer.value for layer in Layer)


def _reports(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of a text that are reports.

    Raises:
        _Refused: one of them is JSON of a form that no report has.
    """
    decoder = json.JSONDecoder(
        object_pairs_hook=_object, parse_constant=_no_number, parse_float=_float, parse_int=_integer
    )
    refused: _Refused | None = None
    begin = _BEGIN.search(text)
    for _ in range(MAX_BEGINNINGS):
        if begin is None:
            break
        try:
            values, _end = decoder.raw_decode(text, begin.start())
        except _Refused as error:
            refused = refused or error
        except RecursionError:
            refused = refused or _Refused("it is nested too deeply")
        except ValueError:
            pass  # prose with a brace in it, or a report that is cut off
        else:
            if isinstance(values, dict) and "schema" in values and ("snapshot" in values or "root_causes" in values):
                yield values
        begin = _BEGIN.search(text, begin.start() + 1)
    if refused is not None:
        raise refused


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise _Refused("it holds a key twice")
    return values


def _no_number(_: str) -> NoReturn:
    raise _Refused("it holds NaN or an infinite number")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _Refused("it holds a number that is too large")
    return number


def _integer(text: str) -> int:
    if len(text) > 20 or abs(number := int(text)) >= MAX_NUMBER:
        raise _Refused("it holds a number that is too large")
    return number


def _clean(value: Any, depth: int = 0) -> Any:
    """Return a JSON value whose texts hold nothing that a terminal obeys: an escape in JSON is a control character once it is read."""
    if depth > MAX_DEPTH:
        raise _Refused("it is nested too deeply")
    if isinstance(value, str):
        return value if value.isascii() and value.isprintable() else cleaned(value)
    if isinstance(value, dict):
        return {_clean(key): _clean(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item, depth + 1) for item in value]
    return value

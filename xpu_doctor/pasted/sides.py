"""From saved reports and pasted texts to the sides of a comparison, all judged by the same rules and on the same day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xpu_doctor.comparison.model import Side
from xpu_doctor.diagnosis.diagnose import Options, diagnose
from xpu_doctor.model.codec import SnapshotError, decode, encode
from xpu_doctor.model.findings import LADDER
from xpu_doctor.model.selection import CHECKED
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.pasted.run import triage_texts
from xpu_doctor.pasted.saved_report import SavedReport, read_saved
from xpu_doctor.report.redaction import index_hosts, redacted_snapshot
from xpu_doctor.text.private_names import redactor_for
from xpu_doctor.text.safe import SafeText
from xpu_doctor.text.word_index import IndexedText

if TYPE_CHECKING:
    from xpu_doctor.diagnosis.rule import Rule
    from xpu_doctor.model.snapshot import Snapshot
    from xpu_doctor.text.redact import Redactor


@dataclass(frozen=True)
class Sides:
    """The sides, and what a reader should know of how they were read."""

    sides: tuple[Side, ...]
    notes: tuple[str, ...] = ()
    hidden: dict[str, int] | None = None
    """How many different values of each kind were hidden; None where nothing was to be."""


def read_sides(
    texts: Sequence[tuple[str, SafeText]],
    *,
    rules: Sequence[Rule],
    today: str = "",
    redact: bool = True,
    words: Sequence[str] = (),
) -> Sides:
    """Read one side from each text, given as (name, text): a saved report, or any other text as `triage` reads it.

    Names and secrets are hidden, `words` too, unless `redact` is false: the same name by the same placeholder on all sides that are
    saved reports.

    Raises:
        SnapshotError: a saved report is damaged, or of a newer version; the message begins with the name.
    """
    saved = [_saved(name, text) for name, text in texts]
    users = [user for report in saved if report is not None and isinstance(user := report.snapshot.access.user, str)]
    pasted = [IndexedText(text.text) for (_, text), report in zip(texts, saved, strict=True) if report is None]
    hosts = index_hosts(*(report.snapshot for report in saved if report is not None))
    redactor = redactor_for(pasted, users=users, words=words, hosts=hosts) if redact else None
    known = [known for known, kind in redactor.names.items() if kind == "user"] if redactor else []
    options = Options(layers=LADDER, today=today)
    sides: list[Side] = []
    notes: list[str] = []
    for (name, text), report in zip(texts, saved, strict=True):
        label = label_of(len(sides))
        shown = redactor.text(name) if redactor else name
        if report is not None:
            sides.append(_of_report(label, shown, report, rules, today, redactor))
            said: tuple[str, ...] = text.notes
        else:
            triaged = triage_texts(
                [(label, text)], rules=rules, options=options, redact=redact, words=words, users=known
            )
            sides.append(Side(label, _told(triaged.snapshot), triaged.diagnosis, shown))
            said = triaged.notes
        notes += [note if note.startswith(f"{label} ") else f"{label}: {note}" for note in said]
    return Sides(tuple(sides), tuple(notes), dict(redactor.hidden) if redactor else None)


def _told(snapshot: Snapshot) -> Snapshot:
    """Return the facts of a text; that it shows no known message does not say that there was none."""
    if snapshot.errors.met != ():
        return snapshot
    return replace(snapshot, errors=replace(snapshot.errors, met=Unknown("the text shows none")))


def _saved(name: str, text: SafeText) -> SavedReport | None:
    try:
        return read_saved(text)
    except SnapshotError as error:
        raise type(error)(f"{name}: {error}") from error


def _of_report(
    label: str, name: str, report: SavedReport, rules: Sequence[Rule], today: str, redactor: Redactor | None
) -> Side:
    """Return the side of a saved report; its facts are judged anew, since another version may have judged them in another way."""
    snapshot = report.snapshot
    if redactor is not None:
        snapshot = decode(redacted_snapshot(encode(snapshot), redactor))
    asked = tuple(layer for layer in CHECKED if layer.value not in snapshot.skipped)
    diagnosis = diagnose(snapshot, rules, Options(layers=asked, today=today))
    return Side(label, snapshot, diagnosis, name, report.created)


def label_of(place: int) -> str:
    """Return the short name of a side: A to Z, then AA, AB ..."""
    before, letter = divmod(place, 26)
    return (label_of(before - 1) if before else "") + chr(ord("A") + letter)

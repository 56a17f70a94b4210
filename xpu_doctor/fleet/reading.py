"""From the bytes of one file to what a fleet keeps of it: never an error, whatever the bytes are."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from hashlib import blake2b

import msgspec

from xpu_doctor.fleet.facts import facts_of
from xpu_doctor.fleet.model import Cause, Problem, ProblemKind, Profile, Remedy, Row, Timed, Told
from xpu_doctor.fleet.names import node_name, promises_report
from xpu_doctor.fleet.partial import READS_SCHEMA, Envelope, Finding, Report, Shape
from xpu_doctor.model.likeness import alike_text
from xpu_doctor.model.terms import OverallVerdict

MAX_REPORT = 8 << 20
"""Bytes of one report."""
MAX_CAUSES = 40
MAX_REMEDIES = 3
MAX_SUMMARY = 1000
MAX_SPEEDS = 1024
HEAD = 4096
"""Bytes at the beginning of a document that tell a fleet."""
A_FLEET = "a fleet by xpu-doctor, which holds no report"
NO_JSON = "no JSON report"
SNAPSHOT = "snapshot"
"""What a file of facts says of itself."""

_REPORTS = msgspec.json.Decoder(Report, strict=True)
_SHAPES = msgspec.json.Decoder(Shape)
_ANY = msgspec.json.Decoder(msgspec.Raw)
_ENVELOPES = msgspec.json.Decoder(Envelope)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_NUMBERED = re.compile(r"\b(xpu|gpu|cuda|card|renderD|tile)([ :]?)\d+\b")
_ENVELOPE = re.compile(rb'\A\s*\{\s*"(?:node|host|hostname|name|report)"')
_FLEET = re.compile(rb'"outliers":\s{0,9}\d{1,9},\s{0,9}"kinds":\s{0,9}\[')
_NEEDED = ("verdict", "root_causes", "snapshot")


class Made:
    """What was made of some reports: rows, profiles, words of causes, and what gave no row."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.profiles: dict[bytes, Profile] = {}
        self.told: dict[bytes, tuple[str, tuple[Told, ...]]] = {}
        """Of each profile: the first node's name and time, and its causes in words."""
        self.problems: list[Problem] = []


class Reader:
    """Reads reports, and remembers which profiles were told already."""

    def __init__(self) -> None:
        self._seen: dict[bytes, str] = {}

    def read_file(self, path: str, label: str, made: Made) -> None:
        """Read a file that lies in a folder: a plain one, and no link."""
        try:
            handle = os.open(path, os.O_RDONLY | _FLAGS)
            try:
                state = os.fstat(handle)
                if not stat.S_ISREG(state.st_mode):
                    made.problems.append(Problem(label, ProblemKind.FOREIGN, "no plain file"))
                    return
                if state.st_size > MAX_REPORT:
                    made.problems.append(too_large(label, os.read(handle, HEAD)))
                    return
                data = _all(handle, state.st_size)
            finally:
                os.close(handle)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            made.problems.append(Problem(label, ProblemKind.UNREADABLE, reason))
            return
        self.read(label, data, made)

    def read(self, label: str, data: bytes, made: Made) -> None:
        """Read one report."""
        if len(data) > MAX_REPORT:
            made.problems.append(too_large(label, data))
            return
        try:
            data = utf8(data)
            self._read(label, data, made)
        except _Refused as error:
            lost = error.kind is ProblemKind.FOREIGN and promises_report(label) and not _is_whole(data)
            made.problems.append(Problem(label, ProblemKind.DAMAGED if lost else error.kind, str(error)))
        except RecursionError:
            made.problems.append(Problem(label, ProblemKind.DAMAGED, "nested too deeply"))

    def _read(self, label: str, data: bytes, made: Made) -> None:
        said, data = _unwrapped(data)
        report = _report(data)
        created = report.created if _TIME.fullmatch(report.created) else ""
        profile = profile_of(report)
        key = blake2b(msgspec.msgpack.encode(profile), digest_size=16).digest()
        node = node_name(said or report.node, label)
        first = f"{node}\0{created}"
        if key not in self._seen:
            made.profiles[key] = profile
        if key not in self._seen or first < self._seen[key]:
            self._seen[key] = first
            made.told[key] = (first, tuple(_told(cause) for cause in _causes(report)))
        content = blake2b(data, digest_size=8).digest()
        made.rows.append(Row(label, node, created, content, key, _detail(report), _speeds(report)))


class _Refused(ValueError):
    def __init__(self, kind: ProblemKind, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)  # fmt: skip


def _all(handle: int, size: int) -> bytes:
    """Return what a file of a size holds; of one that grows at most a byte more than a report may have."""
    pieces, left = [], MAX_REPORT + 1
    while left > 0 and (piece := os.read(handle, min(left, size + 1))):
        pieces.append(piece)
        left -= len(piece)
        size = max(size - len(piece), 1 << 12)
    return b"".join(pieces)


def utf8(data: bytes) -> bytes:
    """Return a text in UTF-8: PowerShell writes UTF-16 where its output is led into a file."""
    if data.startswith(b"\xef\xbb\xbf"):
        return data[3:]
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace").encode("utf-8", "replace")
    return data


def _unwrapped(data: bytes) -> tuple[str | None, bytes]:
    """Return the name that stands beside a report, and the report; the data as they are where nothing stands around it."""
    if not _ENVELOPE.match(data):
        return None, data
    try:
        found = _ENVELOPES.decode(data)
    except (msgspec.MsgspecError, UnicodeError):
        return None, data
    inner = bytes(found.report)
    if inner[:1] == b'"':  # the report as a text, as Ansible registers what a command printed
        try:
            inner = msgspec.json.decode(inner, type=str).encode("utf-8", "replace")
        except (msgspec.MsgspecError, UnicodeError):
            return None, data
    return found.node or found.host or found.hostname or found.name, inner


def _report(data: bytes) -> Report:
    """Decode a report.

    Raises:
        _Refused: it is none, or cannot be read.
    """
    start = data[:64].lstrip()
    if not start.startswith(b"{"):
        raise _Refused(ProblemKind.FOREIGN, "empty" if not data.strip() else NO_JSON)
    try:
        report = _REPORTS.decode(data)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise _refusal(data, error) from error
    if report.schema > READS_SCHEMA:
        raise _Refused(ProblemKind.NEWER, _newer(report.schema))
    if report.schema < 1:
        raise _Refused(ProblemKind.DAMAGED, "its schema is no number of a schema")
    return report


def _is_whole(data: bytes) -> bool:
    """Return whether a text is JSON from its beginning to its end, whatever it says."""
    try:
        _ANY.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return False
    return True


def is_fleet(data: bytes) -> bool:
    """Return whether a document, or its beginning, is what `fleet --json` writes."""
    return _FLEET.search(data, 0, HEAD) is not None


def too_large(label: str, head: bytes) -> Problem:
    """Return what to say of a document that is larger than a report, by its beginning."""
    if is_fleet(head):
        return Problem(label, ProblemKind.FOREIGN, A_FLEET)
    return Problem(label, ProblemKind.LARGE, f"larger than {MAX_REPORT >> 20} MiB")


def _newer(number: object) -> str:
    return f"schema {number}, and this xpu-doctor reads up to {READS_SCHEMA}: upgrade xpu-doctor"


def _refusal(data: bytes, error: Exception) -> _Refused:
    """Return what to say of a file that is not read as a report."""
    if is_fleet(data):
        return _Refused(ProblemKind.FOREIGN, A_FLEET)
    looks = sum(f'"{name}"'.encode() in data for name in _NEEDED) >= 2 or b'"xpu-doctor"' in data[:2000]
    try:
        shape = _SHAPES.decode(data)
    except (msgspec.MsgspecError, UnicodeError):
        if not looks:
            return _Refused(ProblemKind.FOREIGN, NO_JSON)
        cut = "truncated" in str(error)
        return _Refused(ProblemKind.CUT if cut else ProblemKind.DAMAGED, "cut off" if cut else str(error)[:200])
    if type(shape.schema) is int and shape.schema > READS_SCHEMA and (looks or shape.snapshot is not None):
        return _Refused(ProblemKind.NEWER, _newer(shape.schema))
    if (
        isinstance(shape.snapshot, dict)
        and shape.verdict is None
        and (shape.kind is not None or b'"level_zero"' in data)
    ):
        return _Refused(
            ProblemKind.FACTS,
            "facts without a diagnosis: `xpu-doctor triage` judges them; `check --json` writes reports",
        )
    if looks:
        return _Refused(ProblemKind.DAMAGED, str(error)[:200])
    return _Refused(ProblemKind.FOREIGN, "no report of xpu-doctor")


def profile_of(report: Report) -> Profile:
    """Return what a report has in common with others."""
    facts, lists = facts_of(report)
    causes = _causes(report)
    cited = {path for cause in causes for item in cause.evidence[:50] if (path := _path(item.fact, item.kind))}
    same = {Cause(item.code, item.severity, item.confidence, alike_subject(item.subject)) for item in causes}
    verdict = (
        report.verdict if report.verdict in OverallVerdict._value2member_map_ else OverallVerdict.UNDIAGNOSED.value
    )
    return Profile(verdict, tuple(sorted(same)), facts, lists, tuple(sorted(cited)))


def _causes(report: Report) -> list[Finding]:
    return [cause for cause in report.root_causes[:MAX_CAUSES] if cause.severity in ("error", "warning")]


_INDEX = re.compile(r"\[\d+\]")


def _path(fact: str, kind: str) -> str:
    if kind == "variable":
        return f"environment.variables[{fact.removeprefix('environment ')}]"
    return _INDEX.sub("[]", fact) if kind == "fact" else ""


def alike_subject(subject: str) -> str:
    """Return a subject without what tells one card from another: its address and its number."""
    return _NUMBERED.sub(r"\1\2?", alike_text(subject, said=True))[:200]


def _detail(report: Report) -> str:
    """Return the subjects that name a card or a device."""
    named = (cause.subject for cause in _causes(report))
    return ", ".join(dict.fromkeys(text[:200] for text in named if alike_subject(text) != text))[:500]


def _speeds(report: Report) -> tuple[Timed, ...]:
    """Return the speeds of what ran on a device; what the CPU computed is told by a finding."""
    return tuple(
        Timed((speed.name or "GPU")[:100], speed.dtype[:20], speed.device[:20], speed.tflops)
        for speed in report.speeds[:MAX_SPEEDS]
        if speed.place != "cpu" and 0 < speed.tflops < 1e9 and not speed.device.startswith("cpu")
    )


def _told(cause: Finding) -> Told:
    remedies: Iterable[Remedy] = (
        Remedy(item.title[:300], tuple(line[:2000] for line in item.commands[:20]), item.risk)
        for item in cause.remedies[:MAX_REMEDIES]
    )
    return Told(
        cause.code, cause.severity, cause.confidence, cause.subject[:200], cause.summary[:MAX_SUMMARY], cause.page[:300], tuple(remedies)
    )  # fmt: skip

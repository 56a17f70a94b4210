"""Files of all kinds: what is damaged, foreign or hostile is counted, and costs no other report."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import random
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.fleets import fleet, template
from xpu_doctor.fleet.archives import reports_in
from xpu_doctor.fleet.inputs import items
from xpu_doctor.fleet.model import Problem
from xpu_doctor.fleet.partial import READS_SCHEMA
from xpu_doctor.fleet.reading import MAX_REPORT, Made, Reader
from xpu_doctor.fleet.streams import Blob
from xpu_doctor.fleet.survey import survey
from xpu_doctor.report.document import DOCUMENT_SCHEMA

GOOD = template().filled("node1", "2026-11-21T09:00:00Z", random.Random(0))
SAVED = Path(__file__).parents[2] / "fixtures" / "snapshots" / "v1"


def read(data: bytes, label: str = "node9.json") -> Made:
    made = Made()
    Reader().read(label, data, made)
    return made


def kind_of(data: bytes) -> str:
    made = read(data)
    assert len(made.rows) + len(made.problems) == 1
    return str(made.problems[0].kind) if made.problems else "read"


def test_the_newest_schema_is_that_of_reports() -> None:
    assert READS_SCHEMA == DOCUMENT_SCHEMA


def changed(**values: object) -> bytes:
    return json.dumps({**json.loads(GOOD), **values}).encode()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (GOOD, "read"),
        (b"\xef\xbb\xbf" + GOOD, "read"),
        (GOOD.decode().encode("utf-16"), "read"),
        (changed(unheard_of={"a": [1]}), "read"),
        (b"", "damaged"),
        (b" \n", "damaged"),
        (b"ssh: connect to host node9 port 22: No route to host\n", "damaged"),
        (b"\x00" * 100, "damaged"),
        (random.Random(0).randbytes(3000), "damaged"),
        (b"[" * 100_000, "damaged"),
        (GOOD[:40], "damaged"),
        (GOOD[:3], "damaged"),
        (b"[1, 2]", "foreign"),
        (b"{}", "foreign"),
        (b'{"schema": 1}', "foreign"),
        (GOOD[:-200], "cut"),
        (GOOD[:20000], "cut"),
        (GOOD.replace(b'"verdict"', b'"verdict', 1), "damaged"),
        (changed(root_causes="none"), "damaged"),
        (changed(schema=0), "damaged"),
        (changed(schema=READS_SCHEMA + 1), "newer"),
        (json.dumps({"schema": 7, "snapshot": {"schema": 9}, "verdict": {"new": 1}, "root_causes": 3}).encode(), "newer"),
        ((SAVED / "healthy-arc-b580.json").read_bytes(), "facts"),
        ((SAVED / "healthy-arc-b580.report.json").read_bytes(), "read"),
        (b'{"schema": 1, "root_causes": ' + b"[" * 100_000 + b"]" * 100_000 + b', "snapshot": {}, "verdict": ""}', "damaged"),
        (b"{" + b" " * MAX_REPORT + b"}", "large"),
    ],
)  # fmt: skip
def test_what_a_file_is(data: bytes, kind: str) -> None:
    assert kind_of(data) == kind


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("node9.JSON", "damaged"),
        ("node9.json.gz", "damaged"),
        ("a.tar.gz: b/node9.json", "damaged"),
        ("all.json#3", "damaged"),
        ("a.tgz", "damaged"),
        ("README", "foreign"),
        ("json", "foreign"),
        ("node9.json.txt", "foreign"),
        ("all.jsonl#3", "foreign"),
        ("a.tar.gz: README.md", "foreign"),
    ],
)
def test_a_node_may_be_lost_where_a_file_is_called_like_a_report(label: str, kind: str) -> None:
    for data in (b"", b"hello", GOOD[:40]):
        assert [str(problem.kind) for problem in read(data, label).problems] == [kind]
    assert [str(problem.kind) for problem in read(b'{"a": 1}', label).problems] == ["foreign"]


@pytest.mark.parametrize("path", sorted(SAVED.glob("*.report.json")), ids=lambda path: path.stem)
def test_reports_of_every_release_are_read(path: Path) -> None:
    made = read(path.read_bytes())
    assert not made.problems and len(made.rows) == 1


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_damage_is_an_error(data: st.DataObject) -> None:
    """Bytes that are overwritten, cut out or put in anywhere: one row or one problem, and never an exception."""
    report = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(report)))
        end = min(len(report), start + data.draw(st.integers(0, 300)))
        report[start:end] = data.draw(
            st.binary(max_size=40)
            | st.sampled_from([b'"', b"}", b"[" * 3000, b"null", b"1e999", b'"\\ud800"', b"\xff"])
        )
    kind_of(bytes(report))


@settings(max_examples=150, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=12,
    ),
    st.sampled_from(
        [
            "machine",
            "gpus",
            "kernel",
            "access",
            "driver",
            "level_zero",
            "environment",
            "distributions",
            "libraries",
            "run",
            "plugins",
            "shadows",
            "installer",
        ]
    ),
    st.data(),
)
def test_facts_of_any_shape_are_no_error(value: object, group: str, data: st.DataObject) -> None:
    report = json.loads(GOOD)
    part = report["snapshot"][group]
    if isinstance(part, dict) and part and data.draw(st.booleans()):
        part[data.draw(st.sampled_from(sorted(part)))] = value
    elif isinstance(part, list) and part and isinstance(part[0], dict):
        part[0][data.draw(st.sampled_from(sorted(part[0])))] = value
    else:
        report["snapshot"][group] = value
    kind_of(json.dumps(report).encode())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.binary(max_size=2000), min_size=1, max_size=4),
    st.sampled_from(["w", "w:gz", "w:xz", "w:bz2"]),
    st.sampled_from([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
    st.data(),
)
def test_archives_hold_what_the_standard_library_put_there(
    contents: list[bytes], mode: str, form: int, data: st.DataObject
) -> None:
    packed = io.BytesIO()
    names = [
        f"{'deep/' * data.draw(st.integers(0, 18 if form == tarfile.USTAR_FORMAT else 60))}nöde{number}.json"
        for number in range(len(contents))
    ]
    with tarfile.open(fileobj=packed, mode=mode, format=form) as archive:
        for name, content in zip(names, contents, strict=True):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    found = list(reports_in(io.BytesIO(packed.getvalue()), "a"))
    assert found == [Blob(f"a: {name}", content) for name, content in zip(names, contents, strict=True)]
    cut = data.draw(st.integers(0, len(packed.getvalue())))
    for each in reports_in(io.BytesIO(packed.getvalue()[:cut]), "a"):
        assert isinstance(each, (Blob, Problem))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=1500), st.sampled_from([b"", b"\x1f\x8b\x08\x00", b"BZh9", b"\xfd7zXZ\x00", b"{\n", b"{"]))
def test_any_stream_ends(data: bytes, head: bytes) -> None:
    assert len(list(reports_in(io.BytesIO(head + data), "x"))) < 3000


def test_lines_and_documents_are_told_apart() -> None:
    line = json.dumps(json.loads(GOOD)).encode()
    stream = GOOD + line + b"\n" + GOOD + b"\n\n" + line
    blobs = [each for each in reports_in(io.BytesIO(stream), "s") if isinstance(each, Blob)]
    assert len(blobs) == 4 and [each.label for each in blobs] == ["s#1", "s#2", "s#3", "s#4"]
    assert all(json.loads(each.data) == json.loads(GOOD) for each in blobs)


def test_a_report_that_was_cut_off_does_not_take_the_next_one_with_it() -> None:
    half = GOOD[:20_000].rpartition(b"\n")[0] + b"\n"
    made = Made()
    for each in reports_in(io.BytesIO(GOOD + half + GOOD + GOOD[:5000]), "s"):
        assert isinstance(each, Blob)
        Reader().read(each.label, each.data, made)
    assert len(made.rows) == 2 and [str(problem.kind) for problem in made.problems] == ["cut", "cut"]


ON_A_LINE = json.dumps(json.loads(GOOD)).encode() + b"\n"
FORMS = (
    GOOD,
    GOOD.replace(b"\n", b"\r\n"),
    ON_A_LINE,
    json.dumps(json.loads(GOOD), separators=(",", ":")).encode() + b"\n",
)


PLACES = st.tuples(
    st.integers(0, len(FORMS) - 1),
    st.one_of(st.sampled_from(["whole", "without a newline"]), st.integers(60, len(ON_A_LINE) - 2)),
    st.sampled_from([b"", b"\n", b"\r\n\r\n", b"\xef\xbb\xbf", b"\nINFO the next node\n"]),
)
"""Which form, where it was cut, and what stands before the next one."""


def catted(places: list[tuple[int, str | int, bytes]]) -> tuple[bytes, int]:
    """Return reports as `cat` puts them together, and how many of them are whole."""
    pieces, whole = [], 0
    for form, cut, between in places:
        report = FORMS[form]
        length = len(report.rstrip())
        kept = len(report) if cut == "whole" else length if isinstance(cut, str) else min(cut, length - 1)
        pieces += (report[:kept], between)
        whole += kept >= length
    return b"".join(pieces), whole


class Slow(io.BytesIO):
    """Gives at most a page at a time."""

    def read(self, count: int | None = -1) -> bytes:
        return super().read(4096 if count is None or count < 0 else min(count, 4096))


@settings(max_examples=150, deadline=None)
@given(st.lists(PLACES, min_size=1, max_size=5), st.sampled_from([io.BytesIO, Slow]))
def test_a_file_that_was_cut_or_joined_costs_itself_alone(
    places: list[tuple[int, str | int, bytes]], kind: type[io.BytesIO]
) -> None:
    """Wherever it was cut, in a word, an escape or a number, and in however large pieces the stream comes."""
    stream, whole = catted(places)
    made = Made()
    for each in reports_in(kind(stream), "s"):
        if isinstance(each, Blob):
            Reader().read(each.label, each.data, made)
    assert len(made.rows) == whole


def test_lines_may_name_nodes() -> None:
    text = GOOD.decode()
    for envelope in (
        {"host": "a", "report": json.loads(text)},
        {"node": "a", "report": text},
        {"name": "a", "report": json.loads(text)},
    ):
        [row] = read(json.dumps(envelope).encode()).rows
        assert row.node == "a"


def test_a_bomb_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xpu_doctor.fleet.tar.MAX_WASTE", 20 << 20)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        info = tarfile.TarInfo("zeros.json")
        info.size = 30 << 20
        archive.addfile(info, io.BytesIO(bytes(30 << 20)))
        info = tarfile.TarInfo("node1.json")
        info.size = len(GOOD)
        archive.addfile(info, io.BytesIO(GOOD))
    assert len(packed.getvalue()) < 100_000
    found = list(reports_in(io.BytesIO(packed.getvalue()), "bomb.tgz"))
    assert [each.kind for each in found if isinstance(each, Problem)] == ["large", "cut"]
    assert "given up" in found[-1].reason  # type: ignore[union-attr]


def test_a_header_that_claims_gigabytes_is_refused() -> None:
    head = bytearray(512)
    head[:4] = b"name"
    head[124:136] = b"%011o\0" % (8 << 30)
    head[156:157] = b"x"
    head[257:263] = b"ustar\0"
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    [found] = reports_in(io.BytesIO(bytes(head) + bytes(2048)), "x")
    assert isinstance(found, Problem) and "too long" in found.reason


def test_a_line_without_end_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xpu_doctor.fleet.archives.MAX_REPORT", 200_000)
    line = json.dumps(json.loads(GOOD)).encode()
    found = list(reports_in(io.BytesIO(b"{" + b"x" * 5_000_000 + b"\n" + line + b"\n"), "s"))
    assert [type(each).__name__ for each in found] == ["Problem", "Blob"]


@pytest.mark.skipif(os.name != "posix", reason="links, pipes and rights of POSIX")
def test_a_folder_of_traps(tmp_path: Path) -> None:
    """Links out of the folder and in circles, a pipe that nobody writes to, hidden files, strange names, a huge sparse file."""
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "node1.json").write_bytes(GOOD)
    (folder / "secret.json").symlink_to("/etc/passwd")
    (folder / "round").symlink_to(folder, target_is_directory=True)
    (folder / "zero.json").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.json")
    (folder / ".node2.json.tmp").write_bytes(GOOD[:100])
    with open(folder / "huge.json", "wb") as stream:
        stream.truncate(10 << 30)
    with open(os.path.join(os.fsencode(folder), b"node\xff3.json"), "wb") as stream:
        stream.write(GOOD.replace(b'"node1"', b"null"))
    deep = folder
    for _ in range(20):
        deep = deep / "d"
        deep.mkdir()
    found = survey(items([str(folder)]))
    assert found.problems == {"link": 3, "foreign": 1, "large": 1, "unreadable": 1}
    assert sorted(node for group in found.groups for node in group.nodes) == ["node%FF3", "node1"]


def test_a_large_batch_is_read_by_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What processes make of reports is what this process makes of them."""
    lines = []
    for number in range(120):
        data = template("kernel" if number % 40 == 0 else "").filled(
            f"n{number}", "2026-11-21T09:00:00Z", random.Random(number)
        )
        lines.append(json.dumps(json.loads(data)))
    (tmp_path / "all.jsonl").write_text("\n".join(lines) + "\nrubbish\n", encoding="utf-8")
    alone = survey(items([str(tmp_path / "all.jsonl")]))
    monkeypatch.setattr("xpu_doctor.fleet.workers.HERE", 1)
    monkeypatch.setattr("xpu_doctor.fleet.workers.BATCH", 8)
    assert survey(items([str(tmp_path / "all.jsonl")]), workers=2) == alone
    assert alone.problems == {"foreign": 1} and alone.nodes == 120


@pytest.mark.parametrize(
    "end", ["os._exit(9)", "os.kill(os.getpid(), 11)", pytest.param("time.sleep(600)", marks=pytest.mark.heavy)]
)
def test_a_report_that_ends_or_holds_the_process_costs_itself_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    for number in range(12):
        (tmp_path / f"n{number:02}.json").write_bytes(GOOD.replace(b'"node1"', b"null"))
    (tmp_path / "z.json").write_bytes(b"deadly")
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(
        "import os, time, xpu_doctor.fleet.reading as reading\n"
        "read = reading.Reader.read\n"
        f"reading.Reader.read = lambda self, label, data, made: {end} if data == b'deadly' else read(self, label, data, made)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "hook"))
    monkeypatch.setattr("xpu_doctor.fleet.workers.HERE", 1)
    monkeypatch.setattr("xpu_doctor.fleet.workers.BATCH", 5)
    if "sleep" in end:
        monkeypatch.setattr("xpu_doctor.fleet.workers.SECONDS", 8.0)
        monkeypatch.setattr("xpu_doctor.fleet.workers.ALONE_SECONDS", 8.0)
    found = survey(items([str(tmp_path / "*.json")]), workers=2)
    assert found.nodes == 12 and found.problems == {"late": 1}


def test_the_order_of_inputs_makes_no_difference(tmp_path: Path) -> None:
    lines = []
    for report in fleet(60, seed=5, slow=2):
        lines.append(json.dumps(json.loads(report.data)))
    lines += [lines[0], "{", '{"schema": 99, "snapshot": {}, "verdict": "", "root_causes": []}']
    lines.append(json.dumps(json.loads(template("torch").filled("node05", "2026-11-20T09:00:00Z", random.Random(0)))))
    found = []
    for seed in range(3):
        random.Random(seed).shuffle(lines)
        (tmp_path / "all.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        made = survey(items([str(tmp_path / "all.jsonl")]))
        found.append(dataclasses.replace(made, problem_examples=()))
    assert found[0] == found[1] == found[2]
    assert found[0].duplicates == 1 and found[0].problems == {"foreign": 1, "newer": 1}

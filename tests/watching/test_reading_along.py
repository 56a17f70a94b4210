"""What is read of a program's stderr, of its records and of its stacks: right for what is known, harmless for anything else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpu_doctor.model.facts.watched import FallbackOperator, HotSpot
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.watching.additions import new_records
from xpu_doctor.watching.fallback_lines import fallback_operators
from xpu_doctor.watching.inside_records import FILE_LIMIT, LISTED, read_records
from xpu_doctor.watching.stacks import NOT_INSTALLED, STARTS, Stacks, hot_spots
from xpu_doctor.watching.stderr_tally import Tally

# As torch 2.13 prints them: through Python's warnings, and by its own handler in threads without Python.
PRINTED = (
    b"/x/train.py:9: UserWarning: The operator 'aten::linalg_qr.out on the XPU backend is falling back to run on the CPU. (Triggered internally at "
    b"/__w/pytorch/pytorch/build/xpu/ATen/RegisterXPU_0.cpp:51246.)\n  torch.linalg.qr(x)\n"
    b"[W1127 13:20:01.000000000 XPUFallback.template:15] Warning: The operator 'aten::geqrf.a on the XPU backend is falling back to run on the CPU. "
    b"(function xpu_fallback_impl)\n"
)
FORCED = b"UserWarning: The operator 'abs.out' registered to be forced to fallback to CPU.\n"
WARNED = (
    b"UserWarning: Aten Op fallback from XPU to CPU happends. This may have performance implications. If need debug the fallback ops please set "
    b"environment variable `PYTORCH_DEBUG_XPU_FALLBACK=1` (function operator())\n"
)


def tallied(*pieces: bytes) -> Tally:
    tally = Tally()
    for piece in pieces:
        tally.feed(piece)
    return tally


def test_the_three_routes() -> None:
    forced = b"The operator 'aten::abs.out on the XPU backend is falling back to run on the CPU."
    tally = tallied(FORCED, PRINTED, forced, forced)
    assert fallback_operators(tally, enabled=False, version="2.13.0+xpu") == (
        FallbackOperator("aten::abs.out", 2, "forced"),
        FallbackOperator("aten::geqrf.a", 1, "listed"),
        FallbackOperator("aten::linalg_qr.out", 1, "listed"),
    )
    other = tallied(b"The operator 'aten::no_such on the XPU backend is falling back to run on the CPU.")
    assert fallback_operators(other, enabled=False, version="2.13.0+xpu")[0].route == "unimplemented"
    assert fallback_operators(other, enabled=False, version="9.1")[0].route == "unimplemented"


def test_some_operator_without_its_name() -> None:
    assert fallback_operators(tallied(WARNED), enabled=False) == (FallbackOperator("", 1, "listed"),)
    assert fallback_operators(tallied(b"falling in love, a fallback, the fall"), enabled=False) == ()


@given(cuts=st.lists(st.integers(0, 1200), max_size=20), before=st.binary(max_size=300), after=st.binary(max_size=700))
def test_a_stream_may_be_cut_anywhere(cuts: list[int], before: bytes, after: bytes) -> None:
    text = before + b"\n" + PRINTED + FORCED + WARNED + after
    places = sorted({min(cut, len(text)) for cut in cuts})
    pieces = [text[begin:end] for begin, end in zip([0, *places], [*places, len(text)], strict=True)]
    whole, cut = tallied(text), tallied(*pieces)
    assert (cut.fell, cut.forced, cut.unnamed) == (whole.fell, whole.forced, whole.unnamed)
    assert whole.fell.keys() >= {"aten::linalg_qr.out", "aten::geqrf.a"} and whole.unnamed >= 1


def test_names_without_end_take_no_memory() -> None:
    tally = Tally()
    for number in range(3000):
        tally.feed(b"The operator 'aten::x%d on the XPU backend is falling back to run on the CPU." % number)
    tally.feed(b"The operator '" * 100000)
    assert len(tally.fell) <= 1000 and len(tally._rest) < 1000


GOOD = {"pid": 7, "torch_version": "2.13.0", "whole": True, "initialised": False, "measured": True, "batches": 3}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
FIELDS = [
    "pid", "python", "torch_version", "torch_xpu", "whole", "imported_at", "initialised", "available", "devices", "autocast", "measured",
    "data_wait_seconds", "batches", "loader_workers", "pin_memory", "applications", "rank", "fdinfo",
]  # fmt: skip


@given(values=st.dictionaries(st.sampled_from(FIELDS), ANYTHING))
def test_records_of_any_values_are_read_or_left_out(values: dict[str, object]) -> None:
    records = new_records("xpu")
    try:
        path = Path(records.folder)
        (path / "1.json").write_text(json.dumps({**GOOD, **values}), encoding="utf-8")
        found = read_records(records.folder, time.monotonic() - 5, 5)
        assert len(found.reports) + len(found.notes) == 1
        for report in found.reports:
            assert report.pid > 0 and isinstance(report.torch_version, str)
    finally:
        records.remove()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff", b"[" * 60000, b'{"pid": 1e999}', b" " * (FILE_LIMIT + 1), b'{"pid": true}']
)
def test_damaged_records_are_left_out_with_a_note(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "1.json").write_bytes(content)
    (tmp_path / "2.json").write_text(json.dumps(GOOD), encoding="utf-8")
    found = read_records(str(tmp_path), 0, 5)
    assert len(found.reports) == 1 and "1 records" in found.notes[0]


def test_strange_files_among_the_records(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "link.json").symlink_to("/dev/zero")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "pythons").write_bytes(
        b"12\t/usr/bin/python\nx\ty\n\xff\t\n" + "٣\tarabic\n".encode() + b"9" * 40 + b"\tlong\n"
    )
    found = read_records(str(tmp_path), 0, 5)
    assert not found.reports and found.pythons == {12: "/usr/bin/python"}
    assert read_records(str(tmp_path / "none"), 0, 5).reports == ()


def test_of_many_records_the_most_telling_are_kept(tmp_path: Path) -> None:
    for number in range(200):
        values = {**GOOD, "pid": number + 1, "initialised": number == 199, "batches": 0}
        (tmp_path / f"{number}.json").write_text(json.dumps(values), encoding="utf-8")
    found = read_records(str(tmp_path), 0, 5)
    assert len(found.reports) == LISTED and any(report.initialised is True for report in found.reports)
    assert "200 Python processes" in found.notes[0]


def test_workers_of_a_loader_that_were_ended_do_not_hide_what_the_program_did(tmp_path: Path) -> None:
    """A process that may have used a device before it was killed still counts."""
    worker = {**GOOD, "whole": False, "parent": 7, "awaits_device": True, "batches": 0}
    for number, values in enumerate([
        {**GOOD, "loader_workers": 2},
        {**worker, "pid": 8},
        {**worker, "pid": 9, "parent": 1},
        {**worker, "pid": 10, "awaits_device": False},
        {**worker, "pid": 11, "initialised": True},
    ]):  # fmt: skip
        (tmp_path / f"{number}.json").write_text(json.dumps(values), encoding="utf-8")
    assert sorted(report.pid for report in read_records(str(tmp_path), 0, 5).reports) == [7, 9, 10, 11]


def test_hot_spots_of_py_spy() -> None:
    """Output of py-spy 0.4.3, `record --subprocesses --format raw`."""
    text = (
        'process 12880:"python train.py; 4";<module> (train.py:14);step (train.py:8);collate (data.py:4) 16\n'
        'process 12880:"python train.py; 4";process 12882:"python train.py";<module> (train.py:12);collate (data.py:5) 20\n'
        'process 12880:"python train.py; 4";<module> (train.py:14);step (train.py:7) 4\nnonsense\n'
    )
    assert hot_spots(text) == (HotSpot("collate", "data.py", 5, 0.9), HotSpot("step", "train.py", 7, 0.1))


@given(st.text())
def test_any_text_of_stacks_is_read(text: str) -> None:
    assert all(0 < spot.share <= 1 for spot in hot_spots(text))


@pytest.mark.skipif(sys.platform == "win32", reason="a program of POSIX")
def test_py_spy_sees_where_a_program_works() -> None:
    program = "def collate():\n    return sum(i * i for i in range(100000))\nimport time\nend = time.monotonic() + 3\nwhile time.monotonic() < end: collate()\n"
    started = subprocess.Popen([sys.executable, "-c", program])
    stacks = Stacks(lambda: started.pid, time.monotonic() - STARTS[0])
    stacks.tick()
    started.wait()
    spots = stacks.finish()
    if isinstance(spots, Unknown):
        assert spots.reason == NOT_INSTALLED or "may not look" in spots.reason
        pytest.skip(spots.reason)
    assert {spot.function for spot in spots} & {"collate", "<genexpr>"}


def test_without_a_target_and_before_its_time_nothing_is_started() -> None:
    early, nobody = Stacks(lambda: 1, time.monotonic()), Stacks(lambda: 0, time.monotonic() - STARTS[0])
    early.tick()
    nobody.tick()
    assert isinstance(early.finish(), Unknown) and isinstance(nobody.finish(), Unknown)

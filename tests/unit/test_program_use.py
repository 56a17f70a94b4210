"""What a watched program used: bounds, order, and that what is not known never becomes a finding."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from xpu_doctor.catalogue.pages import rules_by_code
from xpu_doctor.diagnosis.judge import judge
from xpu_doctor.diagnosis.program_figures import allocated, noise
from xpu_doctor.diagnosis.program_use import ProgramUse, use_of
from xpu_doctor.model.facts import Watched
from xpu_doctor.model.facts.watched import (
    DeviceMemory,
    FallbackOperator,
    GpuTime,
    HotSpot,
    InsideReport,
    MemoryUse,
    WatchedGpu,
    WatchedProcess,
)
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.unknown import Unknown, known_or
from xpu_doctor.report.program import program_document
from xpu_doctor.report.program_words import headline, rows, shown_ranks

UNKNOWN = st.just(Unknown("nobody looked"))
CODES = (
    "program-never-used-gpu",
    "program-mostly-on-cpu",
    "gpu-starved",
    "memory-spilled",
    "wrong-gpu",
    "torch-not-imported",
)
SECONDS = st.floats(-10.0, 1e6, allow_nan=False)
"""Also below nothing: a saved report may say anything."""


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return values | UNKNOWN


ADDRESSES = st.sampled_from(["0000:00:02.0", "0000:03:00.0", "0x1"])
GPUS = st.builds(
    WatchedGpu,
    address=ADDRESSES,
    driver=st.sampled_from(["xe", "i915", "windows", "nvidia"]),
    name=maybe(st.sampled_from(["Intel Arc B580", "NVIDIA H100", ""])),
    device_id=maybe(st.sampled_from([0xE20B, 0x4680, 1])),
    integrated=maybe(st.booleans()),
    memory_bytes=maybe(st.integers(0, 1 << 40)),
    busy_seconds=maybe(SECONDS),
    memory=st.lists(
        st.builds(
            MemoryUse,
            st.sampled_from(["vram0", "gtt", "system", "x"]),
            st.integers(0, 1 << 40),
            st.integers(0, 1 << 40),
        ),
        max_size=3,
    ).map(tuple),
)
PROCESSES = st.builds(
    WatchedProcess,
    pid=st.integers(1, 5),
    parent=st.integers(1, 5),
    name=st.sampled_from(["python3", "sh", ""]),
    first_seen=SECONDS,
    seconds=SECONDS,
    cpu_seconds=maybe(SECONDS),
    main_thread_seconds=maybe(SECONDS),
    io_wait_seconds=maybe(SECONDS),
    rank=maybe(st.integers(0, 3)),
    gpus=maybe(st.lists(st.builds(GpuTime, ADDRESSES, SECONDS), max_size=2).map(tuple)),
)
REPORTS = st.builds(
    InsideReport,
    pid=st.integers(1, 5),
    python=st.just("/v/bin/python"),
    torch_version=st.sampled_from(["2.13.0+xpu", "2.6.0", ""]),
    torch_xpu=maybe(st.sampled_from(["20250000", ""])),
    whole=st.booleans(),
    imported_at=maybe(SECONDS),
    initialised=maybe(st.booleans()),
    available=maybe(st.booleans()),
    devices=st.lists(
        st.builds(DeviceMemory, st.just("xpu:0"), st.just("B580"), maybe(st.integers(0, 1 << 30)), UNKNOWN), max_size=1
    ).map(tuple),
    data_wait_seconds=maybe(SECONDS),
    batches=maybe(st.integers(0, 1000)),
    loader_workers=maybe(st.integers(0, 8)),
    pin_memory=maybe(st.booleans()),
    applications=st.lists(st.sampled_from(["ultralytics 8.3.0", "ComfyUI", "strange"]), max_size=2).map(tuple),
    rank=maybe(st.integers(0, 3)),
)
PROGRAMS = st.builds(
    Watched,
    command=maybe(st.lists(st.sampled_from(["python", "a b", "it's", "\n", ""]), max_size=3).map(tuple)),
    pid=maybe(st.integers(1, 9)),
    attached=st.booleans(),
    seconds=maybe(SECONDS),
    end=maybe(st.sampled_from(["exited", "signal", "running", "strange"])),
    exit_code=maybe(st.integers(-1, 255)),
    device_type=st.sampled_from(["xpu", "cuda"]),
    counters=maybe(st.just("drm-fdinfo")),
    gpus=maybe(st.lists(GPUS, max_size=3).map(tuple)),
    processes=maybe(st.lists(PROCESSES, max_size=3).map(tuple)),
    further_processes=st.integers(0, 3),
    cpu_seconds=maybe(SECONDS),
    logical_cpus=maybe(st.integers(0, 64)),
    inside=maybe(st.lists(REPORTS, max_size=3).map(tuple)),
    pythons_without_hook=st.integers(0, 2),
    fallback_operators=maybe(
        st.lists(st.builds(FallbackOperator, st.just("aten::x"), st.integers(0, 9), st.just("listed"))).map(tuple)
    ),
    hot_spots=maybe(
        st.lists(st.builds(HotSpot, st.just("f"), st.just("C:\\a.py"), st.just(1), st.floats(0, 1))).map(tuple)
    ),
)


def found(program: Watched) -> set[str]:
    """The codes that the rules find; none of them may crash."""
    result = judge([rules_by_code()[code]() for code in (*CODES, "op-cpu-fallback")], Snapshot(watched=(program,)))
    assert not result.crashed, result.crashed
    return {finding.code for finding in result.findings}


@given(PROGRAMS)
def test_shares_are_parts_of_one(program: Watched) -> None:
    use = use_of(program)
    shares = [use.share, use.data_wait, use.io_wait, use.cpu_share, *(row.share for row in use.gpus)]
    shares += [rank.share for rank in use.ranks]
    assert all(share is None or 0.0 <= share <= 1.0 for share in shares), shares


@given(PROGRAMS)
def test_unknown_is_no_finding(program: Watched) -> None:
    """Of a program whose use is unknown nothing is said but of a rank, of memory, or that no torch was there."""
    codes = found(program)
    use = use_of(program)
    if use.kind is ProgramUse.UNKNOWN:
        assert not codes & {"program-mostly-on-cpu", "gpu-starved"}
        assert "program-never-used-gpu" not in codes or any(rank.use is ProgramUse.NEVER for rank in use.ranks)


@given(PROGRAMS)
def test_success_that_was_seen_is_never_overruled(program: Watched) -> None:
    """Where a counter saw work, or torch's allocator held something, the program did use the GPU."""
    use = use_of(program)
    worked = any(row.used for row in use.gpus) or any(map(allocated, known_or(program.inside, ())))
    assert not (worked and use.kind is ProgramUse.NEVER)


@given(PROGRAMS, st.floats(0.1, 1e5))
def test_more_work_never_lowers_a_share(program: Watched, more: float) -> None:
    """And a program that used the GPU does not become one that never did."""
    gpus = known_or(program.gpus, ())
    busier = tuple(replace(gpu, busy_seconds=max(0.0, known_or(gpu.busy_seconds, 0.0)) + more) for gpu in gpus)
    before, after = use_of(program), use_of(replace(program, gpus=busier) if gpus else program)
    for one, other in zip(before.gpus, after.gpus, strict=True):
        assert one.share is None or other.share is None or other.share >= one.share
    if gpus and after.seconds and more >= noise(after.seconds) and after.gpus:
        assert after.kind is not ProgramUse.NEVER


@given(PROGRAMS)
def test_nothing_known_says_nothing(program: Watched) -> None:
    """Without the counters, the hook and the processes nothing is found."""
    gone = Unknown("nobody looked")
    blind = replace(program, gpus=gone, inside=gone, processes=gone, counters=gone, fallback_operators=gone)
    assert found(blind) == set() and use_of(blind).kind is ProgramUse.UNKNOWN


@given(PROGRAMS)
def test_whatever_was_seen_can_be_printed(program: Watched) -> None:
    document = program_document(Snapshot(watched=(program,)))
    assert document is not None and headline(document).startswith("Watched ")
    assert len(shown_ranks(document)[0]) <= 8
    assert all(label and text for label, text in rows(document))
    assert msgspec.json.encode(document)

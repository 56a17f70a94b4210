"""What holds of parsers and sums for every input."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpu_doctor.watching.accounting import Clock, GpuAccount, Rise, Work
from xpu_doctor.watching.drm_fdinfo import UNITS, parse_fdinfo
from xpu_doctor.watching.members import Identity, Member, Members
from xpu_doctor.watching.process_stat import parse_cpu, parse_stat
from xpu_doctor.watching.process_tree import rank_of

DUMPS = {path.stem: path.read_text() for path in (Path(__file__).parents[2] / "fixtures" / "watching").glob("*.fdinfo")}


def test_published_dumps_are_read():
    read = {name: parse_fdinfo(text) for name, text in DUMPS.items()}
    assert None not in read.values()
    documentation = read["xe-documentation"]
    assert (documentation.driver, documentation.address, documentation.client) == ("xe", "0000:03:00.0", 3)
    assert documentation.engines["rcs"] == (28257900, 7655183225, 1) and documentation.engines["ccs"].capacity == 4
    assert documentation.memory["vram0"] == 23992 << 10 and documentation.memory["gtt"] == 192 << 10
    assert set(documentation.memory) == {"system", "gtt", "vram0", "stolen"}
    assert read["xe-lunar-lake"].engines["ccs"].busy == 571
    manual = read["i915-manual"]
    assert manual.engines["render"] == (346249, 0, 1) and manual.engines["video"].capacity == 2
    assert set(manual.engines) == {"render", "copy", "video", "video-enhance"}
    assert read["i915-without-engines"].engines == {}
    assert read["amdgpu-compute"].driver == "amdgpu" and read["amdgpu-compute"].memory["cpu"] == 0


LINES = st.one_of(
    st.text(max_size=40),
    st.builds(
        lambda kind, name, value, unit: f"drm-{kind}{name}:\t{value}{unit}",
        st.sampled_from(
            [
                "driver",
                "client-id",
                "pdev",
                "engine-",
                "engine-capacity-",
                "cycles-",
                "total-cycles-",
                "total-",
                "resident-",
                "memory-",
            ]
        ),
        st.sampled_from(["", "rcs", "ccs", "render", "vram0", "capacity-"]),
        st.one_of(st.integers(-5, 2**70), st.sampled_from(["xe", "i915", "", "٣", "0x10", "1e9"])),
        st.sampled_from(["", " ns", " KiB", " MiB", " furlongs", "\0"]),
    ),
)


@given(st.lists(LINES, max_size=30))
def test_no_text_breaks_the_reader_of_fdinfo(lines):
    client = parse_fdinfo("drm-driver:\txe\ndrm-client-id:\t1\n" + "\n".join(lines))
    if client is not None:
        assert all(engine.busy >= 0 and engine.capacity >= 1 for engine in client.engines.values())
        assert all(size >= 0 for size in client.memory.values())


@given(st.integers(0, 10**9), st.sampled_from(sorted(UNITS)))
def test_units_of_memory(number, unit):
    client = parse_fdinfo(f"drm-driver: xe\ndrm-client-id: 1\ndrm-resident-vram0: {number} {unit}".rstrip())
    assert client is not None and client.memory == {"vram0": number * UNITS[unit]}


@given(st.binary(max_size=300))
def test_no_bytes_break_the_readers_of_stat_and_environment(data):
    parse_stat(data)
    parse_stat(b"1 (x) S 1 " + data)
    parse_cpu(data)
    rank_of(data)


def test_names_with_brackets_and_blanks():
    numbers = " ".join(str(number) for number in range(4, 53))
    stat = parse_stat(f"7 (a) b (c)) R {numbers}".encode())
    assert stat is not None and (stat.name, stat.state, stat.parent, stat.started) == ("a) b (c)", "R", 4, 22)


def test_the_first_variable_that_names_a_rank_counts():
    assert rank_of(b"PATH=/bin\0SLURM_PROCID=5\0RANK=2\0") == 2
    assert rank_of(b"PMIX_RANK=x\0SLURM_PROCID=5\0") == 5
    assert not isinstance(rank_of(b"RANK=\0"), int)


WORK = st.builds(
    Work,
    st.sampled_from([None, Identity(1, 1), Identity(2, 1)]),
    st.sampled_from(["ccs", "bcs", "rcs"]),
    st.floats(-1, 10, allow_nan=False),
    st.integers(1, 4),
    st.floats(0, 0.9),
)


@given(st.lists(st.tuples(st.floats(0.01, 3), st.lists(WORK, max_size=6)), max_size=12))
def test_nothing_works_longer_than_the_watch_and_no_sum_falls(intervals):
    account, now = GpuAccount(), 0.0
    for length, done in intervals:
        before, start = account.busy, now
        now += length
        account.add(now, [work._replace(since=start + work.since * length) for work in done])
        assert before <= account.busy <= before + length + 1e-9
        assert 0 <= account.share <= 1
        assert all(seconds <= now + 1e-9 for seconds in (*account.engines.values(), *account.processes.values()))
        assert all(seconds <= account.busy + 1e-9 for seconds in account.processes.values())


@given(st.lists(st.integers(0, 1000)))
def test_a_counter_rises_by_its_highest_value(values):
    rise = Rise(0)
    assert sum(rise.to(value) for value in values) == max([0, *values])


@given(st.lists(st.integers(0, 2**62), min_size=1, max_size=20))
def test_memory_that_was_held(sizes):
    account = GpuAccount()
    for size in sizes:
        account.hold({"vram0": size})
    uses = account.memory_uses()
    held = [size for size in sizes if size]
    assert [(use.peak_bytes, use.growth_bytes) for use in uses] == (
        [(max(held), max(0, held[-1] - held[0]))] if held else []
    )


@given(st.floats(1e3, 1e9), st.lists(st.floats(0.01, 2), min_size=2, max_size=20), st.integers(0, 2**36))
def test_the_rate_of_a_clock_is_found_though_it_sleeps_or_begins_anew(rate, steps, start):
    clock, now, ticks = Clock(), 0.0, float(start)
    for number, step in enumerate([*steps, 0.5, 0.5]):
        asleep = number % 3 == 0 and number < len(steps)
        now += step
        ticks = 0.0 if number == 5 else ticks + (0 if asleep else step * rate)
        clock.read(int(ticks), now)
    assert clock.rate == pytest.approx(rate, rel=0.02)


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 10)), max_size=40))
def test_cpu_time_never_falls_while_processes_come_and_go(events):
    members, now, last = Members(), 0.0, 0.0
    for pid, cpu in events:
        now += 1
        member = members.alive.get(pid)
        if member is None:
            members.add(Member(Identity(pid, int(now)), 1 if pid else 0, "x", now, now, cpu=cpu))
        elif cpu > 5:
            members.end(member)
        else:
            member.cpu = max(member.cpu, cpu)
            member.children_cpu += cpu
        for alive in members.alive.values():
            alive.settle()
        assert members.cpu_seconds() >= last - 1e-9
        last = members.cpu_seconds()


def test_of_very_many_processes_only_sums_are_kept():
    members = Members()
    members.add(Member(Identity(1, 1), 0, "root", 0.0, 0.0))
    for pid in range(2, 6002):
        member = Member(Identity(pid, 1), 1, "x", 0.0, 0.0, cpu=0.5)
        members.add(member)
        members.end(member)
    assert members.cpu_seconds() == 3000.0
    assert len(members.ended) < 4001 and len(members.ended) + members.forgotten == 6000

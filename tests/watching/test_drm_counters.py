"""GPU time from the usage statistics of i915 and xe, in a simulated /proc."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.watching.simulated import DG2, IGPU, Machine, busy, host
from xpu_doctor.host.recorded import RecordedHost
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.watching.drm_counters import DrmCounters
from xpu_doctor.watching.drm_own_client import own_client, parsed
from xpu_doctor.watching.members import Identity, Member


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_a_program_without_a_gpu_file_kept_the_gpus_idle(machine):
    machine.process(100)
    machine.open(100, 3, "/tmp/data")
    sampler = machine.sampler()
    machine.now += 1
    sampler.sample()
    seen = sampler.finish()
    assert seen.counters == "drm-fdinfo"
    assert busy(seen) == 0.0 and busy(seen, IGPU) == 0.0
    assert [gpu.integrated for gpu in seen.gpus] == [True, False]
    assert [gpu.memory_bytes == 0 for gpu in seen.gpus] == [True, False]
    assert seen.processes[0].gpus == ()


def test_xe_cycles_are_told_as_seconds_of_the_engines(machine):
    machine.process(100)
    machine.xe(100, busy=0.0)
    sampler = machine.sampler()
    for second in range(1, 11):
        machine.now += 1
        machine.xe(100, busy=0.7 * second, vram=1024 * second)
        sampler.sample()
    seen = sampler.finish()
    assert busy(seen) == pytest.approx(7.0, abs=0.01)
    assert [(use.name, use.busy_seconds) for use in seen.gpus[1].engines] == [("ccs", pytest.approx(7.0, abs=0.01))]
    (vram,) = seen.gpus[1].memory
    assert (vram.region, vram.peak_bytes, vram.growth_bytes) == ("vram0", 10 << 20, 9 << 20)
    assert seen.processes[0].gpus[0].address == DG2
    assert busy(seen, IGPU) == 0.0


def test_i915_nanoseconds(machine):
    machine.process(100)
    sampler = machine.sampler()
    for second in range(1, 5):
        machine.now += 1
        machine.i915(100, busy=0.25 * second)
        sampler.sample()
    assert busy(sampler.finish(), IGPU) == 1.0


def test_one_engine_of_several_keeps_the_gpu_busy(machine):
    machine.process(100)
    sampler = machine.sampler()
    for second in range(1, 5):
        machine.now += 1
        machine.xe(100, busy=float(second), capacity=4)
        sampler.sample()
    seen = sampler.finish()
    assert busy(seen) == pytest.approx(4.0, abs=0.01)
    assert seen.gpus[1].engines[0].busy_seconds == pytest.approx(1.0, abs=0.01)


def test_a_client_that_files_and_processes_share_is_counted_once(machine):
    machine.process(100)
    sampler = machine.sampler()
    for second in range(1, 5):
        machine.now += 1
        machine.process(101, 100)
        for pid, number in ((100, 5), (100, 6), (101, 5), (101, 9)):
            machine.xe(pid, number, busy=0.2 * second, vram=1000)
        sampler.sample()
    seen = sampler.finish()
    assert busy(seen) == pytest.approx(0.8, abs=0.01)
    assert seen.gpus[1].memory[0].peak_bytes == 1000 << 10
    assert [len(process.gpus) for process in seen.processes] == [1, 0]


def test_clients_of_several_processes_add_up_to_the_interval_at_most(machine):
    machine.process(100)
    sampler = machine.sampler()
    for second in range(1, 5):
        machine.now += 1
        for client in (1, 2, 3):
            machine.process(100 + client, 100)
            machine.xe(100 + client, client=client, busy=0.6 * second)
        sampler.sample()
    seen = sampler.finish()
    assert busy(seen) == pytest.approx(4.0, abs=0.01)
    assert [process.gpus[0].busy_seconds for process in seen.processes[1:]] == [pytest.approx(2.4, abs=0.01)] * 3


def test_a_counter_that_falls_behind_is_not_counted_again(machine):
    machine.process(100)
    sampler = machine.sampler()
    for value in (0.2, 0.5, 0.4, 0.5, 0.1, 0.6):
        machine.now += 1
        machine.i915(100, busy=value)
        sampler.sample()
    assert busy(sampler.finish(), IGPU) == 0.6


def test_a_client_without_engines_is_unknown_with_the_reason(machine):
    machine.process(100)
    sampler = machine.sampler(on=host(kernel="6.2.0-39-generic"))
    for _ in range(3):
        machine.now += 1
        machine.i915(100, engines=False)
        sampler.sample()
    seen = sampler.finish()
    assert isinstance(busy(seen, IGPU), Unknown) and "6.2.0-39-generic" in busy(seen, IGPU).reason
    assert busy(seen) == 0.0
    assert isinstance(seen.processes[0].gpus, Unknown)


def test_a_device_file_without_any_statistics_is_unknown(machine):
    machine.process(100)
    machine.open(100, 5, "/dev/dri/renderD128")
    sampler = machine.sampler(on=host(integrated=True, kernel="5.15.0"))
    machine.now += 1
    sampler.sample()
    assert isinstance(busy(sampler.finish(), IGPU), Unknown)


def test_a_machine_without_such_a_gpu_is_unknown(machine):
    machine.process(100)
    sampler = machine.sampler(on=RecordedHost({"kernel": "6.12", "system": {"cpu_count": 2}}))
    machine.now += 1
    sampler.sample()
    seen = sampler.finish()
    assert isinstance(seen.counters, Unknown)
    assert isinstance(seen.processes[0].gpus, Unknown)
    assert seen.logical_cpus == 2


def test_what_ran_before_the_watch_is_not_counted_when_attached(machine):
    machine.process(100, cpu=50.0)
    machine.xe(100, busy=900.0)
    sampler = machine.sampler(attached=True)
    sampler.sample()
    machine.now += 1
    machine.xe(100, busy=900.5)
    machine.process(100, cpu=50.25)
    sampler.sample()
    seen = sampler.finish()
    assert busy(seen) == pytest.approx(0.5, abs=0.01)
    assert seen.cpu_seconds == 0.25


def test_the_file_number_of_a_closed_file_may_become_a_gpu_file(machine):
    machine.process(100)
    for number in range(200):
        machine.open(100, number, "/tmp/data")
    sampler = machine.sampler()
    sampler.sample()
    for second in range(1, 12):
        machine.now += 1
        machine.i915(100, 77, busy=0.5 * second)
        sampler.sample()
    assert busy(sampler.finish(), IGPU) == pytest.approx(5.5, abs=0.01)


def test_final_texts_add_what_no_sample_saw_and_nothing_twice(machine):
    machine.process(100)
    sampler = machine.sampler()
    for second in range(1, 4):
        machine.now += 1
        machine.xe(100, busy=0.5 * second)
        sampler.sample()
    machine.now += 0.9
    last = machine.xe_text(1, 2.0)
    machine.end(100)
    sampler.sample()
    sampler.add_final(100, [last, last, "pos:\t0\n"])
    assert busy(sampler.finish()) == pytest.approx(2.0, abs=0.01)


def test_final_texts_alone_need_the_clock(machine):
    machine.process(100)
    sampler = machine.sampler()
    machine.now += 1
    sampler.sample()
    sampler.add_final(100, [machine.xe_text(1, 0.4)])
    seen = sampler.finish()
    assert isinstance(busy(seen), Unknown) and "clock" in busy(seen).reason


def test_live_shares_are_those_of_the_last_interval(machine):
    machine.process(100)
    sampler = machine.sampler()
    for second, value in enumerate((0.1, 0.2, 0.9), 1):
        machine.now += 1
        machine.xe(100, busy=value)
        machine.process(100, cpu=0.5 * second)
        sampler.sample()
    line = sampler.line()
    assert line.gpus[0].share == pytest.approx(0.7, abs=0.01)
    assert (line.processes, line.cpus, line.cpu_seconds) == (1, 0.5, 1.5)


def test_final_texts_alone_take_the_rate_of_the_clock_from_a_client_of_the_doctor(machine):
    """The program's only client came and went between two samples."""
    asked = []

    def own_client(node: str):
        asked.append(node)
        first = machine.xe_text(99, 0.0)
        machine.now += 0.1
        return [(machine.now - 0.1, first), (machine.now, machine.xe_text(99, 0.0))]

    machine.process(100)
    counters = DrmCounters(host(), proc=str(machine.proc), clock=lambda: machine.now, own_client=own_client)
    member = Member(Identity(100, 1), 1, "python", 0.0, 0.0)
    for second in (1.0, 2.0):
        counters.sample(second, [member])
    counters.add_final(100, [machine.xe_text(1, 0.4)], 2.5)
    facts = counters.finish(2.5)
    assert asked == ["/dev/dri/renderD129"]
    assert facts.gpus[1].busy_seconds == pytest.approx(0.4, abs=0.01)
    assert facts.times[member.identity][0].busy_seconds == facts.gpus[1].busy_seconds


def test_processes_whose_files_cannot_be_read_leave_the_gpus_unknown(machine):
    machine.process(100)
    machine.process(101, 100, name="sudo")
    (machine.proc / "101/fd").rmdir()
    machine.write("101/fd", "no folder")
    sampler = machine.sampler()
    for _ in range(2):
        machine.now += 1
        sampler.sample()
    seen = sampler.finish()
    assert isinstance(busy(seen), Unknown) and "process 101" in busy(seen).reason
    assert isinstance(seen.counters, Unknown)


def test_a_process_on_its_way_out_is_no_reason_to_know_nothing(machine):
    """Files of a process that is just ending cannot be listed; one such reading tells nothing."""
    machine.process(100)
    sampler = machine.sampler()
    machine.now += 1
    sampler.sample()
    machine.process(101, 100)
    (machine.proc / "101/fd").rmdir()
    machine.now += 1
    sampler.sample()
    assert busy(sampler.finish()) == 0.0


def test_clients_of_another_vendor_are_left_out(machine):
    machine.process(100)
    text = (Path(__file__).parents[2] / "fixtures" / "watching" / "amdgpu-compute.fdinfo").read_text()
    machine.open(100, 4, "/dev/dri/renderD130", text)
    sampler = machine.sampler()
    machine.now += 1
    sampler.sample()
    assert [gpu.driver for gpu in sampler.finish().gpus] == ["i915", "xe"]


def test_in_wsl_nothing_is_known(machine):
    machine.process(100)
    machine.open(100, 4, "/dev/dxg")
    sampler = machine.sampler()
    machine.now += 1
    sampler.sample()
    assert isinstance(sampler.finish().counters, Unknown)


def test_a_gpu_that_only_a_client_tells_of_is_listed(machine):
    machine.process(100)
    sampler = machine.sampler(on=host(integrated=False))
    for second in (1, 2):
        machine.now += 1
        machine.i915(100, busy=0.5 * second, address="0000:09:00.0")
        sampler.sample()
    seen = sampler.finish()
    assert [(gpu.address, gpu.busy_seconds) for gpu in seen.gpus] == [(DG2, 0.0), ("0000:09:00.0", 1.0)]


def test_what_the_child_printed_of_an_own_client_is_read():
    printed = "read 12.5\npos:\t0\ndrm-driver:\txe\n\nread x\nread 12.6\npos:\t1\n\n"
    assert [(when, text.splitlines()[0]) for when, text in parsed(printed)] == [(12.5, "pos:\t0"), (12.6, "pos:\t1")]
    assert own_client("/dev/null/none") == []
    (first, second) = own_client("/dev/zero")
    assert 0.05 < second[0] - first[0] < 3 and "pos:" in first[1]


def test_processes_that_are_gone_are_forgotten(machine):
    machine.process(100)
    counters = DrmCounters(host(), proc=str(machine.proc), clock=lambda: machine.now)
    for pid in range(101, 131):
        machine.process(pid, 100)
        counters.sample(float(pid), [Member(Identity(pid, 1), 100, "python", 0.0, 0.0)])
    assert len(counters._files) == 1
    assert counters.finish(200.0).gpus[0].busy_seconds == 0.0

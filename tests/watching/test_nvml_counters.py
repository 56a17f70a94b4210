"""GPU time on NVIDIA GPUs, from readings that were recorded on one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from xpu_doctor.model.unknown import Unknown
from xpu_doctor.watching.counters import CounterFacts
from xpu_doctor.watching.members import Identity, Member
from xpu_doctor.watching.nvml_counters import NvmlCounters
from xpu_doctor.watching.nvml_readings import NvmlGpu, NvmlReading, pci_address

RECORDED = Path(__file__).parents[2] / "fixtures" / "watching"


class Replayed:
    """A GPU that says what one said when it was recorded."""

    address, name, device_id, memory_bytes = "0000:00:06.0", "NVIDIA H100 80GB HBM3", 0x2330, 85520809984

    def __init__(self, readings: list[NvmlReading]) -> None:
        self._readings = iter(readings)

    def read(self, by_process: bool) -> NvmlReading:
        return next(self._readings)


def recorded(name: str, **changes) -> tuple[list[float], list[NvmlReading]]:
    rows = json.loads((RECORDED / f"{name}.json").read_text())
    readings = [
        NvmlReading(
            {int(pid): size for pid, size in row["processes"].items()},
            tuple((at, share) for at, share in row["busy"]),
            row["busy"][-1][1] if row["busy"] else 0.0,
            {int(pid): share for pid, share in row["process_shares"].items()},
            row["memory"],
        )
        for row in rows
    ]
    return [row["at"] - rows[0]["at"] for row in rows], [replace(reading, **changes) for reading in readings]


def replay(
    times: list[float],
    readings: list[NvmlReading],
    pids: tuple[int, ...],
    *,
    outermost: bool = True,
    attached: bool = False,
) -> CounterFacts:
    counters = NvmlCounters([Replayed([*readings, readings[-1]])], attached=attached, outermost=outermost, now=0.0)
    members = [Member(Identity(pid, 1), 1, "python", 0.1, 0.0) for pid in pids]
    for now in times[1:]:
        counters.sample(now, members)
    return counters.finish(times[-1])


def test_a_gpu_that_only_the_program_uses_was_as_busy_as_the_driver_sampled():
    facts = replay(*recorded("nvml-half"), (497,))
    (gpu,) = facts.gpus
    assert (facts.kind, gpu.driver) == ("nvml", "nvidia")
    assert gpu.busy_seconds == pytest.approx(5.556, abs=0.03)
    assert facts.times[Identity(497, 1)][0].busy_seconds == gpu.busy_seconds
    assert gpu.memory[0].peak_bytes == 715128832


def test_a_program_beside_another_gets_its_share():
    facts = replay(*recorded("nvml-shared"), (634,))
    assert facts.gpus[0].busy_seconds == pytest.approx(1.29, abs=0.05)


def test_a_program_that_uses_no_gpu_beside_one_that_does_used_none():
    facts = replay(*recorded("nvml-shared"), (700,))
    assert (facts.kind, facts.gpus[0].busy_seconds, facts.times) == ("nvml", 0.0, {})


def test_in_a_container_with_other_numbers_new_processes_are_the_programs():
    facts = replay(*recorded("nvml-half"), (7,), outermost=False)
    assert (facts.kind, facts.gpus[0].driver) == ("nvml-device", "nvml-device")
    assert facts.gpus[0].busy_seconds == pytest.approx(5.556, abs=0.03)
    assert isinstance(facts.times, Unknown)
    shared = replay(*recorded("nvml-shared"), (7,), outermost=False)
    assert shared.gpus[0].busy_seconds == pytest.approx(1.29, abs=0.05)


def test_in_a_container_whose_numbers_the_driver_knows_nothing_is_presumed():
    facts = replay(*recorded("nvml-half"), (497,), outermost=False)
    assert (facts.kind, facts.gpus[0].driver) == ("nvml", "nvidia")


def test_a_container_that_hides_all_processes():
    times, readings = recorded("nvml-half", processes={}, process_shares={})
    facts = replay(times, readings, (7,), outermost=False)
    assert facts.kind == "nvml-device"
    assert facts.gpus[0].busy_seconds == pytest.approx(5.556, abs=0.03)
    assert replay(times, readings, (7,), outermost=True).gpus[0].busy_seconds == 0.0


def test_a_shared_gpu_without_shares_by_process_is_unknown():
    times, readings = recorded("nvml-shared", process_shares=Unknown("Not Supported"))
    assert isinstance(replay(times, readings, (634,)).gpus[0].busy_seconds, Unknown)
    assert isinstance(replay(times, readings, (634,)).kind, Unknown)


def test_a_gpu_that_tells_nothing_is_unknown():
    times, readings = recorded("nvml-half", busy=(), share=Unknown("Not Supported"))
    assert isinstance(replay(times, readings, (497,)).kind, Unknown)


def test_attached_in_a_container_the_own_processes_cannot_be_told():
    assert isinstance(replay(*recorded("nvml-shared"), (7,), outermost=False, attached=True).kind, Unknown)


def test_errors_of_the_library_are_answers():
    def refuse(*_: object) -> object:
        raise RuntimeError("Insufficient Permissions")

    nvml = SimpleNamespace(nvmlDeviceGetHandleByIndex=lambda index: index, nvmlDeviceGetProcessUtilization=refuse)
    gpu = NvmlGpu(nvml, 0)
    reading = gpu.read(by_process=True)
    assert isinstance(reading.share, Unknown) and isinstance(reading.process_shares, Unknown) and reading.busy == ()
    assert gpu.address == "gpu0" and isinstance(gpu.name, Unknown)


def test_addresses_are_written_as_linux_does():
    assert pci_address("00000000:3B:00.0") == "0000:3b:00.0"

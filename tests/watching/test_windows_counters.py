"""GPU time from Windows' performance counters: published names of instances, and running times as Windows counts them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpu_doctor.host.recorded import RecordedHost
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.watching.members import Identity, Member
from xpu_doctor.watching.windows_counters import ADAPTERS, WindowsCounters
from xpu_doctor.watching.windows_instances import luid, parse_instance
from xpu_doctor.watching.windows_pdh import GpuCounters, open_query

NAMES = (Path(__file__).parents[2] / "fixtures" / "watching" / "windows-instances.txt").read_text().splitlines()
ARC, IGPU = "0x00000000_0x0000d1e2", "0x00000000_0x0000c001"
HOST = RecordedHost(
    {
        "platform": "windows",
        "registry": {
            ADAPTERS: {
                "Version": "4.09.00.0904",
                "{A}": {
                    "AdapterLuid": 0xD1E2,
                    "VendorId": 0x8086,
                    "DeviceId": 0xE20B,
                    "Description": "Intel(R) Arc(TM) B580 Graphics",
                    "DedicatedVideoMemory": 12 << 30,
                },
                "{B}": {
                    "AdapterLuid": 0xC001,
                    "VendorId": 0x8086,
                    "DeviceId": 0x7D55,
                    "Description": "Intel(R) Arc(TM) Graphics",
                    "DedicatedVideoMemory": 128 << 20,
                },
                "{C}": {
                    "AdapterLuid": 0xFFFF,
                    "VendorId": 0x10DE,
                    "DeviceId": 0x2684,
                    "Description": "NVIDIA GeForce RTX 4090",
                },
            }
        },
    }
)


def engine(pid: int, adapter: str, number: int, kind: str) -> str:
    return f"pid_{pid}_luid_{adapter.upper().replace('X', 'x')}_phys_0_eng_{number}_engtype_{kind}"


def watch(readings: list[GpuCounters], *, attached: bool = False, host: RecordedHost = HOST):
    left = iter(readings)
    counters = WindowsCounters(host, lambda: next(left), attached=attached)
    member = Member(Identity(50, 1), 1, "python.exe", 0.0, 0.0)
    for second in range(1, len(readings) + 1):
        counters.sample(float(second), [member])
    return counters.finish(float(len(readings)))


def test_published_names_are_read():
    read = [parse_instance(name) for name in NAMES]
    assert None not in read
    assert [instance.kind for instance in read] == [
        "3d",
        "3D",
        "Compute_1",
        "VR",
        "Copy",
        "High Priority Compute - 0",
        "Compute 0",
        "VideoDecode",
        "compute 0",
        "",
    ]
    assert read[1][:4] == (25832, "0x00000000_0x0000dabc", 0, 0)
    assert read[-1].engine == -1 and read[8].adapter == luid(0x208C64)


@given(st.text())
def test_no_name_breaks_the_reader(name):
    parse_instance(name)
    parse_instance("pid_1_luid_0x0_0x1_phys_0_eng_0_engtype_" + name)


def test_every_type_of_engine_counts_and_other_processes_do_not():
    readings = [
        GpuCounters(
            {
                engine(50, ARC, 0, "3D"): 0,
                engine(50, ARC, 2, "Compute 0"): int(0.5e7) * second,
                engine(50, ARC, 3, "Copy"): int(0.1e7) * second,
                engine(51, ARC, 0, "3D"): int(1e7) * second,
                "_Total": 5,
            },
            {f"pid_50_luid_{ARC}_phys_0": 1000 * second, f"pid_51_luid_{ARC}_phys_0": 7},
            {f"pid_50_luid_{ARC}_phys_0": 10},
        )
        for second in range(1, 6)
    ]
    facts = watch(readings)
    arc, integrated = facts.gpus
    assert facts.kind == "windows"
    assert (arc.address, arc.integrated, arc.memory_bytes, arc.busy_seconds) == (
        ARC,
        False,
        12 << 30,
        pytest.approx(3.0),
    )
    assert [(use.name, use.busy_seconds) for use in arc.engines] == [("Compute 0", 2.5), ("Copy", 0.5)]
    assert [(use.region, use.peak_bytes, use.growth_bytes) for use in arc.memory] == [
        ("dedicated", 5000, 4000),
        ("shared", 10, 0),
    ]
    assert (integrated.address, integrated.integrated, integrated.busy_seconds) == (IGPU, True, 0.0)
    assert facts.times == {Identity(50, 1): (facts.times[Identity(50, 1)][0],)}


def test_what_an_attached_program_did_before_is_not_counted():
    readings = [GpuCounters({engine(50, ARC, 0, "3D"): value}) for value in (10**12, 10**12 + 10**6)]
    assert watch(readings, attached=True).gpus[0].busy_seconds == pytest.approx(0.1)


def test_absent_counters_are_unknown():
    facts = watch([Unknown("this Windows has no counters of GPU engines: PDH 0xC0000BB8")])
    assert isinstance(facts.kind, Unknown) and "0xC0000BB8" in facts.kind.reason
    if sys.platform != "win32":
        assert isinstance(open_query(), Unknown)


def test_without_the_registry_only_adapters_in_use_are_known():
    facts = watch([GpuCounters({engine(50, ARC, 0, "3D"): 10**6})], host=RecordedHost({"platform": "windows"}))
    assert [gpu.address for gpu in facts.gpus] == [ARC]
    assert isinstance(facts.gpus[0].integrated, Unknown)

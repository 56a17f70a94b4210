"""When the stage runs at all, and what does not wait for it."""

from __future__ import annotations

import sys
import threading
import types
from pathlib import Path

import pytest

from tests.support.environments import StubEnvironment
from xpu_doctor.diagnosis.judge import judge
from xpu_doctor.examination.cpu_name import CpuName
from xpu_doctor.examination.matmul import measured, usable_devices
from xpu_doctor.model.facts import Xpu, XpuDevice
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.rules.compute.compute_failed import ComputeFailed
from xpu_doctor.rules.compute.silent_cpu_fallback import SilentCpuFallback
from xpu_doctor.target.agent_run import Patient


def test_only_devices_that_took_a_tensor_are_measured() -> None:
    """On the others a matmul would repeat a failure that is reported already."""
    devices = (XpuDevice(0, allocated=True), XpuDevice(1, allocated=False), XpuDevice(2))
    assert usable_devices(Snapshot(xpu=Xpu(device_count=3, devices=devices))) == ("xpu:0",)


def test_no_device_and_no_knowledge_differ() -> None:
    """Nothing to do where none is counted; unknown where nobody could count, or none took a tensor."""
    assert usable_devices(Snapshot(xpu=Xpu(device_count=0))) == ()
    assert isinstance(usable_devices(Snapshot()), Unknown)
    assert isinstance(
        usable_devices(Snapshot(xpu=Xpu(device_count=1, devices=(XpuDevice(0, allocated=False),)))), Unknown
    )


def test_torch_that_does_not_import_is_a_finding(stub: StubEnvironment, tmp_path: Path) -> None:
    """The stage imports torch itself; its failure is reported and nothing is claimed about the device."""
    stub.add_torch(init="raise ImportError('libsycl.so.8: cannot open shared object file')")
    snapshot = measured(Snapshot(), Patient(str(stub.python), {}, str(tmp_path)), ("xpu:0",))
    result = judge([ComputeFailed(), SilentCpuFallback()], snapshot)
    assert [finding.code for finding in result.findings] == ["compute-failed"]
    assert "libsycl.so.8" in result.findings[0].summary
    assert [row.code for row in result.undecided] == ["silent-cpu-fallback"]


def test_cpu_name_is_never_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A py-cpuinfo that takes its time, one that answers, and one that fails."""
    release, asked = threading.Event(), threading.Event()

    def slow() -> dict[str, str]:
        asked.set()
        release.wait(10)
        return {"brand_raw": " A Processor "}

    module = types.ModuleType("cpuinfo")
    module.get_cpu_info = slow  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cpuinfo", module)
    name = CpuName()
    assert asked.wait(10)
    assert isinstance(name.answer(), Unknown)
    release.set()
    _settled(name)
    assert name.answer() == "A Processor"

    module.get_cpu_info = lambda: 1 / 0  # type: ignore[attr-defined]
    failing = CpuName()
    _settled(failing)
    answer = failing.answer()
    assert isinstance(answer, Unknown) and "ZeroDivisionError" in answer.reason


def _settled(name: CpuName) -> None:
    for thread in threading.enumerate():
        if thread.name == "cpu name":
            thread.join(10)

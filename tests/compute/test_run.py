"""When the stage runs at all, and what does not wait for it."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil

from tests.support.environments import StubEnvironment
from xpu_doctor.diagnosis.judge import judge
from xpu_doctor.examination.cpu_name import CpuName
from xpu_doctor.examination.matmul import measured, usable_devices
from xpu_doctor.model.facts import Xpu, XpuDevice
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.unknown import Maybe, Unknown
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


def test_cpu_name_is_never_waited_for() -> None:
    """A py-cpuinfo that hangs, which is ended, one that answers, and one that fails."""
    hanging = CpuName((sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(100)"))
    child = hanging._child
    assert child is not None
    pid = child.pid
    answer = hanging.answer()
    assert isinstance(answer, Unknown) and "had not answered" in answer.reason
    assert not psutil.pid_exists(pid)

    assert _told('{"brand_raw": " A Processor "}') == "A Processor"
    for said in ("{}", "", "no json", "[1]"):
        assert isinstance(_told(said), Unknown)


def _told(said: str) -> Maybe[str]:
    """What is made of what py-cpuinfo prints."""
    name = CpuName((sys.executable, "-c", f"print({said!r})"))
    assert name._child is not None and name._child.wait(60)
    return name.answer()


def test_cpu_name_of_this_machine() -> None:
    name = CpuName()
    assert name._child is not None and name._child.wait(60)
    answer = name.answer()
    assert isinstance(answer, Unknown) or len(answer) > 2

"""The stage and its rules on real PyTorch devices: ones that lie, ones that work elsewhere, and ones that fail.

Each case runs XPU_DOCTOR_TEST_RUNS times (default 1); benchmarks/compute.py runs them 30 times, idle and loaded.
"""

from __future__ import annotations

import os

import pytest

from tests.compute.targets import Target
from xpu_doctor.diagnosis.judge import judge
from xpu_doctor.diagnosis.where_it_ran import Place, product_of, summary, verdict
from xpu_doctor.model.facts import ComputeDevice
from xpu_doctor.model.findings import Confidence, Finding
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.rules.compute.compute_failed import ComputeFailed
from xpu_doctor.rules.compute.compute_wrong_result import ComputeWrongResult
from xpu_doctor.rules.compute.low_performance import LowPerformance
from xpu_doctor.rules.compute.silent_cpu_fallback import SilentCpuFallback

RULES = (SilentCpuFallback(), ComputeFailed(), ComputeWrongResult(), LowPerformance())
RUNS = range(int(os.environ.get("XPU_DOCTOR_TEST_RUNS", "1")))


def found(snapshot: Snapshot) -> dict[str, Finding]:
    """The findings of the compute rules by code; none of the rules may crash."""
    result = judge(RULES, snapshot)
    assert not result.crashed
    return {finding.code: finding for finding in result.findings}


def device_of(snapshot: Snapshot) -> ComputeDevice:
    """The one device that was measured."""
    devices = snapshot.compute.devices
    assert isinstance(devices, tuple), devices
    (device,) = devices
    return device


def place_of(snapshot: Snapshot) -> Place:
    """Where the matmul ran."""
    return verdict(device_of(snapshot), snapshot.compute.cpu).place


def lying(target: Target, device: str = "testgpu") -> tuple[Snapshot, Finding]:
    """Measure a device that computes on the CPU until it is found: a machine with too much to do may leave it unknown, never more."""
    for _ in range(3):
        snapshot = target.measure(device)
        if "silent-cpu-fallback" in found(snapshot):
            break
        assert place_of(snapshot) is Place.UNKNOWN
    return snapshot, found(snapshot)["silent-cpu-fallback"]


@pytest.mark.parametrize("run", RUNS)
def test_boxed_fallback_is_found_and_torch_confirms_it(target: Target, run: int) -> None:
    """Every operator of the device is copied to the CPU: certain, with the profiler's and the dispatcher's word."""
    _, finding = lying(target.acting("fallback"))
    assert finding.confidence is Confidence.CERTAIN
    assert {"to_cpu_copies", "kernel_registered"} <= {item.fact.rpartition(".")[2] for item in finding.evidence}


@pytest.mark.parametrize("run", RUNS)
def test_cpu_posing_as_a_device_is_found(target: Target, run: int) -> None:
    """A registered kernel that computes on the CPU shows nothing to torch; the physical signs suffice, less surely."""
    snapshot, finding = lying(target.acting("native"))
    device = device_of(snapshot)
    assert (device.to_cpu_copies, device.kernel_registered) == (False, True)
    assert finding.confidence is Confidence.LIKELY


@pytest.mark.parametrize("run", RUNS)
def test_the_cpu_itself_is_found(target: Target, run: int) -> None:
    """`--device cpu` is the same code path."""
    assert lying(target, "cpu")[1].subject == "machine"


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("gflops", ["0", "100", "400"])
@pytest.mark.parametrize("wait", ["spin", "block"])
def test_slow_device_elsewhere_raises_no_alarm(target: Target, wait: str, gflops: str, run: int) -> None:
    """A device about as fast as this CPU (an integrated GPU) whose wait spins or blocks; 0 computes for real in another process."""
    snapshot = target.acting("elsewhere", wait=wait, gflops=gflops).measure()
    assert found(snapshot) == {}
    if wait == "block":  # a spinning wait on a machine with too much to do may leave it unknown (measured: 1 of 180)
        assert place_of(snapshot) is Place.DEVICE


@pytest.mark.parametrize("wait", ["spin", "block"])
def test_blocking_device_elsewhere_raises_no_alarm(target: Target, wait: str) -> None:
    """Each call waits for its result: the signs disagree, so nothing is claimed."""
    snapshot = target.acting("elsewhere", wait=wait, queue="sync", gflops="100").measure()
    assert found(snapshot) == {}
    assert place_of(snapshot) is Place.UNKNOWN


def test_device_with_events(target: Target) -> None:
    """Events are asked between sleeps instead of a wait; a device without time in its events is timed by the clock."""
    snapshot = target.acting("elsewhere", wait="spin", gflops="100", events="yes").measure()
    assert place_of(snapshot) is Place.DEVICE
    product = product_of(device_of(snapshot))
    assert product is not None and product.timed_by == "clock" and isinstance(product.queue_share, float)
    assert product.queue_share < 0.2


@pytest.mark.parametrize(("mode", "words"), [("zeros", "zero"), ("nan", "not finite")])
def test_wrong_result(target: Target, mode: str, words: str) -> None:
    """A device that reads back zeros, and one that computes NaN."""
    assert words in found(target.acting(mode).measure())["compute-wrong-result"].summary


@pytest.mark.parametrize(
    ("mode", "after", "words"),
    [
        ("oom", "1", "ran out of memory"),
        ("lost", "1", "lost the device"),
        ("lost", "12", "lost the device"),
        ("crash", "12", "SIGSEGV"),
        ("hang", "12", "did not end: no answer in 12 s"),
    ],
)
def test_failures_are_findings(target: Target, mode: str, after: str, words: str) -> None:
    """At the first product and in the middle of the measurements; the stage's death costs no fact that was known before."""
    snapshot = target.acting(mode, after=after).measure(deadline=12.0)
    finding = found(snapshot)["compute-failed"]
    assert words in finding.summary
    assert "testgpu" in finding.summary
    assert device_of(snapshot).step, "the step that failed is known"


def test_every_data_type_is_measured_and_checked(target: Target) -> None:
    """float32, bfloat16 and float16, each right; the whole in the time that a device may take."""
    snapshot = target.acting("elsewhere", gflops="200", events="yes").measure(limits={})
    device = device_of(snapshot)
    assert isinstance(device.products, tuple)
    assert [item.dtype for item in device.products] == ["float32", "bfloat16", "float16"]
    for item in device.products:
        assert item.error == "" and isinstance(item.tflops, float) and isinstance(item.worst_error, float)
        assert 0 < item.worst_error < 0.1 and item.nonfinite_elements == 0
    assert isinstance(device.measuring_seconds, float)
    assert device.name == "test device: elsewhere"
    assert "testgpu computed on the device" in summary(snapshot.compute)
    assert "times the speed of this CPU" in summary(snapshot.compute)


def test_device_that_torch_does_not_know(target: Target) -> None:
    """A device string without a back end is a finding, not a traceback."""
    finding = found(target.measure("xpu:7"))["compute-failed"]
    assert "xpu:7" in finding.summary


def test_several_devices_are_measured_one_by_one(target: Target) -> None:
    """A failing one does not cost the next."""
    from xpu_doctor.examination.matmul import measured
    from xpu_doctor.target.agent_run import Patient

    acting = target.acting("elsewhere", gflops="200")
    snapshot = measured(
        Snapshot(), Patient(acting.python, acting.environment), ("nonsense", "testgpu"), {"dtypes": ["float32"]}
    )
    assert isinstance(snapshot.compute.devices, tuple)
    first, second = snapshot.compute.devices
    assert first.error and product_of(second) is not None
    assert found(snapshot)["compute-failed"].subject == "nonsense"


def test_variables_of_the_user_are_recorded_and_the_debug_one_is_on(target: Target) -> None:
    """What the user has set is a fact; what the stage sets for itself is not."""
    acting = target.acting("fallback", gflops="0")
    acting = type(acting)(acting.python, {**acting.environment, "PYTORCH_XPU_FALLBACK_OP": "mm"})
    snapshot, finding = lying(acting)
    variables = snapshot.compute.fallback_variables
    assert not isinstance(variables, Unknown) and [(item.name, item.value) for item in variables] == [
        ("PYTORCH_XPU_FALLBACK_OP", "mm")
    ]
    assert "PYTORCH_XPU_FALLBACK_OP" in finding.summary

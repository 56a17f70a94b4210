"""The verdict by itself: several signs must agree, none decides alone, and success overrides the tables."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpu_doctor.diagnosis.diagnose import diagnose
from xpu_doctor.diagnosis.where_it_ran import (
    Place,
    cpu_time_ratio,
    device_line,
    peak_share,
    product_of,
    proved,
    proved_on_gpu,
    summary,
    verdict,
    wrong,
)
from xpu_doctor.model.facts import Compute, ComputeDevice, CpuProduct, Gpu, Product
from xpu_doctor.model.findings import Severity
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.rules.device.gpu_unsupported import GpuUnsupported

CPU = CpuProduct(tflops=0.2, cpu_seconds_per_tflop=10.0, threads=2, main_thread_share=0.5)
RIGHT = Product("float32", size=1024, worst_error=1e-6, nonfinite_elements=0, result_device="xpu")
ON_GPU = replace(RIGHT, tflops=12.0, cpu_seconds_per_tflop=0.05, queue_share=0.01, main_thread_share=1.0)
ON_CPU = replace(RIGHT, tflops=0.2, cpu_seconds_per_tflop=10.5, queue_share=1.0, main_thread_share=0.5)
LACKING = Unknown("not told")


def device(product: Product, **values: object) -> ComputeDevice:
    """An XPU device with one product and no word from torch."""
    known = {
        "type": "xpu",
        "device_id": 0xE20B,
        "to_cpu_copies": False,
        "kernel_registered": True,
        "fallback_warnings": (),
    }
    return ComputeDevice("xpu:0", products=(product,), **{**known, **values})  # type: ignore[arg-type]


def place(product: Product, cpu: CpuProduct = CPU, **values: object) -> Place:
    """Where a product ran."""
    return verdict(device(product, **values), cpu).place


def test_the_two_clear_cases() -> None:
    """A GPU, and a CPU that does a device's work."""
    assert place(ON_GPU) is Place.DEVICE
    assert place(ON_CPU) is Place.CPU


@pytest.mark.parametrize(
    "change",
    [
        {"cpu_seconds_per_tflop": 0.5},
        {"cpu_seconds_per_tflop": 4.5},
        {"queue_share": 0.1},
        {"queue_share": 0.7},
        {"main_thread_share": 0.99},
        {"tflops": 2.0},
    ],
    ids=str,
)
def test_one_sign_against_it_stops_the_alarm(change: dict[str, float]) -> None:
    """Each physical sign can veto, and so can a figure between its bounds where it is one of the needed two."""
    assert place(replace(ON_CPU, **change)) is not Place.CPU  # type: ignore[arg-type]


@pytest.mark.parametrize("field", ["cpu_seconds_per_tflop", "queue_share"])
def test_a_needed_figure_that_is_missing_leaves_it_unknown(field: str) -> None:
    """Also with torch's own word for a fallback."""
    assert place(replace(ON_CPU, **{field: LACKING}), to_cpu_copies=True, kernel_registered=False) is Place.UNKNOWN  # type: ignore[arg-type]


def test_one_thread_needs_the_word_of_torch() -> None:
    """With a single thread a spinning wait and a computation look alike."""
    alone = replace(CPU, threads=1)
    one = replace(ON_CPU, main_thread_share=1.0)
    assert place(one, alone) is Place.UNKNOWN
    assert place(one, alone, to_cpu_copies=True) is Place.CPU
    assert place(replace(one, result_device="cpu"), alone) is Place.CPU


def test_the_word_of_torch_never_decides_alone() -> None:
    """Profiler, dispatcher and warning against physical signs of a GPU: unknown, not an alarm."""
    warnings = ("aten::mm falls back to CPU",)
    assert place(ON_GPU, to_cpu_copies=True, kernel_registered=False, fallback_warnings=warnings) is Place.UNKNOWN


def test_blocking_device_is_told_by_its_speed_only() -> None:
    """Synchronous calls with little CPU time: the device if this CPU could never be so fast, else unknown."""
    blocking = replace(ON_GPU, queue_share=1.0)
    assert place(blocking) is Place.DEVICE
    assert place(replace(blocking, tflops=0.2)) is Place.UNKNOWN


@given(st.floats(1e-4, 1e4))
def test_speed_alone_never_raises_an_alarm(tflops: float) -> None:
    """An integrated GPU may be slower than the CPU by any factor."""
    assert place(replace(ON_GPU, tflops=tflops)) is Place.DEVICE


figure = st.one_of(st.floats(0, 1e3), st.just(LACKING))
share = st.one_of(st.floats(0, 1), st.just(LACKING))


@given(
    figure,
    figure,
    share,
    share,
    st.one_of(st.booleans(), st.just(LACKING)),
    st.one_of(st.booleans(), st.just(LACKING)),
    figure,
    figure,
)
def test_any_figures_give_a_verdict_that_its_signs_support(
    tflops: object,
    cpu_seconds: object,
    queue: object,
    main: object,
    copies: object,
    registered: object,
    cpu_tflops: object,
    cpu_usual: object,
) -> None:
    """No figures crash it; an alarm has CPU time and a blocking call behind it, and a proof has no sign against it."""
    product = replace(
        ON_CPU, tflops=tflops, cpu_seconds_per_tflop=cpu_seconds, queue_share=queue, main_thread_share=main
    )  # type: ignore[arg-type]
    cpu = replace(CPU, tflops=cpu_tflops, cpu_seconds_per_tflop=cpu_usual)  # type: ignore[arg-type]
    judged = verdict(device(product, to_cpu_copies=copies, kernel_registered=registered), cpu)
    said = {sign.name: sign.place for sign in judged.signs}
    if judged.place is Place.CPU:
        assert said["cpu time"] is said["queue"] is Place.CPU
        assert len([name for name, where in said.items() if where is Place.CPU]) >= 3
        assert Place.DEVICE not in said.values()
    if judged.place is Place.DEVICE:
        assert said["cpu time"] is Place.DEVICE
        assert not any(sign.supports for sign in judged.signs)


def test_units_of_the_ratio() -> None:
    """CPU seconds per operation on the device, over those of the CPU."""
    assert cpu_time_ratio(ON_GPU, CPU) == pytest.approx(0.005)


def test_a_wrong_result_proves_nothing() -> None:
    """A product that ran on the GPU and is wrong is no observed success."""
    assert proved(device(ON_GPU), CPU)
    assert not proved(device(replace(ON_GPU, worst_error=0.9)), CPU)
    assert not proved(device(replace(ON_GPU, nonfinite_elements=3)), CPU)
    assert not proved(device(replace(ON_GPU, worst_error=LACKING)), CPU)
    assert isinstance(wrong(replace(ON_GPU, worst_error=LACKING)), Unknown)


def test_only_an_xpu_device_proves_the_intel_stack() -> None:
    """A product on another accelerator says nothing about Intel's drivers."""
    assert proved_on_gpu(Compute(devices=(device(ON_GPU),), cpu=CPU))
    assert not proved_on_gpu(Compute(devices=(device(ON_GPU, type="cuda"),), cpu=CPU))
    assert not proved_on_gpu(Compute(devices=(device(ON_CPU),), cpu=CPU))
    assert not proved_on_gpu(Compute())


def test_observed_success_overrides_tables() -> None:
    """A GPU that a table calls unsupported is a note once a matmul provably ran on it, and an error otherwise."""
    gpus = (Gpu(address="0000:00:02.0", vendor_id=0x8086, device_id=0x46A6, pci_class=0x030000),)

    def severities(product: Product) -> list[Severity]:
        snapshot = Snapshot(gpus=gpus, compute=Compute(devices=(device(product),), cpu=CPU))
        return [finding.severity for finding in diagnose(snapshot, [GpuUnsupported()]).root_causes]

    assert severities(ON_GPU) == [Severity.INFO]
    assert severities(ON_CPU) == [Severity.ERROR]


def test_lines_for_people() -> None:
    """TFLOP/s, share of the peak, times this CPU, and its name where that is known."""
    compute = Compute(devices=(device(ON_GPU),), cpu=CPU, cpu_name="A Processor")
    line = device_line(device(ON_GPU), compute)
    assert (
        line
        == "xpu:0 computed on the device: 12 TFLOP/s float32 (88% of the peak), 60 times the speed of this CPU (A Processor)"
    )
    assert summary(compute) == line
    assert "where it computed is not known" in device_line(
        device(replace(ON_GPU, cpu_seconds_per_tflop=LACKING)), compute
    )
    assert "failed" in device_line(ComputeDevice("xpu:1", error="RuntimeError: no"), compute)
    assert summary(Compute(devices=())) == "no device to compute on"


def test_share_of_the_peak_is_unknown_without_a_source() -> None:
    """No figure is guessed for another device or data type."""
    assert isinstance(peak_share(device(ON_GPU, device_id=0x7D55), ON_GPU), Unknown)
    assert isinstance(peak_share(device(ON_GPU), replace(ON_GPU, dtype="float64")), Unknown)
    assert isinstance(peak_share(device(ON_GPU, device_id=LACKING), ON_GPU), Unknown)


def test_product_of_skips_what_was_not_timed() -> None:
    """A product with an error has no figures."""
    assert product_of(ComputeDevice("xpu:0", products=(Product("float32", error="RuntimeError"),))) is None
    assert product_of(ComputeDevice("xpu:0")) is None

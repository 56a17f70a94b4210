"""The timed matmuls of a snapshot, each beside what it can be compared with, as rows of the document."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.where_it_ran import Place, product_of, verdict
from xpu_doctor.model.facts.compute import Compute, ComputeDevice, Product
from xpu_doctor.model.fast_dataclass import dataclass
from xpu_doctor.model.unknown import known_or
from xpu_doctor.tables.peaks import peak_tflops


@dataclass(frozen=True)
class SpeedDocument:
    """How fast one device multiplied matrices of one data type; None stands for what is not known."""

    device: str
    """As torch calls it, e.g. `xpu:0`."""
    name: str | None
    place: str
    """Where its float32 matmul ran: `device`, `cpu` or `unknown`."""
    dtype: str
    tflops: float
    peak_tflops: float | None
    """The published peak of the device for this data type."""
    cpu_tflops: float | None
    """The same matmul on this machine's CPU; timed in float32 alone."""
    cpu: str | None
    """Name of that CPU."""


def speeds(compute: Compute) -> list[SpeedDocument]:
    """Return a row for each device and data type whose matmul was timed."""
    return [row for device in known_or(compute.devices, ()) for row in _of_device(device, compute)]


def _of_device(device: ComputeDevice, compute: Compute) -> Iterator[SpeedDocument]:
    place = verdict(device, compute.cpu).place if product_of(device) else Place.UNKNOWN
    for product in known_or(device.products, ()):
        if isinstance(product.tflops, float):
            compared = known_or(compute.cpu.tflops, None) if product.dtype == "float32" else None
            yield SpeedDocument(
                device.device,
                known_or(device.name, None),
                place.value,
                product.dtype,
                product.tflops,
                _peak(device, product),
                compared,
                known_or(compute.cpu_name, None),
            )


def _peak(device: ComputeDevice, product: Product) -> float | None:
    return peak_tflops(device.device_id, product.dtype) if isinstance(device.device_id, int) else None

"""A matmul on the device really ran on the CPU, and nothing said so."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.diagnosis.where_it_ran import Place, Sign, Verdict, product_of, speedup, verdict
from xpu_doctor.model.facts import Compute, ComputeDevice, Python
from xpu_doctor.model.findings import Confidence, Evidence, Finding, Layer
from xpu_doctor.model.unknown import Undecided, Unknown, known, known_or
from xpu_doctor.remedies.compute import fallback, forcing

PRODUCT_FACTS = ("tflops", "cpu_seconds_per_tflop", "queue_share", "main_thread_share", "result_device")


class SilentCpuFallback(Rule):
    """A matmul on the device really ran on the CPU, and nothing said so."""

    code = "silent-cpu-fallback"
    layer = Layer.COMPUTE
    explains = {
        "low-performance": "the work runs on the CPU",
    }

    def check(self, compute: Compute, python: Python) -> Iterator[Finding]:
        """Found for each device whose signs agree; undecided where they disagree or there were too few."""
        devices = known(compute.devices)
        open_question: Unknown | None = None
        for place, device in enumerate(devices):
            if device.error:
                continue
            judged = verdict(device, compute.cpu)
            if judged.place is Place.CPU:
                yield self._finding(place, device, judged, compute, python)
            elif judged.place is Place.UNKNOWN:
                texts = "; ".join(sign.text for sign in judged.signs)
                open_question = Unknown(
                    f"{device.device}: {judged.reason}" + (f" ({texts})" if texts else ""), f"compute.devices[{place}]"
                )
        if open_question is not None:
            raise Undecided(open_question)

    def _finding(self, place: int, device: ComputeDevice, judged: Verdict, compute: Compute, python: Python) -> Finding:
        product = product_of(device)
        times = speedup(product, compute.cpu) if product else None
        speed = f", {times:.2g} times the speed of this CPU" if isinstance(times, float) else ""
        hint = "".join(f"; {item.name} is set" for item in forcing(compute))
        supported = any(sign.supports for sign in judged.signs)
        return self.found(
            subject(device, compute),
            f"a matmul on {device.device} ran on the CPU, not on the device{speed}{hint}",
            evidence=tuple(evidence(sign, place, device) for sign in judged.signs if sign.place is Place.CPU),
            confidence=Confidence.CERTAIN if supported else Confidence.LIKELY,
            remedies=fallback(device, compute, known_or(python.os, ""), known_or(python.executable, "python")),
        )


def subject(device: ComputeDevice, compute: Compute) -> str:
    """Return the subject of a finding about a device: the whole machine where it is the only one."""
    return "machine" if isinstance(compute.devices, tuple) and len(compute.devices) == 1 else device.device


def evidence(sign: Sign, place: int, device: ComputeDevice) -> Evidence:
    """Return a sign as evidence: the fact that holds its figure, and the figure in words."""
    path = f"compute.devices[{place}]"
    product = product_of(device)
    if sign.fact in PRODUCT_FACTS and product is not None:
        path += f".products[{known(device.products).index(product)}]"
    return Evidence(f"{path}.{sign.fact}", sign.text, "")

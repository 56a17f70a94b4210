"""The device computes, far below its published peak."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.diagnosis.where_it_ran import Place, peak_share, product_of, verdict
from xpu_doctor.model.facts import Compute, ComputeDevice
from xpu_doctor.model.findings import Confidence, Evidence, Finding, Layer, Remedy, Severity
from xpu_doctor.model.unknown import Undecided, Unknown, known, known_or
from xpu_doctor.rules.compute.silent_cpu_fallback import subject

LOW = 0.3
"""Share of the peak below which the best data type is called slow; large products usually reach more than half."""


class LowPerformance(Rule):
    """The device computes, far below its published peak."""

    code = "low-performance"
    layer = Layer.COMPUTE
    severity = Severity.INFO
    confidence = Confidence.LIKELY
    from_table = True

    def check(self, compute: Compute) -> Iterator[Finding]:
        """Found for each device that provably computed itself, below the bound in every data type that has a peak."""
        open_question: Unknown | None = None
        for place, device in enumerate(known(compute.devices)):
            if product_of(device) is None or verdict(device, compute.cpu).place is not Place.DEVICE:
                continue
            shares = _shares(device)
            if not shares:
                reason = peak_share(device, product_of(device))  # type: ignore[arg-type]
                open_question = Unknown(
                    reason.reason if isinstance(reason, Unknown) else "no peak", f"compute.devices[{place}].device_id"
                )
                continue
            number, share = max(shares, key=lambda item: item[1])
            if share < LOW:
                yield self._finding(place, number, share, device, compute)
        if open_question is not None:
            raise Undecided(open_question)

    def _finding(self, place: int, number: int, share: float, device: ComputeDevice, compute: Compute) -> Finding:
        product = known(device.products)[number]
        path = f"compute.devices[{place}]"
        return self.found(
            subject(device, compute),
            f"{device.device} reached {share:.0%} of its published peak in {product.dtype} ({product.tflops:.3g} TFLOP/s at size {product.size})",
            evidence=(Evidence(f"{path}.products[{number}].tflops", "", ""), Evidence(f"{path}.device_id", "", "")),
            remedies=(
                Remedy(
                    "Check power and temperature: mains power, the performance profile, cooling, and what else uses the GPU",
                    "A GPU that is limited in power or shared computes correctly and slowly.",
                ),
            ),
        )


def _shares(device: ComputeDevice) -> list[tuple[int, float]]:
    """Return the place of each product with its share of the peak, where that is known."""
    rows = [(number, peak_share(device, product)) for number, product in enumerate(known_or(device.products, ()))]
    return [(number, share) for number, share in rows if isinstance(share, float)]

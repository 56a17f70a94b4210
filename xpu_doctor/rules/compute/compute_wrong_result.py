"""A matmul on the device gave a wrong result."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.diagnosis.where_it_ran import TOLERANCE, wrong
from xpu_doctor.model.facts import Compute, Product, Python
from xpu_doctor.model.findings import Finding, Layer
from xpu_doctor.model.unknown import Undecided, Unknown, known, known_or
from xpu_doctor.remedies.compute import wrong_result
from xpu_doctor.rules.compute.silent_cpu_fallback import subject


class ComputeWrongResult(Rule):
    """A matmul on the device gave a wrong result."""

    code = "compute-wrong-result"
    layer = Layer.COMPUTE

    def check(self, compute: Compute, python: Python) -> Iterator[Finding]:
        """Found once for each device with a wrong product, in its first such data type."""
        for place, device in enumerate(known(compute.devices)):
            for number, product in enumerate(known_or(device.products, ())):
                path = f"compute.devices[{place}].products[{number}]"
                judged = wrong(product)
                if product.error or judged is False:
                    continue
                if isinstance(judged, Unknown):
                    raise Undecided(Unknown(judged.reason, f"{path}.worst_error"))
                yield self.found(
                    subject(device, compute),
                    f"a {product.dtype} matmul on {device.device} gave a wrong result: {_fault(product)}",
                    evidence=(f"{path}.worst_error", f"{path}.nonfinite_elements", f"{path}.checked_elements"),
                    remedies=wrong_result(device, known_or(python.os, ""), known_or(python.executable, "python")),
                )
                break


def _fault(product: Product) -> str:
    if isinstance(product.nonfinite_elements, int) and product.nonfinite_elements:
        return f"{product.nonfinite_elements} of {product.checked_elements} elements are not finite"
    if product.all_zero is True:
        return "every element that was read back is zero"
    return f"an element is off by {product.worst_error:.2g} times the usual size, {TOLERANCE.get(product.dtype, 0.25):g} is the bound"

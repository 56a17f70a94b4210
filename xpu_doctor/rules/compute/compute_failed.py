"""A matmul on the device failed, killed the process, or did not end."""

from __future__ import annotations

import re
from collections.abc import Iterator

from xpu_doctor.diagnosis.known_messages import match
from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Compute, ComputeDevice, Product, Python, Run, Stage, Xpu
from xpu_doctor.model.findings import Evidence, Finding, Layer
from xpu_doctor.model.terms import StageOutcome
from xpu_doctor.model.unknown import known, known_or
from xpu_doctor.remedies.compute import another_device, failed
from xpu_doctor.rules.compute.silent_cpu_fallback import subject
from xpu_doctor.tables.signatures import by_id
from xpu_doctor.text.word_index import IndexedText

UNSUPPORTED = ("not implemented", "not supported", "unsupported", "not measured", "invalid dtype")
"""Words in the error of a data type that the device lacks: no fault of it."""
MEMORY = ("out of memory", "outofmemory", "out_of_device_memory", "out_of_host_memory", "out_of_resources")
XPU = re.compile(r"xpu(?::(\d{1,4}))?")
LOST = ("device_lost", "device lost", "failed with error: 20 ")


class ComputeFailed(Rule):
    """A matmul on the device failed, killed the process, or did not end."""

    code = "compute-failed"
    layer = Layer.COMPUTE
    symptom = True

    def check(self, compute: Compute, run: Run, python: Python, xpu: Xpu) -> Iterator[Finding]:
        """Found for each device whose matmul raised, and where the stage died or hung."""
        stage = known_or(run.stage("compute"), None)
        if stage is not None and stage.outcome in (
            StageOutcome.CRASH,
            StageOutcome.HANG,
            StageOutcome.EXIT,
            StageOutcome.ERROR,
        ):
            if not any(device.profiled for device in known_or(compute.devices, ())):
                yield self._died(stage, compute, python)
        elif stage is None or stage.outcome == StageOutcome.OK:
            known(compute.devices)
        for place, device in enumerate(known_or(compute.devices, ())):
            wish = _no_such_device(device, xpu)
            if wish:
                yield self._asked_wrongly(place, device, wish, compute, python, xpu)
            elif device.error:
                yield self._raised(place, device, device.error, "error", compute, python)
            else:
                for number, product in _broken(device):
                    yield self._raised(
                        place, device, f"{product.dtype}: {product.error}", f"products[{number}].error", compute, python
                    )

    def _died(self, stage: Stage, compute: Compute, python: Python) -> Finding:
        devices = known_or(compute.devices, ())
        place, device = next(
            ((number, item) for number, item in enumerate(devices) if item.step and not item.error), (0, None)
        )
        how = {"crash": "crashed", "hang": "did not end", "exit": "ended the process", "error": "failed"}[stage.outcome]
        what = f"the matmul on {device.device}" if device else "the timed matmul"
        outcome = Evidence("run.stages", f"compute: {stage.outcome}, {stage.reason}", "")
        step = [Evidence(f"compute.devices[{place}].step", "", "")] if device else []
        return self.found(
            subject(device, compute) if device else "machine",
            f"{what} {how}: {_with_meaning(stage.reason, stage.output)}",
            evidence=[outcome, *step],
            remedies=failed(
                device,
                {"error": ""}.get(stage.outcome, stage.outcome),
                known_or(python.os, ""),
                known_or(python.executable, "python"),
            ),
        )

    def _asked_wrongly(
        self, place: int, device: ComputeDevice, wish: str, compute: Compute, python: Python, xpu: Xpu
    ) -> Finding:
        """Return the finding for a device that was asked for and does not exist, which is nobody's bug."""
        return self.found(
            subject(device, compute),
            wish,
            evidence=(
                f"compute.devices[{place}].device",
                *(("xpu.device_count",) if isinstance(xpu.device_count, int) else ()),
            ),
            remedies=(
                another_device(known_or(xpu.device_count, 0), known_or(python.os, ""), known_or(python.executable, "")),
            ),
        )

    def _raised(
        self, place: int, device: ComputeDevice, error: str, path: str, compute: Compute, python: Python
    ) -> Finding:
        lowered = f"{error} {device.exception}".lower()
        kind = (
            "memory"
            if any(word in lowered for word in MEMORY)
            else "lost"
            if any(word in lowered for word in LOST)
            else ""
        )
        words = {"memory": "ran out of memory", "lost": "lost the device", "": "failed"}[kind]
        return self.found(
            subject(device, compute),
            f"the matmul on {device.device} {words}: {_with_meaning(error)}",
            evidence=(f"compute.devices[{place}].{path}", f"compute.devices[{place}].step"),
            remedies=failed(device, kind, known_or(python.os, ""), known_or(python.executable, "python")),
        )


def _no_such_device(device: ComputeDevice, xpu: Xpu) -> str:
    """Why a device that was asked for is none, in words; empty where torch does not refuse its name."""
    if device.error and "device string" in device.error:
        return f"there is no device `{device.device}`: torch does not know the name"
    count = known_or(xpu.device_count, -1)
    named = XPU.fullmatch(device.device)
    if not device.error or named is None or not 0 <= count <= int(named[1] or 0):
        return ""
    counted = "none" if count == 0 else "1, xpu:0" if count == 1 else f"{count}, from xpu:0 to xpu:{count - 1}"
    return f"there is no device `{device.device}`: torch.xpu counts {counted}"


def _broken(device: ComputeDevice) -> Iterator[tuple[int, Product]]:
    """Products in a further data type that failed for another reason than that the device lacks the type."""
    for number, product in enumerate(known_or(device.products, ())):
        if product.error and not any(word in product.error.lower() for word in UNSUPPORTED):
            yield number, product


def _with_meaning(error: str, output: str = "") -> str:
    """Return an error's first line with what the signature table says it means."""
    met = match(IndexedText(f"{error}\n{output}"), "compute stage")
    line = error.strip().split("\n")[0][:200]
    return f"{line} ({by_id()[met[0].signature].meaning})" if met else line

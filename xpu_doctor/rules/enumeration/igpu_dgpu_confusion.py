"""The integrated GPU stands where the program expects the card."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Gpu, LevelZero, Machine, Xpu, XpuDevice
from xpu_doctor.model.findings import Confidence, Finding, Layer, Remedy, Severity
from xpu_doctor.model.unknown import Maybe, Undecided, Unknown, known, known_or
from xpu_doctor.remedies.variables import set_lines
from xpu_doctor.tables.devices import find_device
from xpu_doctor.tables.gpus import device_of, title, usable

GUIDE = "https://github.com/intel/llvm/blob/sycl/sycl/doc/EnvironmentVariables.md"


class IgpuDgpuConfusion(Rule):
    """The integrated GPU stands where the program expects the card."""

    code = "igpu-dgpu-confusion"
    layer = Layer.ENUMERATION
    severity = Severity.WARNING

    def check(
        self, gpus: Maybe[tuple[Gpu, ...]], xpu: Xpu, level_zero: LevelZero, machine: Machine
    ) -> Iterator[Finding]:
        """Yield a warning where xpu:0 is integrated and a card is there; a note where the card alone is counted."""
        devices = known(xpu.devices)
        kinds = [_kind(device) for device in devices]
        if not devices:
            return
        if kinds[0] == "integrated" and "discrete" in kinds:
            place = kinds.index("discrete")
            yield self.found(
                "machine",
                f"xpu:0 is the integrated {devices[0].name}; the card {devices[place].name} is xpu:{place}",
                evidence=("xpu.devices[0].name", f"xpu.devices[{place}].name"),
                remedies=(_select(place, known_or(machine.os, "linux")),),
            )
            return
        # A card that is counted first is right, whatever else is on the bus; an integrated GPU alone leaves the question open.
        if isinstance(gpus, Unknown):
            if "discrete" in kinds and "integrated" not in kinds:
                return
            raise Undecided(Unknown(gpus.reason, "gpus"))
        cards = [gpu for gpu in usable(gpus) if (device := device_of(gpu)) and device.family.discrete]
        inside = [gpu for gpu in usable(gpus) if (device := device_of(gpu)) and not device.family.discrete]
        if cards and "integrated" in kinds and "discrete" not in kinds:
            yield self.found(
                "machine",
                f"torch counts only the integrated {devices[0].name}, while {title(cards[0])} is in the machine",
                confidence=Confidence.LIKELY,
                evidence=("xpu.devices[0].name", "gpus"),
                remedies=(
                    Remedy(
                        "See the findings about the card",
                        "The driver does not offer the card to torch: a lower layer holds it back.",
                        url=GUIDE,
                    ),
                ),
            )
        elif inside and "discrete" in kinds and "integrated" not in kinds:
            yield self.found(
                "machine",
                f"torch shows the card {devices[0].name} alone: {title(inside[0])} is left out where there is a card",
                severity=Severity.INFO,
                evidence=("xpu.devices[0].name", "gpus"),
            )


def _kind(device: XpuDevice) -> str:
    number = known_or(device.device_id, 0)
    row = find_device(number) if number else None
    return row.family.kind.value if row else ""


def _select(place: int, system: str) -> Remedy:
    return Remedy(
        f"Name the card: `xpu:{place}`, or hide the integrated GPU",
        "Programs that say `xpu` mean `xpu:0`. With the variable, the card becomes xpu:0 for this program.",
        commands=set_lines({"ONEAPI_DEVICE_SELECTOR": f"level_zero:{place}"}, system),
        verify=('python -c "import torch; print(torch.xpu.get_device_name(0))"',),
        url=GUIDE,
    )

"""An environment variable hides devices."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Environment, Gpu, LevelZero, Machine, Xpu
from xpu_doctor.model.findings import Confidence, Evidence, EvidenceKind, Finding, Layer, Severity
from xpu_doctor.model.unknown import Maybe, Unknown, known, known_or
from xpu_doctor.remedies.variables import unset
from xpu_doctor.rules.support.gpus import none_to_use
from xpu_doctor.tables.variables import hiding_variables

SELECTOR_ERRORS = (
    "Incomplete selector",
    "ONEAPI_DEVICE_SELECTOR",
    "Error parsing selector string",
    "No device of requested type",
)

SELECTOR = "ONEAPI_DEVICE_SELECTOR"


class DeviceHiddenByEnv(Rule):
    """An environment variable hides devices."""

    code = "device-hidden-by-env"
    layer = Layer.ENUMERATION
    explains = {
        "gpu-driver-bug": "a filter that names what is not there makes zeInit fail as it does where the driver is at fault",
        "gpu-driver-missing": "a variable that names another driver keeps Intel's from being loaded",
        "program-never-used-gpu": "the filter leaves the program no device",
        "xpu-query-crashed": "a filter that cannot be parsed, or that leaves nothing, raises an error in the SYCL runtime",
        "xpu-unavailable": "the filter leaves no device to list",
    }

    def check(
        self, machine: Machine, gpus: Maybe[tuple[Gpu, ...]], environment: Environment, level_zero: LevelZero, xpu: Xpu
    ) -> Iterator[Finding]:
        """Yield an error where no device is left, a note where at least one is; a second run is the proof."""
        if none_to_use(gpus):
            return
        yield from self._level_zero(machine, environment, level_zero)
        yield from self._sycl(machine, environment, level_zero, xpu)

    def _level_zero(self, machine: Machine, environment: Environment, level_zero: LevelZero) -> Iterator[Finding]:
        names = known_or(level_zero.filters, ())
        hidden_from = level_zero.unfiltered_devices
        if not names or not isinstance(hidden_from, tuple):
            return
        left = len(level_zero.devices) if isinstance(level_zero.devices, tuple) else 0
        if left < len(hidden_from):
            yield self._found(
                machine,
                environment,
                names,
                left,
                len(hidden_from),
                ("level_zero.devices", "level_zero.unfiltered_devices"),
                Confidence.CERTAIN,
            )

    def _sycl(self, machine: Machine, environment: Environment, level_zero: LevelZero, xpu: Xpu) -> Iterator[Finding]:
        names = tuple(name for name in hiding_variables("sycl") if known(environment.get(name)) is not None)
        if not names:
            return
        selector = known_or(environment.get(SELECTOR), None)
        refused = known_or(xpu.available, True) is False and isinstance(xpu.unfiltered_count, Unknown)
        if refused and isinstance(selector, str) and _leaves_no_level_zero(selector):
            yield self._found(machine, environment, (SELECTOR,), 0, 0, ("xpu.available",), Confidence.LIKELY)
            return
        if isinstance(xpu.error, Unknown):
            known(xpu.device_count)
        count = known_or(xpu.device_count, -1)
        error = known_or(xpu.error, "")
        if isinstance(xpu.unfiltered_count, int) and count >= 0:
            if count < xpu.unfiltered_count:
                yield self._found(
                    machine,
                    environment,
                    names,
                    count,
                    xpu.unfiltered_count,
                    ("xpu.device_count", "xpu.unfiltered_count"),
                    Confidence.CERTAIN,
                )
            return
        if any(words in error for words in SELECTOR_ERRORS):
            yield self._found(machine, environment, names, 0, 0, ("xpu.error",), Confidence.CERTAIN)
        elif count == 0 and isinstance(level_zero.devices, tuple) and level_zero.devices:
            yield self._found(
                machine,
                environment,
                names,
                0,
                len(level_zero.devices),
                ("xpu.device_count", "level_zero.devices"),
                Confidence.LIKELY,
            )

    def _found(
        self,
        machine: Machine,
        environment: Environment,
        names: tuple[str, ...],
        left: int,
        whole: int,
        facts: tuple[str, ...],
        confidence: Confidence,
    ) -> Finding:
        values = [(name, environment.get(name)) for name in names]
        shown = tuple(
            Evidence(name, value or "(empty)", "environment of the target", EvidenceKind.VARIABLE)
            for name, value in values
            if isinstance(value, str)
        )
        said = ", ".join(f"{item.fact}={item.value}" for item in shown) or ", ".join(names)
        count = f"{left} of {whole} devices are left" if whole else "the runtime refuses its value"
        if not whole and confidence is Confidence.LIKELY:
            count = "it names nothing of Level Zero, through which alone torch reaches a GPU"
        return self.found(
            "machine",
            f"{said} hides GPUs: {count}",
            severity=Severity.INFO if left else Severity.ERROR,
            confidence=confidence,
            evidence=(*shown, *facts),
            remedies=(unset(names, known_or(machine.os, "linux")),),
        )


def _leaves_no_level_zero(selector: str) -> bool:
    """Return whether a value of ONEAPI_DEVICE_SELECTOR accepts other back ends alone."""
    accepted = [
        part.strip().lower() for part in selector.split(";") if part.strip() and not part.strip().startswith("!")
    ]
    return bool(accepted) and not any(part.startswith(("*", "level_zero")) for part in accepted)

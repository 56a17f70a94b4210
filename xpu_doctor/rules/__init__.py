"""All rules that the doctor knows: one file per finding code, in an explicit tuple per layer."""

from __future__ import annotations

from xpu_doctor.rule import Rule
from xpu_doctor.rules import access, application, compute, device, doctor, driver, enumeration, import_, kernel, runtime, wheel

RULES: tuple[type[Rule], ...] = (
    *device.RULES,
    *kernel.RULES,
    *access.RULES,
    *driver.RULES,
    *runtime.RULES,
    *wheel.RULES,
    *import_.RULES,
    *enumeration.RULES,
    *compute.RULES,
    *application.RULES,
    *doctor.RULES,
)

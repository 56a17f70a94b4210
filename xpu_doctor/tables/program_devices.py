"""How programs around torch are told to compute on an XPU device, and from which release they can."""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

from xpu_doctor.model.versions import numbers
from xpu_doctor.tables.rows import Name, Row, rows


class Takes(Enum):
    """How an application comes to compute on an XPU device."""

    ITSELF = "itself"
    """It takes one where torch offers one."""
    ASKED = "asked"
    """It takes one where it is told."""
    NONE = "none"
    """It has no device type for XPU."""


class ProgramDevice(Row, frozen=True, kw_only=True):
    """One application or library."""

    table: ClassVar[str] = "program_devices.application"
    application: Name
    distribution: str
    """Its name on the package index; empty where it comes from no index."""
    modules: tuple[str, ...]
    """What it is imported as."""
    takes: Takes
    since: str = ""
    """The first release that can; empty where every release that was read can, or none."""
    say: str
    """What to type; where nothing takes XPU, what to do in place of it."""
    code: bool = False
    """Whether `say` is a line to type."""

    @property
    def called(self) -> str:
        """The word by which the facts name it: the distribution, else the application."""
        return self.distribution or self.application

    def can(self, version: str) -> bool:
        """Return whether a release takes an XPU device; one whose number is not known counts as new."""
        found = numbers(version)
        return self.takes is not Takes.NONE and not (self.since and found and found < numbers(self.since))


def program_devices() -> tuple[ProgramDevice, ...]:
    """Return the rows, the most specific application first: what others are built on comes after them."""
    return rows(ProgramDevice)


def application_of(told: str) -> tuple[ProgramDevice, str] | None:
    """Return the row and the version of an application as facts name it, e.g. `ultralytics 8.3.0`; None where the table has none."""
    name, _, version = told.rpartition(" ")
    name, version = (name, version) if numbers(version) else (told, "")
    wanted = name.lower().replace("_", "-")
    row = next((row for row in program_devices() if wanted in (row.called.lower(), row.application.lower())), None)
    return None if row is None else (row, version)

"""What is found before a step: obstacles with their evidence, what could not be found out, and how much will be downloaded."""

from __future__ import annotations

from dataclasses import dataclass, field

from xpu_doctor.model.unknown import Unknown


@dataclass(frozen=True)
class DownloadSize:
    """The sizes of files that are known, in bytes, and what is not known."""

    known: int = 0
    unknown: tuple[str, ...] = ()
    """Names of the packages whose size nobody tells."""
    complete: bool = False
    """Whether every package is named, those included that the wanted ones require."""

    @property
    def whole(self) -> bool:
        """Whether `known` is all of it; else it is more than that."""
        return self.complete and not self.unknown

    def __add__(self, other: DownloadSize) -> DownloadSize:
        return DownloadSize(
            self.known + other.known,
            tuple(dict.fromkeys((*self.unknown, *other.unknown))),
            self.complete and other.complete,
        )


@dataclass(frozen=True)
class Obstacle:
    """One thing because of which a step is not begun."""

    what: str
    why: str
    """The evidence: one line, of the installer or of the system."""
    way_out: str


@dataclass(frozen=True)
class Readiness:
    """What was found before a step."""

    obstacles: tuple[Obstacle, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    """What could not be found out, each so that it can be read after the words `not known`; it is no obstacle."""
    download: DownloadSize = field(default_factory=DownloadSize)


def in_words(size: int) -> str:
    """Return a number of bytes as people read it, e.g. `3.4 GB`."""
    value = float(size)
    for unit in ("bytes", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"

"""All files that an install would fetch, found by reading the index's pages and the metadata that it serves apart; nothing is downloaded."""

from __future__ import annotations

import concurrent.futures
import email.parser
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from packaging.markers import InvalidMarker, UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from xpu_doctor.model.facts import Python
from xpu_doctor.model.unknown import Unknown, known_or
from xpu_doctor.treatment.index_pages import SECONDS, Offer, best, metadata_of, offers

AT_ONCE = 8
MOST = 120
"""Packages that are looked at; an install of torch has some thirty."""
SYSTEMS: Mapping[str, tuple[str, str, str]] = {
    "linux": ("linux", "Linux", "posix"),
    "windows": ("win32", "Windows", "nt"),
    "macos": ("darwin", "Darwin", "posix"),
}
"""What markers call a system: sys_platform, platform_system, os_name."""


@dataclass(frozen=True)
class WantedFiles:
    """The files by package, and what stayed open."""

    offers: Mapping[str, Offer]
    gaps: tuple[str, ...] = ()
    """Packages that no page lists, or whose own requirements are not served apart."""

    @property
    def light(self) -> bool:
        """Whether an installer can learn the requirements of each file without fetching it."""
        return bool(self.offers) and all(offer.metadata for offer in self.offers.values())


def wanted_files(index: str, specs: Iterable[str], python: Python, seconds: float = SECONDS) -> WantedFiles:
    """Return the files of some requirements and of all that these require: for each package the newest that the first requirement allows.

    An installer that has to go back to an older version of something comes to another list; torch pins what it requires.
    """
    found: dict[str, Offer] = {}
    gaps: list[str] = []
    seen: set[str] = set()
    left = list(filter(None, map(_requirement, specs)))
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        while left and len(seen) < MOST:
            now = {
                canonicalize_name(item.name): item
                for item in reversed(left)
                if canonicalize_name(item.name) not in seen
            }
            seen.update(now)
            left = []
            for name, answer in zip(
                now, pool.map(lambda item: _look(index, item, python, seconds), now.values()), strict=True
            ):
                offer, further = answer
                if offer is None or further is None:
                    gaps.append(name)
                if offer is not None:
                    found[name] = offer
                left += further or ()
    return WantedFiles(found, tuple(gaps))


def _look(
    index: str, wanted: Requirement, python: Python, seconds: float
) -> tuple[Offer | None, tuple[Requirement, ...] | None]:
    """Return the file of one requirement and what that requires; None for either where it is not known."""
    page = offers(index, wanted.name, seconds)
    offer = None if isinstance(page, Unknown) else best(page, wanted.specifier, python)
    # Mirrors serve metadata apart that their pages do not mention.
    text = None if offer is None else metadata_of(offer, seconds)
    if not isinstance(text, str) or not text.startswith("Metadata-Version:"):
        return offer, None
    lines = email.parser.HeaderParser().parsestr(text).get_all("Requires-Dist") or ()
    return offer, tuple(
        item for line in lines if (item := _requirement(str(line))) and _applies(item, wanted.extras, python)
    )


def _requirement(text: str) -> Requirement | None:
    try:
        return Requirement(text)
    except InvalidRequirement:
        return None


def _applies(item: Requirement, extras: set[str], python: Python) -> bool:
    """Return whether a requirement's marker holds for an interpreter."""
    if item.marker is None:
        return True
    version = known_or(python.version, "")
    system = SYSTEMS.get(known_or(python.os, ""), ("", "", ""))
    told = {
        "python_full_version": version,
        "python_version": ".".join(version.split(".")[:2]),
        "platform_machine": known_or(python.architecture, ""),
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        **dict(zip(("sys_platform", "platform_system", "os_name"), system, strict=True)),
    }
    try:
        return any(item.marker.evaluate({**told, "extra": extra}) for extra in ("", *extras))
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName):
        return True

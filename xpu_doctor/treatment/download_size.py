"""How much an install downloads: told by the index's pages, or by the servers of the files."""

from __future__ import annotations

import concurrent.futures
from dataclasses import dataclass

from packaging.specifiers import SpecifierSet

from xpu_doctor.model.facts import Python
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.treatment.index_answer import Answer, Download, specifier_of
from xpu_doctor.treatment.index_pages import best, length_of, offers

AT_ONCE = 8
MOST = 200
"""Files that are asked for; an install of torch has some thirty."""


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


def size_of(answer: Answer, python: Python) -> DownloadSize:
    """Return how much the command of an answer downloads."""
    wanted = answer.downloads[:MOST]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        sizes = list(pool.map(lambda item: _size(item, answer.trial.index, python), wanted))
    return DownloadSize(
        sum(size for size in sizes if size is not None),
        tuple(item.name for item, size in zip(wanted, sizes, strict=True) if size is None),
        answer.complete and len(wanted) == len(answer.downloads),
    )


def _size(item: Download, index: str, python: Python) -> int | None:
    if item.url:
        length = length_of(item.url)
        if not isinstance(length, Unknown):
            return length
    found = offers(index, item.name) if index else Unknown("no index is named")
    if isinstance(found, Unknown):
        return None
    offer = best(found, specifier_of(f"{item.name}=={item.version}") if item.version else SpecifierSet(), python)
    if offer is None:
        return None
    if offer.size is not None:
        return offer.size
    length = length_of(offer.url)
    return None if isinstance(length, Unknown) else length

"""How much an install downloads: told by the index's pages, or by the servers of the files."""

from __future__ import annotations

import concurrent.futures

from packaging.specifiers import SpecifierSet

from xpu_doctor.model.facts import Python
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.treatment.index_answer import Answer, Download, specifier_of
from xpu_doctor.treatment.index_pages import best, length_of, offers
from xpu_doctor.treatment.obstacle import DownloadSize

AT_ONCE = 8
MOST = 200
"""Files that are asked for; an install of torch has some thirty."""


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
    if item.size is not None:
        return item.size
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

"""What a package index lists of a project, and how large a file is: the simple index of PEP 503 and PEP 691, read by the doctor itself."""

from __future__ import annotations

import http.client
import json
import os
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from packaging.specifiers import SpecifierSet
from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from xpu_doctor.model.facts import Python
from xpu_doctor.model.unknown import Maybe, Unknown, holds, known_or

PAGE_LIMIT = 32 << 20
"""Bytes of a page that are read; that of torch has a few hundred kilobytes."""
ACCEPTED = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
SECONDS = 10.0


@dataclass(frozen=True)
class Offer:
    """One file of a project's page."""

    file: str
    url: str
    size: int | None = None
    """In bytes, where the page tells."""
    metadata: bool = False
    """Whether the index serves its metadata apart (PEP 658), so that nobody has to download it to know its requirements."""

    @property
    def version(self) -> str:
        """The version in a wheel's name, or empty."""
        parts = self.file.split("-")
        return parts[1] if self.file.endswith(".whl") and len(parts) > 4 else ""


def offers(index: str, project: str, seconds: float = SECONDS) -> Maybe[tuple[Offer, ...]]:
    """Return the files that an index lists of a project."""
    address = f"{index.rstrip('/')}/{canonicalize_name(project)}/"
    answer = _ask("GET", address, seconds, {"Accept": ACCEPTED})
    if isinstance(answer, Unknown):
        return answer
    url, kind, body = answer
    try:
        text = body.decode("utf-8")
        return _from_json(json.loads(text), url) if "json" in kind else _from_html(text, url)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        return Unknown(f"{address}: no page of a package index ({type(error).__name__})")


def metadata_of(offer: Offer, seconds: float = SECONDS) -> Maybe[str]:
    """Return the metadata of a file that an index serves apart (PEP 658)."""
    answer = _ask("GET", offer.url.partition("#")[0] + ".metadata", seconds, {})
    return answer if isinstance(answer, Unknown) else answer[2].decode("utf-8", "replace")


def length_of(url: str, seconds: float = SECONDS) -> Maybe[int]:
    """Return how many bytes a file has: asked without fetching it, or looked up where it lies on this machine."""
    if url.startswith("file:"):
        try:
            parts = urllib.parse.urlsplit(url)
            return os.stat(urllib.request.url2pathname(parts.path)).st_size
        except (OSError, ValueError) as error:
            return Unknown(f"{url}: {type(error).__name__}")
    answer = _ask("HEAD", url.partition("#")[0], seconds, {"Accept-Encoding": "identity"})
    if isinstance(answer, Unknown):
        return answer
    length = answer[2].decode()
    return int(length) if re.fullmatch(r"\d{1,18}", length) else Unknown(f"{url}: the server tells no size")


def best(found: tuple[Offer, ...], wanted: SpecifierSet, python: Python) -> Offer | None:
    """Return the newest wheel that is wanted and fits an interpreter, the largest where several do; None where none does."""
    fitting = [
        (version, offer.size or 0, offer.file, offer)
        for offer in found
        if (version := fits(offer.file, wanted, python))
    ]
    return max(fitting, key=lambda row: row[:3])[3] if fitting else None


def fits(file: str, wanted: SpecifierSet, python: Python) -> Version | None:
    """Return the version of a wheel that is wanted and that an interpreter could take, None of any other file."""
    try:
        _, version, _, tags = parse_wheel_filename(file)
    except (InvalidWheelFilename, ValueError):
        return None
    return version if wanted.contains(version, prereleases=True) and any(_fits(tag, python) for tag in tags) else None


def _fits(tag: Tag, python: Python) -> bool:
    return _fits_version(tag, python) and _fits_system(tag, python)


def _fits_version(tag: Tag, python: Python) -> bool:
    """Compare interpreter and ABI; a version that is not known could be any."""
    version = known_or(python.version, "").split(".")
    if len(version) < 2 or not version[1].isdigit():
        return True
    threaded = holds(python.free_threaded)
    own = f"cp{version[0]}{version[1]}"
    if tag.interpreter == own and tag.abi in (f"{own}t" if threaded else own, "none"):
        return True
    since = re.fullmatch(r"(py|cp)3(\d{0,2})", tag.interpreter)
    open_to_later = since is not None and (since[1] == "py" or (tag.abi == "abi3" and not threaded))
    return since is not None and open_to_later and int(since[2] or 0) <= int(version[1])


def _fits_system(tag: Tag, python: Python) -> bool:
    """Compare system, C library and machine."""
    if tag.platform == "any":
        return True
    system = {"windows": "win", "macos": "macosx"}.get(known_or(python.os, ""), "linux")
    musl = known_or(python.libc, "").startswith("musl")
    if system not in tag.platform or (system == "linux" and musl is not tag.platform.startswith("musllinux")):
        return False
    machine = known_or(python.architecture, "").lower()
    same = {"amd64": ("x86_64", "amd64"), "x86_64": ("x86_64", "amd64"), "arm64": ("arm64", "aarch64")}
    return not machine or tag.platform.endswith(same.get(machine, (machine,)))


class _Links(HTMLParser):
    """Collects the links of a page with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a link."""
        if tag == "a":
            self.found.append(dict(attrs))


def _from_html(text: str, base: str) -> tuple[Offer, ...]:
    page = _Links()
    page.feed(text)
    found = []
    for link in page.found:
        url = urllib.parse.urljoin(base, link.get("href") or "")
        file = urllib.parse.unquote(urllib.parse.urlsplit(url).path.rpartition("/")[2])
        apart = any(link.get(name, "false") != "false" for name in ("data-core-metadata", "data-dist-info-metadata"))
        if file:
            found.append(Offer(file, url, metadata=apart))
    return tuple(found)


def _from_json(page: Any, base: str) -> tuple[Offer, ...]:
    return tuple(_from_row(row, base) for row in page["files"] if isinstance(row.get("filename"), str))


def _from_row(row: Mapping[str, Any], base: str) -> Offer:
    size = row.get("size")
    apart = row.get("core-metadata") or row.get("data-dist-info-metadata")
    known = size if isinstance(size, int) and 0 <= size < 1 << 50 else None
    return Offer(row["filename"], urllib.parse.urljoin(base, str(row["url"])), known, bool(apart))


def _ask(method: str, url: str, seconds: float, headers: Mapping[str, str]) -> Maybe[tuple[str, str, bytes]]:
    """Return the last address, the content's type and the body; the length that the server tells instead of a body for HEAD."""
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError as error:
        return Unknown(f"{url}: {error}")
    shown = url.replace(parts.netloc, parts.netloc.rpartition("@")[2]) if "@" in parts.netloc else url
    if parts.scheme not in ("http", "https"):
        return Unknown(f"{shown}: not asked")
    if "@" in parts.netloc:
        return Unknown(f"{shown}: its address holds credentials, which only the installer uses")
    try:
        request = urllib.request.Request(url, headers=dict(headers), method=method)  # noqa: S310 - the scheme is looked at above
        with urllib.request.urlopen(request, timeout=seconds) as answer:  # noqa: S310
            kind = answer.headers.get_content_type()
            length = (answer.headers.get("Content-Length") or "").encode()
            return answer.url, kind, length if method == "HEAD" else _body(answer, seconds)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return Unknown(f"{shown}: {_said(error)}")


def _body(answer: http.client.HTTPResponse, seconds: float) -> bytes:
    """Read a page to its end; a server that drips is not waited for."""
    deadline, parts, left = time.monotonic() + 3 * seconds, [], PAGE_LIMIT
    while left > 0 and (part := answer.read(min(left, 1 << 16))):
        if time.monotonic() > deadline:
            raise TimeoutError("the page does not end")
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _said(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"{error.code} {error.reason}"
    return str(getattr(error, "reason", "") or error) or type(error).__name__

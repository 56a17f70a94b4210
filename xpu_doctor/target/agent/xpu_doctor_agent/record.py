"""RECORD of a distribution against the disk."""

from __future__ import annotations

import os
import time

from .facts import unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .facts import Facts

    Listing = dict[str, int] | str

MAX_FAULTS = 20
HASHED = ("torch/version.py", "torch/__init__.py", "torch/xpu/__init__.py")
"""Files whose contents are compared too: small, and what people edit or overwrite."""


def record(folder: str, path: str, until: float) -> Facts:
    """Compare RECORD with the disk: sizes of all files, contents of a few; what a slow disk leaves no time for is unknown."""
    try:
        with open(os.path.join(path, "RECORD"), "rb") as stream:
            rows = stream.read().decode("utf-8", "replace").splitlines()
    except OSError as error:
        return {"record": False, "file_faults": unknown(f"no RECORD: {error.strerror}")}
    faults: list[Facts] = []
    count = 0
    listings: dict[str, Listing] = {}
    for row in rows:
        name, digest, size = _row(row)
        if not name or name.endswith(".pyc") or not size:
            continue
        if time.perf_counter() > until and not faults:
            reason = f"the disk is slow: only {count} of {len(rows)} files could be looked at in time"
            return {"record": True, "file_faults": unknown(reason), "file_count": count}
        count += 1
        fault = _fault(folder, name, digest, size, listings)
        if fault:
            faults.append({"path": name, "fault": fault[0], "detail": fault[1]})
    return {"record": True, "file_faults": faults[:MAX_FAULTS], "file_fault_count": len(faults), "file_count": count}


def _row(row: str) -> tuple[str, str, str]:
    """Split a row of RECORD into name, digest and size; quoted names are unquoted."""
    if row.startswith('"'):
        name, _, rest = row[1:].rpartition('",')
        name = name.replace('""', '"')
    else:
        name, _, rest = row.partition(",")
    digest, _, size = rest.partition(",")
    return name, digest, size.strip()


def _fault(folder: str, name: str, digest: str, size: str, listings: dict[str, Listing]) -> tuple[str, str] | None:
    """Return what is wrong with a file of RECORD, as (fault, detail), or None."""
    parent, _, leaf = name.rpartition("/")
    if parent not in listings:
        listings[parent] = _listing(os.path.join(folder, *parent.split("/")) if parent else folder)
    entries = listings[parent]
    key = os.path.normcase(leaf)
    if isinstance(entries, str):
        return ("unreadable", entries) if entries != "missing" else ("missing", "")
    if key not in entries:
        return ("missing", "")
    found = entries[key]
    path = os.path.join(folder, *name.split("/"))
    if size.isdigit() and found != int(size):
        # Windows keeps a stale size in the folder for hard links, which uv makes: ask the file itself.
        found = _size(path, found)
    if size.isdigit() and found != int(size):
        said = f"RECORD says {size}"
        return ("empty", f"0 bytes, {said}") if found == 0 else ("size", f"{found} bytes, {said}")
    if name in HASHED and digest.startswith("sha256=") and not _digest_holds(path, digest[7:]):
        return ("content", "its SHA-256 is not the one in RECORD")
    return None


def _size(path: str, default: int) -> int:
    """Return the size of a file in bytes, or `default` where it cannot be asked."""
    try:
        return os.stat(path).st_size
    except OSError:
        return default


def _listing(folder: str) -> Listing:
    """Return the sizes of a folder's files by name, `missing`, or why it cannot be listed."""
    try:
        with os.scandir(folder) as entries:
            return {
                os.path.normcase(entry.name): entry.stat().st_size
                for entry in entries
                if not entry.is_dir() and _exists(entry)
            }
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    except OSError as error:
        return str(error.strerror)


def _exists(entry: os.DirEntry[str]) -> bool:
    """Return whether a directory entry leads to a file (a link may lead nowhere)."""
    try:
        entry.stat()
    except OSError:
        return False
    return True


def _digest_holds(path: str, digest: str) -> bool:
    """Return whether a file has the urlsafe base64 SHA-256 of RECORD."""
    import base64
    import hashlib

    try:
        with open(path, "rb") as stream:
            found = base64.urlsafe_b64encode(hashlib.sha256(stream.read()).digest()).rstrip(b"=").decode("ascii")
    except OSError:
        return True
    return found == digest

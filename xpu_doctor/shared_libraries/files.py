"""Bounded reading of files that may be damaged or hostile, below an optional root folder."""

from __future__ import annotations

import os
import stat
from types import TracebackType

WINDOW = 4096
"""Bytes that one look at a string table reads."""


class BadLibrary(Exception):
    """A file that a loader would refuse; `kind` says why in one word."""

    def __init__(self, kind: str, detail: str, version: str = "") -> None:
        super().__init__(detail)
        self.kind = kind
        """`short`, `not-a-library`, `foreign`, `truncated`, `corrupt`."""
        self.detail = detail
        self.version = version


class Reader:
    """An open regular file, read at given places; nothing is mapped, so a file that shrinks cannot kill the reader."""

    def __init__(self, path: str) -> None:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise IsADirectoryError(f"not a regular file: {path}")
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115 - closed by __exit__
        self.size = os.fstat(self._file.fileno()).st_size
        self._window = (0, b"")

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def at(self, offset: int, size: int) -> bytes:
        """Return exactly `size` bytes from `offset`; a file that ends earlier is corrupt."""
        if offset < 0 or size < 0 or offset + size > self.size:
            raise BadLibrary(
                "truncated", f"{size} bytes at {offset:#x} lie beyond the end of the file ({self.size} bytes)"
            )
        self._file.seek(offset)
        data = self._file.read(size)
        while data is not None and len(data) < size:
            more = self._file.read(size - len(data))
            if not more:
                raise BadLibrary("truncated", f"the file ended while it was read at {offset:#x}")
            data += more
        return data

    def text(self, offset: int, limit: int = WINDOW) -> str:
        """Return the zero-terminated string at `offset`, of at most `limit` bytes."""
        start, window = self._window
        inside = window[offset - start :] if start <= offset < start + len(window) else b""
        end = inside.find(b"\0")
        if end < 0:
            window = self.at(offset, min(limit, self.size - offset)) if 0 <= offset < self.size else b""
            self._window, inside = (offset, window), window
            end = window.find(b"\0")
        if end < 0 or end > limit:
            raise BadLibrary("corrupt", f"a string at {offset:#x} has no end")
        return inside[:end].decode("utf-8", "replace")


class Files:
    """The file system that a loader would see, optionally a copy of one below `root`; answers are remembered."""

    def __init__(self, root: str = "") -> None:
        self.root = root.rstrip("/")
        self._identities: dict[str, tuple[int, int] | None] = {}
        self._names: dict[str, dict[str, str]] = {}

    def local(self, path: str) -> str:
        """Return where a path of the examined system lies on this machine."""
        return self.root + path if self.root and not path.startswith(self.root + "/") else path

    def identity(self, path: str) -> tuple[int, int] | None:
        """Return device and inode of what a path leads to, or None where nothing is."""
        if path not in self._identities:
            try:
                state = os.stat(self.local(path))
                self._identities[path] = (state.st_dev, state.st_ino)
            except (OSError, ValueError):
                self._identities[path] = None
        return self._identities[path]

    def folder(self, path: str) -> bool:
        """Return whether a path leads to a folder."""
        return os.path.isdir(self.local(path))

    def names(self, folder: str) -> dict[str, str]:
        """Return the names in a folder by their lower-case spelling; empty where it cannot be listed."""
        if folder not in self._names:
            try:
                self._names[folder] = {name.lower(): name for name in os.listdir(self.local(folder))}
            except (OSError, ValueError):
                self._names[folder] = {}
        return self._names[folder]

    def open(self, path: str) -> Reader:
        """Open a regular file; raises OSError."""
        return Reader(self.local(path))

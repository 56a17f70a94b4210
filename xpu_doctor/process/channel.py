"""Where a child writes so that the parent can read it at any time: no pipe whose other end can be held open."""

from __future__ import annotations

import os
import sys
import tempfile
from functools import cache
from typing import Any

MAX_BYTES = 32 << 20
"""More than this of one channel is not read: a child that writes into it by itself must not fill the parent's memory."""

PREFIX, SUFFIX = "xpu-doctor-", ".channel"
"""Of the names of files where there are none without a name: on Windows."""


class Channel:
    """A file that the child appends to: in memory on Linux, so that a read-only root without /tmp still works."""

    def __init__(self, name: str, head: bytes = b"") -> None:
        """Open the file; `head` is for the child to read, and never read back."""
        self._temporary: Any = None
        self.path = ""
        self.handle = self._opened(name)
        os.write(self.handle, head)
        self._read = len(head)

    def _opened(self, name: str) -> int:
        if hasattr(os, "memfd_create"):
            try:
                return os.memfd_create(f"xpu-doctor-{name}")
            except OSError:  # a sandbox without memfd_create
                pass
        if sys.platform == "win32":
            _forget_the_killed()
            handle, self.path = tempfile.mkstemp(prefix=f"{PREFIX}{name}-", suffix=SUFFIX)
            return handle
        self._temporary = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the channel
        return int(self._temporary.fileno())

    @property
    def where(self) -> str:
        """The name by which the agent opens its end."""
        return self.path or f"fd:{self.handle}"

    @property
    def inherited(self) -> tuple[int, ...]:
        """File descriptors that the child must inherit."""
        return () if self.path else (self.handle,)

    def new(self, most: int = MAX_BYTES) -> bytes:
        """Return what was appended since the last call, of that at most so many bytes."""
        size = min(os.fstat(self.handle).st_size, MAX_BYTES, self._read + most)
        if size <= self._read:
            return b""
        data = self._pread(size - self._read)
        self._read += len(data)
        return data

    @property
    def heard(self) -> int:
        """Bytes that were read so far."""
        return self._read

    def _pread(self, count: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(self.handle, count, self._read)
        os.lseek(self.handle, self._read, os.SEEK_SET)
        return os.read(self.handle, count)

    def close(self) -> None:
        """Give the file back."""
        if self._temporary is not None:
            self._temporary.close()
        else:
            os.close(self.handle)
        if self.path:
            try:
                os.unlink(self.path)
            except OSError:
                pass


@cache
def _forget_the_killed() -> None:
    """Delete what doctors have left that were killed; Windows deletes no file that a living one has open."""
    try:
        with os.scandir(tempfile.gettempdir()) as entries:
            left = [entry.path for entry in entries if entry.name.startswith(PREFIX) and entry.name.endswith(SUFFIX)]
    except OSError:
        return
    for path in left:
        try:
            os.unlink(path)
        except OSError:
            pass

"""What a child prints: read as it comes, only its beginning and its end kept."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import NamedTuple


class Keep(NamedTuple):
    """How many bytes of an output are kept, from its beginning and from its end."""

    head: int = 4096
    tail: int = 4096


ENDS = Keep()


class Output:
    """The reading end of a pipe; a thread drains it, so that a flood neither blocks the child nor fills the memory."""

    def __init__(self, handle: int, keep: Keep = ENDS, echo: Callable[[bytes], None] | None = None) -> None:
        self._handle = handle
        self._keep = keep
        self._echo = echo
        self._head = b""
        self._tail = b""
        self._total = 0
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        while True:
            try:
                data = os.read(self._handle, 1 << 16)
            except OSError:
                return
            if not data:
                return
            self._total += len(data)
            if self._echo is not None:
                self._echo(data)
            if len(self._head) < self._keep.head:
                taken = self._keep.head - len(self._head)
                self._head += data[:taken]
                data = data[taken:]
            self._tail = (self._tail + data)[-self._keep.tail :] if self._keep.tail else b""

    def finish(self, seconds: float = 0.3) -> str:
        """Return the text; a grandchild that holds the pipe open is not waited for longer than `seconds`."""
        self._thread.join(seconds)
        if not self._thread.is_alive() and self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
        cut = self._total - len(self._head) - len(self._tail)
        middle = f"\n[... {cut} bytes cut ...]\n".encode() if cut > 0 and self._keep.tail else b""
        return (self._head + middle + self._tail).decode("utf-8", "replace")

    @property
    def total(self) -> int:
        """Bytes that were printed in all."""
        return self._total

"""A small process beside the command that tells whether a signal came to both, so that it is not passed on a second time.

`timeout` and `mpiexec` send signals to the process group, and a batch system to every process of a job: the command has its own then.
"""

from __future__ import annotations

import os
import select
import signal
import struct
import threading
import time
from collections.abc import Collection
from types import FrameType

WORD = struct.Struct("=Bd")
"""The number of a signal, and when it came, on `time.monotonic()`."""
WAIT_SECONDS = 0.05
"""How long after a signal of our own the witness may take to tell of its."""
TOGETHER_SECONDS = 1.0
"""Signals of one number that come within so long belong together: `timeout` sends one to its child and one to the group."""


class Witness:
    """Sits in this process's group and session, has its cgroup, and ends with it."""

    def __init__(self, numbers: Collection[int]) -> None:
        """Start it; where there can be none, nothing is ever known to have come to the command too."""
        self._pid = self._living = self._words = 0
        self._came: dict[int, float] = {}
        if not hasattr(os, "fork") or threading.active_count() > 1:
            return
        ends: list[int] = []
        try:
            ends += os.pipe()
            ends += os.pipe()
            self._pid = os.fork()
        except OSError:
            for descriptor in ends:
                os.close(descriptor)
            return
        words, telling, living, self._living = ends
        if self._pid == 0:
            _attend(numbers, telling, living)
        os.close(telling)
        os.close(living)
        os.set_blocking(words, False)
        self._words = words

    def saw(self, number: int) -> bool:
        """Whether a signal of this number came to the witness as well, just now."""
        if not self._pid:
            return False
        until = time.monotonic() + WAIT_SECONDS
        while True:
            self._listen()
            now = time.monotonic()
            if now - self._came.get(number, -TOGETHER_SECONDS) < TOGETHER_SECONDS:
                return True
            if now >= until:
                return False
            select.select([self._words], [], [], until - now)

    def _listen(self) -> None:
        try:
            told = os.read(self._words, WORD.size * 512)
        except OSError:
            return
        self._came.update(WORD.iter_unpack(told[: len(told) // WORD.size * WORD.size]))

    def close(self) -> None:
        """End it."""
        if not self._pid:
            return
        os.close(self._living)
        os.close(self._words)
        try:
            os.waitpid(self._pid, 0)
        except OSError:  # another part of this program waited for all its children
            pass
        self._pid = 0


def _attend(numbers: Collection[int], telling: int, living: int) -> None:
    """Tell of each signal until the other process has ended; never returns."""
    try:

        def tell(number: int, frame: FrameType | None) -> None:
            os.write(telling, WORD.pack(number, time.monotonic()))

        for number in numbers:
            signal.signal(number, tell)
        _keep_only(telling, living)
        while os.read(living, 1):
            pass
    finally:
        os._exit(0)


def _keep_only(*descriptors: int) -> None:
    """Let go of what belongs to the command: a stream ends when nobody holds it any more."""
    begin = 0
    for descriptor in sorted(descriptors):
        os.closerange(begin, descriptor)
        begin = descriptor + 1
    os.closerange(begin, min(os.sysconf("SC_OPEN_MAX"), 1 << 16))

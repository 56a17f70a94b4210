"""Says on stderr which probe is being waited for, or how many reports were read, once it takes longer than a moment."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TextIO

from xpu_doctor.text.output import to_stderr
from xpu_doctor.text.visible import visible

PATIENCE = 1.5
"""Seconds of silence before anything is said."""


class Progress:
    """A line that names the slowest running stage; on a terminal it is rewritten, elsewhere each is printed once."""

    def __init__(self, stream: TextIO | None = None, *, enabled: bool = True) -> None:
        self._stream = stream or sys.stderr
        self._live = bool(getattr(self._stream, "isatty", lambda: False)())
        self._running: dict[str, tuple[float, float]] = {}
        self._told: set[str] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._shown = False
        self._thread = threading.Thread(target=self._tick, daemon=True) if enabled else None
        if self._thread:
            try:
                self._thread.start()
            except RuntimeError:  # no new thread can be started: nothing is said, and nothing lost
                self._thread = None

    def begins(self, stage: str, deadline: float, agent: str = "") -> None:
        """Note that a stage begins; an empty name says that its agent is done."""
        with self._lock:
            self._running.pop(agent, None)
            if stage:
                self._running[agent] = (time.monotonic(), deadline)
                self._names = {**getattr(self, "_names", {}), agent: stage}

    def close(self) -> None:
        """Stop, and clear the line."""
        self._stop.set()
        if self._thread:
            self._thread.join(1.0)
        if self._shown and self._live:
            self._write("\r\x1b[K")

    def _tick(self) -> None:
        while not self._stop.wait(0.25):
            with self._lock:
                slow = [
                    (began, agent, deadline)
                    for agent, (began, deadline) in self._running.items()
                    if time.monotonic() - began > PATIENCE
                ]
            if slow:
                began, agent, deadline = min(slow)
                self._show(self._names[agent], time.monotonic() - began, deadline)

    def _show(self, stage: str, seconds: float, deadline: float) -> None:
        name = visible(stage, one_line=True)
        if self._live:
            self._shown = True
            columns = _columns(self._stream)
            line = f"waiting for the stage {name}: {seconds:.0f} s of at most {deadline:g} s"
            self._write(f"\r\x1b[K{line[: columns - 1]}")
        elif stage not in self._told:
            self._told.add(stage)
            self._write(f"waiting for the stage {name} (at most {deadline:g} s)\n")

    def _write(self, text: str) -> None:
        to_stderr(text, self._stream, own_sequences=True)


def _columns(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


class Counting:
    """A line on a terminal that says how many reports were read, once that takes longer than a moment."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._live = bool(getattr(self._stream, "isatty", lambda: False)())
        self._next = time.monotonic() + PATIENCE
        self._shown = False

    def tell(self, count: int) -> None:
        """Say how many were read so far."""
        if self._live and time.monotonic() >= self._next:
            self._next = time.monotonic() + 0.5
            self._shown = True
            to_stderr(f"\r\x1b[K{count} reports read", self._stream, own_sequences=True)

    def close(self) -> None:
        """Clear the line."""
        if self._shown:
            to_stderr("\r\x1b[K", self._stream, own_sequences=True)

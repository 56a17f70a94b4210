"""Where the CPU time of Python processes goes: their stacks, sampled now and then by py-spy, where that is installed and permitted."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator

from xpu_doctor.model.facts.watched import HotSpot
from xpu_doctor.model.unknown import Maybe, Unknown
from xpu_doctor.process.child import Child

RATE = 5
"""Samples in a second."""
WINDOW_SECONDS = 20
"""How long py-spy looks at a time; to start it costs more than to sample."""
STARTS = (10.0, 60.0, 180.0, 600.0, 1800.0)
"""Seconds after the start of the watch at which it looks; after the last one, each hour."""
EACH_FURTHER = 3600.0
END_SECONDS = 3.0
"""How long a py-spy whose program has ended may take to write what it saw."""
OUTPUT_LIMIT = 4 << 20
LISTED = 5
LINE = re.compile(r"([^;]{1,300}) \(([^()]{0,600}):(\d{1,7})\) (\d{1,11})")
"""The innermost frame of a stack in py-spy's raw format, and how often the stack was seen."""
NOT_INSTALLED = "py-spy is not installed: pip install 'xpu-doctor[watch]' adds it"
TOO_SHORT = f"the program ended before its stacks were looked at, {STARTS[0]:.0f} seconds after the start"
NO_PYTHON = "no Python process of the program was found to look at"


def hot_spots(text: str) -> tuple[HotSpot, ...]:
    """Return the functions in which most sampled stacks ended, from py-spy's raw output; each with the line that was seen most."""
    lines: Counter[tuple[str, str, int]] = Counter()
    for row in text.splitlines():
        match = LINE.fullmatch(row.rpartition(";")[2])
        if match:
            lines[match[1][:200], match[2][:400], int(match[3])] += int(match[4])
    functions: Counter[tuple[str, str]] = Counter()
    for (function, file, _), count in lines.items():
        functions[function, file] += count
    total = sum(functions.values())
    spots = []
    for (function, file), count in functions.most_common(LISTED):
        line = max((seen, -line) for (name, of, line), seen in lines.items() if (name, of) == (function, file))[1]
        spots.append(HotSpot(function, file, -line, round(count / total, 4)))
    return tuple(spots)


class Stacks:
    """Has py-spy look at one process and its children, in windows; `tick()` now and then, `finish()` at the end."""

    def __init__(self, target: Callable[[], int], began: float) -> None:
        """Prepare; `target` returns the pid of a Python of the program, 0 where none is known yet."""
        self._target = target
        self._program = _py_spy()
        self._times = _times(began)
        self._due = next(self._times)
        self._look: Child | None = None
        self._folder = ""
        self._deadline = 0.0
        self._text: list[str] = []
        self._why = TOO_SHORT if self._program else NOT_INSTALLED

    def tick(self) -> None:
        """Start a look that is due, take what one that ended has seen, and end one that hangs."""
        if not self._program:
            return
        now = time.monotonic()
        if self._look is not None:
            if self._look.wait(0) or now > self._deadline:
                self._collect()
        elif now >= self._due:
            while self._due <= now:
                self._due = next(self._times)
            self._start(now)

    def finish(self) -> Maybe[tuple[HotSpot, ...]]:
        """Return where the time went, or why that is not known."""
        if self._look is not None:
            self._look.wait(END_SECONDS)
            self._collect()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
        return hot_spots("\n".join(self._text)) or Unknown(self._why)

    def _start(self, now: float) -> None:
        pid = self._target()
        if not pid:
            self._why = NO_PYTHON
            return
        arguments = [
            self._program, "record", "--pid", str(pid), "--subprocesses", "--rate", str(RATE), "--duration", str(WINDOW_SECONDS),
            "--nonblocking", "--format", "raw", "--output",
        ]  # fmt: skip
        try:
            self._folder = self._folder or tempfile.mkdtemp(prefix="xpu-doctor-stacks-")
            self._look = Child([*arguments, self._file()], os.environ, "")
        except OSError as error:
            self._why = f"py-spy cannot be started: {error.strerror or error}"
            self._program = ""
        self._deadline = now + WINDOW_SECONDS + END_SECONDS

    def _collect(self) -> None:
        look, self._look = self._look, None
        if look is None:
            return
        _, said, _ = look.end()
        text = _read(self._file())
        if text:
            self._text.append(text)
        else:
            self._why = _reason(said)
        try:
            os.unlink(self._file())
        except OSError:
            pass

    def _file(self) -> str:
        return os.path.join(self._folder, "stacks")


def _times(began: float) -> Iterator[float]:
    yield from (began + seconds for seconds in STARTS)
    due = began + STARTS[-1]
    while True:
        due += EACH_FURTHER
        yield due


def _py_spy() -> str:
    """Return the path of py-spy: of the doctor's own environment, or on PATH."""
    name = "py-spy.exe" if sys.platform == "win32" else "py-spy"
    own = os.path.join(os.path.dirname(sys.executable), name)
    return own if os.path.isfile(own) else shutil.which("py-spy") or ""


def _read(path: str) -> str:
    try:
        with open(path, "rb") as stream:
            return stream.read(OUTPUT_LIMIT).decode("utf-8", "replace")
    except OSError:
        return ""


def _reason(said: str) -> str:
    """Return why py-spy saw nothing, from what it said."""
    if "ermission" in said or "Operation not permitted" in said:
        return (
            "py-spy may not look at the program: run the watch with root's rights, or let it (in Linux, `sudo sysctl kernel.yama.ptrace_scope=0` until the "
            "next start; in a container, the capability SYS_PTRACE)"
        )
    if "Error" not in said:
        return "py-spy saw no Python at work"
    first = next((line for line in said.splitlines() if line.startswith("Error")), "")
    return f"py-spy failed: {first.removeprefix('Error: ')[:200]}"

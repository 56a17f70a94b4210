"""Reads along what a watched program writes to stderr, and changes nothing of it: by a pipe, a pseudo-terminal, or from the file it goes to."""

from __future__ import annotations

import json
import os
import select
import stat
import subprocess
import sys
from typing import Protocol

from xpu_doctor.model.unknown import Maybe, Unknown
from xpu_doctor.watching.stderr_tally import Tally

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from xpu_doctor.watching.relay_child import main; main()"
TELL_SECONDS = 10.0
"""How long the tally is waited for; it comes at once, unless the real stderr takes nothing."""
FILE_LIMIT = 1 << 30
"""Bytes of a log file that are read again."""
PIECE = 1 << 20


class Relay(Protocol):
    """What reads along."""

    @property
    def descriptor(self) -> int | None:
        """What the program gets as stderr; None is the real one."""
        ...

    def started(self) -> None:
        """Note that the program has its descriptor now."""
        ...

    def finish(self) -> Maybe[Tally]:
        """Return what was counted until now; what the program's children still write is passed on, but not counted."""
        ...


class NoRelay:
    """Leaves stderr alone."""

    descriptor = None

    def __init__(self, reason: str) -> None:
        self._unknown = Unknown(reason)

    def started(self) -> None:
        """Do nothing."""

    def finish(self) -> Maybe[Tally]:
        """Return why nothing is known."""
        return self._unknown


class FileReading:
    """Leaves stderr alone, since it is a file, which can be read afterwards."""

    descriptor = None

    def __init__(self, stderr: int) -> None:
        self._stderr = stderr
        self._begin = os.fstat(stderr).st_size

    def started(self) -> None:
        """Do nothing."""

    def finish(self) -> Maybe[Tally]:
        """Return what stands in the file from where it ended at the start."""
        tally = Tally()
        try:
            with open(f"/proc/self/fd/{self._stderr}", "rb") as stream:
                size = os.fstat(stream.fileno()).st_size
                stream.seek(min(self._begin, size))
                for _ in range(FILE_LIMIT // PIECE):
                    data = stream.read(PIECE)
                    if not data:
                        break
                    tally.feed(data)
        except OSError as error:
            return Unknown(f"stderr is a file that cannot be read: {error.strerror or error}")
        return tally


class ProcessRelay:
    """A process of its own between the program's stderr and the real one."""

    def __init__(self, stderr: int, records: str) -> None:
        """Start it.

        Raises:
            OSError: it cannot be started.
        """
        source, self._given = _terminal_like(stderr) if os.isatty(stderr) else _wide_pipe()
        self._answer, telling = os.pipe()
        asking, self._ask = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", START, ROOT, str(asking), records],
                stdin=source, stdout=telling, stderr=stderr, pass_fds=(asking,),
            )  # fmt: skip
        except BaseException:
            for descriptor in (self._given, self._answer, self._ask):
                os.close(descriptor)
            raise
        finally:
            for descriptor in (source, telling, asking):
                os.close(descriptor)
        self.descriptor: int | None = self._given

    def started(self) -> None:
        """Let go of the program's end: the stream ends when the program and its children have let go of theirs."""
        os.close(self._given)

    def finish(self) -> Maybe[Tally]:
        """Ask for the tally; a relay that still passes on for children left behind is left to itself."""
        os.close(self._ask)
        said = _read_all(self._answer)
        os.close(self._answer)
        try:
            self._process.wait(0.5)
        except subprocess.TimeoutExpired:
            # It is not ours any more: it ends with the last process that holds the pipe, and is nobody's zombie then.
            self._process.returncode = 0
        try:
            told = json.loads(said)
            tally = Tally()
            tally.fell.update(told["fell"])
            tally.forced.extend(told["forced"])
            tally.unnamed = told["unnamed"]
        except (ValueError, KeyError, TypeError):
            return Unknown("the process that read along on stderr did not say what it counted")
        return tally


def relay_for(records: str = "", stderr: int = 2) -> Relay:
    """Return what reads along on stderr here; where nothing can, that says why. `records` is a folder that outlives a killed watch."""
    if sys.platform == "win32":
        return NoRelay("on Windows a program keeps its own stderr, which is not read")
    try:
        mode = os.fstat(stderr).st_mode
        if stat.S_ISREG(mode) and sys.platform.startswith("linux"):
            return FileReading(stderr)
        return ProcessRelay(stderr, records)
    except OSError as error:
        return NoRelay(f"stderr could not be read along: {error.strerror or error}")


def _wide_pipe() -> tuple[int, int]:
    """Return both ends of a pipe that takes much at a time, where the system makes such."""
    ends = os.pipe()
    try:
        import fcntl

        fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, PIECE)
    except (OSError, AttributeError):  # a limit of this user, or another system
        pass
    return ends


def _terminal_like(stderr: int) -> tuple[int, int]:
    """Return both ends of a pseudo-terminal that has the settings of the real one, but changes no byte."""
    import termios

    from xpu_doctor.watching.relay_child import same_size

    source, given = os.openpty()
    try:
        settings = termios.tcgetattr(stderr)
        settings[1] &= ~termios.OPOST
        settings[3] &= ~(termios.ECHO | termios.ECHONL)
        termios.tcsetattr(given, termios.TCSANOW, settings)
        same_size(stderr, given)
    except OSError:
        pass
    except termios.error:
        pass
    return source, given


def _read_all(descriptor: int) -> bytes:
    """Return all that comes until the other end closes, or the deadline passes."""
    pieces = []
    while select.select([descriptor], [], [], TELL_SECONDS)[0]:
        data = os.read(descriptor, PIECE)
        if not data:
            break
        pieces.append(data)
    return b"".join(pieces)

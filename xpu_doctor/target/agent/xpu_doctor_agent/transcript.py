"""What the agent tells the doctor: sealed JSON lines in one file."""

from __future__ import annotations

import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

KEY_LENGTH = 32
SEAL_LENGTH = 16


class Transcript:
    """Sealed JSON lines, each written at once, so that a death loses nothing that was said before it.

    Each stage writes `begin`, `mark` (which call comes next), `part` (facts so far), then `end` with the stage's facts or
    `error` with the exception. A `begin` with nothing after it says where the interpreter died.

    The file begins with a key, which is read and erased before anything of the user's is imported. Each line is
    `NUMBER SEAL JSON`; the seal is made with the key, so that what anything else in this interpreter writes is told apart.
    """

    def __init__(self, where: str) -> None:
        """Open the file: a path, or `fd:N`."""
        binary = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOINHERIT", 0)
        self.handle = (
            int(where[3:]) if where.startswith("fd:") else os.open(where, os.O_RDWR | os.O_CREAT | binary, 0o600)
        )
        self._sealed_with = _sha256()(self._taken_key())
        self._count = 0
        self._process = os.getpid()
        if where.startswith("fd:"):
            # What torch starts (a compiler, a profiler) has no business in the transcript.
            os.set_inheritable(self.handle, False)
            _append_only(self.handle)
        else:
            os.close(self.handle)
            self.handle = os.open(where, os.O_WRONLY | os.O_APPEND | binary)

    def _taken_key(self) -> bytes:
        """Read the key that stands first, and erase it; what others have written after it stays."""
        os.lseek(self.handle, 0, os.SEEK_SET)
        key = os.read(self.handle, KEY_LENGTH)
        os.lseek(self.handle, 0, os.SEEK_SET)
        os.write(self.handle, b"\0" * len(key))
        os.lseek(self.handle, 0, os.SEEK_END)
        return key

    def write(self, kind: str, stage: str, **values: Any) -> None:
        """Append one line of a kind for a stage; a forked copy of this process, which gets here by mistake, ends."""
        if os.getpid() != self._process:
            os._exit(1)
        values.update(kind=kind, stage=stage)
        self._count += 1
        number = b"%d " % self._count
        text = json.dumps(values, ensure_ascii=True, default=str).encode("ascii")
        made = self._sealed_with.copy()
        made.update(number + text)
        # It begins with a line break of its own: what somebody else wrote without one must not spoil it.
        data = b"\n" + number + made.hexdigest()[:SEAL_LENGTH].encode("ascii") + b" " + text + b"\n"
        while data:
            data = data[os.write(self.handle, data) :]

    def mark(self, stage: str, call: str) -> None:
        """Say which call of a stage comes next."""
        self.write("mark", stage, call=call)


def _sha256() -> Any:
    """Return the hash function: the bare modules load in a tenth of the time of hashlib, which loads OpenSSL."""
    for name in ("_sha2", "_sha256"):
        try:
            return __import__(name).sha256
        except ImportError:
            pass
    return __import__("hashlib").sha256


def _append_only(handle: int) -> None:
    """Have every write go to the end, wherever somebody has set the position."""
    try:
        import fcntl

        fcntl.fcntl(handle, fcntl.F_SETFL, fcntl.fcntl(handle, fcntl.F_GETFL) | os.O_APPEND)
    except (ImportError, OSError):
        pass

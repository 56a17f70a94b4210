"""The one way out for every byte: stdout, stderr and files; nothing that is written steers a terminal, and no failure is a traceback."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TextIO, cast

from xpu_doctor.text.late_pattern import late_pattern
from xpu_doctor.text.output_file import OutputError, Place, file_mode, is_stdout
from xpu_doctor.text.visible import visible

__all__ = ["OutputError", "Stream", "guarded", "silence", "to_each", "to_stderr", "to_stdout", "write"]

UNFINISHED = ".xpu-doctor-"
"""How the name of a file begins that is not written to its end; it lies beside the one that it becomes."""
_OWN_SEQUENCES = late_pattern(r"(\x1b\[[0-9;]{0,20}m|\r\x1b\[K)")
"""What the doctor itself tells a terminal: colours, and to clear its line of progress."""


class Stream:
    """A standard stream whose every text is made visible; a write that fails is an `OutputError` on stdout and nothing on stderr.

    It has no `buffer`, so that nobody gets past it; what other threads print on stdout goes to stderr.
    """

    def __init__(self, stream: TextIO, name: str) -> None:
        self._stream = stream
        self._name = name
        self._owner = threading.current_thread()

    def write(self, text: str) -> int:
        """Write a text, visibly."""
        if not isinstance(text, str):
            raise TypeError("a text is needed")
        self._put(visible(text))
        return len(text)

    def styled(self, text: str) -> None:
        """Write a text of the doctor's own that may hold colours."""
        self._put(styled(text))

    def writelines(self, lines: Any) -> None:
        """Write lines, visibly."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Nothing is kept back that could be flushed."""

    def _put(self, text: str) -> None:
        if not text:
            return
        if self._name == "stdout" and threading.current_thread() is not self._owner:
            sys.stderr.write(text)
            return
        try:
            self._stream.write(_encodable(text, self._stream.encoding or "utf-8"))
            self._stream.flush()
        except (OSError, ValueError) as error:
            if self._name == "stdout" and not isinstance(error, ValueError):
                self._fail(error)
            else:
                self._lead_nowhere()

    def _fail(self, error: OSError) -> None:
        if isinstance(error, BrokenPipeError):
            raise error
        self._lead_nowhere()
        raise OutputError(f"cannot write to stdout: {error.strerror or error}") from error

    def _lead_nowhere(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            silence(self._stream.fileno())

    def __getattr__(self, name: str) -> Any:
        if name in ("buffer", "detach", "reconfigure"):
            raise AttributeError(name)
        return getattr(self._stream, name)


def styled(text: str, encoding: str = "utf-8") -> str:
    """Return a text of the doctor's own, colours kept, with everything else in it made visible."""
    return _encodable(
        "".join(part if _OWN_SEQUENCES.fullmatch(part) else visible(part) for part in _OWN_SEQUENCES.split(text)),
        encoding,
    )


def _encodable(text: str, encoding: str) -> str:
    return text.encode(encoding, "backslashreplace").decode(encoding)


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """Have everything that is printed go through a `Stream`, by whomever it is printed."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = cast("TextIO", Stream(sys.stdout, "stdout")), cast("TextIO", Stream(sys.stderr, "stderr"))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def to_stderr(text: str, stream: TextIO | None = None, *, own_sequences: bool = False) -> None:
    """Write a text to stderr (or to another stream in its place); that it cannot be written costs nothing.

    What would steer a terminal is made visible; `own_sequences` lets pass what the doctor itself tells one.
    """
    target = stream or sys.stderr
    if target is None:
        return
    with contextlib.suppress(OSError, ValueError):
        _put(target, text, own_sequences)
        target.flush()


def to_stdout(text: str, *, own_sequences: bool = False) -> None:
    """Write a text to stdout, as `to_stderr` does.

    Raises:
        OutputError: it cannot be written.
        BrokenPipeError: nobody reads it any more.
    """
    if sys.stdout is None:
        return  # the caller closed it: there is nobody to tell
    encoding = (sys.stdout.encoding or "utf-8").lower().replace("_", "-")
    if text.startswith("{") and encoding not in ("utf-8", "utf8"):
        text = _ascii_json(text)
    try:
        _put(sys.stdout, text, own_sequences)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        silence(sys.stdout.fileno())
        raise OutputError(f"cannot write to stdout: {error.strerror or error}") from error
    if not encodable(text, encoding):
        to_stderr(
            f"Note: {encoding} lacks letters of this report: they stand there as \\uXXXX, and a command with one does not run so; -o FILE writes them.\n"
        )


def encodable(text: str, encoding: str) -> bool:
    """Return whether an encoding has every letter of a text."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _put(stream: TextIO, text: str, own_sequences: bool) -> None:
    known: Any = stream
    encoding = stream.encoding or "utf-8"
    if own_sequences and isinstance(known, Stream):
        known.styled(text)
    else:
        stream.write(styled(text, encoding) if own_sequences else _encodable(visible(text), encoding))


def _ascii_json(text: str) -> str:
    """Return a JSON text with all letters beyond ASCII escaped, which makes it the same document in every encoding."""
    return re.sub(r"[^\x00-\x7f]", lambda match: "".join(f"\\u{unit:04x}" for unit in _utf16_units(match[0])), text)


def _utf16_units(character: str) -> Iterator[int]:
    data = character.encode("utf-16-be", "surrogatepass")
    return (int.from_bytes(data[index : index + 2], "big") for index in range(0, len(data), 2))


def silence(descriptor: int) -> None:
    """Lead a descriptor whose reader has gone or whose disk is full to nowhere, so that the interpreter does not complain at exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, descriptor)
    os.close(null)


def write(
    text: str, path: str | None, *, python: str | None = None, private: bool = False, own_sequences: bool = False
) -> None:
    """Write a report to stdout (also where `path` is `-`), or to the file `path`: whole or not at all, and never through a stranger's link.

    `python` is the interpreter that was examined, no file of which is ever replaced; a `private` report is for its owner's eyes alone.

    Raises:
        OutputError: it cannot be written; nothing is left behind.
    """
    place = Place.of(path, python)
    if place is None:
        to_stdout(text, own_sequences=own_sequences)
        return
    import tempfile

    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(place.real), prefix=UNFINISHED, suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
            stream.write(visible(text))
            stream.flush()
            _to_disk(stream.fileno())
        os.chmod(temporary, file_mode(place.real, private))
        os.replace(temporary, place.real)
        temporary = ""
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def _to_disk(descriptor: int) -> None:
    """Have a file written before it gets its name, so that a machine that loses power leaves no empty file of that name behind."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS):  # some file systems know no such thing
            raise


def to_each(paths: Sequence[str], put: Callable[[str], None]) -> None:
    """Put something to each of several outputs, stdout last (also where there is none at all); a failure does not stop the others.

    Raises:
        OutputError: something could not be written; where that was several, the message names them all.
    """
    failures: list[Exception] = []
    for path in sorted(paths or ("-",), key=is_stdout):
        try:
            put(path)
        except Exception as error:
            failures.append(error)
    others = [error for error in failures if not isinstance(error, (OutputError, BrokenPipeError))]
    if others:
        raise others[0]
    refused = [str(error) for error in failures if isinstance(error, OutputError)]
    if refused:
        raise OutputError("; ".join(refused))
    if failures:
        raise failures[0]

"""Turns bytes that somebody sent into text that is safe to read and to print: bounded, decoded, without control characters."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import BinaryIO

from xpu_doctor.text.cuts import Cut
from xpu_doctor.text.late_pattern import late_pattern
from xpu_doctor.text.report_shape import looks_saved

HEAD = 512 * 1024
"""Bytes that are read from the beginning of an input."""
TAIL = 512 * 1024
"""Bytes that are read from the end of a longer one."""
CHUNK = 256 * 1024
MOST = 500_000_000
"""Bytes after which a pipe or a device is taken for endless."""
MOST_COUNTED = 64_000_000
"""Bytes in the middle of a file whose lines are counted."""
PATIENCE = 120.0
"""Seconds for all that comes from a pipe or a device."""
WRITER = 10.0
"""Seconds in which somebody must begin to write to a named pipe."""
MAX_LINE = 16 * 1024
"""Characters that are kept of a line."""
MAX_REPORT_LINE = HEAD + TAIL
"""The same of a saved report, which may be one line."""

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a ZIP archive (or an Office document or wheel)"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"\x7fELF", "a Linux program or library"),
    (b"MZ\x90\x00", "a Windows program or library"),
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF-", "a PDF document"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
)
_ESCAPES = late_pattern(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b\n]{0,4096}(?:\x07|\x1b\\)?|\x1b[PX^_][^\x1b\n]{0,4096}(?:\x1b\\)?|\x1b[ -/]*[0-~]|\x9b[0-?]*[ -/]*[@-~]"
)
_CONTROLS = late_pattern(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_ASCII_CONTROLS = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127))
_ODD = bytes(byte for byte in range(32) if byte not in (9, 10, 11, 12, 13, 27))
"""Bytes that no text holds."""
_BREAKS = late_pattern("\r\n?|\x85|\u2028|\u2029|\x0b|\x0c")


class NotText(Exception):
    """The input is no text; the message is one line with the way out."""


@dataclass(frozen=True)
class SafeText:
    """A text that may be parsed and printed, and what was done to make it so."""

    text: str
    notes: tuple[str, ...] = ()
    cut: bool = False
    middle: Cut | None = None
    """Where lines were left out; None where none were, or nobody counted them."""
    report: str = ""
    """The same with all of its lines whole, where it looks as if it held a saved report."""


def read_safely(stream: BinaryIO, name: str) -> SafeText:
    """Read a stream to its end, but keep no more of it than its beginning and its end.

    Raises:
        NotText: it is an archive, an image or another binary file, or does not end.
        OSError: it cannot be read.
    """
    head = bytearray()
    read, size = _reader(stream, name)
    while len(head) < HEAD:
        chunk = read(min(CHUNK, HEAD - len(head)))
        if not chunk:
            return from_bytes(bytes(head), name)
        head += chunk
    tail, total = bytearray(), len(head)
    _refuse_binary(bytes(head), name)
    skipped: int | None = 0
    if size > HEAD + TAIL:
        skipped = _line_ends(read, size - HEAD - TAIL)
        total = stream.seek(size - TAIL)
    while chunk := read(CHUNK):
        total += len(chunk)
        if not size and total > MOST:
            raise NotText(f"{name} does not end after {MOST // 10**6} MB: give the part of it that shows the failure")
        tail += chunk
        if len(tail) > TAIL + CHUNK:
            skipped = _dropped(tail, skipped)
    if not tail:
        return from_bytes(bytes(head), name)
    left_out = max(0, total - len(head) - min(len(tail), TAIL))
    skipped = _dropped(tail, skipped)
    data = bytes(head) + (b"" if not left_out else _break(bytes(head))) + bytes(tail)
    text = from_bytes(data, name, left_out)
    if not left_out:
        return text
    if skipped is None:
        return replace(text, notes=(*text.notes, f"behind that, numbers of lines count what was read of {name}"))
    return replace(text, middle=Cut.after(bytes(head), skipped))


def _line_ends(read: Callable[[int], bytes], size: int) -> int | None:
    """Return how many line ends the next bytes of a stream hold; None where they are too many to read."""
    if size > MOST_COUNTED:
        return None
    found = 0
    while size > 0 and (chunk := read(min(CHUNK, size))):
        found += chunk.count(b"\n")
        size -= len(chunk)
    return found


def _dropped(tail: bytearray, skipped: int | None) -> int | None:
    """Keep the end of what was read, and return how many line ends were left out so far."""
    more = len(tail) - TAIL
    if more <= 0:
        return skipped
    lost = tail.count(b"\n", 0, more)
    del tail[:more]
    return None if skipped is None else skipped + lost


def _reader(stream: BinaryIO, name: str) -> tuple[Callable[[int], bytes], int]:
    """Return what reads a piece of a stream, and the size of a file; what comes from a pipe or a device has a deadline."""
    try:
        descriptor = stream.fileno()
        status = os.fstat(descriptor)
        waits = os.name == "posix" and not stat.S_ISREG(status.st_mode) and not os.isatty(descriptor)
    except (OSError, ValueError, AttributeError):
        return stream.read, 0
    if not waits:
        return stream.read, status.st_size
    deadline = time.monotonic() + PATIENCE

    def piece(size: int) -> bytes:
        if not _comes(descriptor, deadline - time.monotonic()):
            raise NotText(
                f"{name} did not end within {PATIENCE:g} seconds: give a file, or the output of a command that ends"
            )
        return os.read(descriptor, size)

    return piece, 0


def _comes(descriptor: int, seconds: float) -> bool:
    """Return whether there is something to read, or an end, within some time."""
    import select

    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    return seconds > 0 and bool(waiting.poll(seconds * 1000))


def open_safely(path: str) -> BinaryIO:
    """Open a file to be read safely; a pipe is opened whether somebody writes to it or not.

    Raises:
        NotText: it is a folder, or a kind of file that holds no text.
        OSError: it cannot be opened.
    """
    try:
        mode = os.stat(path).st_mode
    except ValueError as error:
        raise NotText(f"{path!r} is no name of a file") from error
    if stat.S_ISDIR(mode):
        raise NotText(f"{path} is a folder: name the files in it that hold what was pasted")
    if stat.S_ISSOCK(mode):
        raise NotText(f"{path} is a socket, not a file")
    if not stat.S_ISFIFO(mode):
        return open(path, "rb")
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    if not _comes(descriptor, WRITER):
        os.close(descriptor)
        raise NotText(
            f"nothing was written to the pipe {path} within {WRITER:g} seconds: give a file, or the output of a command that ends"
        )
    os.set_blocking(descriptor, True)
    return os.fdopen(descriptor, "rb", buffering=0)


def _break(head: bytes) -> bytes:
    """Return a line end in the encoding of the beginning."""
    return "\n".encode(_utf16(head) or "utf-8")


def from_bytes(data: bytes, name: str, left_out: int = 0) -> SafeText:
    """Decode and clean bytes.

    Raises:
        NotText: they are no text.
    """
    _refuse_binary(data, name)
    notes: list[str] = []
    text = _decoded(data, notes, name)
    if left_out:
        notes.insert(0, f"{name} is very long: {left_out / 1e6:.1f} MB in its middle were not read")
    report = cleaned(text, MAX_REPORT_LINE) if looks_saved(text) else ""
    return SafeText(cleaned(text), tuple(notes), bool(left_out), report=report)


def cleaned(text: str, longest: int = MAX_LINE) -> str:
    """Return a text without escape sequences, control characters and direction marks; lines end in a newline."""
    if not text.isascii() or any(mark in text for mark in "\r\x0b\x0c"):
        text = _BREAKS.sub("\n", text)
    if "\x1b" in text or "\x9b" in text:
        text = _ESCAPES.sub("", text)
    text = text.translate(_ASCII_CONTROLS) if text.isascii() else _CONTROLS.sub("", text)
    if len(text) > longest and any(len(line) > longest for line in text.split("\n")):
        text = "\n".join(line[:longest] for line in text.split("\n"))
    return text


def _refuse_binary(data: bytes, name: str) -> None:
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            raise NotText(f"{name} is {kind}, not text: give the text itself (unpack an archive first)")
    if data[257:262] == b"ustar":
        raise NotText(f"{name} is a tar archive, not text: unpack it first")
    sample = data[:8192]
    if _utf16(data) or not sample:
        return
    odd = len(sample) - len(sample.translate(None, _ODD))
    if odd > max(8, len(sample) // 50):
        raise NotText(f"{name} is a binary file, not text")


def _utf16(data: bytes) -> str:
    """Return the UTF-16 form of the bytes, or empty: by its mark, or by the zero bytes that plain text has in it."""
    if data.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        return "utf-32"
    if data.startswith(b"\xff\xfe"):
        return "utf-16-le"
    if data.startswith(b"\xfe\xff"):
        return "utf-16-be"
    sample = data[:4096]
    if len(sample) < 8:
        return ""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    half = len(sample) // 2
    if odd > half * 0.6 and even < half * 0.1:
        return "utf-16-le"
    if even > half * 0.6 and odd < half * 0.1:
        return "utf-16-be"
    return ""


def _decoded(data: bytes, notes: list[str], name: str) -> str:
    wide = _utf16(data)
    if wide:
        return data.decode(wide, "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    kept = data.decode("utf-8", "ignore")
    if len(data) - len(kept.encode("utf-8")) <= max(8, len(data) // 2000):
        return data.decode("utf-8", "replace")  # a cut or a stray byte, not another encoding
    notes.append(f"{name} is not UTF-8: letters outside ASCII may be wrong")
    return data.decode("cp1252", "replace")

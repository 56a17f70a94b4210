"""Reads what a stream of bytes holds, one report after the other and never more than one of them in memory: packed, in a tar archive, or line by line.

The standard library's `tarfile` reads headers of any length into memory and keeps every one of them; archives come from strangers here.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from xpu_doctor.fleet.model import Problem, ProblemKind
from xpu_doctor.fleet.reading import MAX_REPORT, utf8

BLOCK = 512
CHUNK = 1 << 20
MAX_HEADER = 64 << 10
"""Bytes of a long name or an extended header."""
MAX_WASTE = 256 << 20
"""Unpacked bytes of an archive that belong to no report before it is given up: a small archive can unpack to anything."""
MAX_MEMBERS_WASTED = 100_000
MAX_PACKED = 2
"""How often something may be packed."""
_ODD_BYTE = re.compile("[\udc80-\udcff]")
FILE, LONG_NAME, EXTENDED = (b"0", b"\0", b"7"), b"L", b"x"


def printable(name: str) -> str:
    """Return a file's name as any encoding of Unicode can hold it: a byte that is no letter's is written as `%FF`."""
    if name.isascii():
        return name
    marked = _ODD_BYTE.sub(lambda match: f"%{ord(match[0]) - 0xDC00:02X}", name)
    return marked.encode("utf-8", "replace").decode()


class Blob(NamedTuple):
    """What may be a report, as bytes."""

    label: str
    data: bytes


class _Broken(Exception):
    """A stream that cannot be read on."""


def reports_in(stream: BinaryIO, label: str) -> Iterator[Blob | Problem]:
    """Yield what a stream holds: members of an archive, lines, or documents one after the other."""
    try:
        yield from _unpacked(_Stream(stream), label, 0)
    except _Broken as error:
        yield Problem(label, ProblemKind.CUT, str(error))
    except (EOFError, zlib.error, lzma.LZMAError, OSError, ValueError) as error:
        cut = isinstance(error, EOFError)
        reason = "cut off" if cut else getattr(error, "strerror", None) or str(error)[:200]
        yield Problem(label, ProblemKind.CUT if cut else ProblemKind.DAMAGED, reason)


class _Stream:
    """A stream that can be looked at before it is read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._ahead = b""

    def peek(self, count: int) -> bytes:
        """Return the next bytes and leave them there."""
        while len(self._ahead) < count and (piece := self._stream.read(count - len(self._ahead))):
            self._ahead += piece
        return self._ahead

    def read(self, count: int = CHUNK) -> bytes:
        """Return at most so many bytes; none at the end."""
        if self._ahead:
            piece, self._ahead = self._ahead[:count], self._ahead[count:]
            return piece
        return self._stream.read(min(count if count >= 0 else CHUNK, CHUNK)) or b""

    def exactly(self, count: int) -> bytes:
        """Return so many bytes.

        Raises:
            _Broken: there are fewer.
        """
        pieces, left = [], count
        while left:
            piece = self.read(left)
            if not piece:
                raise _Broken("cut off")
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)

    def readable(self) -> bool:
        """Say so to who unpacks."""
        return True


def _unpacked(stream: _Stream, label: str, packed: int) -> Iterator[Blob | Problem]:
    """Yield the reports of a stream that may be packed."""
    head = stream.peek(BLOCK)
    opened: Any = None
    given: Any = stream  # it has what the three of them use
    if head.startswith(b"\x1f\x8b"):
        opened = gzip.GzipFile(fileobj=given)
    elif head.startswith(b"BZh"):
        opened = bz2.BZ2File(given)
    elif head.startswith(b"\xfd7zXZ\0"):
        opened = lzma.LZMAFile(given)  # noqa: SIM115 - it is closed with what it reads
    if opened is not None:
        if packed >= MAX_PACKED:
            yield Problem(label, ProblemKind.FOREIGN, "packed more than twice")
            return
        yield from _unpacked(_Stream(opened), label, packed + 1)
    elif head[257:262] == b"ustar" or (len(head) == BLOCK and _sum_holds(head)):
        yield from _members(stream, label)
    else:
        yield from _documents(stream, label)


# ---------------------------------------------------------------------------------------------- tar archives


def _members(stream: _Stream, label: str) -> Iterator[Blob | Problem]:
    """Yield the files of a tar archive that may be reports; links, devices and folders are none."""
    name, size, wasted, members = "", -1, 0, 0
    while any(head := stream.peek(BLOCK) and stream.exactly(BLOCK)):
        if not _sum_holds(head):
            raise _Broken("damaged: a header of the archive is none")
        kind, length = head[156:157], _number(head[124:136])
        if kind in (LONG_NAME, EXTENDED):
            if length > MAX_HEADER:
                raise _Broken("a header of the archive is too long")
            said = _content(stream, length)
            if kind == LONG_NAME:
                name = _text(said)
            else:
                name, size = _extended(said, name, size)
            continue
        name, length = name or _name(head), size if size >= 0 else length
        is_report = kind in FILE and length <= MAX_REPORT and not name.endswith("/")
        if is_report:
            yield Blob(printable(f"{label}: {name}"), _content(stream, length))
        elif not (kind in (b"5", b"g") or name.endswith("/")) or length > MAX_HEADER:
            yield _passed_over(label, name, kind)
        if not is_report:
            wasted, members = wasted + BLOCK + length, members + 1
            if wasted > MAX_WASTE or members > MAX_MEMBERS_WASTED:
                raise _Broken("given up: it unpacks to too much that is no report")
            _skip(stream, length)
        name, size = "", -1


def _passed_over(label: str, name: str, kind: bytes) -> Problem:
    where = printable(f"{label}: {name}")
    if kind in (b"1", b"2"):
        return Problem(where, ProblemKind.LINK, "a link in an archive is not followed")
    if kind in FILE:
        return Problem(where, ProblemKind.LARGE, f"larger than {MAX_REPORT >> 20} MiB")
    return Problem(where, ProblemKind.FOREIGN, "no plain file")


def _content(stream: _Stream, length: int) -> bytes:
    data = stream.exactly(length)
    stream.exactly(-length % BLOCK)
    return data


def _skip(stream: _Stream, length: int) -> None:
    left = length + -length % BLOCK
    while left:
        piece = stream.read(min(left, CHUNK))
        if not piece:
            raise _Broken("cut off")
        left -= len(piece)


def _sum_holds(head: bytes) -> bool:
    """Return whether a header is one: the sum of its bytes stands in it."""
    try:
        said = int(head[148:156].strip(b" \0") or b"x", 8)
    except ValueError:
        return False
    return said == sum(head[:148]) + 8 * 32 + sum(head[156:])


def _number(field: bytes) -> int:
    """Return a number in octal, or in binary where it is a large one."""
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    try:
        number = int(field.strip(b" \0") or b"0", 8)
    except ValueError as error:
        raise _Broken("damaged: a size of the archive is no number") from error
    if number < 0:
        raise _Broken("damaged: a size of the archive is negative")
    return number


def _text(data: bytes) -> str:
    return data.rstrip(b"\0").decode("utf-8", "surrogateescape")


def _name(head: bytes) -> str:
    name, prefix = head[:100].partition(b"\0")[0], head[345:500].partition(b"\0")[0]
    is_posix = head[257:263] == b"ustar\0"
    return _text(prefix + b"/" + name if is_posix and prefix else name)


def _extended(said: bytes, name: str, size: int) -> tuple[str, int]:
    """Return the name and the size that an extended header gives the next member."""
    while said:
        length, _, _ = said.partition(b" ")
        if not length.isdigit() or not 0 < int(length[:9]) <= len(said):
            break
        record, said = said[: int(length)], said[int(length) :]
        key, _, value = record[len(length) + 1 :].rstrip(b"\n").partition(b"=")
        if key == b"path":
            name = _text(value)
        elif key == b"size" and value.isdigit() and len(value) < 20:
            size = int(value)
    return name, size


# ---------------------------------------------------------------------------------------------- one after the other


def _documents(stream: _Stream, label: str) -> Iterator[Blob | Problem]:
    """Yield documents that stand one after the other: each on a line of its own, or each as the doctor prints it."""
    head = stream.peek(4)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):  # UTF-16 is read as a whole: it is one report, or a few
        yield from _split(_Stream(_Once(utf8(_bounded(stream)))), label)  # type: ignore[arg-type]
        return
    yield from _split(stream, label)


class _Once:
    """Bytes as a stream."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, count: int) -> bytes:
        """Return the next bytes."""
        piece, self._data = self._data[:count], self._data[count:]
        return piece


def _bounded(stream: _Stream) -> bytes:
    pieces, size = [], 0
    while size <= 2 * MAX_REPORT and (piece := stream.read()):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


def _split(stream: _Stream, label: str) -> Iterator[Blob | Problem]:
    number, buffer, ended, wasted = 0, b"", False, 0
    while True:
        buffer = buffer.lstrip(b" \t\r\n\xef\xbb\xbf") if not buffer[:1].startswith(b"{") else buffer
        end = _end(buffer)
        if end < 0 and not ended:
            if len(buffer) > MAX_REPORT:
                yield Problem(f"{label}#{number + 1}", ProblemKind.LARGE, f"larger than {MAX_REPORT >> 20} MiB")
                number, wasted = number + 1, wasted + len(buffer)
                buffer, ended, dropped = _after_line(stream)
                wasted += dropped
                if wasted > MAX_WASTE:
                    raise _Broken("given up: it holds too much that is no report")
                continue
            piece = stream.read()
            ended = not piece
            buffer += piece
            continue
        if not buffer:
            return
        number += 1
        part, buffer = (buffer, b"") if end < 0 else (buffer[:end], buffer[end:])
        only = number == 1 and ended and not buffer.strip()
        yield Blob(label if only else f"{label}#{number}", part)


def _end(buffer: bytes) -> int:
    """Return where the first document ends, and -1 where its end is not there yet.

    A document of several lines ends with a brace at the beginning of a line, or, where it was cut off, before the next one begins.
    """
    if buffer[:2] not in (b"{\n", b"{\r"):
        return buffer.find(b"\n") + 1 or -1
    ends = [place + len(mark) for mark in (b"\n}\n", b"\n}\r\n") if (place := buffer.find(mark)) >= 0]
    end = min(ends, default=-1)
    return buffer.find(b"\n{", 1, end if end >= 0 else len(buffer)) + 1 or end


def _after_line(stream: _Stream) -> tuple[bytes, bool, int]:
    """Drop the rest of a line that is too long; return what comes after it, whether that is all, and how much was dropped."""
    dropped = 0
    while piece := stream.read():
        place = piece.find(b"\n")
        if place >= 0:
            return piece[place + 1 :], False, dropped
        dropped += len(piece)
        if dropped > MAX_WASTE:
            raise _Broken("given up: it holds too much that is no report")
    return b"", True, dropped

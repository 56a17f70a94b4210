"""Finds the reports in a stream of bytes: packed, in a tar archive, line by line, or one after the other; one at a time in memory."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from xpu_doctor.fleet.model import Problem, ProblemKind
from xpu_doctor.fleet.reading import MAX_REPORT, too_large, utf8
from xpu_doctor.fleet.streams import MAX_WASTE, Blob, Broken, Stream
from xpu_doctor.fleet.tar import BLOCK, members_of, sum_holds

BOM = b"\xef\xbb\xbf"
BLANK = b" \t\r\n" + BOM
"""Bytes that may stand between two documents."""
LONGEST_BEGIN = 64
BEGIN = re.compile(rb'(?<!"report":)(?<!"report": )\{\s{0,8}"schema":\s{0,2}\d{1,6},\s{0,8}"tool":')
"""How a report begins, wherever it stands; one within a line that names its node does not count."""
MAX_PACKED = 2
"""How often something may be packed."""


def reports_in(stream: BinaryIO, label: str) -> Iterator[Blob | Problem]:
    """Yield what a stream holds: members of an archive, lines, or documents one after the other."""
    try:
        yield from _unpacked(Stream(stream), label, 0)
    except Broken as error:
        yield Problem(label, ProblemKind.CUT, str(error))
    except (EOFError, zlib.error, lzma.LZMAError, OSError, ValueError) as error:
        cut = isinstance(error, EOFError)
        reason = "cut off" if cut else getattr(error, "strerror", None) or str(error)[:200]
        yield Problem(label, ProblemKind.CUT if cut else ProblemKind.DAMAGED, reason)


def _unpacked(stream: Stream, label: str, packed: int) -> Iterator[Blob | Problem]:
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
        yield from _unpacked(Stream(opened), label, packed + 1)
    elif head[257:262] == b"ustar" or (len(head) == BLOCK and sum_holds(head)):
        yield from members_of(stream, label)
    else:
        yield from _documents(stream, label)


# ---------------------------------------------------------------------------------------------- one after the other


def _documents(stream: Stream, label: str) -> Iterator[Blob | Problem]:
    """Yield documents that stand one after the other: each on a line of its own, or each as the doctor prints it."""
    head = stream.peek(4)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):  # UTF-16 is read as a whole: it is one report, or a few
        yield from _split(Stream(_Once(utf8(_bounded(stream)))), label)  # type: ignore[arg-type]
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


def _bounded(stream: Stream) -> bytes:
    pieces, size = [], 0
    while size <= 2 * MAX_REPORT and (piece := stream.read()):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


def _split(stream: Stream, label: str) -> Iterator[Blob | Problem]:
    number, buffer, ended, wasted = 0, b"", False, 0
    while True:
        buffer = buffer.lstrip(BLANK) if not buffer[:1].startswith(b"{") else buffer
        end = _end(buffer, ended)
        if end < 0 and not ended:
            if len(buffer) > MAX_REPORT:
                yield too_large(f"{label}#{number + 1}", buffer)
                number, wasted = number + 1, wasted + len(buffer)
                buffer, ended, dropped = _after_line(stream)
                wasted += dropped
                if wasted > MAX_WASTE:
                    raise Broken("given up: it holds too much that is no report")
                continue
            piece = stream.read()
            ended = not piece
            buffer += piece
            continue
        if not buffer:
            return
        number += 1
        part, buffer = (buffer, b"") if end < 0 else (buffer[:end], buffer[end:])
        if number == 1:  # a newline ends it where it is alone, too
            buffer, ended = _next(stream, buffer, ended)
        only = number == 1 and not buffer
        yield Blob(label if only else f"{label}#{number}", part.removesuffix(BOM))


def _next(stream: Stream, buffer: bytes, ended: bool) -> tuple[bytes, bool]:
    """Return the buffer from the next byte on that is not blank, empty where there is none, and whether nothing comes after it."""
    while not (buffer := buffer.lstrip(BLANK)) and not ended:
        buffer = stream.read()
        ended = not buffer
    return buffer, ended


def _end(buffer: bytes, whole: bool) -> int:
    """Return where the first document ends, and -1 where its end is not there yet; `whole` is whether nothing more comes.

    One that was cut off, or has no newline at its end, ends where the next report begins.
    """
    end = _own_end(buffer)
    next_one = BEGIN.search(buffer, 1, len(buffer) if end < 0 else end + LONGEST_BEGIN)
    if next_one and not 0 <= end <= next_one.start():
        return next_one.start()
    begins_at_end = end >= 0 and len(buffer) < end + LONGEST_BEGIN and buffer[:end].rstrip(b"\r\n").endswith(b"{")
    return -1 if begins_at_end and not whole else end


def _own_end(buffer: bytes) -> int:
    """Return where the first document ends by its own form, and -1 where it does not.

    A document of several lines ends with a brace at the beginning of a line, or, where it was cut off, before the next one begins.
    """
    if buffer[:2] not in (b"{\n", b"{\r"):
        return buffer.find(b"\n") + 1 or -1
    ends = [place + len(mark) for mark in (b"\n}\n", b"\n}\r\n") if (place := buffer.find(mark)) >= 0]
    end = min(ends, default=-1)
    return buffer.find(b"\n{", 1, end if end >= 0 else len(buffer)) + 1 or end


def _after_line(stream: Stream) -> tuple[bytes, bool, int]:
    """Drop the rest of a line that is too long; return what comes after it, whether that is all, and how much was dropped."""
    dropped = 0
    while piece := stream.read():
        place = piece.find(b"\n")
        if place >= 0:
            return piece[place + 1 :], False, dropped
        dropped += len(piece)
        if dropped > MAX_WASTE:
            raise Broken("given up: it holds too much that is no report")
    return b"", True, dropped

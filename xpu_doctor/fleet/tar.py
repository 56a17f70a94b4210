"""Reads a tar archive as a stream, one file after the other and never more than one of them in memory.

The standard library's `tarfile` reads headers of any length into memory and keeps every one of them; archives come from strangers here.
"""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.fleet.model import Problem, ProblemKind
from xpu_doctor.fleet.reading import MAX_REPORT
from xpu_doctor.fleet.streams import CHUNK, MAX_WASTE, Blob, Broken, Stream, printable

BLOCK = 512
MAX_HEADER = 64 << 10
"""Bytes of a long name or an extended header."""
MAX_MEMBERS_WASTED = 100_000
FILE, LONG_NAME, EXTENDED = (b"0", b"\0", b"7"), b"L", b"x"


def members_of(stream: Stream, label: str) -> Iterator[Blob | Problem]:
    """Yield the files of a tar archive that may be reports; links, devices and folders are none."""
    name, size, wasted, members = "", -1, 0, 0
    while any(head := stream.peek(BLOCK) and stream.exactly(BLOCK)):
        if not sum_holds(head):
            raise Broken("damaged: a header of the archive is none")
        kind, length = head[156:157], _number(head[124:136])
        if kind in (LONG_NAME, EXTENDED):
            if length > MAX_HEADER:
                raise Broken("a header of the archive is too long")
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
                raise Broken("given up: it unpacks to too much that is no report")
            _skip(stream, length)
        name, size = "", -1


def _passed_over(label: str, name: str, kind: bytes) -> Problem:
    where = printable(f"{label}: {name}")
    if kind in (b"1", b"2"):
        return Problem(where, ProblemKind.LINK, "a link in an archive is not followed")
    if kind in FILE:
        return Problem(where, ProblemKind.LARGE, f"larger than {MAX_REPORT >> 20} MiB")
    return Problem(where, ProblemKind.FOREIGN, "no plain file")


def _content(stream: Stream, length: int) -> bytes:
    data = stream.exactly(length)
    stream.exactly(-length % BLOCK)
    return data


def _skip(stream: Stream, length: int) -> None:
    left = length + -length % BLOCK
    while left:
        piece = stream.read(min(left, CHUNK))
        if not piece:
            raise Broken("cut off")
        left -= len(piece)


def sum_holds(head: bytes) -> bool:
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
        raise Broken("damaged: a size of the archive is no number") from error
    if number < 0:
        raise Broken("damaged: a size of the archive is negative")
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

"""A stream of bytes of strangers: looked at before it is read, and read in bounded pieces."""

from __future__ import annotations

from typing import BinaryIO, NamedTuple

CHUNK = 1 << 20
MAX_WASTE = 256 << 20
"""Unpacked bytes that belong to no report before a stream is given up: a small archive can unpack to anything."""


def printable(name: str) -> str:
    """Return a file's name as any encoding of Unicode can hold it: a byte that is no letter's is written as `%FF`."""
    if name.isascii():
        return name
    marked = "".join(f"%{ord(letter) - 0xDC00:02X}" if "\udc80" <= letter <= "\udcff" else letter for letter in name)
    return marked.encode("utf-8", "replace").decode()


class Blob(NamedTuple):
    """What may be a report, as bytes."""

    label: str
    data: bytes


class Broken(Exception):
    """A stream that cannot be read on."""


class Stream:
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
            Broken: there are fewer.
        """
        pieces, left = [], count
        while left:
            piece = self.read(left)
            if not piece:
                raise Broken("cut off")
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)

    def readable(self) -> bool:
        """Say so to who unpacks."""
        return True

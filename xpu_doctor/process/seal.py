"""Tells the agent's lines from all others: each carries a number and a seal, made with a key that only the agent was given."""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module
from typing import Any

KEY_LENGTH = 32
"""Bytes of the key, which stand first in the channel until the agent has read and erased them."""
SEAL_LENGTH = 16
"""Hexadecimal digits of a line's seal."""


@cache
def _sha256() -> Any:
    """Return Python's own SHA-256: hashlib would load OpenSSL, four megabytes, for a few hundred short lines."""
    for name in ("_sha2", "_sha256", "hashlib"):
        try:
            return import_module(name).sha256
        except (ImportError, AttributeError):  # what a Python calls it, or was built without
            continue
    raise RuntimeError("this Python has no SHA-256")


class Seal:
    """The key of one run, and what was read with it: `NUMBER SEAL JSON`, where SEAL is the SHA-256 of the key, the number and the JSON."""

    def __init__(self) -> None:
        self.key = os.urandom(KEY_LENGTH // 2).hex().encode("ascii")
        self.foreign = 0
        """Lines that the agent did not write."""
        self.lost = 0
        """Lines that it did write, and that did not arrive."""
        self._last = 0

    def opened(self, line: bytes) -> bytes | None:
        """Return what a line says, or None where it is empty or none of the agent's."""
        if not line:
            return None
        number, _, rest = line.partition(b" ")
        seal, _, text = rest.partition(b" ")
        count = int(number) if number.isdigit() and len(number) < 10 else 0
        if count <= self._last or seal != self._made(number, text):
            self.foreign += 1
            return None
        self.lost += count - self._last - 1
        self._last = count
        return text

    @property
    def broken(self) -> str:
        """What was done to the transcript, in words, or empty."""
        said = [
            f"{self.foreign} lines that the agent did not write"
            if self.foreign > 1
            else "a line that the agent did not write"
        ] * bool(self.foreign)
        said += [
            f"{self.lost} of the agent's lines missing" if self.lost > 1 else "one of the agent's lines missing"
        ] * bool(self.lost)
        return " and ".join(said)

    def _made(self, number: bytes, text: bytes) -> bytes:
        sealed: str = _sha256()(self.key + number + b" " + text).hexdigest()
        return sealed[:SEAL_LENGTH].encode("ascii")

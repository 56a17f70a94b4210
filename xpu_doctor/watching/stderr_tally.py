"""Counts what torch prints of operators that fell back to the CPU, in a stream of bytes that is read in pieces; standard library only."""

from __future__ import annotations

import re

FALL = b"fall"
"""In each of torch's sentences, and found quickly: most of what programs print has none."""
SENTENCE = re.compile(
    rb"The operator '([^'\s]{1,200})'? (on the XPU backend is falling back to run on the CPU|registered to be forced to fallback to CPU)"
    rb"|Aten Op fallback from XPU to CPU happ"
)
"""As torch-xpu-ops prints them: an operator that runs on the CPU, one that is forced to, and that some do (2.5 to 2.14, 2026-11-21)."""
LONGEST = 400
"""Bytes of the longest sentence."""
NAMES_LIMIT = 1000


class Tally:
    """How often which operator was named in what was read so far."""

    def __init__(self) -> None:
        self.fell: dict[str, int] = {}
        self.forced: list[str] = []
        self.unnamed = 0
        """How often it was said that some operator falls back, without its name."""
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Read on; a sentence may be cut anywhere between two pieces."""
        text = self._rest + data
        end = 0
        if FALL in text:
            for match in SENTENCE.finditer(text):
                self._count(match)
                end = match.end()
        self._rest = text[max(end, len(text) - LONGEST) :]

    def _count(self, match: re.Match[bytes]) -> None:
        if match[1] is None:
            self.unnamed += 1
            return
        name = match[1].decode("utf-8", "replace")
        if match[2].startswith(b"registered"):
            if name not in self.forced and len(self.forced) < NAMES_LIMIT:
                self.forced.append(name)
        elif name in self.fell or len(self.fell) < NAMES_LIMIT:
            self.fell[name] = self.fell.get(name, 0) + 1

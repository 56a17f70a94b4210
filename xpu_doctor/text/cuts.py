"""Where the middle of a long text was left out: numbers of lines behind it are told as the whole text counts them. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cut:
    """The place of what was left out of a text, counted in lines."""

    line: int
    """The first line behind it, as what was read counts lines."""
    shift: int
    """What to add to a number from there on."""

    @classmethod
    def after(cls, head: bytes, skipped: int) -> Cut:
        """Return the cut behind a beginning, of which so many line ends were left out."""
        # The beginning ends with a line end of its own, which the whole text need not have there.
        return cls(head.count(b"\n") + 2, skipped - 1)

    def whole(self, number: int) -> int:
        """Return the number that a line has in the whole text."""
        return number + self.shift if number >= self.line else number

    def read(self, number: int) -> int:
        """Return the number that a line of the whole text has in what was read."""
        return number - self.shift if number - self.shift >= self.line else number

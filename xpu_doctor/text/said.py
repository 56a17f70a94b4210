"""How the writer of a text may mean some words of it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Literal

Claim = Literal["fails", "works", "names", "wants"]
"""What the sought words claim: that something fails or works, that it takes part, or that somebody wants it."""


class Said(Enum):
    """How the writer of a text means some words of it."""

    TOLD = "told"
    """It is so."""
    DENIED = "denied"
    """It is not so."""
    PAST = "past"
    """It was so, and is not any more."""
    SUPPOSED = "supposed"
    """It may be, or would be under a condition."""
    ASKED = "asked"
    """Whether it is so is the question."""
    WANTED = "wanted"
    """It ought to be so, or is asked for."""
    QUOTED = "quoted"
    """A document says so."""
    COMMENT = "comment"
    """A comment in code says so."""
    CODE = "code"
    """It is code: a name, or the text of a message in the source that may write it."""
    NARROWER = "narrower"
    """It is so of a part or a use of the thing: "multi-XPU is not supported"."""
    FORM = "form"
    """It is a box of a form: "- [x] I have searched the issues"."""


DENYING = frozenset({Said.DENIED, Said.PAST})
"""The opposite of what the words say is so."""
NOT_SAID = frozenset({Said.CODE, Said.FORM})
"""Nobody says so."""


def told(readings: Iterable[Said]) -> bool:
    """Return whether one of several readings tells that it is so."""
    return Said.TOLD in readings

"""The result of a walk: what would be loaded from where, and what would not."""

from __future__ import annotations

from dataclasses import dataclass

MAX_OBJECTS = 3000
"""Libraries after which a walk gives up: a real torch has fewer than 200."""


@dataclass(frozen=True)
class Fault:
    """Something that the loader would refuse, and how it came to ask for it."""

    kind: str
    """`missing`, `foreign`, `truncated`, `short`, `not-a-library`, `corrupt`, `unreadable`, `version`, `symbol`."""
    name: str
    """The file name that was asked for."""
    chain: tuple[str, ...]
    """Paths from the first library opened to the one that asked."""
    path: str = ""
    """The file that was found and refused, or empty."""
    version: str = ""
    """The symbol version (or symbol) that is not there."""
    detail: str = ""
    error: int = 0
    """Windows: the code that the loader would report."""


@dataclass(frozen=True)
class Opening:
    """What opening one library would do."""

    name: str
    path: str = ""
    loaded: tuple[str, ...] = ()
    """Paths newly loaded by it, in the loader's order."""
    faults: tuple[Fault, ...] = ()
    attempt: str = ""
    """Which of several attempts this was, where a caller tries more than one."""

    @property
    def succeeds(self) -> bool:
        """Return whether nothing stands in the way."""
        return not self.faults

"""A command as data: what is printed for a person to paste, and what `fix` runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Command:
    """A program with its arguments, and the environment that it needs changed."""

    argv: tuple[str, ...]
    unset: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict, hash=False)

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """Return the environment that it gets where the caller's is `base`."""
        return {**{name: value for name, value in base.items() if name not in self.unset}, **self.variables}

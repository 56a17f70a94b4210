"""The base of rules that only messages can decide."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.facts import Errors
from xpu_doctor.findings import Finding
from xpu_doctor.rule import Rule
from xpu_doctor.unknown import known


class MessageRule(Rule):
    """A rule whose findings come from met messages (data/signatures.toml): it is undecided where none was looked for."""

    def check(self, errors: Errors) -> Iterator[Finding]:
        """Yield nothing: `judge` adds what the met messages imply for this code."""
        known(errors.met)
        return iter(())

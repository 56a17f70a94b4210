"""The base of rules that only messages can decide."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Errors
from xpu_doctor.model.findings import Finding
from xpu_doctor.model.unknown import known


class MessageRule(Rule):
    """A rule whose findings come from met messages (data/signatures.toml): it is undecided where none was looked for."""

    def check(self, errors: Errors) -> Iterator[Finding]:
        """Yield nothing: `judge` adds what the met messages imply for this code."""
        known(errors.met)
        return iter(())

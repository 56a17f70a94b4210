"""Which facts each rule reads when it decides: seen while it judges its own cases and the recorded hosts, and read from the tables."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

from tests.hosts.test_recorded_hosts import HOSTS, snapshot_of
from tests.support.cases import cases
from xpu_doctor.catalogue.pages import rules_by_code
from xpu_doctor.diagnosis.conditions import condition
from xpu_doctor.diagnosis.judge import FactGroups
from xpu_doctor.diagnosis.rule import Rule, parameters
from xpu_doctor.model.facts.combined import COMBINED
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.unknown import Undecided, Unknown
from xpu_doctor.tables.known_faults import known_faults
from xpu_doctor.tables.signatures import Implication, implications, signatures

OF_REMEDIES = "xpu_doctor.remedies"
"""What modules below this read goes into the lines to type, and decides nothing."""


class Reads:
    """Remembers the paths of the facts that are read."""

    def __init__(self) -> None:
        self.paths: set[str] = set()
        self._classes: dict[type, type] = {}

    def watched(self, value: Any, path: str) -> Any:
        """Return a copy of facts whose fields are remembered when they are read."""
        if isinstance(value, tuple):
            return tuple(self.watched(item, f"{path}[]") for item in value)
        if isinstance(value, Unknown) or not hasattr(value, "__dataclass_fields__"):
            return value
        kind = type(value)
        combined = kind in COMBINED.values()
        before = "" if combined or not path else f"{path}."
        made: Any = object.__new__(self._watched_class(kind))
        state = object.__getattribute__(made, "__dict__")
        state.update({name: self.watched(getattr(value, name), before + name) for name in kind.__dataclass_fields__})
        state["watched_at"] = None if combined else before
        return made

    def _watched_class(self, kind: type) -> type:
        if kind not in self._classes:
            fields: dict[str, Any] = vars(kind)["__dataclass_fields__"]

            def read(this: Any, name: str) -> Any:
                if name in fields:
                    at = object.__getattribute__(this, "__dict__").get("watched_at")
                    if at is not None and not _for_a_remedy():
                        self.paths.add(at + name)
                return object.__getattribute__(this, name)

            self._classes[kind] = type(
                kind.__name__, (kind,), {"__dataclass_fields__": fields, "__getattribute__": read}
            )
        return self._classes[kind]


def _for_a_remedy() -> bool:
    frame: Any = sys._getframe(2)
    while frame is not None and frame.f_globals.get("__name__") != __name__:
        if frame.f_globals.get("__name__", "").startswith(OF_REMEDIES):
            return True
        frame = frame.f_back
    return False


def reads_of(rule: Rule, snapshot: Snapshot) -> set[str]:
    """Return the paths, with empty brackets, of the facts that a rule reads when it judges a snapshot."""
    reads, groups = Reads(), FactGroups(snapshot)
    try:
        names = parameters(rule)
        given = [
            reads.watched(groups.arguments(rule)[place], "" if name == "snapshot" else name)
            for place, name in enumerate(names)
        ]
        reads.paths = {name for name in names if name == "gpus"}
        list(rule.check(*given))
    except Undecided:
        pass
    return reads.paths


def of_tables() -> Iterator[tuple[str, str]]:
    """Yield (path, code) of each condition on a fact in the tables of messages and faults."""
    said: list[tuple[Implication, tuple[str, ...]]] = [
        *((item, ()) for row in signatures() for item in row.implies),
        *((item, ()) for item in implications()),
        *((row.implication, row.when) for row in known_faults()),
    ]
    for implication, more in said:
        for text in (*implication.when, *implication.unless, *more):
            if path := condition(text).path:
                yield re.sub(r"\[[^\]]*\]", "[]", path), implication.code


def fact_reads() -> dict[str, list[str]]:
    """Return each fact that a rule or a table reads, and the codes of those that do."""
    found: dict[str, set[str]] = {}
    rules = {code: rule() for code, rule in rules_by_code().items()}
    hosts = [snapshot_of(path) for path in HOSTS]
    pairs = [(rules[case.code], case.facts()) for case in cases()]
    pairs += [(rule, host) for host in hosts for rule in rules.values()]
    for rule, snapshot in pairs:
        for path in reads_of(rule, snapshot):
            found.setdefault(path, set()).add(rule.code)
    for path, code in of_tables():
        found.setdefault(path, set()).add(code)
    return {path: sorted(found[path]) for path in sorted(found)}

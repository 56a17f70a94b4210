"""Runs code of plug-ins so that it cannot prevent the report: with a deadline, whatever it raises, and with its answers checked."""

from __future__ import annotations

import copy
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from xpu_doctor.model.unknown import Undecided, Unknown
from xpu_doctor.text.visible import described, visible

if TYPE_CHECKING:
    from xpu_doctor.diagnosis.rule import Rule
    from xpu_doctor.model.findings import Finding

T = TypeVar("T")

LOAD_SECONDS = 10.0
RULE_SECONDS = 5.0
MAX_FINDINGS = 50
MAX_CHARACTERS = 256 * 1024
"""Of all texts in one answer."""
MAX_VALUES = 20_000
MAX_NESTING = 50
MAX_REASON = 2000


class StrangerFailed(Exception):
    """Code of a plug-in did not do its work; the message is one line."""

    late = False
    """Whether it is still at work."""


class StrangerLate(StrangerFailed):
    """Code of a plug-in gave no answer in time."""

    late = True


def is_strange(thing: object) -> bool:
    """Return whether an object's class is none of the doctor's own."""
    return not type(thing).__module__.startswith("xpu_doctor.")


def bounded(work: Callable[[], T], seconds: float) -> T:
    """Return what a plug-in's code returns, run in a thread of its own that is given up after so many seconds.

    Code that holds the interpreter for good (an endless loop in C, `os._exit`) is beyond this: `plugin_process` keeps it apart.

    Raises:
        Undecided: the code raised it.
        StrangerFailed: it raised anything else, or gave no answer in time.
    """
    told: list[tuple[bool, Any]] = []

    def run() -> None:
        try:
            told.append((True, work()))
        except BaseException as error:  # SystemExit and KeyboardInterrupt too: here nobody but the plug-in raises them
            told.append((False, error))

    thread = threading.Thread(target=run, name="plug-in", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        raise StrangerFailed(described(error)) from error
    thread.join(seconds)
    if not told:
        raise StrangerLate(f"no answer in {seconds:g} s")
    good, value = told[0]
    if good:
        result: T = value
        return result
    if isinstance(value, Undecided):
        raise undecided(value)
    raise StrangerFailed(str(value) if isinstance(value, StrangerFailed) else described(value)) from None


def undecided(error: Undecided) -> Undecided | StrangerFailed:
    """Return a plug-in's `Undecided` with plain texts, or the failure that it is where it holds none."""
    unknown: Any = getattr(error, "unknown", None)
    reason, fact = getattr(unknown, "reason", None), getattr(unknown, "fact", None)
    if isinstance(unknown, Unknown) and isinstance(reason, str) and isinstance(fact, str):
        return Undecided(Unknown(reason[:MAX_REASON], fact[:MAX_REASON]))
    return StrangerFailed("it raised Undecided without an Unknown(reason, fact)")


def judged(rule: Rule, groups: Sequence[Any]) -> list[Finding]:
    """Return the findings of a plug-in's rule that runs in this process, which sees copies of the facts only.

    Raises:
        Undecided: the rule lacks a fact.
        StrangerFailed: it raised, took too long, or its findings are none.
    """
    return checked(bounded(lambda: findings_of(rule, copy.deepcopy(list(groups))), RULE_SECONDS), rule)


def findings_of(rule: Rule, groups: Sequence[Any]) -> list[Any]:
    """Return the findings of a plug-in's rule as plain values.

    Raises:
        StrangerFailed: they are too many, or no findings; the rule itself may raise anything.
    """
    found = rule.check(*groups)
    findings = list(islice(found, MAX_FINDINGS + 1)) if found is not None else []
    if len(findings) > MAX_FINDINGS:
        raise StrangerFailed(f"more than {MAX_FINDINGS} findings")
    return [_values(item, rule) for item in findings]


def _values(item: Any, rule: Rule) -> Any:
    """Return a finding as plain values."""
    import msgspec

    from xpu_doctor.model.findings import Finding

    if not isinstance(item, Finding):
        raise StrangerFailed(f"it yielded {type(item).__name__} and no finding: use self.found(...)")
    try:
        values = plain(msgspec.to_builtins(item))
        finding = msgspec.convert(values, Finding)
    except (TypeError, ValueError, RecursionError) as error:
        raise _damaged(error) from None
    _need_own(finding, rule)
    return values


def checked(values: Any, rule: Rule) -> list[Finding]:
    """Return findings rebuilt of plain values, so that every type in them is the right one.

    Raises:
        StrangerFailed: they are no findings of that rule.
    """
    import msgspec

    from xpu_doctor.model.findings import Finding

    try:
        findings = msgspec.convert(values, list[Finding])
    except (TypeError, ValueError, RecursionError) as error:
        raise _damaged(error) from None
    for finding in findings:
        _need_own(finding, rule)
    return [replace(finding, explains=()) for finding in findings]


def _need_own(finding: Finding, rule: Rule) -> None:
    if finding.code != rule.code or finding.layer is not rule.layer:
        raise StrangerFailed(f"its finding is of another code or layer ({finding.code[:100]}, {finding.layer.value})")
    if not finding.summary.strip():
        raise StrangerFailed("its finding has no summary")


def _damaged(error: Exception) -> StrangerFailed:
    return StrangerFailed(f"its finding is damaged: {visible(str(error)[:MAX_REASON], one_line=True)}")


def plain(value: Any) -> Any:
    """Return a copy of a value that is plain JSON.

    Raises:
        StrangerFailed: it is not; the message names the place.
    """
    return _Copier().copied(value, "", 0)


class _Copier:
    """Copies plain JSON values, and counts how much they are."""

    def __init__(self) -> None:
        self.characters = self.values = 0

    def copied(self, value: Any, path: str, depth: int) -> Any:
        self.values += 1
        if self.values > MAX_VALUES:
            raise StrangerFailed(f"it gave more than {MAX_VALUES} values")
        # Exact types: a subclass of str or dict would run methods of the plug-in later, outside of the deadline.
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is int:
            # The JSON encoder takes no longer ones, and one odd number must not prevent the report.
            if abs(value) >= 1 << 63:
                raise StrangerFailed(f"the number at {path or 'the top'} has more than 64 bits")
            return value
        if kind is float:
            if not math.isfinite(value):
                raise StrangerFailed(f"{value} at {path or 'the top'} is no JSON value")
            return value
        if kind is str:
            return self._text(value)
        if kind not in (dict, list, tuple):
            raise StrangerFailed(f"{kind.__name__} at {path or 'the top'} is no JSON value")
        if depth >= MAX_NESTING:
            raise StrangerFailed(f"the value is nested deeper than {MAX_NESTING}, or holds itself")
        if kind is not dict:
            return [self.copied(item, f"{path}[{number}]", depth + 1) for number, item in enumerate(value)]
        return {
            self._key(name, path): self.copied(item, f"{path}.{name}"[-200:], depth + 1) for name, item in value.items()
        }

    def _key(self, name: Any, path: str) -> str:
        if type(name) is not str:
            raise StrangerFailed(f"a key at {path or 'the top'} is {type(name).__name__} and no text")
        return self._text(name)

    def _text(self, text: str) -> str:
        self.characters += len(text)
        if self.characters > MAX_CHARACTERS:
            raise StrangerFailed(f"it gave more than {MAX_CHARACTERS // 1024} KiB of text")
        return text

"""What a rule is: pure, one finding code each."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable
from functools import cache
from types import FunctionType
from typing import Any, ClassVar

from xpu_doctor.model.findings import Confidence, Evidence, Finding, Layer, Remedy, Severity


class Rule:
    """Base of all rules: pure, one finding code each; parameters of `check` are snapshot fields by name."""

    code: ClassVar[str]
    layer: ClassVar[Layer]
    severity: ClassVar[Severity] = Severity.ERROR
    confidence: ClassVar[Confidence] = Confidence.CERTAIN
    explains: ClassVar[Collection[str]] = frozenset()
    """Codes of the findings that this one explains: what goes away where this is fixed, or is no fault before it is.

    The doctor's own rules say why, as a mapping of code to reason.
    """
    symptom: ClassVar[bool] = False
    """A symptom tells how something failed, not why; it is a root cause only where nothing explains it."""
    from_table: ClassVar[bool] = False
    """The judgement rests on a table of versions or devices; observed success makes it a note."""

    systems: ClassVar[tuple[str, ...]] = ()
    """Operating systems on which the fault can be; empty for all. A message in a text from another one is no fault of it."""

    takes: ClassVar[tuple[str, ...] | None] = None
    """Names of the fact groups that `check` takes; None reads them from its parameters."""

    check: Any
    """`check(self, torch: Torch, gpus: ...) -> Iterator[Finding]`; yields nothing where the rule is clear."""

    def found(
        self,
        subject: str,
        summary: str,
        *,
        evidence: Iterable[str | Evidence] = (),
        remedies: Iterable[Remedy] = (),
        severity: Severity | None = None,
        confidence: Confidence | None = None,
    ) -> Finding:
        """Build this rule's finding; evidence given as fact paths is filled in from the snapshot by `judge`."""
        shown = tuple(item if isinstance(item, Evidence) else Evidence(item, "", "") for item in evidence)
        return Finding(
            code=self.code,
            layer=self.layer,
            severity=severity or self.severity,
            confidence=confidence or self.confidence,
            subject=subject,
            summary=summary,
            evidence=shown,
            remedies=tuple(remedies),
        )


@cache
def parameters(rule: Rule) -> tuple[str, ...]:
    """Return the names of the fact groups that a rule's `check` takes: what the rule says of itself, else its parameters."""
    if rule.takes is not None:
        return rule.takes
    check = type(rule).check
    if isinstance(check, FunctionType) and not hasattr(check, "__wrapped__"):
        code = check.__code__  # the same names as below, without the milliseconds that signatures of all rules cost
        names: tuple[str, ...] = code.co_varnames[1 : code.co_argcount]
        return names
    return tuple(inspect.signature(check).parameters)[1:]

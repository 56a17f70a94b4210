"""The tables of known messages and of states of the facts, and what each says about finding codes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import ClassVar, Literal

import msgspec

from xpu_doctor.model.findings import Confidence
from xpu_doctor.tables.required_words import required_words
from xpu_doctor.tables.rows import Code, ConditionText, FactPath, Name, PatternText, Row, rows
from xpu_doctor.text.said import Claim
from xpu_doctor.text.word_index import WordTable


class Implies(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a message says about one code; what is None is taken from the message's row."""

    code: Code
    confidence: Confidence | None = None
    weight: int | None = None
    when: tuple[ConditionText, ...] | None = None
    unless: tuple[ConditionText, ...] | None = None
    summary: str = ""
    fix: str | None = None
    alone: bool | None = None


class SignatureRow(Row, frozen=True, kw_only=True):
    """One known message, as the head of signatures.toml describes it."""

    table: ClassVar[str] = "signatures.signature"
    id: Name
    pattern: PatternText
    words: tuple[str, ...]
    meaning: str
    cause: Code = ""
    confidence: Confidence = Confidence.LIKELY
    weight: int = 0
    also: tuple[Code, ...] = ()
    when: tuple[ConditionText, ...] = ()
    unless: tuple[ConditionText, ...] = ()
    implies: tuple[Implies, ...] = ()
    fix: str = ""
    alone: bool = False
    establishes: dict[FactPath, str] = msgspec.field(default_factory=dict)
    kind: Literal["message", "claim"] = "message"
    says: Claim = "fails"
    whole: bool = False
    examples: tuple[str, ...]
    near_misses: tuple[str, ...]


class ImplicationRow(Row, frozen=True, kw_only=True):
    """What a state of pasted facts makes possible."""

    table: ClassVar[str] = "implications.implication"
    code: Code
    confidence: Confidence = Confidence.LIKELY
    weight: int = 0
    when: tuple[ConditionText, ...]
    unless: tuple[ConditionText, ...] = ()
    summary: str
    fix: str = ""
    alone: bool = False
    fallback: bool = False
    """Whether it speaks only where nothing says more than that another cause is possible."""


@dataclass(frozen=True)
class Implication:
    """What a met signature, or a state of the facts, says about one finding code."""

    code: str
    confidence: Confidence
    weight: int = 0
    when: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    summary: str = ""
    fix: str = ""
    alone: bool = False
    """Its `fix` takes the place of the table's remedies for the code."""
    fallback: bool = False
    """It speaks only where nothing says more than that another cause is possible."""


@dataclass(frozen=True)
class Signature:
    """One known message."""

    id: str
    pattern: str
    words: tuple[str, ...]
    """Lower-case literals, one of which every matching line holds: a cheap filter before the pattern."""
    meaning: str
    implies: tuple[Implication, ...]
    establishes: tuple[tuple[str, str], ...] = ()
    """Facts that the message proves: path and value."""
    contradicted_by: frozenset[str] = frozenset()
    """Signatures beside which the message proves no fact."""
    kind: Literal["message", "claim"] = "message"
    """A `message` is program output, a `claim` is what people write."""
    says: Claim = "fails"
    """What a claim claims: whoever denies it says the opposite."""
    whole: bool = False
    """A claim is about the device as a whole, and not about a part or a use of it."""
    source: str = ""
    checked: str = ""
    examples: tuple[str, ...] = ()
    near_misses: tuple[str, ...] = ()

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The pattern, compiled when it is first needed."""
        return re.compile(self.pattern)

    @cached_property
    def required(self) -> tuple[tuple[WordTable, ...], ...]:
        """Alternatives of the pattern: sets of words, of each of which every matching line holds one; `words` are the last of each."""
        own = WordTable(self.words)
        return tuple((*map(WordTable, sets), own) for sets in required_words(self.id, self.pattern))


@cache
def signatures() -> tuple[Signature, ...]:
    """Return all known messages."""
    return tuple(map(_signature, rows(SignatureRow)))


@cache
def by_id() -> dict[str, Signature]:
    """Return the known messages by id."""
    return {signature.id: signature for signature in signatures()}


@cache
def implications() -> tuple[Implication, ...]:
    """Return what a state of the facts in a pasted text makes possible, the rows marked `fallback` last."""
    found = (
        Implication(
            code=row.code,
            confidence=row.confidence,
            weight=row.weight,
            when=row.when,
            unless=row.unless,
            summary=row.summary,
            fix=row.fix,
            alone=row.alone,
            fallback=row.fallback,
        )
        for row in rows(ImplicationRow)
    )
    return tuple(sorted(found, key=lambda item: item.fallback))


def _signature(row: SignatureRow) -> Signature:
    return Signature(
        id=row.id,
        pattern=row.pattern,
        words=row.words,
        meaning=row.meaning,
        implies=tuple(_implied(row)),
        establishes=tuple(row.establishes.items()),
        contradicted_by=frozenset(_signatures_of(row.unless)),
        kind=row.kind,
        says=row.says,
        whole=row.whole,
        source=row.source,
        checked=row.checked,
        examples=row.examples,
        near_misses=row.near_misses,
    )


def _signatures_of(conditions: Iterable[str]) -> Iterator[str]:
    for condition in conditions:
        if condition.startswith("signature:"):
            yield from condition.removeprefix("signature:").split("|")


def _implied(row: SignatureRow) -> Iterator[Implication]:
    """Yield the cause of a row, then what it implies besides, then what it leaves possible."""
    if row.cause:
        yield _implication(Implies(code=row.cause), row)
    for item in row.implies:
        yield _implication(item, row)
    for place, code in enumerate(row.also):
        yield Implication(code, Confidence.POSSIBLE, -1 - place)


def _implication(item: Implies, row: SignatureRow) -> Implication:
    """Return an implication; what it does not say itself is taken from its row."""
    return Implication(
        code=item.code,
        confidence=row.confidence if item.confidence is None else item.confidence,
        weight=row.weight if item.weight is None else item.weight,
        when=row.when if item.when is None else item.when,
        unless=row.unless if item.unless is None else item.unless,
        summary=item.summary,
        fix=row.fix if item.fix is None else item.fix,
        alone=row.alone if item.alone is None else item.alone,
    )

"""Every row of the table of known messages: it matches what it must, nothing that looks alike, and no text makes it slow."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from xpu_doctor.catalogue.pages import rules_by_code
from xpu_doctor.diagnosis.conditions import condition_holds
from xpu_doctor.diagnosis.known_messages import MAX_LINE, match, match_pasted
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.tables.first_aid import codes
from xpu_doctor.tables.known_faults import known_faults
from xpu_doctor.tables.signatures import Implication, Signature, implications, signatures
from xpu_doctor.text.word_index import IndexedText

if sys.version_info >= (3, 11):
    from re import _parser as parser  # type: ignore[attr-defined]
else:
    import sre_parse as parser

every_signature = pytest.mark.parametrize("signature", signatures(), ids=[row.id for row in signatures()])
LIMIT = 0.05
"""Seconds that one pattern may take on one hostile line; the usual time is a thousandth of that."""


def met(text: str) -> set[str]:
    """Ids of the signatures that a text meets, claims included."""
    return {error.signature for error in match_pasted(IndexedText(text), "test").told}


def test_ids_are_unique() -> None:
    """An id names one row."""
    ids = [row.id for row in signatures()]
    assert sorted(ids) == sorted(set(ids))


@every_signature
def test_examples_match(signature: Signature) -> None:
    """Each row has an example, and the whole matcher finds each of them."""
    assert signature.examples
    missed = [example for example in signature.examples if signature.id not in met(example)]
    assert not missed


@every_signature
def test_near_misses_do_not_match(signature: Signature) -> None:
    """Each row has a line that looks alike and is something else."""
    assert signature.near_misses
    wrong = [line for line in signature.near_misses if signature.id in met(line)]
    assert not wrong


@every_signature
def test_words_are_lower_case(signature: Signature) -> None:
    """The cheap filter compares with a text in lower case."""
    assert signature.words
    assert all(word == word.lower() and word for word in signature.words)


@every_signature
def test_no_nested_quantifiers(signature: Signature) -> None:
    """A repetition without end inside another one is how a pattern becomes slow."""
    assert not list(nested(parser.parse(signature.pattern)))


def nested(tree: Any, inside: bool = False) -> Iterator[str]:
    """Yield each endless repetition inside another repetition of more than one."""
    for operation, argument in tree:
        name = str(operation)
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            _, high, body = argument
            endless = high == parser.MAXREPEAT or high > 256
            if endless and inside:
                yield name
            yield from nested(body, inside or high == parser.MAXREPEAT or high > 8)
        elif name == "SUBPATTERN":
            yield from nested(argument[-1], inside)
        elif name == "BRANCH":
            for branch in argument[1]:
                yield from nested(branch, inside)
        elif name in ("ASSERT", "ASSERT_NOT"):
            yield from nested(argument[1], inside)


def test_nested_quantifiers_are_found() -> None:
    """The check itself can fail."""
    assert list(nested(parser.parse(r"(?:a+)+b")))
    assert not list(nested(parser.parse(r"(?:a+b)?c+")))


def hostile(signature: Signature) -> Iterator[str]:
    """Lines of full length that begin to match and never end."""
    for example in signature.examples[:2]:
        yield (example + " ") * (MAX_LINE // (len(example) + 1))
        yield example[: len(example) // 2] + example[len(example) // 3 : len(example) // 2] * 600
    for word in signature.words[:3]:
        yield (word + " ") * (MAX_LINE // (len(word) + 1))
        yield word + "a" * MAX_LINE
        yield (word + " 1.1.1 not kernel driver torch works ") * 100
    yield 'Error loading "' * 270
    yield "a-_.0 " * 680


@every_signature
def test_hostile_lines_are_quick(signature: Signature) -> None:
    """No line of 4 KiB takes long; the best of three runs counts, since the machine may be busy."""
    for line in hostile(signature):
        shown = line[:MAX_LINE]
        assert min(seconds(signature.compiled, shown) for _ in range(3)) < LIMIT, shown[:80]


def seconds(pattern: re.Pattern[str], line: str) -> float:
    """How much of the processor's time one search takes; other programs do not count."""
    started = time.process_time()
    pattern.search(line)
    return time.process_time() - started


def all_implications() -> list[Implication]:
    """Every implication of every table."""
    return [
        *(implication for row in signatures() for implication in row.implies),
        *implications(),
        *(fault.implication for fault in known_faults()),
    ]


def test_implied_codes_exist() -> None:
    """A message speaks only for codes that have a rule."""
    assert {implication.code for implication in all_implications()} <= set(rules_by_code())


def test_conditions_can_be_read() -> None:
    """Every condition has one of the known forms, and names facts and signatures that exist."""
    ids = {row.id for row in signatures()}
    for implication in all_implications():
        for condition in (*implication.when, *implication.unless):
            condition_holds(condition, Snapshot(), frozenset())
            if "signature:" in condition:
                assert set(condition.split("signature:")[1].split("|")) <= ids, condition
            else:
                group, _, field = condition.removeprefix("!").removeprefix("known:").partition(".")
                name = re.split(r"[<>=\[]", field)[0]
                if field and "[" not in group:
                    kind = Snapshot.__dataclass_fields__[group].default_factory  # type: ignore[union-attr]
                    assert name in kind.__dataclass_fields__, condition  # type: ignore[union-attr]
                else:
                    assert group.split("[")[0] in Snapshot.__dataclass_fields__, condition


def test_established_facts_exist() -> None:
    """What a message establishes is a field of the snapshot."""
    for row in signatures():
        for path, _ in row.establishes:
            group, _, field = path.partition(".")
            kind = Snapshot.__dataclass_fields__[group].default_factory  # type: ignore[union-attr]
            assert field in kind.__dataclass_fields__, path  # type: ignore[union-attr]


def test_faults_that_messages_imply_have_a_remedy() -> None:
    """Whoever gets a finding gets something to do."""
    without = {
        "compute-wrong-result",
        "gpu-hang-logged",
        "gpu-not-present",
        "low-performance",
        "silent-cpu-fallback",
        "vm-no-passthrough",
    }
    assert {implication.code for implication in all_implications()} - codes() <= without


def test_live_output_is_not_searched_for_claims() -> None:
    """What people write counts in pasted texts only."""
    claim = "it falls back to CPU"
    assert not match(IndexedText(claim), "import stage")
    assert match_pasted(IndexedText(claim), "text").told


def test_only_the_first_lines_of_a_signature_are_reported() -> None:
    """A message that comes a thousand times is one message."""
    text = "\n".join(["RuntimeError: UR error"] * 1000)
    assert len(match(IndexedText(text), "text")) == 4


def test_place_names_the_line() -> None:
    """Evidence says where it stood."""
    (error,) = match(IndexedText("one\ntwo\nRuntimeError: UR error\n"), "text")
    assert error.source == "text, line 3"

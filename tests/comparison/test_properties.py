"""For any facts at all: nothing differs from itself, two sides are as two sides, and an order that says nothing makes no difference."""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.comparison.plants import shuffled
from xpu_doctor.comparison.compare import compare
from xpu_doctor.comparison.model import Side
from xpu_doctor.diagnosis.diagnose import Diagnosis, diagnose
from xpu_doctor.model.codec import decode, encode
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.unknown import Unknown

HOSTILE = (
    "",
    "\x1b[31m",
    "<user1>",
    "<user2>",
    "a]b[c.d",
    "[0]",
    "\u202e",
    "\0",
    "/tmp/xy12/z",
    "0x7f00deadbeef",
    "x" * 300,
    "2026-01-01",
    "none",
    "İ",
)
words = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=8), st.sampled_from(["torch", "xe", "render", "1.2.3"]))
plain = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), words),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=3)),
    max_leaves=5,
)
BASIC: dict[Any, st.SearchStrategy[Any]] = {
    str: words,
    bool: st.booleans(),
    int: st.integers(0, 2**40),
    float: st.floats(0, 1e6),
    Any: plain,
}


def of(hint: Any) -> st.SearchStrategy[Any]:
    """A strategy for values of a type of the codec."""
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return st.one_of([of(part) for part in typing.get_args(hint)])
    if origin is tuple:
        return st.lists(of(typing.get_args(hint)[0]), max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(words, plain, max_size=3)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return st.sampled_from(list(hint))
    return of_class(hint) if dataclasses.is_dataclass(hint) else BASIC[hint]


@cache
def of_class(kind: Any) -> st.SearchStrategy[Any]:
    """A strategy for a class of facts: some of its fields have a value, the others what they have by default."""
    if kind is Unknown:
        return words.map(Unknown)
    hints = typing.get_type_hints(kind)
    fields = {field.name: of(hints[field.name]) for field in dataclasses.fields(kind)}
    needed = {
        field.name: fields[field.name]
        for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    more = {name: strategy for name, strategy in fields.items() if name not in needed}
    return st.fixed_dictionaries(needed, optional=more).map(lambda values: kind(**values))


GROUPS = [
    field.name
    for field in dataclasses.fields(Snapshot)
    if field.name not in ("schema", "origin", "subject", "skipped", "sources")
]
HINTS = typing.get_type_hints(Snapshot)
snapshots = st.lists(st.sampled_from(GROUPS), max_size=3, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: of(HINTS[name]) for name in names}).map(
        lambda values: Snapshot(**values)
    )
)
some = settings(max_examples=60)
NOTHING: Diagnosis = diagnose(Snapshot(), ())


def side(label: str, snapshot: Snapshot) -> Side:
    """A side that nobody judged."""
    return Side(label, snapshot, NOTHING)


@some
@given(snapshots)
def test_nothing_differs_from_itself(snapshot: Snapshot) -> None:
    """Also after it was saved and read again, and with every list in another order."""
    for other in (snapshot, decode(encode(snapshot)), shuffled(snapshot)):
        result = compare([side("A", snapshot), side("B", other)], {})
        assert (result.differences, result.one_sided) == ((), ())


@some
@given(snapshots, snapshots)
def test_two_sides_are_as_two_sides(one: Snapshot, other: Snapshot) -> None:
    """The same differs in the same order whichever comes first, and all that differs is said."""
    there, back = (compare([side("A", left), side("B", right)], {}) for left, right in ((one, other), (other, one)))
    for rows, turned in ((there.differences, back.differences), (there.one_sided, back.one_sided)):
        assert [(row.path, row.weight, row.values) for row in rows] == [
            (row.path, row.weight, row.values[::-1]) for row in turned
        ]
    assert len({row.path for row in there.differences}) == len(there.differences)


@some
@given(snapshots, snapshots)
def test_a_third_side_like_the_second_changes_nothing(one: Snapshot, other: Snapshot) -> None:
    """The first is then the odd one out wherever all three know."""
    two = compare([side("A", one), side("B", other)], {})
    three = compare([side("A", one), side("B", other), side("C", shuffled(other))], {})
    assert [row.path for row in two.differences] == [row.path for row in three.differences]
    assert {row.odd for row in three.differences} <= {(0,)}

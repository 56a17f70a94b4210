"""Grouping and statistics: what holds of every fleet, whatever it is made of."""

from __future__ import annotations

import random
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xpu_doctor.fleet import groups as module
from xpu_doctor.fleet.expected import NodeListError, expected_nodes
from xpu_doctor.fleet.facts import MODELS
from xpu_doctor.fleet.groups import ANY, Draft, grouped
from xpu_doctor.fleet.heap import Heap
from xpu_doctor.fleet.model import NOT_THERE, Cause, Profile
from xpu_doctor.fleet.names import folded, natural, node_name, told_apart
from xpu_doctor.fleet.speeds import LEAST_MAD, MIN_LOSS, MIN_SCORE, TO_SIGMA, usual
from xpu_doctor.fleet.weights import list_of, nature_of

PATHS = (
    "torch.version",
    "kernel.version",
    "driver.packages[a].version",
    "environment.variables[Z]",
    "xpu.device_count",
    "machine.cpu_count",
)
CAUSES = (
    (),
    (Cause("torch-cpu-wheel", "error", "certain", "torch"),),
    (Cause("rebar-disabled", "warning", "certain", "gpu ?"),),
)


@st.composite
def profiles(draw: st.DrawFn) -> list[tuple[int, Profile]]:
    """Profiles, each with how many nodes have it."""
    rows = []
    for _ in range(draw(st.integers(1, 12))):
        facts = tuple(sorted((path, draw(st.sampled_from("abc"))) for path in PATHS if draw(st.integers(0, 4))))
        models = draw(st.sampled_from(("A", "A", "A", "B", "none")))
        causes = draw(st.sampled_from(CAUSES))
        verdict = "findings" if causes else draw(st.sampled_from(("healthy", "healthy", "undiagnosed")))
        lists = tuple(name for name in ("driver.packages", "environment.variables") if draw(st.booleans()))
        cited = draw(st.sampled_from(((), ("torch.version",), ("xpu",))))
        rows.append((draw(st.integers(1, 30)), Profile(verdict, causes, (*facts, (MODELS, models)), lists, cited)))
    return rows


def made(rows: list[tuple[int, Profile]], order: list[int]) -> list[Draft]:
    heap = Heap()
    for number in order:
        heap.add(number, rows[number][0], rows[number][1])
    return grouped(heap)[0]


def value_of(profile: Profile, path: str) -> str | None:
    known = dict(profile.facts)
    if path in known:
        return known[path]
    return NOT_THERE if list_of(path) in profile.known_lists and list_of(path) else None


@settings(max_examples=100, deadline=None)
@given(profiles(), st.randoms(use_true_random=False))
def test_every_node_is_in_one_group_whatever_the_order(rows: list[tuple[int, Profile]], random_: random.Random) -> None:
    order = list(range(len(rows)))
    first = made(rows, order)
    assert sorted(number for draft in first for number in draft.profiles) == order
    random_.shuffle(order)

    def shape(drafts: list[Draft]) -> list[object]:
        rows = [
            (draft.kind, draft.causes, draft.verdict, draft.separations, draft.also, draft.majority) for draft in drafts
        ]
        numbers = [sorted(draft.profiles) for draft in drafts]
        return sorted(zip(rows, numbers, strict=True), key=repr)

    assert shape(made(rows, order)) == shape(first)
    assert [draft.size for draft in first] == [sum(rows[number][0] for number in draft.profiles) for draft in first]
    for kind in {draft.kind for draft in first}:
        assert sum(draft.majority for draft in first if draft.kind == kind) == 1


@settings(max_examples=100, deadline=None)
@given(profiles())
def test_a_separating_fact_holds_for_its_group_and_for_as_few_others_as_it_says(
    rows: list[tuple[int, Profile]],
) -> None:
    drafts = made(rows, list(range(len(rows))))
    for draft in drafts:
        peers = [number for other in drafts if other.kind == draft.kind for number in other.profiles]
        inside = [rows[number][1] for number in draft.profiles]
        for fact in draft.separations:
            if fact.value != ANY:
                assert all(value_of(profile, fact.path) == fact.value for profile in inside)
                outside = [
                    number
                    for number in peers
                    if number not in draft.profiles and value_of(rows[number][1], fact.path) == fact.value
                ]
                assert sum(rows[number][0] for number in outside) == fact.elsewhere
            else:
                assert all(value_of(profile, fact.path) not in (fact.others, None) for profile in inside)
        if draft.separations:
            best = draft.separations[0]
            rivals = [fact for fact in draft.also if nature_of(fact.path) is nature_of(best.path)]
            assert all(fact.elsewhere >= best.elsewhere for fact in rivals)


@settings(max_examples=100, deadline=None)
@given(st.integers(20, 200), st.integers(1, 5), st.sampled_from(PATHS))
def test_one_planted_fact_makes_one_group(count: int, odd: int, path: str) -> None:
    facts = dict.fromkeys(PATHS, "a")
    rows = [
        (count, Profile("healthy", (), tuple(sorted(facts.items())), ("driver.packages", "environment.variables"), ())),
        (
            odd,
            Profile(
                "healthy",
                (),
                tuple(sorted({**facts, path: "b"}.items())),
                ("driver.packages", "environment.variables"),
                (),
            ),
        ),
    ]
    drafts = made(rows, [0, 1])
    assert [(draft.size, draft.majority) for draft in drafts] == [(odd, False), (count, True)]
    assert [(fact.path, fact.value, fact.others, fact.elsewhere) for fact in drafts[0].separations] == [
        (path, "b", "a", 0)
    ]


def test_a_cause_comes_before_what_came_of_it() -> None:
    healthy = {
        "torch.build": "xpu",
        "torch.version": "2.9+xpu",
        "xpu.available": "yes",
        "run.stages[import].outcome": "ok",
        "machine.cpu": "x",
    }
    ill = {
        "torch.build": "cpu",
        "torch.version": "2.9+cpu",
        "xpu.available": "no",
        "run.stages[import].outcome": "error",
        "machine.cpu": "y",
    }
    rows = [
        (100, Profile("healthy", (), tuple(sorted(healthy.items())), (), ())),
        (3, Profile("findings", CAUSES[1], tuple(sorted(ill.items())), (), ("xpu.available", "torch.build"))),
    ]
    assert made(rows, [0, 1])[0].separations[0].path == "torch.build"


def test_noise_does_not_split_a_diagnosis() -> None:
    """Nodes with one fault are one group although they differ in what the others differ in as well."""
    rows = []
    for kernel in "abcd":
        rows.append((20, Profile("healthy", (), (("kernel.version", kernel), ("torch.build", "xpu")), (), ())))
        rows.append(
            (
                2,
                Profile(
                    "findings", CAUSES[1], (("kernel.version", kernel), ("torch.build", "cpu")), (), ("torch.build",)
                ),
            )
        )
    drafts = [draft for draft in made(rows, list(range(8))) if draft.causes]
    assert [(draft.size, draft.separations[0].path) for draft in drafts] == [(8, "torch.build")]


def test_many_values_of_one_variable_are_one_group() -> None:
    rows = [(100, Profile("healthy", (), (), ("environment.variables",), ()))]
    rows += [
        (
            1,
            Profile(
                "healthy",
                (),
                (("environment.variables[ZE_AFFINITY_MASK]", str(number)),),
                ("environment.variables",),
                (),
            ),
        )
        for number in range(10)
    ]
    drafts = made(rows, list(range(11)))
    assert [(draft.size, draft.majority) for draft in drafts] == [(10, False), (100, True)]
    assert drafts[0].separations[0].value == ANY and drafts[0].separations[0].others == NOT_THERE


def test_there_is_an_end_to_groups() -> None:
    rows = [(1000, Profile("healthy", (), (("a", "1"),), ("environment.variables",), ()))]
    for number in range(600):
        facts = (("a", "1"), (f"environment.variables[V{number}]", "x"))
        rows.append((1, Profile("healthy", (), facts, ("environment.variables",), ())))
    drafts = made(rows, list(range(601)))
    assert len(drafts) == module.MAX_GROUPS + 1 and drafts[-1].majority and drafts[-1].size == 1300


def test_two_kinds_of_machines_are_compared_with_their_own() -> None:
    def profile(models: str, driver: str) -> Profile:
        return Profile("healthy", (), ((MODELS, models), ("gpus", f"4 x {models}"), ("kernel.version", driver)), (), ())

    rows = [(100, profile("A", "1")), (50, profile("B", "2")), (2, profile("B", "1")), (1, profile("C", "1"))]
    found = {
        (draft.kind, draft.size, draft.majority, tuple(fact.path for fact in draft.separations))
        for draft in made(rows, [0, 1, 2, 3])
    }
    assert found == {
        (0, 100, True, ()),
        (1, 50, True, ()),
        (1, 2, False, ("kernel.version",)),
        (0, 1, False, ("gpus",)),
    }


def test_what_is_not_known_is_no_difference() -> None:
    rows = [(50, Profile("healthy", (), (("torch.version", "1"),), (), ())), (3, Profile("healthy", (), (), (), ()))]
    assert [draft.size for draft in made(rows, [0, 1])] in ([53], [50, 3]) and not any(
        draft.separations for draft in made(rows, [0, 1])
    )


def test_there_are_as_many_groups_as_needed_and_no_more() -> None:
    assert module.MIN_NODES == 3
    rows = [(1, Profile("healthy", (), (("torch.version", value),), (), ())) for value in "ab"]
    assert [draft.size for draft in made(rows, [0, 1])] == [2]


# ---------------------------------------------------------------------------------------------- speeds


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0.01, 1e4), min_size=1, max_size=60))
def test_statistics_against_brute_force(values: list[float]) -> None:
    found = usual(values)
    middle = statistics.median(values)
    assert found.median == middle and found.mad == statistics.median(abs(value - middle) for value in values)
    spread = max(found.mad, LEAST_MAD * middle)
    for value in values:
        slow = TO_SIGMA * (middle - value) / spread > MIN_SCORE and value < middle * (1 - MIN_LOSS)
        near = (
            abs(TO_SIGMA * (middle - value) / spread - MIN_SCORE) < 1e-6
            or abs(value - middle * (1 - MIN_LOSS)) < 1e-9 * middle
        )
        assert near or slow == (value < found.slow_below)


def test_a_normal_spread_has_no_slow_card_and_a_slow_one_is_found() -> None:
    own = random.Random(5)
    values = [own.gauss(236, 2.4) for _ in range(800)]
    assert not [value for value in values if value < usual(values).slow_below]
    assert [value for value in [*values, 180.0] if value < usual([*values, 180.0]).slow_below] == [180.0]
    wide = [own.gauss(236, 30) for _ in range(800)]
    assert not [value for value in [*wide, 180.0] if value < usual([*wide, 180.0]).slow_below]


# ---------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("said", "label", "name"),
    [
        ("node7", "x.json", "node7"),
        (None, "node7.json", "node7"),
        ("<host1>", "node7.json", "node7"),
        (None, "node7.cluster.example.com.json", "node7.cluster.example.com"),
        (None, "node7-20261127T131500Z.json", "node7"),
        (None, "node7.2026-11-27T13:15:00Z.json", "node7"),
        (None, "node7_20261127.json.gz", "node7"),
        (None, "node7.rank12.json", "node7"),
        (None, "monday/node7.json", "node7"),
        (None, "node-123456789012.json", "node-123456789012"),
        (None, "node12345678.json", "node12345678"),
        (None, "20261127/node7.json", "node7"),
        (None, "node7/report.json", "node7"),
        (None, "all.tar.gz: reports/node7.json", "node7"),
        (None, "xpu-doctor-node7.json", "node7"),
        (None, "report.json", "report.json"),
        (None, "all.jsonl#12", "all.jsonl#12"),
    ],
)
def test_name_of_a_node(said: str | None, label: str, name: str) -> None:
    assert node_name(said, label) == name


@settings(max_examples=100, deadline=None)
@given(st.sets(st.from_regex(r"[a-c]{1,3}(?:[0-9]{1,4}|-[0-9]{1,2}x)?", fullmatch=True), max_size=40))
def test_folded_names_stand_for_the_same_names(names: set[str]) -> None:
    unfolded = [name for each in folded(names) for name in (expected_nodes(each) if "[" in each else (each,))]
    assert sorted(unfolded) == sorted(names)


@pytest.mark.parametrize(
    ("names", "ranges"),
    [
        ("gpu[01-02,10-11,13-19]", ["gpu[01-02,10-11,13-19]"]),
        ("node[0-12]", ["node[0-12]"]),
        ("n[01-99],n100", ["n[01-99]", "n100"]),
        ("n[8-9],n[10-11]", ["n[8-11]"]),
        ("n[008-010,098-101]", ["n[008-010,098-101]"]),
        ("n[008-010],n09", ["n[008-010]", "n09"]),
        ("n[1-3],n01,n10x", ["n[1-3]", "n01", "n10x"]),
    ],
)
def test_ranges_go_on_where_zeros_end(names: str, ranges: list[str]) -> None:
    assert sorted(folded(expected_nodes(names))) == sorted(ranges)


@settings(max_examples=200, deadline=None)
@given(st.sets(st.from_regex(r"n[0-9]{1,3}x?", fullmatch=True), max_size=60))
def test_ranges_of_all_widths_stand_for_the_same_names(names: set[str]) -> None:
    unfolded = [name for each in folded(names) for name in expected_nodes(each)]
    assert sorted(unfolded) == sorted(names)


def test_folded_names_fit_in_a_line() -> None:
    names = [f"node{number:03}" for number in range(0, 400, 2)]
    assert all(len(each) < 70 for each in folded(names)) and folded(names[:1]) == ["node000"]
    assert sorted(["n10", "n9", "n1"], key=natural) == ["n1", "n9", "n10"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a,b c", ("a", "b", "c")),
        ("n[1-3]", ("n1", "n2", "n3")),
        ("n[08-10],m", ("n08", "n09", "n10", "m")),
        ("r[1-2]n[1,3]", ("r1n1", "r1n3", "r2n1", "r2n3")),
        ("# all\nn1\n\nn2 # two\n", ("n1", "n2")),
        ("@group", ("@group",)),
    ],
)
def test_lists_of_nodes(text: str, names: tuple[str, ...]) -> None:
    assert expected_nodes(text) == names


@pytest.mark.parametrize("text", ["n[", "n[a-b]", "n]", "", ",", "n[1-2000000]", "n[1-1000]m[1-1001]", "n[3-1]"])
def test_lists_that_are_none(text: str) -> None:
    with pytest.raises(NodeListError):
        expected_nodes(text)


def test_a_short_name_stands_for_the_full_one() -> None:
    assert told_apart(["n1.a.org", "n2", "n4.a.org"], ["n1", "n2.a.org", "n3", "n4.b.org"]) == (
        ["n3", "n4.b.org"],
        ["n4.a.org"],
    )


@given(st.sets(st.sampled_from("abcdef")), st.sets(st.sampled_from("abcdef")))
def test_missing_and_unexpected(there: set[str], wanted: set[str]) -> None:
    missing, extra = told_apart(there, wanted)
    assert set(missing) == wanted - there and set(extra) == there - wanted

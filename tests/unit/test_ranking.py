"""Ranking: deterministic, loses nothing, folds what is explained, and survives circles."""

from __future__ import annotations

from hypothesis import given, strategies

from xpu_doctor.diagnosis.conclusion import concluded
from xpu_doctor.diagnosis.ranking import flat, in_mending_order, mending_rank, rank, subjects_agree
from xpu_doctor.model.findings import Confidence, Finding, Layer, Severity

CODES = ("alpha", "beta", "gamma", "delta", "omega")

findings = strategies.lists(
    strategies.builds(
        Finding,
        code=strategies.sampled_from(CODES),
        layer=strategies.sampled_from(list(Layer)),
        severity=strategies.sampled_from(list(Severity)),
        confidence=strategies.sampled_from(list(Confidence)),
        subject=strategies.sampled_from(["machine", "torch", "host", "container", "gpu 0000:03:00.0"]),
        summary=strategies.just("s"),
    ),
    max_size=8,
)
graphs = strategies.dictionaries(
    strategies.sampled_from(CODES), strategies.frozensets(strategies.sampled_from(CODES)), max_size=5
)


def finding(
    code: str,
    severity: Severity = Severity.ERROR,
    confidence: Confidence = Confidence.CERTAIN,
    layer: Layer = Layer.WHEEL,
    subject: str = "torch",
) -> Finding:
    return Finding(code, layer, severity, confidence, subject, code)


@given(findings, graphs, strategies.frozensets(strategies.sampled_from(CODES)))
def test_nothing_is_lost_and_nothing_doubled(
    found: list[Finding], explains: dict[str, frozenset[str]], symptoms: frozenset[str]
) -> None:
    ranked = rank(found, explains, symptoms)
    assert sorted(item.code for item in flat(ranked)) == sorted(item.code for item in found)


@given(findings, graphs, strategies.randoms())
def test_the_order_of_the_input_does_not_matter(
    found: list[Finding], explains: dict[str, frozenset[str]], random: object
) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert rank(found, explains) == rank(shuffled, explains)


@given(findings, graphs)
def test_a_note_hides_no_fault(found: list[Finding], explains: dict[str, frozenset[str]]) -> None:
    def check(parent: Finding) -> None:
        for child in parent.explains:
            assert parent.severity is not Severity.INFO or child.severity is Severity.INFO
            check(child)

    for root in rank(found, explains):
        check(root)


@given(
    findings,
    graphs,
    strategies.frozensets(strategies.sampled_from(CODES)),
    strategies.sampled_from(["error", "warning"]),
)
def test_folding_never_lowers_the_verdict(
    found: list[Finding], explains: dict[str, frozenset[str]], symptoms: frozenset[str], fail_on: str
) -> None:
    """The exit code is that of the worst finding, wherever it hangs in the tree."""
    loud = any(item.severity.rank >= Severity(fail_on).rank for item in found)
    assert (concluded(rank(found, explains, symptoms), (), (), fail_on).verdict == "findings") == loud


@given(findings, graphs)
def test_a_cause_matters_as_much_as_what_it_explains(found: list[Finding], explains: dict[str, frozenset[str]]) -> None:
    for item in flat(rank(found, explains)):
        assert item.confidence is Confidence.POSSIBLE or all(
            child.severity.rank <= item.severity.rank for child in item.explains
        )


@given(findings, graphs, strategies.frozensets(strategies.sampled_from(CODES)))
def test_the_order_to_mend_in_is_from_the_bottom_up(
    found: list[Finding], explains: dict[str, frozenset[str]], symptoms: frozenset[str]
) -> None:
    """Nothing is lost; among sure faults of one severity the lower layer comes first, and an unexplained symptom last."""
    ranked = rank(found, explains, symptoms)
    ordered = in_mending_order(ranked, symptoms)
    assert sorted(map(repr, ordered)) == sorted(map(repr, ranked))
    places = [
        (-item.severity.rank, item.code in symptoms, item.confidence is Confidence.POSSIBLE, mending_rank(item.layer))
        for item in ordered
    ]
    assert places == sorted(places)


def test_an_edge_folds_the_symptom() -> None:
    roots = rank([finding("symptom"), finding("cause")], {"cause": frozenset({"symptom"})}, frozenset({"symptom"}))
    assert [root.code for root in roots] == ["cause"]
    assert [child.code for child in roots[0].explains] == ["symptom"]


def test_subjects_must_agree() -> None:
    roots = rank(
        [finding("symptom", subject="host"), finding("cause", subject="container")], {"cause": frozenset({"symptom"})}
    )
    assert len(roots) == 2
    assert subjects_agree("machine", "torch")
    assert not subjects_agree("machine", "container")


def test_a_circle_loses_nothing() -> None:
    roots = rank([finding("a"), finding("b")], {"a": frozenset({"b"}), "b": frozenset({"a"})})
    assert len(flat(roots)) == 2


def test_sure_causes_come_before_possible_ones_and_faults_before_notes() -> None:
    ranked = rank(
        [
            finding("note", Severity.INFO),
            finding("maybe", confidence=Confidence.POSSIBLE, layer=Layer.DEVICE),
            finding("sure"),
        ],
        {},
    )
    assert [item.code for item in ranked] == ["sure", "maybe", "note"]

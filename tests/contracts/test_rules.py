"""What every rule, page, table and case must hold to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cases import OUTCOMES, cases
from xpu_doctor import rules
from xpu_doctor.catalogue.pages import HEADINGS, page, rules_by_code, sections
from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts.combined import COMBINED
from xpu_doctor.model.findings import Layer
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.rules import RULES

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference" / "codes.md"
KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
RULES_BY_CODE = sorted(rules_by_code().items())
every_rule = pytest.mark.parametrize(
    "rule", [rule for _, rule in RULES_BY_CODE], ids=[code for code, _ in RULES_BY_CODE]
)


def layers_of_codes() -> dict[str, str]:
    """The table of docs/reference/codes.md: each code's layer."""
    rows = re.findall(r"^\| ([a-z]+) \| (.+) \|$", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE)
    return {code.strip(" `"): layer for layer, codes in rows for code in codes.split(",") if layer != "layer"}


def test_codes_are_unique() -> None:
    """One rule per finding code."""
    codes = [rule.code for rule in RULES]
    assert sorted(codes) == sorted(set(codes))


@every_rule
def test_code_stands_in_the_reference_under_its_layer(rule: type[Rule]) -> None:
    """A code is kebab-case and listed, with the layer that the rule has."""
    assert KEBAB.fullmatch(rule.code)
    assert layers_of_codes().get(rule.code) == rule.layer.value


@every_rule
def test_rule_lives_in_the_file_of_its_code(rule: type[Rule]) -> None:
    """rules/<layer>/<code>.py: one rule, findable by its name."""
    folder = "import_" if rule.layer is Layer.IMPORT else rule.layer.value
    assert rule.__module__ == f"xpu_doctor.rules.{folder}.{rule.code.replace('-', '_')}"


@every_rule
def test_page_types_no_version_to_install(rule: type[Rule]) -> None:
    """A version in a command is old with the next release; the report names the one that fits."""
    assert not re.search(r"\b(torch\w*|triton[\w-]*)(==|@)\d", page(rule))


@every_rule
def test_page_takes_nothing_out_before_the_new_is_there(rule: type[Rule]) -> None:
    """Where a page shows how torch is uninstalled for another build, the wheels are downloaded first, as the report does it."""
    for block in re.findall(r"```\n(.*?)```", page(rule), re.DOTALL):
        install = block.find("--index-url https://download.pytorch.org/whl/xpu")
        assert -1 in (install, taken := block.find("uninstall")) or install < taken


@every_rule
def test_page_has_every_heading(rule: type[Rule]) -> None:
    """The page begins with the code and has all sections, in order, none of them empty."""
    text = page(rule)
    assert text.startswith(f"# {rule.code}\n")
    found = sections(text)
    assert tuple(found) == HEADINGS
    assert all(found.values()), [name for name, body in found.items() if not body]


@every_rule
def test_parameters_are_facts(rule: type[Rule]) -> None:
    """`check` asks for fields of the snapshot, or for several of them as one, and for no more than six."""
    code = rule.check.__code__
    names = set(code.co_varnames[1 : code.co_argcount])
    assert names <= {*Snapshot.__dataclass_fields__, *COMBINED, "snapshot"}
    assert len(names) <= 6


def test_what_stands_for_several_groups_is_made_of_groups() -> None:
    for name, kind in COMBINED.items():
        assert name not in Snapshot.__dataclass_fields__
        assert set(kind.__dataclass_fields__) <= set(Snapshot.__dataclass_fields__)


@every_rule
def test_rule_has_a_sentence(rule: type[Rule]) -> None:
    """The class says in one sentence what it is about."""
    assert (rule.__doc__ or "").strip().split("\n")[0].endswith(".")


@every_rule
def test_every_outcome_is_cased(rule: type[Rule]) -> None:
    """Found and clear for every rule; undecided too, but for rules about the doctor, whose facts are always known."""
    wanted = {"found", "clear"} if rule.layer is Layer.DOCTOR else set(OUTCOMES)
    assert wanted <= {case.outcome for case in cases() if case.code == rule.code}


def test_cases_are_for_known_codes() -> None:
    """No file of cases without its rule."""
    assert {case.code for case in cases()} <= set(rules_by_code())


@every_rule
def test_explains_names_codes_that_exist(rule: type[Rule]) -> None:
    """What a rule explains is a code of the reference, and not itself."""
    assert set(rule.explains) <= set(layers_of_codes())
    assert rule.code not in rule.explains


@every_rule
def test_every_edge_says_why(rule: type[Rule]) -> None:
    """Each finding that a rule explains stands with a sentence of its own that says why the cause makes it happen."""
    assert not rule.explains or isinstance(rule.explains, dict)
    for code in rule.explains:
        reason = rule.explains[code]  # type: ignore[index]
        assert len(reason.split()) >= 5 and not reason.endswith((".", ",")), (rule.code, code, reason)


def test_explains_has_no_circle() -> None:
    """Causes and consequences form no circle, over any number of steps."""
    edges = {code: frozenset(rule.explains) for code, rule in rules_by_code().items()}
    assert next(circles(edges), None) is None


def circles(edges: dict[str, frozenset[str]]) -> Iterator[tuple[str, ...]]:
    """Every circle that a walk meets, as the codes along it."""
    done: set[str] = set()

    def walk(code: str, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if code in path:
            yield (*path[path.index(code) :], code)
        elif code not in done:
            for other in sorted(edges.get(code, frozenset())):
                yield from walk(other, (*path, code))
            done.add(code)

    for code in sorted(edges):
        yield from walk(code, ())


def test_circles_are_found() -> None:
    """The search itself can fail."""
    assert next(circles({"a": frozenset("b"), "b": frozenset("c"), "c": frozenset("a")}), None) is not None
    assert next(circles({"a": frozenset("bc"), "b": frozenset("c")}), None) is None


def test_symptoms_are_explained_by_something() -> None:
    """A symptom that no rule can explain would always stand alone."""
    explained = frozenset[str]().union(*(rule.explains for rule in RULES))
    assert {rule.code for rule in RULES if rule.symptom} <= explained


def test_reference_lists_retired_codes_apart() -> None:
    """A code is in force or retired, never both."""
    text = REFERENCE.read_text(encoding="utf-8")
    retired = set(re.findall(r"`([a-z0-9-]+)`", text.partition("## Retired")[2]))
    assert not retired & set(rules_by_code())


def test_nothing_of_the_scaffold_is_left() -> None:
    """What tools/new_rule.py writes has been replaced by words."""
    folders = (Path(rules.__file__).parent, ROOT / "fixtures" / "rules")
    left = [
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.suffix in (".py", ".md", ".toml") and "<to be written>" in path.read_text("utf-8")
    ]
    assert not left
    assert "<to be written>" not in (ROOT / "CHANGELOG.md").read_text("utf-8")


def meaning(rule: type[Rule]) -> str:
    """What `xpu-doctor codes` and the reference print beside a code."""
    return (rule.__doc__ or "").strip().split("\n")[0]


@every_rule
def test_a_code_says_what_its_finding_means(rule: type[Rule]) -> None:
    """A sentence that stands alone: neither how it is told, nor what other findings say."""
    said = meaning(rule)
    assert said[0].isupper() and said.endswith(".")
    assert not re.search(r"another finding|[Ss]ymptom\b|^(?:Told|Seen|Found|Both) |\btables?\b|\bthis names\b", said)


def test_no_two_codes_mean_the_same() -> None:
    said = [meaning(rule) for rule in RULES]
    assert len(said) == len(set(said))

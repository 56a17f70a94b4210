"""Every fact that can be shown has a name in words: reports never print the path of one."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import types
import typing
from collections.abc import Iterator

from tests.support.cases import cases
from xpu_doctor import tables
from xpu_doctor.catalogue.names import all_rules
from xpu_doctor.diagnosis.diagnose import diagnose
from xpu_doctor.diagnosis.ranking import flat
from xpu_doctor.model.findings import EvidenceKind
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.tables.fact_labels import fact_labels, label_of
from xpu_doctor.tables.rows import Checked


def kinds(hint: typing.Any, index: str = "") -> Iterator[tuple[type, str]]:
    """The classes that a field may hold, each with `[]` where it holds several."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        for part in typing.get_args(hint):
            yield from kinds(part, index)
    elif typing.get_origin(hint) is tuple:
        for part in typing.get_args(hint):
            yield from kinds(part, index + "[]")
    elif isinstance(hint, type) and dataclasses.is_dataclass(hint) and hint is not Unknown:
        yield hint, index


def paths(kind: type, before: str = "") -> Iterator[str]:
    """The paths of all facts of a class."""
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        yield before + field.name
        for part, index in kinds(hints[field.name]):
            yield from paths(part, f"{before}{field.name}{index}.")


def test_every_fact_has_a_label_and_every_label_a_fact() -> None:
    facts = set(paths(Snapshot))
    labelled = {path.removesuffix("[]") for path in fact_labels() if not path.startswith(("table ", "known case"))}
    assert len(facts) > 400
    assert sorted(facts - fact_labels().keys()) == [] and sorted(labelled - facts) == []


def test_every_evidence_has_a_label() -> None:
    """Of all cases of all rules, and of every table that a rule may name."""
    shown = {
        item.label
        for case in cases()
        for finding in flat(diagnose(case.facts(), all_rules()).root_causes)
        for item in finding.evidence
        if item.kind is not EvidenceKind.MESSAGE
    }
    assert len(shown) > 100
    assert [label for label in shown if label_of(label) == label and label not in ("known case", "gpus")] == []


def row_classes(kind: type[Checked] = Checked) -> Iterator[type[Checked]]:
    """Every class of rows, once all modules of the tables are imported."""
    for child in kind.__subclasses__():
        yield child
        yield from row_classes(child)


def test_tables_that_are_evidence_have_labels() -> None:
    """No label is left of a table that is gone, and what is known to be bad has one."""
    for module in pkgutil.iter_modules(tables.__path__):
        importlib.import_module(f"{tables.__name__}.{module.name}")
    named = {str(kind.table) for kind in row_classes() if hasattr(kind, "table")}
    labelled = {label.removeprefix("table ") for label in fact_labels() if label.startswith("table ")}
    assert labelled <= named
    assert {name for name in named if name.startswith("drivers.bad") or name == "devices.family"} <= labelled


def test_labels_read_as_words() -> None:
    """No label is a path, ends like a sentence or is longer than a line; a number stands where several are alike."""
    for path, label in fact_labels().items():
        assert label == label.strip() and not label.endswith((".", ":")) and len(label) <= 75, path
        assert "_" not in label and "[" not in label, path
        assert ("#" in label) <= ("[]" in path), path
    assert label_of("gpus[1].name") == "name of GPU 1"
    assert label_of("access.nodes[0]") == "device node"
    assert label_of("compute.devices[0].products[2].tflops") == label_of("compute.devices[3].products[0].tflops")
    assert label_of("environment ZE_AFFINITY_MASK") == "environment variable ZE_AFFINITY_MASK"
    assert label_of("plugins.cluster.node") == "plugins.cluster.node"

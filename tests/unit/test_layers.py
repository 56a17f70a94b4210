"""Which layers and probes `--only` and `--skip` select; probe names and layer names are disjoint."""

from __future__ import annotations

import pytest

from xpu_doctor.catalogue.names import probe_layers, probe_rows
from xpu_doctor.model.findings import Layer
from xpu_doctor.model.selection import CHECKED, select
from xpu_doctor.target.stages import STAGES

PROBES = {"gpus": Layer.DEVICE, "build": Layer.WHEEL, "torch-import": Layer.IMPORT}


def test_nothing_asked_is_everything() -> None:
    assert select([], [], PROBES).layers == frozenset(CHECKED)


def test_only_brings_what_it_needs() -> None:
    assert select(["compute"], [], PROBES).layers == {Layer.COMPUTE, Layer.ENUMERATION, Layer.IMPORT}
    assert select(["wheel"], [], PROBES).layers == {Layer.WHEEL}


def test_skipping_takes_along_what_needs_it() -> None:
    selection = select([], ["import"], PROBES)
    assert not {Layer.IMPORT, Layer.ENUMERATION, Layer.COMPUTE} & selection.layers
    assert selection.skipped == ("import", "enumeration", "compute")


def test_a_single_probe() -> None:
    assert select([], ["gpus"], PROBES).without_probes == {"gpus"}
    assert select(["gpus"], [], PROBES).layers == {Layer.DEVICE}


def test_a_layer_whose_probes_are_all_left_out_is_left_out() -> None:
    assert Layer.IMPORT not in select([], ["torch-import"], PROBES).layers
    assert select([], ["torch-import"], PROBES).skipped[-3:] == ("import", "enumeration", "compute")


def test_a_probe_alone_brings_the_interpreter_and_whole_needed_layers() -> None:
    selection = select(["build"], [], probe_layers())
    assert selection.layers == {Layer.WHEEL} and "interpreter" not in selection.without_probes
    assert {"distributions", "shadows", "installer"} <= selection.without_probes
    assert select(["torch-xpu"], [], probe_layers()).without_probes == {"torch-allocate"}


def test_the_interpreter_cannot_be_left_out() -> None:
    with pytest.raises(ValueError, match="interpreter"):
        select([], ["interpreter"], probe_layers())


def test_every_stage_has_a_name_to_skip_it_by() -> None:
    assert {stage.probe for stage in STAGES} <= set(probe_layers())
    assert len({stage.name for stage in STAGES}) == len(STAGES)
    assert all(set(stage.needs) <= {other.name for other in STAGES} for stage in STAGES)


def test_an_unknown_name() -> None:
    with pytest.raises(KeyError):
        select(["nonsense"], [], PROBES)


def test_names_of_probes_and_layers_are_disjoint() -> None:
    layers = {layer.value for layer in Layer}
    names = [name for name, _, _ in probe_rows()]
    assert not layers & set(names)
    assert len(names) == len(set(names))
    assert set(probe_layers()) == set(names)

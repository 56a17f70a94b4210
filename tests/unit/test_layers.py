"""Which layers and probes `--only` and `--skip` select; probe names and layer names are disjoint."""

from __future__ import annotations

import pytest

from xpu_doctor.findings import Layer
from xpu_doctor.layers import CHECKED, select
from xpu_doctor.registry import probe_layers, probe_rows

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


def test_an_unknown_name() -> None:
    with pytest.raises(KeyError):
        select(["nonsense"], [], PROBES)


def test_names_of_probes_and_layers_are_disjoint() -> None:
    layers = {layer.value for layer in Layer}
    names = [name for name, _, _ in probe_rows()]
    assert not layers & set(names)
    assert len(names) == len(set(names))
    assert set(probe_layers()) == set(names)

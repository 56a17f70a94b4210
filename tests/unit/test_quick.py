"""The quick dataclasses behave as the standard frozen ones."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest

from xpu_doctor.model.facts import Gpu, Node, Torch
from xpu_doctor.model.unknown import Unknown


def test_values_defaults_and_order() -> None:
    assert Node("/dev/dri/renderD128", "EACCES") == Node(path="/dev/dri/renderD128", error="EACCES")
    assert isinstance(Torch().version, Unknown)


@pytest.mark.parametrize("arguments", [((), {}), (("a",) * 20, {}), (("a",), {"path": "b"}), (("a",), {"nonsense": 1})])
def test_wrong_arguments_are_refused(arguments: tuple[tuple[str, ...], dict[str, object]]) -> None:
    with pytest.raises(TypeError):
        Node(*arguments[0], **arguments[1])  # type: ignore[arg-type]


def test_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Torch().version = "x"  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del Torch().version


def test_equal_hash_repr_replace() -> None:
    one, other = Gpu("a", 1), dataclasses.replace(Gpu("b", 1), address="a")
    assert one == other
    assert hash(one) == hash(other)
    assert one != Gpu("b", 1)
    assert one != "a"
    assert "address='a'" in repr(one)


def test_to_json_and_back() -> None:
    torch = Torch(version="2.9.1+xpu", libraries=("libc10.so",))
    assert msgspec.convert(msgspec.to_builtins(torch), Torch) == torch
    assert msgspec.json.decode(msgspec.json.encode(torch), type=Torch) == torch

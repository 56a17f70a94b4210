"""Facts and findings with something private in every text: each text field of each type is found by its annotation, so that none is forgotten."""

from __future__ import annotations

import dataclasses
import enum
import re
import types
import typing
from collections.abc import Callable
from typing import Any

from xpu_doctor.diagnosis.diagnose import Diagnosis
from xpu_doctor.model.findings import Confidence, Evidence, Finding, Layer, Remedy, Severity
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.unknown import Unknown

USER = "zqmueller"
HOST = "zqtower7"
TOKEN = "hf_" + "zqToKeN" * 4
PASSWORD = "zqpassw0rd"
ADDRESS = "10.77.66.55"
MAIL = "zqmail@zq-example.org"
SECRETS = (TOKEN, PASSWORD)
NAMES = (USER, MAIL, ADDRESS)
CLOSED: dict[tuple[str, str], Any] = {
    ("ProbeFailure", "part"): "probe",
    ("UndecidedRule", "code"): "torch-cuda-wheel",
    ("Ignored", "code"): "torch-rocm-wheel",
    ("Expectation", "state"): "met",
    ("Remedy", "verify"): (),
    ("Variable", "name"): "ZE_AFFINITY_MASK",
    ("Access", "user"): USER,
}
"""Fields with a closed set of values, and lines to type."""

Text = Callable[[str], str]


def private(place: str) -> str:
    """A text with a name in a path and alone, an address, a token and a password, marked with the place that holds it."""
    return (
        f"[{place}] {USER} at /home/{USER}/x, {ADDRESS}, {MAIL}, {TOKEN}, https://{USER}:{PASSWORD}@example.org/simple"
    )


def planted(hint: Any, place: str, text: Text, unknown: bool = False) -> Any:
    """A value of a type with a private text wherever a text can stand; `unknown` takes the reason where a fact may be unknown."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return planted(arguments[0], place, text, unknown)
    if origin in (typing.Union, types.UnionType):
        if unknown and Unknown in arguments:
            return Unknown(text(place))
        chosen = next(item for item in arguments if item not in (Unknown, types.NoneType))
        return planted(chosen, place, text, unknown)
    if origin in (tuple, list):
        items = [planted(item, place, text, unknown) for item in arguments if item is not ...]
        return origin(items)
    if origin is dict:
        return {
            "a key": text(f"{place}.value"),
            "nested": {"deeper": [text(f"{place}.deeper")], text(f"{place} key"): 1},
        }
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return next(iter(hint))
    if dataclasses.is_dataclass(hint):
        return of_class(hint, place, text, unknown)
    plain: dict[Any, Any] = {bool: True, int: 1, float: 1.0}
    return plain[hint] if hint in plain else text(place)


def of_class(kind: Any, place: str, text: Text, unknown: bool = False, **fixed: Any) -> Any:
    """An instance of a class of facts or findings, planted; what `fixed` names is taken as it is."""
    hints = typing.get_type_hints(kind)
    closed = {name: value for (owner, name), value in CLOSED.items() if owner == kind.__name__}
    given = {**closed, **fixed}
    free = {name: hint for name, hint in hints.items() if name in kind.__dataclass_fields__ and name not in given}
    return kind(**{name: planted(hint, f"{place}.{name}", text, unknown) for name, hint in free.items()}, **given)


def snapshot(text: Text = private, unknown: bool = False) -> Snapshot:
    """A snapshot with a private text in every text field of every fact."""
    made: Snapshot = of_class(
        Snapshot, "snapshot", text, unknown, schema=1, origin="live", subject="machine", skipped=()
    )
    return made


def finding(text: Text = private, commands: tuple[str, ...] = (), deep: bool = True) -> Finding:
    """A finding with a private text in every text field, remedies and what it explains included."""
    remedies = (of_class(Remedy, "remedy", text, commands=commands),)
    return Finding(
        "torch-cpu-wheel",
        Layer.WHEEL,
        Severity.ERROR,
        Confidence.CERTAIN,
        text("finding.subject"),
        text("finding.summary"),
        (
            of_class(Evidence, "evidence", text),
            Evidence("torch.version", text("evidence.known"), text("evidence.source")),
        ),
        remedies,
        (finding(text, commands, deep=False),) if deep else (),
    )


def diagnosis(text: Text = private, commands: tuple[str, ...] = ()) -> Diagnosis:
    """A diagnosis with a private text in every text field."""
    made: Diagnosis = of_class(
        Diagnosis, "diagnosis", text, root_causes=(finding(text, commands),), verdict="findings", exit_code=1
    )
    return made


def places(value: Any) -> set[str]:
    """The places whose marks stand in a text."""
    return set(re.findall(r"\[([a-z][\w.]+(?: key)?)\]", value))

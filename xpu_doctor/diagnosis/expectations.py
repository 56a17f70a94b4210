"""What a CI job needs (`--expect`): stated by the caller, judged on the facts, whatever the machine is. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.terms import ExpectationState, TorchBuild
from xpu_doctor.model.unknown import Undecided, known
from xpu_doctor.tables.builds import named

FORMS = ("xpu-wheel", "devices>=N")
_DEVICES = re.compile(r"devices\s*(>=|==|=)\s*(\d{1,4})")


@dataclass(frozen=True)
class Expectation:
    """An `--expect` and whether the facts meet it."""

    expect: str
    state: ExpectationState
    reason: str


def is_form(text: str) -> bool:
    """Return whether a text is an expectation that can be judged."""
    return text == "xpu-wheel" or _DEVICES.fullmatch(text) is not None


def judge_expectation(text: str, snapshot: Snapshot) -> Expectation:
    """Judge one expectation; `text` is one for which `is_form` holds."""
    try:
        met, reason = _xpu_wheel(snapshot) if text == "xpu-wheel" else _devices(text, snapshot)
    except Undecided as missing:
        return Expectation(text, ExpectationState.UNKNOWN, missing.unknown.reason)
    return Expectation(text, ExpectationState.MET if met else ExpectationState.UNMET, reason)


def _xpu_wheel(snapshot: Snapshot) -> tuple[bool, str]:
    if not known(snapshot.torch.installed):
        return False, "no torch is installed"
    build = known(snapshot.torch.build)
    return build == TorchBuild.XPU, f"the installed torch is {named(build)}"


def _devices(text: str, snapshot: Snapshot) -> tuple[bool, str]:
    match = _DEVICES.fullmatch(text)
    relation, wanted = (match[1], int(match[2])) if match else (">=", 0)
    if snapshot.imported.succeeded is False:
        return False, "import torch fails"
    devices = known(snapshot.xpu.devices) if known(snapshot.xpu.device_count) else ()
    working = sum(1 for device in devices if device.allocated is True)
    met = working >= wanted if relation == ">=" else working == wanted
    return met, f"{working} device{'s' if working != 1 else ''} took a tensor"

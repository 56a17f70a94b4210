"""What torch.xpu says of itself, and whether its devices can really be used."""

from __future__ import annotations

from .facts import attempt, cut, described, unknown
from .torch_import import warning_texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .facts import Facts
    from .request import Request
    from .transcript import Transcript

MAX_DEVICES = 64
MAX_ERROR = 2000
PROPERTIES = ("device_id", "driver_version", "total_memory", "has_fp64")
ELEMENTS = 16


def query(request: Request) -> Facts:
    """Ask torch.xpu; the keys are the fields of facts.Xpu."""
    import warnings

    import torch

    fact: Facts = {"error": ""}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            _query(torch, fact, request.transcript)
        except Exception as error:
            fact["error"] = cut(described(error), MAX_ERROR)
    fact["warnings"] = warning_texts(caught)
    return fact


def _query(torch: Any, fact: Facts, transcript: Transcript) -> None:
    """Fill in what torch.xpu answers, call by call."""
    xpu = getattr(torch, "xpu", None)
    if xpu is None:
        fact.update(compiled=False, available=False, device_count=0, devices=[])
        return
    transcript.mark("xpu", "torch.xpu._is_compiled")
    fact["compiled"] = bool(xpu._is_compiled()) if hasattr(xpu, "_is_compiled") else unknown("this torch does not tell")
    transcript.mark("xpu", "torch.xpu.is_available")
    fact["available"] = bool(xpu.is_available())
    transcript.mark("xpu", "torch.xpu.device_count")
    fact["device_count"] = int(xpu.device_count())
    fact["devices"] = [_device(xpu, index, transcript) for index in range(min(fact["device_count"], MAX_DEVICES))]


def _device(xpu: Any, index: int, transcript: Transcript) -> Facts:
    """Return one device's properties; the keys are the fields of facts.XpuDevice."""
    transcript.mark("xpu", f"torch.xpu.get_device_properties({index})")
    device: Facts = {"index": index}
    try:
        properties = xpu.get_device_properties(index)
    except Exception as error:
        device["error"] = cut(described(error), 1000)
        return device
    device["name"] = str(getattr(properties, "name", ""))
    for name in PROPERTIES:
        if hasattr(properties, name):
            device[name] = attempt(getattr, properties, name)
    return device


def allocate(request: Request) -> Facts:
    """Really allocate a small tensor on each device and read it back: since torch 2.13 counting alone proves nothing."""
    import torch

    results: list[Facts] = []
    count = int(torch.xpu.device_count()) if hasattr(torch, "xpu") else 0
    for index in range(min(count, MAX_DEVICES)):
        request.transcript.mark("allocate", f"torch.ones on xpu:{index}")
        try:
            total = float(torch.ones(ELEMENTS, device=f"xpu:{index}").sum().cpu())
            error = "" if total == ELEMENTS else f"the sum of {ELEMENTS} ones read back as {total!r}"
        except Exception as raised:
            error = cut(described(raised), MAX_ERROR)
            results.append({"index": index, "allocated": False, "error": error})
        else:
            results.append({"index": index, "allocated": not error, "error": error})
    return {"allocations": results}

"""What the two rules about a query of torch.xpu that did not come back in order have in common. Pure."""

from __future__ import annotations

from collections.abc import Set

from xpu_doctor.model.facts import Python, Run, Stage
from xpu_doctor.model.findings import Remedy
from xpu_doctor.rules.support.stages import ended, look_closer

CODE = "import torch; print(torch.xpu.is_available(), torch.xpu.device_count()); print(torch.ones(2, device='xpu'))"
DOING = {"xpu": "asking torch.xpu for its devices", "allocate": "making a small tensor on the device"}
"""Stage to what was done in it."""
_WHY = "The stack shows in which call of torch it ended; SYCL_UR_TRACE=1 set before it shows the runtime's last step."


def query_ended(run: Run, outcomes: Set[str]) -> Stage | None:
    """Return the stage that asks torch.xpu, or the one that allocates, where it ended in one of these ways.

    Raises:
        Undecided: see `rules.support.stages.ended`.
    """
    stage = ended(run, DOING)
    return stage if stage is not None and stage.outcome in outcomes else None


def ask_again(python: Python) -> Remedy:
    """Return how to see where the query ends."""
    return look_closer(python, CODE, _WHY)

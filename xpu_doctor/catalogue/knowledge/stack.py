"""What the tables know of software for Intel GPUs beside torch, such as vLLM or the Intel Extension."""

from __future__ import annotations

from xpu_doctor.catalogue.knowledge.entry import Entry, Knowledge, fact, stated
from xpu_doctor.tables.rows import rows
from xpu_doctor.tables.stacks import Stack, stack_of


def stack_knowledge(asked: str, today: str) -> Knowledge:
    """Return what is known of a software by any of its names: `vllm`, `ipex`."""
    row = stack_of(asked)
    if row is None:
        names = ", ".join(item.name for item in rows(Stack))
        return Knowledge("stack", asked, (), f"the table has no such software; it knows {names}")
    facts = stated(
        (
            fact("state", row.state.value, row, today),
            fact("newest release", row.newest, row, today),
            fact("brings or wants", row.brings, row, today),
            fact("advice", row.advice, row, today),
        )
    )
    return Knowledge("stack", asked, (Entry(row.name, facts),))

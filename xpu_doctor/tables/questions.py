"""The table of questions to a customer."""

from __future__ import annotations

from typing import ClassVar

from xpu_doctor.tables.rows import AnySystem, Code, ConditionText, Name, Row


class Question(Row, frozen=True, kw_only=True):
    """What to ask a customer next: which command decides between the causes that are left."""

    table: ClassVar[str] = "questions.question"
    id: Name
    asks: tuple[str, ...]
    """The commands to run, one a line."""
    in_words: bool = False
    """Whether the asks are sentences and no commands."""
    why: str
    """One sentence for the customer."""
    decides: tuple[Code, ...]
    """Finding codes between which the answer decides."""
    os: AnySystem = ""
    unless: tuple[ConditionText, ...] = ()
    """Conditions under each of which the text holds the answer already."""
    unless_all: tuple[ConditionText, ...] = ()
    """Conditions that together say the same."""

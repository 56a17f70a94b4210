"""The table of what systems say in other languages than English."""

from __future__ import annotations

from typing import ClassVar

from xpu_doctor.tables.rows import Name, Row, rows


class TranslationRow(Row, frozen=True, kw_only=True):
    """A message of a system in English and in other languages, as the head of translations.toml describes it."""

    table: ClassVar[str] = "translations.message"
    english: Name
    said: tuple[str, ...]


def translations() -> tuple[TranslationRow, ...]:
    """Return all rows."""
    return rows(TranslationRow)

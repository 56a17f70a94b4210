"""Makes visible in a report what a terminal would obey: escape sequences, control characters, direction marks."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

from xpu_doctor.text.visible import visible

T = TypeVar("T")


def clean(value: T) -> T:
    """Return a report, or any part of it, whose texts a terminal only prints."""
    result: Any = value
    if isinstance(value, str):
        result = _text(value)
    elif isinstance(value, list):
        result = [clean(item) for item in value]
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value) if field.name != "snapshot"]
        result = dataclasses.replace(value, **{name: clean(getattr(value, name)) for name in names})
    return result  # type: ignore[no-any-return]


def _text(text: str) -> str:
    if text.isprintable():
        return text
    return visible(" ".join(text.splitlines()), one_line=True)

"""Numbers of lines in the facts of a text of which the middle was left out, as the whole text counts them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xpu_doctor.model.codec import decode, encode
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.text.cuts import Cut
from xpu_doctor.text.late_pattern import late_pattern

_PLACE = late_pattern(r"(?P<name>.{1,200}), line (?P<number>\d{1,9})")


def with_whole_lines(snapshot: Snapshot, cuts: Mapping[str, Cut]) -> Snapshot:
    """Return a snapshot whose places in texts have the numbers that lines have in the whole texts."""
    return decode(_renumbered(encode(snapshot), cuts)) if cuts else snapshot


def _renumbered(value: Any, cuts: Mapping[str, Cut]) -> Any:
    if isinstance(value, str):
        place = _PLACE.fullmatch(value)
        cut = cuts.get(place["name"]) if place else None
        return f"{place['name']}, line {cut.whole(int(place['number']))}" if place and cut else value
    if isinstance(value, dict):
        return {key: _renumbered(item, cuts) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_renumbered(item, cuts) for item in value]
    return value

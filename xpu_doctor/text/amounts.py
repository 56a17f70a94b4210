"""Amounts for people: times, sizes and shares in the units that one would say."""

from __future__ import annotations

_SIZES = ("bytes", "KiB", "MiB", "GiB", "TiB")


def duration(seconds: float) -> str:
    """Return a time in its two largest units: `6 h 2 min`, `12 min`, `4.2 s`."""
    if seconds < 10:
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return _two(whole // 60, "min", whole % 60 if whole < 600 else 0, "s")
    minutes = round(seconds / 60)
    if minutes < 24 * 60:
        return _two(minutes // 60, "h", minutes % 60, "min")
    hours = round(seconds / 3600)
    return _two(hours // 24, "d", hours % 24, "h")


def _two(large: int, unit: str, small: int, smaller_unit: str) -> str:
    return f"{large} {unit}" + (f" {small} {smaller_unit}" if small else "")


def size(count: float) -> str:
    """Return a number of bytes in the unit in which it has one to four digits: `11.4 GiB`, `512 MiB`."""
    left, place = float(max(0, count)), 0
    while left >= 1023.5 and place < len(_SIZES) - 1:
        left, place = left / 1024, place + 1
    return f"{left:.0f} {_SIZES[place]}" if place == 0 or left >= 100 else f"{left:.3g} {_SIZES[place]}"


def percent(share: float) -> str:
    """Return a share of 1 as `83 %`; what is more than nothing is never 0, and what is less than all is never 100."""
    value = share * 100
    if 0 < value < 0.5:
        return "less than 1 %"
    if 99.5 <= value < 100:
        return "99 %"
    return f"{value:.0f} %"

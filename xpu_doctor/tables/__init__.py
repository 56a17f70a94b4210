"""Typed, cached loaders of the dated and sourced tables under data/."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

from xpu_doctor.text.packaged import packaged_text

if sys.version_info >= (3, 11):
    try:
        import tomli as tomllib  # compiled, which reads the tables four times as quickly
    except ImportError:
        import tomllib
else:
    import tomli as tomllib


@cache
def toml(name: str) -> dict[str, Any]:
    """Return the parsed table `data/<name>.toml`."""
    return parse_toml(text(f"{name}.toml"))


def parse_toml(text: str) -> dict[str, Any]:
    """Return a parsed TOML document."""
    parsed: dict[str, Any] = tomllib.loads(text)
    return parsed


def text(name: str) -> str:
    """Return the text of a file under data/."""
    return packaged_text("data", name)

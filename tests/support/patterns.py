"""Every regular expression of the doctor that reads text of others."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import xpu_doctor
from xpu_doctor.tables import toml
from xpu_doctor.text.late_pattern import LatePattern

PACKAGE = Path(xpu_doctor.__file__).parent
CALLS = frozenset({"compile", "search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer"})
ELSEWHERE = ("xpu_doctor.target.agent.", "xpu_doctor.watching.inside.")
"""What runs in other interpreters and is never imported here."""
KEYS = frozenset({"pattern", "versions"})
"""Columns of the tables that hold patterns."""


def patterns() -> dict[tuple[str, int], str]:
    """Return each pattern with its flags, and where it stands."""
    found: dict[tuple[str, int], str] = {}
    for path in sorted((PACKAGE / "data").glob("*.toml")):
        for place, pattern in _of_table(toml(path.stem), path.stem):
            found.setdefault((pattern, re.compile(pattern).flags), place)
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        if not name.startswith(ELSEWHERE) and not name.endswith("__main__"):
            for pattern, flags, place in (*_of_globals(name), *_of_calls(path, name)):
                found.setdefault((pattern, re.compile(pattern, flags).flags), place)
    return found


def _of_table(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        own = value.get("id") or value.get("family") or value.get("name") or ""
        for key, item in value.items():
            if key in KEYS and isinstance(item, str):
                yield f"{place}[{own}].{key}" if own else f"{place}.{key}", item
            else:
                yield from _of_table(item, f"{place}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from _of_table(item, place)


def _of_globals(name: str) -> Iterator[tuple[str, int, str]]:
    """Yield the compiled patterns that a module holds by name."""
    for variable, value in vars(importlib.import_module(name)).items():
        for pattern in _compiled(value):
            yield pattern.pattern, pattern.flags, f"{name}.{variable}"


def _compiled(value: Any) -> Iterator[re.Pattern[str]]:
    if isinstance(value, (re.Pattern, LatePattern)) and isinstance(value.pattern, str):
        yield value  # type: ignore[misc]
    elif isinstance(value, (tuple, list, frozenset)):
        for item in value:
            yield from _compiled(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _compiled(item)


def _of_calls(path: Path, name: str) -> Iterator[tuple[str, int, str]]:
    """Yield the patterns that a module writes where it uses them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CALLS:
            first = node.args[0] if node.args else None
            if (
                isinstance(node.func.value, ast.Name)
                and node.func.value.id == "re"
                and isinstance(first, ast.Constant)
                and isinstance(first.value, str)
            ):
                flags = 0
                for word in (*node.args[1:], *(keyword.value for keyword in node.keywords if keyword.arg == "flags")):
                    for part in ast.walk(word):
                        if (
                            isinstance(part, ast.Attribute)
                            and isinstance(part.value, ast.Name)
                            and part.value.id == "re"
                            and part.attr.isupper()
                        ):
                            flags |= int(getattr(re, part.attr, 0))
                yield first.value, flags, f"{name}, line {node.lineno}"

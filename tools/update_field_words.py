"""Writes `xpu_doctor/data/field_words.txt`: the words by which texts are diagnosed, so that nobody's name takes one of them out of a text.

    python tools/update_field_words.py [--check]

They are the words of the tables under `xpu_doctor/data/` (not of their examples and remedies) and of the own patterns of the readers. With `--check`
nothing is written, and the exit status is 1 where a word is missing.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_CHECKOUT = Path(__file__).resolve().parents[1] / "xpu_doctor"
PACKAGE = _CHECKOUT if _CHECKOUT.is_dir() else Path(str(resources.files("xpu_doctor")))
TARGET = PACKAGE / "data" / "field_words.txt"
NO_PATTERNS = frozenset(
    {
        "examples",
        "near_misses",
        "source",
        "said",
        "checked",
        "why",
        "asks",
        "meaning",
        "fix",
        "commands",
        "title",
        "verify",
        "url",
    }
)
"""Columns whose words are printed, not looked for, and what is English before names are hidden."""
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]+")
_ESCAPE = re.compile(r"\\[a-zA-Z]|\(\?P<\w+>")
"""What is no word of a pattern: its escapes, and the names of its groups."""


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            if name not in NO_PATTERNS:
                yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value


def _constants(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings look for nothing
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.value


def field_words() -> list[str]:
    """Return the words, sorted, in lower case."""
    texts: list[str] = []
    for table in sorted((PACKAGE / "data").glob("*.toml")):
        texts.extend(_texts(tomllib.loads(table.read_text(encoding="utf-8"))))
    for parser in sorted((PACKAGE / "pasted" / "readers").glob("*.py")):
        texts.extend(_constants(parser))
    return sorted({word.lower() for text in texts for word in _WORD.findall(_ESCAPE.sub(" ", text))})


def main() -> int:
    """Write the words, or say which are missing."""
    wanted = field_words()
    if "--check" not in sys.argv[1:]:
        TARGET.write_text("\n".join(wanted) + "\n", encoding="utf-8")
        return 0
    missing = set(wanted) - set(TARGET.read_text(encoding="utf-8").split())
    print("\n".join(sorted(missing)))
    return int(bool(missing))


if __name__ == "__main__":
    sys.exit(main())

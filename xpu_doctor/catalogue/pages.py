"""The page of each finding code: the text that `xpu-doctor explain` prints, offline."""

from __future__ import annotations

import sys
from functools import cache
from importlib import resources
from pathlib import Path

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.rules import RULES

HEADINGS = ("What it means", "How we know", "Fix", "Why it happens", "If that was not it", "References")
"""What every page holds, in this order."""


@cache
def rules_by_code() -> dict[str, type[Rule]]:
    """Return every rule by its finding code, in the order of the codes."""
    return dict(sorted((rule.code, rule) for rule in RULES))


def codes() -> tuple[str, ...]:
    """Return all finding codes in alphabetical order."""
    return tuple(rules_by_code())


def page(rule: Rule | type[Rule] | str) -> str:
    """Return the page of a rule, or of a finding code, as Markdown: the file beside the rule's module.

    Raises:
        KeyError: no rule of the doctor's own has this code.
        FileNotFoundError: the rule has no page.
    """
    if isinstance(rule, str):
        rule = rules_by_code()[rule]
    foreign = getattr(rule, "page_text", None)
    if isinstance(foreign, str):
        if not foreign:
            raise FileNotFoundError(f"the plug-in that finds {rule.code} brings no page for it")
        return foreign
    module = (rule if isinstance(rule, type) else type(rule)).__module__
    package, _, name = module.rpartition(".")
    folder = resources.files(package) if package else Path(str(sys.modules[module].__file__)).parent
    return folder.joinpath(f"{name}.md").read_text(encoding="utf-8")


def sections(text: str) -> dict[str, str]:
    """Return the sections of a page by heading."""
    found: dict[str, str] = {}
    heading, fenced = "", False
    for line in text.splitlines():
        fenced ^= line.startswith("```")
        if line.startswith("## ") and not fenced:
            heading = line[3:].strip()
            found[heading] = ""
        elif heading:
            found[heading] += line + "\n"
    return {name: body.strip() for name, body in found.items()}

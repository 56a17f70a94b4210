"""What facts are called in a sentence: a label for each path of a snapshot, as data/fact_labels.txt has them."""

from __future__ import annotations

import re
from functools import cache

from xpu_doctor.tables import text

_NUMBER = re.compile(r"\[(\d+)\]")


@cache
def fact_labels() -> dict[str, str]:
    """Return the label of each path; `[]` in a path is any number, `#` in a label is that number."""
    return dict(line.split(" = ", 1) for line in text("fact_labels.txt").splitlines())


def label_of(fact: str) -> str:
    """Return what evidence is called: a fact by its path, a variable by its name; the path of a plug-in's fact as it is."""
    if fact.startswith("environment "):
        return fact.replace("environment", "environment variable", 1)
    if fact.startswith("table "):
        return fact_labels().get(fact, fact)
    path = _NUMBER.sub("[]", fact)
    label = fact_labels().get(path) or fact_labels().get(path.removesuffix("[]"), fact)
    number = _NUMBER.search(fact)
    return label.replace("#", number[1] if number else "")

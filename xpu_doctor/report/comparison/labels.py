"""What a difference is called in a sentence."""

from __future__ import annotations

import re

from xpu_doctor.tables.fact_labels import fact_labels
from xpu_doctor.tables.signatures import by_id


def label_of(path: str) -> str:
    """Return what the path of a difference is called; a fact that has no label, such as a plug-in's, by its path."""
    pattern, keys = _taken_apart(path)
    if pattern == "findings[]":
        return keys[0]
    if pattern == "ladder[]":
        return f"{keys[0]} layer"
    if pattern.startswith("run.stages[]"):
        return _of_stage(keys[0], pattern.removeprefix("run.stages[]"))
    if pattern == "errors.met[]" and (meaning := _meaning(keys[0])):
        return f"known message: {meaning}"
    label = _label(pattern)
    if not label:
        return path
    if "#" in label and keys:
        label, keys = label.replace("#", keys[0]), keys[1:]
    return f"{label} ({', '.join(keys)})" if keys else label


def _of_stage(stage: str, part: str) -> str:
    """Return what a stage is called, or a part of it such as `.outcome`."""
    if not part:
        return f"stage {stage}"
    return f"stage {stage}: {fact_labels().get(f'run.stages[]{part}', part.removeprefix('.'))}"


def _meaning(signature: str) -> str:
    """Return what a known message means, with an ellipsis for what it fills in; empty for a message of another version."""
    row = by_id().get(signature)
    return re.sub(r"\{\d+\}", "…", row.meaning) if row else ""


def _taken_apart(path: str) -> tuple[str, list[str]]:
    """Return a path with empty brackets, and what stood in these; a key may hold brackets of its own."""
    pattern, keys, depth = "", [""], 0
    for letter in path:
        depth -= letter == "]"
        if depth > 0:
            keys[-1] += letter
        else:
            pattern += letter
            keys += [""] if letter == "]" else []
        depth += letter == "["
    return pattern, keys[:-1]


def _label(pattern: str) -> str:
    """Return the label of a fact; an element of a list is called as its name is, where it has no label of its own."""
    labels = fact_labels()
    names = (pattern, f"{pattern}.name", f"{pattern}.path", pattern.removesuffix("[]"))
    found = next((labels[name] for name in names if name in labels), "")
    return found.removeprefix("name of ") if pattern.endswith("[]") else found

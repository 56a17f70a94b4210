"""What a difference is called in a sentence."""

from __future__ import annotations


def label_of(path: str) -> str:
    """Return what the path of a difference is called."""
    head, _, key = path.partition("[")
    if head == "ladder" and key:
        return f"{key.removesuffix(']')} layer"
    if head == "findings" and key:
        return key.removesuffix("]")
    return path

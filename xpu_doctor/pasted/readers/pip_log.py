"""Reads what pip says it has installed last, which takes the place of the torch that a text named before."""

from __future__ import annotations

from xpu_doctor.model.facts import Distribution
from xpu_doctor.pasted.readers.collected import Collected, Text
from xpu_doctor.pasted.readers.python_facts import LABELLED, LABELS, build_of_label, is_wanted
from xpu_doctor.text.late_pattern import late_pattern

_INSTALLED = late_pattern(r"\bSuccessfully installed ([^\n]{1,4000})")
_PACKAGE = late_pattern(r"(?<!\S)([A-Za-z][\w.-]{0,80}?)-(\d[\w.+!]{0,40})(?!\S)")
OF_THE_TORCH_BEFORE = ("torch.build", "torch.xpu_version", "pasted.torch_builds")
"""Facts that do not hold any more once another torch is there."""


def parse(text: Text, facts: Collected) -> None:
    """Take the packages that pip has installed last for those that are there, where a torch among them differs from the one that was named before."""
    done = list(text.matches(_INSTALLED, "successfully installed"))
    if not done:
        return
    packages = {match[1].lower().replace("_", "-"): match[2] for match in _PACKAGE.finditer(done[-1][1])}
    version = packages.get("torch", "")
    named = text.cited(facts.sources.get("torch.version", ""))
    if not version or facts.get("torch.version") == version or not 0 < named <= text.line_of(done[-1].start()):
        return
    place = text.place(done[-1].start())
    for path in OF_THE_TORCH_BEFORE:
        facts.values.pop(path, None)
    for name, each in packages.items():
        facts.distributions[name] = Distribution(name, each)
        facts.sources[f"distributions.{name}"] = place
    labelled, shown = _shown_after(text, done[-1].end(), version)
    facts.force("torch.version", labelled or version, shown or place)
    label = build_of_label(labelled or version)
    if label or any(name.startswith("nvidia-") for name in packages):
        facts.put("torch.build", label or "cuda", shown or place)


def _shown_after(text: Text, offset: int, version: str) -> tuple[str, str]:
    """Return a version with the label that pip leaves out, and its place, where one is shown below an offset; empty texts where none is."""
    for match in text.matches(LABELLED, *LABELS):
        if match.start() > offset and match[1].partition("+")[0] == version and not is_wanted(text, match.start()):
            return match[1].lower(), text.place(match.start())
    return "", ""

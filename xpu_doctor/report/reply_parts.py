"""The parts of a reply: causes by name, what helps against one, lines to type, and text that means nothing to Markdown."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from xpu_doctor.model.terms import Origin
from xpu_doctor.report.phrases import RISKS

if TYPE_CHECKING:
    from xpu_doctor.report.document import FindingDocument, RemedyDocument


def by_name(heading: str, roots: Sequence[FindingDocument], *, advise: bool = False) -> Iterable[str]:
    """Yield causes by name, below a heading; nothing where there are none. Those of one sentence share a line, and `advise` tells what would help."""
    if not roots:
        return
    yield ""
    yield heading
    yield ""
    alike: dict[str, list[FindingDocument]] = {}
    for root in roots:
        alike.setdefault(root.summary, []).append(root)
    for summary, same in alike.items():
        titles = dict.fromkeys(root.remedies[0].title for root in same if root.remedies) if advise else {}
        helps = f". If that is it: {'; or: '.join(map(markdown, titles))}" if titles else ""
        yield f"- {markdown(summary)} ({', '.join(map(named, same))}){helps}"


def helping(root: FindingDocument) -> Sequence[RemedyDocument]:
    """Return what a reply tells to do about a cause: its first remedy with the steps that follow it, of each system; nothing of a guess."""
    if root.confidence == "possible":
        return ()
    first = root.remedies[:1]
    other = next(
        (
            place
            for place, remedy in enumerate(root.remedies)
            if first[0].os and remedy.os not in ("", first[0].os) and not remedy.besides
        ),
        0,
    )
    return [*_way(root.remedies, 0), *(_way(root.remedies, other) if other else ())]


def _way(remedies: Sequence[RemedyDocument], place: int) -> Sequence[RemedyDocument]:
    """Return the remedy at a place with the steps that follow it."""
    return (
        [remedies[place], *itertools.takewhile(lambda remedy: remedy.besides, remedies[place + 1 :])]
        if remedies
        else []
    )


def help_with(root: FindingDocument, origin: str) -> Iterable[str]:
    """Yield what helps against a cause, after an empty line; whoever sent a text only may not have xpu-doctor."""
    for remedy in helping(root):
        yield ""
        word = "Then" if remedy.besides else "What helps"
        yield f"{word}: {markdown(remedy.title)}" + (f". {markdown(remedy.why)}" if remedy.why else "")
        yield from _block(remedy.commands)
        if remedy.risk != "none":
            yield ""
            yield f"What it costs: {RISKS.get(remedy.risk, remedy.risk)}."
        verify = [line for line in remedy.verify if origin != Origin.PASTED or not line.startswith("xpu-doctor ")]
        if verify:
            yield ""
            yield "Afterwards this shows whether it helped:"
            yield from _block(verify)
        if remedy.url:
            yield ""
            yield f"More: <{remedy.url}>"
    if others := _other_ways(root):
        yield ""
        yield f"Or: {'; or: '.join(map(markdown, others))}."


def _other_ways(root: FindingDocument) -> Sequence[str]:
    """Return the titles of what else would help against a cause that is more than a guess."""
    told = {remedy.title for remedy in helping(root)}
    return list(dict.fromkeys(way.title for way in root.remedies if told and not way.besides and way.title not in told))


def _block(lines: Sequence[str]) -> Iterable[str]:
    """Yield lines to type as a block, after an empty line."""
    if lines:
        yield ""
        yield "```"
        yield from (line.replace("```", "") for line in lines)
        yield "```"


def named(finding: FindingDocument) -> str:
    """Return the code of a finding, as a link to its page where it has one."""
    return f"[`{finding.code}`]({finding.page})" if finding.page else f"`{finding.code}`"


def markdown(text: str) -> str:
    """Return a text whose characters mean nothing to Markdown or HTML; backticks, which people read as they stand, are apostrophes."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("`", "'")
    for character in "\\*_[]|#":
        text = text.replace(character, "\\" + character)
    return " ".join(text.split())

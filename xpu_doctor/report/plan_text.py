"""What `fix` prints: the plan, what became of it, and the ways back that are kept."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tabulate import tabulate

from xpu_doctor.model.terms import OverallVerdict
from xpu_doctor.remedies.plans import DELETE_WHEELS
from xpu_doctor.report.document import Document, StepDocument
from xpu_doctor.report.phrases import RISKS
from xpu_doctor.report.terminal import Terminal
from xpu_doctor.treatment.course import Undone
from xpu_doctor.treatment.freeze import Frozen
from xpu_doctor.treatment.history import Treatment
from xpu_doctor.treatment.readiness import Readiness, in_words

MOST = 20
"""Files and packages that are named in one list."""


def plan_text(report: Document, readiness: Mapping[int, Readiness], terminal: Terminal) -> str:
    """Return the plan as text: each step with what it changes, costs, downloads, and how it is verified.

    `readiness` holds what was found for steps that are done by `--apply`, by their number counted from 0.
    """
    page = _Plan(terminal)
    lines = list(page.headline(report, sum(1 for found in readiness.values() if found.obstacles)))
    for number, step in enumerate(report.plan):
        lines += ["", *page.step(number, step, readiness.get(number))]
    return "\n".join(lines) + "\n"


def comparison_text(before: Document, after: Document, terminal: Terminal) -> str:
    """Return what was fixed, what remains and what is new, from two checks of one environment."""
    old = {root.code: root.summary for root in before.root_causes}
    new = {root.code: root.summary for root in after.root_causes}
    rows = [
        *(("fixed", "good", code, summary) for code, summary in old.items() if code not in new),
        *(("remains", "careful", code, summary) for code, summary in new.items() if code in old),
        *(("new", "bad", code, summary) for code, summary in new.items() if code not in old),
    ]
    lines = [
        line
        for word, style, code, summary in rows
        for line in terminal.wrapped(
            f"[{code}] {summary}", indent=2, hang=10, lead=f"{word:8}", lead_styles=(style, "strong")
        )
    ]
    lines += [
        f"  {rung.layer:<12}{old_state:<9}-> {rung.state}"
        for rung, old_state in ((rung, _state(before, rung.layer)) for rung in after.ladder)
        if old_state != rung.state
    ]
    return "\n".join([terminal.style("Before and after:", "strong"), *(lines or ["  nothing changed"])]) + "\n"


def _state(report: Document, layer: str) -> str:
    return next((rung.state for rung in report.ladder if rung.layer == layer), "unknown")


class _Plan:
    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal

    def headline(self, report: Document, not_ready: int) -> Iterator[str]:
        target = report.target
        manager = f", managed by {target.manager}" if target.manager else ""
        yield from self.terminal.wrapped(f"Environment {target.prefix or target.python}{manager}.", styles=("strong",))
        if not report.plan:
            yield from self.terminal.wrapped(_nothing(report))
            return
        mine = sum(1 for step in report.plan if not step.obstacle)
        yield from self.terminal.wrapped(steps_in_words(len(report.plan), mine, not_ready))

    def step(self, number: int, step: StepDocument, readiness: Readiness | None) -> Iterator[str]:
        who = "for you to do" if step.obstacle else "done by --apply"
        yield from self.terminal.wrapped(
            f"{number + 1}. {step.remedy.title} [{', '.join((step.code, *step.also))}] ({who})",
            hang=3,
            styles=("strong",),
        )
        if step.obstacle:
            yield from self.terminal.wrapped(
                f"{step.obstacle}.",
                indent=3,
                lead="xpu-doctor does not do this itself:",
                lead_styles=("careful", "strong"),
            )
        why = step.remedy.why if step.obstacle else step.remedy.why.replace(DELETE_WHEELS, "").strip()
        if why:
            yield from self.terminal.wrapped(why, indent=3)
        yield from (self.terminal.style("   " + line, "command") for line in step.remedy.commands)
        if step.remedy.url and not step.remedy.commands:
            yield f"   See {step.remedy.url}"
        yield from self.terminal.wrapped(f"Risk: {RISKS.get(step.remedy.risk, step.remedy.risk)}.", indent=3)
        if step.remedy.verify:
            yield from self.terminal.wrapped("Verified by:", indent=3)
            yield from (self.terminal.style("     " + line, "command") for line in step.remedy.verify)
        if readiness is not None:
            yield from self.readiness(readiness)

    def readiness(self, readiness: Readiness) -> Iterator[str]:
        size = readiness.download
        if size.known:
            least = "" if size.whole else "at least "
            yield from self.terminal.wrapped(f"Download: {least}{in_words(size.known)}.", indent=3)
        for unknown in readiness.unknown:
            yield from self.terminal.wrapped(f"Not known: {unknown.reason}.", indent=3)
        for obstacle in readiness.obstacles:
            yield from self.terminal.wrapped(
                f"{obstacle.what}: {obstacle.why}. {obstacle.way_out}",
                indent=3,
                lead="Not ready:",
                lead_styles=("bad", "strong"),
            )


def steps_in_words(count: int, mine: int, not_ready: int) -> str:
    """Return how many steps a plan has, how many of them can be done, and how many of those not yet."""
    if count == 1:
        able = "and xpu-doctor can do it itself" if mine else "which is for you to do"
    else:
        able = f"and xpu-doctor can do {'all' if mine == count else mine or 'none'} of them itself"
    if not not_ready:
        return f"The plan has {count} step{'s' if count > 1 else ''}, {able}."
    what = f"{not_ready} of these {'is' if not_ready == 1 else 'are'} not"
    if not_ready == mine:
        what = "it is not" if mine == 1 else "none of these is"
    return f"The plan has {count} step{'s' if count > 1 else ''}, {able}; {what} ready yet."


def _nothing(report: Document) -> str:
    if report.verdict == OverallVerdict.HEALTHY:
        return "Nothing has to be fixed."
    if report.root_causes:
        return "There is nothing that a command could fix: `xpu-doctor check` says what is wrong, and what to do."
    return (
        "Nothing is known to be wrong, so there is nothing to fix: `xpu-doctor check` says what could not be examined."
    )


def undone_text(result: Undone, terminal: Terminal) -> str:
    """Return what an undo came to: that everything is as it was, or what is not."""
    if result.whole and not result.treatment.backup:
        text = f"{result.treatment.id} had not begun: nothing in {result.treatment.prefix} was changed by it."
        return "\n".join(terminal.wrapped(text, styles=("good",))) + "\n"
    if result.whole:
        count = len(result.treatment.before)
        text = f"Everything in {result.treatment.prefix} is as it was before {result.treatment.id}: all {count} packages, and every file."
        return "\n".join(terminal.wrapped(text, styles=("good",))) + "\n"
    lines = list(terminal.wrapped("Not everything could be put back:", styles=("bad", "strong")))
    for difference in result.differences[:MOST]:
        why = f" ({difference.reason})" if difference.reason else ""
        lines += terminal.wrapped(f"{difference.path} {difference.change.value}{why}", indent=2)
    if len(result.differences) > MOST:
        lines.append(f"  and {len(result.differences) - MOST} more files")
    for before, now in result.packages[:MOST]:
        named = before or now
        lines += terminal.wrapped(
            f"{named.name if named else ''}: was {before.version if before else 'not there'}, is {now.version if now else 'not there'}",
            indent=2,
        )
    return "\n".join(lines) + "\n"


def packages_in_words(packages: Sequence[tuple[Frozen | None, Frozen | None]]) -> str:
    """Return what became of packages, e.g. `numpy (new)`, `torch 2.13.0 -> 2.14.0`."""
    words = []
    for before, now in packages[:MOST]:
        if before is None or now is None:
            words.append(
                f"{before.name} {before.version} (gone)" if before else f"{now.name} {now.version} (new)" if now else ""
            )
        elif before.version == now.version:
            words.append(f"{now.name} {now.version} (installed anew)")
        else:
            words.append(f"{now.name} {before.version} -> {now.version}")
    more = len(packages) - MOST
    return ", ".join(words) + (f" and {more} more" if more > 0 else "")


def history_text(found: Iterable[Treatment], terminal: Terminal) -> str:
    """Return a table of what was done, the newest last."""
    rows = [
        (
            item.id,
            time.strftime("%Y-%m-%d %H:%M", time.localtime(item.created)),
            item.prefix,
            state_of(item),
            "yes" if item.backup else "no",
            "; ".join(step.title for step in item.steps),
        )
        for item in found
    ]
    if not rows:
        return "Nothing is noted: no --apply of this user has changed anything here.\n"
    return (
        str(
            tabulate(
                rows, headers=("treatment", "begun", "environment", "state", "way back", "steps"), tablefmt="plain"
            )
        )
        + "\n"
    )


def state_of(treatment: Treatment) -> str:
    """Return the state in words; one whose doctor is gone was interrupted."""
    if treatment.state in ("prepared", "running"):
        return "at work" if treatment.at_work else "interrupted"
    return str(treatment.state)

"""How the stages of the target interpreter ended, as the rules about symptoms ask for it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from xpu_doctor.model.commands import Command
from xpu_doctor.model.facts import Python, Run, Stage
from xpu_doctor.model.findings import Evidence, Remedy
from xpu_doctor.model.terms import StageOutcome
from xpu_doctor.model.unknown import Undecided, Unknown, known_or
from xpu_doctor.remedies.commands import lines, shells

FAILED: frozenset[str] = frozenset({StageOutcome.ERROR, StageOutcome.EXIT})
DIED: frozenset[str] = frozenset({StageOutcome.CRASH})
HUNG: frozenset[str] = frozenset({StageOutcome.HANG})
ENDED: dict[str, str] = {
    StageOutcome.ERROR: "raised an exception",
    StageOutcome.CRASH: "died",
    StageOutcome.EXIT: "left without a word",
    StageOutcome.HANG: "did not end in time",
    StageOutcome.OK: "went well",
}
RECORDS = ("leftovers", "transcript")
"""Records among the stages that are none: what was left behind, and what others did to the transcript."""
AGENT = re.compile(
    r'''File[ ]"(?:
        [^"]* [\\/] (?: agent [\\/] (?:__main__|agent) \.py | xpu_doctor_agent [\\/] \w+ \.py )
        | /dev/fd/\d+  # a copy in memory, for another account
    )"''',
    re.VERBOSE,
)
"""A frame of the agent in a traceback; a file called agent stands in reports that were saved while it was one file."""
NO_MODULE = re.compile(r"ModuleNotFoundError: No module named '([A-Za-z0-9_.]+)")
MAX_PLACE = 400
"""Characters of a traceback that evidence shows."""
REPORT = "https://github.com/pytorch/pytorch/issues"


def unable(run: Run) -> Stage | None:
    """Return how the interpreter died before any stage where it starts without its environment alone, else None."""
    return known_or(run.stage("start"), None)


def silent(run: Run) -> Stage | None:
    """Return how the stage `interpreter` ended where nothing ever answered as a Python that can be examined, else None."""
    stage = known_or(run.stage("interpreter"), None)
    if stage is None or stage.outcome in (StageOutcome.OK, StageOutcome.SKIPPED):
        return None
    stages = known_or(run.stages, ())
    return None if any(other.outcome == StageOutcome.OK and other.name not in RECORDS for other in stages) else stage


def answered(run: Run) -> None:
    """Make sure that there is an interpreter: what torch did in it is no question otherwise.

    Raises:
        Undecided: the interpreter never answered, or is too old to be examined.
    """
    stage = silent(run) or unable(run)
    if stage is not None:
        raise Undecided(Unknown(f"the interpreter cannot be examined: {stage.reason}", "run.stages"))


def ended(run: Run, names: Iterable[str]) -> Stage | None:
    """Return the first of some stages that ended otherwise than well, None where all that ran ended well.

    Raises:
        Undecided: the stages are not known, the first of them did not run, or the interpreter never answered.
    """
    if isinstance(run.stages, Unknown):
        raise Undecided(run.stages)
    answered(run)
    wanted = [stage for stage in run.stages if stage.name in tuple(names) and stage.outcome != StageOutcome.SKIPPED]
    if not wanted:
        skipped = next((stage.reason for stage in run.stages if stage.name in tuple(names)), "")
        raise Undecided(Unknown(skipped or f"the stage {next(iter(names))} did not run", "run.stages"))
    return next((stage for stage in wanted if stage.outcome != StageOutcome.OK), None)


def missing_module(stage: Stage) -> str:
    """Return the module that a stage did not find, with its packages, or empty; a torch that lacks a part of itself names that part."""
    said = NO_MODULE.match(stage.reason)
    return said[1] if said else ""


def stage_evidence(run: Run, stage: Stage, *fields: str) -> tuple[Evidence, ...]:
    """Return a stage's fields that say something as evidence: which stage it was, how it ended in words, and where."""
    stages = known_or(run.stages, ())
    path = f"run.stages[{stages.index(stage)}]"
    words = {
        "outcome": f"the stage {stage.name} {ENDED.get(stage.outcome, stage.outcome)}",
        "traceback": place_of(stage.traceback),
    }
    return tuple(
        Evidence(f"{path}.{name}", words.get(name, ""), "")
        for name in ("outcome", "reason", *fields)
        if getattr(stage, name, "")
    )


def place_of(traceback: str) -> str:
    """Return the part of a traceback that tells where it happened, on one line: the doctor's own frames are left out.

    Python's tracebacks name the last call last; the stack of a process that died names it first.
    """
    kept: list[str] = []
    own = False
    for line in traceback.splitlines():
        own = AGENT.search(line) is not None or (own and line.startswith("    "))
        if not own and line.strip(" ^~"):
            kept.append(" ".join(line.split()))
    first = "most recent call first" in traceback
    while len(kept) > 1 and len(" ".join(kept)) > MAX_PLACE:
        del kept[-1 if first else 0]
    return " ".join(kept)[:MAX_PLACE]


def seconds(stage: Stage) -> str:
    """Return how long a stage took, in words, or empty."""
    value = known_or(stage.seconds, 0.0)
    return f" after {value:.0f} s" if value >= 1 else ""


def last_line(text: str) -> str:
    """Return the last line of a text that is not empty."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


def examine(python: Python, why: str) -> Remedy:
    """Return the remedy that examines the whole stack, where only a part of it was asked for."""
    os = known_or(python.os, "linux")
    target = known_or(python.executable, "")
    command = Command(("xpu-doctor", "check", *(("--python", target) if target else ())))
    return Remedy("Examine the whole stack", why, lines([command], shells(os)[0]), os=os)


def look_closer(python: Python, code: str, why: str) -> Remedy:
    """Return what shows more of a failure that nothing explains."""
    os = known_or(python.os, "linux")
    executable = known_or(python.executable, "") or ("python" if os == "windows" else "python3")
    shown = lines([Command((executable, "-X", "faulthandler", "-c", code))], shells(os)[0])
    return Remedy("Show the whole error", why, shown, os=os, url=REPORT)

"""Closed sets of words in facts and reports: a comparison with a member cannot be misspelt.

Facts that come from outside (an interpreter, a saved report, a pasted text) keep whatever word was said, so that a word of a newer
version is no error; a member equals the text of its value, prints as it, and is written to JSON as it.
"""

from __future__ import annotations

from enum import Enum


class Term(str, Enum):
    """A word of a closed set, equal to its text."""

    def __str__(self) -> str:
        return str.__str__(self)

    def __format__(self, format_spec: str) -> str:
        return str.__format__(self, format_spec)


class RankedTerm(Term):
    """A word of a closed set whose members are ordered as they are written."""

    @property
    def rank(self) -> int:
        """The position of this member, counted from 0."""
        return list(type(self)).index(self)


class Origin(Term):
    """Where the facts of a snapshot come from."""

    LIVE = "live"
    SAVED = "saved"
    PASTED = "pasted"


class ChosenBy(Term):
    """What chose the interpreter that is examined."""

    OPTION = "option"
    """`--python`, or a program's own argument."""
    ACTIVE = "active"
    """The active environment."""
    OWN = "own"
    """Nothing named one: it is the environment that the doctor is installed in."""
    RUNNING = "running"
    """Nothing named one: it is the Python that runs the one file."""
    PATH = "path"
    PROGRAM = "program"
    """A watched program ran in it."""


class LibraryOutcome(Term):
    """What became of a library that another one opens by name."""

    LOADS = "loads"
    MISSING = "missing"
    FAILS = "fails"


class TorchBuild(Term):
    """What a torch was built for; builds of other kinds (`macos` ...) keep their own words."""

    XPU = "xpu"
    CPU = "cpu"
    CUDA = "cuda"
    ROCM = "rocm"


class StageOutcome(Term):
    """How a stage of the agent ended."""

    OK = "ok"
    ERROR = "error"
    """It raised an exception."""
    CRASH = "crash"
    """A signal, or an NTSTATUS of Windows."""
    EXIT = "exit"
    """The process left without a word."""
    HANG = "hang"
    SKIPPED = "skipped"


class Part(Term):
    """A part of the doctor that did not do its work."""

    PROBE = "probe"
    RULE = "rule"
    PLUGIN = "plugin"
    TOOL = "tool"
    """Anything else, such as a parser."""


class ExpectationState(Term):
    """Whether the facts meet an expectation."""

    MET = "met"
    UNMET = "unmet"
    UNKNOWN = "unknown"


class OverallVerdict(Term):
    """What a whole report comes to."""

    FINDINGS = "findings"
    UNDIAGNOSED = "undiagnosed"
    HEALTHY = "healthy"
    TOOL_FAILED = "tool-failed"


UNNAMED_HYPERVISOR = "a hypervisor"
"""Stands in `machine.hypervisor` for one that nothing names."""

"""What a rule says: a finding, the evidence that proves it and the remedies that fix it."""

from __future__ import annotations

from enum import Enum

from xpu_doctor.model.commands import Command
from xpu_doctor.model.fast_dataclass import dataclass


class _Ordered(Enum):
    """An enum whose members are ordered as they are written, and print as their lower-case value."""

    rank: int
    """The position of this member, counted from 0."""

    def __init__(self, _: str) -> None:
        self.rank = len(type(self).__members__)


class Severity(_Ordered):
    """How much a finding matters to somebody who wants to compute on the GPU."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Confidence(_Ordered):
    """How sure the doctor is that a finding is true."""

    POSSIBLE = "possible"
    LIKELY = "likely"
    CERTAIN = "certain"


class Layer(_Ordered):
    """The rungs of the ladder, from the silicon up; DOCTOR is the tool about itself and no rung."""

    DEVICE = "device"
    KERNEL = "kernel"
    ACCESS = "access"
    DRIVER = "driver"
    RUNTIME = "runtime"
    WHEEL = "wheel"
    IMPORT = "import"
    ENUMERATION = "enumeration"
    COMPUTE = "compute"
    APPLICATION = "application"
    DOCTOR = "doctor"


LADDER: tuple[Layer, ...] = tuple(layer for layer in Layer if layer is not Layer.DOCTOR)


class Risk(Enum):
    """What carrying out a remedy costs."""

    NONE = "none"
    REINSTALL = "reinstall"
    RE_LOGIN = "re-login"
    REBOOT = "reboot"
    ADMIN = "admin"


class Shell(Enum):
    """A command interpreter that a person may paste into."""

    SH = "sh"
    POWERSHELL = "PowerShell"
    CMD = "cmd.exe"


FIRST = 100
"""Weight of a finding that comes before all faults of the machine: nothing of torch could be examined."""


class EvidenceKind(Enum):
    """What a piece of evidence is."""

    FACT = "fact"
    """A fact of the snapshot, by its path."""
    MESSAGE = "message"
    """A line of output that a signature knows."""
    VARIABLE = "variable"
    """A variable of the environment, by its name."""
    TABLE = "table"
    """A row of a table under data/, by the table's name."""
    CASE = "case"
    """A published case of the same fault."""


@dataclass(frozen=True)
class Evidence:
    """One thing that proves a finding: what it is called, its value, and who saw it."""

    fact: str
    """The path of a fact in the snapshot; else what a variable, table or case is called, as `kind` says."""
    value: str
    source: str
    kind: EvidenceKind = EvidenceKind.FACT
    checked: str = ""
    """The day on which a table's row was looked at, ISO 8601; empty for anything else."""

    @property
    def label(self) -> str:
        """What a reader sees before the value."""
        words = {EvidenceKind.VARIABLE: "environment ", EvidenceKind.TABLE: "table "}
        return words.get(self.kind, "") + self.fact


@dataclass(frozen=True)
class Remedy:
    """One way to fix a finding; `commands` are complete lines to type, apart from the text."""

    title: str
    why: str
    commands: tuple[str, ...] = ()
    os: str = ""
    manager: str = ""
    risk: Risk = Risk.NONE
    verify: tuple[str, ...] = ()
    url: str = ""
    shell: Shell | None = None
    """Whose lines the commands are, where the system has several shells and the lines differ."""
    besides: bool = False
    """Whether it is the next step after the remedy before it, in place of another way."""
    side: str = ""
    """Where its lines are typed if that is not where the program runs: `host` of a container or guest, `windows` or `wsl` around WSL."""
    steps: tuple[Command, ...] = ()
    """The commands as argument lists, in order; empty where not all of them can be run as they stand by the doctor itself."""
    proofs: tuple[Command, ...] = ()
    """The lines of `verify` as argument lists."""

    @property
    def heading(self) -> str:
        """The title, with the shell that the commands are for."""
        return f"{self.title} ({self.shell.value})" if self.shell else self.title


@dataclass(frozen=True)
class Finding:
    """A judgement about one subject; `explains` holds the findings that ranking folded under it."""

    code: str
    layer: Layer
    severity: Severity
    confidence: Confidence
    subject: str
    summary: str
    evidence: tuple[Evidence, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    explains: tuple[Finding, ...] = ()
    weight: int = 0
    """How specific the evidence is: it orders findings that are equally sure."""

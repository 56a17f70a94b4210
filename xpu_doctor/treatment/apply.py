"""Runs the commands of one step, one after the other, and stops at the first failure."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from xpu_doctor.process.child import Child
from xpu_doctor.process.output import Keep
from xpu_doctor.process.status import death
from xpu_doctor.treatment.plan import Step

SECONDS = 4 * 3600.0
"""How long one command may take: gigabytes come through slow lines."""
TAIL = Keep(0, 16 * 1024)
NAP = 0.25
"""Seconds between two looks at whether the user has interrupted."""

BOUND = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() == int(sys.argv[1]):
    os.execvp(sys.argv[2], sys.argv[2:])
"""
"""Asks the kernel (PR_SET_PDEATHSIG) to be ended with its parent, then becomes the command; the request outlives that."""

Echo = Callable[[bytes], None]
"""Called with what an installer prints, as it comes."""


@dataclass(frozen=True)
class Outcome:
    """How the commands of a step ended."""

    done: int
    """How many of them succeeded."""
    reason: str = ""
    """How the one after those failed, in a few words; empty where all succeeded."""
    output: str = ""
    """The end of what that one printed."""

    @property
    def succeeded(self) -> bool:
        """Whether all of them did."""
        return not self.reason


def carry_out(
    step: Step,
    environment: Mapping[str, str],
    folder: Path,
    echo: Echo,
    begins: Callable[[int], None] = lambda number: None,
) -> Outcome:
    """Run the commands of a step in a folder; `begins` is called with each one's number, counted from 0.

    An interrupt ends the command that runs, and is passed on.
    """
    for number, command in enumerate(step.remedy.steps):
        begins(number)
        variables = command.environment(environment)
        if shutil.which(command.argv[0], path=variables.get("PATH")) is None:
            return Outcome(number, f"{command.argv[0]} cannot be found or started")
        try:
            child = Child(bound(command.argv), variables, "", str(folder), keep=TAIL, echo=echo)
        except (OSError, ValueError) as error:
            return Outcome(number, f"{command.argv[0]} cannot be started: {error}")
        code, output = _ended(child)
        if code != 0:
            return Outcome(number, _how(code), output)
    return Outcome(len(step.remedy.steps))


def bound(argv: tuple[str, ...]) -> tuple[str, ...]:
    """Return a command that ends with the doctor, however that dies: an installer must not go on behind its back.

    Windows does so with the Job Object that every child is in.
    """
    return (sys.executable, "-I", "-c", BOUND, str(os.getpid()), *argv) if sys.platform == "linux" else argv


def _how(code: int | None) -> str:
    if code is None:
        return "it did not end in time"
    return death(code) or f"exit code {code}"


def _ended(child: Child) -> tuple[int | None, str]:
    """Wait in short naps, so that an interrupt is noticed on Windows too."""
    waited = 0.0
    try:
        while not child.wait(NAP):
            waited += NAP
            if waited > SECONDS:
                break
    finally:
        code, output, _ = child.end()
    return (None if waited > SECONDS else code), output

"""The name of this machine's processor, asked in the background: it takes a second, and nobody waits for it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence

from xpu_doctor.model.unknown import Maybe, Unknown
from xpu_doctor.process.child import Child

ASK = "import sys; sys.path[:] = sys.argv[1:]; sys.argv[1:] = ['--json']; from cpuinfo.cpuinfo import main; sys.exit(main())"
"""Asks py-cpuinfo in a process of its own: it starts further ones, which may hang, and would outlive the doctor."""


def _command() -> tuple[str, ...]:
    return (sys.executable, "-I", "-c", ASK, *(path or os.getcwd() for path in sys.path))


class CpuName:
    """A question to py-cpuinfo that is under way; `answer` must be called, which ends it."""

    def __init__(self, command: Sequence[str] = ()) -> None:
        self._child: Child | None = None
        self._name: Maybe[str] = Unknown("py-cpuinfo had not answered when the measurements were done")
        try:
            self._child = Child(command or _command(), os.environ, "", apart=True)
        except OSError as error:
            self._name = Unknown(f"py-cpuinfo cannot be started: {error}")

    def answer(self) -> Maybe[str]:
        """Return the name, or that there is none yet; nothing of the question goes on after that."""
        if self._child is not None:
            done = self._child.wait(0)
            code, printed, _ = self._child.end()
            self._child = None
            if done:
                self._name = _name(code, printed)
        return self._name


def _name(code: int | None, printed: str) -> Maybe[str]:
    try:
        brand = json.loads(printed).get("brand_raw", "")
    except (ValueError, AttributeError):
        return Unknown(f"py-cpuinfo failed: exit code {code}, and no answer that could be read")
    return str(brand).strip() or Unknown("py-cpuinfo knows no name")

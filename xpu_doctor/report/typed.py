"""Lines to type that call this doctor again."""

from __future__ import annotations

import os

from xpu_doctor.model.commands import Command
from xpu_doctor.remedies.commands import lines, shells
from xpu_doctor.report.document import called
from xpu_doctor.report.this_process import own_command


def line_to_type(*arguments: str) -> str:
    """Return the line that calls this doctor with these arguments, quoted for the usual shell of this system."""
    shell = shells("windows" if os.name == "nt" else "linux")[0]
    return called(lines([Command(("xpu-doctor", *arguments))], shell), own_command())[0]

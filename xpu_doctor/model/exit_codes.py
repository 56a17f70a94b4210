"""Exit codes of every command: the table that the documentation prints."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process says to a shell or a CI job."""

    OK = 0
    """Nothing at or above `--fail-on`; in `compare`, nothing differs; in `fleet`, all is known besides."""
    FINDINGS = 1
    """A root cause reaches `--fail-on`, or an `--expect` is not met; in `fix`, what was asked for was not done; in `compare`, something
    differs; in `fleet`, something that `--fail-on` names is there."""
    USAGE = 2
    """The command line was wrong."""
    UNDIAGNOSED = 3
    """A layer that was asked for could not be decided, or a text has only possible causes; in `compare`, not enough is known of all
    sides; in `fleet`, something is not known of a node, or of an expected one."""
    TOOL_FAILED = 4
    """xpu-doctor itself failed."""
    INTERRUPTED = 130
    """Ended by Ctrl-C."""

"""What is said when xpu-doctor itself fails: a log to paste, and with `--json` still one JSON document."""

from __future__ import annotations

import errno
import json
import platform
import traceback
from collections.abc import Sequence

from xpu_doctor.model.exit_codes import ExitCode
from xpu_doctor.model.version import __version__
from xpu_doctor.text.output import to_stderr, to_stdout
from xpu_doctor.text.visible import described, visible_values

MAX_LOG = 12000


def report_crash(error: Exception, arguments: Sequence[str]) -> ExitCode:
    """Print the crash log to stderr (and a document to stdout where JSON was asked for); return exit code 4.

    What the machine refuses to every program is no fault of the doctor: that is one line, and exit code 3.
    """
    lacking = refusal(error)
    if lacking:
        to_stderr(f"Error: {lacking}\n")
        _print_document({**_document(error, ExitCode.UNDIAGNOSED, "undiagnosed"), "notes": [lacking]}, arguments)
        return ExitCode.UNDIAGNOSED
    log = "".join(traceback.format_exception(type(error), error, error.__traceback__))[-MAX_LOG:]
    to_stderr(
        f"xpu-doctor {__version__} failed: {described(error)}\n"
        f"This is a fault of xpu-doctor, not of your machine. Please report it with this log:\n"
        f"--- crash log: Python {platform.python_version()}, {platform.platform()}, arguments {list(arguments)!r}\n{log}--- end\n"
    )
    _print_document(_document(error, ExitCode.TOOL_FAILED, "tool-failed"), arguments)
    return ExitCode.TOOL_FAILED


_SCARCE = {
    errno.EMFILE: "too many open files (ulimit -n)",
    errno.ENFILE: "the system has too many open files",
    errno.EAGAIN: "no new process can be started (ulimit -u, or the limit of the container)",
    errno.ENOMEM: "there is not enough memory",
    errno.ENOSPC: "the disk is full",
    getattr(errno, "EDQUOT", -1): "the quota of the disk is used up",
}


def refusal(error: BaseException) -> str:
    """Return what the machine refused, in one line with the way out, or empty where the error is another one."""
    what = ""
    if isinstance(error, OSError):
        what = _SCARCE.get(error.errno or 0, "")
    elif isinstance(error, MemoryError):
        what = _SCARCE[errno.ENOMEM]
    elif isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        what = "no new thread can be started (ulimit -u, or the limit of the container)"
    return (
        f"this machine gives xpu-doctor too little to work with: {what}. Raise that limit, or end other programs, and run it again"
        if what
        else ""
    )


def _print_document(document: dict[str, object], arguments: Sequence[str]) -> None:
    if "--json" in arguments or "json" in arguments:
        try:
            to_stdout(json.dumps(visible_values(document)) + "\n")
        except Exception:  # nobody can read it there
            pass


def _document(error: Exception, code: ExitCode, verdict: str) -> dict[str, object]:
    """A complete document that says only that the tool failed."""
    import time

    return {
        "schema": 1,
        "tool": {"name": "xpu-doctor", "version": __version__, "peak_memory_bytes": None},
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "origin": "live",
        "target": {"python": None, "why": "", "version": None, "manager": None, "prefix": None},
        "verdict": verdict,
        "exit_code": int(code),
        "ladder": [],
        "root_causes": [],
        "undecided": [],
        "crashed": [{"part": "tool", "name": "xpu-doctor", "error": described(error)}],
        "ignored": [],
        "expectations": [],
        "timings": {},
        "snapshot": {},
        "notes": [],
        "ask_next": [],
    }

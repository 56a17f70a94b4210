"""What is said when xpu-doctor itself fails: a log to paste, and with `--json` still one JSON document."""

from __future__ import annotations

import json
import platform
import sys
import traceback
from collections.abc import Sequence

from xpu_doctor import __version__
from xpu_doctor.exit_codes import ExitCode

MAX_LOG = 12000


def report_crash(error: Exception, arguments: Sequence[str]) -> ExitCode:
    """Print the crash log to stderr (and a document to stdout where JSON was asked for); return exit code 4."""
    log = "".join(traceback.format_exception(type(error), error, error.__traceback__))[-MAX_LOG:]
    sys.stderr.write(
        f"xpu-doctor {__version__} failed: {type(error).__name__}: {error}\n"
        f"This is a fault of xpu-doctor, not of your machine. Please report it with this log:\n"
        f"--- crash log: Python {platform.python_version()}, {platform.platform()}, arguments {list(arguments)!r}\n{log}--- end\n"
    )
    if "--json" in arguments or "json" in arguments:
        try:
            sys.stdout.write(json.dumps(_document(error)) + "\n")
            sys.stdout.flush()
        except OSError:  # nobody can read it there
            from xpu_doctor.output import silence

            silence(sys.stdout.fileno())
    return ExitCode.TOOL_FAILED


def _document(error: Exception) -> dict[str, object]:
    """A complete document that says only that the tool failed."""
    import time

    return {
        "schema": 1,
        "tool": {"name": "xpu-doctor", "version": __version__, "peak_memory_bytes": None},
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "origin": "live",
        "target": {"python": None, "why": "", "version": None, "manager": None, "prefix": None},
        "verdict": "tool-failed",
        "exit_code": int(ExitCode.TOOL_FAILED),
        "ladder": [],
        "root_causes": [],
        "undecided": [],
        "crashed": [{"part": "tool", "name": "xpu-doctor", "error": f"{type(error).__name__}: {error}"}],
        "ignored": [],
        "expectations": [],
        "timings": {},
        "snapshot": {},
        "notes": [],
        "ask_next": [],
    }

"""What is said when xpu-doctor itself fails: a log to paste, and on stdout still a document of the format that was asked for."""

from __future__ import annotations

import errno
import json
import platform
import time
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING

from xpu_doctor.model.exit_codes import ExitCode
from xpu_doctor.model.version import __version__
from xpu_doctor.text.output import to_stderr, to_stdout
from xpu_doctor.text.visible import described, visible_values

if TYPE_CHECKING:
    from xpu_doctor.text.redact import Redactor

MAX_LOG = 12000


def report_crash(error: Exception, arguments: Sequence[str]) -> ExitCode:
    """Print the crash log to stderr (and a document to stdout where a format was asked for); return exit code 4.

    What the machine refuses to every program is no fault of the doctor: that is one line, and exit code 3.
    """
    hide = _Hiding(arguments)
    said = hide.text(described(error))
    lacking = refusal(error)
    if lacking:
        to_stderr(f"Error: {lacking}\n")
        _print_document(
            {**_document(said, ExitCode.UNDIAGNOSED, "undiagnosed", hide.hidden), "notes": [lacking]}, arguments
        )
        return ExitCode.UNDIAGNOSED
    log = "".join(traceback.format_exception(type(error), error, error.__traceback__))[-MAX_LOG:]
    log = f"Python {platform.python_version()}, {platform.platform()}, arguments {list(arguments)!r}\n{log}"
    to_stderr(
        f"xpu-doctor {__version__} failed: {said}\n"
        f"This is a fault of xpu-doctor, not of your machine. Please report it with this log:\n"
        f"--- crash log: {hide.text(log)}--- end\n"
    )
    _print_document(_document(said, ExitCode.TOOL_FAILED, "tool-failed", hide.hidden), arguments)
    return ExitCode.TOOL_FAILED


class _Hiding:
    """Hides what is private in the log, as the command line asks; what cannot be redacted is left out."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._off = "--no-redact" in arguments
        pairs = zip(("", *arguments), arguments, strict=False)
        self._words = [
            word.removeprefix("--redact=")
            for before, word in pairs
            if before == "--redact" or word.startswith("--redact=")
        ]
        self._redactor: Redactor | None = None

    def text(self, text: str) -> str:
        """Return a text without what is private."""
        if self._off:
            return text
        try:
            from xpu_doctor.text.redact import redactor_here

            self._redactor = self._redactor or redactor_here(words=self._words)
            return self._redactor.text(text)
        except Exception as error:  # the fault may lie there
            return f"(left out, since hiding names in it failed with {type(error).__name__}; --no-redact prints it)\n"

    @property
    def hidden(self) -> dict[str, int] | None:
        """How many values of each kind were hidden; None where nothing was to be."""
        return None if self._off else dict(self._redactor.hidden) if self._redactor else {}


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
    """Print the document in the format that was asked for; text has none, since the log on stderr says it all."""
    try:
        if "--json" in arguments or "json" in arguments or "--format=json" in arguments:
            to_stdout(json.dumps(visible_values(document)) + "\n")
            return
        name = _format_asked(arguments)
        if name:
            to_stdout(_rendered(document, name))
    except Exception:  # nobody can read it there, or what renders it is what failed
        pass


def _format_asked(arguments: Sequence[str]) -> str:
    pairs = zip(("", *arguments), arguments, strict=False)
    asked = [
        word.removeprefix("--format=") for before, word in pairs if before == "--format" or word.startswith("--format=")
    ]
    return asked[-1] if asked and asked[-1] != "text" else ""


def _rendered(document: dict[str, object], name: str) -> str:
    import msgspec

    from xpu_doctor.report.document import Document
    from xpu_doctor.report.formats import View, format_called

    return format_called(name).render(msgspec.convert(document, Document), View())


def _document(said: str, code: ExitCode, verdict: str, hidden: dict[str, int] | None) -> dict[str, object]:
    """Return a complete document that says only that the tool failed."""
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
        "crashed": [{"part": "tool", "name": "xpu-doctor", "error": said}],
        "ignored": [],
        "expectations": [],
        "timings": {},
        "snapshot": {},
        "notes": [],
        "independent_faults": 0,
        "ask_next": [],
        "redacted": hidden,
    }

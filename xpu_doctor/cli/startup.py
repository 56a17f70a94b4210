"""Before anything else: whose modules are imported, open streams, an end in order. Imports nothing but os and sys."""

from __future__ import annotations

import os
import sys


def put_strangers_last() -> None:
    """Let the standard library and our own packages win over PYTHONPATH and the working folder: a stray random.py there is a finding."""
    own = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    strangers = {os.path.abspath(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry} - {
        own
    }
    here = os.path.abspath(".")  # Python puts it first for `python -m`, and an empty entry means it too
    if own != here:
        strangers.add(here)
    late = [entry for entry in sys.path if os.path.abspath(entry or ".") in strangers]
    sys.path[:] = [entry for entry in sys.path if entry not in late] + late


class Terminated(BaseException):
    """Somebody asked this process to end; what it started is ended first."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def end_in_order_on_signals() -> None:
    """Turn SIGTERM and SIGHUP into an exception, so that the interpreters under examination are ended too.

    Ctrl-Break of Windows, which its console sends too when its window is closed, is an interrupt like Ctrl-C.
    """
    import signal

    def end(number: int, frame: object) -> None:
        raise Terminated(number)

    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is not signal.SIG_IGN:
            try:
                signal.signal(getattr(signal, name), end)
            except ValueError:  # not in the main thread: a program called us, and minds its own signals
                return
    if sys.platform == "win32":
        signal.signal(signal.SIGBREAK, signal.default_int_handler)


def open_standard_streams() -> None:
    """Put something behind descriptors 0 to 2 where a daemon or cron closed them: else the next file takes their number."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115

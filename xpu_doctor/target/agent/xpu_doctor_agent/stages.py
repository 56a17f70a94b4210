"""Runs the stages that the doctor asked for, from harmless to dangerous, and tells how each ended."""

from __future__ import annotations

import json
import os
import sys
import time

from .facts import attempt, cut
from .request import Request
from .search_path import read_path
from .transcript import Transcript

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO, Callable

    from .facts import Facts

    Stage = Callable[[Request], Facts]
    Stacks = BinaryIO | int

STAGES = {
    "interpreter": ("interpreter", "examine"),
    "distributions": ("distributions", "examine"),
    "build": ("torch_files", "examine"),
    "shadows": ("shadows", "examine"),
    "import": ("torch_import", "import_torch"),
    "xpu": ("xpu", "query"),
    "allocate": ("xpu", "allocate"),
    "ze_load": ("level_zero", "load"),
    "ze_init": ("level_zero", "initialise"),
    "ze_driver": ("level_zero", "list_drivers"),
    "ze_devices": ("level_zero", "list_devices"),
    "ze_library": ("driver_libraries", "load"),
    "compute": ("matmul", "measure"),
}
"""The part and the function in it that are a stage."""
NEEDS_IMPORT = ("xpu", "allocate")
MAX_MESSAGE = 4000
MAX_FRAMES = 60
NO_DIALOG = 0x0001 | 0x0002 | 0x8000
"""SEM_FAILCRITICALERRORS, SEM_NOGPFAULTERRORBOX and SEM_NOOPENFILEERRORBOX of Windows."""


def run(where: str, request: str, names: list[str], users_path: list[str]) -> int:
    """Run stages and write what they give to the transcript at `where`; return the exit code."""
    transcript = Transcript(where)
    asked = Request(json.loads(request), users_path, transcript)
    if asked.bare:
        attempt(read_path, users_path)
    # All of them before the first one runs: once torch is imported, nothing but the user's own path is searched.
    functions = {name: _function(*STAGES[name]) for name in names}
    stacks = _stacks(asked.stacks)
    imported = True
    for name in names:
        if name in NEEDS_IMPORT and not imported:
            continue
        succeeded = _run_stage(name, functions[name], asked, stacks)
        imported = imported and (succeeded or name != "import")
    if stacks is not None:
        import faulthandler

        faulthandler.cancel_dump_traceback_later()
    transcript.write("done", "")
    return 0


def _function(part: str, name: str) -> Stage:
    """Return the function of a stage; no more parts are loaded than the stages need."""
    function: Stage = getattr(__import__(f"{__package__}.{part}", fromlist=[name]), name)
    return function


def _run_stage(name: str, function: Stage, request: Request, stacks: Stacks | None) -> bool:
    """Run one stage between its `begin` and its `end` or `error`; return whether the later ones have something to work with."""
    transcript = request.transcript
    transcript.write("begin", name)
    deadline = request.deadlines.get(name)
    if stacks is not None:
        _watch(stacks, deadline)
    _end_with_the_doctor(deadline)
    wall, cpu = time.perf_counter(), time.process_time()

    def spent() -> dict[str, float]:
        return {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}

    try:
        facts = function(request)
    except BaseException as error:  # sys.exit() in a library must not end the agent without a word
        transcript.write("error", name, **_failure(error), **spent())
        return False
    transcript.write("end", name, facts=facts, **spent())
    return facts.get("succeeded") is not False


def _failure(error: BaseException) -> dict[str, Any]:
    """Return an exception as JSON: one that cannot even be described loses its words, not the record."""
    try:
        return _described(error)
    except Exception as second:
        reason = f"no traceback: {type(second).__name__}"
        return {"exception": type(error).__name__, "message": "", "traceback": reason}


def _described(error: BaseException) -> dict[str, Any]:
    """Return an exception as JSON: type, message, winerror and traceback with its causes."""
    import traceback

    lines = traceback.format_exception(type(error), error, error.__traceback__)
    return {
        "exception": type(error).__name__,
        "message": cut(error, MAX_MESSAGE),
        "winerror": getattr(error, "winerror", None) or 0,
        "name": str(getattr(error, "name", None) or ""),
        "traceback": cut("".join(lines[-MAX_FRAMES:])),
    }


def _watch(stacks: Stacks, deadline: float | None) -> None:
    """Have the stack written before the parent's deadline ends a stage that hangs."""
    import faulthandler

    if deadline:
        faulthandler.dump_traceback_later(max(deadline * 0.9, deadline - 1.0), file=stacks)


def _end_with_the_doctor(deadline: float | None) -> None:
    """Have the kernel end this process a moment after its deadline: the doctor may have been killed before it could do so."""
    import signal

    if deadline and hasattr(signal, "alarm"):
        signal.alarm(int(deadline) + 5)


def _stacks(where: str) -> Stacks | None:
    """Return the open file that faulthandler writes to, or None where there is none."""
    if not where:
        return None
    import faulthandler

    stream: Stacks = int(where[3:]) if where.startswith("fd:") else open(where, "wb", 0)  # noqa: SIM115
    if isinstance(stream, int):
        os.set_inheritable(stream, False)
    faulthandler.enable(file=stream)
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.kernel32.SetErrorMode(NO_DIALOG)  # a crash ends the process without a dialog
    return stream

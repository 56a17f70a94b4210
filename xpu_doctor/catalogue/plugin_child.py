"""The program that runs code of plug-ins, in a process of its own: nothing that they do there can prevent the report.

It reads requests on standard input (a length of eight bytes, then a pickled `(verb, entry, argument)`) and writes an answer to each on
the descriptor that standard output was (a length, then JSON): `{"good": value}`, `{"failed": reason}` or `{"undecided": [reason, fact]}`.
What plug-ins print goes to stderr. The other end is `xpu_doctor/catalogue/plugin_process.py`.
"""

from __future__ import annotations

import json
import os
import pickle
import re
import struct
import sys
from pathlib import Path
from typing import Any, BinaryIO

from xpu_doctor.diagnosis.strangers import StrangerFailed, findings_of, plain, undecided
from xpu_doctor.model.unknown import Undecided
from xpu_doctor.text.visible import described

PROBES = "xpu_doctor.probes"
RULES = "xpu_doctor.rules"
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
"""Names and codes are kebab-case."""
LENGTH = struct.Struct(">Q")
MAX_PAGE = 256 * 1024
MAX_ABOUT = 500

Entry = tuple[str, str, str]
"""Group, name and value of an entry point."""


def main() -> None:
    """Answer requests until there are no more."""
    requests, answers = _private_streams()
    loaded: dict[Entry, Any] = {}
    _send(answers, {"good": "ready"})
    while len(header := requests.read(LENGTH.size)) == LENGTH.size:
        request = pickle.loads(requests.read(LENGTH.unpack(header)[0]))  # noqa: S301 - the doctor itself wrote it
        _end_with_the_doctor(requests, True)
        answer = _answer(request, loaded)
        _end_with_the_doctor(requests, False)
        _send(answers, answer)
        for stream in (sys.stdout, sys.stderr):
            _flush(stream)


def _end_with_the_doctor(requests: BinaryIO, on: bool) -> None:
    """Let the kernel end this process when the doctor dies while a plug-in is at work, be it in a loop of C code.

    Nobody writes a request then, so what the pipe signals is its other end being closed; untaken, that signal ends a process.
    On Windows the Job Object does the same.
    """
    if sys.platform == "win32":
        return
    import fcntl
    import signal

    try:
        signal.signal(signal.SIGIO, signal.SIG_DFL)
        fcntl.fcntl(requests, fcntl.F_SETOWN, os.getpid())
        flags = fcntl.fcntl(requests, fcntl.F_GETFL)
        fcntl.fcntl(requests, fcntl.F_SETFL, flags | os.O_ASYNC if on else flags & ~os.O_ASYNC)
    except (OSError, ValueError, AttributeError):  # a plug-in closed the pipe, or the system has no such signal
        return


def _private_streams() -> tuple[BinaryIO, BinaryIO]:
    """Return the two pipes to the doctor; descriptors 0 and 1 lead elsewhere from now on, for the plug-ins."""
    reading, writing = os.dup(0), os.dup(1)
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(reading, os.O_BINARY)
        msvcrt.setmode(writing, os.O_BINARY)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return os.fdopen(reading, "rb"), os.fdopen(writing, "wb")


def _send(answers: BinaryIO, answer: dict[str, Any]) -> None:
    data = json.dumps(answer).encode("ascii")
    answers.write(LENGTH.pack(len(data)) + data)
    answers.flush()


def _flush(stream: Any) -> None:
    try:
        stream.flush()
    except Exception:  # a plug-in closed it, or put something else in its place
        pass


def _answer(request: tuple[str, Entry, Any], loaded: dict[Entry, Any]) -> dict[str, Any]:
    verb, entry, argument = request
    try:
        if verb == "load":
            loaded[entry], told = load(entry)
            return {"good": told}
        if verb == "gather":
            return {"good": plain(loaded[entry].gather(argument))}
        return {"good": findings_of(loaded[entry], argument)}
    except Undecided as error:
        known = undecided(error)
        return (
            {"undecided": [known.unknown.reason, known.unknown.fact]}
            if isinstance(known, Undecided)
            else {"failed": str(known)}
        )
    except StrangerFailed as error:
        return {"failed": str(error)}
    except BaseException as error:  # SystemExit and KeyboardInterrupt too: here nobody but the plug-in raises them
        return {"failed": described(error)}


def load(entry: Entry) -> tuple[Any, dict[str, Any]]:
    """Import what an entry point names and check it; return it, and what the doctor must know of it.

    Raises:
        TypeError, ValueError: it is no probe or rule, or its name cannot be used.
    """
    from importlib.metadata import EntryPoint

    group, name, value = entry
    thing = EntryPoint(name, value, group).load()
    made, told = _probe(thing, value) if group == PROBES else _rule(thing, value)
    _need(isinstance(told["name"], str), "its name or code is no text")
    if not NAME.fullmatch(told["name"]):
        raise ValueError(f"the name {told['name']!r} is not kebab-case")
    plain(told)
    return made, told


def _probe(thing: Any, value: str) -> tuple[Any, dict[str, Any]]:
    from xpu_doctor.model.findings import Layer
    from xpu_doctor.probes.runner import Probe

    if not isinstance(thing, Probe):
        raise TypeError(f"{value} is no probe: decorate a function with xpu_doctor.plugin.probe")
    made: Any = thing  # nothing that a stranger made has the types that it should have
    if made.fills != "":
        raise ValueError('fills must be "": the facts of a plug-in appear under plugins, by the name of the probe')
    _need(isinstance(made.layer, Layer), "layer is no Layer")
    _need(
        isinstance(made.on, tuple) and all(isinstance(name, str) for name in made.on),
        "on is no tuple of names of systems",
    )
    _need(callable(made.gather) and isinstance(made.about, str), "it gathers nothing")
    return made, {"name": made.name, "layer": made.layer.value, "on": list(made.on), "about": made.about[:MAX_ABOUT]}


def _rule(thing: Any, value: str) -> tuple[Any, dict[str, Any]]:
    from xpu_doctor.diagnosis.rule import Rule, parameters
    from xpu_doctor.model.findings import Confidence, Layer, Severity

    if not (isinstance(thing, type) and issubclass(thing, Rule)):
        raise TypeError(f"{value} is no subclass of xpu_doctor.plugin.Rule")
    rule: Any = thing()
    _need(isinstance(getattr(rule, "layer", None), Layer), "layer is no Layer")
    _need(
        isinstance(rule.severity, Severity) and isinstance(rule.confidence, Confidence),
        "severity or confidence is of another type",
    )
    _need(
        isinstance(rule.explains, (frozenset, set, dict)) and all(isinstance(code, str) for code in rule.explains),
        "explains is no set of codes",
    )
    _need(isinstance(rule.symptom, bool) and isinstance(rule.from_table, bool), "symptom or from_table is no bool")
    _need(hasattr(getattr(thing, "check", None), "__code__"), "check is no function")
    _need(isinstance(thing.__doc__, (str, type(None))), "its docstring is no text")
    return rule, {
        "name": getattr(rule, "code", None),
        "layer": rule.layer.value,
        "severity": rule.severity.value,
        "confidence": rule.confidence.value,
        "explains": sorted(rule.explains),
        "symptom": rule.symptom,
        "from_table": rule.from_table,
        "about": (thing.__doc__ or "").strip()[:MAX_ABOUT],
        "takes": list(parameters(rule)),
        "page": _page(thing),
    }


def _page(rule: type) -> str:
    """Return the page beside the rule's module, empty where there is none."""
    path = Path(str(sys.modules[rule.__module__].__file__)).with_name(rule.__module__.rpartition(".")[2] + ".md")
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_PAGE - 1).decode("utf-8", "replace")[: MAX_PAGE // 2]
    except OSError:
        return ""


def _need(holds: bool, otherwise: str) -> None:
    if not holds:
        raise TypeError(otherwise)

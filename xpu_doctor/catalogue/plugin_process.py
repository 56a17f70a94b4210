"""Runs probes and rules of plug-ins in processes of their own, and stands in for them here."""

from __future__ import annotations

import atexit
import json
import os
import pickle
import sys
import threading
import time
from collections.abc import Iterator
from functools import cache
from typing import Any, ClassVar

from xpu_doctor.catalogue.plugin_child import LENGTH, Entry
from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.diagnosis.strangers import LOAD_SECONDS, RULE_SECONDS, StrangerFailed, bounded, checked
from xpu_doctor.model.findings import Confidence, Finding, Layer, Severity
from xpu_doctor.model.unknown import Undecided, Unknown
from xpu_doctor.probes.runner import Probe
from xpu_doctor.process.child import Child
from xpu_doctor.process.status import death

START_SECONDS = 20.0
PROBE_SECONDS = 24 * 3600.0
"""No deadline of its own: the check gives a probe up, and its process is ended with the run."""
MAX_ANSWER = 16 << 20
MAX_PRINTED = 256 * 1024
"""Bytes of what the plug-ins of one process print that are shown."""


class _Process:
    """One process that runs plug-ins, one request at a time."""

    def __init__(self) -> None:
        self.loaded: set[Entry] = set()
        self._shown = 0
        self._at_work = self._over = False
        self._ending = threading.Lock()
        reading, self._requests = os.pipe()
        self._answers, writing = os.pipe()
        start = f"import sys; sys.path[:] = {sys.path!a}; from xpu_doctor.catalogue.plugin_child import main; main()"
        flags = ["-I"] if sys.flags.isolated else []
        try:
            self._child = Child(
                [sys.executable, *flags, "-B", "-c", start],
                os.environ,
                os.urandom(8).hex(),
                streams=(reading, writing),
                echo=self._echo,
            )
        except BaseException:
            os.close(self._requests)
            os.close(self._answers)
            raise
        finally:
            os.close(reading)
            os.close(writing)
        self._exchange(None, START_SECONDS)

    def ask(self, verb: str, entry: Entry, argument: Any, seconds: float) -> Any:
        """Return the answer to a request.

        Raises:
            Undecided: the rule lacks a fact.
            StrangerFailed: the plug-in failed, gave no answer in time, or ended the process.
        """
        if verb != "load" and entry not in self.loaded:
            self._exchange(pickle.dumps(("load", entry, None)), LOAD_SECONDS)
        answer = self._exchange(pickle.dumps((verb, entry, argument)), seconds)
        self.loaded.add(entry)
        return answer

    def end(self, patience: float = 0.0) -> str:
        """End the process, and all that it started; return how it had ended by itself within some seconds, or empty.

        A run that is over ends what a probe that was given up is still about to end: the first of them does it, the other waits.
        """
        with self._ending:
            if self._over:
                return ""
            self._over = True
            return self._end_now(patience)

    def _end_now(self, patience: float) -> str:
        ended = self._child.wait(patience)
        code, _, _ = self._child.end()
        until = time.monotonic() + 0.5
        while self._at_work and time.monotonic() < until:
            time.sleep(0.005)
        if (
            not self._at_work
        ):  # else the pipes are left open: another file must not get their numbers under a thread that reads
            os.close(self._requests)
            os.close(self._answers)
        if not ended or code is None:
            return ""
        return death(code) or f"exit code {code}"

    def _exchange(self, request: bytes | None, seconds: float) -> Any:
        answer = bounded(lambda: self._spoken(request), seconds)
        if not isinstance(answer, dict):
            raise _Ended
        if "undecided" in answer:
            raise Undecided(Unknown(*(str(part) for part in answer["undecided"][:2])))
        if "failed" in answer:
            raise StrangerFailed(str(answer["failed"]))
        return answer.get("good")

    def _spoken(self, request: bytes | None) -> Any:
        """Send a request, where there is one, and return the answer; None where the process has ended."""
        self._at_work = True
        try:
            if request is not None:
                _write(self._requests, LENGTH.pack(len(request)) + request)
            header = _read(self._answers, LENGTH.size)
            length = LENGTH.unpack(header)[0] if len(header) == LENGTH.size else MAX_ANSWER
            return json.loads(_read(self._answers, length)) if length < MAX_ANSWER else None
        except (OSError, ValueError, RecursionError):
            return None
        finally:
            self._at_work = False

    def _echo(self, data: bytes) -> None:
        """Show on stderr what plug-ins print, up to a bound."""
        from xpu_doctor.text.output import to_stderr

        part = data[: max(0, MAX_PRINTED - self._shown)]
        self._shown += len(data)
        if part:
            to_stderr(part.decode("utf-8", "replace"))


class _Ended(Exception):
    """The process ended without an answer."""


class PluginProcesses:
    """As many processes as there are requests at one time; one in which a plug-in failed badly is never used again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[_Process] = []
        self._busy: list[_Process] = []
        self._no_start = ""

    def ask(self, verb: str, entry: Entry, argument: Any = None, seconds: float = LOAD_SECONDS) -> Any:
        """Return the answer to a request: `load`, `gather` (of a host) or `check` (of fact groups).

        Raises:
            Undecided: the rule lacks a fact.
            StrangerFailed: the plug-in failed, gave no answer in time, or ended the process.
        """
        process = self._taken()
        try:
            answer = process.ask(verb, entry, argument, seconds)
        except _Ended:
            self._drop(process)
            how = process.end(patience=1.0)
            raise StrangerFailed(f"it ended the process in which plug-ins run{f' ({how})' if how else ''}") from None
        except (Undecided, StrangerFailed) as error:
            if isinstance(error, StrangerFailed) and error.late:
                self._drop(process)
                process.end()
            else:
                self._give_back(process)
            raise
        except BaseException as error:  # what cannot be handed over, or the user's Ctrl-C
            self._drop(process)
            process.end()
            if isinstance(error, Exception):
                raise StrangerFailed(f"it cannot be asked: {error}") from error
            raise
        self._give_back(process)
        return answer

    def close(self) -> None:
        """End all processes."""
        with self._lock:
            ending = [*self._idle, *self._busy]
            self._idle, self._busy = [], []
        for process in ending:
            process.end()

    def _taken(self) -> _Process:
        with self._lock:
            if self._idle:
                process = self._idle.pop()
                self._busy.append(process)
                return process
        if self._no_start:
            raise StrangerFailed(self._no_start)
        try:
            process = _Process()
        except (OSError, _Ended, StrangerFailed) as error:
            self._no_start = f"the process for plug-ins does not start: {str(error) or 'it ended at once'}"
            raise StrangerFailed(self._no_start) from error
        with self._lock:
            self._busy.append(process)
        return process

    def _give_back(self, process: _Process) -> None:
        with self._lock:
            if process in self._busy:
                self._busy.remove(process)
                self._idle.append(process)

    def _drop(self, process: _Process) -> None:
        with self._lock:
            if process in self._busy:
                self._busy.remove(process)


@cache
def processes() -> PluginProcesses:
    """Return the processes of this run; they are ended with it."""
    made = PluginProcesses()
    atexit.register(made.close)
    return made


class PluginRule(Rule):
    """Stands in for a rule of a plug-in; its subclasses carry what the rule says of itself."""

    entry: ClassVar[Entry]
    page_text: ClassVar[str]

    def check(self, *groups: Any) -> Iterator[Finding]:
        """Have the rule judge, in its process."""
        answer = processes().ask("check", self.entry, groups, RULE_SECONDS)
        return iter(checked(answer, self))


def stand_in_rule(entry: Entry, told: dict[str, Any]) -> Rule:
    """Return what judges in a plug-in's rule's place."""
    values = {
        "code": told["name"],
        "layer": Layer(told["layer"]),
        "severity": Severity(told["severity"]),
        "confidence": Confidence(told["confidence"]),
        "explains": frozenset(told["explains"]),
        "symptom": told["symptom"],
        "from_table": told["from_table"],
        "takes": tuple(told["takes"]),
        "entry": entry,
        "page_text": told["page"],
        "__doc__": told["about"],
        "__module__": __name__,
    }
    rule: Rule = type("PluginRule", (PluginRule,), values)()
    return rule


def stand_in_probe(entry: Entry, told: dict[str, Any]) -> Probe:
    """Return what gathers in a plug-in's probe's place."""
    return Probe(
        told["name"],
        Layer(told["layer"]),
        tuple(told["on"]),
        lambda host: processes().ask("gather", entry, host, PROBE_SECONDS),
        "",
        told["about"],
    )


def _write(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view[: 1 << 16]) :]


def _read(handle: int, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count and (part := os.read(handle, min(1 << 16, count - len(parts)))):
        parts += part
    return bytes(parts)

"""Runs the agent in the target interpreter, stage by stage with deadlines, and turns each death into a fact."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from xpu_doctor.model.terms import StageOutcome
from xpu_doctor.process.account import Account
from xpu_doctor.process.channel import Channel
from xpu_doctor.process.child import Child
from xpu_doctor.process.message import MAX_LINE, message
from xpu_doctor.process.seal import Seal
from xpu_doctor.process.status import death
from xpu_doctor.process.time_limit import TimeLimit
from xpu_doctor.target.agent_in_memory import script_for
from xpu_doctor.target.stages import is_watched, needs_of, seconds_of

EXIT_DEADLINE = 5.0
"""Seconds that an interpreter may take to leave once its last stage is done."""
BARE = ("-I", "-S")
"""No sitecustomize, no user site, no `.pth` file."""
BEFORE = "start of "
"""What stands before a stage's name where the interpreter died before that stage began."""
TRANSCRIPT = "transcript"
"""Name of the record that says what others did to the transcript."""
PIECE = 1 << 16
"""Bytes of a transcript that are read at once."""
MOST_FOREIGN = 10_000
"""Lines that are not the agent's, blank ones too, after which (as after an overlong one) nothing more is read and the interpreter is ended."""
MAX_STACK = 8192
MAX_WORDS = 200
MAX_REASON = 400

Listener = Callable[[str, float], None]
"""Called with a stage's name and its deadline in seconds when it begins; with an empty name when an agent is done."""


@dataclass(frozen=True)
class StageResult:
    """How a stage ended (the fields of facts.Stage, by name) and the facts that it gave."""

    record: dict[str, Any]
    facts: dict[str, Any]

    @property
    def name(self) -> str:
        """The stage's name."""
        return str(self.record["name"])

    @property
    def outcome(self) -> str:
        """`ok`, `error`, `crash`, `exit` or `hang`."""
        return str(self.record["outcome"])


@dataclass(frozen=True)
class Patient:
    """The interpreter to run the agent in, and how."""

    python: str
    environment: Mapping[str, str]
    folder: str | None = None
    """Working folder; None keeps the doctor's own."""
    deadlines: Mapping[str, float] = field(default_factory=dict)
    """Seconds by stage name; a stage that is not named has the default of its kind."""
    request: Mapping[str, Any] = field(default_factory=dict)
    """Further parameters of stages, as JSON values."""
    account: Account | None = None
    """Whose rights the interpreter gets; None keeps the doctor's own."""
    bare: bool = False
    """Start it without the environment's own start-up code; the agent reads the search path from files then."""
    limit: TimeLimit | None = None
    """When all stages together have to be done; one that is not is skipped, for that reason."""

    def deadline(self, stage: str) -> float:
        """Seconds that a stage may take."""
        return self.deadlines.get(stage, seconds_of(stage))

    @property
    def is_late(self) -> bool:
        """Whether no stage may run any more."""
        return self.limit is not None and self.limit.is_over


class AgentRun:
    """One run of the agent over some stages, in the background from the moment it is made."""

    def __init__(
        self, patient: Patient, stages: Sequence[str], listener: Listener | None = None, flags: tuple[str, ...] = ()
    ) -> None:
        self._patient = patient
        self._flags = flags
        self._listener = listener or (lambda name, deadline: None)
        self._results: dict[str, StageResult] = {}
        self._failure: BaseException | None = None
        self._finished = {name: threading.Event() for name in stages}
        self._cancelled = threading.Event()
        # An event and not Thread.join: a join that Ctrl-C interrupts marks the thread as ended in CPython 3.11 and older.
        self._ended = threading.Event()
        self._first = _Agent(patient, stages, self._flags) if stages and not patient.is_late else None
        self._thread = threading.Thread(target=self._watch, args=(tuple(stages),), daemon=True)
        self._thread.start()

    def stage(self, name: str) -> StageResult | None:
        """Wait until a stage has ended and return its result, None where it did not run."""
        if name in self._finished:
            _await(self._finished[name])
        return self._results.get(name)

    def results(self) -> tuple[StageResult, ...]:
        """Wait for the end and return all results in the order in which the stages ran.

        Raises:
            OSError: the interpreter cannot be started.
        """
        _await(self._ended)
        if self._failure is not None:
            raise self._failure
        return tuple(self._results.values())

    def close(self) -> None:
        """End the interpreter at once, if it still runs: the doctor was interrupted or has failed."""
        self._cancelled.set()
        self._ended.wait(5.0)

    def _watch(self, stages: tuple[str, ...]) -> None:
        try:
            remaining, agent = stages, self._first
            while remaining and agent is not None:
                dead = agent.watch(self._note, self._listener, self._cancelled)
                if agent.late:
                    break
                remaining = (
                    () if self._cancelled.is_set() or not agent.spoke else _after(remaining, dead, self._results)
                )
                agent = (
                    _Agent(self._patient, remaining, self._flags) if remaining and not self._patient.is_late else None
                )
            self._skip(remaining)
        except BaseException as error:  # handed to the caller of results()
            self._failure = error
        finally:
            self._listener("", 0.0)
            for event in self._finished.values():
                event.set()
            self._ended.set()

    def _skip(self, stages: Sequence[str]) -> None:
        """Note that the time for all of them was over before some stages were done."""
        limit = self._patient.limit
        if limit is None:
            return
        for name in stages:
            self._note(StageResult({"name": name, "outcome": StageOutcome.SKIPPED.value, "reason": limit.reason}, {}))

    def _note(self, result: StageResult) -> None:
        self._results.setdefault(result.name, result)
        if result.name in self._finished:
            self._finished[result.name].set()


def _await(event: threading.Event) -> None:
    """Wait for an event, on Windows in pieces: there a thread hears of Ctrl-C only between two waits."""
    while not event.wait(0.1 if sys.platform == "win32" else None):
        pass


def _after(stages: tuple[str, ...], dead: str, results: Mapping[str, StageResult]) -> tuple[str, ...]:
    """Return the stages still to run after one died: those that do not need a stage that went wrong."""
    if not dead or dead not in stages:
        return ()
    rest = stages[stages.index(dead) + 1 :]
    failed = {name for name, result in results.items() if result.outcome != StageOutcome.OK}
    return tuple(name for name in rest if not failed & set(needs_of(name)))


class _Agent:
    """One process of the agent and what it has said so far."""

    def __init__(self, patient: Patient, stages: Sequence[str], flags: tuple[str, ...]) -> None:
        self._patient = patient
        self._seal = Seal()
        self._transcript = Channel("transcript", self._seal.key)
        self._stacks = Channel("stacks")
        self._unread = bytearray()
        self._stage = ""
        self._began = time.monotonic()
        self._call = ""
        self._cpu: float | None = None
        self._part: dict[str, Any] = {}
        self._done = self._spoke = self._deaf = self.late = False
        self._blank = 0
        self._first = stages[0]
        self._stages = frozenset(stages)
        request = {
            **patient.request,
            "bare": patient.bare,
            "folder": patient.folder or "",
            "stacks": self._stacks.where,
            "deadlines": {name: patient.deadline(name) for name in stages},
        }
        with script_for(patient.account) as script:
            arguments = [
                patient.python,
                *flags,
                *(BARE if patient.bare else ()),
                "-B",
                script.path,
                self._transcript.where,
                json.dumps(request),
                *stages,
            ]
            inherited = (*self._transcript.inherited, *self._stacks.inherited, *script.inherited)
            try:
                self._child = Child(
                    arguments, patient.environment, os.urandom(8).hex(), patient.folder, inherited, patient.account
                )
            except BaseException:
                self._close()
                raise

    def watch(self, note: Callable[[StageResult], None], listener: Listener, cancelled: threading.Event) -> str:
        """Watch until the end, passing on each stage's result; return the stage that died, or empty."""
        hang = False
        while True:
            ended = self._child.wait(0.02)
            self._read(note, listener)
            if ended or self._deaf or cancelled.is_set():
                break
            if self._overdue():
                hang = True
                break
            if self._patient.is_late:
                self.late = True
                break
        # Both are asked before the child is ended: a dead process has neither CPU time nor a state in the kernel.
        cpu = self._child.cpu_seconds() if hang else None
        state = _kernel_state(self._child.pid) if hang else ""
        code, output, behind = self._child.end()
        self._read(note, listener)
        if self.late:
            self._close()
            return ""
        dead = self._stage or ("" if self._done or (not hang and code == 0 and self._spoke) else self._first)
        if not self._spoke:
            dead = (
                self._first if self._first == "interpreter" else f"{BEFORE}{self._first}"
            )  # no stage began: none is to blame
        if dead and cancelled.is_set() and not self._spoke:
            dead = ""
        elif dead:
            note(StageResult(self._corpse(dead, hang, code, output, behind, cpu, state), self._part))
        elif behind:
            note(StageResult({"name": "leftovers", "outcome": "ok", "left_behind": behind}, {}))
        if self._seal.broken:
            note(
                StageResult(
                    {
                        "name": TRANSCRIPT,
                        "outcome": "ok",
                        "foreign_lines": self._seal.foreign,
                        "lost_lines": self._seal.lost,
                    },
                    {},
                )
            )
        self._close()
        return dead

    @property
    def spoke(self) -> bool:
        """Return whether the interpreter got as far as to say anything."""
        return self._spoke

    def _overdue(self) -> bool:
        limit = (
            self._patient.deadline(self._stage or (self._first if self._spoke else "interpreter"))
            if not self._done
            else EXIT_DEADLINE
        )
        return time.monotonic() - self._began > limit

    def _read(self, note: Callable[[StageResult], None], listener: Listener) -> None:
        while not self._deaf and (data := self._transcript.new(PIECE)):
            first, *others = data.split(b"\n")
            self._unread += first
            self._deaf = len(self._unread) > MAX_LINE
            if not others:
                continue
            lines = [bytes(self._unread), *others[:-1]]
            self._unread = bytearray(others[-1])
            self._blank += lines.count(b"")
            self._deaf = self._deaf or self._blank + self._seal.foreign > MOST_FOREIGN
            for line in filter(None, lines):
                self._understand(line, note, listener)

    def _understand(self, line: bytes, note: Callable[[StageResult], None], listener: Listener) -> None:
        text = self._seal.opened(line)
        said = message(text) if text is not None else None
        stage = said.get("stage") if said else None
        if said and isinstance(stage, str) and (stage in self._stages or said.get("kind") in ("done", "refused")):
            self._hear(str(said.get("kind")), stage, said, note, listener)

    def _hear(
        self, kind: str, stage: str, said: dict[str, Any], note: Callable[[StageResult], None], listener: Listener
    ) -> None:
        self._spoke = True
        if kind == "begin":
            self._stage, self._began, self._call, self._part = stage, time.monotonic(), "", {}
            self._cpu = self._child.cpu_seconds() if is_watched(stage) else None
            listener(stage, self._patient.deadline(stage))
        elif kind == "mark":
            self._call = str(said.get("call", ""))
        elif kind == "part" and isinstance(said.get("facts"), dict):
            self._part = said["facts"]
        elif kind in ("end", "error"):
            self._stage, self._began = "", time.monotonic()
            result = _ended(stage, said) if kind == "end" else _failed(stage, said)
            spent = self._child.cpu_seconds() if is_watched(stage) else None
            if spent is not None and self._cpu is not None:
                result.record["cpu_seconds_outside"] = spent - self._cpu
            note(result)
        elif kind == "refused":
            self._done = True
            record = {
                "name": "interpreter",
                "outcome": "error",
                "reason": f"Python {said.get('version')} is older than 3.8",
                "exception": "refused",
            }
            note(StageResult(record, {"version": str(said.get("version", ""))}))
        elif kind == "done":
            self._done, self._began = True, time.monotonic()

    def _corpse(
        self,
        stage: str,
        hang: bool,
        code: int | None,
        output: str,
        behind: tuple[str, ...],
        cpu: float | None,
        state: str,
    ) -> dict[str, Any]:
        seconds = time.monotonic() - self._began
        where = f" in {self._call}" if self._call else ""
        record: dict[str, Any] = {"name": stage, "seconds": seconds, "output": output, "left_behind": behind}
        record["traceback"] = self._stacks.new()[-MAX_STACK:].decode("utf-8", "replace")
        if self._deaf:
            reason = f"something else has filled its transcript with {self._transcript.heard} bytes{where}"
            return {**record, "outcome": "exit", "reason": reason, "exit_code": 0}
        if hang:
            used = f", {cpu:.1f} s of CPU time used" if cpu is not None else ""
            stuck = (
                "; it is stuck in the kernel and could not be ended"
                if code is None
                else f"; kernel state {state}"
                if state == "D"
                else ""
            )
            reason = f"no answer in {self._patient.deadline(stage if self._spoke else 'interpreter'):g} s{where}{used}{stuck}"
            return {
                **record,
                "outcome": "hang",
                "reason": reason,
                "cpu_seconds": cpu if cpu is not None else {"reason": "not measured"},
            }
        name = death(code or 0)
        said = _last_words(output)
        if name:
            return {**record, "outcome": "crash", "reason": f"{name}{where}{said}", "signal": name}
        torn = f"; its transcript has {self._seal.broken}" if self._seal.broken else ""
        return {
            **record,
            "outcome": "exit",
            "reason": f"the process left with exit code {code}{where}{said}{torn}",
            "exit_code": code or 0,
        }

    def _close(self) -> None:
        self._transcript.close()
        self._stacks.close()


def _ended(stage: str, said: dict[str, Any]) -> StageResult:
    facts = said.get("facts")
    record = {
        "name": stage,
        "outcome": "ok",
        "seconds": said.get("seconds", 0.0),
        "cpu_seconds": said.get("cpu_seconds", 0.0),
    }
    return StageResult(record, facts if isinstance(facts, dict) else {})


def _failed(stage: str, said: dict[str, Any]) -> StageResult:
    exception = str(said.get("exception", ""))
    message = " ".join(str(said.get("message", "")).split())[:MAX_REASON]
    record = {
        "name": stage,
        "outcome": "exit" if exception == "SystemExit" else "error",
        "seconds": said.get("seconds", 0.0),
        "cpu_seconds": said.get("cpu_seconds", 0.0),
        "exception": exception,
        "reason": f"{exception}: {message}" if message else exception,
        "winerror": said.get("winerror") or 0,
        "traceback": str(said.get("traceback", "")),
    }
    return StageResult(record, {})


def _last_words(output: str) -> str:
    """Return the line that tells most of what a process printed before it died, the last one or the last error, in words, or empty."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if "Error" in line and line.isprintable()]
    chosen = [*lines[-1:], *errors[-1:]][-1:]
    return f", after printing {chosen[0][:MAX_WORDS]!r}" if chosen and chosen[0].isprintable() else ""


def _kernel_state(pid: int) -> str:
    """Scheduler state letter of a process on Linux (`D` is uninterruptible), or empty."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            return stream.read().rpartition(b")")[2].split()[0].decode()
    except (OSError, IndexError):
        return ""

"""Starts a command or attaches to a process, watches it to its end, and puts together what was seen from outside and from inside."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xpu_doctor.model.unknown import Maybe, Unknown, known_or
from xpu_doctor.watching.additions import Records, name_applications, new_records, with_hook
from xpu_doctor.watching.attached import Attached
from xpu_doctor.watching.command import Command
from xpu_doctor.watching.order import Order
from xpu_doctor.watching.relay import NoRelay, Relay, relay_for

if TYPE_CHECKING:
    from xpu_doctor.model.facts.watched import FallbackOperator, InsideReport, Watched, WatchedProcess
    from xpu_doctor.watching.inside_records import Inside
    from xpu_doctor.watching.sampler import LiveFigures, Outside, Sampler
    from xpu_doctor.watching.stacks import Stacks
    from xpu_doctor.watching.stderr_tally import Tally

Tell = Callable[["LiveFigures"], None]
"""Called with the figures of each sample."""
NOT_ASKED = "--no-inside was given"
ATTACHED = "the program ran already when the watch began"


@dataclass(frozen=True)
class Seen:
    """What came of a watch."""

    watched: Watched
    python: str
    """The interpreter whose environment is to be examined; empty where no Python is known to have run."""
    why: str
    """Why that one."""
    notes: tuple[str, ...] = ()


class Watch:
    """A watch under way. Leaving the `with` block removes what was made for it; a command that still runs goes on."""

    def __init__(self, order: Order, applications: Callable[[], Iterable[tuple[str, str]]] = tuple) -> None:
        """Start the command, or find the process, at once; what is heavy is loaded after that.

        `applications` returns pairs of module and distribution, of which the hook says whether a program imported them.

        Raises:
            xpu_doctor.watching.command.CommandError: the command cannot be started.
            xpu_doctor.watching.attached.AttachError: the process cannot be watched.
        """
        self.order = order
        self.code: int | None = None
        """Exit code of the command, once it has ended: that of `subprocess`."""
        self._applications = applications
        self._notes: list[str] = []
        self._sampler: Sampler | None = None
        self._stacks: Stacks | None = None
        self._failure = "the program ended before it was looked at"
        self._records: Records | None = None
        self._relay: Relay = NoRelay(NOT_ASKED if order.command else ATTACHED)
        self._command: Command | None = None
        self._attached: Attached | None = None
        self._python = ""
        self.ended = False
        self.seconds = 0.0
        self.began = time.monotonic()
        if order.command:
            self._start()
        else:
            self._attached = Attached(order.pid)

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def _name_applications(self) -> None:
        if self._records is not None:
            try:
                name_applications(self._records, self._applications())
            except OSError as error:
                self._notes.append(f"The hook was not told of applications: {error.strerror or error}.")

    def _start(self) -> None:
        environment = dict(self.order.environment)
        if self.order.inside:
            try:
                self._records = new_records(self.order.device_type)
                environment = with_hook(environment, self._records)
            except OSError as error:
                self._notes.append(f"The hook could not be set up: {error.strerror or error}.")
            self._relay = relay_for(self._records.folder if self._records else "")
        try:
            self.began = time.monotonic()
            self._command = Command(self.order.command, environment, self._relay.descriptor)
        except BaseException:
            self._relay.started()
            self.close()
            raise
        self._relay.started()

    @property
    def pid(self) -> int:
        """The program's first process."""
        return self._command.pid if self._command else self.order.pid

    def follow(self, tell: Tell | None = None) -> None:
        """Sample until the program ends, or the time of the watch is over, or an interrupt ends the watch of an attached process."""
        end = None if self.order.seconds is None else self.began + self.order.seconds
        try:
            for due in self._times_of_samples():
                until = min(moment for moment in (due, end) if moment is not None)
                if self._wait(until):
                    self.ended = True
                    break
                if end is not None and time.monotonic() >= end:
                    break
                self._sample(tell)
        except KeyboardInterrupt:
            if self._command is not None:
                raise
        self._sample(None)
        self.seconds = time.monotonic() - self.began
        if self.ended and self._command is not None:
            self.code = self._command.reap()

    def _times_of_samples(self) -> Iterator[float]:
        """Load what samples, and yield the times of the samples, of which a late one delays those after it."""
        try:
            from xpu_doctor.watching.sampler import Sampler, sample_delays

            self._sampler = Sampler(
                self.pid,
                device_type=self.order.device_type,
                started=self.began,
                attached=self._attached is not None,
                marker=self._records.marker if self._records else "",
            )
            delays: Iterable[float] = sample_delays(self.order.interval)
            if self.order.inside:
                from xpu_doctor.watching.stacks import Stacks

                self._stacks = Stacks(self._python_pid, self.began)
        except Exception as error:  # whatever fails here, the program must be waited for
            self._give_up(error)
            delays = iter(lambda: self.order.interval, None)
        if self._attached is not None:
            self._sample(None)
        self._name_applications()
        for delay in delays:
            yield time.monotonic() + delay

    def _sample(self, tell: Tell | None) -> None:
        if self._sampler is None:
            return
        try:
            self._sampler.sample()
            if tell is not None:
                tell(self._sampler.line())
            if not self._python:
                from xpu_doctor.watching.which_python import python_of_process

                self._python = python_of_process(self.pid)
            if self._stacks is not None and not self.ended:
                self._stacks.tick()
        except Exception as error:
            self._give_up(error)

    def _python_pid(self) -> int:
        """Return the program's first process if it is a Python, else the first one of those with the hook that still runs; 0 for none."""
        from xpu_doctor.watching.inside_records import pythons_in
        from xpu_doctor.watching.which_python import python_of_process

        if self._python:
            return self.pid
        noted = pythons_in(self._records.folder) if self._records else {}
        return next((pid for pid in noted if python_of_process(pid)), 0)

    def _give_up(self, error: Exception) -> None:
        self._sampler = None
        self._failure = f"what looks at the program failed: {type(error).__name__}: {error}"

    def _wait(self, until: float | None) -> bool:
        waiting = self._command or self._attached
        return waiting is None or waiting.wait(until)

    def seen(self) -> Seen:
        """Return what was seen until now; call it once, after `follow()`."""
        from xpu_doctor.model.facts.watched import Watched
        from xpu_doctor.watching.inside_records import Inside, read_records

        tally = self._relay.finish()
        records = self._records
        inside = read_records(records.folder, self.began, self.seconds) if records else Inside()
        outside = self._outside(inside)
        watched = Watched(
            command=tuple(self.order.command) or Unknown(ATTACHED),
            pid=self.pid,
            attached=self._attached is not None,
            seconds=round(self.seconds, 3),
            interval_seconds=self.order.interval,
            device_type=self.order.device_type,
            fallback_operators=self._fell_back(tally, inside),
            hot_spots=self._stacks.finish() if self._stacks else Unknown(NOT_ASKED),
        )
        watched = self._with_end(watched)
        if outside is not None:
            watched = replace(watched, **{name: getattr(outside, name) for name in type(outside).__dataclass_fields__})
        else:
            watched = replace(watched, counters=Unknown(self._failure))
        if records is not None:
            watched = replace(
                watched,
                inside=_inside(inside, watched.processes),
                pythons_without_hook=_without_hook(watched.processes, inside),
            )
        else:
            watched = replace(watched, inside=Unknown(NOT_ASKED if self._command else ATTACHED))
        python, why = self._interpreter(inside)
        return Seen(watched, python, why, (*self._notes, *inside.notes))

    def _fell_back(self, tally: Maybe[Tally], inside: Inside) -> Maybe[tuple[FallbackOperator, ...]]:
        from xpu_doctor.watching.fallback_lines import fallback_operators, may_enable

        if isinstance(tally, Unknown):
            return tally
        version = next((report.torch_version for report in inside.reports), "")
        return fallback_operators(tally, enabled=may_enable(self.order.environment), version=version)

    def _outside(self, inside: Inside) -> Outside | None:
        if self._sampler is None:
            return None
        try:
            for pid, texts in inside.fdinfo:
                self._sampler.add_final(pid, texts)
            return self._sampler.finish()
        except Exception as error:
            self._give_up(error)
            return None

    def _with_end(self, watched: Watched) -> Watched:
        """Add how the program ended."""
        if not self.ended:
            return replace(watched, end="running", exit_code=Unknown("it still ran when the watch ended"))
        if self.code is None:
            return replace(watched, end="exited", exit_code=Unknown("only its parent is told the exit code"))
        from xpu_doctor.process.status import death

        name = death(self.code) if self.code < 0 else ""
        if name:
            return replace(watched, end="signal", exit_code=Unknown("it was ended by a signal"), signal=name)
        return replace(watched, end="exited", exit_code=self.code)

    def _interpreter(self, inside: Inside) -> tuple[str, str]:
        """Return the Python whose environment tells of the program's torch, and why that one."""
        from xpu_doctor.watching.which_python import python_of

        reports: tuple[InsideReport, ...] = inside.reports
        with_torch = next((report.python for report in reports if os.path.isfile(report.python)), "")
        if with_torch:
            return with_torch, "the watched program imported torch in it"
        own = python_of(self.order.command[0], self.order.environment) if self.order.command else ""
        if own or self._python:
            return own or self._python, "the watched program ran in it"
        another = next((python for python in inside.pythons.values() if os.path.isfile(python)), "")
        return another, "the watched program ran in it" if another else ""

    def rest(self) -> int:
        """Wait for a command that still runs, and return its exit code as a shell would: 128 and the number of the signal that ended it."""
        if self._command is not None and self.code is None:
            self._command.wait(None)
            self.code = self._command.reap()
        code = self.code or 0
        if sys.platform == "win32":
            return code - (1 << 32) if code >= 1 << 31 else code
        return 128 - code if code < 0 else code

    def hand_back_signals(self) -> None:
        """Give this process its own handling of signals back; those of an ended command are nobody's any more."""
        if self._command is not None and self.code is not None:
            self._command.__exit__()

    def close(self) -> None:
        """Remove what was made for the watch."""
        if self._stacks is not None:
            self._stacks.finish()
        if self._command is not None:
            self._command.__exit__()
        if self._attached is not None:
            self._attached.close()
        if self._records is not None:
            self._records.remove()


def _inside(inside: Inside, processes: Maybe[tuple[WatchedProcess, ...]]) -> Maybe[tuple[InsideReport, ...]]:
    """Return the reports; without any it is known that nothing imported torch only where the hook was loaded."""
    if inside.reports or inside.pythons:
        return inside.reports
    if any(_is_python(process) for process in known_or(processes, ())):
        return Unknown(
            "the hook was not loaded: python -I, -S or -E, another user's rights, or an application with a Python of its own"
        )
    return Unknown("no Python was seen in which the hook could be loaded")


def _without_hook(processes: Maybe[tuple[WatchedProcess, ...]], inside: Inside) -> int:
    return sum(_is_python(process) and process.pid not in inside.pythons for process in known_or(processes, ()))


def _is_python(process: WatchedProcess) -> bool:
    from xpu_doctor.watching.which_python import is_python

    return is_python(process.name)

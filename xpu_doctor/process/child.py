"""One child process in a session or Job Object of its own, with its output drained."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from xpu_doctor.process.account import rights_of
from xpu_doctor.process.leftovers import MARKER, end_marked
from xpu_doctor.process.output import ENDS, Keep, Output

if TYPE_CHECKING:
    from xpu_doctor.process.account import Account


class Child:
    """A started child. `end()` must be called, also after a normal end: nothing of its group survives it.

    With a `mark`, what left its group is found by that mark. Both streams are one text, unless they are kept `apart`.

    Raises:
        OSError: the program cannot be started.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        mark: str,
        folder: str | None = None,
        inherited: tuple[int, ...] = (),
        account: Account | None = None,
        keep: Keep = ENDS,
        apart: bool = False,
        streams: tuple[int, int] | None = None,
        echo: Callable[[bytes], None] | None = None,
    ) -> None:
        """Start it; `streams` are its standard input and output where it gets such, `echo` is told all else that it prints."""
        reading, writing = os.pipe()
        reading_errors, errors = os.pipe() if apart else (-1, writing)
        given, printed = streams or (subprocess.DEVNULL, writing)
        self.mark = mark
        self._job = None
        self._end: tuple[int | None, str, tuple[str, ...]] | None = None
        self.started = time.monotonic()
        variables = {**environment, MARKER: mark} if mark else environment
        try:
            if sys.platform == "win32":
                from xpu_doctor.process.windows_job import Job

                # No window may flash up, and Ctrl+C must reach the doctor only, which then ends the child.
                self._process = subprocess.Popen(
                    arguments, stdin=given, stdout=printed, stderr=errors, cwd=folder, env=variables,
                    creationflags=subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW,
                )  # fmt: skip
                self._job = Job()
                # Popen cannot start it suspended: for an instant the child runs outside of the job.
                self._job.add(int(self._process._handle))  # type: ignore[attr-defined]
            else:
                self._process = subprocess.Popen(
                    arguments, stdin=given, stdout=printed, stderr=errors, cwd=folder, env=variables,
                    pass_fds=inherited, start_new_session=True, **rights_of(account),
                )  # fmt: skip
        except BaseException:
            os.close(reading)
            if apart:
                os.close(reading_errors)
            raise
        finally:
            os.close(writing)
            if apart:
                os.close(errors)
        self._output = Output(reading, keep, echo)
        self._errors = Output(reading_errors, keep) if apart else None

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    def wait(self, seconds: float) -> bool:
        """Wait up to `seconds` for the child to end, without reaping it on POSIX; return whether it did."""
        deadline = time.monotonic() + seconds
        if sys.platform == "win32":
            return self._waited_in_pieces(deadline)
        while not self._ended():
            if time.monotonic() >= deadline:
                return False
            # waitid has no deadline, and SIGCHLD belongs to the program that has imported us: short naps are what is left.
            time.sleep(0.004)
        return True

    def _waited_in_pieces(self, deadline: float) -> bool:
        """Wait on Windows, where a thread hears of Ctrl-C only between two waits."""
        while True:
            rest = deadline - time.monotonic()
            try:
                self._process.wait(max(0.0, min(0.1, rest)))
            except subprocess.TimeoutExpired:
                if rest <= 0:
                    return False
            else:
                return True

    def _ended(self) -> bool:
        """Return whether the child has ended; it stays a zombie, so that its group's number cannot be given away."""
        if sys.platform == "win32":
            return self._process.poll() is not None
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

    def cpu_seconds(self) -> float | None:
        """CPU time that the child has used so far, in seconds, or None where the system does not tell."""
        try:
            import psutil

            times = psutil.Process(self.pid).cpu_times()
        except Exception:  # psutil raises its own errors and OSError
            return None
        return float(times.user + times.system)

    def end(self) -> tuple[int | None, str, tuple[str, ...]]:
        """End the child and all that it started.

        Returns:
            its return code (None where it is stuck in the kernel and was not waited for), what it printed, and the
            processes that had outlived it; the same again where it is called again.
        """
        if self._end is None:
            self._end = self._ended_now()
        return self._end

    def _ended_now(self) -> tuple[int | None, str, tuple[str, ...]]:
        """End the process: once only, since its number may be another's after that."""
        if self._job is not None:
            self._job.close()
            self._process.kill()  # a job that refused the process has not ended it; one that has ended is left alone
        elif hasattr(os, "killpg"):
            try:
                # SIGKILL, since a Python handler of SIGTERM never runs while C code hangs; the group holds what the child has started.
                os.killpg(self.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
        code: int | None
        try:
            # A process in uninterruptible sleep (a hung GPU driver) dies only when the kernel lets go of it, perhaps never.
            code = self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            code = None
        behind = end_marked(self.mark) if self.mark else ()
        return code, self._output.finish(), behind

    def errors(self) -> str:
        """Return what the child printed on stderr where its streams were kept apart, else empty; call it after `end()`."""
        return self._errors.finish() if self._errors is not None else ""

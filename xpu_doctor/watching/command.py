"""The command that is watched: started with this process's own streams and process group, told the signals that are sent to this one."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import Any

from xpu_doctor.watching.witness import Witness

FORWARDED = ("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2")
"""Signals that are passed on, unless the command was sent its own: by a terminal, or with the whole process group or job."""
NOT_FOUND = 127
NOT_EXECUTABLE = 126
"""Exit codes by which shells, env and timeout tell that a command did not start."""
NAP_SECONDS = 0.05
"""How often the command is looked at where no signal tells of its end."""


class CommandError(Exception):
    """The command did not start; the message is one line."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class Command:
    """The started command; leave the `with` block when it has ended and was reaped, or is to go on by itself."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], stderr: int | None = None) -> None:
        """Start it.

        Raises:
            CommandError: there is no such command, or it cannot be executed.
        """
        self._signals = _Signals()
        try:
            self._process = _started(list(arguments), environment, stderr)
        except BaseException:
            self._signals.restore()
            raise
        self._signals.target = self._process.pid
        self._signals.take_over()

    def __enter__(self) -> Command:
        return self

    def __exit__(self, *raised: object) -> None:
        self._signals.restore()

    @property
    def pid(self) -> int:
        """Process id of the command."""
        return self._process.pid

    def wait(self, until: float | None) -> bool:
        """Wait for the end of the command, at most until a time of `time.monotonic()`; return whether it has ended.

        It stays a zombie, whose CPU time can be read, until `reap()`.
        """
        while not self._ended():
            rest = None if until is None else until - time.monotonic()
            if rest is not None and rest <= 0:
                return False
            self._signals.wait(rest, self._process)
        return True

    def reap(self) -> int:
        """Take the exit code of the ended command: that of `subprocess`, negative for a signal."""
        code = self._process.wait()
        self._signals.forget()
        return code

    def _ended(self) -> bool:
        if sys.platform == "win32":
            return self._process.poll() is not None
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True


class _Signals:
    """What happens to signals while a command runs; nothing outside of the main thread, where a program minds its own signals."""

    def __init__(self) -> None:
        self.target = 0
        self._early: list[int] = []
        self._before: dict[int, Any] = {}
        self._taken: set[signal.Signals] = set()
        self._blocked = False
        self._witness: Witness | None = None
        try:
            for name in FORWARDED if sys.platform != "win32" else ("SIGINT", "SIGBREAK"):
                self._hold(getattr(signal, name))
            if sys.platform != "win32":
                # A parent may have had the ends of children ignored: then nobody would be told the command's exit code.
                self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                self._witness = Witness(tuple(self._taken))
        except ValueError:  # not in the main thread
            self._before.clear()

    def _hold(self, number: signal.Signals) -> None:
        if signal.getsignal(number) is not signal.SIG_IGN:  # the command ignores it as well
            self._before[number] = signal.signal(number, self._came)
            self._taken.add(number)

    def _came(self, number: int, frame: FrameType | None) -> None:
        """Pass a signal on whose sender is not known; a console of Windows has told the command itself."""
        if sys.platform == "win32":
            return
        if self.target:
            self._pass_on(number)
        else:
            self._early.append(number)

    def _pass_on(self, number: int) -> None:
        if self._witness is None or not self._witness.saw(number):
            _send(self.target, number)

    def take_over(self) -> None:
        """Wait for signals from now on, so that those of a terminal can be told from those of a process."""
        if self._before and hasattr(signal, "sigtimedwait"):
            self._taken.add(signal.SIGCHLD)
            signal.pthread_sigmask(signal.SIG_BLOCK, self._taken)
            self._blocked = True
        for number in self._early:
            if number != signal.SIGINT:
                _send(self.target, number)

    def wait(self, seconds: float | None, process: subprocess.Popen[bytes]) -> None:
        """Wait for a signal, at most so many seconds, and pass it on."""
        if not self._blocked:
            try:
                process.wait(0.1 if seconds is None else min(seconds, 0.1)) if sys.platform == "win32" else time.sleep(
                    NAP_SECONDS if seconds is None else min(seconds, NAP_SECONDS)
                )
            except subprocess.TimeoutExpired:
                pass
            return
        came = signal.sigtimedwait(self._taken, 3600.0 if seconds is None else seconds)
        if came is not None and came.si_signo != signal.SIGCHLD and came.si_code <= 0:
            self._pass_on(came.si_signo)

    def forget(self) -> None:
        """Drop what was sent to the command and came too late for it."""
        self.target = 0
        while self._blocked and signal.sigtimedwait(self._taken, 0) is not None:
            pass

    def restore(self) -> None:
        """Give this process its own handling of signals back."""
        if self._witness is not None:
            self._witness.close()
        if self._blocked:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, self._taken)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except OSError:
        pass


def _started(arguments: list[str], environment: Mapping[str, str], stderr: int | None) -> subprocess.Popen[bytes]:
    name = arguments[0]
    program = _found_on_windows(name, environment) if sys.platform == "win32" else name
    try:
        try:
            return _popen([program, *arguments[1:]], environment, stderr)
        except OSError as error:
            if error.errno != errno.ENOEXEC or sys.platform == "win32":
                raise
            # A script without a first line that names its interpreter: as execvp(3), and with it env and timeout, do.
            path = shutil.which(name, path=environment.get("PATH")) or name
            return _popen(["/bin/sh", path, *arguments[1:]], environment, stderr)
    except FileNotFoundError as error:
        raise CommandError(f"{name}: {_missing(name, environment)}", NOT_FOUND) from error
    except PermissionError as error:
        raise CommandError(f"{name}: it may not be executed ({error.strerror})", NOT_EXECUTABLE) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise CommandError(f"{name}: it cannot be started: {reason}", NOT_EXECUTABLE) from error


def _popen(arguments: list[str], environment: Mapping[str, str], stderr: int | None) -> subprocess.Popen[bytes]:
    # Descriptors that this process was given are the command's too.
    return subprocess.Popen(
        arguments, env=dict(environment), stderr=stderr, close_fds=sys.platform == "win32" and stderr is not None
    )


def _found_on_windows(name: str, environment: Mapping[str, str]) -> str:
    """Return the program behind a name, which may be that of a batch file."""
    return shutil.which(name, path=environment.get("PATH")) or name


def _missing(name: str, environment: Mapping[str, str]) -> str:
    """Say why a command was not found."""
    path = shutil.which(name, path=environment.get("PATH"))
    if path is None:
        return "there is no such command" if os.path.basename(name) == name else "there is no such file"
    try:
        with open(path, "rb") as stream:
            first = stream.readline(512)
    except OSError:
        first = b""
    named = first[2:].split()[:1] if first.startswith(b"#!") else []
    return (
        f"the interpreter in its first line, {os.fsdecode(named[0])}, does not exist"
        if named
        else "it cannot be loaded"
    )

"""A Windows to run programs on: this machine where it is one, else Wine with a prefix and a server of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

import psutil

NATIVE = sys.platform == "win32"
MARK = "XPU_DOCTOR_TEST_CALL"
"""The variable by which a test finds what a program that it started has left behind."""
PREFIX_SECONDS = 180
SERVER_IDLE_SECONDS = 300
"""How long Wine's server outlives its last program where nobody ends it: a killed test run leaves nothing for ever."""
FOREIGN = ("PIP_", "PYTHON", "VIRTUAL_ENV", "CONDA_", "XPU_DOCTOR_", "PYTEST_", "COV")
"""Variables of the test run's own Python, which the examined ones must not see."""
OVERRIDES = "mscoree,mshtml=;winemenubuilder.exe,winedbg.exe=d"
"""No .NET, no browser, no debugger that looks at crashes, and no entries in the menus of the user who runs the tests."""


class NoWindows(Exception):
    """Neither is this Windows, nor is there a Wine that works; the text says why."""


@dataclass(frozen=True)
class Wine:
    """The programs of a Wine for 64-bit Windows."""

    program: Path
    server: Path


def find_wine() -> Wine:
    """Return the Wine of this machine.

    Raises:
        NoWindows: there is none.
    """
    places = (Path("/usr/lib/wine"), Path("/usr/lib64/wine"), Path("/opt/wine-stable/bin"))
    programs = [folder / "wine64" for folder in places] + [Path(shutil.which(n) or "") for n in ("wine64", "wine")]
    servers = [folder / "wineserver64" for folder in places] + [Path(shutil.which("wineserver") or "")]
    program = next((path for path in programs if path.is_file()), None)
    server = next((path for path in servers if path.is_file()), None)
    if program is None or server is None:
        raise NoWindows("neither Windows nor Wine: install Debian's wine64")
    return Wine(program, server)


@dataclass(frozen=True)
class WindowsMachine:
    """Runs Windows programs, each with a deadline, no standard input and piped outputs."""

    folder: Path
    """Holds Wine's prefix, and the folder that programs are started in."""
    wine: Wine | None

    @property
    def prefix(self) -> Path:
        """Where Wine keeps drive C: and the registry."""
        return self.folder / "prefix"

    @property
    def home(self) -> Path:
        """The working folder of programs that are given none: not the checkout, from which Python would take the doctor."""
        return self.folder / "home"

    def spelled(self, path: str | Path) -> str:
        """Return a path of this machine as a Windows program must be given it."""
        if self.wine is None or not isinstance(path, Path):
            return str(path)
        return str(PureWindowsPath("Z:" + path.absolute().as_posix()))

    def here(self, spelling: str) -> Path:
        """Return a path that a Windows program has named as one of this machine."""
        if self.wine is None:
            return Path(spelling)
        drive, rest = spelling[:2].lower(), spelling[2:].replace("\\", "/").lstrip("/")
        return Path("/", rest) if drive == "z:" else self.prefix / "dosdevices" / drive / rest

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return what a program is started with: nothing of the developer's own settings, plus `extra`."""
        given = dict(extra or {})
        if self.wine is None:
            return {**{k: v for k, v in os.environ.items() if not k.upper().startswith(FOREIGN)}, **given}
        if "PATH" in given:  # Wine takes the search path from the registry, and puts this in front of it
            given["WINEPATH"] = given.pop("PATH")
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.home),
            "USER": "tester",
            "LC_ALL": "C.UTF-8",
            "WINEPREFIX": str(self.prefix),
            "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": OVERRIDES,
            "KMP_AFFINITY": "disabled",
            **given,
        }

    def command(self, argv: Sequence[str | Path]) -> list[str]:
        """Return a command of Windows as this machine starts it."""
        first = [str(self.wine.program), self.spelled(argv[0])] if self.wine else [str(argv[0])]
        return first + [self.spelled(word) for word in argv[1:]]

    def start(
        self, argv: Sequence[str | Path], *, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a program in a group of its own, both outputs piped; whoever calls this ends it."""
        own_group = 0x200 if NATIVE else 0  # CREATE_NEW_PROCESS_GROUP
        return subprocess.Popen(
            self.command(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment(env),
            cwd=cwd or self.home,
            creationflags=own_group,
            start_new_session=not NATIVE,
        )

    def win(
        self,
        argv: Sequence[str | Path],
        *,
        timeout: float = 90.0,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: bytes | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a program to its end; a Path among its arguments is spelled as Windows does.

        Raises:
            subprocess.TimeoutExpired: it did not end, or something that it started kept an output open; all of it was ended.
        """
        mark = uuid.uuid4().hex
        variables = self.environment({**(env or {}), MARK: mark})
        command = self.command(argv)
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=variables,
            cwd=cwd or self.home,
        ) as process:
            try:
                stdout, stderr = process.communicate(stdin, timeout)
            except BaseException:
                process.kill()
                end_all(marked(mark))
                raise
        return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)

    def boot(self) -> None:
        """Make Wine's prefix, a Windows 10; on Windows only the working folder.

        Raises:
            NoWindows: Wine cannot make it.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        if self.wine is None:
            return
        shutil.rmtree(self.prefix, ignore_errors=True)
        self.prefix.mkdir(parents=True)
        self._silently([str(self.wine.server), f"--persistent={SERVER_IDLE_SECONDS}"])
        for argv in (("wineboot", "-i"), ("winecfg", "-v", "win10")):
            self._silently([str(self.wine.program), *argv])
        if not (self.prefix / "drive_c" / "windows" / "system32" / "kernel32.dll").exists():
            raise NoWindows("Wine made no Windows in its prefix")

    def serve(self) -> None:
        """Start the server of the prefix unless it runs: a program then starts in a tenth of a second, not in three."""
        if self.wine is None or self._server() is not None:
            return
        self._silently([str(self.wine.server), f"--persistent={SERVER_IDLE_SECONDS}"])
        self._silently([str(self.wine.program), "cmd", "/c", "exit"])

    def _silently(self, command: Sequence[str]) -> None:
        """Run a part of Wine that starts services: they would hold a pipe open for as long as the prefix lives."""
        try:
            subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=self.environment(),
                timeout=PREFIX_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NoWindows(f"Wine does not start: {error}") from error

    def end(self) -> None:
        """End the server by its id, and with it everything that runs in its prefix."""
        server = self._server()
        if server is None:
            return
        mine = self._processes()
        server.terminate()  # it writes the registry first
        gone([server], seconds=5)
        end_all(mine)

    def _processes(self) -> list[psutil.Process]:
        """Return what runs in the prefix, its server too."""
        return [process for process in psutil.process_iter() if variable(process, "WINEPREFIX") == str(self.prefix)]

    def _server(self) -> psutil.Process | None:
        """Return the running server of this prefix."""
        if self.wine is None:
            return None
        return next((process for process in self._processes() if process.name().startswith("wineserver")), None)


def this_machine(folder: Path) -> WindowsMachine:
    """Return the Windows that this machine can run.

    Raises:
        NoWindows: there is none.
    """
    return WindowsMachine(folder, None if NATIVE else find_wine())


def marked(mark: str, name: str = MARK) -> list[psutil.Process]:
    """Return the running processes whose environment holds this mark: what a call has started, Wine's own services not counted."""
    return [process for process in psutil.process_iter() if variable(process, name) == mark]


def end_all(processes: Sequence[psutil.Process]) -> None:
    """End processes by their ids, and wait until they are gone."""
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()
    gone(processes, seconds=5)


def gone(processes: Sequence[psutil.Process], seconds: float) -> bool:
    """Wait until all of these have ended; return whether they did. One that nobody has waited for is gone too."""
    deadline = time.monotonic() + seconds
    while any(_runs(process) for process in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def variable(process: psutil.Process, name: str) -> str:
    """Return a variable of a process's environment, empty where it has none or may not be asked."""
    try:
        return str(process.environ().get(name, ""))
    except (psutil.Error, OSError):
        return ""


@contextlib.contextmanager
def locked(path: Path, seconds: float = 600.0) -> Iterator[None]:
    """Hold a lock among processes; the system gives it back where the holder dies."""
    deadline = time.monotonic() + seconds
    with open(path, "a+b") as stream:
        while not _lock(stream.fileno()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{path} is held by another process")
            time.sleep(0.1)
        yield


def _lock(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(handle, 0, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True

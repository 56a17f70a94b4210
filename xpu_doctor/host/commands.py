"""Children of the live host: opening device nodes and running commands, both bounded in time and output."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import IO, TYPE_CHECKING

from xpu_doctor.host.interface import Completed
from xpu_doctor.model.unknown import Maybe, Unknown
from xpu_doctor.process.account import rights_of

if TYPE_CHECKING:
    from xpu_doctor.process.account import Account

OUTPUT_LIMIT = 256 * 1024
"""Bytes kept of each stream of a command."""

OPENER = """
import errno, os, sys
uid, gid, groups = sys.argv[1:4]
if uid:
    os.setgroups([int(group) for group in groups.split(",")]); os.setgid(int(gid)); os.setuid(int(uid))
for path in sys.argv[4:]:
    sys.stdout.write("begin\\t" + path + "\\n"); sys.stdout.flush()
    try:
        os.close(os.open(path, os.O_RDWR | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)))
        said = ""
    except OSError as error:
        said = errno.errorcode.get(error.errno or 0, str(error.errno))
    sys.stdout.write("end\\t" + path + "\\t" + said + "\\n"); sys.stdout.flush()
"""
"""What the opening child runs: one line before and one after each open, so that a blocked open names itself."""


def open_in_child(
    paths: Sequence[str], seconds: float, env: Mapping[str, str], account: Account | None = None
) -> dict[str, Maybe[str]]:
    """Open each path for reading and writing; the answer is empty where it opened, else the symbolic errno."""
    # Rights are given up in the child: another account may not be allowed to start the doctor's own interpreter.
    rights = (
        ("", "", "") if account is None else (str(account.uid), str(account.gid), ",".join(map(str, account.groups)))
    )
    answers: dict[str, Maybe[str]] = {path: Unknown("not tried") for path in paths}
    left = list(paths)
    while left:
        # The doctor's own interpreter does the opening: what is asked is what this user may do.
        done = _collect([sys.executable, "-I", "-S", "-c", OPENER, *rights, *left], seconds, _plain(env))
        if isinstance(done, Unknown):
            answers.update(dict.fromkeys(left, done))
            return answers
        text, ended = done
        for line in text.splitlines():
            parts = line.split("\t")
            if parts[0] == "end" and len(parts) == 3:
                answers[parts[1]] = parts[2]
                left.remove(parts[1])
        if not left:
            break
        stuck = left.pop(0)
        answers[stuck] = Unknown(
            "the child that opened it died" if ended else f"opening it did not return in {seconds:g} s"
        )
    return answers


def run_bounded(
    argv: Sequence[str],
    timeout: float,
    env: Mapping[str, str],
    folder: str | None = None,
    account: Account | None = None,
) -> Maybe[Completed]:
    """Run a command to its end in its own session; it is ended by its id at the deadline."""
    process = _start(argv, {**_plain(env), "LC_ALL": "C"}, folder, account)
    if isinstance(process, Unknown):
        return process
    readers = [_Reader(process.stdout), _Reader(process.stderr)]
    code = _wait(process, timeout)
    if code is None:
        return Unknown(f"{argv[0]}: no answer in {timeout:g} s")
    out, err = (reader.text() for reader in readers)
    return Completed(code, out, err)


def _collect(argv: Sequence[str], seconds: float, env: Mapping[str, str]) -> tuple[str, bool] | Unknown:
    process = _start(argv, env)
    if isinstance(process, Unknown):
        return process
    reader = _Reader(process.stdout)
    _Reader(process.stderr)
    code = _wait(process, seconds)
    return reader.text(), code is not None


def _plain(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name not in ("LD_PRELOAD", "PYTHONHOME")}


def _start(
    argv: Sequence[str], env: Mapping[str, str], folder: str | None = None, account: Account | None = None
) -> subprocess.Popen[bytes] | Unknown:
    try:
        return subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(env),
            cwd=folder,
            start_new_session=os.name == "posix",
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            **rights_of(account),
        )
    except (OSError, ValueError) as error:
        return Unknown(f"{argv[0]}: {'not found' if isinstance(error, FileNotFoundError) else error}")


def _wait(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the child and its session; one that hangs in the kernel is left behind, never waited for."""
    if os.name == "posix":
        try:
            os.killpg(process.pid, 9)
        except OSError:
            pass
    if process.poll() is None:
        process.kill()
        try:
            process.wait(0.2)
        except subprocess.TimeoutExpired:
            process.returncode = -9  # keeps Popen from complaining about a child that cannot be ended


class _Reader:
    """Reads a pipe in a thread up to a bound, so that neither a flood nor a grandchild can hold the doctor."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        self._stream = stream
        self._parts: list[bytes] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        size = 0
        descriptor = self._stream.fileno() if self._stream else -1
        while descriptor >= 0:
            try:
                part = os.read(descriptor, 1 << 16)
            except OSError:
                break
            if not part:
                break
            if size < OUTPUT_LIMIT:
                self._parts.append(part[: OUTPUT_LIMIT - size])
            size += len(part)
        if self._stream:
            self._stream.close()

    def text(self) -> str:
        """Return what was read so far; waits a moment for the rest."""
        self._thread.join(0.5)
        return b"".join(self._parts).decode("utf-8", "replace")

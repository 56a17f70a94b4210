"""Children of the live host: opening device nodes and running commands, both bounded in time and output."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from xpu_doctor.host.interface import Completed
from xpu_doctor.model.unknown import Maybe, Unknown
from xpu_doctor.process.run import run

if TYPE_CHECKING:
    from xpu_doctor.process.account import Account

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
        try:
            done = run([sys.executable, "-I", "-S", "-c", OPENER, *rights, *left], seconds, _plain(env))
        except OSError as error:
            answers.update(dict.fromkeys(left, Unknown(f"the doctor's own interpreter cannot be started: {error}")))
            return answers
        for line in done.stdout.splitlines():
            parts = line.split("\t")
            if parts[0] == "end" and len(parts) == 3:
                answers[parts[1]] = parts[2]
                left.remove(parts[1])
        if not left:
            break
        stuck = left.pop(0)
        answers[stuck] = Unknown(
            "the child that opened it died" if done.code is not None else f"opening it did not return in {seconds:g} s"
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
    try:
        ended = run(argv, timeout, {**_plain(env), "LC_ALL": "C"}, folder=folder, account=account)
    except OSError as error:
        return Unknown(f"{argv[0]}: {'not found' if isinstance(error, FileNotFoundError) else error}")
    if ended.code is None:
        return Unknown(f"{argv[0]}: no answer in {timeout:g} s")
    return Completed(ended.code, ended.stdout, ended.stderr)


def _plain(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name not in ("LD_PRELOAD", "PYTHONHOME")}

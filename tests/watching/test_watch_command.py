"""`xpu-doctor watch` as a user calls it: the command runs as it would alone, and the report comes after its end."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import shlex
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import doctor, environment

DOCTOR = [sys.executable, "-m", "xpu_doctor"]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and pseudo-terminals of POSIX")


def watched(tmp_path: Path, *arguments: str, code: int = 0, **options: Any) -> tuple[dict[str, Any], Any]:
    """Watch a command; return the facts of it, and how it ran."""
    file = tmp_path / "report.json"
    ran = doctor("watch", "-o", str(file), *arguments, **options)
    assert ran.code == code, ran.stderr
    document = json.loads(file.read_text(encoding="utf-8"))
    return document["snapshot"]["watched"][0], ran


def python(program: str, *arguments: str) -> list[str]:
    return [sys.executable, *arguments, "-c", program]


def test_streams_and_exit_code_are_those_of_the_command(tmp_path: Path) -> None:
    program = "import sys; data = sys.stdin.buffer.read(); sys.stdout.buffer.write(data[::-1]); print('apart', file=sys.stderr); sys.exit(7)"
    facts, ran = watched(tmp_path, "--", *python(program), stdin=b"\x00\xffabc", code=7)
    assert ran.stdout.encode("utf-8", "surrogateescape").endswith(b"\x00") and "cba" in ran.stdout
    assert ran.stderr.startswith("apart\n")
    assert (facts["end"], facts["exit_code"], facts["attached"]) == ("exited", 7, False)
    assert facts["command"] == python(program)


def test_the_report_comes_on_stderr_and_nothing_on_stdout() -> None:
    ran = doctor("watch", "--", "true")
    assert ran.code == 0 and not ran.stdout and "xpu-doctor" in ran.stderr
    as_json = doctor("watch", "--json", "--no-inside", "--", "true")
    assert not as_json.stdout
    assert json.loads(as_json.stderr)["snapshot"]["watched"][0]["end"] == "exited"


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGSEGV"])
def test_a_command_that_a_signal_ends(tmp_path: Path, name: str) -> None:
    number = int(getattr(signal, name))
    facts, _ = watched(tmp_path, "--", "sh", "-c", f"kill -{number} $$", code=128 + number)
    assert (facts["end"], facts["signal"]) == ("signal", name)


@pytest.mark.parametrize(
    ("content", "mode", "code", "said"),
    [
        (None, 0, 127, "there is no such"),
        ("#!/no/such/interpreter\n", 0o755, 127, "/no/such/interpreter"),
        ("#!/bin/sh\n", 0o644, 126, "may not be executed"),
    ],
)
def test_a_command_that_cannot_start(tmp_path: Path, content: str | None, mode: int, code: int, said: str) -> None:
    program = tmp_path / "program"
    if content is not None:
        program.write_text(content, encoding="utf-8")
        program.chmod(mode)
    ran = doctor("watch", "--", str(program))
    assert ran.code == code
    assert said in ran.stderr and len(ran.stderr.splitlines()) == 1


def test_a_script_without_a_first_line_runs_as_in_a_shell(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("exit 9\n", encoding="utf-8")
    script.chmod(0o755)
    watched(tmp_path, "--", str(script), code=9)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name a command"),
        (["--pid", "1", "--", "true"], "leave one of the two out"),
        (["--pid", "x"], "not a valid integer"),
        (["--pid", "2147483647"], "no such process"),
        (["--interval", "soon", "--", "true"], "no length of time"),
        (["--interval", "0s", "--", "true"], "out of range"),
        (["--fail-below", "50", "--", "true"], "write 50%"),
        (["-o", "/no/such/folder/x.json", "--", "true"], "/no/such/folder"),
    ],
)
def test_wrong_usage(arguments: list[str], said: str) -> None:
    ran = doctor("watch", *arguments)
    assert ran.code == 2 and said in ran.stderr and "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("command", "code"), [(["true"], 3), (["false"], 1), (["sh", "-c", "exit 9"], 9), (["sh", "-c", "kill -9 $$"], 137)]
)
def test_fail_below_never_hides_the_code_of_the_command(command: list[str], code: int) -> None:
    """Of a program without torch the share is not known."""
    ran = doctor("watch", "--no-inside", "--fail-below", "50%", "--", *command)
    assert ran.code == code
    assert ("--fail-below 50%: the share of the GPUs is not known" in ran.stderr) == (code == 3)


def test_options_behind_the_command_are_its_own() -> None:
    assert doctor("watch", "echo", "--json", "-o", "x").stdout == "--json -o x\n"


def start(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*DOCTOR, "watch", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **{"env": environment(), **options},
    )


LOUD = (
    "import signal, sys, time\n"
    "def said(number, frame):\n    print(signal.Signals(number).name, flush=True)\n    number == signal.SIGTERM and sys.exit(5)\n"
    "for name in ('SIGUSR1', 'SIGUSR2', 'SIGHUP', 'SIGINT', 'SIGTERM'):\n    signal.signal(getattr(signal, name), said)\n"
    "print('ready', flush=True)\nwhile True: time.sleep(0.05)\n"
)


def test_signals_that_are_sent_to_the_watch_reach_the_command() -> None:
    started = start("--", *python(LOUD))
    assert started.stdout is not None
    assert started.stdout.readline() == b"ready\n"
    for name in ("SIGUSR1", "SIGUSR2", "SIGHUP", "SIGINT", "SIGTERM"):
        started.send_signal(getattr(signal, name))
        assert started.stdout.readline() == f"{name}\n".encode()
    _, said = started.communicate(timeout=60)
    assert started.returncode == 5
    assert b"xpu-doctor" in said


@pytest.mark.parametrize("to_group_first", [True, False])
def test_a_signal_to_the_whole_group_comes_once(to_group_first: bool) -> None:
    """As `timeout` sends it: to its child, and to the group; one to the watch alone is passed on afterwards as before."""
    started = start("--", *python(LOUD), start_new_session=True)
    assert started.stdout is not None
    assert started.stdout.readline() == b"ready\n"
    if to_group_first:
        os.killpg(started.pid, signal.SIGUSR1)
    else:
        started.send_signal(signal.SIGUSR1)
        os.killpg(started.pid, signal.SIGUSR1)
    assert started.stdout.readline() == b"SIGUSR1\n"
    time.sleep(1.5)
    started.send_signal(signal.SIGUSR2)
    assert started.stdout.readline() == b"SIGUSR2\n", "it came a second time"
    started.send_signal(signal.SIGUSR1)
    assert started.stdout.readline() == b"SIGUSR1\n"
    started.send_signal(signal.SIGTERM)
    started.communicate(timeout=60)
    assert started.returncode == 5


def test_the_witness_ends_with_the_watch_and_holds_none_of_its_streams() -> None:
    """A reader of the command's stdout sees the end, however the watch ended."""
    started = start("--", *python("print('ready', flush=True); import os, time; os.close(1); time.sleep(2)"))
    assert started.stdout is not None
    assert started.stdout.readline() == b"ready\n"
    children = Path(f"/proc/{started.pid}/task/{started.pid}/children").read_text().split()
    helpers = [pid for pid in children if b"xpu_doctor\0watch" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert len(helpers) == 1, "the witness"
    assert not any(
        os.readlink(f).startswith("pipe:[") and f.name in "012" for f in Path(f"/proc/{helpers[0]}/fd").iterdir()
    )
    started.kill()
    assert started.stdout.read() == b""
    started.wait()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{helpers[0]}/root").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(f"/proc/{helpers[0]}/exe").exists()
    assert started.stderr is not None
    started.stderr.close()
    started.stdout.close()


def test_an_interrupt_of_a_terminal_reaches_the_command_once_and_the_report_comes() -> None:
    program = (
        "import signal, sys, time\ncount = 0\n"
        "def said(number, frame):\n    global count\n    count += 1\n"
        "signal.signal(signal.SIGINT, said)\nprint('ready', flush=True)\n"
        "end = time.monotonic() + 20\n"
        "while not count and time.monotonic() < end: time.sleep(0.02)\n"
        "time.sleep(0.3)\nprint('interrupts', count, flush=True)\nsys.exit(3)\n"
    )
    pid, terminal = pty.fork()
    if not pid:
        os.environ.update(environment())
        os.execv(sys.executable, [*DOCTOR, "watch", "--", *python(program)])
    said = read_until(terminal, b"ready")
    os.write(terminal, b"\x03")
    said += read_until(terminal, None)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 3, said.decode(errors="replace")
    assert b"interrupts 1" in said and said.index(b"interrupts 1") < said.rindex(b"xpu-doctor")


def read_until(descriptor: int, what: bytes | None, seconds: float = 60.0) -> bytes:
    """Read from a terminal until something was printed, or to its end."""
    data, deadline = b"", time.monotonic() + seconds
    while what is None or what not in data:
        assert time.monotonic() < deadline, data
        try:
            piece = os.read(descriptor, 65536)
        except OSError:
            break
        if not piece:
            break
        data += piece
    return data


def test_stderr_stays_a_terminal_of_the_same_size() -> None:
    program = "import os; print('seen', os.isatty(2), tuple(os.get_terminal_size(2)), os.isatty(1), flush=True)"
    pid, terminal = pty.fork()
    if not pid:
        os.environ.update(environment())
        os.execv(
            "/bin/sh", ["sh", "-c", 'stty cols 123 rows 45; exec "$@"', "sh", *DOCTOR, "watch", "--", *python(program)]
        )
    said = read_until(terminal, None)
    os.waitpid(pid, 0)
    assert b"seen True (123, 45) True" in said, said


def test_children_left_behind_do_not_keep_the_watch(tmp_path: Path) -> None:
    """They hold stderr, may still write to it, and what they write comes out."""
    go = tmp_path / "go"
    child = f"import os, sys, time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.02)\nprint('last words', file=sys.stderr, flush=True)"
    program = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}], start_new_session=True)"
    with start("--", *python(program)) as started:
        assert started.stderr is not None
        assert started.wait(timeout=60) == 0
        go.touch()
        assert started.stderr.read().rstrip().endswith(b"last words")


def test_stderr_outlives_a_watch_that_is_killed(tmp_path: Path) -> None:
    program = "import os, sys, time\nprint('ready', flush=True)\nos.getppid()\nwhile os.getppid() == int(sys.argv[1]): time.sleep(0.02)\nprint('still here', file=sys.stderr, flush=True)\n"
    shell = f"import os, sys; os.execv(sys.executable, [sys.executable, '-c', {program!r}, str(os.getppid())])"
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with start("--", *python(shell), env=environment(TMPDIR=str(temporary))) as started:
        assert started.stdout is not None and started.stderr is not None
        assert started.stdout.readline() == b"ready\n"
        assert list(temporary.iterdir())
        started.kill()
        assert started.stderr.read() == b"still here\n"
    deadline = time.monotonic() + 10
    while list(temporary.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not list(temporary.iterdir())


def test_a_flood_on_stderr_comes_through_unaltered(tmp_path: Path) -> None:
    program = (
        "import os\npiece = bytes(range(256)) * 4096\n"
        "for _ in range(64):\n    rest = memoryview(piece)\n    while rest: rest = rest[os.write(2, rest):]\n"
        "os.write(2, b\"The operator 'aten::a on the XPU backend is falling ba\"); os.write(2, b'ck to run on the CPU. (x)')\n"
    )
    command = [*DOCTOR, "watch", "-o", str(tmp_path / "x.json"), "--", *python(program)]
    ran = subprocess.run(command, stderr=subprocess.PIPE, env=environment(), timeout=100, check=True)
    assert ran.stderr.startswith(bytes(range(256)) * 4096 * 64)
    facts = json.loads((tmp_path / "x.json").read_bytes())["snapshot"]["watched"][0]
    assert facts["fallback_operators"] == [{"name": "aten::a", "count": 1, "route": "unimplemented"}]


def test_stderr_that_is_a_file_is_read_afterwards(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"The operator 'aten::old on the XPU backend is falling back to run on the CPU.\n")
    program = "import sys, os, stat; assert stat.S_ISREG(os.fstat(2).st_mode); print(\"The operator 'aten::b' on the XPU backend is falling back to run on the CPU.\", file=sys.stderr)"
    with log.open("ab") as stream:
        command = [*DOCTOR, "watch", "-o", str(tmp_path / "x.json"), "--", *python(program)]
        subprocess.run(command, stderr=stream, env=environment(), timeout=100, check=True)
    facts = json.loads((tmp_path / "x.json").read_bytes())["snapshot"]["watched"][0]
    assert [row["name"] for row in facts["fallback_operators"]] == ["aten::b"]


def test_for_ends_the_watch_and_not_the_command(tmp_path: Path) -> None:
    facts, ran = watched(tmp_path, "--for", "0.3s", "--", "sh", "-c", "sleep 2; echo done; exit 4", code=4)
    assert ran.stdout == "done\n"
    assert facts["end"] == "running" and facts["seconds"] < 1.5


def test_attach(tmp_path: Path) -> None:
    program = subprocess.Popen(python("import time; time.sleep(30)"))
    try:
        facts, _ = watched(tmp_path, "--pid", str(program.pid), "--for", "0.5s")
        assert facts["attached"] and facts["end"] == "running"
        assert facts["inside"]["reason"] and facts["command"]["reason"]
        assert facts["processes"][0]["pid"] == program.pid
        assert program.poll() is None
    finally:
        program.kill()
        program.wait()


def test_descriptors_working_folder_and_environment_are_passed_on(tmp_path: Path) -> None:
    program = "import os, sys; print(os.read(int(sys.argv[1]), 9).decode(), os.getcwd(), os.environ['OF_THE_USER'])"
    reading, writing = os.pipe()
    os.write(writing, b"a word")
    os.close(writing)
    command = [*DOCTOR, "watch", "--", sys.executable, "-c", program, str(reading)]
    env = environment(OF_THE_USER="kept", PYTHONPATH=str(Path(__file__).parents[2]))
    ran = subprocess.run(
        command, pass_fds=(reading,), capture_output=True, env=env, cwd=tmp_path, timeout=60, check=True
    )
    os.close(reading)
    assert ran.stdout.decode().split() == ["a", "word", str(tmp_path), "kept"]


def test_the_private_folder_is_removed(tmp_path: Path) -> None:
    program = (
        "import os; print(os.environ['XPU_DOCTOR_WATCH'], oct(os.stat(os.environ['XPU_DOCTOR_WATCH']).st_mode & 0o777))"
    )
    folder, mode = doctor("watch", "--", *python(program)).stdout.split()
    assert mode == "0o700" and not Path(folder).exists()


def test_job_control_of_a_shell_stops_and_continues_both() -> None:
    """Ctrl-Z stops the watch and its command, `fg` goes on with both, and the command keeps the terminal's foreground."""
    program = (
        "import os, sys, time\nlast = time.monotonic()\nend = last + 40\nprint('be', 'gun', sep='', flush=True)\n"
        "while time.monotonic() < end:\n    now = time.monotonic()\n    if now - last > 0.7: break\n    last = now\n    time.sleep(0.02)\n"
        "print('stop', 'ped', os.tcgetpgrp(0) == os.getpgrp(), sep='-', flush=True)\nsys.exit(6)\n"
    )
    pid, terminal = pty.fork()
    if not pid:
        os.environ.update(environment(PS1="$ "))
        os.execv("/bin/bash", ["bash", "--norc", "--noprofile", "-i"])
    line = " ".join(map(shlex.quote, [*DOCTOR, "watch", "--", *python(program)]))
    os.write(terminal, f"{line}\n".encode())
    read_until(terminal, b"begun")
    os.write(terminal, b"\x1a")
    said = read_until(terminal, b"Stopped")
    time.sleep(1.2)
    os.write(terminal, b"fg\n")
    began = time.monotonic()
    said += read_until(terminal, b"stop-ped-True")
    assert time.monotonic() - began < 30, "the command was not stopped"
    os.write(terminal, b"echo code=$?.\nexit\n")
    said += read_until(terminal, None)
    os.waitpid(pid, 0)
    assert b"code=6." in said and b"xpu-doctor" in said, said.decode(errors="replace")


def test_a_window_that_changes_its_size() -> None:
    program = (
        "import os, signal, sys, time\nprint('be', 'gun', sep='', flush=True)\nend = time.monotonic() + 20\n"
        "while os.get_terminal_size(2).columns != 99 and time.monotonic() < end: time.sleep(0.02)\n"
        "print('columns', os.get_terminal_size(2).columns, flush=True)\n"
    )
    pid, terminal = pty.fork()
    if not pid:
        os.environ.update(environment())
        os.execv(sys.executable, [*DOCTOR, "watch", "--", *python(program)])
    read_until(terminal, b"begun")
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 99, 0, 0))
    said = read_until(terminal, None)
    os.waitpid(pid, 0)
    assert b"columns 99" in said


def test_signals_that_are_ignored_stay_ignored() -> None:
    """As under nohup, and in the background of a shell without job control."""
    program = "import signal; print(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN, signal.getsignal(signal.SIGINT) is signal.SIG_IGN)"
    line = " ".join(map(shlex.quote, [*DOCTOR, "watch", "--", *python(program)]))
    ran = subprocess.run(
        ["sh", "-c", f"trap '' HUP INT; {line}"], capture_output=True, env=environment(), timeout=60, check=True
    )
    assert ran.stdout == b"True True\n"


def test_children_that_the_parent_does_not_wait_for(tmp_path: Path) -> None:
    """A parent that ignores SIGCHLD must not cost the exit code."""
    code = (
        "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.executable, sys.argv[1:])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, *DOCTOR, "watch", "--", "sh", "-c", "exit 7"],
        capture_output=True,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert ran.returncode == 7


def test_programs_call_it_from_any_thread() -> None:
    program = (
        "import threading, xpu_doctor\nreports = []\n"
        "def work(): reports.append(xpu_doctor.watch(['sh', '-c', 'echo out; exit 3'], redact=False))\n"
        "thread = threading.Thread(target=work); thread.start(); thread.join()\n"
        "print(reports[0].snapshot['watched'][0]['exit_code'])\n"
    )
    ran = subprocess.run(python(program), capture_output=True, env=environment(), timeout=60, check=True)
    assert ran.stdout == b"out\n3\n"


def test_a_real_torch_and_its_loader(torch_env: Path, tmp_path: Path) -> None:
    program = tmp_path / "train.py"
    program.write_text(
        "import torch\nfrom torch.utils.data import DataLoader\n"
        "if __name__ == '__main__':\n"
        "    for _ in range(2):\n        for batch in DataLoader(list(range(8)), batch_size=2, num_workers=2): pass\n"
        "    print(len(batch))\n",
        encoding="utf-8",
    )
    facts, ran = watched(tmp_path, "--", str(torch_env / "bin" / "python"), str(program))
    assert ran.stdout == "2\n"
    (report,) = facts["inside"]
    assert report["torch_version"].startswith("2.") and report["whole"] and report["initialised"] is False
    assert (report["batches"], report["loader_workers"]) == (8, 2)
    assert 0 < report["imported_at"] < facts["seconds"] and report["data_wait_seconds"] > 0
    assert facts["pythons_without_hook"] == 0


@pytest.mark.parametrize("how", ["interrupt", "term", "end"])
def test_the_watch_of_an_attached_process_ends_with_a_report(tmp_path: Path, how: str) -> None:
    program = subprocess.Popen(python("import time; time.sleep(60)"))
    try:
        file = tmp_path / "report.json"
        with start("--pid", str(program.pid), "--live", "-o", str(file)) as attached:
            time.sleep(1.5)
            if how == "end":
                program.kill()
                program.wait()
            else:
                attached.send_signal(signal.SIGINT if how == "interrupt" else signal.SIGTERM)
            assert attached.wait(timeout=60) == 0
        facts = json.loads(file.read_bytes())["snapshot"]["watched"][0]
        assert facts["end"] == ("exited" if how == "end" else "running")
        assert program.poll() is None or how == "end"
    finally:
        program.kill()
        program.wait()

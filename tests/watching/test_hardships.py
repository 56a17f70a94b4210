"""`watch` in the places where programs really run: under timeout and nohup, in pipes and terminals, without room, killed, and flooded."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="signals, terminals and /proc of Linux")

WATCH = [sys.executable, "-m", "xpu_doctor", "watch"]
HEADLINE = "Watched `"
LIMIT = 120


def run(*command: str, before: tuple[str, ...] = (), options: tuple[str, ...] = (), **streams: object):
    """Run a command under watch."""
    return subprocess.run(
        [*before, *WATCH, *options, "--", *command], capture_output=True, timeout=LIMIT, check=False, **streams
    )


def test_in_a_pipe_both_streams_are_the_commands_and_the_report_comes_last() -> None:
    ended = run("sh", "-c", "cat; printf 'no newline' >&2; exit 3", input=b"through\0the pipe\n")
    assert ended.returncode == 3
    assert ended.stdout == b"through\0the pipe\n"
    assert ended.stderr.startswith(b"no newline")
    assert HEADLINE.encode() in ended.stderr


def test_a_flood_on_stderr_passes_unaltered_in_little_memory(tmp_path: Path) -> None:
    size = 200 << 20
    flood = f"import os\npiece = bytes(range(256)) * 4096\nfor _ in range({size >> 20}): os.write(2, piece)"
    used = tmp_path / "memory"
    # A process begins with the peak of the one that started it: this one's must not count.
    measure = (
        "import os, sys\npid = os.spawnv(os.P_NOWAIT, sys.argv[2], sys.argv[2:])\n_, status, usage = os.wait4(pid, 0)\n"
        "open(sys.argv[1], 'w').write(str(usage.ru_maxrss))\nsys.exit(os.waitstatus_to_exitcode(status))"
    )
    reader = subprocess.Popen(
        [sys.executable, "-S", "-c", measure, used, *WATCH, "--", sys.executable, "-S", "-c", flood],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert reader.stderr is not None
    digest, rest = hashlib.sha256(), size
    while rest:
        data = reader.stderr.read(min(rest, 1 << 20))
        assert data, f"{rest} bytes are missing"
        digest.update(data)
        rest -= len(data)
    tail = reader.stderr.read()
    reader.stderr.close()
    reader.wait()
    expected = hashlib.sha256()
    for _ in range(size >> 20):
        expected.update(bytes(range(256)) * 4096)
    assert digest.digest() == expected.digest()
    assert HEADLINE.encode() in tail and reader.returncode == 0
    assert int(used.read_text()) < 200 << 10, "kilobytes"


def test_many_short_children_are_all_counted(tmp_path: Path) -> None:
    count = 200
    program = tmp_path / "children.py"
    program.write_text(
        f"""
import json, resource, subprocess, sys, time
work = "import time\\nwhile time.process_time() < 0.02: pass"
running = []
for number in range({count}):
    running.append(subprocess.Popen([sys.executable, "-I", "-S", "-c", work]))
    if len(running) > 3:
        running.pop(0).wait()
for child in running:
    child.wait()
usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(sum(one.ru_utime + one.ru_stime for one in usage))
""",
        encoding="utf-8",
    )
    report = tmp_path / "report.json"
    ended = run(sys.executable, str(program), options=("-o", str(report)))
    assert ended.returncode == 0, ended.stderr.decode()
    used = float(ended.stdout)
    watched = json.loads(report.read_text(encoding="utf-8"))["snapshot"]["watched"][0]
    assert watched["cpu_seconds"] == pytest.approx(used, rel=0.1, abs=0.3)
    assert len(watched["processes"]) <= 64
    assert len(watched["processes"]) + watched["further_processes"] <= count + 1


def test_a_program_outlives_the_death_of_its_watch(tmp_path: Path) -> None:
    done, log = tmp_path / "done", tmp_path / "log"
    program = (
        "import sys, time\n"
        "print('ready', flush=True)\n"
        "for number in range(30): print('still', number, file=sys.stderr, flush=True); time.sleep(0.1)\n"
        f"open({str(done)!r}, 'w').write('whole')\n"
    )
    reading, writing = os.pipe()
    with log.open("wb") as stream:
        passer = subprocess.Popen(["cat"], stdin=reading, stdout=stream)
        watch = subprocess.Popen(
            [*WATCH, "--", sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=writing, text=True
        )
        os.close(reading)
        os.close(writing)
        assert watch.stdout is not None and watch.stdout.readline() == "ready\n"
        time.sleep(0.5)
        watch.kill()
        watch.wait()
        watch.stdout.close()
        deadline = time.monotonic() + 30
        while not done.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert done.read_text() == "whole"
        passer.wait(timeout=30)
    assert log.read_bytes().endswith(b"still 29\n"), "what it wrote after the death of the watch has arrived"


def test_timeout_ends_the_command_and_the_report_comes_all_the_same() -> None:
    ended = run("sleep", "60", before=("timeout", "--preserve-status", "3"))
    assert ended.returncode == 128 + signal.SIGTERM
    assert HEADLINE.encode() in ended.stderr
    assert b"SIGTERM" in ended.stderr


def test_a_command_under_timeout_keeps_its_own_code() -> None:
    assert run("timeout", "1", "sleep", "60").returncode == 124


def test_without_a_terminal_and_with_closed_streams() -> None:
    ended = run("sh", "-c", "echo out; exit 4", before=("setsid", "--wait"), stdin=subprocess.DEVNULL)
    assert (ended.returncode, ended.stdout) == (4, b"out\n")
    closed = subprocess.run(
        ["sh", "-c", 'exec "$@" <&- 2>&-', "sh", *WATCH, "--", "sh", "-c", "echo out; exit 5"],
        stdout=subprocess.PIPE, timeout=LIMIT, check=False,
    )  # fmt: skip
    assert (closed.returncode, closed.stdout) == (5, b"out\n")


def test_a_reader_that_goes_away_ends_the_command_as_it_would_alone() -> None:
    line = "import sys\nwhile True: sys.stdout.write('y' * 1000)"
    pipe = '{ "$@"; echo "code $?" >&2; } | head -c 10'
    ended = subprocess.run(
        ["sh", "-c", pipe, "sh", *WATCH, "--", sys.executable, "-S", "-c", line],
        capture_output=True, timeout=LIMIT, check=False,
    )  # fmt: skip
    assert ended.stdout == b"y" * 10
    assert b"BrokenPipeError" in ended.stderr and b"code 1\n" in ended.stderr


def test_nohup_lets_it_go_on_after_the_terminal(tmp_path: Path) -> None:
    done = tmp_path / "done"
    run_it = subprocess.Popen(
        ["nohup", *WATCH, "--", "sh", "-c", f"sleep 2; echo whole > '{done}'"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=tmp_path,
    )  # fmt: skip
    time.sleep(1)
    run_it.send_signal(signal.SIGHUP)
    _, error = run_it.communicate(timeout=LIMIT)
    assert run_it.returncode == 0 and done.read_text() == "whole\n"
    assert HEADLINE.encode() in error


def test_in_a_terminal_the_command_has_one_and_keys_reach_it() -> None:
    program = (
        "import os, sys, time\n"
        "print('terminals', *[os.isatty(number) for number in range(3)], file=sys.stderr, flush=True)\n"
        "try:\n    time.sleep(60)\n"
        "except KeyboardInterrupt:\n    print('interrupted once', file=sys.stderr, flush=True); sys.exit(7)\n"
    )
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(WATCH[0], [*WATCH, "--", sys.executable, "-c", program])
    seen, asked = b"", False
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 1)[0]:
            try:
                data = os.read(terminal, 65536)
            except OSError:
                break
            if not data:
                break
            seen += data
        if not asked and b"terminals" in seen and seen.endswith(b"\n"):
            time.sleep(0.3)
            os.write(terminal, b"\x03")
            asked = True
    os.close(terminal)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    text = seen.decode()
    assert "terminals True True True\r\n" in text
    assert text.count("interrupted once\r\n") == 1
    assert HEADLINE in text and "Traceback" not in text
    assert code == 7


def test_in_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o500)
    script = 'mount --bind "$HOME" "$HOME" && mount -o remount,ro,bind "$HOME" && exec "$@"'
    before = ("unshare", "--mount", "sh", "-c", script, "sh")
    if subprocess.run(
        [*before, "true"], env={**os.environ, "HOME": str(home)}, capture_output=True, check=False
    ).returncode:
        pytest.skip("no folder can be mounted read-only here")
    ended = run("sh", "-c", "exit 6", before=before, env={**os.environ, "HOME": str(home)}, cwd=home)
    assert ended.returncode == 6
    assert HEADLINE.encode() in ended.stderr and b"Traceback" not in ended.stderr


@pytest.mark.parametrize("place", ["full", "missing", "read-only"])
def test_without_room_for_temporary_files(place: str, tmp_path: Path) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    script = {
        "full": 'mount -t tmpfs -o size=4k,nr_inodes=2 none "$TMPDIR"; echo > "$TMPDIR/x"; exec "$@"',
        "read-only": 'mount -t tmpfs -o ro none "$TMPDIR"; exec "$@"',
        "missing": 'exec "$@"',
    }[place]
    before = ("unshare", "--mount", "sh", "-c", script, "sh")
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    if place == "missing":
        folder.rmdir()
    program = "import sys; print('ran', file=sys.stderr); sys.exit(8)"
    ended = run(sys.executable, "-c", program, before=before, env={**os.environ, "TMPDIR": str(folder)})
    assert ended.returncode == 8
    assert ended.stderr.startswith(b"ran\n")
    assert HEADLINE.encode() in ended.stderr and b"Traceback" not in ended.stderr

"""Real process trees of this machine, followed by the sampler."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from xpu_doctor.model.unknown import Unknown
from xpu_doctor.watching.process_tree import ProcessTree
from xpu_doctor.watching.sampler import Outside, Sampler, sample_delays

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

BURN = "import time\nend = time.process_time() + {seconds}\nwhile time.process_time() < end: pass\n"


def watched(argv: list[str], interval: float = 0.2, **options) -> tuple[Outside, float, int]:
    """What the sampler saw of a command, the CPU seconds that the kernel counted, and the root's pid."""
    started = time.monotonic()
    command = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
    sampler = Sampler(command.pid, device_type="xpu", started=started, **options)
    for delay in sample_delays(interval):
        time.sleep(delay)
        ended = os.waitid(os.P_PID, command.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
        sampler.sample()
        if ended is not None:
            break
    _, status, used = os.wait4(command.pid, 0)
    command.returncode = os.waitstatus_to_exitcode(status)
    return sampler.finish(), used.ru_utime + used.ru_stime, command.pid


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


def test_cpu_time_of_children_that_live_between_two_samples_is_counted():
    seen, used, _ = watched(
        ["sh", "-c", f"for i in 1 2 3 4 5 6; do {sys.executable} -S -c '{BURN.format(seconds=0.05)}'; done"], 5.0
    )
    assert used > 0.3
    assert seen.cpu_seconds == pytest.approx(used, abs=0.05)


def test_cpu_time_is_never_counted_twice():
    script = BURN.format(seconds=0.15)
    seen, used, _ = watched(
        ["sh", "-c", f"{sys.executable} -S -c '{script}' & {sys.executable} -S -c '{script}' & wait"], 0.05
    )
    assert used > 0.3
    assert seen.cpu_seconds == pytest.approx(used, abs=0.05)


def test_delays_grow_up_to_the_interval():
    delays = sample_delays(1.0)
    assert [next(delays) for _ in range(6)] == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
    assert next(sample_delays(0.05)) == 0.05


def test_a_program_that_ended_before_it_was_seen_is_unknown():
    command = subprocess.Popen(python("pass"))
    command.wait()
    sampler = Sampler(command.pid, device_type="xpu", started=time.monotonic())
    sampler.sample()
    assert isinstance(sampler.finish().processes, Unknown)
    assert sampler.finish(root_cpu_seconds=0.25).cpu_seconds == 0.25


def names_and_parents(seen: Outside) -> dict[int, int]:
    assert isinstance(seen.processes, tuple)
    return {process.pid: process.parent for process in seen.processes}


DAEMON = """
import os, sys, time
reading, writing = os.pipe()
if os.fork() == 0:
    if {leaves_session}: os.setsid()
    time.sleep({wait})
    if os.fork() == 0:
        end = time.process_time() + 0.3
        while time.process_time() < end: pass
        time.sleep(0.5)
    os._exit(0)
os.close(writing)
os.wait()
os.read(reading, 1)  # the daemon holds the other end
"""


@pytest.mark.parametrize("leaves_session", [False, True])
@pytest.mark.parametrize("wait", [0.0, 0.4])
def test_a_daemon_that_left_its_parent_is_followed(leaves_session, wait):
    """Its session tells that it belongs where it is one that the program made and was seen; else the mark in its environment."""
    script = DAEMON.format(leaves_session=leaves_session, wait=wait)
    marker = {} if wait and leaves_session else {"marker": f"XPU_DOCTOR_TEST_MARK={os.getpid()}"}
    os.environ["XPU_DOCTOR_TEST_MARK"] = str(os.getpid())
    try:
        seen, used, root = watched(python(script), 0.1, **marker)
    finally:
        del os.environ["XPU_DOCTOR_TEST_MARK"]
    assert used < 0.25  # the kernel's count for the root does not hold the daemon
    assert used + 0.2 < seen.cpu_seconds < used + 0.5
    assert len(names_and_parents(seen)) >= 2 and root in names_and_parents(seen)


def test_a_process_of_somebody_else_does_not_belong():
    stranger = subprocess.Popen(python("import time; time.sleep(5)"))
    try:
        seen, _, root = watched(
            python("import time; time.sleep(0.3)"), 0.1, marker=f"XPU_DOCTOR_TEST_MARK={os.getpid()}"
        )
    finally:
        stranger.kill()
        stranger.wait()
    assert set(names_and_parents(seen)) == {root}


def test_threads_count_for_their_process_and_the_main_thread_apart():
    script = "import threading, time\ndef burn():\n    end = time.thread_time() + 0.3\n    while time.thread_time() < end: pass\nthread = threading.Thread(target=burn)\nthread.start(); thread.join(); time.sleep(0.2)"
    seen, used, _ = watched(python(script), 0.1)
    assert isinstance(seen.processes, tuple)
    (process,) = seen.processes
    assert process.cpu_seconds == pytest.approx(used, abs=0.03) and used > 0.3
    assert process.main_thread_seconds < 0.2


def test_ranks_and_names_are_those_after_an_exec():
    """A launcher forks, and gives the rank when it starts the other program."""
    worker = "import time; time.sleep(0.4)"
    script = f"import os, sys, time\nif os.fork() == 0:\n    time.sleep(0.3)\n    os.execve('/bin/sleep', ['sleep', '0.4'], dict(os.environ, RANK='3'))\nos.wait()  # {worker}"
    seen, _, root = watched(python(script), 0.1)
    assert isinstance(seen.processes, tuple)
    by_pid = {process.pid: process for process in seen.processes}
    (child,) = [process for pid, process in by_pid.items() if pid != root]
    assert (child.name, child.rank, child.parent) == ("sleep", 3, root)
    assert isinstance(by_pid[root].rank, Unknown)


def test_a_program_killed_by_a_signal_keeps_its_figures():
    seen, used, _ = watched(
        python(BURN.format(seconds=0.3) + "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"), 0.1
    )
    assert seen.cpu_seconds == pytest.approx(used, abs=0.03) and used > 0.3


def test_attached_counts_only_what_comes_after():
    started = time.monotonic()
    command = subprocess.Popen(
        python(BURN.format(seconds=0.4) + "print('half', flush=True)\n" + BURN.format(seconds=0.3) + "time.sleep(20)"),
        stdout=subprocess.PIPE,
    )
    try:
        assert command.stdout.readline() == b"half\n"
        sampler = Sampler(command.pid, device_type="xpu", started=time.monotonic(), attached=True)
        sampler.sample()
        time.sleep(1.0)
        sampler.sample()
        seen = sampler.finish()
    finally:
        command.kill()
        command.wait()
        command.stdout.close()
    assert 0.1 < seen.cpu_seconds < 0.39 and time.monotonic() - started > 1.0
    assert seen.processes[0].seconds == pytest.approx(1.0, abs=0.2)


def test_other_systems_are_read_through_psutil():
    from xpu_doctor.watching.psutil_tree import PsutilTree

    started = time.monotonic()
    script = (
        f"import subprocess, sys, os\nsubprocess.run([sys.executable, '-S', '-c', {BURN.format(seconds=0.3) + 'time.sleep(0.6)'!r}], env=dict(os.environ, PMI_RANK='2'))\n"
        + BURN.format(seconds=0.1)
        + "time.sleep(0.6)"
    )
    command = subprocess.Popen(python(script))
    tree = PsutilTree(command.pid)
    while command.poll() is None:
        tree.update(time.monotonic() - started)
        time.sleep(0.05)
    tree.update(time.monotonic() - started)
    (child,) = [member for member in tree.members if member.pid != command.pid]
    assert (child.parent, child.rank) == (command.pid, 2)
    assert 0.35 < tree.members.cpu_seconds() < 0.9
    assert not tree.members.alive


def test_without_proc_nothing_is_known(tmp_path):
    sampler = Sampler(os.getpid(), device_type="xpu", started=time.monotonic(), proc=str(tmp_path / "none"))
    sampler.sample()
    seen = sampler.finish()
    assert isinstance(seen.processes, Unknown) and "cannot be read" in seen.processes.reason
    assert isinstance(seen.cpu_seconds, Unknown)


def test_a_process_that_cannot_be_read_at_first_is_looked_at_again(tmp_path: Path) -> None:
    stat = Path("/proc/self/stat").read_bytes()
    root = os.getpid()
    tree = ProcessTree(root, proc=str(tmp_path))
    (tmp_path / str(root)).mkdir()
    tree.update(0.1)
    assert not tree.members.alive
    (tmp_path / str(root) / "stat").write_bytes(stat)
    tree.update(0.2)
    assert list(tree.members.alive) == [root]


def test_a_rank_that_cannot_be_read_in_the_midst_of_an_execve_is_read_later(tmp_path: Path) -> None:
    root = os.getpid()
    folder = tmp_path / str(root)
    folder.mkdir()
    (folder / "stat").write_bytes(Path("/proc/self/stat").read_bytes())
    (folder / "exe").symlink_to("/opt/bin/python3.12")
    tree = ProcessTree(root, proc=str(tmp_path))
    tree.update(0.1)
    assert isinstance(tree.members.alive[root].rank, Unknown)
    (folder / "environ").write_bytes(b"HOME=/root\0RANK=3\0")
    tree.update(0.2)
    assert tree.members.alive[root].rank == 3


def test_what_is_known_of_a_process_stays_when_its_memory_is_gone_before_it_is(tmp_path: Path) -> None:
    root = os.getpid()
    folder = tmp_path / str(root)
    folder.mkdir()
    text = Path("/proc/self/stat").read_text()
    (folder / "stat").write_text(text)
    (folder / "environ").write_bytes(b"RANK=3\0")
    (folder / "exe").symlink_to("/opt/bin/python3.12")
    tree = ProcessTree(root, proc=str(tmp_path))
    tree.update(0.1)
    (folder / "environ").unlink()
    (folder / "exe").unlink()
    before, _, after = text.rpartition(")")
    fields = after.split()
    for place in (23, 25, 47):
        fields[place] = "0"
    (folder / "stat").write_text(f"{before}) {' '.join(fields)}\n")
    tree.update(0.2)
    member = tree.members.alive[root]
    assert (member.name, member.rank) == ("python3.12", 3)

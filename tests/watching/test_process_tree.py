"""Real process trees of this machine, followed by the sampler."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from xpu_doctor.model.unknown import Unknown
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

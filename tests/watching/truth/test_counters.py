"""GPU time from outside: what the sampler adds up of programs that compute on simulated GPUs, against what those say."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.watching.truth.machine import A770, B580, UHD770, SimulatedGpu, SimulatedMachine
from xpu_doctor.watching.sampler import Outside, Sampler, sample_delays

PROGRAMS = Path(__file__).with_name("programs")
INTERVAL = 1.0


@dataclass(frozen=True)
class Seen:
    outside: Outside
    busy: dict[str, float]
    """What the GPUs did, by address."""
    seconds: float
    imported: tuple[float, ...]


def sampled(command: list[str], machine: SimulatedMachine, device: Path) -> Seen:
    """Run a command and sample it as `watch` does."""
    with machine:
        started = time.monotonic()
        run = subprocess.Popen(command, env={**os.environ, **machine.environment(device)}, stderr=subprocess.DEVNULL)
        sampler = Sampler(run.pid, device_type="xpu", proc=machine.proc, started=started, host=machine.host)
        delays = sample_delays(INTERVAL)
        due = started
        while True:
            due += next(delays)
            while time.monotonic() < due and os.waitid(os.P_PID, run.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                time.sleep(0.01)
            sampler.sample()
            if os.waitid(os.P_PID, run.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                break
        seconds = time.monotonic() - started
        run.wait()
        outside = sampler.finish()
        moments = tuple(moment - started for moment in machine.moments().values())
        return Seen(outside, machine.busy_seconds(), seconds, moments)


CASES: dict[str, tuple[SimulatedGpu, ...]] = {
    "healthy": (A770,),
    "two_gpus": (A770, B580),
    "forked_workers": (B580,),
    "never": (A770,),
    "killed": (B580,),
    "wrong_gpu": (UHD770, A770),
    "mostly_on_cpu": (B580,),
}


@pytest.mark.heavy
@pytest.mark.parametrize("program", CASES)
def test_counted_time_is_the_time_that_the_gpus_worked(
    program: str, torch_env: Path, device: Path, tmp_path: Path
) -> None:
    machine = SimulatedMachine(tmp_path / "machine", CASES[program])
    seen = sampled([str(torch_env / "bin" / "python"), str(PROGRAMS / f"{program}.py")], machine, device)
    assert seen.outside.counters == "drm-fdinfo"
    assert isinstance(seen.outside.gpus, tuple)
    found = {gpu.address: gpu.busy_seconds for gpu in seen.outside.gpus}
    assert found.keys() == seen.busy.keys()
    since = seen.seconds - min(seen.imported)
    for address, busy in seen.busy.items():
        # What came after the last sample is lost here: the hook that reads it at the end has no part in this.
        assert found[address] <= busy + 0.05
        assert found[address] == pytest.approx(busy, abs=max(0.05 * since, INTERVAL)), address
    print(program, found, seen.busy, since, seen.outside.processes, file=sys.stderr)

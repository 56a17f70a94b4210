"""Times one sample of `xpu-doctor watch` on Linux: `python benchmarks/watch_sample.py`.

Two trees of 20 processes with 200 open files each: real ones in `/proc`, and simulated ones with GPU clients among 3,000 processes of others.
Prints milliseconds of CPU time for each sample, the first one apart: it looks at every process of the machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.watching.simulated import Machine
from xpu_doctor.watching.sampler import Sampler

PROCESSES, FILES, OTHERS, SAMPLES = 20, 200, 3000, 40
TREE = f"""
import os, time
files = [os.open("/dev/null", os.O_RDONLY) for _ in range({FILES - 4})]
for _ in range({PROCESSES - 1}):
    if os.fork() == 0:
        break
time.sleep(120)
"""


def cost(sampler: Sampler, before_each: Callable[[int], None]) -> str:
    """Return the milliseconds of the first sample, and the mean of the others."""
    milliseconds = []
    for number in range(SAMPLES):
        before_each(number)
        begin = time.process_time()
        sampler.sample()
        milliseconds.append(1e3 * (time.process_time() - begin))
    return f"first {milliseconds[0]:.1f} ms, then {sum(milliseconds[1:]) / (SAMPLES - 1):.2f} ms"


def real() -> str:
    """Time samples of real processes."""
    root = subprocess.Popen([sys.executable, "-S", "-c", TREE])
    time.sleep(1)
    sampler = Sampler(root.pid, device_type="xpu", started=time.monotonic())
    try:
        return cost(sampler, lambda _: time.sleep(0.1))
    finally:
        for member in tuple(sampler._tree.members.alive.values()):
            os.kill(member.pid, 9)
        root.wait()


def simulated(clients: int) -> str:
    """Time samples of simulated processes, each with so many GPU clients of its own."""
    folder = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    machine = Machine(folder)
    try:
        for pid in range(10000, 10000 + OTHERS):
            machine.write(f"{pid}/stat", f"{pid} (bash) S 1 {pid} {pid} 0 -1 {' 0' * 45}\n")
        for pid in range(100, 100 + PROCESSES):
            machine.process(pid, 1 if pid == 100 else 100)
            for number in range(FILES - clients):
                machine.open(pid, number, "/tmp/data")

        def work(second: int) -> None:
            machine.now += 1
            for pid in range(100, 100 + PROCESSES):
                for client in range(clients):
                    machine.xe(pid, FILES + client, client=pid * 10 + client, busy=0.01 * second)

        return cost(machine.sampler(), work)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    print(f"real /proc, no GPU:        {real()}")
    for clients in (0, 1, 3):
        print(f"simulated, {clients} clients each: {simulated(clients)}")

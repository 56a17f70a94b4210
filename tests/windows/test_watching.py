"""A program is watched on Windows: its processes through psutil, GPU counters through PDH, which Wine has none of."""

from __future__ import annotations

import json

from tests.support.windows_bench import WindowsBench
from tests.support.windows_machine import NATIVE

PROBE = """
import dataclasses, json, subprocess, sys, time
import psutil
from xpu_doctor.watching.sampler import Sampler
from xpu_doctor.watching.windows_pdh import open_query
burn = "import time; end = time.process_time() + 0.4\\nwhile time.process_time() < end: pass\\nprint(1, flush=True); input()"
def told():
    root = psutil.Process(program.pid)
    return sum(each.cpu_times().user + each.cpu_times().system for each in (root, *root.children(recursive=True)))
started = time.monotonic()
program = subprocess.Popen([sys.executable, "-S", "-c", burn], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
sampler = Sampler(program.pid, device_type="xpu", started=started)
time.sleep(0.1)
sampler.sample()
program.stdout.readline()
time.sleep(0.2)
before = told()
sampler.sample()
after = told()
program.communicate(b"\\n")
query = open_query()
print(json.dumps({"told": (before, after), "query": type(query).__name__, "read": type(query.read()).__name__ if hasattr(query, "read") else "", **dataclasses.asdict(sampler.finish())}))
"""


def test_a_program_is_watched(windows_bench: WindowsBench) -> None:
    run = windows_bench.machine.win([windows_bench.doctor_python, "-c", PROBE])
    assert run.returncode == 0, run.stderr.decode("utf-8", "replace")
    seen = json.loads(run.stdout)
    before, after = seen["told"]
    assert 0 < before - 0.01 <= seen["cpu_seconds"] <= after + 0.01
    (process, *_) = seen["processes"]
    assert process["peak_memory_bytes"] > 1 << 20 and process["seconds"] > 0.4
    if NATIVE:  # Wine tells of another process less, or more, than that process is told of itself
        assert 0.3 < seen["cpu_seconds"] < 2.0
        assert (seen["query"], seen["read"]) == ("GpuQuery", "GpuCounters")
    else:
        assert seen["query"] == "Unknown"
        assert "no counters of GPU engines" in json.dumps(seen["counters"])

"""How fast texts are diagnosed: pastes of 15 KB in one process, and one whole process.

    python benchmarks/triage.py [--pastes N] [--jobs N]

Prints the pastes a second of one process, and of several side by side where `--jobs` asks for them, the median time of a whole `triage` process, and both as ratios to what the same
interpreter needs to start and to search a text of that size once, so that figures of two machines can be compared.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

PASTE = """\
Collecting environment information...
PyTorch version: 2.9.1+xpu
Is debug build: False
CUDA used to build PyTorch: None
ROCM used to build PyTorch: N/A

OS: Ubuntu 24.04.3 LTS (x86_64)
GCC version: (Ubuntu 13.3.0-6ubuntu2~24.04) 13.3.0
Libc version: glibc-2.39

Python version: 3.12.3 (main, Aug 14 2025, 17:47:21) [GCC 13.3.0] (64-bit runtime)
Python platform: Linux-6.14.0-35-generic-x86_64-with-glibc2.39
Is CUDA available: False
Is XPU available: False
XPU used to build PyTorch: 20250302
Intel GPU driver version:
* intel-opencl-icd: 25.40.35563.7-1~24.04~ppa1
* libze1: 1.24.3-1~24.04~ppa1
Intel GPU models onboard:
* Intel(R) Arc(TM) B580 Graphics
Intel GPU models detected:
N/A

/venv/lib/python3.12/site-packages/torch/xpu/__init__.py:74: UserWarning: XPU device count is zero!
$ SYCL_UR_TRACE=1 python -c "import torch; torch.xpu.is_available()"
<LOADER>[INFO]: failed to load adapter 'libur_adapter_level_zero.so.0' with error: libze_loader.so.1: cannot open shared object file
$ ls -l /dev/dri
crw-rw---- 1 root render 226, 128 Nov 21 09:25 renderD128
"""
NOISE = "INFO 11-21 09:25:11 [worker.py:{number}] loading shard {number} of the model, 12.3 GiB, 45.6 s so far\n"
SIZE = 15_000


def paste(number: int) -> str:
    """Return a paste of 15 KB; no two are the same, so that no cache helps."""
    body = PASTE.replace("09:25", f"{number % 24:02d}:{number % 60:02d}")
    lines = (NOISE.format(number=number * 1000 + line) for line in range(SIZE))
    while len(body) < SIZE:
        body += next(lines)
    return body


def in_one_process(count: int) -> float:
    """Seconds for each of `count` pastes in this process, after a first one that loads the tables."""
    from xpu_doctor.catalogue.names import all_rules
    from xpu_doctor.pasted.run import triage_texts
    from xpu_doctor.text.safe import from_bytes

    texts = [paste(number).encode() for number in range(count + 1)]
    rules = all_rules()
    triage_texts([("text", from_bytes(texts[0], "text"))], rules=rules)
    started = time.perf_counter()
    for data in texts[1:]:
        triaged = triage_texts([("text", from_bytes(data, "text"))], rules=rules)
        assert triaged.diagnosis.root_causes[0].code == "level-zero-loader-missing", triaged.diagnosis.root_causes[
            0
        ].code
    return (time.perf_counter() - started) / count


def side_by_side(count: int, jobs: int) -> float:
    """Pastes a second of several processes at work at the same time, each with `count` of its own."""
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        return sum(1 / each for each in pool.map(in_one_process, [count] * jobs))


def whole_process(arguments: list[str], repeats: int, data: bytes = b"") -> float:
    """Median seconds of a process of this interpreter."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        subprocess.run([sys.executable, *arguments], input=data, stdout=subprocess.DEVNULL, check=False)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pastes", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    each = in_one_process(options.pastes)
    text = paste(1)
    started = time.perf_counter()
    for _ in range(100):
        text.lower().find("no such words in here")
    once = (time.perf_counter() - started) / 100
    bare = whole_process(["-c", "pass"], 7)
    whole = whole_process(["-m", "xpu_doctor", "triage", "--json", "-"], 7, text.encode())
    print(
        f"one process: {1 / each:.0f} pastes of {len(text) / 1000:.0f} KB a second ({each * 1000:.1f} ms each, {each / once:.0f} times a plain search)"
    )
    if options.jobs > 1:
        print(f"{options.jobs} processes: {side_by_side(options.pastes, options.jobs):.0f} pastes a second together")
    print(f"whole process: {whole:.3f} s ({whole / bare:.1f} times a bare interpreter, {bare:.3f} s)")


if __name__ == "__main__":
    main()

"""Texts of a hundred kilobytes that are as hard as can be for the whole of triage: long, repeated, and full of the words it looks for."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

from tests.support.attack_lines import LENGTH, RUNS
from xpu_doctor.tables.signatures import signatures

SIZE = 100_000
"""Characters of a text."""
LINES = (
    "anna{0}@tower{0}:~$ ls",
    "root@0123456789ab:/# clinfo {0}",
    "root@{0:012x}:/# clinfo",
    "(venv{0}) PS C:\\Users\\anna{0}> python x.py",
    "On the host:",
    "inside the container:",
    "host {0} container {0} @",
    "ls /dev/dri",
    "groups",
    "pip list",
    "conda list",
    "uv pip list {0}",
    "pip freeze {0} numpy pip setuptools",
    "package{0} 1.{0}",
    "torch=={0}.1",
    "torch 2.9.1+xpu",
    "[pip3] torch{0}==2.9.1+xpu",
    "torch.xpu.is_available()",
    "torch.xpu.is_available() -> False {0}",
    "device_count()",
    "import torch",
    'File "/v/lib/python3.12/site-packages/torch/__init__.py", line {0}, in f',
    "03:00.0 VGA compatible controller [0300]: Intel Corporation Battlemage G21 [Arc B580] [8086:e20b]",
    "{0:04x}:03:00.0 VGA compatible controller: Intel Corporation Device {0:04x}",
    "Intel(R) Arc(TM) B580 Graphics {0} iris xe gpu max arc a770 battlemage lunar lake 8086:56a{0}",
    "[level_zero:gpu][level_zero:{0}] Intel(R) Level-Zero, Intel(R) Arc(TM) A770 Graphics 1.3 [1.3.29735]",
    "* [{0}] _XpuDeviceProperties(name='Intel(R) Arc(TM) B580 Graphics', driver_version='1.6.{0}+15', total_memory=11605MB)",
    "Platform #{0}: Intel",
    "crw-rw----+ 1 root render 226, {0} Nov 21 09:25 /dev/dri/renderD{0}",
    "uid=1000(anna) gid=1000(anna) groups=1000(anna),27(sudo),{0}(render)",
    "Nov 21 09:25:{0:02} tower{0} kernel: xe 0000:03:00.0: [drm] *ERROR* GT0: Timedout job: seqno={0}",
    "ZE_AFFINITY_MASK={0} SYCL_{0}=1 LD_LIBRARY_PATH=/a/{0}",
    "ii  libze-intel-gpu1 25.40.35563.{0} amd64",
    "Root cause: torch is not the XPU build {0}",
    "  torch-cpu-wheel (wheel layer, error)",
    "wheel      fault     torch-cpu-wheel",
    "Do this: ",
    "More: https://x.example explain torch-cpu-wheel",
    "Thank you for the report.",
    "## What it means",
    "# torch-cpu-wheel",
    "torch-cpu-wheel   wheel   the wheel is a CPU build",
    "so not: ask for: a",
    "Ask next (--reply writes it)",
    "> > > ```json",
    '{{"schema": 1, "root_causes": [], "snapshot": {{',
    '{{"root_causes": {0}, "ladder": [',
    "password={0} token={0} https://user:{0}@host{0}.example/ anna{0}@mail{0}.example 10.0.0.{0} fe80::{0:x}:1:2",
    "/home/anna{0}/venv/bin/python /mnt/c/Users/Anna{0}/x \\\\server{0}\\share",
)  # fmt: skip
"""Lines that begin something; a number makes each of them another."""


def large_texts(size: int = SIZE, seed: int = 1) -> Iterator[tuple[str, str]]:
    """Yield the name of a text and the text."""
    for run in RUNS:
        yield f"a run of {run!r}", run * (size // len(run))
    for line in LINES:
        made = "\n".join(line.format(number % 9000) for number in range(size // len(line)))
        yield f"lines of {line!r}", made[:size]
        yield f"lines of {line!r}, every other one blank", made.replace("\n", "\n\n")[:size]
        yield f"lines of {line!r}, then blank ones", made[: size // 2] + "\n" * (size // 2)
        yield f"one line of {line!r}", made.replace("\n", " ")[:size]
    yield from _of_messages(size, random.Random(seed))
    yield from _of_reports(size)


def _of_messages(size: int, chance: random.Random) -> Iterator[tuple[str, str]]:
    """Texts of the words and examples of the known messages: whole, halved, shuffled, in short lines and in long ones."""
    words = [word for row in signatures() for word in row.words]
    examples = [example for row in signatures() for example in row.examples]
    pieces = {
        "words": words,
        "examples": examples,
        "near misses": [line for row in signatures() for line in row.near_misses],
        "beginnings": [example[: len(example) * 2 // 3] for example in examples],
        "words of examples": sorted({word for example in examples for word in example.split()}),
    }
    for name, parts in pieces.items():
        for length in (100, 400, LENGTH):
            yield f"{name} in lines of {length}", _lines(parts, length, size, chance)
    common = [
        "kernel",
        "driver",
        "works",
        "fine",
        "fails",
        "not",
        "no",
        "intel",
        "arc",
        "xpu",
        "gpu",
        "torch",
        "on",
        "after",
        "with",
        "cpu",
        "support",
        "is",
        "available",
    ]
    for length in (60, 120, LENGTH):
        yield f"common words in lines of {length}", _lines(common, length, size, chance)


def _lines(parts: list[str], length: int, size: int, chance: random.Random) -> str:
    """Return lines of a length, made of parts in any order."""
    lines: list[str] = []
    while len(lines) * (length + 1) < size:
        line = ""
        while len(line) < length:
            line += chance.choice(parts) + " "
        lines.append(line[:length])
    return "\n".join(lines)[:size]


def _of_reports(size: int) -> Iterator[tuple[str, str]]:
    """Texts that look like saved reports and are none, or are damaged."""
    keys = '"schema": 1, "root_causes": [], "ladder": [], "verdict": "x", '
    yield "a report that never ends", "{" + keys + '"snapshot": {"a": [' + "1, " * (size // 3)
    yield "many beginnings of a report", ("{" + keys) * (size // len(keys))
    yield "a deep report", "{" + keys + '"snapshot": ' + '{"a": ' * (size // 6)
    yield (
        "a report with a long text",
        json.dumps({"schema": 1, "root_causes": [], "snapshot": {"schema": 1, "sources": ["x" * size]}}),
    )
    yield (
        "a report with many keys",
        json.dumps(
            {
                "schema": 1,
                "root_causes": [],
                "snapshot": {"schema": 1, **{f"k{number}": number for number in range(size // 12)}},
            }
        ),
    )

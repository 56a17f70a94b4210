"""The rows of tools/try_fixes.py for a genuine Python for Windows, on Windows itself or under Wine: pip alone, in virtual environments with pip."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from try_fixes import Row, compared

from tests.support.fake_index import serve
from tests.support.windows_bench import ODD_NAME, WindowsBench, build_bench
from tests.support.windows_machine import WindowsMachine
from tests.windows.fixing import LISTED, TORCH, Fixing, channels, environment, machine_with_gpu

STATES = (
    ("CPU wheel", "place"),
    ("half uninstalled", ODD_NAME),
    ("no metadata", "my place"),
    ("CUDA wheel", "Größe ünd 東京"),
    ("registered, gone", "place"),
    ("lost RECORD", "place"),
)
FROM_FOLDER = "from a folder"
KILLED_AFTER = (0.2, 2.0, 5.0, 9.0)
"""Seconds after the beginning of the way back."""


def rows(work: Path, kills: tuple[float, ...] = KILLED_AFTER) -> Iterator[Row]:
    """Yield what became of each environment: in each state, from a folder of wheels, and where the doctor is terminated."""
    bench = build_bench(work / "windows")
    machine = machine_with_gpu(bench, work / "machine")
    try:
        with serve(work / "windows-index", channels(bench)) as urls:
            for state, path in STATES:
                yield _row(_patient(bench, machine, work / "trial" / path, state, urls["xpu"]), state)
            folder = work / "trial" / "stick" / "wheels"
            yield _row(
                _patient(bench, machine, work / "trial" / ODD_NAME, "CPU wheel", urls["xpu"]), FROM_FOLDER, folder
            )
            for moment in kills:
                yield _killed(_patient(bench, machine, work / "trial" / ODD_NAME, "CPU wheel", urls["xpu"]), moment)
    finally:
        machine.end()
        bench.machine.end()


def _patient(bench: WindowsBench, machine: WindowsMachine, folder: Path, state: str, index: str) -> Fixing:
    shutil.rmtree(folder, ignore_errors=True)
    return Fixing(bench, machine, environment(bench, folder / "env", state), index)


def _row(patient: Fixing, state: str, folder: Path | None = None) -> Row:
    began = time.monotonic()
    before, packages = patient.files(), patient.asked(LISTED)
    where: tuple[str | Path, ...] = ()
    if folder is not None:
        code, _, said = patient.doctor("--download", folder)
        where = ("--find-links", folder)
        if code:
            return Row(f"Windows, venv, pip / {state}", fault=f"--download ended with {code}: {said[-300:]}")
    code, out, said = patient.doctor("--apply", "--yes", *where)
    after, version = patient.files(), patient.asked(TORCH)
    done = "Before and after" in out and version.endswith("+xpu")
    undone, _, _ = patient.doctor("--undo")
    left, same = compared(before, patient.files()), patient.asked(LISTED) == packages
    faults = [] if done else [f"--apply ended with {code}, torch is {version}: {said[-300:]}"]
    faults += [] if not left and same and not undone else [f"--undo ended with {undone}: {left[:3]}"]
    return Row(
        f"Windows, venv, pip / {state}",
        "torch",
        "done" if done else "failed",
        f"torch {version}, 0 outside",
        "NO" if left or not same else f"{len(after)} files, {len(compared(before, after))} put back",
        "; ".join(faults),
        "",
        round(time.monotonic() - began, 1),
    )


def _killed(patient: Fixing, moment: float) -> Row:
    began = time.monotonic()
    before, packages = patient.files(), patient.asked(LISTED)
    last = patient.killed_after(moment)
    differed = compared(before, patient.files())
    code, _, said = patient.doctor("--undo", "--yes")
    left, same = compared(before, patient.files()), patient.asked(LISTED) == packages
    fault = "" if not left and same and code in (0, 2) else f"--undo ended with {code}: {left[:3]} {said[-300:]}"
    return Row(
        f"Windows, venv, pip / TerminateProcess after {moment} s",
        "",
        "done before" if last.startswith("A way back") else "killed",
        "",
        "NO" if fault else "identical freeze",
        fault,
        f"in {last[:60]!r}, {len(differed)} files differed",
        round(time.monotonic() - began, 1),
    )

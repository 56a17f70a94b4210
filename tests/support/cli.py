"""Runs the command line as a user does, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

import xpu_doctor

ROOT = Path(__file__).parents[2]

LEFT_OUT = (
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "PYTHONPATH",
    "LD_LIBRARY_PATH",
    "ONEAPI_DEVICE_SELECTOR",
    "ZE_AFFINITY_MASK",
    "FORCE_COLOR",
    "NO_COLOR",
)
"""Variables of the developer's own shell that would change what a test sees."""


@dataclass(frozen=True)
class Ran:
    """How a command ended, what it printed, and how long it took in seconds."""

    code: int
    stdout: str
    stderr: str
    seconds: float

    def json(self) -> dict[str, Any]:
        """The document on stdout, valid by the published schema."""
        document: dict[str, Any] = json.loads(self.stdout)
        jsonschema.validate(document, schema())
        return document


@cache
def schema() -> Any:
    """The published JSON Schema of the report."""
    path = Path(xpu_doctor.__file__).parent / "schemas" / "report-1.schema.json"
    return json.loads(path.read_text(encoding="utf-8"))


def environment(**extra: str) -> dict[str, str]:
    """The process environment without the developer's own settings, plus `extra`; the checkout stays importable."""
    kept = {name: value for name, value in os.environ.items() if name not in LEFT_OUT}
    return {**kept, **extra}


def doctor(
    *arguments: str,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    timeout: float = 120.0,
    stdin: bytes = b"",
) -> Ran:
    """Run `python -m xpu_doctor` with these arguments."""
    started = time.monotonic()
    run = subprocess.run(
        [sys.executable, "-m", "xpu_doctor", *arguments],
        input=stdin,
        capture_output=True,
        timeout=timeout,
        env=dict(env) if env is not None else environment(),
        cwd=cwd,
        check=False,
    )
    seconds = time.monotonic() - started
    return Ran(run.returncode, run.stdout.decode("utf-8", "replace"), run.stderr.decode("utf-8", "replace"), seconds)


def flat(findings: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """All findings of a tree of root causes."""
    for finding in findings:
        yield finding
        yield from flat(finding["explains"])


def codes(document: dict[str, Any]) -> list[str]:
    """Codes of all findings, roots first."""
    return [finding["code"] for finding in flat(document["root_causes"])]


def rung(document: dict[str, Any], layer: str) -> dict[str, Any]:
    """One rung of the ladder."""
    return next(item for item in document["ladder"] if item["layer"] == layer)


def processes_with(name: str, value: str) -> list[int]:
    """Processes whose environment holds a variable of this value: what a run that was started with it left behind."""
    found = []
    for pid in os.listdir("/proc"):
        if pid.isdigit():
            try:
                environ = Path(f"/proc/{pid}/environ").read_bytes()
            except OSError:
                continue
            if f"{name}={value}".encode() in environ.split(b"\0"):
                found.append(int(pid))
    return found

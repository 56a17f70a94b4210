"""ultralytics from PyPI, trained on the processor: `watch` says that it never used a GPU, why, and what to type."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.support.example_reports import MOMENT, snapshot
from xpu_doctor.model.facts.watched import Watched
from xpu_doctor.model.selection import WATCHED_LAYERS
from xpu_doctor.model.snapshot import with_watched
from xpu_doctor.report.build import Report

PROGRAM = Path(__file__).parent / "truth" / "programs" / "yolo.py"
BUILD_SECONDS = 1800


@pytest.fixture(scope="session")
def ultralytics_env(shared_folder: Path) -> Path:
    """A venv with ultralytics and the torch of the package index; XPU_DOCTOR_TEST_ULTRALYTICS names one that exists already."""
    given = os.environ.get("XPU_DOCTOR_TEST_ULTRALYTICS")
    if given:
        return Path(given)
    folder = shared_folder / "ultralytics"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--quiet", "--no-input"]
    steps = (
        ["install", "torch==2.13.0", "ultralytics"],
        # Without a screen there is no libGL, which the other one needs.
        ["uninstall", "-y", "opencv-python"],
        ["install", "--no-deps", "--force-reinstall", "opencv-python-headless"],
    )
    for step in steps:
        run = subprocess.run([*pip, *step], capture_output=True, text=True, timeout=BUILD_SECONDS, check=False)
        if run.returncode:
            pytest.skip(
                f"ultralytics cannot be installed here: {(run.stderr.strip().splitlines() or ['no message'])[-1]}"
            )
    return folder


@pytest.mark.heavy
def test_a_training_on_the_processor_is_told_with_the_line_to_type(ultralytics_env: Path, tmp_path: Path) -> None:
    saved = tmp_path / "report.json"
    environment = {**os.environ, "YOLO_CONFIG_DIR": str(tmp_path), "YOLO_OFFLINE": "true"}
    command = [str(ultralytics_env / "bin" / "python"), str(PROGRAM), str(tmp_path / "run")]
    ended = subprocess.run(
        [sys.executable, "-m", "xpu_doctor", "watch", "-o", str(saved), "--", *command],
        capture_output=True, text=True, timeout=600, check=False, cwd=tmp_path, env=environment,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    watched = msgspec.convert(json.loads(saved.read_text(encoding="utf-8"))["snapshot"]["watched"][0], Watched)
    assert isinstance(watched.inside, tuple)
    (inside,) = [one for one in watched.inside if one.applications]
    assert inside.initialised is False and inside.whole is True
    assert any(name.startswith("ultralytics ") for name in inside.applications)
    # As on a machine that has an Intel GPU, which this one need not.
    beside_a_gpu = with_watched(snapshot("cpu-wheel-beside-arc-b580"), watched)
    root = Report(created=MOMENT).of_snapshot(beside_a_gpu, layers=WATCHED_LAYERS).root_causes[0]
    assert root.code == "torch-cpu-wheel"
    folded = {finding.code: finding for finding in root.explains}
    assert "program-never-used-gpu" in folded, list(folded)
    typed = [
        line
        for remedy in folded["program-never-used-gpu"].remedies
        for line in (remedy.title, remedy.why, *remedy.commands)
    ]
    assert any("ultralytics" in line.lower() or "YOLO" in line for line in typed), typed
    assert any("device='xpu:0'" in line or 'device="xpu:0"' in line or "device=xpu:0" in line for line in typed), typed

"""ultralytics from PyPI, trained on the processor: `watch` says that it never used a GPU, why, and what to type."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "truth" / "programs" / "yolo.py"
BUILD_SECONDS = 1800
ROOTS = {"cpu": "torch-cpu-wheel", "cuda": "torch-cuda-wheel"}


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
    report = tmp_path / "report.json"
    environment = {**os.environ, "YOLO_CONFIG_DIR": str(tmp_path), "YOLO_OFFLINE": "true"}
    command = [str(ultralytics_env / "bin" / "python"), str(PROGRAM), str(tmp_path / "run")]
    ended = subprocess.run(
        [sys.executable, "-m", "xpu_doctor", "watch", "-o", str(report), "--", *command],
        capture_output=True, text=True, timeout=600, check=False, cwd=tmp_path, env=environment,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    document = json.loads(report.read_text(encoding="utf-8"))
    watched = document["snapshot"]["watched"][0]
    (inside,) = [one for one in watched["inside"] if one["applications"]]
    assert inside["initialised"] is False and inside["whole"] is True
    assert any(name.startswith("ultralytics ") for name in inside["applications"])
    root = document["root_causes"][0]
    assert root["code"] == ROOTS["cpu" if inside["torch_cuda"] == "" else "cuda"]
    folded = {finding["code"]: finding for finding in root["explains"]}
    assert "program-never-used-gpu" in folded, list(folded)
    assert "device='xpu:0'" in json.dumps(folded["program-never-used-gpu"]).replace('\\"', "'")

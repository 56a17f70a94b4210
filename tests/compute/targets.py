"""A real torch with the test device beside it: built once, found by torch through its `torch.backends` entry point."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from xpu_doctor.examination.matmul import measured
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.target.agent_run import Patient

HERE = Path(__file__).parent / "devices"
FLOAT32 = {"dtypes": ["float32"]}


@dataclass(frozen=True)
class Target:
    """An interpreter with torch, and the environment in which the test device is loaded."""

    python: str
    environment: Mapping[str, str]

    def acting(self, mode: str, **settings: str) -> Target:
        """Return the target whose device behaves in a way; settings are those of testdevice.cpp without their prefix."""
        extra = {f"XPU_DOCTOR_TEST_{name.upper()}": value for name, value in settings.items()}
        return replace(self, environment={**self.environment, "XPU_DOCTOR_TEST_DEVICE": mode, **extra})

    def measure(
        self, device: str = "testgpu", limits: Mapping[str, object] | None = None, deadline: float = 120.0
    ) -> Snapshot:
        """Run the stage as `check` does and return a snapshot with its facts."""
        patient = Patient(self.python, self.environment, None, {"compute": deadline})
        return measured(Snapshot(), patient, (device,), FLOAT32 if limits is None else limits)


def build(torch_env: Path, folder: Path) -> Target:
    """Compile the device for the torch of an environment and lay it out as an installed back end.

    Raises:
        RuntimeError: there is no compiler, or it failed.
    """
    python = torch_env / "bin" / "python"
    torch = next((torch_env / "lib").glob("python3*/site-packages/torch"))
    compiler = shutil.which("g++")
    if compiler is None:
        raise RuntimeError("there is no g++")
    library = folder / "libtestgpu.so"
    includes = [f"-I{torch}/include", f"-I{torch}/include/torch/csrc/api/include"]
    libraries = [f"-L{torch}/lib", "-ltorch_cpu", "-lc10", f"-Wl,-rpath,{torch}/lib"]
    command = [
        compiler,
        "-O1",
        "-std=c++20",
        "-fPIC",
        "-shared",
        "-w",
        *includes,
        str(HERE / "testdevice.cpp"),
        "-o",
        str(library),
        *libraries,
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise RuntimeError(f"the test device does not compile: {run.stderr[-2000:]}")
    site = folder / "site"
    info = site / "testgpu-1.0.dist-info"
    info.mkdir(parents=True)
    shutil.copy(HERE / "testgpu.py", site)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: testgpu\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[torch.backends]\ntestgpu = testgpu:load\n", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(site), "XPU_DOCTOR_TEST_LIBRARY": str(library)}
    return Target(str(python), environment)

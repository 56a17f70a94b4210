"""Builds the simulated device against an installed torch, once for a run of the suite."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.support.windows_machine import locked

SOURCE = Path(__file__).parent / "device" / "device.cpp"


def build_device(torch_environment: Path, folder: Path) -> Path | str:
    """Return the library's path, or why there is none; several processes may ask at once."""
    compiler = shutil.which("g++")
    if compiler is None:
        return "no g++"
    installed = next(torch_environment.glob("lib/python3*/site-packages/torch"), None)
    if installed is None:
        return f"no torch in {torch_environment}"
    folder.mkdir(exist_ok=True)
    library, failed = folder / "device.so", folder / "failed.txt"
    with locked(folder / "lock"):
        if not library.exists() and not failed.exists():
            include = installed / "include"
            run = subprocess.run(
                [
                    compiler, "-std=c++20", "-O0", "-w", "-shared", "-fPIC", f"-I{include}", f"-I{include}/torch/csrc/api/include",
                    str(SOURCE), f"-L{installed}/lib", "-ltorch_cpu", "-lc10", "-o", f"{library}.new",
                ],
                capture_output=True, text=True, timeout=600, check=False,
            )  # fmt: skip
            if run.returncode:
                failed.write_text(run.stderr[:2000], encoding="utf-8")
            else:
                Path(f"{library}.new").rename(library)
    return failed.read_text(encoding="utf-8") if failed.exists() else library

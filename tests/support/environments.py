"""Stub environments: real virtual environments with a torch of the test's own making."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

VERSION_PY = """from typing import Optional
__all__ = ['__version__', 'debug', 'cuda', 'git_version', 'hip', 'xpu']
__version__ = {version!r}
debug = False
cuda: Optional[str] = {cuda!r}
git_version = '{git}'
hip: Optional[str] = {hip!r}
xpu: Optional[str] = {xpu!r}
"""
XPU_LIBRARIES = ("libc10.so", "libtorch_cpu.so", "libtorch_python.so", "libc10_xpu.so", "libtorch_xpu.so")
CPU_LIBRARIES = ("libc10.so", "libtorch_cpu.so", "libtorch_python.so")
WORKING_INIT = """from torch.version import __version__
from torch import version, xpu
"""
XPU_MODULE = """
def _is_compiled(): return {compiled}
def is_available(): return {available}
def device_count(): return {count}
"""


@dataclass(frozen=True)
class StubEnvironment:
    """A virtual environment's folder and its interpreter."""

    folder: Path
    python: Path
    site: Path

    def add(
        self,
        name: str,
        version: str,
        files: Mapping[str, str | bytes],
        requires: tuple[str, ...] = (),
        installer: str = "pip",
    ) -> Path:
        """Install a distribution the way pip lays it out, with RECORD; return its dist-info folder."""
        info = f"{name.replace('-', '_')}-{version}.dist-info"
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" + "".join(
            f"Requires-Dist: {line}\n" for line in requires
        )
        whole: dict[str, str | bytes] = {
            **files,
            f"{info}/METADATA": metadata,
            f"{info}/INSTALLER": f"{installer}\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: py3-none-any\n",
        }
        rows = []
        for path, content in whole.items():
            data = content.encode() if isinstance(content, str) else content
            target = self.site / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            rows.append(f"{path},sha256={digest},{len(data)}")
        (self.site / info / "RECORD").write_text("\n".join([*rows, f"{info}/RECORD,,"]) + "\n", encoding="utf-8")
        return self.site / info

    def add_torch(
        self,
        version: str = "2.9.1+xpu",
        init: str | None = None,
        *,
        libraries: tuple[str, ...] = XPU_LIBRARIES,
        cuda: str | None = None,
        hip: str | None = None,
        xpu: str | None = "20250201",
        xpu_module: str | None = None,
        requires: tuple[str, ...] = (),
        installer: str = "pip",
    ) -> Path:
        """Install a torch whose `__init__.py` is given; its libraries are empty files of the right names."""
        build_is_xpu = any("xpu" in name for name in libraries)
        files: dict[str, str | bytes] = {
            "torch/__init__.py": WORKING_INIT if init is None else init,
            "torch/version.py": VERSION_PY.format(
                version=version, cuda=cuda, hip=hip, xpu=xpu if build_is_xpu else None, git="0" * 40
            ),
            "torch/xpu/__init__.py": xpu_module
            if xpu_module is not None
            else XPU_MODULE.format(compiled=build_is_xpu, available=False, count=0),
        }
        files.update({f"torch/lib/{name}": b"\x7fELF stub" for name in libraries})
        return self.add("torch", version, files, requires, installer)


def make_environment(folder: Path, python: str = sys.executable) -> StubEnvironment:
    """Make a virtual environment without pip."""
    subprocess.run([python, "-m", "venv", "--without-pip", str(folder)], check=True, capture_output=True)
    if os.name == "nt":
        return StubEnvironment(folder, folder / "Scripts" / "python.exe", folder / "Lib" / "site-packages")
    site = next((folder / "lib").glob("python3*")) / "site-packages"
    return StubEnvironment(folder, folder / "bin" / "python", site)

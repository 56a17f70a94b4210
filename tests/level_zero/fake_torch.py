"""A package `torch` of a few lines whose device count is the true answer of the true SYCL runtime."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.level_zero.parts import Missing

SOURCE = Path(__file__).with_name("fake_torch_c.cpp")
INSTALL_SECONDS = 900

INIT = """
import ctypes
import os
_core = ctypes.CDLL(os.path.join(os.path.dirname(__file__), "lib", "libc10_xpu.so"))
from torch.version import __version__
from torch import xpu


class _Tensor:
    def __init__(self, total):
        self.total = total

    def sum(self):
        return self

    def cpu(self):
        return self

    def __float__(self):
        return float(self.total)


def ones(count, device="cpu"):
    xpu.get_device_properties(int(str(device).rpartition(":")[2] or 0))
    return _Tensor(count)
"""

XPU = """
import ctypes


def _count():
    from torch import _core
    error = ctypes.create_string_buffer(4096)
    count = _core.xpu_device_count(error, 4096)
    if count < 0:
        raise RuntimeError(error.value.decode("utf-8", "replace"))
    return count


def _is_compiled():
    return True


def device_count():
    return _count()


def is_available():
    return _count() > 0


class _Properties:
    def __init__(self, name):
        self.name = name


def get_device_properties(index):
    from torch import _core
    if index >= _count():
        raise RuntimeError("The device index is out of range.")
    name = ctypes.create_string_buffer(256)
    _core.xpu_device_name(index, name, 256)
    return _Properties(name.value.decode("utf-8", "replace"))
"""


def sycl_environment(cache: Path, runtime: str) -> Path:
    """Return a venv with real SYCL libraries, made once per cache.

    Raises:
        Missing: the wheels cannot be had.
    """
    folder = cache / f"sycl-{runtime}"
    if not (folder / "done").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        command = [
            str(folder / "bin" / "python"),
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            f"intel-sycl-rt=={runtime}",
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
        if done.returncode:
            raise Missing(f"intel-sycl-rt {runtime} cannot be installed: {done.stderr.strip().splitlines()[-1:]}")
        (folder / "done").write_text("yes")
    return folder


def add_fake_torch(environment: Path, version: str, toolkit: str) -> None:
    """Put the fake torch, built with the wheel's own headers, into a venv.

    Raises:
        Missing: there is no compiler.
    """
    compiler = shutil.which("g++")
    if compiler is None:
        raise Missing("there is no g++")
    site = next((environment / "lib").glob("python3*/site-packages"))
    package = site / "torch"
    shutil.rmtree(package, ignore_errors=True)
    (package / "lib").mkdir(parents=True)
    (package / "xpu").mkdir()
    (package / "__init__.py").write_text(INIT, encoding="utf-8")
    (package / "xpu" / "__init__.py").write_text(XPU, encoding="utf-8")
    text = f"__version__ = '{version}'\ndebug = False\ncuda = None\ngit_version = '0'\nhip = None\nxpu = '{toolkit}'\n"
    (package / "version.py").write_text(text, encoding="utf-8")
    runtime = max((environment / "lib").glob("libsycl.so.[0-9]")).name
    command = [
        compiler,
        "-std=c++17",
        "-w",
        "-shared",
        "-fPIC",
        f"-I{environment}/include",
        f"-I{environment}/include/sycl",
        str(SOURCE),
    ]
    command += ["-o", str(package / "lib" / "libc10_xpu.so"), f"-L{environment}/lib", f"-l:{runtime}"]
    command += ["-Wl,-rpath,$ORIGIN/../../../..:$ORIGIN", "-Wl,--disable-new-dtags"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"the fake torch does not compile: {done.stderr.strip().splitlines()[:1]}")
    info = site / f"torch-{version}.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: torch\nVersion: {version}\n", encoding="utf-8")
    (info / "INSTALLER").write_text("pip\n", encoding="utf-8")
    rows = [
        f"{path.relative_to(site).as_posix()},,{path.stat().st_size}"
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    (info / "RECORD").write_text(
        "\n".join([*rows, f"{info.name}/METADATA,,", f"{info.name}/RECORD,,"]) + "\n", encoding="utf-8"
    )


def cache_folder(fallback: Path) -> Path:
    """Return where the heavy tests keep their downloads: $XPU_DOCTOR_TEST_CACHE, else a folder of this run."""
    named = os.environ.get("XPU_DOCTOR_TEST_CACHE", "")
    folder = Path(named) if named else fallback
    folder.mkdir(parents=True, exist_ok=True)
    return folder

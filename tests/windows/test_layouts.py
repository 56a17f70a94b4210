"""Where people on Windows have their Pythons: applications that bring one, the launcher, and the Store's alias."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.environments import StubEnvironment
from tests.support.windows_bench import WindowsBench

COMPILER = "x86_64-w64-mingw32-gcc"
LAUNCHER = """
#include <stdio.h>
#include <stdlib.h>
int main(int count, char **words) { const char *python = getenv("STARTS"); if (!python) return 103; puts(python); return 0; }
"""
"""A stand-in for py.exe: it names the Python that the real one would start."""


def examined(bench: WindowsBench, option: str | Path, **variables: str) -> dict[str, Any]:
    """Return the report of what `--python` names; its wheel layer alone."""
    run = bench.doctor("check", "--json", "--only", "wheel", "--python", option, env=variables)
    assert run.returncode in (0, 1, 3), run.stderr.decode("utf-8", "replace")
    report: dict[str, Any] = json.loads(run.stdout)
    return report


def refused(bench: WindowsBench, option: str | Path, **variables: str) -> str:
    """Return what is said where `--python` names no Python."""
    run = bench.doctor("check", "--json", "--only", "wheel", "--python", option, env=variables)
    assert run.returncode == 2 and not run.stdout.strip()
    return " ".join(run.stderr.decode("utf-8", "replace").split())


def the_cause(report: dict[str, Any]) -> dict[str, Any]:
    [cause] = report["root_causes"]
    assert isinstance(cause, dict)
    return cause


@pytest.mark.parametrize(
    ("application", "within"),
    [
        ("ComfyUI_windows_portable", "python_embeded"),
        ("AI Playground", "resources/ai-backend-env"),
        ("ai_diffusion", "server/python"),
    ],
)
def test_an_application_with_an_embeddable_python(
    windows_bench: WindowsBench,
    new_patient: Callable[..., StubEnvironment],
    tmp_path: Path,
    application: str,
    within: str,
) -> None:
    """Its folder is enough; without pip the way is get-pip and the line `import site`, never ensurepip."""
    folder = tmp_path / application
    made = new_patient("embedded", "made")
    (folder / within).parent.mkdir(parents=True)
    made.folder.rename(folder / within)
    report = examined(windows_bench, folder)
    spelled = windows_bench.machine.spelled(folder / within / "python.exe")
    assert report["snapshot"]["python"]["embedded"] is True
    assert report["snapshot"]["python"]["executable"].lower() == spelled.lower()
    cause = the_cause(report)
    assert cause["code"] == "torch-not-installed"
    said = json.dumps(cause["remedies"])
    assert "get-pip.py" in said and "import site" in said and "ensurepip --upgrade" not in said


def test_comfyui_portable_with_a_cuda_build(
    windows_bench: WindowsBench, new_patient: Callable[..., StubEnvironment], tmp_path: Path
) -> None:
    """As its archive for NVIDIA is: site is read, pip and a CUDA build of torch lie in Lib/site-packages."""
    made = new_patient("embedded", "ComfyUI_windows_portable/python_embeded")
    [control] = made.folder.glob("python*._pth")
    control.write_text(f"../ComfyUI\n{control.read_text(encoding='utf-8')}\nimport site\n", encoding="utf-8")
    site = made.folder / "Lib" / "site-packages"
    site.mkdir(parents=True)
    portable = StubEnvironment(made.folder, made.python, site)
    portable.add_torch("2.9.1+cu130", libraries=("torch_cuda.dll", "c10_cuda.dll"), cuda="13.0", xpu=None)
    portable.add("pip", "25.3", {"pip/__init__.py": "", "pip/__main__.py": ""})
    report = examined(windows_bench, made.folder.parent)
    cause = the_cause(report)
    assert cause["code"] == "torch-cuda-wheel"
    lines = [line for remedy in cause["remedies"] for line in remedy["commands"]]
    assert lines and not any("ensurepip" in line or "get-pip" in line or "-m venv" in line for line in lines)
    assert all("python_embeded\\python.exe" in line for line in lines)


def test_ai_playgrounds_comfyui(
    windows_bench: WindowsBench, new_patient: Callable[..., StubEnvironment], tmp_path: Path
) -> None:
    """Its virtual environment is found where the back end is not installed."""
    made = new_patient("venv", "AI Playground/resources/ComfyUI/.venv")
    made.add_torch("2.9.1+xpu")
    report = examined(windows_bench, tmp_path / "AI Playground")
    python = report["snapshot"]["python"]
    assert python["virtual_environment"] is True and python["prefix"].endswith(r"AI Playground\resources\ComfyUI\.venv")


@pytest.fixture
def launcher(tmp_path: Path) -> Path:
    """The folder of a stand-in for py.exe."""
    if shutil.which(COMPILER) is None:
        pytest.skip(f"{COMPILER} is not here (Debian: gcc-mingw-w64-x86-64)")
    folder = tmp_path / "launcher"
    folder.mkdir()
    (folder / "py.c").write_text(LAUNCHER, encoding="ascii")
    subprocess.run([COMPILER, "-O1", "-o", folder / "py.exe", folder / "py.c"], check=True)
    return folder


def test_the_launcher_is_asked(windows_bench: WindowsBench, launcher: Path) -> None:
    """`--python py` examines the Python that the launcher starts."""
    spelled = windows_bench.machine.spelled
    report = examined(windows_bench, "py", PATH=spelled(launcher), STARTS=spelled(windows_bench.patient))
    assert report["snapshot"]["python"]["executable"].lower() == spelled(windows_bench.patient).lower()


def test_the_stores_alias(windows_bench: WindowsBench, tmp_path: Path) -> None:
    """An empty python.exe in WindowsApps is no Python, by its path and by its name."""
    alias = tmp_path / "AppData" / "Local" / "Microsoft" / "WindowsApps" / "python.exe"
    alias.parent.mkdir(parents=True)
    alias.touch()
    said = refused(windows_bench, alias)
    assert "alias of the Microsoft Store" in said and "py --list-paths" in said
    by_name = refused(windows_bench, "python", PATH=windows_bench.machine.spelled(alias.parent))
    assert "alias of the Microsoft Store" in by_name

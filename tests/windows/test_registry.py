"""The registry as the machine: what the doctor reads through the real winreg, and Level Zero loaded from System32."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.test_recorded_hosts import HOSTS, recording, snapshot_of
from tests.support.windows_bench import WindowsBench
from tests.support.windows_machine import NATIVE, WindowsMachine
from tests.support.windows_registry import copied, write
from xpu_doctor.model.codec import encode

pytestmark = pytest.mark.skipif(NATIVE, reason="the registry of a real Windows is not written to")
MACHINES = [path for path in HOSTS if recording(path).get("platform") == "windows" and "registry" in recording(path)]
PROBE = """
import dataclasses, json
from xpu_doctor.host.live import LiveHost
from xpu_doctor.model.codec import encode
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.probes import PROBES
from xpu_doctor.probes.runner import run_probes
names = ("windows-gpus", "windows-driver", "machine")
gathered = run_probes(LiveHost(), [probe for probe in PROBES if probe.name in names])
assert not gathered.failures, gathered.failures
print(json.dumps(encode(dataclasses.replace(Snapshot(), **gathered.facts))))
"""
LOADER = Path(__file__).parent / "src" / "level_zero_loader.c"
COMPILER, RESOURCES = "x86_64-w64-mingw32-gcc", "x86_64-w64-mingw32-windres"
VERSION = "1 VERSIONINFO\nFILEVERSION 1,20,2,0\nPRODUCTVERSION 1,20,2,0\nBEGIN\nEND\n"


@pytest.fixture(scope="module")
def machine(windows_bench: WindowsBench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WindowsMachine]:
    """A machine whose registry these tests may write."""
    windows_bench.machine.win(["reg.exe", "query", "HKLM"])  # the prefix's files are whole once its server has answered
    made = copied(windows_bench.machine, tmp_path_factory.mktemp("registry"))
    made.serve()
    try:
        yield made
    finally:
        made.end()


@pytest.mark.parametrize("path", MACHINES, ids=lambda path: path.stem)
def test_registry_says_what_the_recording_says(
    windows_bench: WindowsBench, machine: WindowsMachine, path: Path
) -> None:
    """Adapters and registered drivers are the same facts whether winreg or the recording tells them."""
    write(machine, windows_bench.patient, recording(path)["registry"])
    run = machine.win([windows_bench.doctor_python, "-c", PROBE])
    assert run.returncode == 0, run.stderr.decode("utf-8", "replace")
    live, recorded = json.loads(run.stdout), json.loads(json.dumps(encode(snapshot_of(path))))
    if "commands" not in recording(path):  # where it is CIM that told: Wine has none
        assert live["gpus"] == recorded["gpus"]
        assert live["driver"]["opencl_icds"] == recorded["driver"]["opencl_icds"]
        assert live["machine"]["idle_gpus"] == recorded["machine"]["idle_gpus"]
    assert _registered(live) == _registered(recorded)


def _registered(snapshot: dict[str, Any]) -> list[Any]:
    libraries = snapshot["driver"]["libraries"]
    return [row for row in libraries if row["name"] == "ze_intel_gpu64.dll"] if isinstance(libraries, list) else []


def verdict(bench: WindowsBench, machine: WindowsMachine, *options: str, **variables: str) -> dict[str, Any]:
    """Return the whole report of a check on this machine, of which the layers below torch were asked for."""
    argv = [bench.doctor_python, "-m", "xpu_doctor", "check", "--json", "--python", bench.patient]
    run = machine.win([*argv, "--only", "device,driver", *options], env=variables)
    assert run.returncode in (0, 1, 3), run.stderr.decode("utf-8", "replace")
    report: dict[str, Any] = json.loads(run.stdout)
    return report


def host(name: str) -> dict[str, Any]:
    """Return the registry of a recorded host."""
    [path] = [path for path in MACHINES if path.stem == name]
    registry: dict[str, Any] = recording(path)["registry"]
    return registry


@pytest.mark.parametrize(
    ("name", "code", "confidence"),
    [
        ("arc-b580-windows-11-basic-display", "gpu-driver-missing", "certain"),
        ("arc-b580-beside-rtx-windows-11-no-driver", "gpu-driver-missing", "likely"),
        ("arc-b580-windows-11-old-driver", "gpu-driver-too-old", "likely"),
        ("rtx-4090-windows-11", "gpu-not-present", "likely"),
    ],
)
def test_verdict_of_each_machine(
    windows_bench: WindowsBench, machine: WindowsMachine, name: str, code: str, confidence: str
) -> None:
    """The whole doctor under a genuine Python for Windows."""
    write(machine, windows_bench.patient, host(name))
    report = verdict(windows_bench, machine)
    causes = {cause["code"]: cause["confidence"] for cause in report["root_causes"]}
    assert causes.get(code) == confidence, causes
    assert "pci_devices" in json.dumps(report["snapshot"]["machine"])


@pytest.fixture(scope="module")
def loader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Level Zero loader with a version resource; zeInit returns what STUB_ZE_INIT says."""
    if not (shutil.which(COMPILER) and shutil.which(RESOURCES)):
        pytest.skip(f"{COMPILER} or {RESOURCES} is not here (Debian: gcc-mingw-w64-x86-64, binutils-mingw-w64-x86-64)")
    folder = tmp_path_factory.mktemp("loader")
    (folder / "version.rc").write_text(VERSION, encoding="ascii")
    subprocess.run([RESOURCES, folder / "version.rc", folder / "version.o"], check=True)
    library = folder / "ze_loader.dll"
    subprocess.run([COMPILER, "-shared", "-O1", "-o", library, LOADER, folder / "version.o"], check=True)
    return library


@pytest.mark.parametrize(
    ("code", "broken", "found"),
    [
        ("0x78000001", True, "gpu-driver-missing"),
        ("0x78000001", False, "gpu-driver-bug"),
        ("0x70020000", False, "gpu-driver-missing"),
        ("0", False, ""),
    ],
)
def test_level_zero_of_system32(
    windows_bench: WindowsBench, machine: WindowsMachine, loader: Path, code: str, broken: bool, found: str
) -> None:
    """The loader is loaded in a child, its version is read, and what zeInit returns is a finding; the registered driver is loaded, too."""
    system = machine.prefix / "drive_c" / "windows" / "system32"
    driver = machine.prefix / "drive_c" / "driver" / "ze_intel_gpu64.dll"
    driver.parent.mkdir(exist_ok=True)
    shutil.copy(loader, system / "ze_loader.dll")
    driver.unlink(missing_ok=True)
    if not broken:
        shutil.copy(loader, driver)
    registry = host("arc-b580-windows-11-level-zero-fails")
    adapters = next(values for path, values in registry.items() if "Class" in path)
    adapters["0000"]["LevelZeroDriverPath"] = [r"C:\driver\ze_intel_gpu64.dll"]
    write(machine, windows_bench.patient, registry)
    report = verdict(windows_bench, machine, STUB_ZE_INIT=code)
    level_zero = report["snapshot"]["level_zero"]
    assert level_zero["loader_loaded"] is True and level_zero["loader_version"] == "1.20.2"
    assert level_zero["loader_path"].lower() == r"c:\windows\system32\ze_loader.dll"
    assert level_zero["init_code"] == int(code, 16)
    if int(code, 16):
        [row] = level_zero["libraries"]
        assert (row["path"], bool(row["error"])) == (r"C:\driver\ze_intel_gpu64.dll", broken)
    causes = [cause["code"] for cause in report["root_causes"]]
    assert causes[:1] == ([found] if found else []), causes

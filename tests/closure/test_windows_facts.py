"""The facts and findings of a Windows environment, examined on Linux: the real Intel DLLs under stubs of torch's."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.closure import real_wheels
from tests.closure import windows_world as world
from tests.closure.breakages import Breakage, Change, done
from tests.closure.conftest import need, wheels
from xpu_doctor.diagnosis.judge import judge
from xpu_doctor.model.facts import Distributions, Import, Libraries, Python, Run, Stage, Torch
from xpu_doctor.model.findings import Finding
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.probes.libraries import closure_facts
from xpu_doctor.rules.runtime import RULES
from xpu_doctor.shared_libraries.examine_windows import OneSpelling, examine
from xpu_doctor.shared_libraries.files import Files
from xpu_doctor.shared_libraries.request import Request
from xpu_doctor.shared_libraries.windows import WindowsSystem

RECORD = Path(__file__).parents[2] / "fixtures" / "closure" / "wine.json"


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment's folder."""
    need(world.MINGW, "x86_64-w64-mingw32-dlltool")
    return world.build(wheels("base", "windows", real_wheels.WINDOWS), tmp_path_factory.mktemp("windows"))


def walked(
    env: Path, without: tuple[str, ...] = (), version: str = "2.7.0", path: tuple[str, ...] = (), folder: str = ""
) -> Libraries:
    """The facts, on a Windows that has what Wine has, less some."""
    record: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    names = frozenset(record["system_names"]) - {"opencl.dll", *without}
    imports = {name: tuple(found) for name, found in record["system_imports"].items()}
    application = str(env.parent / "app")
    system = WindowsSystem(
        system_names=names, system_imports=imports, application=application, path=path, folder=folder
    )
    torch = str(env / "Lib" / "site-packages" / "torch")
    return examine(Request("windows", torch, "", str(env), str(env), version=version), Files(), system)


def judged(facts: Libraries, **groups: Any) -> list[Finding]:
    """What the rules of the layer say."""
    snapshot = Snapshot(
        python=Python(os="windows", executable="C:\\venv\\Scripts\\python.exe"),
        libraries=facts,
        distributions=Distributions(()),
    )
    judgement = judge([rule() for rule in RULES], dataclasses.replace(snapshot, **groups))
    assert not judgement.crashed
    return list(judgement.findings)


def test_whole_environment(env: Path) -> None:
    facts = walked(env)
    assert facts.prediction == "loads" and facts.faults == () and facts.damaged == ()
    assert isinstance(facts.opened, tuple)
    assert {(row.row, row.outcome) for row in facts.opened} >= {
        ("level-zero-adapter-windows", "loads"),
        ("ur-loader-windows", "loads"),
    }
    assert judged(facts) == []


@pytest.mark.parametrize("name", ["sycl8", "libmmd", "ur_win_proxy_loader", "svml_dispmd", "xptifw"])
def test_named_and_missing_differ(env: Path, name: str) -> None:
    """The message names c10_xpu.dll or torch_xpu.dll; the finding names what is missing."""
    with done(env, Breakage(name, (Change("remove", f"{world.BIN}/{name}.dll"),))):
        facts = walked(env)
    assert facts.prediction == "fails"
    stage = Stage(
        "import",
        "error",
        winerror=126,
        reason='OSError: [WinError 126] Error loading "c10_xpu.dll" or one of its dependencies.',
    )
    found = judged(facts, imported=Import(succeeded=False), run=Run((stage,)))
    assert [finding.code for finding in found] == ["shared-library-missing"]
    assert f"→ {name}.dll" in found[0].summary and "failed as predicted" in found[0].summary


def test_loader_that_is_opened_by_name(env: Path) -> None:
    with done(env, Breakage("ur", (Change("remove", f"{world.BIN}/ur_loader.dll"),))):
        facts = walked(env)
    assert facts.prediction == "loads"
    assert [finding.code for finding in judged(facts)] == ["shared-library-missing"]


def test_driver_s_loader_is_another_layer_s_matter(env: Path) -> None:
    with done(env, Breakage("ze", (Change("remove", f"{world.BIN}/ze_loader.dll"),))):
        facts = walked(env)
    assert facts.prediction == "loads" and judged(facts) == []
    assert isinstance(facts.opened, tuple)
    assert [row.outcome for row in facts.opened if row.name == "ur_adapter_level_zero.dll"] == ["fails"]


def test_another_major_version(env: Path) -> None:
    with done(env, Breakage("nine", (Change("rename", f"{world.BIN}/sycl8.dll", to="sycl9.dll"),))):
        found = judged(walked(env))
    assert [finding.code for finding in found] == ["runtime-package-mismatch"]
    assert "there is only sycl9.dll" in found[0].summary


@pytest.mark.parametrize("name", ["msvcp140.dll", "vcruntime140.dll", "vcruntime140_1.dll"])
def test_redistributable(env: Path, name: str) -> None:
    found = judged(walked(env, without=(name,)))
    assert found[0].code == "msvc-redist-missing" and name in found[0].summary.lower()
    assert "winget install" in found[0].remedies[0].commands[0]


def test_damaged_torch(env: Path) -> None:
    with done(env, Breakage("cut", (Change("cut", f"{world.LIB}/c10_xpu.dll", 900),))):
        facts = walked(env)
    assert isinstance(facts.damaged, tuple) and [(Path(row.path).name, row.kind) for row in facts.damaged] == [
        ("c10_xpu.dll", "truncated")
    ]
    assert isinstance(facts.predicted_error, str) and "[WinError 193]" in facts.predicted_error and judged(facts) == []


def test_foreign_runtime(env: Path) -> None:
    with done(env, Breakage("arm", (Change("pe-machine", f"{world.BIN}/libmmd.dll"),))):
        found = judged(walked(env))
    assert found[0].code == "shared-library-missing" and "damaged (foreign)" in found[0].summary


def test_umf_of_old_packages_is_found_since_28(env: Path) -> None:
    """umf 0.9.1 puts umf.dll into <prefix>\\bin, which torch adds since 2.8."""
    assert str(env / "bin") not in walked(env, version="2.7.0").env_folders
    assert str(env / "bin") in walked(env, version="2.8.0").env_folders


def test_path_is_the_last_resort(env: Path) -> None:
    """torch's second attempt goes along PATH, so a copy there saves the import."""
    with done(env, Breakage("gone", (Change("remove", f"{world.BIN}/sycl8.dll"),))):
        facts = walked(env, path=(str(env.parent / "other"),))
    assert facts.prediction == "loads" and isinstance(facts.loaded, tuple)
    assert [row.how for row in facts.loaded if row.name == "sycl8.dll"] == ["PATH"]


@pytest.fixture
def windows(env: Path, tmp_path: Path) -> dict[str, str]:
    """A System32 of names, with an msvcp140.dll that tells a version; the variables that lead to it."""
    need("x86_64-w64-mingw32-windres")
    record: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    system = tmp_path / "Windows" / "System32"
    system.mkdir(parents=True)
    for name in record["system_names"]:
        (system / name).touch()
    script = tmp_path / "version.rc"
    script.write_text(
        '1 VERSIONINFO FILEVERSION 14,29,30133,0 BEGIN BLOCK "StringFileInfo" BEGIN END END\n', encoding="ascii"
    )
    subprocess.run(
        ["x86_64-w64-mingw32-windres", str(script), "-O", "coff", "-o", str(tmp_path / "version.o")], check=True
    )
    flags = ("-shared", "-DEXPORT=one", "-DIMPORTS=", str(tmp_path / "version.o"))
    world.mingw(system / "msvcp140.dll", "stub_dll.c", *flags)
    return {"SystemRoot": str(tmp_path / "Windows"), "Path": str(tmp_path)}


def test_from_the_agent_s_facts(env: Path, windows: dict[str, str]) -> None:
    """What the probe does on Windows itself: System32, PATH and the redistributable come from the machine."""
    python = Python(os="windows", executable=str(env / "python.exe"), prefix=str(env), base_prefix=str(env))
    torch = Torch(path=str(env / "Lib" / "site-packages" / "torch"), version="2.9.0+xpu")
    facts = closure_facts(python, torch, windows, str(env))
    assert facts.prediction == "loads", facts.faults
    assert facts.msvc == "14.29.30133.0"
    assert isinstance(facts.msvc_built, Unknown)  # mingw built these
    died = Run((Stage("import", "crash", signal="0xC0000005"),))
    found = judged(dataclasses.replace(facts, msvc_built="14.42"), run=died)
    assert [finding.code for finding in found] == ["msvc-redist-missing"]
    assert not judged(dataclasses.replace(facts, msvc_built="14.42"), imported=Import(succeeded=True))


def test_one_folder_in_two_spellings_is_one(env: Path, tmp_path: Path) -> None:
    """Its files are not taken for copies from elsewhere; a link stands for the other spelling, which only Windows takes."""
    link = tmp_path / "again"
    link.symlink_to(env / world.BIN)
    one = OneSpelling(Files(), (str(env / world.BIN),))
    assert one.each((str(link), str(env / world.BIN), str(tmp_path))) == (str(env / world.BIN), str(tmp_path))
    assert one.of("C:\\Nowhere") == one.of("c:\\NOWHERE\\") == "C:\\Nowhere"
    assert one.of("") == ""


def test_one_dll_in_two_spellings_is_named_once(env: Path) -> None:
    """torch's own DLLs ask for msvcp140.dll, Intel's for MSVCP140.dll."""
    facts = walked(env, without=("msvcp140.dll",))
    assert isinstance(facts.faults, tuple) and len({fault.chain for fault in facts.faults}) > 1
    assert len({fault.name for fault in facts.faults if fault.name.lower() == "msvcp140.dll"}) == 1


def test_adapter_s_second_chance_on_path(env: Path) -> None:
    """The proxy looks beside the adapter and in System32 alone; the loader of the Unified Runtime then goes along PATH."""
    with done(env, Breakage("ze", (Change("remove", f"{world.BIN}/ze_loader.dll"),))):
        assert opened_outcome(walked(env)) == "fails"
        other = env.parent / "drivers"
        other.mkdir(exist_ok=True)
        (other / "ze_loader.dll").write_bytes((env / world.BIN / "ze_loader.dll.kept").read_bytes())
        paths = (str(other), str(env / world.BIN))
        assert opened_outcome(walked(env, path=paths)) == "loads"


def test_what_only_the_failed_attempt_took_is_not_loaded(env: Path) -> None:
    """torch's second attempt takes sycl8.dll from the working folder; the one that the first attempt had taken is not there."""
    with done(env, Breakage("mmd", (Change("remove", f"{world.BIN}/libmmd.dll"),))):
        whole = env.parent / "whole"
        whole.mkdir(exist_ok=True)
        for name in ("sycl8.dll", "ur_win_proxy_loader.dll"):
            (whole / name).write_bytes((env / world.BIN / name).read_bytes())
        (whole / "libmmd.dll").write_bytes((env / world.BIN / "libmmd.dll.kept").read_bytes())
        facts = walked(env, folder=str(whole))
    assert facts.prediction == "loads" and isinstance(facts.loaded, tuple)
    assert len([row for row in facts.loaded if row.name == "sycl8.dll"]) == 1


def opened_outcome(facts: Libraries) -> str:
    """What became of the Level Zero adapter."""
    assert isinstance(facts.opened, tuple)
    return next(row.outcome for row in facts.opened if row.name == "ur_adapter_level_zero.dll")

"""From a broken environment to the finding: real Intel libraries under a stub torch that really loads them."""

from __future__ import annotations

import ctypes
import dataclasses
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.closure import linux_world as world
from tests.closure import real_wheels
from tests.closure.breakages import Breakage, Change, done
from tests.closure.conftest import need, wheels
from tests.support.cli import doctor, environment, flat
from tests.support.environments import VERSION_PY, StubEnvironment, make_environment
from xpu_doctor.diagnosis.judge import judge
from xpu_doctor.model.facts import Distributions, Environment, Python, Torch, Variable
from xpu_doctor.model.findings import Finding, Severity
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.probes.libraries import closure_facts
from xpu_doctor.rules.runtime import RULES

INIT = """import ctypes, os
from torch.version import __version__
from torch import version, xpu
ctypes.CDLL(os.path.join(os.path.dirname(__file__), "lib", "libtorch_xpu.so"))
if "SURPRISE" in os.environ:
    ctypes.CDLL(os.environ["SURPRISE"])
"""
XPU = "def _is_compiled(): return True\ndef is_available(): return False\ndef device_count(): return 0\n"
RUNTIME = ("libsycl.so.8", "libimf.so", "libsvml.so", "libirng.so", "libintlc.so.5")


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> StubEnvironment:
    """A virtual environment with the real runtime and a stub torch built against it."""
    need("gcc", "nm")
    folder = tmp_path_factory.mktemp("verdict")
    env = make_environment(folder / "env")
    world.copy_tree(wheels("base", "linux", real_wheels.LINUX) / "lib", env.folder / "lib")
    world.copy_tree(wheels("newer-ur", "linux", real_wheels.NEWER_UR) / "lib", folder / "newer")
    adapters = [env.folder / "lib" / f"libur_adapter_{name}.so.0" for name in ("level_zero", "opencl")]
    world.stub_of(env.folder / "lib" / "libze_loader.so.1", adapters, "ze")
    world.stub_of(env.folder / "lib" / "libOpenCL.so.1", adapters, "cl")
    (folder / "oneapi" / "2025.1" / "lib").mkdir(parents=True)
    for name in ("libur_loader.so.0", "libimf.so", "libsvml.so", "libirng.so", "libintlc.so.5"):
        source = folder / "newer" / name if name.startswith("libur") else env.folder / "lib" / name
        shutil.copyfile(source, folder / "oneapi" / "2025.1" / "lib" / name)
    build = folder / "build"
    build.mkdir()
    runtime = tuple(env.folder / "lib" / name for name in RUNTIME)
    c10 = world.gcc(build / "libc10_xpu.so", needed=runtime[:1], rpath=world.TORCH_RPATH)
    world.gcc(build / "libtorch_xpu.so", needed=(c10, *runtime), rpath=world.TORCH_RPATH)
    files: dict[str, str | bytes] = {f"torch/lib/{path.name}": path.read_bytes() for path in build.iterdir()}
    files |= {
        "torch/__init__.py": INIT,
        "torch/xpu/__init__.py": XPU,
        "torch/version.py": VERSION_PY.format(version="2.6.0+xpu", cuda=None, hip=None, xpu="20250002", git="0" * 40),
    }
    pins = tuple(f"{name}==2025.0.4" for name in ("intel-sycl-rt", "intel-cmplr-lib-rt", "intel-cmplr-lib-ur"))
    env.add("torch", "2.6.0+xpu", files, pins)
    for pin in pins:
        env.add(*pin.split("=="), {})  # type: ignore[arg-type]
    return env


def snapshot(env: StubEnvironment, variables: Mapping[str, str]) -> Snapshot:
    """The facts that the static stages and the walk would bring."""
    python = Python(
        executable=str(env.python),
        os="linux",
        version="3.11.7",
        prefix=str(env.folder),
        base_prefix=str(env.folder),
        libc="glibc 2.36",
    )
    torch = Torch(installed=True, version="2.6.0+xpu", path=str(env.site / "torch"))
    facts = closure_facts(python, torch, variables, "/")
    listed = tuple(Variable(name, value) for name, value in variables.items())
    return Snapshot(
        python=python, torch=torch, libraries=facts, environment=Environment(listed), distributions=Distributions(())
    )


def findings(env: StubEnvironment, breakage: Breakage) -> tuple[Finding, ...]:
    """What the rules of the layer say of a breakage."""
    with done(env.folder, breakage):
        judgement = judge([rule() for rule in RULES], snapshot(env, breakage.variables))
    assert not judgement.crashed
    return judgement.findings


def _system_has(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def removed(*names: str) -> Breakage:
    return Breakage("removed", tuple(Change("remove", f"lib/{name}") for name in names))


def test_whole_environment_is_clear(env: StubEnvironment) -> None:
    assert findings(env, Breakage("whole")) == ()
    facts = snapshot(env, {}).libraries
    assert facts.prediction == "loads" and facts.predicted_error == "" and facts.damaged == ()
    assert {row.row: row.outcome for row in facts.opened if isinstance(facts.opened, tuple)}[
        "level-zero-adapter"
    ] == "loads"


@pytest.mark.parametrize(
    "name", ["libsycl.so.8", "libur_loader.so.0", "libimf.so", "libsvml.so", "libirng.so", "libintlc.so.5"]
)
def test_each_dependency_removed(env: StubEnvironment, name: str) -> None:
    found = findings(env, removed(name))
    assert [finding.code for finding in found] == ["shared-library-missing"]
    assert f"→ {name}" in found[0].summary and found[0].severity is Severity.ERROR
    assert found[0].remedies[0].commands


@pytest.mark.parametrize("name", ["libur_adapter_level_zero.so.0", "libumf.so.0", "libhwloc.so.15"])
def test_below_what_is_opened_by_name(env: StubEnvironment, name: str) -> None:
    """Nothing that torch needs says so; the import works and no device is counted."""
    if _system_has(name):
        pytest.skip(f"this system has a {name} of its own")
    found = findings(env, removed(name))
    assert "shared-library-missing" in [finding.code for finding in found]
    assert any(name in finding.summary for finding in found)
    with done(env.folder, removed(name)):
        assert snapshot(env, {}).libraries.prediction == "loads"


def test_wrong_major_version(env: StubEnvironment) -> None:
    found = findings(env, Breakage("nine", (Change("rename", "lib/libsycl.so.8", to="libsycl.so.9"),)))
    assert [finding.code for finding in found] == ["runtime-package-mismatch"]
    assert "there is only libsycl.so.9" in found[0].summary


def test_another_release_inside_the_environment(env: StubEnvironment, tmp_path: Path) -> None:
    """The UR of 2025.1 in the place of 2025.0's: the symbol version tells."""
    own, kept = env.folder / "lib" / "libur_loader.so.0", tmp_path / "kept"
    shutil.copyfile(own, kept)
    own.unlink()
    try:
        shutil.copyfile(env.folder.parent / "newer" / "libur_loader.so.0", own)
        found = findings(env, Breakage("whole"))
    finally:
        own.unlink()
        shutil.copyfile(kept, own)
    assert [finding.code for finding in found] == ["runtime-package-mismatch"]
    assert "LIBUR_LOADER_0.10" in found[0].summary and "LIBUR_LOADER_0.11" in found[0].summary


@pytest.mark.parametrize("variable", ["LD_LIBRARY_PATH", "LD_PRELOAD"])
def test_another_copy_wins(env: StubEnvironment, variable: str) -> None:
    folder = env.folder.parent / "oneapi" / "2025.1" / "lib"
    value = (
        str(folder)
        if variable == "LD_LIBRARY_PATH"
        else f"{folder}/libintlc.so.5 {folder}/libimf.so {folder}/libur_loader.so.0"
    )
    found = findings(env, Breakage("copy", variables={variable: value}))
    assert "oneapi-env-conflict" in [finding.code for finding in found]
    conflict = next(finding for finding in found if finding.code == "oneapi-env-conflict")
    shown = " ".join(item.value for item in conflict.evidence)
    assert f"{folder}/libur_loader.so.0 (2025.1, LIBUR_LOADER_0.11)" in shown
    assert f"{env.folder}/lib/libur_loader.so.0 (LIBUR_LOADER_0.10)" in shown
    assert f"-u {variable}" in conflict.remedies[0].commands[0]


def test_copies_that_fit_are_a_note(env: StubEnvironment, tmp_path: Path) -> None:
    """The same files elsewhere, found first."""
    for name in ("libumf.so.0", "libhwloc.so.15"):
        shutil.copyfile(env.folder / "lib" / name, tmp_path / name)
    found = findings(env, Breakage("copy", variables={"LD_LIBRARY_PATH": str(tmp_path)}))
    assert [(finding.code, finding.severity) for finding in found] == [("oneapi-env-conflict", Severity.INFO)]


def test_adapters_are_looked_for_beside_the_loader_that_is_taken(env: StubEnvironment, tmp_path: Path) -> None:
    """A lone copy of libur_loader fits, loads, and finds no adapter: zero devices, no message."""
    shutil.copyfile(env.folder / "lib" / "libur_loader.so.0", tmp_path / "libur_loader.so.0")
    found = findings(env, Breakage("copy", variables={"LD_LIBRARY_PATH": str(tmp_path)}))
    assert [(finding.code, finding.severity) for finding in found] == [("oneapi-env-conflict", Severity.ERROR)]
    assert any("libur_adapter_level_zero.so.0" in item.value for item in found[0].evidence)


@pytest.mark.parametrize("kind", ["cut", "foreign", "machine", "text"])
def test_damaged_torch_is_told_as_a_fact(env: StubEnvironment, kind: str) -> None:
    """torch-install-broken's matter: no rule of this layer speaks."""
    breakage = Breakage(kind, (Change(kind, str((env.site / "torch/lib/libc10_xpu.so").relative_to(env.folder)), 900),))
    assert findings(env, breakage) == ()
    with done(env.folder, breakage):
        facts = snapshot(env, {}).libraries
    assert isinstance(facts.damaged, tuple) and [Path(row.path).name for row in facts.damaged] == ["libc10_xpu.so"]
    assert facts.prediction == "fails"


def test_a_library_of_torch_that_torch_lacks(env: StubEnvironment) -> None:
    breakage = Breakage(
        "gone", (Change("remove", str((env.site / "torch/lib/libc10_xpu.so").relative_to(env.folder))),)
    )
    with done(env.folder, breakage):
        facts = snapshot(env, {}).libraries
    assert isinstance(facts.damaged, tuple) and [(Path(row.path).name, row.kind) for row in facts.damaged] == [
        ("libc10_xpu.so", "missing")
    ]


def test_other_systems_are_unknown() -> None:
    """No guess where the loader is not modelled."""
    for python in (Python(os="macos"), Python(os="linux", libc="musl")):
        facts = closure_facts(python, Torch(path="/nowhere/torch"), {})
        assert all(
            hasattr(getattr(facts, name), "reason") for name in ("prediction", "faults", "loaded", "opened", "damaged")
        )
    assert dataclasses.replace(closure_facts(Python(), Torch(), {})).prediction


def test_prediction_and_outcome_are_told_together(env: StubEnvironment) -> None:
    """The whole check: the import is really tried, fails as predicted, and stands under its cause."""
    with done(env.folder, removed("libimf.so")):
        document = doctor("check", "--python", str(env.python), "--json").json()
    cause = next(item for item in flat(document["root_causes"]) if item["code"] == "shared-library-missing")
    assert (
        "libtorch_xpu.so → libimf.so; intel-cmplr-lib-rt==2025.0.4 brings it; `import torch` failed as predicted"
        in cause["summary"]
    )
    assert "torch-import-failed" in [item["code"] for item in cause["explains"]]


def test_conflict_is_the_cause_of_the_failed_import(env: StubEnvironment) -> None:
    folder = env.folder.parent / "oneapi" / "2025.1" / "lib"
    document = doctor(
        "check",
        "--python",
        str(env.python),
        "--json",
        env=environment(LD_LIBRARY_PATH=str(folder), SETVARS_COMPLETED="1"),
    ).json()
    cause = next(item for item in document["root_causes"] if item["code"] == "oneapi-env-conflict")
    assert "failed as predicted" in cause["summary"] and "setvars.sh was sourced" in cause["summary"]
    assert "torch-import-failed" in [item["code"] for item in cause["explains"]]


def test_a_failure_that_was_not_predicted_stays_unexplained(env: StubEnvironment) -> None:
    """An error text that speaks of a library without a prediction is an unexplained symptom, never silence."""
    document = doctor(
        "check", "--python", str(env.python), "--json", env=environment(SURPRISE="libsurprise.so.3")
    ).json()
    roots = {item["code"]: item for item in document["root_causes"]}
    assert "torch-import-failed" in roots, [(item["code"], item["summary"]) for item in flat(document["root_causes"])]
    assert document["snapshot"]["libraries"]["prediction"] == "loads"

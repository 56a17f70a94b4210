"""The walk against the real ld.so: the same outcome, the same words, the same files, on the real Intel runtime."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.closure import linux_world as world
from tests.closure import real_wheels
from tests.closure.breakages import Breakage, Change, done, mixed, single
from tests.closure.conftest import need, wheels

TORCH = f"{world.SITE}/torch/lib"
LIBRARIES = (
    *("libsycl.so.8", "libur_loader.so.0", "libimf.so", "libsvml.so", "libirng.so", "libintlc.so.5"),
    *("libumf.so.0", "libhwloc.so.15", "libze_loader.so.1", "libOpenCL.so.1", "libur_adapter_level_zero.so.0"),
)
VICTIMS = (*(f"lib/{name}" for name in LIBRARIES), f"{TORCH}/libc10_xpu.so")
KINDS = (
    *(("remove", 0), ("cut", 0), ("cut", 40), ("cut", 64), ("cut", 512), ("cut", -2)),
    *(("foreign", 0), ("machine", 0), ("text", 0), ("folder", 0)),
)


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the real runtime and a torch of stubs; beside it a oneAPI with a newer UR, and a folder of copies."""
    need("gcc", "nm")
    root = tmp_path_factory.mktemp("linux")
    env = root / "env"
    world.copy_tree(wheels("base", "linux", real_wheels.LINUX), env)
    world.copy_tree(wheels("newer-ur", "linux", real_wheels.NEWER_UR) / "lib", root / "oneapi")
    (root / "copies").mkdir()
    for name in ("libsycl.so.8", "libur_loader.so.0", "libimf.so", "libumf.so.0"):
        shutil.copyfile(env / "lib" / name, root / "copies" / name)
    adapters = [env / "lib" / f"libur_adapter_{name}.so.0" for name in ("level_zero", "opencl")]
    world.stub_of(env / "lib" / "libze_loader.so.1", adapters, "ze")
    world.stub_of(env / "lib" / "libOpenCL.so.1", adapters, "cl")
    (env / TORCH).mkdir(parents=True)
    runtime = [
        env / "lib" / name for name in ("libsycl.so.8", "libimf.so", "libsvml.so", "libirng.so", "libintlc.so.5")
    ]
    c10 = world.gcc(env / TORCH / "libc10_xpu.so", needed=(runtime[0],), rpath=world.TORCH_RPATH)
    world.gcc(env / TORCH / "libtorch_xpu.so", needed=(c10, *runtime), rpath=world.TORCH_RPATH)
    return env


def variables(root: Path) -> tuple[dict[str, str], ...]:
    """Return the environments that make other copies win."""
    one, copies = str(root / "oneapi"), str(root / "copies")
    return (
        {},
        {"LD_LIBRARY_PATH": one},
        {"LD_LIBRARY_PATH": copies},
        {"LD_LIBRARY_PATH": f"{copies}:{one}"},
        {"LD_LIBRARY_PATH": str(root / "env" / "lib")},
        {"LD_LIBRARY_PATH": "oneapi:"},
        {"LD_PRELOAD": f"{one}/libur_loader.so.0"},
        {"LD_PRELOAD": f"{copies}/libumf.so.0", "LD_LIBRARY_PATH": str(root / "env" / "lib")},
        {"LD_PRELOAD": "libnothing.so", "LD_LIBRARY_PATH": f":{one}"},
    )


def breakages(root: Path) -> list[Breakage]:
    """Return over 200 breakages: each damage to each library alone, a wrong major version, conflicts, and mixtures."""
    choices = variables(root)
    renamed = [
        ("libsycl.so.8", "libsycl.so.9"),
        ("libur_loader.so.0", "libur_loader.so.1"),
        ("libumf.so.0", "libumf.so.1"),
    ]
    majors = [Breakage(f"only {new}", (Change("rename", f"lib/{old}", to=new),)) for old, new in renamed]
    conflicts = [Breakage(f"variables {number}", (), choice) for number, choice in enumerate(choices)]
    return [*conflicts, *majors, *single(VICTIMS, KINDS), *mixed(VICTIMS, KINDS, choices, 90, 7)]


def test_walk_says_what_the_real_loader_says(env: Path, program: Path) -> None:
    """All outcomes, first culprits and loaded files are the same over at least 200 breakages."""
    root = env.parent
    names = [str(env / TORCH / "libtorch_xpu.so"), str(env / TORCH / "libc10_xpu.so"), "libsycl.so.8"]
    names += [str(env / "lib" / f"libur_adapter_{name}.so.0") for name in ("level_zero", "opencl")]
    different, failing = [], 0
    cases = breakages(root)
    for breakage in cases:
        with done(env, breakage):
            real = world.truth(program, names, breakage.variables, root)
            ours = world.prediction(program, names, breakage.variables, root)
        failing += any(answer.error for answer in real.answers)
        difference = world.agree(real, ours)
        if difference:
            different.append(f"{breakage.name} {breakage.variables}: {difference}")
    assert len(cases) >= 200 and failing >= 150
    assert not different, "\n".join(different)


def test_split_brain_is_seen(env: Path, program: Path) -> None:
    """DT_RPATH finds the wheel's libsycl, LD_LIBRARY_PATH oneAPI's newer loader under it: the version is missing."""
    environ = {"LD_LIBRARY_PATH": str(env.parent / "oneapi")}
    ours = world.prediction(program, [str(env / TORCH / "libtorch_xpu.so")], environ, env.parent)
    assert "version `LIBUR_LOADER_0.10' not found" in ours.answers[0].error
    assert "oneapi/libur_loader.so.0" in ours.answers[0].error and "required by" in ours.answers[0].error
    assert (
        ours.answers[0].error
        == world.truth(program, [str(env / TORCH / "libtorch_xpu.so")], environ, env.parent).answers[0].error
    )

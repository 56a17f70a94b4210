"""Each manager's own commands: their order, their words, and which environment they are for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.remedies.test_install import LINUX, PIP, SITE
from xpu_doctor.model.facts import Distribution, Distributions, Installer, Torch
from xpu_doctor.model.facts.combined import Installation
from xpu_doctor.model.findings import Remedy
from xpu_doctor.remedies.install import reinstall
from xpu_doctor.remedies.runtime import newer_cpp_runtime

CPU = Torch(installed=True, version="2.14.0+cpu", build="cpu")


def dist(name: str, version: str, installer: str = "pip") -> Distribution:
    """A distribution of the environment."""
    return Distribution(
        name, version, SITE, f"{SITE}/{name.replace('-', '_')}-{version}.dist-info", installer=installer
    )


MIXED = Distributions(installed=(dist("torch", "2.14.0+cpu"), dist("triton", "3.8.0")))


def remedy(manager: str, installed: Distributions = MIXED, torch: Torch = CPU, **facts: object) -> Remedy:
    """What is printed for an environment in /work."""
    python = replace(LINUX, executable="/work/.venv/bin/python", prefix="/work/.venv", real_prefix="/work/.venv")
    moved = tuple(
        replace(row, location=_moved(row.location), metadata_path=_moved(row.metadata_path))
        for row in installed.installed
    )  # type: ignore[union-attr]
    return reinstall(
        Installation(
            python, Distributions(installed=moved), replace(PIP, manager=manager, project="/work", **facts), torch
        )
    )[0]  # type: ignore[arg-type]


def _moved(path: str) -> str:
    return path.replace("/venv/", "/work/.venv/")


def steps(found: Remedy) -> list[str]:
    """The steps of the one line."""
    (line,) = found.commands
    return line.split(" && ")


def test_pdm() -> None:
    """The lock asks the index; only then goes what shares its folder with the new package."""
    first, lock, rm, install = steps(remedy("pdm", has_pip=False))
    assert first == "pdm config --project /work --local pypi.pytorch-xpu.url https://download.pytorch.org/whl/xpu"
    assert (
        lock
        == "pdm add --project /work --no-sync torch==2.14.0+xpu torchvision==0.29.0+xpu torchaudio==2.11.0+xpu triton-xpu==3.8.0"
    )
    site = "/work/.venv/lib/python3.12/site-packages"
    assert rm == f"rm -rf -- {site}/triton {site}/triton-3.8.0.dist-info" and install == "pdm install --project /work"


def test_pipenv() -> None:
    """pip changes the environment; pipenv locks what it finds, for the project and not for the environment of the shell."""
    found = steps(remedy("pipenv"))
    assert [step.split(" -m ")[-1].split()[1] for step in found[:3]] == ["download", "uninstall", "install"]
    assert found[3].startswith(
        "env PIPENV_PIPFILE=/work/Pipfile PIPENV_IGNORE_VIRTUALENVS=1 pipenv install --index https://download.pytorch.org/whl/xpu torch=="
    )


def test_poetry_is_not_led_astray() -> None:
    """The environment that the shell has active is not that of the project."""
    found = steps(remedy("poetry", has_pip=False))
    assert (
        all(step.startswith("env -u VIRTUAL_ENV -u CONDA_PREFIX poetry ") for step in found if "poetry" in step)
        and len(found) == 4
    )
    assert found[2].startswith("rm -rf -- /work/.venv/lib/python3.12/site-packages/triton ")


@pytest.mark.parametrize("installer", ["pip", "uv", "Poetry 2.5.1", "pdm"])
def test_a_lost_record_is_deleted_whoever_installed_it(installer: str) -> None:
    """poetry, too, fails in the middle of its work where it cannot uninstall."""
    lost = replace(dist("torch", "2.14.0+cpu", installer), record=False)
    manager = "poetry" if installer.startswith("Poetry") else "pip"
    line = remedy(manager, Distributions(installed=(lost,)), has_pip=True).commands[0]
    site = "/work/.venv/lib/python3.12/site-packages"
    assert f"rm -rf -- {site}/torch {site}/torch-2.14.0+cpu.dist-info" in line


def test_hatch() -> None:
    """It has no command that adds a requirement; the text says what to write, for which environment."""
    found = remedy("hatch", environment="gpu")
    assert found.manager == "pip (hatch)" and "[tool.hatch.envs.gpu.env-vars]" in found.why
    assert "uv pip install" in remedy("hatch", has_pip=False, uv="command").commands[0]


def test_pixi() -> None:
    """What conda installed leaves the manifest by pixi; the environment changes in the last step alone."""
    installed = Distributions(installed=(dist("torch", "2.5.1", "conda"), dist("torchvision", "0.20.0", "conda")))
    found = steps(remedy("pixi", installed, environment="default"))
    assert found[0] == "pixi remove --manifest-path /work --no-install pytorch torchvision"
    assert found[1].startswith(
        "pixi add --manifest-path /work --no-install --pypi --index https://download.pytorch.org/whl/xpu torch=="
    )
    assert found[2] == "pixi install --manifest-path /work" and "conda remove" not in " ".join(found)


def test_pixi_with_environments() -> None:
    """Features make up a named environment: which one holds torch is the manifest's matter, so that the text says what to write."""
    found = remedy("pixi", environment="gpu")
    assert (
        not found.commands
        and 'torch = { version = "==2.14.0+xpu", index = "https://download.pytorch.org/whl/xpu" }' in found.why
    )
    assert "pixi install --environment gpu" in found.why


@pytest.mark.parametrize("program", ["conda", "mamba", "micromamba"])
def test_conda_by_its_own_name(program: str) -> None:
    """Whoever has micromamba alone has no conda."""
    installed = Distributions(installed=(dist("torch", "2.5.1", "conda"),))
    assert f"{program} remove --yes --prefix /work/.venv pytorch" in steps(remedy("conda", installed, conda=program))


def test_a_newer_cpp_runtime_by_the_program_that_keeps_the_environment() -> None:
    """conda has no business in an environment of pixi's, nor is it there where micromamba is."""
    assert (
        newer_cpp_runtime(LINUX, Installer(manager="conda", conda="micromamba"))
        .commands[0]
        .startswith("micromamba install --yes --prefix /venv ")
    )
    found = newer_cpp_runtime(LINUX, Installer(manager="pixi", project="/work/pixi.toml"))
    assert found.commands == ("pixi add --manifest-path /work/pixi.toml libstdcxx-ng libgcc-ng",)


def test_member_of_a_workspace() -> None:
    """`uv add` needs the member; without one to add to, uv changes the environment alone and the text says so."""
    assert steps(remedy("uv-project", package="app"))[0].startswith("uv add --project /work --package app --no-cache ")
    found = remedy("uv-project", virtual_root=True)
    assert "uv add" not in found.commands[0] and "may undo this" in found.why


def test_a_trial_comes_before_what_takes_away() -> None:
    """A lock that was written is not yet one that can be installed."""
    lock, trial, out, sync = steps(remedy("uv-project"))
    assert " --no-sync " in lock and " uninstall " in out
    assert trial == sync.replace("--no-cache", "--no-cache --dry-run")


def test_uv_environment_elsewhere() -> None:
    """Beside a lock file, but not where uv looks for the project's environment: uv would make another one."""
    python = replace(LINUX, prefix="/work/env", executable="/work/env/bin/python")
    installer = Installer(manager="uv-project", project="/work", settings=(), uv="command")
    found = reinstall(
        Installation(python, Distributions(installed=(Distribution("torch", "2.14.0+cpu"),)), installer, CPU)
    )[0]
    assert found.commands[0].startswith("env UV_PROJECT_ENVIRONMENT=/work/env uv add ")

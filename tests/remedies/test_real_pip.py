"""The printed commands, carried out by real pip in real environments against a loopback index."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.remedies.environments import World
from tests.support.fake_index import torch
from xpu_doctor.remedies.install import NEW_FOLDER
from xpu_doctor.remedies.packages import requirement
from xpu_doctor.tables.releases import STABLE

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the commands are pasted into sh")
ROOT = Path(__file__).parents[2]
OFFICIAL = "install", "torch", "--index-url"


def pip_world(world: World, folder: str = "env", *names: str) -> World:
    """An environment with pip and a CPU torch."""
    world.venv(world.home / folder)
    world.put("cpu", *(names or ("torch==2.14.0+cpu", "torchvision", "torchaudio", "triton")))
    return world


def causes(world: World) -> list[dict[str, Any]]:
    """The root causes that a check of the wheel prints."""
    arguments = ("check", "--python", world.python, "--only", "wheel", "--json")
    run = world.run(sys.executable, "-m", "xpu_doctor", *arguments, check=False, cwd=ROOT)
    found: list[dict[str, Any]] = json.loads(run.stdout)["root_causes"]
    return found


def test_cpu_wheel_becomes_xpu_wheel(world: World) -> None:
    """Uninstall, install, and the plain triton is gone with its files replaced."""
    pip_world(world)
    (remedy,) = world.remedies()
    assert remedy.manager == "pip"
    world.obey(remedy)
    names = world.names()
    assert (
        names["torch"] == "2.14.0+xpu" and names["torchvision"] == "0.29.0+xpu" and names["torchaudio"] == "2.11.0+xpu"
    )
    assert "triton" not in names and world.version("triton") == "triton-xpu 3.8.0"
    assert (world.home / "env" / "lib" / "libsycl.so.9").exists()


def test_what_the_report_prints(world: World) -> None:
    """The whole way: the report's own commands, with nothing but the index's address changed, make a CPU torch an XPU torch."""
    pip_world(world, "my env")
    (cause,) = causes(world)
    assert cause["code"] == "torch-cpu-wheel"
    for line in cause["remedies"][0]["commands"]:
        world.run("sh", "-c", line.replace(STABLE, world.urls["xpu"]))
    assert world.version() == "2.14.0+xpu"
    assert causes(world) == []


def test_the_usual_advice_does_nothing(world: World) -> None:
    """Why the uninstall is part of the sequence: without it pip is satisfied."""
    pip_world(world)
    world.run(world.python, "-m", "pip", *OFFICIAL, world.urls["xpu"])
    assert world.version() == "2.14.0+cpu"


def hostile(world: World, tmp_path: Path) -> None:
    """Settings that offer a newer CPU torch: find-links in the user's file, an extra index in a variable."""
    links = tmp_path / "links"
    links.mkdir()
    wheel = torch("2.99.0+cpu")
    (links / wheel.filename).write_bytes(wheel.content())
    settings = world.home / ".config" / "pip"
    settings.mkdir(parents=True)
    (settings / "pip.conf").write_text(
        f"[global]\nfind-links = {links}\ndefault-timeout = 30\n[install]\nno-binary = nothing\n"
    )
    del world.variables["PIP_CONFIG_FILE"]
    world.variables["PIP_EXTRA_INDEX_URL"] = world.urls["cpu"]


def test_hostile_settings_bring_a_cpu_wheel(world: World, tmp_path: Path) -> None:
    """The control: with these settings pip installs a CPU build from the XPU index's command line and exits 0."""
    pip_world(world)
    hostile(world, tmp_path)
    world.run(world.python, "-m", "pip", "uninstall", "-y", "torch")
    world.run(world.python, "-m", "pip", *OFFICIAL, world.urls["xpu"])
    assert world.version() == "2.99.0+cpu"


def test_hostile_settings_are_shut_out(world: World, tmp_path: Path) -> None:
    """The remedy names the settings, works around them and keeps what the network needs."""
    pip_world(world)
    hostile(world, tmp_path)
    (remedy,) = world.remedies()
    assert "find-links" in remedy.why and "PIP_EXTRA_INDEX_URL" in remedy.why
    assert any("--default-timeout 30" in line for line in remedy.commands)
    world.obey(remedy)
    assert world.version() == "2.14.0+xpu"


def test_hostile_variables_alone(world: World) -> None:
    """PIP_NO_INDEX and PIP_TARGET would end the install, or put it elsewhere."""
    pip_world(world)
    world.variables.update(PIP_NO_INDEX="1", PIP_TARGET=str(world.home / "elsewhere"))
    (remedy,) = world.remedies()
    world.obey(remedy)
    assert world.version() == "2.14.0+xpu" and not (world.home / "elsewhere").exists()


def test_exact_requirement_fails_loudly(world: World, tmp_path: Path) -> None:
    """Where the XPU wheel is out of reach, the pinned label ends the command with an error instead of a CPU build."""
    pip_world(world)
    hostile(world, tmp_path)
    world.run(world.python, "-m", "pip", "uninstall", "-y", "torch")
    tried = world.run(
        world.python, "-m", "pip", "install", "torch==2.14.0+xpu", "--index-url", world.urls["cpu"], check=False
    )
    assert tried.returncode != 0 and world.version() == ""


@pytest.mark.parametrize("folder", ["my env", "Пример größe", "it's $HOME", 'a "quoted" `name`'])
def test_awkward_paths(world: World, folder: str) -> None:
    """Spaces, other scripts, and signs that a shell would read."""
    pip_world(world, folder)
    (remedy,) = world.remedies()
    world.obey(remedy)
    assert world.version() == "2.14.0+xpu"
    assert (
        world.run(
            "sh", "-c", remedy.verify[0].replace("import torch;", "import torch; raise SystemExit(0);")
        ).returncode
        == 0
    )


def test_nightly_stays_nightly(world: World) -> None:
    """A nightly is replaced by a nightly, with --pre and from the nightly index."""
    world.venv(world.home / "env")
    wheel = torch("2.16.0.dev20261101+cpu")
    (world.home / wheel.filename).write_bytes(wheel.content())
    world.run(world.python, "-m", "pip", "install", "--no-deps", "--no-index", world.home / wheel.filename)
    (remedy,) = world.remedies()
    world.obey(remedy)
    assert world.version() == "2.16.0.dev20261101+xpu" and world.version("triton") == "triton-xpu 3.9.0"


def test_triton_folders_that_overwrote_each_other(world: World) -> None:
    """Every triton distribution is taken out, whatever its name."""
    pip_world(world, "env", "torch==2.14.0+cpu", "triton")
    world.put("xpu", "triton-xpu")
    (remedy,) = world.remedies()
    world.obey(remedy)
    assert world.version("triton") == "triton-xpu 3.8.0" and "triton" not in world.names()


def site_of(world: World) -> Path:
    """The environment's site-packages."""
    return next((world.home / "env" / "lib").glob("python*/site-packages"))


def test_doubled_registration(world: World) -> None:
    """Two dist-info folders of torch take two uninstalls."""
    pip_world(world, "env", "torch==2.14.0+cpu")
    second = site_of(world) / "torch-2.13.0+cpu.dist-info"
    second.mkdir()
    files = {"METADATA": "Metadata-Version: 2.1\nName: torch\nVersion: 2.13.0+cpu\n", "INSTALLER": "pip\n"}
    files["RECORD"] = "".join(f"{second.name}/{name},,\n" for name in (*files, "RECORD"))
    for name, text in files.items():
        (second / name).write_text(text)
    (remedy,) = world.remedies()
    world.obey(remedy)
    assert [path.name for path in site_of(world).glob("torch-*.dist-info")] == ["torch-2.14.0+xpu.dist-info"]
    assert world.version() == "2.14.0+xpu"


def test_files_of_two_versions(world: World) -> None:
    """A file that no RECORD knows survives an uninstall; the sequence for a damaged install deletes the folder."""
    pip_world(world, "env", "torch==2.14.0+cpu")
    stale = site_of(world) / "torch" / "lib" / "libtorch_old.so"
    stale.write_text("of another version")
    (remedy,) = world.remedies(broken=True)
    world.obey(remedy)
    assert not stale.exists() and world.version() == "2.14.0+xpu"


def test_lost_record(world: World) -> None:
    """Without RECORD pip refuses to uninstall torch; the sequence leaves it to the deletion."""
    pip_world(world)
    next(site_of(world).glob("torch-2*.dist-info/RECORD")).unlink()
    (remedy,) = world.remedies(broken=True)
    world.obey(remedy)
    assert world.names()["torch"] == "2.14.0+xpu" and world.version() == "2.14.0+xpu"


def test_environment_without_pip(world: World) -> None:
    """pip is brought in by ensurepip first."""
    pip_world(world)
    world.run(world.python, "-m", "pip", "uninstall", "-y", "pip")
    (remedy,) = world.remedies()
    assert "ensurepip" in remedy.commands[0]
    world.obey(remedy)
    assert world.version() == "2.14.0+xpu"


def test_interpreter_of_the_system(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An externally managed interpreter is left alone: the commands make an environment of its own."""
    world.python = Path(sys.executable)
    facts = world.snapshot()
    monkeypatch.setattr(World, "snapshot", lambda self, folder=None: _externally_managed(facts))
    (remedy,) = world.remedies()
    world.obey(remedy)
    world.python = world.home / NEW_FOLDER / "bin" / "python"
    assert world.version() == "2.14.1+xpu"


def _externally_managed(facts: object) -> object:
    from dataclasses import replace

    from xpu_doctor.model.snapshot import Snapshot

    assert isinstance(facts, Snapshot)
    return replace(facts, installer=replace(facts.installer, manager="system", externally_managed=True))


def test_a_torch_on_pythonpath_is_passed_by(world: World) -> None:
    """`pip install --target` and PYTHONPATH: the commands fill the environment, which counts once PYTHONPATH is left out."""
    world.venv(world.home / "env")
    target = world.home / "target"
    world.put("cpu", "torch==2.14.0+cpu", "--target", str(target))
    world.variables["PYTHONPATH"] = str(target)
    (remedy,) = world.remedies()
    world.obey(remedy)
    assert world.version() == "2.14.0+cpu" and (target / "torch").is_dir()
    del world.variables["PYTHONPATH"]
    assert world.version() == "2.14.0+xpu"


def test_a_missing_requirement_comes_back(world: World) -> None:
    """Its file is gone and its metadata is there: a plain install would do nothing, this one brings it back and leaves torch alone."""
    pip_world(world, "env", "torch==2.14.0+cpu", "numpy")
    facts = world.snapshot()
    (site,) = (world.home / "env" / "lib").glob("python3*/site-packages")
    shutil.rmtree(site / "numpy")
    world.variables["PIP_INDEX_URL"] = world.urls["cpu"]
    remedy = requirement(facts.python, facts.installer, "numpy>=1.0")
    world.obey(remedy)
    assert "2.0" in world.version("numpy") and world.version() == "2.14.0+cpu"

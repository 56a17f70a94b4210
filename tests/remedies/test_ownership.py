"""Whose a torch is: real environments beside, below and around the one that is examined keep every file."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.remedies.environments import World, template
from xpu_doctor.model.facts import Distribution, Python
from xpu_doctor.remedies.ownership import Owner, owner_of, owner_of_distribution, wins_over_own

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the commands are pasted into sh")
SITE = "/venv/lib/python3.12/site-packages"
VENV = Python(
    os="linux",
    prefix="/venv",
    real_prefix="/srv/venv",
    base_prefix="/usr",
    virtual_environment=True,
    user_site="/home/u/.local/lib/python3.12/site-packages",
)


@pytest.mark.parametrize(
    ("location", "real", "owner"),
    [
        (SITE, "/srv/venv/lib/python3.12/site-packages/torch", Owner.TARGET),
        (SITE, "/srv/other/lib/python3.12/site-packages/torch", Owner.ENVIRONMENT),
        ("/usr/lib/python3/dist-packages", "", Owner.SYSTEM),
        ("/usr/local/lib/python3.12/dist-packages", "", Owner.BASE),
        ("/home/u/.local/lib/python3.12/site-packages", "", Owner.USER),
        ("/srv/other/lib/python3.12/site-packages", "", Owner.ENVIRONMENT),
        ("/venv/src/pytorch", "", Owner.FOLDER),
        ("", "", Owner.UNKNOWN),
    ],
)
def test_owners(location: str, real: str, owner: Owner) -> None:
    """By where it lies with links followed."""
    assert owner_of(location, VENV, real) is owner


def test_the_operating_system() -> None:
    """Its interpreter's own packages are never the target's; an INSTALLER of its packages counts as well."""
    system = Python(os="linux", prefix="/usr", base_prefix="/usr", virtual_environment=False)
    assert owner_of("/usr/lib/python3.9/site-packages", system) is Owner.SYSTEM
    assert (
        owner_of(
            "/usr/local/lib/python3.12/site-packages", Python(os="linux", prefix="/usr/local", base_prefix="/usr/local")
        )
        is Owner.TARGET
    )
    dist = Distribution("torch", location=SITE, installer="debian")
    assert owner_of_distribution(dist, VENV) is Owner.SYSTEM


def test_an_environment_inside_of_another() -> None:
    """conda keeps its environments below its own prefix."""
    base = Python(os="linux", prefix="/opt/conda", base_prefix="/opt/conda", virtual_environment=False)
    assert owner_of("/opt/conda/envs/x/lib/python3.12/site-packages", base) is Owner.ENVIRONMENT


def test_order_on_the_path() -> None:
    """What stands before the own packages cannot be hidden by them."""
    python = Python(os="linux", prefix="/venv", sys_path=("/first", SITE, "/last"))
    assert wins_over_own("/first", python) and not wins_over_own("/last", python)


def hashes(*folders: Path) -> dict[str, str]:
    """Every file and link of some folders; bytecode, which imports write, left out."""
    found: dict[str, str] = {}
    for folder in folders:
        for path in folder.rglob("*"):
            if path.suffix != ".pyc" and (path.is_file() or path.is_symlink()):
                found[str(path)] = (
                    os.readlink(path) if path.is_symlink() else hashlib.sha256(path.read_bytes()).hexdigest()
                )
    return found


def site_of(environment: Path) -> Path:
    """The site-packages of an environment."""
    return next((environment / "lib").glob("python*/site-packages"))


def mended(world: World, *others: Path, broken: bool = False, version: str = "2.14.0+xpu") -> None:
    """Obey the remedy: the environment works, and nothing else has changed."""
    before = hashes(*others)
    assert before
    (remedy,) = world.remedies(broken=broken)
    world.obey(remedy)
    assert hashes(*others) == before
    assert world.version() == version


def test_a_path_file_to_another_environment(world: World) -> None:
    """`.pth` shows the torch of another environment: it stays, and the one that is installed here hides it."""
    other = world.home / "other"
    world.venv(other)
    world.put("cpu", "torch==2.14.0+cpu", "torchvision")
    world.venv(world.home / "env")
    (site_of(world.home / "env") / "other.pth").write_text(f"{site_of(other)}\n")
    assert world.version() == "2.14.0+cpu"
    mended(world, other, broken=True)


@pytest.mark.parametrize("uv", [False, True], ids=["pip", "uv"])
def test_a_folder_of_pythonpath(world: World, uv: bool) -> None:
    """`pip install --target` and PYTHONPATH: every file there stays, and the environment counts once the variable is left out."""
    world.venv(world.home / "env", uv=uv)
    target = world.home / "target"
    world.put("cpu", "torch==2.14.0+cpu", "torchvision", "--target", str(target))
    world.variables["PYTHONPATH"] = str(target)
    before = hashes(target)
    (remedy,) = world.remedies(broken=True)
    assert "rm -rf" not in " ".join(remedy.commands) and "uninstall" not in " ".join(remedy.commands)
    world.obey(remedy)
    assert hashes(target) == before and world.version() == "2.14.0+cpu"
    del world.variables["PYTHONPATH"]
    assert world.version() == "2.14.0+xpu"


def test_an_editable_install(world: World) -> None:
    """The link goes, the sources stay; no release has the version of a build of one's own, so the newest sure one comes."""
    source = world.home / "src"
    (source / "torch").mkdir(parents=True)
    (source / "torch" / "__init__.py").write_text("from .version import __version__\n")
    (source / "torch" / "version.py").write_text("__version__ = '2.14.0a0+git1234567'\nxpu = None\ncuda = None\n")
    world.venv(world.home / "env")
    site = site_of(world.home / "env")
    info = site / "torch-2.14.0a0+git1234567.dist-info"
    info.mkdir()
    (site / "__editable__.torch.pth").write_text(f"{source}\n")
    files = {"METADATA": "Metadata-Version: 2.1\nName: torch\nVersion: 2.14.0a0+git1234567\n", "INSTALLER": "pip\n"}
    files["direct_url.json"] = '{"dir_info": {"editable": true}, "url": "file://' + str(source) + '"}'
    files["RECORD"] = "__editable__.torch.pth,,\n" + "".join(f"{info.name}/{name},,\n" for name in (*files, "RECORD"))
    for name, text in files.items():
        (info / name).write_text(text)
    mended(world, source, broken=True, version="2.14.1+xpu")


def test_the_users_own_packages(world: World) -> None:
    """`pip install --user` beside an interpreter outside of a virtual environment would win: it stays, and the commands leave it out."""
    base = world.home / "env"
    subprocess.run(
        [sys.executable, "-m", "venv", "--system-site-packages", "--without-pip", str(base)],
        check=True,
        capture_output=True,
    )
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    user = world.home / ".local" / "lib" / version / "site-packages"
    user.parent.mkdir(parents=True)
    helper = World(world.home, world.urls, variables={"PIP_CONFIG_FILE": "/dev/null"})
    helper.venv(world.home / "helper")
    helper.put("cpu", "--target", str(user), "torch==2.14.0+cpu")
    site_of(base).rmdir()
    site_of(template()).exists()
    subprocess.run(["cp", "-a", str(site_of(template())), str(base / "lib" / version / "site-packages")], check=True)
    world.python = base / "bin" / "python"
    assert world.version() == "2.14.0+cpu"
    mended(world, user, broken=True)


@pytest.mark.parametrize("uv", [False, True], ids=["pip", "uv"])
def test_registered_and_gone(world: World, uv: bool) -> None:
    """The XPU build is registered and its folder is not there: a plain install would do nothing."""
    world.venv(world.home / "env", uv=uv)
    world.put("xpu", "torch==2.14.0+xpu")
    subprocess.run(["rm", "-rf", str(site_of(world.home / "env") / "torch")], check=True)
    assert world.version() == ""
    mended(world, template())


@pytest.mark.parametrize("uv", [False, True], ids=["pip", "uv"])
def test_a_folder_without_metadata(world: World, uv: bool) -> None:
    """Nobody can uninstall it: the folder goes, so that the new wheel does not land on what is left."""
    world.venv(world.home / "env", uv=uv)
    world.put("cpu", "torch==2.14.0+cpu")
    site = site_of(world.home / "env")
    (site / "torch" / "stale.py").write_text("")
    subprocess.run(["rm", "-rf", *map(str, site.glob("torch-*.dist-info"))], check=True)
    mended(world, template())
    assert not (site / "torch" / "stale.py").exists()


def test_nothing_is_lost_where_the_index_does_not_answer(world: World) -> None:
    """The first step fails, and the torch that was there is still there."""
    world.venv(world.home / "env")
    world.put("cpu", "torch==2.14.0+cpu", "triton")
    world.urls = {**world.urls, "xpu": "http://127.0.0.1:9/none"}
    world.variables.update(PIP_RETRIES="0")
    before = hashes(site_of(world.home / "env"))
    (remedy,) = world.remedies()
    done = world.run("sh", "-c", "\n".join(remedy.commands), check=False)
    assert done.returncode != 0 and world.version() == "2.14.0+cpu"
    assert hashes(site_of(world.home / "env")) == before

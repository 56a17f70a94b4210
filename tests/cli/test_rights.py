"""Root and another user's environment; and programs of the working folder that are called like our libraries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.support.cli import doctor, environment
from xpu_doctor.process.account import Account, owner_of
from xpu_doctor.target.rights import Rights, rights_for

STRANGER = 54321
ROOT_ONLY = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs root")
SPY = "import os; open({where!r}, 'a').write('%d %s %s\\n' % (os.geteuid(), os.environ.get('HOME'), sorted(os.getgroups())))\n"


def _python_for_everybody() -> str | None:
    """An interpreter that a user without rights may start."""
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            done = subprocess.run(
                [python, "-I", "-c", ""],
                user=STRANGER,
                group=STRANGER,
                extra_groups=[],
                check=False,
                capture_output=True,
            )
        except OSError:
            continue
        if done.returncode == 0:
            return python
    return None


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A venv of another user, whose start-up and whose torch write down with what rights they run."""
    python = _python_for_everybody()
    if python is None:
        pytest.skip("no interpreter here may be started by another user")
    env = tmp_path / "theirs"
    subprocess.run([python, "-m", "venv", "--without-pip", str(env)], check=True)
    [site] = env.glob("lib/python*/site-packages")
    trace = env / "trace"
    trace.write_text("")
    (site / "spy.pth").write_text("import spy_at_start\n" + str(env / "more") + "\n")
    (site / "spy_at_start.py").write_text(SPY.format(where=str(trace)))
    (env / "more").mkdir()
    (site / "torch").mkdir()
    (site / "torch" / "__init__.py").write_text("__version__ = '2.14.0+xpu'\n" + SPY.format(where=str(trace)))
    (site / "torch" / "version.py").write_text("__version__ = '2.14.0+xpu'\nxpu = '20260000'\ncuda = None\n")
    (site / "torch-2.14.0+xpu.dist-info").mkdir()
    (site / "torch-2.14.0+xpu.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: torch\nVersion: 2.14.0+xpu\n"
    )
    for folder in (tmp_path, *tmp_path.parents):
        if folder == Path(tempfile.gettempdir()):
            break
        folder.chmod(0o755)
    for path in (env, *env.rglob("*")):
        os.chown(path, STRANGER, STRANGER, follow_symlinks=False)
    return env


def _trace(env: Path) -> list[str]:
    return (env / "trace").read_text().splitlines()


@ROOT_ONLY
def test_the_owners_rights(foreign: Path) -> None:
    """Everything of the environment runs with its owner's rights, and root is told so before, on stderr and in the document."""
    run = doctor("check", "--python", str(foreign), "--json", env=environment(SUDO_USER="somebody"))
    document = json.loads(run.stdout)
    assert _trace(foreign), "the environment's own code did not run at all"
    assert {line.split()[0] for line in _trace(foreign)} == {str(STRANGER)}
    assert all("/root" not in line and line.endswith(f"[{STRANGER}]") for line in _trace(foreign))
    assert f"belongs to user {STRANGER}, and you are root" in run.stderr
    assert any("with the rights of" in note for note in document["notes"])
    assert document["snapshot"]["access"]["is_root"] is False
    assert document["snapshot"]["imported"]["succeeded"] is True


@ROOT_ONLY
def test_roots_rights_where_they_are_asked_for(foreign: Path) -> None:
    """`--no-as-owner` keeps root's rights, and says so."""
    run = doctor("check", "--python", str(foreign), "--json", "--no-as-owner")
    assert "0" in {line.split()[0] for line in _trace(foreign)}
    assert "runs with root's rights, as --no-as-owner asks" in run.stderr


@ROOT_ONLY
def test_without_import_nothing_of_the_environment_runs_as_root(foreign: Path) -> None:
    """Where root keeps its rights, `--skip import` reads files only, and finds the same torch and the same path."""
    run = doctor("check", "--python", str(foreign), "--json", "--no-as-owner", "--skip", "import")
    document = json.loads(run.stdout)
    assert _trace(foreign) == []
    assert document["snapshot"]["torch"]["version"] == "2.14.0+xpu"
    python = document["snapshot"]["python"]
    assert python["prefix"] == str(foreign)
    assert python["virtual_environment"] is True
    assert str(foreign / "more") in python["sys_path"]


@ROOT_ONLY
def test_an_owner_who_may_not_start_it(tmp_path: Path) -> None:
    """An environment whose interpreter its owner may not start keeps root's rights, in words."""
    env = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(env)], check=True)
    os.chown(env, STRANGER, STRANGER)
    env.chmod(0o700)
    tmp_path.chmod(0o700)
    run = doctor("check", "--python", str(env), "--skip", "import", "--json")
    assert "cannot be started with the rights of" in run.stderr
    assert json.loads(run.stdout)["target"]["version"]


@ROOT_ONLY
def test_own_environments_are_nobody_elses(tmp_path: Path) -> None:
    """An environment of root's needs no word."""
    env = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(env)], check=True)
    assert rights_for(str(env / "bin" / "python")) == Rights()


def test_nobody_is_not_somebody_to_become(tmp_path: Path) -> None:
    """Files that a user namespace cannot attribute look like nobody's."""
    assert owner_of(str(tmp_path / "none")) is None


def test_variables_of_an_account() -> None:
    """The home folder is the owner's; what sudo left is not."""
    variables = Account(7, 7, (7,), "ada", "/home/ada").variables(
        {"HOME": "/root", "SUDO_USER": "x", "XDG_RUNTIME_DIR": "/run/user/0", "PATH": "/bin"}
    )
    assert variables == {"HOME": "/home/ada", "USER": "ada", "LOGNAME": "ada", "PATH": "/bin"}


NAMES = (
    "__future__",
    "os",
    "signal",
    "click",
    "json",
    "msgspec",
    "difflib",
    "random",
    "psutil",
    "tabulate",
    "shlex",
    "typing",
    "dataclasses",
    "tomllib",
    "packaging",
    "sitecustomize",
)


@pytest.mark.parametrize(
    "arguments",
    [("--version",), ("codes",), ("explain", "torch-cpu-wheel"), ("check", "--skip", "import"), ("triage", "-")],
)
def test_nothing_of_the_working_folder_runs(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """`python -m xpu_doctor` puts the working folder first: a click.py in it must not run."""
    here = tmp_path / "download"
    here.mkdir()
    for name in NAMES:
        (here / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write('{name} ')\n")
    subprocess.run(
        [sys.executable, "-m", "xpu_doctor", *arguments],
        cwd=here,
        env=environment(),
        input=b"nothing",
        capture_output=True,
        check=False,
    )
    assert not (tmp_path / "ran").exists(), (tmp_path / "ran").read_text()

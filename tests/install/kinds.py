"""Kinds of environments, each built once by its own manager as a template that is copied for every trial."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cli.test_distribution_torch import rebuilt
from tests.install.states import CPU, LIBRARY, install
from tests.remedies.environments import copied, template

UV = str(Path(sys.executable).with_name("uv"))
BASE = Path(sys.base_prefix)
VERSION = f"python{sys.version_info[0]}.{sys.version_info[1]}"
SITE = f"lib/{VERSION}/site-packages"
DEBIAN = "/usr/lib/python3/dist-packages"
SECONDS = 300
ROOT = Path(__file__).parents[2]
_NEEDED = (sys.prefix, sys.base_prefix, str(ROOT))
_KEPT = tuple(word for folder in _NEEDED if folder.startswith("/tmp/") for word in ("--ro-bind", folder, folder))
BOX = ("bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", *_KEPT)
"""A machine that is read-only, with an empty folder for temporary files but for what runs the trials."""
REQUIRES = 'requires-python = ">=3.10,<4"'
TOOLS = {"poetry": "poetry>=2,<3", "pdm": "pdm[locked]>=2.20", "pipenv": "pipenv", "hatch": "hatch"}
"""Managers that PyPI has, each installed into an environment of its own."""


class NotHere(Exception):
    """This kind cannot be built on this machine; the message says why."""


@dataclass(frozen=True)
class Layout:
    """Where the parts of an environment lie, relative to the place that is copied (an absolute path stands for itself)."""

    python: str = "env/bin/python"
    site: str = f"env/{SITE}"
    """Where the torch lies that the state is about."""
    target: str = "env"
    """What the commands may change."""
    work: str = "work"
    """Where the commands are typed."""
    files: tuple[str, ...] = ()
    """Files of the project that its manager writes."""
    installer: str = "pip"
    variables: Mapping[str, str] = field(default_factory=dict)
    """Variables of the person's shell; `{place}` stands for the place."""
    mounts: tuple[tuple[str, str], ...] = ()
    """A folder of the place and where it is mounted; an empty one hides what is there."""
    frozen: bool = False
    """Whether the environment is mounted read-only."""
    new: bool = False
    """Whether a new environment is made, as nothing may be changed in this one."""


@dataclass(frozen=True)
class Ground:
    """What a builder needs."""

    place: Path
    home: Path
    urls: Mapping[str, str]
    tools: Path

    def run(self, *argv: str | Path, cwd: Path | None = None, **variables: str) -> str:
        """Run a program of a manager, which may write to the template alone; where it fails the kind is not there."""
        own = self.home.parent
        box = [
            *BOX,
            "--ro-bind",
            str(self.tools),
            str(self.tools),
            "--bind",
            str(own),
            str(own),
            "--chdir",
            str(cwd or self.place),
            "--",
        ]
        command = [*box, *map(str, argv)]
        environment = clean_environment(self.home) | variables
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
        if done.returncode:
            raise NotHere(f"{' '.join(map(str, argv[:4]))}: {(done.stderr or done.stdout).strip()[-300:]}")
        return done.stdout.strip()

    def venv(self, name: str = "env", *options: str, python: str | Path = sys.executable) -> Path:
        """Make a virtual environment by the standard library; pip comes from one that was made once, which spares seconds."""
        folder, ready = self.place / name, not options and python == sys.executable
        self.run(python, "-m", "venv", *options, *(("--without-pip",) if ready else ()), folder)
        for path in template().glob(f"{SITE}/*") if ready else ():
            copied(path, folder / SITE)
        for path in template().glob("bin/pip*") if ready else ():
            (folder / "bin" / path.name).write_text(path.read_text().replace(str(template()), str(folder)))
            (folder / "bin" / path.name).chmod(0o755)
        return folder

    def project(self, name: str, text: str) -> Path:
        """Make a project with one file."""
        folder = self.place / "project"
        folder.mkdir()
        (folder / name).write_text(text)
        return folder

    def tool(self, name: str) -> Path:
        """A manager's program; installed where it is not there yet."""
        folder = self.tools / name
        program = folder / "bin" / name
        if not program.exists():
            environment = dict(os.environ)
            for command in (
                (UV, "venv", "--quiet", "--python", sys.executable, folder),
                (UV, "pip", "install", "--quiet", "--python", folder, TOOLS[name]),
            ):
                done = subprocess.run(
                    list(map(str, command)),
                    env=environment,
                    capture_output=True,
                    text=True,
                    timeout=SECONDS,
                    check=False,
                )
                if done.returncode:
                    raise NotHere(f"{name} cannot be installed: {done.stderr.strip()[-200:]}")
        return program


DROPPED = (
    "PIP_",
    "UV_",
    "POETRY_",
    "PDM_",
    "PIPENV_",
    "HATCH_",
    "VIRTUAL_ENV",
    "CONDA",
    "MAMBA",
    "PYTHON",
    "XDG_",
    "HTTP",
    "http",
    "ALL_PROXY",
    "all_proxy",
)


def clean_environment(home: Path) -> dict[str, str]:
    """The variables of a person who has set none of any manager's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(DROPPED)}
    path = [str(home.parent / "bin"), "/usr/local/bin", "/usr/bin", "/bin"]
    return {
        **kept,
        "HOME": str(home),
        "PATH": os.pathsep.join(path),
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_RETRIES": "0",
        "PDM_CHECK_UPDATE": "0",
        "UV_PYTHON_DOWNLOADS": "never",
        "LC_ALL": "C.UTF-8",
    }


def with_pip(ground: Ground) -> Layout:
    """`python -m venv`."""
    ground.venv()
    return Layout()


def without_pip(ground: Ground) -> Layout:
    """`python -m venv --without-pip`."""
    ground.venv("env", "--without-pip")
    return Layout()


def without_ensurepip(ground: Ground) -> Layout:
    """No pip, and a standard library that cannot bring it."""
    ground.venv("env", "--without-pip")
    return Layout(mounts=(("", f"{BASE}/lib/{VERSION}/ensurepip"),))


def by_uv(ground: Ground) -> Layout:
    """`uv venv`."""
    ground.run(UV, "venv", "--quiet", "--python", sys.executable, ground.place / "env")
    return Layout(installer="uv")


def seeded_by_uv(ground: Ground) -> Layout:
    """`uv venv --seed`, changed by uv."""
    ground.run(UV, "venv", "--quiet", "--python", sys.executable, ground.place / "env")
    helper = ground.venv("helper")
    for path in (helper / SITE).glob("pip*"):
        shutil.copytree(path, ground.place / "env" / SITE / path.name)
    shutil.rmtree(helper)
    return Layout(installer="uv")


def _own_index(ground: Ground) -> str:
    return f'[[tool.uv.index]]\nname = "own"\nurl = "{ground.urls["cpu"]}"\ndefault = true\n'


def uv_project(ground: Ground) -> Layout:
    """`pyproject.toml`, `uv.lock`, `uv sync`."""
    text = f'[project]\nname = "patient"\nversion = "0"\n{REQUIRES}\ndependencies = ["torch", "numpy"]\n{_own_index(ground)}'
    folder = ground.project("pyproject.toml", text)
    ground.run(UV, "sync", "--quiet", "--no-cache", "--python", sys.executable, cwd=folder)
    return _in_project("uv", "pyproject.toml", "uv.lock")


def _in_project(installer: str, *files: str, **more: Any) -> Layout:
    return Layout(
        "project/.venv/bin/python",
        f"project/.venv/{SITE}",
        "project/.venv",
        "project",
        tuple(f"project/{name}" for name in files),
        installer,
        **more,
    )


def _workspace(ground: Ground, root: str) -> Layout:
    folder = ground.project(
        "pyproject.toml", f'{root}[tool.uv.workspace]\nmembers = ["packages/*"]\n{_own_index(ground)}'
    )
    for name, needs in (("app", '"torch", "numpy"'), ("lib", '"numpy"')):
        (folder / "packages" / name).mkdir(parents=True)
        table = f'[project]\nname = "{name}"\nversion = "0"\n{REQUIRES}\ndependencies = [{needs}]\n[tool.uv]\npackage = false\n'
        (folder / "packages" / name / "pyproject.toml").write_text(table)
    ground.run(UV, "sync", "--all-packages", "--quiet", "--no-cache", "--python", sys.executable, cwd=folder)
    return _in_project("uv", "pyproject.toml", "uv.lock", "packages/app/pyproject.toml")


def uv_workspace(ground: Ground) -> Layout:
    """A workspace of uv whose root is a project that requires no torch."""
    table = f'[project]\nname = "root"\nversion = "0"\n{REQUIRES}\ndependencies = ["app"]\n'
    return _workspace(ground, f"{table}[tool.uv]\npackage = false\n[tool.uv.sources]\napp = {{ workspace = true }}\n")


def uv_virtual_root(ground: Ground) -> Layout:
    """A workspace of uv whose root is no project."""
    return _workspace(ground, "")


def uv_two_members(ground: Ground) -> Layout:
    """A workspace without a root project, two members of which require torch."""
    layout = _workspace(ground, "")
    path = ground.place / "project" / "packages" / "lib" / "pyproject.toml"
    path.write_text(path.read_text().replace('"numpy"', '"torch", "numpy"'))
    ground.run(UV, "lock", "--quiet", "--no-cache", cwd=ground.place / "project")
    return layout


def poetry(ground: Ground) -> Layout:
    """poetry, with its environment in the project."""
    program = ground.tool("poetry")
    source = f'[tool.poetry]\npackage-mode = false\n[[tool.poetry.source]]\nname = "own"\nurl = "{ground.urls["cpu"]}/"\npriority = "primary"\n'
    folder = ground.project(
        "pyproject.toml",
        f'[project]\nname = "patient"\nversion = "0"\n{REQUIRES}\ndependencies = ["torch", "numpy"]\n{source}',
    )
    settings = {"POETRY_VIRTUALENVS_IN_PROJECT": "true", "POETRY_NO_INTERACTION": "1"}
    ground.run(program, "env", "use", sys.executable, cwd=folder, **settings)
    ground.run(program, "install", cwd=folder, **settings)
    return _in_project("poetry", "pyproject.toml", "poetry.lock", variables=settings)


def pdm(ground: Ground) -> Layout:
    """pdm, with its environment in the project."""
    program = ground.tool("pdm")
    source = f'[tool.pdm]\ndistribution = false\n[[tool.pdm.source]]\nname = "pypi"\nurl = "{ground.urls["cpu"]}"\n'
    folder = ground.project(
        "pyproject.toml",
        f'[project]\nname = "patient"\nversion = "0"\n{REQUIRES}\ndependencies = ["torch", "numpy"]\n{source}',
    )
    ground.venv("project/.venv", "--without-pip")
    ground.run(program, "use", "-f", folder / ".venv" / "bin" / "python", cwd=folder)
    ground.run(program, "install", cwd=folder)
    return _in_project("pdm", "pyproject.toml", "pdm.lock", "pdm.toml", ".pdm-python")


def pipenv(ground: Ground) -> Layout:
    """pipenv, with its environment in the project."""
    program = ground.tool("pipenv")
    folder = ground.project(
        "Pipfile",
        f'[[source]]\nname = "own"\nurl = "{ground.urls["cpu"]}"\nverify_ssl = false\n\n[packages]\ntorch = "*"\nnumpy = "*"\n',
    )
    settings = {"PIPENV_VENV_IN_PROJECT": "1"}
    ground.run(program, "--python", sys.executable, "install", cwd=folder, **settings)
    return _in_project("pip", "Pipfile", "Pipfile.lock", variables=settings)


def hatch(ground: Ground) -> Layout:
    """hatch, whose environments lie in the person's home."""
    program = ground.tool("hatch")
    table = f'[tool.hatch.envs.default]\nskip-install = true\ndependencies = ["torch", "numpy"]\n[tool.hatch.envs.default.env-vars]\nPIP_INDEX_URL = "{ground.urls["cpu"]}"\n'
    folder = ground.project("pyproject.toml", f'[project]\nname = "patient"\nversion = "0"\n{table}')
    made = Path(ground.run(program, "env", "create", cwd=folder) or ground.run(program, "env", "find", cwd=folder))
    made = Path(ground.run(program, "env", "find", cwd=folder))
    place = ground.place / "share" / "hatch" / "env" / "virtual" / "patient" / "ABCDEFGH" / "patient"
    shutil.copytree(made, place, symlinks=True)
    inside = str(place.relative_to(ground.place))
    version = next((place / "lib").iterdir()).name
    return Layout(f"{inside}/bin/python", f"{inside}/lib/{version}/site-packages", inside, "project")


def _base(ground: Ground) -> Path:
    """An interpreter with packages of its own, outside of any virtual environment."""
    base = ground.place / "base"
    (base / "bin").mkdir(parents=True)
    (base / "lib" / VERSION).mkdir(parents=True)
    shutil.copy2(os.path.realpath(BASE / "bin" / VERSION), base / "bin" / VERSION)
    for name in ("python", "python3"):
        (base / "bin" / name).symlink_to(VERSION)
    for path in (BASE / "lib").glob("libpython*"):
        (base / "lib" / path.name).symlink_to(path)
    for path in (BASE / "lib" / VERSION).iterdir():
        if path.name != "site-packages":
            (base / "lib" / VERSION / path.name).symlink_to(path)
    site = base / SITE
    site.mkdir()
    helper = ground.venv("helper")
    for path in (helper / SITE).glob("pip*"):
        shutil.copytree(path, site / path.name)
    shutil.rmtree(helper)
    return base


def interpreter(ground: Ground) -> Layout:
    """A Python of one's own with pip, no virtual environment."""
    _base(ground)
    return Layout("base/bin/python3", f"base/{SITE}", "base")


def user_site(ground: Ground) -> Layout:
    """`pip install --user` beside a Python of one's own."""
    _base(ground)
    user = ground.place / "user"
    (user / SITE).mkdir(parents=True)
    return Layout("base/bin/python3", f"user/{SITE}", "base", variables={"PYTHONUSERBASE": "{place}/user"})


def over_base(ground: Ground) -> Layout:
    """`--system-site-packages` over a Python of one's own that holds the torch."""
    base = _base(ground)
    ground.venv("env", "--system-site-packages", python=base / "bin" / "python3")
    return Layout(site=f"base/{SITE}")


def over_debian(ground: Ground) -> Layout:
    """`--system-site-packages` over Debian's python3-torch."""
    _debian(ground)
    ground.venv("env", "--system-site-packages", python="/usr/bin/python3")
    return Layout(site="", mounts=(("debian", DEBIAN),))


def own_over_debian(ground: Ground) -> Layout:
    """`--system-site-packages` over Debian's python3-torch, with a torch of its own in front of it."""
    _debian(ground)
    env = ground.venv("env", "--system-site-packages", python="/usr/bin/python3")
    version = next((env / "lib").glob("python*")).name
    return Layout(site=f"env/lib/{version}/site-packages", mounts=(("debian", DEBIAN),))


def debian(ground: Ground) -> Layout:
    """Debian's own interpreter with its python3-torch: PEP 668."""
    _debian(ground)
    return Layout("/usr/bin/python3", "", "nothing", mounts=(("debian", DEBIAN),), new=True)


def debian_by_pip(ground: Ground) -> Layout:
    """Debian's own interpreter, with a torch that pip was forced to put into /usr/local."""
    _debian(ground)
    (ground.place / "local").mkdir()
    version = Path(os.path.realpath("/usr/bin/python3")).name
    return Layout(
        "/usr/bin/python3",
        "local",
        "nothing",
        mounts=(("debian", DEBIAN), ("local", f"/usr/local/lib/{version}/dist-packages")),
        new=True,
    )


def _debian(ground: Ground) -> None:
    """The folder of Debian's packages: its pip, and python3-torch from the recorded list of its files, or the unpacked package itself."""
    if not Path("/usr/bin/python3").exists() or not Path(DEBIAN).is_dir():
        raise NotHere("no Python of Debian")
    folder = ground.place / "debian"
    folder.mkdir()
    for name in ("pip", "setuptools", "pkg_resources", "wheel", "_distutils_hack"):
        for path in Path(DEBIAN).glob(f"{name}*"):
            if path.is_dir():
                shutil.copytree(path, folder / path.name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    unpacked = os.environ.get("XPU_DOCTOR_TEST_DEBIAN_TORCH", "")
    if unpacked:
        shutil.copytree(Path(unpacked), folder, symlinks=True, dirs_exist_ok=True)
    else:
        rebuilt(folder)


def path_file(ground: Ground) -> Layout:
    """A `.pth` file shows the torch of another environment."""
    ground.venv()
    other = ground.venv("other")
    (ground.place / "env" / SITE / "other.pth").write_text(f"{other / SITE}\n")
    return Layout(site=f"other/{SITE}")


def editable(ground: Ground) -> Layout:
    """torch is developed in a folder of its own."""
    site = ground.venv() / SITE
    source = ground.place / "source"
    (source / "torch").mkdir(parents=True)
    (source / "torch" / "__init__.py").write_text("from .version import __version__\n")
    (source / "torch" / "version.py").write_text(
        "__version__ = '2.14.0a0+git1234567'\nxpu = None\ncuda = None\nhip = None\n"
    )
    (source / "torch" / "lib").mkdir()
    (source / "torch" / "lib" / "libtorch_cpu.so").write_bytes(LIBRARY)
    info = site / "torch-2.14.0a0+git1234567.dist-info"
    info.mkdir()
    (site / "__editable__.torch.pth").write_text(f"{source}\n")
    files = {"METADATA": "Metadata-Version: 2.1\nName: torch\nVersion: 2.14.0a0+git1234567\n", "INSTALLER": "pip\n"}
    files["direct_url.json"] = '{"dir_info": {"editable": true}, "url": "file://' + str(source) + '"}'
    files["RECORD"] = "__editable__.torch.pth,,\n" + "".join(f"{info.name}/{name},,\n" for name in (*files, "RECORD"))
    for name, text in files.items():
        (info / name).write_text(text)
    return Layout(site="")


def on_pythonpath(ground: Ground) -> Layout:
    """`pip install --target` and PYTHONPATH."""
    ground.venv()
    (ground.place / "target").mkdir()
    return Layout(site="target", variables={"PYTHONPATH": "{place}/target"})


CONDA = """#!/bin/sh
# Stands for conda: takes a package out of a prefix as its record there says, and knows nothing else.
test "$1 $2 $3" = "remove --yes --prefix" || { echo "conda: not here: $*" >&2; exit 2; }
prefix=$4; shift 4
for name in "$@"; do
  test -e "$prefix/conda-meta/$name.list" || { echo "PackagesNotFoundError: $name" >&2; exit 1; }
done
for name in "$@"; do
  while read -r path; do rm -rf -- "$prefix/$path"; done < "$prefix/conda-meta/$name.list"
  rm "$prefix/conda-meta/$name.list"
done
"""


def conda(ground: Ground) -> Layout:
    """A prefix of conda with its torch, recorded; a script stands for `conda remove`."""
    return _conda(ground, "conda")


def micromamba(ground: Ground) -> Layout:
    """A prefix that micromamba made, recorded; a script stands for `micromamba remove`."""
    return _conda(ground, "micromamba")


def _conda(ground: Ground, program: str) -> Layout:
    base = _base(ground)
    install(base / SITE, CPU, "conda")
    (base / "conda-meta").mkdir()
    (base / "conda-meta" / "history").write_text(
        f"==> 2026-11-01 10:00:00 <==\n# cmd: /opt/{program} create -p x pytorch\n"
    )
    for conda_name, name in (("pytorch", "torch"), ("torchvision", "torchvision"), ("torchaudio", "torchaudio")):
        paths = [f"{SITE}/{name}", *(str(path.relative_to(base)) for path in (base / SITE).glob(f"{name}-*.dist-info"))]
        (base / "conda-meta" / f"{conda_name}.list").write_text("\n".join(paths) + "\n")
    (ground.home.parent / "bin").mkdir(exist_ok=True)
    script = ground.home.parent / "bin" / program
    script.write_text(CONDA)
    script.chmod(0o755)
    return Layout("base/bin/python3", "", "base")


def pixi(ground: Ground) -> Layout:
    """A prefix of pixi, recorded; pixi itself cannot be had from PyPI, so that its first command ends the line."""
    layout = _conda(ground, "conda")
    (ground.home.parent / "bin" / "conda").unlink()
    (ground.place / "project").mkdir()
    (ground.place / "project" / "pixi.toml").write_text(
        '[workspace]\nname = "patient"\n[dependencies]\npytorch = "*"\n'
    )
    (ground.place / "base" / "conda-meta" / "pixi").write_text(
        f'{{"manifest_path": "{ground.place}/project/pixi.toml", "environment_name": "default"}}'
    )
    return layout


def read_only(ground: Ground) -> Layout:
    """An environment that this user may not write to."""
    ground.venv()
    return Layout(frozen=True, new=True)


@dataclass(frozen=True)
class Kind:
    """A kind, by name, and whether it has torch in one state only."""

    name: str
    build: Callable[[Ground], Layout]
    one_state: str = ""
    """What its torch is, where the kind itself says so."""
    foreign: bool = False
    """Whether the torch of the state is not the environment's own, or nothing may be done to it: a third of the states is tried."""


KINDS = (
    Kind("venv, pip", with_pip),
    Kind("venv without pip", without_pip),
    Kind("no pip, no ensurepip", without_ensurepip),
    Kind("uv venv", by_uv),
    Kind("uv venv --seed", seeded_by_uv, foreign=True),
    Kind("uv project", uv_project),
    Kind("uv workspace", uv_workspace),
    Kind("uv virtual root", uv_virtual_root),
    Kind("uv, two members", uv_two_members, foreign=True),
    Kind("poetry", poetry),
    Kind("pdm", pdm),
    Kind("pipenv", pipenv),
    Kind("hatch", hatch),
    Kind("own Python", interpreter),
    Kind("user site", user_site, foreign=True),
    Kind("over own Python", over_base, foreign=True),
    Kind("over Debian's torch", over_debian, "Debian's build"),
    Kind("own, over Debian's", own_over_debian),
    Kind("Debian, PEP 668", debian, "Debian's build"),
    Kind("Debian, /usr/local", debian_by_pip, foreign=True),
    Kind(".pth", path_file, foreign=True),
    Kind("editable", editable, "editable build"),
    Kind("PYTHONPATH", on_pythonpath, foreign=True),
    Kind("conda", conda, "conda's CPU build"),
    Kind("micromamba", micromamba, "conda's CPU build"),
    Kind("pixi", pixi, "conda's CPU build"),
    Kind("read-only", read_only, foreign=True),
)
PATHS = ("place", "my place", "Größe ünd 東京", 'it\'s $HOME "q" `x`')
"""Names of the folder in which everything lies."""

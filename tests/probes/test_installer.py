"""The manager of an environment, and the settings of pip and uv, against files and against pip itself."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpu_doctor.host.live import LiveHost
from xpu_doctor.model.facts import Distribution, Distributions, Installer, Python
from xpu_doctor.probes.installer import installer_facts
from xpu_doctor.probes.installer_settings import pip_files, pip_settings, uv_files, uv_settings, without_credentials

NONE = Distributions(installed=())


def write(root: Path, path: str, text: str = "") -> None:
    """Put a file into a sysroot."""
    place = root / path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")


def facts(
    root: Path,
    python: Python,
    distributions: Distributions = NONE,
    environment: Mapping[str, str] | None = None,
    folder: str = "",
) -> Installer:
    """What the reader says of a machine that is a plain folder."""
    return installer_facts(
        python, distributions, environment or {}, folder, LiveHost(str(root), environment or {}, "linux")
    )


def environment_at(prefix: str) -> Python:
    """A virtual environment's interpreter."""
    site = f"{prefix}/lib/python3.12/site-packages"
    return Python(
        prefix=prefix, base_prefix="/usr", version="3.12.1", os="linux", virtual_environment=True, sys_path=(site,)
    )


def by(installer: str) -> Distributions:
    """A torch that some tool installed."""
    return Distributions(installed=(Distribution("torch", installer=installer),))


@pytest.mark.parametrize(
    ("files", "prefix", "wrote", "folder", "manager", "project"),
    [
        ((), "/v", "pip", "", "pip", ""),
        (("/v/conda-meta/history",), "/v", "pip", "", "conda", ""),
        (("/w/uv.lock",), "/w/.venv", "uv", "", "uv-project", "/w"),
        (("/w/poetry.lock",), "/w/.venv", "Poetry 2.1.1", "", "poetry", "/w"),
        (("/w/uv.lock", "/w/poetry.lock"), "/w/.venv", "Poetry 2.1.1", "", "poetry", "/w"),
        (("/w/pdm.lock",), "/w/.venv", "pdm", "", "pdm", "/w"),
        (("/w/Pipfile.lock",), "/w/.venv", "pip", "", "pipenv", "/w"),
        ((), "/v", "uv", "", "uv", ""),
        ((), "/v", "Poetry 2.1.1", "", "poetry", ""),
        (
            ("/w/a/poetry.lock",),
            "/home/me/.cache/pypoetry/virtualenvs/a-x-py3.12",
            "Poetry 2.1.1",
            "/w/a/src",
            "poetry",
            "/w/a",
        ),
        ((), "/home/me/.local/share/hatch/env/virtual/p/x/p", "", "", "hatch", ""),
        (("/elsewhere/uv.lock",), "/v", "pip", "/elsewhere", "pip", ""),
    ],
)
def test_manager(
    tmp_path: Path, files: tuple[str, ...], prefix: str, wrote: str, folder: str, manager: str, project: str
) -> None:
    """The strongest sign wins, and a lock file counts only for the environment that it belongs to."""
    for path in files:
        write(tmp_path, path)
    found = facts(tmp_path, environment_at(prefix), by(wrote), folder=folder)
    assert (found.manager, found.project) == (manager, project), found.why


MEMBER = '[project]\nname = "{}"\ndependencies = [{}]\n'


@pytest.mark.parametrize(
    ("root", "members", "package", "virtual"),
    [
        ('[project]\nname = "w"\ndependencies = ["torch>=2"]\n', {"a": '"torch"'}, "", False),
        ('[project]\nname = "w"\n', {"a": '"torch"', "b": '"torchvision"'}, "a", False),
        ('[project]\nname = "w"\n[dependency-groups]\ngpu = ["Torch"]\n', {"a": '"torch"'}, "", False),
        ("", {"a": '"numpy"', "b": "\"torch[opt] ; python_version > '3'\""}, "b", False),
        ("", {"a": '"torch"', "b": '"torch"'}, "", True),
        ("", {"a": '"numpy"'}, "", True),
        ('[project]\nname = "w"\n', {"a": '"torch"', "b": '"torch"'}, "", False),
    ],
)
def test_workspace_of_uv(tmp_path: Path, root: str, members: dict[str, str], package: str, virtual: bool) -> None:
    """To what a requirement can be added: the root, the one member that names torch, or nothing."""
    write(tmp_path, "/w/uv.lock")
    write(
        tmp_path,
        "/w/pyproject.toml",
        f'{root}[tool.uv.workspace]\nmembers = ["packages/*"]\nexclude = ["packages/x"]\n',
    )
    for name, needs in {**members, "x": '"torch"'}.items():
        write(tmp_path, f"/w/packages/{name}/pyproject.toml", MEMBER.format(name, needs))
    found = facts(tmp_path, environment_at("/w/.venv"), by("uv"))
    assert (found.manager, found.package, found.virtual_root) == ("uv-project", package, virtual)


@pytest.mark.parametrize(
    "text",
    ["[project", "tool = 3", "[tool]\nuv = 3", "[tool.uv.workspace]\nmembers = 3", "[project]\ndependencies = [[1]]"],
)
def test_workspace_that_cannot_be_read(tmp_path: Path, text: str) -> None:
    """Anything may stand there."""
    write(tmp_path, "/w/uv.lock")
    write(tmp_path, "/w/pyproject.toml", text)
    assert facts(tmp_path, environment_at("/w/.venv"), by("uv")).package == ""


def test_pixi(tmp_path: Path) -> None:
    """A prefix of conda's kind that pixi's file, or its place, shows to be pixi's."""
    write(tmp_path, "/w/.pixi/envs/gpu/conda-meta/history")
    found = facts(tmp_path, environment_at("/w/.pixi/envs/gpu"))
    assert (found.manager, found.project, found.environment, found.conda) == ("pixi", "/w", "gpu", "")
    write(
        tmp_path,
        "/cache/x/conda-meta/pixi",
        '{"manifest_path": "/w/pixi.toml", "environment_name": "default", "pixi_version": "0.76.0"}',
    )
    found = facts(tmp_path, environment_at("/cache/x"))
    assert (found.manager, found.project, found.environment) == ("pixi", "/w/pixi.toml", "default")
    write(tmp_path, "/d/conda-meta/pixi", "[" * 100000)
    assert facts(tmp_path, environment_at("/d")).manager == "conda"


@pytest.mark.parametrize(
    ("history", "programs", "expected"),
    [
        ("# cmd: /opt/conda/bin/conda create -n x\n", ("conda", "mamba"), "conda"),
        ("# cmd: conda create\n+x\n# cmd: /usr/bin/mamba install pytorch\n", ("conda", "mamba"), "mamba"),
        ("# cmd: /usr/local/bin/micromamba create\n", ("micromamba",), "micromamba"),
        ("# cmd: conda create\n", ("micromamba",), "micromamba"),
        ("# cmd: C:\\\\conda\\\\Scripts\\\\conda-script.py create\n", (), "conda"),
        ("", (), ""),
    ],
)
def test_which_of_condas_programs(tmp_path: Path, history: str, programs: tuple[str, ...], expected: str) -> None:
    """The last that changed the environment, where it is there; else one that is there."""
    write(tmp_path, "/v/conda-meta/history", history)
    for name in programs:
        write(tmp_path, f"/opt/bin/{name}")
    found = facts(tmp_path, environment_at("/v"), environment={"PATH": "/usr/bin:/opt/bin"})
    assert (found.manager, found.conda) == ("conda", expected)


def test_the_active_shell_tells(tmp_path: Path) -> None:
    """pipenv's shell, where its environment is the one that is examined, and pipenv's own note of its project."""
    write(tmp_path, "/w/Pipfile")
    shell = {"PIPENV_ACTIVE": "1", "VIRTUAL_ENV": "/v"}
    found = facts(tmp_path, environment_at("/v"), by("pip"), shell, "/w/src")
    assert (found.manager, found.project) == ("pipenv", "/w")
    assert facts(tmp_path, environment_at("/other"), by("pip"), shell, "/w/src").manager == "pip"
    write(tmp_path, "/noted/.project", "/w")
    found = facts(tmp_path, environment_at("/noted"), by("pip"))
    assert (found.manager, found.project) == ("pipenv", "/w")
    write(tmp_path, "/wrapper/.project", "/without")
    assert facts(tmp_path, environment_at("/wrapper"), by("pip")).manager == "pip"


def test_environments_of_hatch(tmp_path: Path) -> None:
    """The default one has the name of the project."""
    write(tmp_path, "/w/pyproject.toml", '[project]\nname = "My.App"\n')
    base = "/home/me/.local/share/hatch/env/virtual/my-app/x1"
    for last, name in (("my-app", "default"), ("gpu", "gpu")):
        found = facts(tmp_path, environment_at(f"{base}/{last}"), folder="/w")
        assert (found.manager, found.project, found.environment) == ("hatch", "/w", name)


def test_environment_made_by_uv(tmp_path: Path) -> None:
    """pyvenv.cfg tells; but who has pip inside and used it is left to pip."""
    write(tmp_path, "/v/pyvenv.cfg", "home = /usr/bin\nuv = 0.13.9\nversion_info = 3.12.1\n")
    assert facts(tmp_path, environment_at("/v")).manager == "uv"
    write(tmp_path, "/v/lib/python3.12/site-packages/pip/__init__.py")
    assert facts(tmp_path, environment_at("/v"), by("pip")).manager == "pip"
    assert facts(tmp_path, environment_at("/v"), by("uv")).manager == "uv"


def test_pip_is_looked_for(tmp_path: Path) -> None:
    """Whether pip can be run there."""
    assert facts(tmp_path, environment_at("/v")).has_pip is False
    write(tmp_path, "/v/lib/python3.12/site-packages/pip/__init__.py")
    assert facts(tmp_path, environment_at("/v")).has_pip is True


def test_externally_managed(tmp_path: Path) -> None:
    """The marker of PEP 668 counts outside of virtual environments."""
    write(tmp_path, "/usr/lib/python3.12/EXTERNALLY-MANAGED")
    system = Python(
        prefix="/usr", base_prefix="/usr", version="3.12.3", os="linux", virtual_environment=False, sys_path=()
    )
    found = facts(tmp_path, system)
    assert found.externally_managed is True and found.manager == "system"
    assert facts(tmp_path, environment_at("/v")).externally_managed is False


def test_settings_of_pip_in_order(tmp_path: Path) -> None:
    """Global, user, environment, then variables; other sections and other options are left out."""
    write(
        tmp_path,
        "/etc/pip.conf",
        "[global]\ntimeout = 60\nindex-url = https://me:secret@mirror/simple\n[list]\nformat = columns\n",
    )
    write(tmp_path, "/home/me/.config/pip/pip.conf", "[install]\nfind-links =\n    /a\n    /b\nprogress-bar = off\n")
    write(tmp_path, "/v/pip.conf", "[global]\nextra_index_url = https://x/simple\n")
    environment = {"HOME": "/home/me", "PIP_FIND_LINKS": "/c", "PIP_CACHE_DIR": "/d", "PIPX_HOME": "/e"}
    host = LiveHost(str(tmp_path), environment, "linux")
    found = [(row.name, row.value, row.source) for row in pip_settings(host, environment, "/v")]
    assert found == [
        ("timeout", "60", "/etc/pip.conf"),
        ("index-url", "https://***@mirror/simple", "/etc/pip.conf"),
        ("find-links", "/a /b", "/home/me/.config/pip/pip.conf"),
        ("extra-index-url", "https://x/simple", "/v/pip.conf"),
        ("PIP_FIND_LINKS", "/c", "PIP_FIND_LINKS"),
    ]


def test_damaged_files_are_told(tmp_path: Path) -> None:
    """pip and uv themselves fail on such a file."""
    write(tmp_path, "/etc/pip.conf", "find-links = /a\n")
    write(tmp_path, "/etc/uv/uv.toml", "index = [\n")
    host = LiveHost(str(tmp_path), {}, "linux")
    assert [row.name for row in (*pip_settings(host, {}, ""), *uv_settings(host, {}, ""))] == ["configuration file"] * 2


PIP_WORLDS: tuple[dict[str, str], ...] = (
    {},
    {"XDG_CONFIG_DIRS": "/one:/two", "XDG_CONFIG_HOME": "/mine"},
    {"PIP_CONFIG_FILE": "/dev/null"},
    {"PIP_CONFIG_FILE": "/not/there.conf"},
)


@pytest.mark.skipif(sys.platform != "linux", reason="the places of Linux")
@pytest.mark.parametrize("variables", PIP_WORLDS, ids=str)
def test_pip_itself_looks_in_the_same_places(tmp_path: Path, variables: dict[str, str]) -> None:
    """`pip config debug` prints where pip looks, sorted by kind; the null file ends all of it."""
    home = tmp_path / "home"
    home.mkdir()
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], **variables}
    run = subprocess.run(
        [sys.executable, "-m", "pip", "config", "debug"], env=environment, capture_output=True, text=True, check=True
    )
    truth = re.findall(r"^  (/.*), exists: (?:True|False)$", run.stdout, re.MULTILINE)
    mine = pip_files(LiveHost(env=environment), environment, sys.prefix)
    if variables.get("PIP_CONFIG_FILE") == "/dev/null":
        assert mine == ()
    else:
        assert sorted(truth) == sorted(mine)


@pytest.mark.skipif(sys.platform != "linux", reason="the places of Linux")
def test_pip_itself_reads_the_same_values(tmp_path: Path) -> None:
    """`pip config list` shows what pip obeys; what the reader gives last for an option is the same."""
    home, own = tmp_path / "home", tmp_path / "own.conf"
    (home / ".config" / "pip").mkdir(parents=True)
    (home / ".config" / "pip" / "pip.conf").write_text("[global]\nfind-links = /user\ncert = /user.pem\n")
    own.write_text("[global]\nfind-links = /own\n")
    for variables in ({}, {"PIP_CONFIG_FILE": str(own)}, {"PIP_FIND_LINKS": "/variable"}):
        environment = {"HOME": str(home), "PATH": os.environ["PATH"], **variables}
        run = subprocess.run(
            [sys.executable, "-m", "pip", "config", "list"], env=environment, capture_output=True, text=True, check=True
        )
        truth = re.findall(r"^(?:global|:env:)\.(find-links|cert)='(.*)'$", run.stdout, re.MULTILINE)
        found = {
            row.name.removeprefix("PIP_").lower().replace("_", "-"): row.value
            for row in pip_settings(LiveHost(env=environment), environment, sys.prefix)
        }
        expected = dict(truth)
        for line in run.stdout.splitlines():
            if line.startswith(":env:.find-links"):
                expected["find-links"] = line.split("'")[1]
        wanted = {name: value for name, value in expected.items() if name in ("find-links", "cert")}
        assert {name: found[name] for name in wanted} == wanted


def test_windows_places() -> None:
    """ProgramData, the profile and the environment; the legacy folder first."""
    environment = {
        "PROGRAMDATA": "C:\\ProgramData",
        "USERPROFILE": "C:\\Users\\me",
        "APPDATA": "C:\\Users\\me\\AppData\\Roaming",
    }
    host = LiveHost("/nonexistent-sysroot", environment, "windows")
    assert pip_files(host, environment, "C:\\v") == (
        "C:\\ProgramData\\pip\\pip.ini",
        "C:\\Users\\me\\pip\\pip.ini",
        "C:\\Users\\me\\AppData\\Roaming\\pip\\pip.ini",
        "C:\\v\\pip.ini",
    )
    assert uv_files(host, environment, "") == ("C:\\Users\\me\\AppData\\Roaming\\uv\\uv.toml",)


def test_settings_of_uv(tmp_path: Path) -> None:
    """System, user, the nearest project, variables; an explicit index serves named packages only."""
    write(tmp_path, "/etc/uv/uv.toml", 'index-url = "https://old/simple"\n')
    write(
        tmp_path,
        "/home/me/.config/uv/uv.toml",
        '[[index]]\nurl = "https://a:b@c/simple"\n[[index]]\nurl = "https://d"\nexplicit = true\n',
    )
    write(
        tmp_path,
        "/w/pyproject.toml",
        '[tool.uv.pip]\ntorch-backend = "cpu"\nfind-links = ["/a", "/b"]\n[[tool.uv.index]]\nurl = "https://e"\ndefault = true\n',
    )
    environment = {"HOME": "/home/me", "UV_FIND_LINKS": "/c", "UV_CACHE_DIR": "/d"}
    host = LiveHost(str(tmp_path), environment, "linux")
    assert [(row.name, row.value) for row in uv_settings(host, environment, "/w/src")] == [
        ("index-url", "https://old/simple"),
        ("index", "https://***@c/simple"),
        ("torch-backend", "cpu"),
        ("find-links", "/a /b"),
        ("default-index", "https://e"),
        ("UV_FIND_LINKS", "/c"),
    ]
    assert uv_files(host, {**environment, "UV_NO_CONFIG": "1"}, "/w") == ()
    assert uv_files(host, {**environment, "UV_CONFIG_FILE": "/own.toml"}, "/w") == ("/own.toml",)


@given(
    user=st.text(st.characters(categories=("L", "N")), min_size=1),
    word=st.text(st.characters(categories=("L", "N")), min_size=8),
)
def test_no_password_is_kept(user: str, word: str) -> None:
    """Whatever stands before the @ of an address goes, and values of parameters that name a secret."""
    for text in (
        f"https://{user}:{word}@host/simple",
        f"https://{word}@host",
        f"https://host/?token={word}&x=1",
        f"a https://{user}:{word}@h b",
    ):
        assert word not in without_credentials(text).replace("https", "").replace("simple", "").replace("token", "")
    assert without_credentials("https://host/simple /a") == "https://host/simple /a"


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("PIP_PROXY", "u:s3cret@host:8080", "***@host:8080"),
        ("PIP_PROXY", "http://u:s3/cret@host", "http://***@host"),
        ("PIP_PROXY", "http://u:s3 cret@host", "http://***@host"),
        ("PIP_PROXY", "u:s3 cret@host", "***@host"),
        ("PIP_PROXY", "//u:s3cret@host", "***@host"),
        ("PIP_PROXY", "http://u:s3@cret@host", "http://***@host"),
        ("PIP_PROXY", "host:8080", "host:8080"),
        ("PIP_INDEX_URL", "https://s3cret@host/simple", "https://***@host/simple"),
        ("PIP_EXTRA_INDEX_URL", "https://a/simple https://u:s3/cret@b/simple", "https://a/simple https://***@b/simple"),
        (
            "PIP_FIND_LINKS",
            "/srv/@wheels u:s3cret@host/links file:///srv/@w",
            "/srv/@wheels ***@host/links file:///srv/@w",
        ),
        ("PIP_FIND_LINKS", "https://host/?pwd=s3cret", "https://host/?pwd=***"),
        ("PIP_TRUSTED_HOST", "mirror:8080 other", "mirror:8080 other"),
        ("PIP_CERT", "/home/a@work/own.pem", "/home/a@work/own.pem"),
        ("PIP_CLIENT_CERT", "certs/a@work.pem", "certs/a@work.pem"),
        ("UV_DEFAULT_INDEX", "corp=https://u:s3cret@host/simple", "corp=https://***@host/simple"),
        ("UV_INDEX", "corp=https://u:s3/cret@host/simple", "corp=https://***@host/simple"),
    ],
)
def test_what_stays_of_an_address(tmp_path: Path, name: str, value: str, kept: str) -> None:
    """With or without a scheme, the credentials go and the rest stays; a path is left alone."""
    environment = {name: value}
    found = facts(tmp_path, environment_at("/v"), environment=environment)
    assert isinstance(found.settings, tuple)
    assert [(row.name, row.value) for row in found.settings] == [(name, kept)]


def test_no_password_of_a_file_is_kept(tmp_path: Path) -> None:
    """pip.conf and uv.toml are cut like the variables."""
    write(tmp_path, "/etc/pip.conf", "[global]\nproxy = u:s3cret@host:8080\nindex-url = http://u:s3/cret@host/simple\n")
    write(tmp_path, "/etc/uv/uv.toml", '[[index]]\nurl = "http://u:s3/cret@host/simple"\n')
    found = facts(tmp_path, environment_at("/v"))
    assert isinstance(found.settings, tuple)
    assert [row.value for row in found.settings] == [
        "***@host:8080",
        "http://***@host/simple",
        "http://***@host/simple",
    ]


def test_values_of_wrong_types_do_no_harm(tmp_path: Path) -> None:
    """A uv.toml may hold anything."""
    write(tmp_path, "/etc/uv/uv.toml", 'pip = 3\nindex = "x"\nfind-links = [[1], {a = 2}]\nno-index = true\n')
    host = LiveHost(str(tmp_path), {}, "linux")
    assert ("no-index", "true") in [(row.name, row.value) for row in uv_settings(host, {}, "")]


@pytest.mark.parametrize(
    ("files", "path", "expected"),
    [(("/opt/bin/uv",), "/usr/bin:/opt/bin", "command"), (("/v/bin/uv",), "/usr/bin", "module"), ((), "/usr/bin", "")],
)
def test_how_uv_can_be_called(tmp_path: Path, files: tuple[str, ...], path: str, expected: str) -> None:
    """On PATH, in the environment alone, or not at all."""
    for name in files:
        write(tmp_path, name)
    assert facts(tmp_path, environment_at("/v"), by("uv"), {"PATH": path}).uv == expected

"""The trial of each command: derived from what remedies really print for every kind of environment, and accepted by each tool's parser."""

from __future__ import annotations

import importlib
import subprocess
from dataclasses import replace
from functools import cache
from itertools import product

import pytest

from tests.install.kinds import KINDS
from xpu_doctor.model.commands import Command
from xpu_doctor.model.facts import Distribution, Distributions, Installer, Python, Setting, Torch
from xpu_doctor.model.facts.combined import Installation
from xpu_doctor.remedies.install import missing_requirement, reinstall
from xpu_doctor.treatment.trial import Trial, name_of, trials

PREFIX = "/srv/my env/.venv"
PYTHON = f"{PREFIX}/bin/python"
SITE = f"{PREFIX}/lib/python3.12/site-packages"
INDEX = "https://download.pytorch.org/whl/xpu"
MANAGERS = {
    "venv, pip": ("pip", {}),
    "venv without pip": ("pip", {"has_pip": False}),
    "no pip, no ensurepip": ("pip", {"has_pip": False}),
    "uv venv": ("uv", {"uv": "command"}),
    "uv venv --seed": ("uv", {"uv": "module"}),
    "uv project": ("uv-project", {"uv": "command", "project": "/srv/my env"}),
    "uv workspace": ("uv-project", {"uv": "command", "project": "/srv/my env", "package": "app"}),
    "uv virtual root": ("uv-project", {"uv": "command", "project": "/srv/my env", "virtual_root": True}),
    "uv, two members": ("uv-project", {"uv": "command", "project": "/srv/my env", "virtual_root": True}),
    "poetry": ("poetry", {"project": "/srv/my env", "has_pip": False}),
    "pdm": ("pdm", {"project": "/srv/my env", "has_pip": False}),
    "pipenv": ("pipenv", {"project": "/srv/my env"}),
    "hatch": ("hatch", {"environment": "default"}),
    "conda": ("conda", {"conda": "conda"}),
    "micromamba": ("conda", {"conda": "micromamba"}),
    "pixi": ("pixi", {"project": "/srv/my env/pixi.toml", "environment": "default"}),
}
"""What the doctor finds for each kind of environment; the others are pip's."""
HOSTILE = (
    Setting(name="PIP_FIND_LINKS", value="/wheels", source="environment"),
    Setting(name="global.default-timeout", value="30", source="/home/kim/.config/pip/pip.conf"),
    Setting(name="UV_INDEX", value="https://mirror.invalid/simple", source="environment"),
)
STATES = {
    "none": (),
    "cpu": (("torch", "2.14.0+cpu"), ("torchvision", "0.29.0")),
    "cuda": (("torch", "2.14.0+cu126"), ("triton", "3.8.0")),
    "xpu": (("torch", "2.14.0+xpu"), ("triton-xpu", "3.8.0")),
    "nightly": (("torch", "2.16.0.dev20261101+cpu"),),
}


def installation(kind: str, state: str, hostile: bool) -> Installation:
    """What is known of a kind of environment in a state."""
    manager, facts = MANAGERS.get(kind, ("pip", {}))
    installer = replace(
        Installer(manager=manager, has_pip=True, uv="", settings=HOSTILE if hostile else (), externally_managed=False),
        **facts,  # type: ignore[arg-type]
    )
    by = "conda" if manager in ("conda", "pixi") else "pip"
    installed = tuple(
        Distribution(
            name, version, SITE, f"{SITE}/{name.replace('-', '_')}-{version}.dist-info", installer=by, record=True
        )
        for name, version in STATES[state]
    )
    python = Python(
        executable=PYTHON, prefix=PREFIX, real_prefix=PREFIX, base_prefix="/usr/local", version="3.12.7", os="linux", architecture="x86_64",
        free_threaded=False, virtual_environment=True, own_site=SITE, writable=True, sys_path=(SITE,), user_site="", ensurepip=True,
    )  # fmt: skip
    version = dict(STATES[state]).get("torch", "")
    torch = Torch(installed=bool(version), version=version, path=f"{SITE}/torch" if version else "")
    return Installation(python, Distributions(installed=installed), installer, torch)


@cache
def plans() -> tuple[tuple[str, tuple[Command, ...]], ...]:
    """The commands of the remedies for every kind of environment, in every state, with and without hostile settings."""
    found = []
    for kind, state, hostile in product((kind.name for kind in KINDS), STATES, (False, True)):
        place = installation(kind, state, hostile)
        name = f"{kind}, {state}{', hostile' if hostile else ''}"
        found.append((name, reinstall(place)[0].steps))
        found.append((name, missing_requirement(place.python, place.installer, "intel-sycl-rt==2026.1.0").steps))
    return tuple(found)


def every_trial() -> list[tuple[str, tuple[Command, ...], Trial]]:
    """All trials with the plan that they are for."""
    return [(name, steps, trial) for name, steps in plans() for trial in trials(steps, PYTHON)]


def test_each_plan_that_fetches_is_asked_about() -> None:
    """Every plan has a trial, or says with its manager's name that there is none; the index and the requirements are those of the command."""
    assert {kind.name for kind in KINDS} >= set(MANAGERS)
    for name, steps in plans():
        found = trials(steps, PYTHON)
        assert bool(found) == bool(steps), name
        for trial in found:
            words = steps[trial.number].argv
            assert all(spec in words for spec in trial.requirements)
            assert trial.requirements or trial.manager in ("pipenv", "pixi"), (name, trial)
            assert trial.index == "" or any(
                trial.index in word for step in steps[: trial.number + 1] for word in step.argv
            )
        reinstalls = any("torch" in spec for trial in found for spec in trial.requirements)
        assert not reinstalls or any(trial.index.startswith(INDEX[:27]) for trial in found), name


def test_every_manager_has_its_own_trial() -> None:
    """The managers of all kinds are met; pip's plan is asked about once, although it installs what it has downloaded."""
    assert {trial.manager for _, _, trial in every_trial()} == {"pip", "uv", "poetry", "pdm", "pipenv", "pixi"}
    for name, steps in plans():
        if sum("download" in step.argv for step in steps) and "pipenv" not in name:
            (trial,) = trials(steps, PYTHON)
            assert "download" in steps[trial.number].argv and trial.folder == "torch-xpu-wheels"


def test_a_trial_changes_nothing() -> None:
    """A dry run says so, and a listing only lists; neither takes a folder to fill."""
    for name, _, trial in every_trial():
        for command in (*((trial.dry,) if trial.dry else ()), *trial.listings):
            words = command.argv
            assert "--dry-run" in words or ("index" in words and "versions" in words), (name, words)
            assert not {"--dest", "--no-sync", "uninstall", "remove"} & set(words) or "pdm" in words
        assert trial.manager != "pip" or len(trial.listings) == len(trial.requirements)


def test_what_shuts_settings_out_stays() -> None:
    """A trial that obeyed hostile settings would answer for another index."""
    met = 0
    for _, steps, trial in every_trial():
        command = steps[trial.number]
        for asked in (*((trial.dry,) if trial.dry else ()), *trial.listings):
            assert asked.unset == command.unset and asked.variables == command.variables
            for word in ("--isolated", "--no-config", "--default-timeout", "--no-cache-dir"):
                assert (word in asked.argv) == (word in command.argv), (word, asked.argv, command.argv)
                met += word in asked.argv
    assert met > 20


def test_poetry_and_pdm_wait_for_their_index() -> None:
    """They read it from the project, where an earlier command has to write it; so does a pip that is not there yet."""
    waiting = {trial.manager for _, _, trial in every_trial() if trial.waits}
    assert waiting == {"poetry", "pdm", "pip"}
    for _, steps, trial in every_trial():
        if trial.waits:
            needed = steps[trial.waits - 1].argv
            assert "source" in needed or "config" in needed or "ensurepip" in needed
            assert trial.waits <= trial.number


def test_pip_takes_every_trial() -> None:
    """Pip's own parser."""
    create = importlib.import_module("pip._internal.commands").create_command
    parse = importlib.import_module("pip._internal.cli.main_parser").parse_command
    asked = 0
    for _, _, trial in every_trial():
        for command in (*((trial.dry,) if trial.dry else ()), *trial.listings) if trial.manager == "pip" else ():
            name, rest = parse([*command.argv[3:], "--log", "x"])
            create(name).parser.parse_args(rest)
            asked += 1
    assert asked > 50


@pytest.mark.parametrize("version", ["0.5.0", ""])
def test_uv_takes_every_trial(with_uv: object, version: str) -> None:
    """uv's own parser: it shows its help, and no error."""
    program = with_uv(version)  # type: ignore[operator]
    asked = {trial.dry.argv for _, _, trial in every_trial() if trial.manager == "uv" and trial.dry is not None}
    assert len(asked) > 10
    for argv in sorted(asked):
        words = argv[3:] if argv[1:3] == ("-m", "uv") else argv[1:]
        done = subprocess.run([program, *words, "--help"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, (words, done.stderr[:500])


@pytest.mark.parametrize(
    ("line", "dry"),
    [
        ("py -m pip install torch --index-url U", "py -m pip install --dry-run --index-url U torch"),
        ("py -m pip install --force-reinstall --no-deps a==1", "py -m pip install --dry-run --force-reinstall --no-deps a==1"),
        ("py -m pip --isolated download --dest W --pre torch", "py -m pip --isolated install --dry-run --ignore-installed --pre torch"),
        ("uv pip install --python P torch", "uv pip install --dry-run --python P torch"),
        ("py -m uv pip install --reinstall a", "py -m uv pip install --dry-run --reinstall a"),
        ("uv pip install --dry-run torch", "uv pip install --dry-run torch"),
        ("uv add --project D --package app --no-cache --index x=http://U --no-sync torch",
         "uv pip install --dry-run --python PY --project D --no-cache --index x=http://U torch"),
        ("poetry --directory D add --source s torch", "poetry --directory D add --dry-run --source s torch"),
        ("pdm add --project D --no-sync torch", "pdm add --dry-run --project D --no-sync torch"),
        ("conda install --yes --prefix P --channel c libgcc", "conda install --dry-run --yes --prefix P --channel c libgcc"),
    ],
)  # fmt: skip
def test_by_word(line: str, dry: str) -> None:
    """Each manager's command and its dry run."""
    (trial,) = trials([Command(tuple(line.split()))], "PY")
    assert trial.dry is not None and " ".join(trial.dry.argv) == dry


@pytest.mark.parametrize(
    "line",
    [
        "py -m pip uninstall -y torch",
        "py -m ensurepip --upgrade",
        "rm -rf -- /srv/torch",
        "py -c pass",
        "uv sync --project D",
        "uv sync --project D --dry-run",
        "uv pip uninstall --python P torch",
        "pdm install --project D",
        "pdm config --local pypi.x.url U",
        "poetry source add --priority explicit x U",
        "conda remove --yes --prefix P pytorch",
        "pixi remove --no-install pytorch",
        "py -m pip",
        "py -m pip list",
        "uv",
        "uv --version",
        "pdm",
        "poetry",
        "conda",
    ],
)
def test_what_fetches_nothing_has_no_trial(line: str) -> None:
    """Taking out, bringing pip, reading a lock, settings, and commands that say nothing."""
    assert trials([Command(tuple(line.split()))], "PY") == ()


@pytest.mark.parametrize(
    "line", ["pipenv install --index U torch", "pixi add --pypi torch", "pixi install", "pixi reinstall torch"]
)
def test_without_a_dry_run(line: str) -> None:
    """What fetches and cannot be tried is named."""
    (trial,) = trials([Command(tuple(line.split()))], "PY")
    assert trial.dry is None and trial.manager == line.split()[0]


def test_wheels_of_a_folder() -> None:
    """A folder that an earlier command fills is not asked before; one that somebody brought is."""
    install = Command(("py", "-m", "pip", "install", "--no-index", "--find-links", "W", "torch"))
    (trial,) = trials([Command(("py", "-m", "pip", "download", "--dest", "W", "torch")), install], "py")
    assert trial.number == 0
    (trial,) = trials([install], "py")
    assert trial.dry is not None and "--no-index" in trial.dry.argv and "--find-links" in trial.listings[0].argv


def test_index_of_a_project() -> None:
    """The address comes from the command that writes it."""
    poetry = [
        ("poetry", "source", "add", "--priority", "explicit", "x", "http://U"),
        ("poetry", "add", "--source", "x", "torch"),
    ]
    pdm = [("pdm", "config", "--local", "pypi.x.url", "http://U"), ("pdm", "add", "--no-sync", "torch")]
    for argvs in (poetry, pdm):
        (trial,) = trials([Command(argv) for argv in argvs], "py")
        assert trial.index == "http://U" and trial.waits == 1 and trial.number == 1
    (trial,) = trials([Command(("uv", "add", "--index", "x=https://U/whl", "torch"))], "py")
    assert trial.index == "https://U/whl"


@pytest.mark.parametrize(
    ("requirement", "name"),
    [("torch==2.14.0+xpu", "torch"), ("triton-xpu", "triton-xpu"), ("a.b_c>=1,<2", "a.b_c"), ("torch[opt-einsum]", "torch"), ("x ; python_version>'3'", "x"), ("", "")],
)  # fmt: skip
def test_name_of(requirement: str, name: str) -> None:
    """Up to whatever is no part of a name."""
    assert name_of(requirement) == name


def test_environment_for() -> None:
    """What a command leaves out and what it sets; the rest stays."""
    command = Command(("x",), unset=("A",), variables={"B": "2"})
    assert command.environment({"A": "1", "B": "1", "C": "3"}) == {"B": "2", "C": "3"}

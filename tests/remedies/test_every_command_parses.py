"""Every line that a remedy can print is a line of its shell, and its tool knows the options in it."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path

import click
import pytest

from tests.install.kinds import TOOLS
from tests.remedies.environments import UV
from tests.remedies.machines import SYSTEMS
from tests.remedies.test_distributions import remedies as of_distribution
from tests.support.cases import cases
from tests.treatment.conftest import installed_once
from xpu_doctor.catalogue.pages import rules_by_code
from xpu_doctor.cli import main as cli_module
from xpu_doctor.cli.main import cli
from xpu_doctor.diagnosis.judge import judge
from xpu_doctor.model.facts import Distribution, Distributions, Installer, Machine, Python, Torch
from xpu_doctor.model.facts.combined import Installation
from xpu_doctor.model.findings import Remedy, Shell
from xpu_doctor.remedies.containers import KINDS, of_kinds
from xpu_doctor.remedies.install import reinstall
from xpu_doctor.remedies.managers import PROJECTS
from xpu_doctor.tables.first_aid import codes, every
from xpu_doctor.treatment.trial import CONDAS

PACKAGE = Path(cli_module.__file__).parents[1]
MANAGERS = ("pip", "uv", *PROJECTS, "hatch", "conda", "mamba", "micromamba", "system")
PREFIXES = {
    "linux": ("/venv", "/home/kim/my envs/xpu", "/srv/l'été $HOME", "/home/kim/-env", "/srv/a;b&c"),
    "windows": (r"C:\venv", r"C:\Users\Jürgen Müller\env", r"C:\a $b & c\env", r"C:\it's\env"),
}
INNER = {"-ln", "-c"}
"""Options of ls and stat, which stand in lines of docker."""
IN_PROGRAM = ("tensor = ", "device = ", "torch.multiprocessing.")
"""Lines of first aid that belong into the user's own program."""
OPTIONS = {
    "apt-get": {"-y", "-t", "--only-upgrade", "--reinstall", "-s"},
    "dnf": {"-y", "--refresh", "--add-repo"},
    "zypper": {"--non-interactive"},
    "pacman": {"-S", "-Syu", "--needed"},
    "emerge": {"--noreplace", "--update"},
    "grubby": {"--update-kernel", "--remove-args"},
    "grub-mkconfig": {"-o"},
    "grub2-mkconfig": {"-o"},
    "rpm-ostree": {"--delete"},
    "kernelstub": {"--delete-options"},
    "rpm": {"--import"},
    "add-apt-repository": {"-y"},
    "ausearch": {"-m", "-ts"},
    "clinfo": {"-l"},
    "conda": {"--yes", "--prefix", "--channel"},
    "mamba": {"--yes", "--prefix"},
    "micromamba": {"--yes", "--prefix"},
    "docker": {"-d", "--force-recreate", "--device", "--group-add", "-v", "-e", *INNER},
    "podman": {"--device", "--group-add"},
    "pixi": {"--manifest-path", "--no-install", "--pypi", "--index"},
    "lxc-attach": {"-n"},
    "lxc-start": {"-n"},
    "lxc-stop": {"-n"},
    "mhwd-kernel": {"-l"},
    "newgrp": set(),
    "setsebool": {"-P"},
    "kubectl": set(),
    "pct": {"--dev0"},
    "ha": set(),
    "snap": set(),
    "sycl-ls": set(),
    "do-release-upgrade": set(),
    "nixos-rebuild": set(),
    "update-grub": set(),
    "getenforce": set(),
    "reboot": set(),
}
"""Options that the manual of each tool names; a line with another one needs a look at the manual (apt-get(8), dnf(8), zypper(8),
pacman(8), emerge(1), grubby(8), grub-mkconfig(8), rpm-ostree(1), kernelstub(1), rpm(8), add-apt-repository(1), ausearch(8), clinfo(1),
lxc-attach(1), setsebool(8), mhwd-kernel(8), the commands of conda, docker, podman and pixi; looked at on 2026-11-26 and 2026-11-27)."""
ON_WINDOWS = {
    "winget": {"--id", "-e", "--exact", "--override"},
    "wsl": {"--update", "--shutdown", "--version", "--list", "--verbose", "--set-version"},
    "pnputil": {"/enum-devices", "/class"},
}
"""The same of programs for Windows: winget, wsl.exe, pnputil (2026-11-27)."""
GNU = (
    "cat", "curl", "dmesg", "find", "grep", "id", "ls", "lspci", "modprobe", "mv", "rm", "stat", "tail", "tee", "uname", "usermod", "wget", "xargs",
)  # fmt: skip
"""Tools whose own parser can be asked wherever they are: with `--help` besides they do nothing else, or name the option that they do not know."""
OF_PROJECTS = ("poetry", "pdm", "pipenv")
"""Managers whose own parser is asked in the heavy tests; PyPI has them."""
OF_PYTHON = re.compile(r"(?:pip|py|(?:.*/)?python[\d.]*(?:\.exe)?)")
BUILT_IN = {".", "echo", "export", "test", "unset", "&", "sudoedit"}
"""Words of the shells, and an editor."""
OWN_PROGRAMS = {"./webui.sh", "webui.bat"}
"""Of the program whose torch it is."""
CMDLETS = re.compile(r"(?:[A-Z][a-z]+-[A-Z][A-Za-z]+|\$env:\w+)")


@cache
def remedies() -> tuple[Remedy, ...]:
    """Every remedy: of each distribution and place, of first aid, of each rule's cases, and of each manager and system."""
    return tuple(dict.fromkeys((*_of_machines(), *_of_tables(), *_of_rules(), *_of_managers())))


def _of_machines() -> Iterator[Remedy]:
    for system, container, wsl in product(SYSTEMS, ("", "docker"), (False, True)):
        yield from of_distribution(system.machine(container, wsl))


def _of_tables() -> Iterator[Remedy]:
    for code in sorted(codes()):
        yield from every(code)
    for kind in KINDS:
        yield from of_kinds((kind,), Machine(os="linux"))


def _of_rules() -> Iterator[Remedy]:
    for case in cases():
        if case.outcome == "found":
            for finding in judge([rules_by_code()[case.code]()], case.facts()).findings:
                yield from finding.remedies


def _of_managers() -> Iterator[Remedy]:
    for manager, (system, prefixes), has_pip in product(MANAGERS, PREFIXES.items(), (True, False)):
        for prefix in prefixes:
            executable = f"{prefix}\\Scripts\\python.exe" if system == "windows" else f"{prefix}/bin/python"
            python = Python(executable=executable, prefix=prefix, os=system, version="3.12.7")
            of_conda = manager in CONDAS
            by = "conda" if of_conda else "pip"
            torch, vision = Distribution("torch", "2.9.0+cpu"), Distribution("torchvision", "0.24.0")
            installed = Distributions(installed=(replace(torch, installer=by), replace(vision, installer=by)))
            installer = Installer(
                manager="conda" if of_conda else manager,
                conda=manager if of_conda else "",
                has_pip=has_pip,
                uv="command" if manager.startswith("uv") else "",
                project=prefix if manager in PROJECTS else "",
                settings=(),
            )
            yield from reinstall(Installation(python, installed, installer, Torch(version="2.9.0+cpu", build="cpu")))


def lines(os: str) -> tuple[str, ...]:
    """The lines for a system's usual shell."""
    found = []
    for remedy in remedies():
        if (remedy.os == "windows") is (os == "windows") and remedy.shell is not Shell.CMD:
            found += [line for line in (*remedy.commands, *remedy.verify) if not line.startswith(IN_PROGRAM)]
    return tuple(dict.fromkeys(found))


def steps(line: str) -> Iterator[list[str]]:
    """The programs of a line with their arguments, without what runs them."""
    for step in re.split(r" (?:&&|\|\||\|) |; if \(\$\?\) \{ ", line):
        with contextlib.suppress(ValueError):
            words = [word for word in shlex.split(step, comments=True) if word.strip("}")]
            while words and (words[0] in ("sudo", "env", "-u") or re.match(r"[A-Z_]+(?:=|$)", words[0])):
                words = words[1:]
            if words:
                yield words


def test_there_is_something_to_check() -> None:
    """The collection finds the remedies of every tool that is spoken of here."""
    seen = {words[0] for line in lines("linux") for words in steps(line)}
    assert {*OPTIONS, *OF_PROJECTS, "uv"} - seen == {"grub-mkconfig"} - seen
    assert len(lines("linux")) > 150
    assert len(lines("windows")) > 20


@pytest.mark.parametrize("shell", ["bash", "dash", "zsh", "fish"])
def test_shells_read_every_line(shell: str) -> None:
    """Each line is whole: quotes end, operators have both sides."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not here")
    faults = []
    for line in lines("linux"):
        done = subprocess.run([shell, "-n"], input=line + "\n", capture_output=True, text=True, check=False)
        if done.returncode or done.stderr:
            faults.append((line, done.stderr))
    assert not faults, faults[:5]


def test_windows_lines_are_for_powershell() -> None:
    """Quotes are balanced, no operator that old PowerShells lack, and nothing of sh."""
    faults = []
    for line in lines("windows"):
        bare = re.sub(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"", "Q", line)
        if any(mark in bare for mark in ("'", '"', "&&", "||", "sudo", "export ")):
            faults.append(line)
    assert not faults, faults[:5]


@pytest.mark.parametrize("tool", sorted(OPTIONS))
def test_options_are_in_the_manual(tool: str) -> None:
    """Tools of other systems are held to the options that their manuals name."""
    for line in lines("linux"):
        for words in steps(line):
            if words[0] == tool:
                own = words[1 : words.index("--") if "--" in words else None]
                given = {word.partition("=")[0] for word in own if word.startswith("-")}
                assert given <= OPTIONS[tool], (line, given - OPTIONS[tool])


def _pip(os: str) -> Iterator[tuple[str, list[str]]]:
    for line in lines(os):
        for found in steps(line.replace("\\", "/")):
            words = found[1:] if found[0] == "&" else found
            if words[1:3] == ["-m", "pip"]:
                yield line, words[3:]


@pytest.mark.parametrize("os", ["linux", "windows"])
def test_pip_knows_every_option(os: str) -> None:
    """Pip's own parser takes each line of pip."""
    create = importlib.import_module("pip._internal.commands").create_command
    parse = importlib.import_module("pip._internal.cli.main_parser").parse_command
    asked = list(_pip(os))
    assert asked
    for line, words in asked:
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            try:
                name, rest = parse(words)
                create(name).parser.parse_args(rest)
            except SystemExit:
                pytest.fail(f"{line}\n{said.getvalue()}")


def test_uv_knows_every_option() -> None:
    """Uv's own parser takes each line of uv: it shows its help, and no error."""
    if shutil.which(UV) is None:
        pytest.skip("uv is not here")
    asked = {tuple(words[1:]) for line in lines("linux") for words in steps(line) if words[0] == "uv"}
    assert asked
    for words in sorted(asked):
        done = subprocess.run([UV, *words, "--help"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, (words, done.stderr[:500])


def test_apt_get_knows_every_option() -> None:
    """Apt-get's own parser takes each line: it says its version, and no error."""
    if shutil.which("apt-get") is None:
        pytest.skip("apt-get is not here")
    options = {
        tuple(word for word in words[1:] if word.startswith("-") and word != "-t")
        for line in lines("linux")
        for words in steps(line)
        if words[0] == "apt-get"
    }
    for given in sorted(options):
        done = subprocess.run(["apt-get", "install", *given, "-v"], capture_output=True, text=True, check=False)
        assert "not understood" not in done.stderr and done.returncode == 0, (given, done.stderr)


def _used(os: str, tool: str) -> list[tuple[str, ...]]:
    """What a tool is called with in any line."""
    found = (tuple(words[1:]) for line in lines(os) for words in steps(line) if words[0] == tool)
    return list(dict.fromkeys(found))


def test_every_tool_is_held_to_something() -> None:
    """No line begins with a program that no test here knows."""
    held = {*OPTIONS, *GNU, *OF_PROJECTS, *BUILT_IN, *OWN_PROGRAMS, "uv", "apt-get", "apt-cache", "sed", "xpu-doctor"}
    seen = {words[0] for line in lines("linux") for words in steps(line)}
    unknown = {word for word in seen if word not in held and not OF_PYTHON.fullmatch(word)}
    assert unknown <= {*ON_WINDOWS, "id;"}, unknown


@pytest.mark.parametrize("tool", sorted(ON_WINDOWS))
def test_options_are_those_of_windows(tool: str) -> None:
    """What each program is called with, in lines for Windows and in those about WSL."""
    asked = [*_used("windows", tool), *_used("linux", tool)]
    assert asked
    for words in asked:
        assert {word for word in words if word.startswith(("-", "/")) and " " not in word} <= ON_WINDOWS[tool], words


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap keeps the machine as it is")
@pytest.mark.parametrize("tool", [*GNU, "no such option"])
def test_tools_of_gnu_know_every_option(tool: str) -> None:
    """Each prints its help, and no error; the control is one that has an option which no tool knows."""
    control = tool == "no such option"
    name = "rm" if control else tool
    program = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
    if program is None:
        pytest.skip(f"{name} is not here")
    asked = [("--no-such-option",)] if control else _used("linux", tool)
    assert asked
    for words in asked:
        cut = words.index("--") if "--" in words else len(words)
        # What follows a program to run, or an expression to look for, is no option of this one.
        own = words[:cut] if tool not in ("xargs", "find") else words[:1]
        box = ("bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--unshare-all")
        done = subprocess.run([*box, program, *own, "--help"], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)  # fmt: skip
        said = done.stdout + done.stderr
        wrong = re.search(r"(?:unrecognized|invalid|unknown|is unknown|illegal) ?option", said) is not None
        assert wrong is control, (words, said[:300])


PARSE: dict[str, str] = {
    "poetry": """
import sys
from cleo.io.inputs.argv_input import ArgvInput
from poetry.console.application import Application
application = Application()
def parse(words):
    words = [word for at, word in enumerate(words) if word != "--directory" and (at == 0 or words[at - 1] != "--directory")]
    count = 2 if application.has(" ".join(words[:2])) else 1
    command = application.find(" ".join(words[:count]))
    command.merge_application_definition(merge_args=False)
    ArgvInput(["poetry", *words[count:]]).bind(command.definition)
""",
    "pdm": """
from pdm.core import Core
core = Core()
core.init_parser()
core.load_plugins()
def parse(words):
    core.parser.parse_args(words)
""",
    "pipenv": """
from pipenv.cli.options import build_parser
def parse(words):
    build_parser().parse_args(words)
""",
}
"""How the own parser of each manager is asked, in its own interpreter."""
ASK = """
import json, sys
for words in json.loads(sys.argv[1]):
    try:
        parse(words)
    except BaseException as error:
        print(json.dumps([words, f"{type(error).__name__}: {error}"]))
"""


@pytest.mark.heavy
@pytest.mark.parametrize("tool", OF_PROJECTS)
def test_managers_know_every_option(tmp_path: Path, tool: str) -> None:
    """poetry's, pdm's and pipenv's own parsers take each of their lines; the control is an option that none knows."""
    kept = os.environ.get("XPU_DOCTOR_TEST_MANAGERS")
    python = Path(kept, tool, "bin", "python") if kept else installed_once(tmp_path / tool, sys.executable, TOOLS[tool])
    asked = _used("linux", tool)
    assert asked
    for words, fails in ((asked, False), ([(*asked[-1], "--no-such-option")], True)):
        argv = [python, "-c", PARSE[tool] + ASK, json.dumps(words)]
        done = subprocess.run(argv, capture_output=True, text=True, cwd=tmp_path, check=True)
        assert bool(done.stdout.strip()) is fails, done.stdout


def _own_lines() -> Iterator[str]:
    """What the doctor says of itself: in remedies, and in every message and hint of its own."""
    for system in ("linux", "windows"):
        yield from (shlex.join(words) for words in _used(system, "xpu-doctor"))
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        yield from (words.strip() for words in re.findall(r"`xpu-doctor ((?:[a-z-]+)(?: --?[a-z-]+)*)", text))
        for given in re.findall(r"""\bcall\([\w.]+((?:, ['"]--[a-z-]+['"])+)(?:, \*[\w.]+)?\)""", text):
            yield "fix --python PATH " + " ".join(re.findall(r"--[a-z-]+", given))


def test_the_doctor_knows_its_own_options() -> None:
    """Those of `fix` that its hints name, too."""
    asked = list(dict.fromkeys(filter(None, _own_lines())))
    fixes = {line for line in asked if line.startswith("fix ")}
    assert {
        "fix --python PATH --undo",
        "fix --python PATH --apply",
        "fix --python PATH --apply --continue",
        "fix --python PATH --forget",
    } <= fixes
    for line in asked:
        name, *rest = shlex.split(line)
        rest = rest[: rest.index("--")] if "--" in rest else rest  # behind it stands another program's command
        command = cli.get_command(click.Context(cli), name)
        assert command is not None, line
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert {word.partition("=")[0] for word in rest if word.startswith("-")} <= {*known, "--help", "-h"}, line

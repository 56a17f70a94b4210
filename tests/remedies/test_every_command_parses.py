"""Every line that a remedy can print is a line of its shell, and its tool knows the options in it."""

from __future__ import annotations

import contextlib
import importlib
import io
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from itertools import product

import pytest

from tests.remedies.environments import UV
from tests.remedies.machines import SYSTEMS
from tests.remedies.test_distributions import remedies as of_distribution
from tests.support.cases import cases
from xpu_doctor.catalogue.pages import rules_by_code
from xpu_doctor.diagnosis.judge import judge
from xpu_doctor.model.facts import Distribution, Distributions, Installer, Machine, Python, Torch
from xpu_doctor.model.facts.combined import Installation
from xpu_doctor.model.findings import Remedy, Shell
from xpu_doctor.remedies.containers import KINDS, of_kinds
from xpu_doctor.remedies.install import reinstall
from xpu_doctor.tables.first_aid import codes, every

MANAGERS = ("pip", "uv", "uv-project", "conda", "poetry", "pdm", "pipenv", "system")
PREFIXES = {
    "linux": ("/venv", "/home/kim/my envs/xpu", "/srv/l'été $HOME", "/home/kim/-env", "/srv/a;b&c"),
    "windows": (r"C:\venv", r"C:\Users\Jürgen Müller\env", r"C:\a $b & c\env", r"C:\it's\env"),
}
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
    "usermod": {"-aG"},
}
"""Options that the manual of each tool names; a line with another one needs a look at the manual (apt-get(8), dnf(8), zypper(8),
pacman(8), emerge(1), grubby(8), grub-mkconfig(8), rpm-ostree(1), kernelstub(1), rpm(8), usermod(8); looked at on 2026-11-26)."""


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
    for manager, (os, prefixes), has_pip in product(MANAGERS, PREFIXES.items(), (True, False)):
        for prefix in prefixes:
            executable = f"{prefix}\\Scripts\\python.exe" if os == "windows" else f"{prefix}/bin/python"
            python = Python(executable=executable, prefix=prefix, os=os, version="3.12.7")
            installed = Distributions(
                installed=(Distribution("torch", "2.9.0+cpu"), Distribution("torchvision", "0.24.0"))
            )
            uv = "command" if manager.startswith("uv") else ""
            installer = Installer(
                manager=manager, has_pip=has_pip, uv=uv, project=prefix if manager == "uv-project" else "", settings=()
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
            while words and (words[0] in ("sudo", "env", "-u") or re.fullmatch(r"[A-Z_]+=?\S*", words[0])):
                words = words[1:]
            if words:
                yield words


def test_there_is_something_to_check() -> None:
    """The collection finds the remedies of every tool that is spoken of here."""
    seen = {words[0] for line in lines("linux") for words in steps(line)}
    assert set(OPTIONS) - seen == {"grub-mkconfig"} - seen
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
                given = {word.partition("=")[0] for word in words[1:] if word.startswith("-")}
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

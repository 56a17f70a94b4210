"""Completion in the real shells: what TAB types, and what a shell is told."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import xpu_doctor
from tests.support.cli import doctor, environment
from tests.support.powershell import check_line
from xpu_doctor.catalogue.names import probe_layers
from xpu_doctor.catalogue.pages import codes
from xpu_doctor.cli.main import LazyGroup
from xpu_doctor.model.selection import ALWAYS, CHECKED, select
from xpu_doctor.report.formats import NAMES

POSIX = pytest.mark.skipif(os.name != "posix", reason="these shells, and terminals, are POSIX's")
INTERACTIVE = {
    "bash": (["--norc", "--noprofile", "-i"], 'eval "$(xpu-doctor completion bash)"'),
    "zsh": (["-f", "-i"], 'autoload -U compinit; compinit -D -u; eval "$(xpu-doctor completion zsh)"'),
}


@pytest.fixture(scope="module")
def on_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH on which `xpu-doctor` is this one."""
    folder = tmp_path_factory.mktemp("bin")
    paths = Path(xpu_doctor.__file__).parents[1]
    program = folder / "xpu-doctor"
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH="{paths}" exec "{sys.executable}" -m xpu_doctor "$@"\n', encoding="utf-8"
    )
    program.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def offered(line: str, on_path: str) -> list[str]:
    """What a shell is told for a line, with the cursor at its end."""
    given = line.split()
    place = len(given) - (not line.endswith(" "))
    env = environment(PATH=on_path, COMP_WORDS=line, COMP_CWORD=str(place), _XPU_DOCTOR_COMPLETE="bash_complete")
    run = subprocess.run(["xpu-doctor"], env=env, capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, run.stderr) == (0, ""), run.stderr
    return run.stdout.split()


@POSIX
def test_what_is_offered(on_path: str) -> None:
    """Commands, codes, layers and probes, choices, options, files."""
    assert offered("xpu-doctor ", on_path) == [f"plain,{name}" for name in LazyGroup.lazy]
    assert offered("xpu-doctor explain ", on_path) == [f"plain,{code}" for code in codes()]
    names = {word.partition(",")[2] for word in offered("xpu-doctor check --only ", on_path)}
    assert names == {layer.value for layer in CHECKED} | set(probe_layers())
    assert select(names, (), probe_layers()).layers >= set(CHECKED)
    left_out = {word.partition(",")[2] for word in offered("xpu-doctor check --skip ", on_path)}
    assert left_out == names - ALWAYS
    assert offered("xpu-doctor check --skip device,kernel-d", on_path) == ["plain,device,kernel-driver"]
    assert "plain,never" in offered("xpu-doctor triage --fail-on ", on_path)
    assert "plain,--expect" in offered("xpu-doctor check --ex", on_path)
    assert offered("xpu-doctor triage rep", on_path) == ["file,rep"]
    assert offered("xpu-doctor check --python my", on_path) == ["file,my"]
    assert offered("xpu-doctor check --ignore torch-cu", on_path) == ["plain,torch-cuda-wheel"]


@POSIX
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("xpu-doctor check --format = j", ["plain,json", "plain,junit"]),
        ("xpu-doctor check --format =", [f"plain,{name}" for name in NAMES]),
        ("xpu-doctor check --python = le", ["file,le"]),
        ("xpu-doctor check --format = json --onl", ["plain,--only"]),
    ],
)
def test_a_value_behind_an_equals_sign(line: str, expected: list[str], on_path: str) -> None:
    """Bash takes the sign for a word of its own."""
    assert offered(line, on_path) == expected


@POSIX
@pytest.mark.parametrize("shell", INTERACTIVE)
def test_tab_in_a_real_shell(shell: str, on_path: str, tmp_path: Path) -> None:
    """The beginning of a code is typed, then TAB and ENTER: the page of that code appears."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not here")
    options, setting = INTERACTIVE[shell]
    page = in_terminal(
        [shell, *options], [f"{setting}; echo rea''dy", "xpu-doctor explain torch-cpu-w\t"], on_path, tmp_path
    )
    assert "Fix" in page and "What it means" in page, page


def in_terminal(command: list[str], lines: list[str], path: str, home: Path) -> str:
    """Type lines into a program that runs in a terminal of its own; return all that it showed."""
    import pty

    screen, terminal = pty.openpty()
    given = environment(PATH=path, HOME=str(home), TERM="dumb", PS1="$ ")
    process = subprocess.Popen(
        command, stdin=terminal, stdout=terminal, stderr=terminal, env=given, cwd=home, start_new_session=True
    )
    os.close(terminal)
    shown = ""
    try:
        for line, awaited in zip(lines, ("ready", "References"), strict=True):
            os.write(screen, line.encode())
            if line.endswith("\t"):
                shown += read_until(screen, "torch-cpu-wheel", 30)
            os.write(screen, b"\n")
            shown += read_until(screen, awaited, 30)
    finally:
        process.kill()
        process.wait()
        os.close(screen)
    return shown


def read_until(screen: int, awaited: str, seconds: float) -> str:
    """Return what a terminal shows up to some words, or all until the time is over."""
    import select

    shown, until = "", time.monotonic() + seconds
    while awaited not in shown and time.monotonic() < until:
        if select.select([screen], [], [], 0.2)[0]:
            shown += os.read(screen, 65536).decode("utf-8", "replace")
    return shown


@POSIX
def test_fish(on_path: str, tmp_path: Path) -> None:
    """fish's own engine, asked what it would offer."""
    if shutil.which("fish") is None:
        pytest.skip("fish is not here")
    code = 'xpu-doctor completion fish | source; complete -C "xpu-doctor explain torch-c"; complete -C "xpu-doctor tri"'
    run = subprocess.run(
        ["fish", "--no-config", "-c", code], env=environment(PATH=on_path, HOME=str(tmp_path)), capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert [line.partition("\t")[0] for line in run.stdout.splitlines()] == [
        "torch-cpu-wheel",
        "torch-cuda-wheel",
        "triage",
    ], run.stdout + run.stderr


def test_powershell_takes_the_script() -> None:
    """By its grammar: there is no PowerShell for the suite to run everywhere."""
    run = doctor("completion", "powershell")
    assert run.code == 0 and "Register-ArgumentCompleter -Native -CommandName xpu-doctor" in run.stdout
    check_line(run.stdout)


def test_a_click_without_powershell_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from xpu_doctor.cli import completion
    from xpu_doctor.cli.main import cli

    monkeypatch.setattr(completion, "get_completion_class", lambda shell: None)
    result = CliRunner().invoke(cli, ["completion", "powershell"])
    assert result.exit_code == 2 and "update it with" in result.output


def test_a_shell_that_nobody_knows_is_refused() -> None:
    assert doctor("completion", "tcsh").code == 2
    assert doctor(env=environment(_XPU_DOCTOR_COMPLETE="tcsh_complete")).code == 1

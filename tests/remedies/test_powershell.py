"""Lines for PowerShell, read back by its grammar (and by PowerShell's own parser where it is here)."""

from __future__ import annotations

import json
import shutil
import subprocess
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.remedies.test_every_command_parses import lines as every_line
from tests.support.powershell import NotPowerShell, check_line, commands_of
from xpu_doctor.model.commands import Command
from xpu_doctor.model.facts import Distribution, Distributions, Installer, Python, Torch
from xpu_doctor.model.facts.combined import Installation
from xpu_doctor.model.findings import Shell
from xpu_doctor.remedies.commands import lines, sequence
from xpu_doctor.remedies.install import reinstall

FOLDERS = (
    r"C:\venv",
    r"C:\Program Files\my env",
    r"C:\Grüße an 東京 & Co",
    r"C:\100% off",
    r"C:\%PATH%",
    r"C:\it's",
    r"C:\it’s “here”",
    r"C:\a $b",
    r"C:\a`b",
    r"C:\(x)",
    r"C:\a;b,c=d",
    r"C:\@at#hash",
    "C:\\a\u200bb",
    r"D:\-odd",
)
WORDS = st.text(st.characters(exclude_characters='\0\n\r"', codec="utf-8"), max_size=12)
PARSE = (
    "$lines = Get-Content -Raw -Encoding utf8 lines.json | ConvertFrom-Json; foreach ($line in $lines) { $faults = $null; "
    "$null = [System.Management.Automation.Language.Parser]::ParseInput($line, [ref]$null, [ref]$faults); "
    "if ($faults) { $line } }; 'read ' + @($lines).Count"
)


@settings(max_examples=200, deadline=None)
@given(st.lists(WORDS, max_size=5))
def test_powershell_reads_back_what_was_meant(words: list[str]) -> None:
    (line,) = lines([Command((r"C:\my env\python.exe", "-c", "print(1)", *words))], Shell.POWERSHELL)
    assert commands_of(line) == [(r"C:\my env\python.exe", "-c", "print(1)", *words)]


@pytest.mark.parametrize("folder", FOLDERS)
def test_sequences_of_every_folder(folder: str) -> None:
    """Each step runs inside of the one before, with its words unchanged."""
    steps = [
        Command((rf"{folder}\python.exe", "-m", "pip", "uninstall", "-y", "torch")),
        Command(("uv", "pip", folder)),
    ]
    line = sequence(steps, Shell.POWERSHELL)[-1]
    assert commands_of(line) == [step.argv for step in steps]


@pytest.mark.parametrize("word", ["-Dname.part=x", "-x:y", "-D:\\folder"])
def test_words_that_powershell_would_split(word: str) -> None:
    """It splits a bare parameter at a dot or a colon, even for programs that are none of its own."""
    (line,) = lines([Command(("program", word))], Shell.POWERSHELL)
    assert commands_of(line) == [("program", word)]


@pytest.mark.parametrize("folder", FOLDERS)
def test_remedies_print_the_steps_that_they_hold(folder: str) -> None:
    """For each manager, with pip and without, embeddable or not."""
    compared = 0
    for manager, has_pip, embedded in product(("pip", "uv", "conda", "poetry"), (True, False), (True, False)):
        python = Python(
            executable=rf"{folder}\python.exe",
            prefix=folder,
            os="windows",
            version="3.12.7",
            embedded=embedded,
            ensurepip=not embedded,
        )
        installed = Distributions(installed=(Distribution("torch", "2.9.0+cpu"),))
        installer = Installer(manager=manager, has_pip=has_pip, uv="command", settings=())
        torch = Torch(version="2.9.0+cpu", build="cpu")
        for remedy in reinstall(Installation(python, installed, installer, torch)):
            if remedy.shell is not Shell.CMD and remedy.steps:
                assert commands_of(remedy.commands[-1]) == [step.argv for step in remedy.steps]
                compared += 1
    assert compared


def test_every_line_is_one_of_powershell() -> None:
    faults = []
    for line in every_line("windows"):
        try:
            check_line(line)
        except NotPowerShell as fault:
            faults.append(str(fault))
    assert not faults, faults[:5]


@pytest.mark.skipif(shutil.which("pwsh") is None, reason="PowerShell is not here")
def test_powershell_itself_takes_every_line(tmp_path: Path) -> None:
    asked = every_line("windows")
    (tmp_path / "lines.json").write_text(json.dumps(asked), encoding="utf-8")
    run = subprocess.run(
        ["pwsh", "-NoProfile", "-NonInteractive", "-Command", PARSE],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    assert run.stdout.split("\n")[0].strip() == f"read {len(asked)}", run.stdout

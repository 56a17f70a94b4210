"""On Windows no remedy tells a command of Linux: every case of every rule, as if its machine ran Windows."""

from __future__ import annotations

import dataclasses
import re

import pytest

from tests.support.cases import Case, cases
from xpu_doctor.catalogue.pages import rules_by_code
from xpu_doctor.diagnosis.judge import judge
from xpu_doctor.model.snapshot import Snapshot

OF_LINUX = re.compile(
    r"(?<![/\w])(?:sudo|lspci|clinfo|python3|export|unset|apt-get|chmod|ldconfig|grep|dmesg|uname|source)\b|/dev/|\$\(|(?<=\s)ls -"
)
OTHER_SYSTEM = ("linux",)
"""Remedies that say themselves where they are typed: on a host, in WSL."""


def on_windows(snapshot: Snapshot) -> Snapshot:
    """Return the facts of a case with Windows below them."""
    machine = dataclasses.replace(snapshot.machine, os="windows", wsl=False, container="", distribution="")
    python = dataclasses.replace(
        snapshot.python, os="windows", executable=r"C:\venv\Scripts\python.exe", base_prefix=r"C:\Python312"
    )
    return dataclasses.replace(snapshot, machine=machine, python=python)


@pytest.mark.parametrize("case", [case for case in cases() if case.outcome == "found"], ids=str)
def test_no_command_of_linux(case: Case) -> None:
    for finding in judge([rules_by_code()[case.code]()], on_windows(case.facts())).findings:
        for remedy in finding.remedies:
            if remedy.os not in OTHER_SYSTEM:
                told = [line for line in (*remedy.commands, *remedy.verify) if OF_LINUX.search(line)]
                assert not told, (finding.code, remedy.title, told)


def test_notes_of_linux_stay_there() -> None:
    """Which packages drive a GPU on Linux says nothing to somebody on Windows."""
    [case] = [case for case in cases() if case.code == "gpu-unsupported" and case.name == "UHD 630 alone"]
    rule = rules_by_code()["gpu-unsupported"]
    [here] = judge([rule()], on_windows(case.facts())).findings
    [there] = judge([rule()], case.facts()).findings
    assert "legacy1" in there.summary and "legacy1" not in here.summary

"""The lists that a newcomer reads first: commands and probes, each said in one whole sentence."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from xpu_doctor.catalogue.names import probe_rows
from xpu_doctor.cli.main import LazyGroup, cli


@pytest.mark.parametrize("name", LazyGroup.lazy)
def test_what_a_command_is_for_is_said_in_one_short_sentence(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None and command.help is not None
    first = command.help.split("\n\n")[0].split("\b")[0].strip()
    assert first.endswith(".") and len(first) <= 60 and "\n" not in first
    assert first == command.get_short_help_str(60)


def test_help_at_80_columns_cuts_no_sentence() -> None:
    text = CliRunner(env={"COLUMNS": "80"}).invoke(cli, ["--help"]).output
    commands = text.split("Commands:\n")[1].splitlines()
    assert [line.split()[0] for line in commands] == list(LazyGroup.lazy)
    assert not any("..." in line or len(line) > 80 for line in commands)


@pytest.mark.parametrize("row", probe_rows(), ids=lambda row: str(row[0]))
def test_what_a_probe_gathers_is_a_whole_sentence(row: tuple[str, object, str]) -> None:
    about = row[2]
    assert about.endswith(".") and (about[0].isupper() or about.startswith("zeInit"))

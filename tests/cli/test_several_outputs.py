"""Several `-o` in one run: the format follows the ending, all are checked first, and one that fails does not cost the others."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.support.cli import doctor
from tests.support.environments import CPU_LIBRARIES, StubEnvironment
from xpu_doctor.api import triage as document
from xpu_doctor.cli.options import NAMES
from xpu_doctor.cli.triage import triage
from xpu_doctor.report.formats import FORMATS, Format, View, format_of
from xpu_doctor.text.output import OutputError, to_each
from xpu_doctor.text.output_file import OWN_REPORT

PASTE = "AssertionError: Torch not compiled with XPU enabled\ntorch 2.9.1+cpu\n"


def run(*options: str) -> Result:
    return CliRunner().invoke(triage, [*options, "-"], input=PASTE, standalone_mode=False)


@pytest.mark.parametrize(
    ("path", "given", "expected"),
    [
        ("report.json", None, "json"),
        ("a/REPORT.JSON", None, "json"),
        ("report.txt", None, "text"),
        ("report.json.txt", None, "text"),
        ("report", None, "text"),
        (".json", None, "text"),
        ("folder.json/report", None, "text"),
        ("-", None, "text"),
        ("-", "json", "json"),
        ("report.txt", "json", "json"),
        ("report.json", "text", "text"),
    ],
)
def test_the_format_follows_the_ending(path: str, given: str | None, expected: str) -> None:
    assert format_of(path, given) == expected


def test_no_name_and_no_ending_means_two_formats() -> None:
    endings = [ending for each in FORMATS for ending in each.endings]
    assert len(set(endings)) == len(endings) and all(ending.startswith(".") and ending.islower() for ending in endings)
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("each", FORMATS, ids=lambda each: each.name)
def test_a_report_of_any_format_is_known_for_one(each: Format) -> None:
    """On a disk on which everything is executable it is replaced like any other file; and each format has an ending."""
    assert each.render(document("torch 2.9.1+cpu"), View()).encode().startswith(OWN_REPORT) and each.endings


def test_several_files_in_one_run(stub: StubEnvironment, tmp_path: Path) -> None:
    stub.add_torch("2.9.1+cpu", libraries=CPU_LIBRARIES)
    text, document = tmp_path / "report.txt", tmp_path / "report.json"
    ran = doctor("check", "--python", str(stub.python), "--only", "wheel", "-o", str(text), "-o", str(document))
    assert (ran.code, ran.stdout) == (1, "")
    told = ran.stderr.splitlines()[-2:]
    assert told[0].startswith("Root cause: ") and told[0].endswith("[torch-cpu-wheel]")
    assert told[1] == f"wrote {text}, {document}"
    assert text.read_text(encoding="utf-8").startswith("Examined")
    assert json.loads(document.read_text(encoding="utf-8"))["exit_code"] == 1


@pytest.mark.parametrize("options", [(), ("--reply",)])
def test_triage_says_on_stderr_what_went_into_a_file(tmp_path: Path, options: tuple[str, ...]) -> None:
    file = str(tmp_path / "a report.md")
    ran = run(*options, "-o", file)
    assert ran.stdout == ""
    assert ran.stderr.splitlines()[-1] == f"wrote {file}" and "[torch-cpu-wheel]" in ran.stderr
    assert run(*options, "-o", file, "-o", "-").stderr == run(*options).stderr == ""


def test_a_dash_prints_besides(tmp_path: Path) -> None:
    ran = run("-o", "-", "-o", str(tmp_path / "report.json"))
    assert "torch-cpu-wheel" in ran.stdout and not ran.stdout.startswith("{")
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["schema"] == 1


def test_a_given_format_wins_for_all(tmp_path: Path) -> None:
    ran = run("--json", "-o", "-", "-o", str(tmp_path / "report.txt"))
    assert json.loads(ran.stdout) | {"created": ""} == json.loads(
        (tmp_path / "report.txt").read_text(encoding="utf-8")
    ) | {"created": ""}


@pytest.mark.parametrize(
    ("paths", "says"),
    [
        (("{0}/a.json", "{0}/a.json"), "is given twice"),
        (("{0}/a.json", "{0}/./a.json"), "are the same place"),
        (("{0}/a.json", "{0}/link"), "are the same place"),
        (("-", "/dev/stdout"), "are the same place"),
        (("{0}/a.json", "{0}/none/b.json"), "there is no folder"),
        (("{0}/a.json", "{0}"), "it is a folder"),
    ],
)
@pytest.mark.skipif(os.name != "posix", reason="links and names of POSIX")
def test_all_are_checked_before_the_work(tmp_path: Path, paths: tuple[str, str], says: str) -> None:
    (tmp_path / "link").symlink_to("a.json")
    options = [part for path in paths for part in ("-o", path.format(tmp_path))]
    ran = doctor("check", "--python", "/nowhere", *options)
    assert ran.code == 2
    ran = run(*options)
    assert says in str(ran.exception)
    assert os.listdir(tmp_path) == ["link"]


def test_one_that_fails_does_not_cost_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full by then: what was there stays, the rest is written, and the exit code is that of an error."""
    replace = os.replace
    (tmp_path / "a.json").write_text("{}", encoding="utf-8")

    def full(source: str, target: str) -> None:
        if target.endswith("a.json"):
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    ran = run("-o", "-", "-o", str(tmp_path / "a.json"), "-o", str(tmp_path / "b.json"))
    assert isinstance(ran.exception, OutputError) and "a.json: No space left" in str(ran.exception)
    assert sorted(os.listdir(tmp_path)) == ["a.json", "b.json"]
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == "{}"
    assert "torch-cpu-wheel" in (tmp_path / "b.json").read_text(encoding="utf-8") and "torch-cpu-wheel" in ran.stdout


def test_failures_of_several_are_all_named() -> None:
    done: list[str] = []

    def put(path: str) -> None:
        if path == "-":
            raise BrokenPipeError
        if path != "good":
            raise OutputError(f"cannot write {path}")
        done.append(path)

    with pytest.raises(OutputError, match="cannot write one; cannot write two"):
        to_each(["-", "one", "two", "good"], put)
    assert done == ["good"]
    with pytest.raises(BrokenPipeError):
        to_each(["-", "good"], put)


def test_a_reply_goes_to_every_file_as_it_is(tmp_path: Path) -> None:
    run("--reply", "-o", str(tmp_path / "a.md"), "-o", str(tmp_path / "b.txt"))
    written = [(tmp_path / name).read_text(encoding="utf-8") for name in ("a.md", "b.txt")]
    assert written[0] == written[1] and written[0].startswith("Thank you")


def test_a_reply_has_no_other_format() -> None:
    for options in (("--json",), ("--format", "junit")):
        assert "--reply is a message of its own" in str(run("--reply", *options).exception)
    assert "asks for json, and the message of --reply has no such format" in str(
        run("--reply", "-o", "reply.json").exception
    )
    assert run("--reply", "--format", "text").stdout.startswith("Thank you")


@pytest.mark.parametrize("spelt", ["{0}/input.json", "{0}/./input.json", "{0}/symbolic", "{0}/hard"])
@pytest.mark.skipif(os.name != "posix", reason="links and names of POSIX")
def test_what_is_read_is_never_replaced(tmp_path: Path, spelt: str) -> None:
    """However the file is spelt; and one of several outputs is enough."""
    given, other = tmp_path / "input.json", tmp_path / "other.txt"
    for path in (given, other):
        path.write_text(PASTE, encoding="utf-8")
    (tmp_path / "symbolic").symlink_to("input.json")
    os.link(given, tmp_path / "hard")
    output = ("-o", str(tmp_path / "new.txt"), "-o", spelt.format(tmp_path))
    for command in (("triage", str(given)), ("compare", str(other), str(given))):
        ran = doctor(*command, *output)
        assert (ran.code, ran.stdout) == (2, "") and "this file is read as input" in ran.stderr
        assert ran.stderr.strip().splitlines()[-1].startswith("Error: -o "), ran.stderr
    assert given.read_text(encoding="utf-8") == PASTE and not (tmp_path / "new.txt").exists()


@pytest.mark.skipif(os.name != "posix", reason="a shell of POSIX")
def test_a_file_on_standard_input_is_never_replaced(tmp_path: Path) -> None:
    given = tmp_path / "input.txt"
    given.write_text(PASTE, encoding="utf-8")
    with given.open() as stream:
        ran = subprocess.run(
            [sys.executable, "-m", "xpu_doctor", "triage", "-", "-o", str(given)],
            stdin=stream,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ran.returncode == 2 and "this file is read as input" in ran.stderr
    assert given.read_text(encoding="utf-8") == PASTE


def test_an_ending_that_a_command_does_not_have_is_refused(tmp_path: Path) -> None:
    """Nothing is read or examined, and nothing written; an ending of no format is any name."""
    for command, path in (
        (("compare", "a.json", "b.json"), "c.xml"),
        (("snapshot", "--python", "/nowhere"), "s.html"),
        (("snapshot", "--python", "/nowhere"), "s.md"),
    ):
        ran = doctor(*command, "-o", str(tmp_path / path))
        assert (ran.code, ran.stdout) == (2, "") and "has no such format" in ran.stderr, ran.stderr
        assert ran.stderr.strip().splitlines()[-1].startswith("Error: -o "), ran.stderr
    assert "/nowhere" in doctor("snapshot", "--python", "/nowhere", "-o", str(tmp_path / "s.txt")).stderr
    assert os.listdir(tmp_path) == []

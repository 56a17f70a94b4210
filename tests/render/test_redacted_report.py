"""Nothing private is left in any output, wherever it stood: each text field of each fact and finding is planted."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
import tomllib
from click.testing import CliRunner

from tests.support import planted
from tests.support.cases import cases
from tests.support.planted import HOST, NAMES, PASSWORD, SECRETS, TOKEN, USER, private
from tools.planted_secrets import as_read
from xpu_doctor.catalogue.names import all_rules
from xpu_doctor.cli.crash import report_crash
from xpu_doctor.cli.triage import triage
from xpu_doctor.diagnosis.diagnose import diagnose
from xpu_doctor.diagnosis.ranking import flat
from xpu_doctor.model.codec import decode, encode
from xpu_doctor.model.facts import Distribution, Distributions, Environment, Variable
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.report.build import Report, rendered
from xpu_doctor.report.document import Document
from xpu_doctor.report.formats import NAMES as FORMATS
from xpu_doctor.text.output_file import OWN_REPORT
from xpu_doctor.text.redact import Redactor

COMMANDS = (f"/home/{USER}/venv/bin/python3 -m pip install torch", f"rm -rf -- /srv/{HOST}/{USER}/torch")
SNAPSHOTS = sorted((Path(__file__).parents[2] / "fixtures" / "snapshots").glob("*.toml"))


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """This is the machine, and the account, of somebody with a name."""
    monkeypatch.setenv("USER", USER)
    monkeypatch.setenv("HOSTNAME", HOST)
    monkeypatch.setattr("xpu_doctor.report.build.own_command", lambda: f"/home/{USER}/bin/xpu-doctor")


def outputs(report: Document) -> dict[str, str]:
    """A report in every format that there is, as it stands in the file and as its readers show it."""
    forms = {
        f"{name}, verbose {verbose}": rendered(report, name, to_file=True, verbose=verbose)
        for name in FORMATS
        for verbose in (False, True)
    }
    return {
        **forms,
        **{f"{name}, as read": as_read(text) for name, text in forms.items() if not name.startswith("json")},
    }


def report_on(
    monkeypatch: pytest.MonkeyPatch, unknown: bool, commands: tuple[str, ...] = (), **options: Any
) -> Document:
    """The report of `check` where facts and findings are planted."""
    monkeypatch.setattr("xpu_doctor.report.build.diagnose", lambda *given: planted.diagnosis(commands=commands))
    return Report(**options).of_snapshot(
        planted.snapshot(unknown=unknown), notes=(private("note"),), timings={"import": 1.0}
    )


@pytest.mark.parametrize("unknown", [False, True], ids=["known", "unknown"])
def test_nothing_private_is_left_of_a_machine(monkeypatch: pytest.MonkeyPatch, unknown: bool) -> None:
    """Facts or the reasons why they are unknown, summaries, proof, ladder, target, notes, the doctor's own command."""
    report = report_on(monkeypatch, unknown)
    for name, text in outputs(report).items():
        plain = " ".join(text.split())
        assert [each for each in (*NAMES, *SECRETS, HOST) if each in plain] == [], name
    expected = planted.places(json.dumps(encode(planted.snapshot(unknown=unknown)))) | {
        "note",
        "finding.summary",
        "remedy.why",
        "evidence.known",
    }
    assert planted.places(rendered(report, "json", to_file=True, verbose=False)) >= expected
    assert len(expected) > 100
    assert report.redacted is not None and {"credentials", "email", "ip", "token", "user"} <= report.redacted.keys()


def test_commands_are_the_one_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    """They keep their paths on this machine, since they are there to be typed; everything around them is redacted."""
    report = report_on(monkeypatch, False, COMMANDS)
    for name, text in outputs(report).items():
        if name.startswith("html, verbose") and not name.endswith("as read"):
            continue  # words of a line have elements of their own there: what is read is looked at
        assert all(line in text for line in COMMANDS), name
        for line in COMMANDS:
            text = text.replace(line, "")
        assert [each for each in (*NAMES, *SECRETS, HOST) if each in text] == [], name


@pytest.mark.parametrize(
    "secret", [f"https://{USER}:{PASSWORD}@example.org/simple", f"--token {TOKEN}", f"/srv/zqcustomer/{USER}"]
)
def test_no_command_holds_a_secret(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    """Nor a word that is to be hidden: the commands are left out, and the reason is told."""
    report = report_on(monkeypatch, False, (*COMMANDS, f"pip install {secret}"), words=("zqcustomer",))
    for text in outputs(report).values():
        assert not any(word in text for word in (*SECRETS, "zqcustomer", *COMMANDS))
        assert "The commands are not shown" in " ".join(text.split())


def test_nothing_is_hidden_where_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    report = report_on(monkeypatch, False, redact=False)
    assert report.redacted is None
    assert "this report is not redacted" in report.notes[-1]
    assert (
        planted.places(report.root_causes[0].summary) == {"finding.summary"} and USER in report.root_causes[0].summary
    )


@pytest.mark.parametrize("unknown", [False, True], ids=["known", "unknown"])
def test_nothing_private_is_left_of_a_saved_report(unknown: bool) -> None:
    """Whoever saved it with --no-redact: every format and the reply of triage hide what stood in any field, commands included."""
    facts = encode(planted.snapshot(unknown=unknown))
    facts["torch"].update(installed=True, build="cpu", version="2.9.1+cpu")
    saved = json.dumps({"schema": 1, "root_causes": [], "ladder": [], "snapshot": facts})
    for option in (*(f"--format={name}" for name in FORMATS), "-v", "--reply"):
        result = CliRunner().invoke(triage, [option, "-"], input=saved.encode(), standalone_mode=False)
        assert result.exception is None, result.exception
        assert [each for each in (*NAMES, *SECRETS) if each in as_read(" ".join(result.stdout.split()))] == [], option
        assert option == "-v" or "torch-cpu-wheel" in result.stdout


def test_a_crash_log_hides_names(capsys: pytest.CaptureFixture[str]) -> None:
    """It is printed to be pasted; the arguments stand in it as well."""
    try:
        raise ValueError(private("crash"))
    except ValueError as error:
        report_crash(error, ["check", "--json", "--python", f"/home/{USER}/x", "--redact", "zqcustomer"])
    printed = capsys.readouterr()
    assert [each for each in (*NAMES, *SECRETS, "zqcustomer") if each in printed.out + printed.err] == []
    assert "--- crash log" in printed.err and "ValueError: [crash]" in printed.err
    assert json.loads(printed.out)["redacted"]["user"] == 1


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "text"])
def test_a_crash_is_told_in_the_format_that_was_asked_for(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A CI server that waits for its file gets one, with an error in it, and without names."""
    report_crash(ValueError(private("crash")), ["check", f"--format={name}"])
    printed = capsys.readouterr().out
    assert printed.encode().startswith(OWN_REPORT) and "[crash]" in as_read(printed)
    assert [each for each in (*NAMES, *SECRETS) if each in as_read(printed)] == []
    assert name != "junit" or 'errors="1"' in printed
    assert name != "github" or printed.startswith("::error ")


def test_a_machine_is_called_by_the_first_part_of_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTNAME", f"{HOST}.zq-example.org")
    monkeypatch.setattr(
        "xpu_doctor.report.build.diagnose",
        lambda *given: planted.diagnosis(lambda place: f"{HOST} [{place}] {HOST}.zq-example.org"),
    )
    report = Report().of_snapshot(Snapshot())
    assert not any(HOST in text or "zq-example" in text for text in outputs(report).values())


def test_a_crash_log_with_everything(capsys: pytest.CaptureFixture[str]) -> None:
    report_crash(ValueError(private("crash")), ["check", "--json", "--no-redact"])
    printed = capsys.readouterr()
    assert USER in printed.err and json.loads(printed.out)["redacted"] is None


def test_a_fault_of_the_redactor_prints_nothing_private(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(**_: Any) -> Redactor:
        raise ZeroDivisionError(USER)

    monkeypatch.setattr("xpu_doctor.text.redact.redactor_here", broken)
    report_crash(ValueError(private("crash")), ["check"])
    printed = capsys.readouterr().err
    assert USER not in printed and TOKEN not in printed and "ZeroDivisionError" in printed


# ---------------------------------------------------------------------------------------------- what stays


@pytest.mark.parametrize(
    "name", ["Iris", "Max", "Zero", "triton", "oneapi", "pip", "xe", "torch", "uv", "import", "live"]
)
@pytest.mark.parametrize("path", SNAPSHOTS, ids=lambda path: path.stem)
def test_a_home_called_as_a_product_changes_no_cause(monkeypatch: pytest.MonkeyPatch, path: Path, name: str) -> None:
    """The saved report of a machine whose user is called as a word of ours leads to the same findings."""
    monkeypatch.setenv("USER", name)
    text = path.read_text(encoding="utf-8").replace("/home/me", f"/home/{name}")
    snapshot = msgspec.convert(tomllib.loads(text), Snapshot)
    again = decode(Report().of_snapshot(snapshot).snapshot)
    assert findings(again) == findings(snapshot)


def findings(snapshot: Snapshot) -> list[tuple[str, str, str]]:
    """What is found in a snapshot."""
    return [
        (each.code, each.severity.value, each.confidence.value)
        for each in flat(diagnose(snapshot, all_rules()).root_causes)
    ]


def test_packages_keep_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user may be called as a package; what is a name stays one, and is hidden."""
    monkeypatch.setenv("USER", "filelock")
    snapshot = Snapshot(distributions=Distributions((Distribution("filelock", "3.0"), Distribution("torch", "2.9.1"))))
    snapshot = dataclasses.replace(
        snapshot, access=dataclasses.replace(snapshot.access, user="filelock", account_groups=("filelock", "video"))
    )
    facts = Report().of_snapshot(snapshot).snapshot
    assert [row["name"] for row in facts["distributions"]["installed"]] == ["filelock", "torch"]
    assert re.fullmatch(r"<user\d>", facts["access"]["user"])
    assert facts["access"]["account_groups"] == [facts["access"]["user"], "video"]


@pytest.mark.parametrize(
    "case", [case for case in cases() if case.outcome == "found" and case.code != "snapshot-too-new"][::5], ids=str
)
def test_no_command_of_ours_is_taken_for_a_secret(case: Any) -> None:
    """Of the cases of all findings, none loses its commands, and the findings read as before."""
    for origin in ("live", "saved"):
        snapshot = dataclasses.replace(case.facts(), origin=origin)
        before, after = (Report(redact=redact).of_snapshot(snapshot) for redact in (False, True))
        assert [commands(root) for root in before.root_causes] == [
            commands(root) for root in after.root_causes
        ] or origin == "saved"
        assert "not shown: they hold" not in json.dumps(msgspec.to_builtins(after)) or "/home/" in json.dumps(
            msgspec.to_builtins(before)
        )


def commands(root: Any) -> list[list[str]]:
    """The lines to type of a finding."""
    return [[*remedy.commands, *remedy.verify] for remedy in root.remedies]


def test_variables_that_say_secret_are_masked() -> None:
    """Of a report that an older doctor saved, and of what a plug-in found."""
    rows = (Variable("NEO4J_PASSWORD", "pw"), Variable("ZE_AFFINITY_MASK", "0"), Variable("NEOReadDebugKeys", "1"))
    snapshot = Snapshot(environment=Environment(rows), plugins={"cluster": {"node": {"api_key": "zq1", "nodes": 3}}})
    report = Report().of_snapshot(snapshot)
    assert report.snapshot["environment"]["variables"] == [
        {"name": "NEO4J_PASSWORD", "value": "<secret>"}, {"name": "ZE_AFFINITY_MASK", "value": "0"}, {"name": "NEOReadDebugKeys", "value": "1"},
    ]  # fmt: skip
    assert report.snapshot["plugins"] == {"cluster": {"node": {"api_key": "<secret>", "nodes": 3}}}
    assert report.redacted is not None and report.redacted["secret"] == 2


def test_the_report_counts_what_it_hides(monkeypatch: pytest.MonkeyPatch) -> None:
    report = report_on(monkeypatch, False)
    text = " ".join(rendered(report, "text", to_file=True, verbose=False).split())
    assert re.search(r"Hidden: 1 password, 2 addresses(, \d+ \w+)*, 1 user; --no-redact shows them", text)
    assert "Hidden" not in rendered(dataclasses.replace(report, redacted={}), "text", to_file=True, verbose=False)


def test_versions_of_four_numbers_stay() -> None:
    """An address of the same shape does not."""
    rows = Distributions((Distribution("nvidia-cudnn", "9.20.0.48"), Distribution("torch", "2.9.1+cpu")))
    snapshot = Snapshot(distributions=rows, plugins={"cluster": {"node": "10.9.8.7"}})
    facts = Report().of_snapshot(snapshot).snapshot
    assert facts["distributions"]["installed"][0]["version"] == "9.20.0.48"
    assert facts["plugins"]["cluster"]["node"] == "<ip1>"

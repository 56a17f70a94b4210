"""What a reply says so that a customer understands it: every independent fault, in words."""

from __future__ import annotations

import dataclasses
import json

import pytest
from click.testing import CliRunner

from xpu_doctor.api import report_on_texts, triage
from xpu_doctor.cli.main import cli
from xpu_doctor.report.build import Report
from xpu_doctor.report.reply import MAX_CAUSES, next_questions, reply
from xpu_doctor.report.reply_parts import by_name, markdown
from xpu_doctor.tables.releases import known_pythons
from xpu_doctor.text.safe import SafeText, read_safely


def _safe(text: str) -> SafeText:
    import io

    return read_safely(io.BytesIO(text.encode()), "the text")


@pytest.mark.parametrize("faults", range(1, 9))
def test_no_independent_fault_is_left_out(faults: int) -> None:
    """The first ones are told with what helps, and those after them by name."""
    report, triaged = report_on_texts(
        [("the text", _safe("2.9.1+cpu\nTorch not compiled with XPU enabled\n"))], Report()
    )
    first = report.root_causes[0]
    roots = [
        dataclasses.replace(
            first, code=f"fault-{place}", summary=f"fault number {place}", confidence="certain", page=""
        )
        for place in range(faults)
    ]
    text = reply(dataclasses.replace(report, root_causes=roots), triaged.diagnosis, triaged.snapshot)
    for place in range(faults):
        assert f"fault number {place} (`fault-{place}`)" in text
    assert ("Independent of these as well" in text) == (faults > MAX_CAUSES)


@pytest.mark.parametrize(
    "summary", ["run `id` first", "`a` and `b`", "```", "a `", "`", "with `torch.xpu`, then", "no quote", "a ``b`` c"]
)
def test_a_backtick_is_no_escape(summary: str) -> None:
    assert "`" not in markdown(summary)
    assert "\\" not in markdown(summary)


def test_what_is_to_be_considered_is_told_in_words() -> None:
    text = "Arc A770, torch.xpu.is_available()\nFalse\nAfter a reboot:\ntorch.xpu.is_available()\nTrue\nRuntimeError: Torch not compiled with CUDA enabled\n"
    report, triaged = report_on_texts([("the text", _safe(text))], Report())
    said = reply(report, triaged.diagnosis, triaged.snapshot)
    part = said.partition("Also to be considered:")[2].partition("To be sure")[0]
    assert all(len(line.split()) > 4 for line in part.splitlines() if line.startswith("- "))


@pytest.mark.parametrize("code", ["TORCH-CPU-WHEEL", "Torch-Cpu-Wheel", " torch-cpu-wheel ", "torch-cpu-wheel"])
def test_a_code_is_explained_in_any_case(code: str) -> None:
    result = CliRunner().invoke(cli, ["explain", code], standalone_mode=False)
    assert "torch-cpu-wheel" in result.stdout


@pytest.mark.parametrize("asked", ["9", "26.99", "32.0.101", "1", "123.456", "0.0.0", "9.9.9.9", "77"])
def test_a_version_that_nobody_knows_is_no_error_of_usage(asked: str) -> None:
    result = CliRunner().invoke(cli, ["facts", "driver", asked, "--json"], standalone_mode=False)
    assert result.return_value == 3
    assert json.loads(result.stdout)["entries"] == []


@pytest.mark.parametrize("asked", ["6252", "101.6252", "32.0.101.6252"])
def test_a_build_of_windows_may_be_shortened(asked: str) -> None:
    result = CliRunner().invoke(cli, ["facts", "driver", asked], standalone_mode=False)
    assert "Windows driver 32.0.101.6252" in result.stdout


@pytest.mark.parametrize(
    "text",
    [
        "RuntimeError: Found no NVIDIA driver on your system.\ntorch on Arc A770, Windows 11",
        "AssertionError: Torch not compiled with XPU enabled",
        "Arc B580 and torch.xpu.is_available() is False",
        "lspci: 00:02.0 VGA compatible controller [0300]: Intel Corporation HD Graphics 620 [8086:5916]",
    ],
)
def test_what_is_unknown_is_no_proof(text: str) -> None:
    for root in triage(text).root_causes:
        shown = [
            item for item in root.evidence if item.value.startswith("unknown") or item.fact == "pasted.about_torch"
        ]
        assert not shown or len(shown) == len(root.evidence)


def test_a_gpu_without_a_driver_is_told_in_english() -> None:
    text = "03:00.0 VGA compatible controller [0300]: Intel Corporation Battlemage G21 [Arc B580] [8086:e20b]\n\tSubsystem: ASRock [1849:6021]\n\tKernel modules: xe\n"
    summaries = [root.summary for root in triage(text).root_causes]
    assert not [summary for summary in summaries if "no kernel driver instead" in summary]


@pytest.mark.parametrize(
    "text",
    [
        "it says false",
        "gpu not work, it prints False. help",
        "does not work",
        "please help, my card is not found",
        "nothing works",
        "it is False again",
        "not working",
        "no gpu, it always says no",
    ],
)
def test_who_says_nothing_is_asked_for_the_environment_first(text: str) -> None:
    _, triaged = report_on_texts([("the text", _safe(text))], Report())
    asked = next_questions(triaged.diagnosis, triaged.snapshot, triaged.snapshots)
    if not [root for root in triaged.diagnosis.root_causes if root.severity != "info"]:
        assert asked[0].id == "collect-env"
        assert len(asked) <= 3
        assert len({question.id for question in asked}) == len(asked)


@pytest.mark.parametrize(
    "version", ["3.15.0a2", "3.15.0rc1", "3.8.10", "3.16.0a1", "3.13.1", "3.9.1", "3.7.9", "3.15.0"]
)
def test_a_python_that_is_told_is_not_asked_for(version: str) -> None:
    text = f"PS> pip install torch --index-url https://download.pytorch.org/whl/xpu\nERROR: No matching distribution found for torch\nPS> python --version\nPython {version}\n"
    report, triaged = report_on_texts([("the text", _safe(text))], Report())
    asked = next_questions(triaged.diagnosis, triaged.snapshot, triaged.snapshots)
    assert not [line for question in asked for line in question.asks if "python -V" in line]
    named = [root for root in report.root_causes if root.code == "python-unsupported" and root.confidence != "possible"]
    if named:
        assert "3.10 to 3.14" in str(named[0].remedies)


def test_the_remedy_names_pythons_that_have_wheels() -> None:
    text = "PS> pip install torch --index-url https://download.pytorch.org/whl/xpu\nERROR: Could not find a version that satisfies the requirement torch (from versions: none)\nPS> python -V\nPython 3.15.0a2\n"
    root = next(root for root in triage(text).root_causes if root.code == "python-unsupported")
    assert "3.10 to 3.14" in root.remedies[0].why
    assert {"3.10", "3.14"} <= set(known_pythons())


@pytest.mark.parametrize("version", ["32.0.101.6252", "32.0.101.8801", "31.0.101.4255", "32.0.101.6130"])
def test_the_driver_of_windows_that_a_text_tells_is_on_its_rung(version: str) -> None:
    text = f"Card name: Intel(R) Arc(TM) B580 Graphics\nManufacturer: Intel Corporation\nDevice Key: Enum\\PCI\\VEN_8086&DEV_E20B\nDriver Version: {version}\n"
    rung = next(rung for rung in triage(text).ladder if rung.layer == "driver")
    assert version in rung.summary


DLL = (
    "OS: Microsoft Windows 11 Pro\nTraceback (most recent call last):\n"
    '  File "C:\\v\\Lib\\site-packages\\torch\\__init__.py", line 270, in <module>\n    _load_dll_libraries()\n'
    "OSError: [WinError 126] The specified module could not be found. "
    'Error loading "C:\\v\\Lib\\site-packages\\torch\\lib\\c10_xpu.dll" or one of its dependencies.\n'
)
GROUP = (
    "Ubuntu 24.04, Arc B580, torch 2.13.0+xpu: torch.xpu.is_available() returns False.\n$ ls -l /dev/dri\n"
    "crw-rw---- 1 root render 226, 128 Nov 20 10:00 renderD128\n$ id\nuid=1000(me) gid=1000(me) groups=1000(me)\n"
)


def replied(text: str) -> str:
    """The reply to a text."""
    report, triaged = report_on_texts([("the text", _safe(text))], Report())
    return reply(report, triaged.diagnosis, triaged.snapshot)


def test_each_cause_has_a_sentence_of_its_own() -> None:
    """One message that leaves several causes possible is not told several times; what would help stands beside each."""
    said = replied(DLL)
    assert said.count("is there, but a library that it needs") == 1
    assert "Microsoft's Visual C++ runtime is absent" in said
    assert "If that is it: Install the Microsoft Visual C++ Redistributable" in said


def test_equal_sentences_share_a_line() -> None:
    report, _ = report_on_texts([("the text", _safe(DLL))], Report())
    root = report.root_causes[0]
    same = [dataclasses.replace(root, code=code, page="") for code in ("one", "two")]
    assert next(line for line in by_name("Also:", same) if line.startswith("- ")).endswith("(`one`, `two`)")


def test_a_traceback_is_asked_for_only_where_something_failed() -> None:
    """That torch finds no device is said without an error."""
    assert "device-permission" in replied(GROUP)
    assert "traceback" not in replied(GROUP)
    assert "collect_env" in replied(GROUP) or "xpu-doctor check" in replied(GROUP)


def test_a_reply_to_a_report_keeps_how_to_verify_and_names_other_ways() -> None:
    """Also where the remedy itself is nothing to type."""
    report, triaged = report_on_texts([("the text", _safe(DLL))], Report())
    root = report.root_causes[0]
    first = dataclasses.replace(root.remedies[0], commands=[], verify=["lspci -nn", "xpu-doctor check"], besides=False)
    other = dataclasses.replace(first, title="Use another device")
    changed = dataclasses.replace(root, remedies=[first, other], confidence="certain")
    for origin in ("saved", "pasted"):
        made = dataclasses.replace(report, root_causes=[changed], origin=origin)
        said = reply(made, triaged.diagnosis, triaged.snapshot)
        assert "lspci -nn\n" in said
        assert "Or: Use another device." in said
        assert ("xpu-doctor check" in said) == (origin == "saved")


@pytest.mark.parametrize("text", ["", "torch.xpu.is_available() is False"])
def test_a_layer_that_a_text_does_not_tell_of_is_not_in_the_text(text: str) -> None:
    report, _ = report_on_texts([("the text", _safe(text))], Report())
    unknown = {rung.layer: rung.summary for rung in report.ladder if rung.state == "unknown"}
    assert set(unknown.values()) == {"not in the text"}
    assert "compute" in unknown or any(rung.state == "blocked" for rung in report.ladder if rung.layer == "compute")

"""A text that shows a device at work is no case, however much noise stands in it; a real failure after it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.parsers.strategies import hard
from tests.support.healthy_logs import APPLICATIONS, EXAMPLES, FAILURES, OTHER_NOISE, UNEXPLAINED, Failure, healthy
from xpu_doctor.api import triage
from xpu_doctor.pasted.readers.collected import Text
from xpu_doctor.pasted.snapshots import read
from xpu_doctor.report.build import rendered
from xpu_doctor.report.document import Document

every_application = pytest.mark.parametrize("name", APPLICATIONS)


def log_of(name: str) -> str:
    return "\n".join(APPLICATIONS[name]) + "\n"


def loud(report: Document) -> list[str]:
    """Codes of the root causes that are more than a guess or a note."""
    return [root.code for root in report.root_causes if root.severity != "info" and root.confidence != "possible"]


@every_application
def test_each_application_shows_that_the_install_works(name: str) -> None:
    report = triage(log_of(name))
    assert (report.verdict, report.exit_code, loud(report)) == ("healthy", 0, [])
    assert report.reason.startswith("The install works: ") and "; look at the application or the model" in report.reason


@pytest.mark.parametrize("line", [*EXAMPLES, *OTHER_NOISE])
@pytest.mark.parametrize("name", ["ComfyUI", "collect_env", "vLLM"])
def test_each_line_of_noise_proves_nothing(name: str, line: str) -> None:
    first, *rest = APPLICATIONS[name]
    report = triage("\n".join((first, line, *rest)))
    assert (report.verdict, [root.code for root in report.root_causes if root.severity != "info"]) == ("healthy", [])


@hard
@given(healthy())
def test_noise_in_any_order_proves_nothing(text: str) -> None:
    report = triage(text)
    assert loud(report) == []
    assert report.verdict == "healthy" and report.reason.startswith("The install works"), report.reason


@hard
@given(healthy(), st.sampled_from(FAILURES))
def test_a_real_failure_keeps_its_code(text: str, failure: Failure) -> None:
    report = triage(text + "\n".join(failure.lines) + "\n")
    assert [root.code for root in report.root_causes][:1] and report.root_causes[0].code in failure.codes
    assert report.verdict != "healthy"


@hard
@given(healthy(), st.sampled_from(UNEXPLAINED))
def test_a_failure_without_a_cause_is_never_healthy(text: str, lines: tuple[str, ...]) -> None:
    report = triage(text + "\n".join(lines) + "\n")
    assert report.verdict != "healthy" and report.exit_code != 0
    if report.verdict == "undiagnosed":
        assert "shows a failure whose cause it does not show" in report.reason and lines[-1][:40] in report.reason


@every_application
@pytest.mark.parametrize(
    "complaint",
    [
        "It runs, but every picture comes out black.",
        "Generation is painfully slow compared with my old card.",
        "After ten minutes the whole machine freezes.",
        "It never finishes the second prompt.",
        "The outputs are garbage from the third token on.",
    ],
)
def test_a_complaint_is_not_told_that_all_is_well(name: str, complaint: str) -> None:
    report = triage(f"{complaint}\n\n{log_of(name)}")
    answered = "low-performance" in [root.code for root in report.root_causes]
    assert report.verdict != "healthy" or answered
    assert "look at the application" not in report.reason or report.exit_code != 0


@pytest.mark.parametrize(
    "remark",
    [
        "No errors so far, thank you!",
        "It ran for two hours without a crash.",
        "I cannot reproduce the failure that was reported.",
        "This never hangs here.",
        "Everything works on my card, posting the log for reference.",
        "The update fixed the crash, works great now.",
    ],
)
def test_praise_is_no_complaint(remark: str) -> None:
    report = triage(f"{remark}\n\n{log_of('ComfyUI')}")
    assert (report.verdict, loud(report)) == ("healthy", [])


@pytest.mark.parametrize(
    "request_",
    [
        "Feature request: support Intel Arc through torch.xpu in the loader, which asks for CUDA today.",
        "Please add XPU support next to CUDA and ROCm.",
        "feat: choose torch.xpu where CUDA is not there",
        "This PR adds an xpu branch where the code said device = 'cuda' before.",
        "[Feature] Intel GPUs: only CUDA and MPS are supported at the moment",
        "Would you consider support for Intel GPUs? The node requires CUDA.",
        "I would like to request XPU as a device; at present it is hard-coded to cuda.",
    ],
)
def test_a_wish_is_no_fault_of_an_application(request_: str) -> None:
    assert loud(triage(request_)) == []


@pytest.mark.parametrize(
    "report_",
    [
        "The node crashes with AssertionError: Torch not compiled with CUDA enabled on my B580 (torch 2.9.1+xpu).",
        'Traceback (most recent call last):\n  File "/opt/app/run.py", line 3, in main\n    model.cuda()\nAssertionError: Torch not compiled with CUDA enabled\n',
    ],
)
def test_an_application_is_blamed_for_what_failed(report_: str) -> None:
    assert "app-requests-cuda" in loud(triage(report_))


def test_a_vain_import_before_a_later_success_is_overcome() -> None:
    text = (
        'anna@tower:~$ python3 -c "import intel_extension_for_pytorch"\nTraceback (most recent call last):\n  File "<string>", line 1, in <module>\n'
        "ModuleNotFoundError: No module named 'intel_extension_for_pytorch'\n"
        "anna@tower:~$ python3 -c \"import torch; print(torch.ones(2, device='xpu'))\"\ntensor([1., 1.], device='xpu:0')\n"
    )
    assert (triage(text).verdict, loud(triage(text))) == ("healthy", [])
    first_half = text[: text.index("anna@tower", 10)]
    assert triage(first_half).verdict != "healthy"


@pytest.mark.parametrize(
    ("announced", "refusal"),
    [
        ("Using device: xpu", "AssertionError: Torch not compiled with XPU enabled"),
        ("Device: xpu:0", "RuntimeError: No XPU devices are available."),
        ("Device set to use xpu", "RuntimeError: PyTorch is not linked with support for xpu devices"),
        (
            "INFO vllm serve --device xpu\nINFO:     Uvicorn running on http://0.0.0.0:8000",
            "RuntimeError: No XPU devices are available.",
        ),
    ],
)
def test_what_is_announced_and_then_refused_is_not_at_work(announced: str, refusal: str) -> None:
    report = triage(f"{announced}\n{refusal}\n")
    assert "The install works" not in report.reason and report.exit_code != 0
    assert {rung.layer: rung.state for rung in report.ladder}["enumeration"] != "ok"


def test_a_container_without_a_device_is_no_install_that_works() -> None:
    text = "Is XPU available: True\n\nInside the container:\nroot@0123456789ab:/# python -c 'import torch; print(torch.xpu.is_available())'\nFalse\n"
    assert "The install works" not in triage(text).reason


@pytest.mark.parametrize("name", ["a, line 3", "report.txt, line 1, line 2"])
def test_a_file_may_have_any_name(name: str) -> None:
    texts = [Text(log_of("ComfyUI"), name), Text("xformers not available\n", "a")]
    [snapshot] = read(texts)
    assert snapshot.pasted.working and not snapshot.pasted.failures and not snapshot.failures


@pytest.mark.parametrize("name", ["ComfyUI", "llama.cpp"])
@pytest.mark.parametrize("more", ["", "RuntimeError: the frobnicator is jammed\n"])
def test_the_own_report_on_such_a_text_reads_as_what_it_is(name: str, more: str) -> None:
    """Somebody pastes what the doctor printed: its quotation of a line is no new failure."""
    report = rendered(triage(log_of(name) + more), "text", to_file=True, verbose=False)
    assert "The install works: " in " ".join(report.split())
    again = triage(report)
    assert again.snapshot["pasted"]["failures"] == [] and loud(again) == []


def test_the_device_is_named_before_what_was_done_on_it() -> None:
    reason = triage(log_of("ComfyUI")).reason
    assert reason.index("Device: xpu:0") < reason.index("20/20")


def test_a_failure_of_a_working_install_is_asked_about() -> None:
    asked = triage(log_of("ComfyUI") + "RuntimeError: the frobnicator is jammed\n").ask_next
    assert (
        asked
        and "traceback" in asked[0].commands[0]
        and not any("dpkg" in line for row in asked for line in row.commands)
    )

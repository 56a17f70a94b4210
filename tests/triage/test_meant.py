"""What people deny, ask or suppose is no fault, in each form; what works raises no error, and a message in code is a guess at most."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpu_doctor.api import triage
from xpu_doctor.diagnosis.known_messages import match_pasted
from xpu_doctor.model.findings import Confidence, Severity
from xpu_doctor.text.word_index import IndexedText

FAILURES = (
    ("crash", "crashes", "crashed"),
    ("hang", "hangs", "hung"),
    ("freeze", "freezes", "frozen"),
)
DENIALS = (
    "There is no {noun}.",
    "It never {past} here.",
    "I did not see a {noun}.",
    "It does not {noun}.",
    "It runs all night without a {noun}.",
    "Zero {noun} events so far.",
    "I can't say that there is a {noun}: there isn't a {noun}.",
    "Nothing {past}.",
    "No error, no {noun}.",
    "The {noun} does not happen any more.",
    "It hasn't {past} since.",
    "No {noun} or error was seen.",
    "Not a single {noun}.",
    "We ruled out a {noun}, ruling out a {noun} with a stress test.",
    "It used to {noun}.",
    "The {noun} is gone.",
)
LEADS = ("", "Arc B580, torch 2.9.1+xpu. ", "> ", "Update: ", "- ", "On Linux with the newest driver: ")


def loud(text: str) -> list[str]:
    """Codes of the root causes that are errors or warnings, and more than possible."""
    quiet = (Severity.INFO.value, Confidence.POSSIBLE.value)
    return [root.code for root in triage(text).root_causes if root.severity != quiet[0] and root.confidence != quiet[1]]


@given(st.sampled_from(FAILURES), st.sampled_from(DENIALS), st.sampled_from(LEADS))
def test_a_denied_failure_is_none(failure: tuple[str, str, str], frame: str, lead: str) -> None:
    """Denying a failure in any way leaves no claim of it."""
    noun, _, past = failure
    text = lead + frame.format(noun=noun, past=past)
    met = {error.signature for error in match_pasted(IndexedText(text), "text").told}
    assert not met & {"claim-crashes", "claim-trouble", "collective-hang"}, text
    assert loud(text) == []


@given(st.sampled_from(FAILURES), st.sampled_from(LEADS))
def test_the_same_failure_told_is_met(failure: tuple[str, str, str], lead: str) -> None:
    """What is told is met: the test above can fail."""
    text = f"{lead}It {failure[1]}."
    met = {error.signature for error in match_pasted(IndexedText(text), "text").told}
    assert met & {"claim-crashes", "claim-trouble"}, text


WORKS = (
    "It works well on my Arc A770 with torch 2.9.1+xpu.",
    "Works with 2.8.0 and with 2.9.1, nothing crashed and no image was black.",
    "torch.xpu sees the card and everything is fine with the newest driver.",
    "I had black images, now it is solved.",
    "After the update of the driver everything works on the B580, no hang.",
    "vLLM with two cards does not hang any more.",
    "Support for XPU is in: tested on Arc B580, all tests pass.",
    "No problems with kernel 6.14 and driver 25.40.35563 on Battlemage.",
    "This patch adds XPU support, and it works on my A770.",
    "If your card is not detected, install the driver first. Mine works.",
    "It used to fall back to the CPU, now the GPU is used.",
)


@pytest.mark.parametrize("text", WORKS)
@pytest.mark.parametrize("lead", LEADS)
def test_success_raises_no_error(text: str, lead: str) -> None:
    """Whoever says that it works reports no fault."""
    assert loud(lead + text) == []


MESSAGES = (
    ("torch-cpu-wheel", "AssertionError: Torch not compiled with XPU enabled"),
    (
        "op-unsupported",
        "NotImplementedError: The operator 'aten::foo_bar' is not currently implemented for the XPU device",
    ),
    ("app-requests-cuda", "AssertionError: Torch not compiled with CUDA enabled"),
)
WRAPPERS = (
    "```python\n# {message}\n```",
    "- [ ] {message}",
    'raise RuntimeError("{message}")',
    'if "{message}" in str(error):',
    "Does it print {message} on your machine?",
    "If you see {message}, reinstall.",
)


@pytest.mark.parametrize(("code", "message"), MESSAGES)
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_message_that_is_only_mentioned(code: str, message: str, wrapper: str) -> None:
    """A message in a comment, in source, in a box or in a question proves less than one that was printed."""
    assert code in loud(f"Traceback (most recent call last):\n{message}")
    assert code not in loud(wrapper.format(message=message.replace('"', "'")))


CASES_OF_ADVICE = (
    "no kernel driver is bound to the card",
    "the operator isn't there for xpu",
    "it always takes the iris",
    "the card is only visible for root",
    "it picks the wrong card",
    "the container was started without --device",
    "the GPU has no support for double",
    "there is no gcc on the machine",
    "torch.compile fails without icpx",
    "the index is empty",
)


@pytest.mark.parametrize("case", CASES_OF_ADVICE)
@pytest.mark.parametrize(
    "advice",
    ["If {case}, reinstall torch.", "In case {case}, see the next chapter.", "When {case}, you can try another wheel."],
)
def test_the_case_of_an_advice_is_no_claim(case: str, advice: str) -> None:
    """Whoever says what to do in a case does not say that it is so; who tells the same does."""
    assert match_pasted(IndexedText(f"On my Arc A770 {case}."), "text").told
    assert match_pasted(IndexedText(advice.format(case=case)), "text").told == ()


WISHES = (
    "Please add support for Intel Arc GPUs.",
    "Any plans to support XPU?",
    "[Feature] XPU support",
    "Support for Intel GPUs would be great, is it planned?",
    "Add Intel XPU support",
    "Will it run on Intel Arc one day?",
    "Multi-XPU is not supported yet, is it?",
)


@pytest.mark.parametrize("text", WISHES)
def test_a_wish_is_no_fault(text: str) -> None:
    """Whoever asks for a feature reports no fault."""
    assert loud(text) == []

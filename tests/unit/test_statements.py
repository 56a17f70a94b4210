"""How a writer means some words: told, denied, past, supposed, asked, wanted, quoted, or only written in code or a form."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpu_doctor.pasted.readers.collected import Text
from xpu_doctor.pasted.readers.complaints import complaints
from xpu_doctor.text.clauses import MAX_LINE
from xpu_doctor.text.said import Claim, Said
from xpu_doctor.text.statements import Statements
from xpu_doctor.text.word_index import IndexedText


def said(text: str, words: str, claim: Claim = "fails", printed: bool = False) -> Said:
    """How the first place is meant at which these words stand, written between the marks `<` and `>` where they stand twice."""
    statements = Statements(IndexedText(text))
    for number, line in enumerate(text.split("\n"), 1):
        found = re.search(words, line)
        if found:
            if printed:
                return statements.printed(number, found.start(), found.end())
            return statements.claimed(number, found.start(), found.end(), claim)
    raise AssertionError(f"{words!r} is not in {text!r}")


CRASH = r"(?i)\b(?:crash\w*|hang\w*|hung|froze|freez\w+)"

TOLD = (
    "Level Zero hangs on my card",
    "torch 2.7.0 crashes here",
    "It crashes on the B580.",
    "The desktop hangs whenever I start a second render.",
    "I can't use it because it crashes",
    "No matter what I try, it crashes.",
    "I do not know why it crashes",
    "The GPU is not idle, it hangs",
    "not only slow but it also crashes",
    "it crashes without any output",
    "no output, then it crashes",
    "Not sure why, but the process hangs.",
    "If I start the sampler, it crashes.",
    "When I call synchronize() it hangs",
    "How do I fix this crash?",
    "Why does the sampler crash?",
    "Is there a workaround for the crash?",
    "Has anyone else seen this hang?",
    "Is this crash known?",
    "torch.compile crashes on XPU",
    "- [x] crashes with the nightly build",
    "Without the patch it crashes.",
    "The old one was fine. The new one hangs.",
    "It doesn't matter which model: it hangs.",
    "I have no idea what it does but it froze again",
    "there was a crash in the sampler",
    "Downgrading the driver makes the crash go away, the newest one crashes",
)
DENIED = (
    "no hang, nothing crashed",
    "Nothing crashed.",
    "it did not crash",
    "It doesn't crash with 2.8.",
    "It never crashed here",
    "runs for hours without crashing",
    "There was no crash and the image is right.",
    "no freeze, crash or other trouble",
    "without any hang or crash",
    "I have not seen a single crash",
    "zero crashes in 40 runs",
    "0 crashes in 40 runs",
    "free of crashes since yesterday",
    "the crash does not occur any more",
    "It hasn't crashed so far",
    "None of the samples crashed.",
    "that avoids the crash",
    "We could rule out, ruling out a crash of the driver",
    "I no longer get a crash",
    "crash: no",
    "neither a hang nor a crash",
)
PAST = (
    "It used to crash on start-up.",
    "the crash is gone",
    "I had a crash, now it is solved",
    "The hang was fixed by the vendor",
    "We had hangs before, but now everything works.",
    "there was a crash with the first build; it is fixed now",
    "The crash went away",
)
SUPPOSED = (
    "If it crashes, run it again.",
    "in case the GPU hangs, reset it",
    "It might crash with more than 8 GB.",
    "this could hang on some systems",
    "should it crash, send me the log",
)
ASKED = (
    "Does it crash on your card as well as on other cards?",
    "Will the sampler hang with two cards?",
    "I wonder if it crashes on Windows.",
    "I don't know whether it hangs",
    "Can it crash?",
    "Did the desktop freeze?",
)
WANTED = ("It should not crash.", "I expect no crash here", "it must not hang")
QUOTED = ("The documentation says that it crashes with small BAR.", "According to the README the card hangs there")


@pytest.mark.parametrize("text", TOLD)
def test_told(text: str) -> None:
    """What somebody reports is told, whatever is denied beside it."""
    assert said(text, CRASH) is Said.TOLD


@pytest.mark.parametrize("text", DENIED)
def test_denied(text: str) -> None:
    """A failure that did not happen is denied, in each form in which people write it."""
    assert said(text, CRASH) is Said.DENIED


@pytest.mark.parametrize("text", PAST)
def test_past(text: str) -> None:
    """A failure that is over is past."""
    assert said(text, CRASH) is Said.PAST


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (kind, text)
        for kind, texts in (
            (Said.SUPPOSED, SUPPOSED),
            (Said.ASKED, ASKED),
            (Said.WANTED, WANTED),
            (Said.QUOTED, QUOTED),
        )
        for text in texts
    ],
)
def test_moods(kind: Said, text: str) -> None:
    """What is supposed, asked, wanted or quoted is not told."""
    assert said(text, CRASH) is kind


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Said.FORM, "- [ ] it crashes on start"),
        (Said.FORM, "- [x] I have searched for a crash like mine"),
        (Said.CODE, "def crash(reason): pass"),
        (Said.CODE, 'raise RuntimeError("the worker did crash")'),
        (Said.CODE, "the flag `crash` is off"),
        (Said.CODE, "see handler.crash.count in the log"),
        (Said.COMMENT, "```python\n# this call crashes on XPU\nx.sum()\n```"),
        (Said.COMMENT, "    // this call crashes"),
        (Said.COMMENT, "x = torch.ones(2)  # crashes here"),
        (Said.WANTED, "### Expected behavior\n\nIt runs and there is not one crash"),
    ],
)
def test_settings(kind: Said, text: str) -> None:
    """Boxes of forms, code, comments and what is expected are no reports."""
    assert said(text, CRASH) is kind


def test_a_section_of_what_is_expected_ends() -> None:
    """What happens instead is told."""
    text = "### Expected behavior\n\nAn image.\n\n### Actual behavior\n\nIt crashes."
    assert said(text, CRASH) is Said.TOLD


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Said.TOLD, "it works with the driver before"),
        (Said.TOLD, "everything is fine, it works"),
        (Said.DENIED, "it does not work with the driver before either"),
        (Said.DENIED, "nothing works"),
        (Said.DENIED, "it never worked"),
        (Said.DENIED, "I am unable to make it work"),
        (Said.DENIED, "it fails to work"),
        (Said.ASKED, "does it work with the driver before?"),
        (Said.TOLD, "the driver was bad. The one before works"),
        (Said.WANTED, "it should work with the driver before"),
    ],
)
def test_success(kind: Said, text: str) -> None:
    """What works is denied in other words than what fails."""
    assert said(text, r"\bwork\w*", "works") is kind


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("Thank you for not making it CUDA-only!", True),
        ("they avoided keeping it CUDA-only", True),
        ("without making the loader CUDA-only", True),
        ("by making it CUDA-only they lost me", False),
        ("I could not run it, it is CUDA-only", False),
    ],
)
def test_a_fault_that_somebody_did_not_bring_about(text: str, denied: bool) -> None:
    assert (said(text, "CUDA-only") is Said.DENIED) is denied


@pytest.mark.parametrize("text", ["no passthrough here", "without any passthrough", "we are not using passthrough"])
def test_what_takes_part_is_denied(text: str) -> None:
    """A thing that is named can be absent."""
    assert said(text, "passthrough", "names") is Said.DENIED


MESSAGE = "RuntimeError: device lost"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Said.TOLD, MESSAGE),
        (Said.TOLD, f"I get {MESSAGE} when sampling"),
        (Said.TOLD, f"Why do I get {MESSAGE}?"),
        (Said.TOLD, f"ERROR worker died: {MESSAGE}"),
        (Said.TOLD, 'File "/a/b.py", line 3, in f\n    raise RuntimeError("RuntimeError: device lost")'),
        (Said.CODE, 'raise MyError("RuntimeError: device lost")'),
        (Said.CODE, '    if "RuntimeError: device lost" in str(error):'),
        (Said.COMMENT, f"```python\n# {MESSAGE}\n```"),
        (Said.FORM, f"- [ ] {MESSAGE}"),
        (Said.ASKED, f"Does it print {MESSAGE} on your machine?"),
        (Said.SUPPOSED, f"If you see {MESSAGE}, restart."),
    ],
)
def test_messages(kind: Said, text: str) -> None:
    """A message of a program is told, unless its text only stands in code, a comment, a box or a question."""
    assert said(text, re.escape(MESSAGE), printed=True) is kind


@given(
    st.text(max_size=300),
    st.integers(0, 300),
    st.integers(0, 60),
    st.sampled_from(["fails", "works", "names", "wants"]),
)
def test_any_text_is_read(text: str, start: int, length: int, claim: Claim) -> None:
    """Whatever stands there, the answer is one of the readings."""
    statements = Statements(IndexedText(text))
    line = text.split("\n")[0]
    start = min(start, len(line))
    end = min(start + length, len(line))
    assert isinstance(statements.claimed(1, start, end, claim), Said)
    assert isinstance(statements.printed(1, start, end), Said)


@pytest.mark.parametrize(
    "unit",
    [
        "no crash, ",
        "not ",
        "if it ",
        "crash ",
        "(",
        "a.b(",
        "# ",
        "no a, b, ",
        "the docs say ",
        "is it ",
        "I had ",
        "zero 0 ",
        "[x] ",
        "x = ",
        "\"'",
        "!?",
        "n't without ",
    ],
)
def test_hostile_lines_are_quick(unit: str) -> None:
    """No line takes long, whatever is repeated in it."""
    line = (unit * MAX_LINE)[: MAX_LINE - 8] + " crash"
    best = min(_seconds(line) for _ in range(5))
    assert best < 0.1, unit  # a hundredth on a quiet machine; what grows with the square of the line takes seconds


def _seconds(line: str) -> float:
    statements = Statements(IndexedText(line))
    started = time.process_time()
    statements.claimed(1, len(line) - 5, len(line))
    statements.printed(1, len(line) - 5, len(line))
    return time.process_time() - started


@pytest.mark.parametrize(
    ("narrower", "text"),
    [
        (True, "multi-XPU is not supported yet"),
        (True, "FSDP on XPU is not supported"),
        (True, "Flash attention with the XPU is unsupported"),
        (True, "torch.compile for XPU is not supported there"),
        (True, "tensor parallel mode on XPU is not supported"),
        (False, "XPU is not supported"),
        (False, "support for XPU is not there"),
        (False, "it says that XPU is not supported"),
        (False, "training on XPU is not supported"),
    ],
)
def test_a_use_of_a_device_is_not_the_device(narrower: bool, text: str) -> None:
    """What a device cannot do is less than that it is not supported."""
    assert Statements(IndexedText(text)).narrower(1, text.index("XPU")) is narrower


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Said.PAST, "This PR fixes the crash on XPU."),
        (Said.PAST, "- fix sampler crash on XPU"),
        (Said.PAST, "The new build fixed a rare hang."),
        (Said.PAST, "I solved the crash with a new image"),
        (Said.PAST, "It resolves the crash."),
        (Said.DENIED, "I cannot reproduce the crash on my card."),
        (Said.DENIED, "Unable to reproduce the hang here."),
        (Said.DENIED, "We could not reproduce a crash with 2.9."),
        (Said.TOLD, "How do I fix the crash?"),
        (Said.TOLD, "the fix for the crash does nothing"),
        (Said.TOLD, "I don't understand this crash"),
        (Said.TOLD, "I cannot fix the crash"),
        (Said.TOLD, "I need to solve the crash"),
        (Said.TOLD, "the crash cannot be reproduced elsewhere, here it crashes"),
        (Said.TOLD, "I can reproduce the crash with 2.9."),
    ],
)
def test_what_is_mended_or_not_reproduced(kind: Said, text: str) -> None:
    """Who says that something mends a failure says that it is over; who asks for that has it."""
    assert said(text, CRASH) is kind


@pytest.mark.parametrize(
    ("text", "complains"),
    [
        ("I have not seen any errors.", False),
        ("We did not get a single crash.", False),
        ("This fixes an error in the loader.", False),
        ("There are zero failures.", False),
        ("It runs without any issues.", False),
        ("I cannot use it, there are errors.", True),
        ("The fix for the crash does not work, it still crashes.", True),
        ("How do I fix this error?", True),
        ("Please fix this issue: it crashes", True),
        ("I do not see any GPU in the list.", True),
        ("It does not find any device.", True),
    ],
)
def test_complaints_are_read_by_how_they_are_meant(text: str, complains: bool) -> None:
    """The reader of complaints has no negations of its own."""
    assert bool(list(complaints(Text(text), frozenset()))) is complains

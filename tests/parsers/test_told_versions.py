"""Versions that people say work or fail, whatever the form in which they say it."""

from __future__ import annotations

import pytest

from xpu_doctor.model.facts.pasted import Pasted
from xpu_doctor.pasted.readers.collected import Text
from xpu_doctor.pasted.snapshots import read


def pasted(body: str) -> Pasted:
    """What a text shows beyond a machine's facts."""
    (snapshot,) = read([Text(body)])
    return snapshot.pasted


def told(body: str) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """The good and the bad versions of a text."""
    facts = pasted(body)
    return {(item.part, item.version) for item in facts.good_versions}, {
        (item.part, item.version) for item in facts.bad_versions
    }


@pytest.mark.parametrize(
    "body",
    [
        "It works with torch 2.8.0, fails with 2.9.1",
        "torch 2.8.0 is fine, 2.9.1 gives garbage",
        "PyTorch 2.8.0 works. PyTorch 2.9.1 crashes.",
        "With torch 2.9.1 it hangs but with torch 2.8.0 there is no hang",
        "worked in torch 2.8.0 and is broken in torch 2.9.1",
        "after updating torch from 2.8.0 to 2.9.1 it crashes",
        "downgrading torch from 2.9.1 to 2.8.0 fixes it",
        "If I install torch 2.8.0 then everything works fine.\nWith torch 2.9.1 all I get is NaN.",
        "| torch 2.8.0 | works |\n| torch 2.9.1 | black images |",
        "| 2.8.0 | ok | torch on xpu |\n| 2.9.1 | crash | torch on xpu |",
        "torch 2.9.1 does not work, torch 2.8.0 does not crash",
        "It worked fine with torch 2.8.0. It worked until torch 2.9.1.",
        "torch 2.8.0: no problems\ntorch 2.9.1: segfault",
    ],
)
def test_torch(body: str) -> None:
    """An older torch works and a newer one fails, in each form."""
    good, bad = told(body)
    assert ("torch", "2.8.0") in good
    assert ("torch", "2.9.1") in bad
    assert pasted(body).regressed == ("torch",)


@pytest.mark.parametrize(
    ("body", "part", "good", "bad"),
    [
        (
            "driver 32.0.101.6129 works, after updating to 32.0.101.6130 the GPU hangs",
            "driver",
            "32.0.101.6129",
            "32.0.101.6130",
        ),
        ("The driver 25.18.33578 is fine and 25.22.33944 breaks it", "driver", "25.18.33578", "25.22.33944"),
        (
            "kernel 6.8.0-45-generic works, kernel 6.8.0-47-generic hangs",
            "kernel",
            "6.8.0-45-generic",
            "6.8.0-47-generic",
        ),
        ("with linux 6.11 no problems; linux 6.12 freezes", "kernel", "6.11", "6.12"),
        ("IPEX 2.5.10 is ok, IPEX 2.7.10 fails", "ipex", "2.5.10", "2.7.10"),
    ],
)
def test_other_parts(body: str, part: str, good: str, bad: str) -> None:
    """Drivers, kernels and the extension are told in the same ways."""
    assert (part, good) in told(body)[0]
    assert (part, bad) in told(body)[1]
    assert pasted(body).regressed == (part,)


@pytest.mark.parametrize(
    "body",
    [
        "It works again with the previous driver, so something broke",
        "torch crashes with the new driver 32.0.101.8331. The one before works.",
        "I rolled back my driver and now it is fine",
        "Downgrading the driver helped",
    ],
)
def test_the_driver_before(body: str) -> None:
    """The one before is a good one without a number."""
    assert ("driver", "") in told(body)[0]


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ("After rolling back to 31.0.101.5333 my A770 no longer gives garbage", "driver"),
        ("I reverted to torch 2.7.1 and it works", "torch"),
        ("going back to kernel 6.11 fixes it", "kernel"),
    ],
)
def test_going_back(body: str, part: str) -> None:
    """Whoever goes back and finds that it works tells that the newer one does not."""
    assert pasted(body).regressed == (part,)


def test_going_back_in_vain() -> None:
    """A version that does not help either is no good one."""
    assert pasted("I reverted to torch 2.7.1 and it still does not work").regressed == ()


@pytest.mark.parametrize(
    "body",
    [
        "Does torch 2.8.0 work and torch 2.9.1 fail?",
        "It requires torch 2.8.0 to work",
        "torch==2.8.0\ntorch==2.9.1",
        "vLLM 0.9.0 works, vLLM 0.9.1 fails on torch",
        "ComfyUI 2.8.0 works, ComfyUI 2.9.1 crashes with torch",
        "the run took 2.8.0 s and is fine",
        "Python 3.12.1 works, Python 3.13.0 fails with torch",
        "- [ ] torch 2.8.0 works, torch 2.9.1 fails",
        "def test(): assert works('2.8.0') and fails('2.9.1')  # torch",
        "both torch 2.8.0 and torch 2.9.1 crash",
        "torch 2.8.0 and 2.9.1 both work fine",
    ],
)
def test_nothing_regressed(body: str) -> None:
    """A question, a need, a listing, another program's version and two that behave alike are no regression."""
    assert pasted(body).regressed == ()

"""What torch said before something was mended, and after it: the last state counts."""

from __future__ import annotations

import pytest

from xpu_doctor.catalogue.names import all_rules
from xpu_doctor.model.terms import OverallVerdict
from xpu_doctor.pasted.run import Triaged, triage_texts
from xpu_doctor.text.safe import from_bytes

ASKED = ">>> torch.xpu.is_available()"
CUDA = "AssertionError: Torch not compiled with CUDA enabled"


def triaged(text: str) -> Triaged:
    """What a text comes to."""
    return triage_texts([("text", from_bytes(text.encode(), "text"))], rules=all_rules())


MENDED = (
    f"At first:\n{ASKED}\nFalse\nAfter I joined the render group and logged in again:\n{ASKED}\nTrue\n",
    "Before: False. After a reboot with the new driver: True. (torch.xpu on an Arc A770)\n",
    f"{ASKED}\nFalse\n\nThen I installed libze-intel-gpu1.\n\n{ASKED}\nTrue\n",
    "torch.xpu.is_available() returned False, now torch.xpu.is_available() returns True.\n",
    "Before the driver update: False\nAfter the driver update: True\nThat is torch.xpu.is_available() of 2.12.1+xpu.\n",
    f"{ASKED}\nFalse\n{ASKED}\nFalse\n$ sudo dnf install intel-level-zero\n# rebooted\n{ASKED}\nTrue\n".replace("sudo ", ""),
    f"Fixed it, I think: it was\n{ASKED}\nFalse\nand since the kernel update it is\n{ASKED}\nTrue\n",
    f"{ASKED}\nFalse\nAfterwards, with the XPU wheel reinstalled:\n{ASKED}\nTrue\n",
)  # fmt: skip


@pytest.mark.parametrize("text", MENDED)
def test_the_gpu_is_there_since(text: str) -> None:
    found = triaged(text)
    assert found.snapshot.xpu.available is True
    assert found.snapshot.pasted.sometimes_available is not True
    assert not found.diagnosis.root_causes


@pytest.mark.parametrize("text", MENDED)
@pytest.mark.parametrize("app", ["But ComfyUI says:", "Now InvokeAI ends with this:", "Still SD.Next stops:"])
def test_what_fails_then_is_the_application(text: str, app: str) -> None:
    found = triaged(f"{text}{app}\n{CUDA}\n")
    assert found.diagnosis.verdict is OverallVerdict.FINDINGS
    assert found.diagnosis.root_causes[0].code == "app-requests-cuda"


@pytest.mark.parametrize(
    "text",
    [
        f"{ASKED}\nTrue\n$ source /opt/intel/oneapi/setvars.sh\n{ASKED}\nFalse\n",
        f"{ASKED}\nFalse\nAfter I unset LD_LIBRARY_PATH:\n{ASKED}\nTrue\n",
        f"{ASKED}\nFalse\nThen, without setvars.sh:\n{ASKED}\nTrue\n",
        f"{ASKED}\nFalse\n{ASKED}\nTrue\n",
        f"{ASKED}\nFalse\nafter a reboot\n{ASKED}\nTrue\nand after the next one\n{ASKED}\nFalse\n",
    ],
)
def test_one_time_and_not_the_other_is_no_mending(text: str) -> None:
    assert triaged(text).snapshot.pasted.sometimes_available is True


@pytest.mark.parametrize(
    "text",
    [
        "Before: False. After: True. That is the flag of my own script.",
        "Before a run I set debug: False, and after it debug: True, on a machine from Intel.",
    ],
)
def test_other_answers_are_none_of_torch(text: str) -> None:
    assert triaged(text).diagnosis.verdict is not OverallVerdict.FINDINGS

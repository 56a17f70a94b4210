"""What a diff removed is no proof of what is installed."""

from __future__ import annotations

import pytest

from xpu_doctor.api import triage
from xpu_doctor.pasted.removed_lines import without_removed

DIFFS = (
    "12c12\n< torch=={}\n---\n> torch=={}\n",
    "3,4c3,4\n< torch=={}\n< nvidia-cublas-cu12==12.8.4.1\n---\n> torch=={}\n> pytorch-triton-xpu==3.5.0\n",
    "@@ -1,3 +1,3 @@\n numpy==2.1.0\n-torch=={}\n+torch=={}\n",
    "--- a.txt\n+++ b.txt\n@@ -7 +7 @@\n-torch=={}\n+torch=={}\n",
    "@@ -1,4 +1,4 @@\n-torch=={}\n-nvidia-cudnn-cu12==9.1\n+torch=={}\n filelock==3.1\n",
)


@pytest.mark.parametrize("diff", DIFFS)
@pytest.mark.parametrize("before", ["2.9.1+cu128", "2.9.1+cpu"])
def test_the_removed_side_names_no_build(diff: str, before: str) -> None:
    report = triage("Arc B580\n" + diff.format(before, "2.9.1+xpu"))
    assert not {"torch-cuda-wheel", "torch-cpu-wheel"} & {root.code for root in report.root_causes}


@pytest.mark.parametrize("diff", DIFFS)
def test_the_added_side_is_read(diff: str) -> None:
    shown = without_removed(diff.format("2.9.1+xpu", "2.9.1+cu128"))
    assert "2.9.1+cu128" in shown
    assert "2.9.1+xpu" not in shown
    assert shown.count("\n") == diff.count("\n")


@pytest.mark.parametrize(
    "text",
    [
        "- torch 2.9.1+cu128\n- Arc A770\n",
        "< torch 2.9.1+cu128\n",
        "-torch==2.9.1+cu128\n",
        "$ pip list\ntorch 2.9.1+cu128\n",
        "> torch 2.9.1\n",
        "@@ -1 +1 @@\nWhat I have now:\n- torch 2.9.1+cu128\n",
        "",
        "--device xpu\n",
        "@@ -1 +1 @@\n+x\n\nNow it has:\n- torch 2.9.1+cu128\n",
        "@@ -1 +1 @@\n+x\n\n- torch 2.9.1+cu128\n",
    ],
)
def test_other_texts_are_left_as_they_are(text: str) -> None:
    assert without_removed(text) == text

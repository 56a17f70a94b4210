"""Texts about GPUs of other makers: what the doctor knows of Intel's is no more than a possibility there."""

from __future__ import annotations

import pytest

from xpu_doctor.api import triage
from xpu_doctor.model.unknown import holds
from xpu_doctor.pasted.readers.collected import Text
from xpu_doctor.pasted.readers.other_makers import speaks_of_intel, wants_another
from xpu_doctor.pasted.snapshots import read

ELSEWHERE = (
    "My RTX 4070 is not found by the trainer.\nPyTorch version: 2.1.0+cu121\nCUDA used to build PyTorch: 12.1\n",
    "The installer puts the cpu version of torch on a machine with an NVIDIA GPU:\npip install torch --index-url https://download.pytorch.org/whl/cpu\n",
    "pip install torch==2.2.2+cu118\nERROR: Could not find a version that satisfies the requirement torch==2.2.2+cu118 (from versions: 2.7.0, 2.7.0+cpu, 2.7.0+xpu)\n"
    "ERROR: No matching distribution found for torch==2.2.2+cu118\n",
    "ModuleNotFoundError: No module named 'triton'\nGPU: GeForce GTX 1660\nWindows 11, Intel(R) Core(TM) i5-12400F\n",
    "Installing from https://download.pytorch.org/whl/rocm6.2 fails:\ntorch==2.5.1+rocm6.2 depends on pytorch-triton-rocm==3.1.0\n",
    "ImportError: cannot import name 'intel' from 'triton._C.libtriton'\nIt loads an intel library although ROCm is used.\nGPU: AMD Radeon 7800XT\n",
    "I want Pytorch with CUDA on this machine, and got this:\nPyTorch version: 2.4.0+cpu\n",
)
HERE = (
    "Two cards, an RTX 3060 and an Arc A770; I want the second one.\nPyTorch version: 2.9.0+cu128\n",
    "There is no NVIDIA GPU in this laptop.\nPyTorch version: 2.9.0+cpu\nIs CUDA available: False\n",
    "nvidia-cublas-cu12==12.8.4.1\nnvidia-cudnn-cu12==9.10.2.21\ntorch==2.9.0+cu128\n",
    "AssertionError: Torch not compiled with CUDA enabled\n",
    "Nvidia driver version: Could not collect\nGPU models and configuration: Could not collect\nPyTorch version: 2.9.0+cpu\n",
    "torch.xpu.is_available() is False.\nIt also says that no NVIDIA driver was found.\nPyTorch version: 2.9.0+cu128\n",
)


@pytest.mark.parametrize("text", ELSEWHERE)
def test_of_another_makers_gpu_nothing_is_more_than_possible(text: str) -> None:
    (snapshot,) = read([Text(text)])
    assert holds(snapshot.pasted.for_other_gpu)
    roots = triage(text).root_causes
    assert [root.code for root in roots if root.confidence != "possible" and root.severity != "info"] == []


@pytest.mark.parametrize("text", HERE)
def test_where_intel_may_be_meant_the_install_is_judged(text: str) -> None:
    (snapshot,) = read([Text(text)])
    assert not holds(snapshot.pasted.for_other_gpu)


def test_the_build_for_another_maker_is_judged_where_a_card_of_intels_stands_beside() -> None:
    assert [root.code for root in triage(HERE[0]).root_causes][:1] == ["torch-cuda-wheel"]


@pytest.mark.parametrize(
    ("text", "of_intel"),
    [
        ("CPU: 12th Gen Intel(R) Core(TM) i7-12700K", False), ("Intel Xeon Gold 6338", False), ("an Intel GPU", True), ("Intel(R) UHD Graphics 770", True),
        ("(from versions: 2.8.0+xpu)", False), ("torch 2.8.0+xpu", True), ("A100-SXM4-40GB", False), ("Arc B580", True), ("source setvars.sh of oneAPI", True),
        ("cannot import name 'intel'", False), ("the intel backend of triton", False), ("a B580", True), ("NVIDIA A770X", False),
    ],
)  # fmt: skip
def test_words_of_intel(text: str, of_intel: bool) -> None:
    assert speaks_of_intel(Text(text)) is of_intel


def test_a_gpu_that_is_named_to_be_excluded_is_not_wanted() -> None:
    assert not wants_another(Text("This box has no NVIDIA GPU, and it runs without an NVIDIA driver."))
    assert wants_another(Text("This box has an NVIDIA GPU."))

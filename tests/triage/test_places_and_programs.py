"""Whose library, whose index and whose driver a text speaks of: kinds of confusion between Intel's stack and what stands beside it."""

from __future__ import annotations

import pytest

from xpu_doctor.api import triage


def found(text: str) -> list[tuple[str, str]]:
    """Return the root causes that are no notes, with their confidence."""
    return [(root.code, root.confidence) for root in triage(text).root_causes if root.severity != "info"]


@pytest.mark.parametrize(
    "text",
    [
        "./server: error while loading shared libraries: libmymodel.so: cannot open shared object file: No such file or directory\n",
        "The tool stops at once.\n/opt/tool/bin/run: error while loading shared libraries: libstdc++.so.6: cannot open shared object file\n",
    ],
)
def test_a_library_of_a_program_that_is_not_torchs_is_a_guess(text: str) -> None:
    assert [root for root in found(text) if root[1] != "possible"] == []


@pytest.mark.parametrize(
    "text",
    [
        "import torch fails on my Arc A750:\nImportError: libstdc++.so.6: cannot open shared object file: No such file or directory\n",
        "Cannot load shared library libmkl_core.so\n(started without setvars, Arc A770)\n",
        "./llama-cli: error while loading shared libraries: libsvml.so: cannot open shared object file: No such file or directory\n",
        "the server could not open libsycl.so.8 on the node with the Max 1550\n",
    ],
)
def test_a_library_of_intels_runtime_or_of_torchs_program_is_the_cause(text: str) -> None:
    assert found(text)[0] == ("shared-library-missing", "likely")


def test_an_index_with_another_build_of_the_same_release_says_that_this_python_is_fine() -> None:
    text = (
        "ERROR: Could not find a version that satisfies the requirement torch==2.5.1.post0+xpu (from versions: 2.5.0, 2.5.1, 2.5.1+cxx11.abi)\n"
        "ERROR: No matching distribution found for torch==2.5.1.post0+xpu\n"
    )
    assert found(text)[0] == ("index-incomplete", "likely")


def test_an_index_with_other_releases_only_leaves_the_python_in_doubt() -> None:
    text = (
        "ERROR: Could not find a version that satisfies the requirement torch==2.14.0+xpu (from versions: 2.6.0+xpu, 2.7.0+xpu)\n"
        "ERROR: No matching distribution found for torch==2.14.0+xpu\n"
    )
    assert found(text)[0][0] == "python-unsupported"


IMAGE = "Following the ipex-llm docker guide (docs/DockerGuides/docker_xpu.md) the container cannot see the Arc A380, which works on the host.\n"
LISTS = "Inside the container:\n# ls /dev/dri\ncard0  renderD128\n# sycl-ls\n[opencl:cpu:0] Intel(R) OpenCL, AMD Ryzen 7 OpenCL 3.0 (Build 0)\n"
HOST = "On the host:\n$ sycl-ls\n[level_zero:gpu][level_zero:0] Intel(R) oneAPI Unified Runtime over Level-Zero, Intel(R) Arc(TM) A380 Graphics 12.56.5 [1.3.30049]\n"


def test_an_image_for_intels_gpus_has_a_driver_and_so_an_old_one() -> None:
    assert found(IMAGE + LISTS + HOST)[0] == ("gpu-driver-too-old", "likely")


def test_another_image_has_none() -> None:
    text = "The container of python:3.12-slim cannot see the Arc A380, which works on the host.\n" + LISTS + HOST
    assert found(text)[0] == ("gpu-driver-missing", "likely")


@pytest.mark.parametrize(
    "kernel", ["for host kernel > 6.8", "with kernels newer than 6.14", "on any kernel above 6.11"]
)
def test_kernels_from_a_release_on_are_too_new_for_the_driver_of_an_image(kernel: str) -> None:
    text = f"In the container the Arc A770 is not found {kernel}; torch.xpu.is_available() is False there.\n"
    assert found(text)[0] == ("gpu-driver-too-old", "likely")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("torch.distributed.all_gather() over the ccl backend ends in a segmentation fault on two Max 1100.\n", "collectives-bug"),
        ("With more than two ranks it crashes in all_reduce, torch 2.8.0+xpu, four Arc B580.\n", "collectives-bug"),
        ("Bad performance of Qwen2.5 on an Arc A770, torch 2.7.0+xpu.\n", "low-performance"),
        ("The B580 underperforms: half of the images a second of the A750. torch 2.9.0+xpu\n", "low-performance"),
        ("Whisper on the Arc 140V needs no CPU but takes a really long time, 400 s. torch 2.8.0+xpu\n", "low-performance"),
        ("The load is very low on my Arc A380 while it trains, torch 2.8.0+xpu.\n", "low-performance"),
        ("it says torch not compiled with cuda enabled on the machine with the Arc A750, torch 2.7.0+xpu\n", "app-requests-cuda"),
        ("torch.xpu.mem_get_info() raises RuntimeError under WSL2 (Linux-6.6.87.2-microsoft-standard-WSL2), torch 2.9.0+xpu, Is XPU available: True\n", "gpu-driver-bug"),
        ("We faced OOM with eight images on the Arc A770, torch 2.7.1+xpu.\n", "out-of-memory"),
    ],
)  # fmt: skip
def test_faults_told_in_words(text: str, code: str) -> None:
    first = triage(text).root_causes[0]
    assert (first.code, first.confidence) == (code, "likely")


@pytest.mark.parametrize(
    "text",
    [
        "all_gather works on both ranks, torch 2.8.0+xpu, two Arc B580.\n",
        "The load is low, as it should be, when my Arc B580 idles with torch 2.9.0+xpu.\n",
        "It runs in real time on my Arc B580 with torch 2.9.0+xpu.\n",
        "There is no crash in all_reduce any more with torch 2.9.0+xpu on my Arc B580.\n",
        "The performance of the B580 is as expected with torch 2.9.0+xpu.\n",
        "How much memory must an Arc have to avoid OOM?\n",
        "mem_get_info() returns 11 GB on my Arc B580 with torch 2.9.0+xpu.\n",
    ],
)
def test_what_works_or_is_asked_is_no_fault(text: str) -> None:
    assert found(text) == []


def test_a_wish_beside_a_torch_that_sees_the_gpu_is_the_applications() -> None:
    text = (
        "Is your feature request related to a problem? Please describe.\n>>> torch.xpu.is_available()\nTrue\n"
        "But the server says:\nserver.collector - ERROR - Failed to detect GPU devices: 'NoneType' object has no attribute 'stdout'\n"
    )
    assert found(text)[0] == ("app-lacks-xpu-support", "likely")

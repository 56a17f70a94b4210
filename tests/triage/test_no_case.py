"""Texts in which nobody has a fault: questions, wishes, changes of code, lists of tests, praise. None is told of more than a guess."""

from __future__ import annotations

import pytest

from xpu_doctor.api import triage
from xpu_doctor.pasted.readers.collected import Text
from xpu_doctor.pasted.readers.complaints import complaints
from xpu_doctor.pasted.readers.failures import failures

TEXTS = {
    "a card to buy": (
        "Hi, I plan to buy an Arc B580 for Stable Diffusion. Does ComfyUI support it on Windows 11? Which PyTorch do I need? Is 12 GB VRAM enough for Flux?"
    ),
    "a second GPU": (
        "How do I choose the second GPU? I have an A770 and the integrated graphics of a 13700K, torch.xpu.device_count() returns 2."
    ),
    "with or without the extension": (
        "What is the difference between intel-extension-for-pytorch and the native xpu backend? Do I still need IPEX with torch 2.9?"
    ),
    "a template of a feature request": (
        "[Feature Request] Intel Arc support\n"
        "\n"
        "Is your feature request related to a problem? The installer only offers CUDA and ROCm.\n"
        "\n"
        "Describe the solution you'd like\n"
        "An option --xpu that installs torch from https://download.pytorch.org/whl/xpu\n"
        "\n"
        "Additional context\n"
        "Arc cards are cheap and have lots of VRAM."
    ),
    "a device that is hard-coded": (
        "Support for XPU backend\n"
        "\n"
        "Currently `device = 'cuda' if torch.cuda.is_available() else 'cpu'` is used everywhere. It would be great if XPU was supported as well."
    ),
    "an optional package": (
        "Add Intel GPU support to bitsandbytes integration\n"
        "\n"
        "The 8-bit optimizers are CUDA only. Intel provides kernels for XPU, see the multi-backend branch."
    ),
    "tests that are enabled": (
        "Enable XPU in test_ops\n"
        "\n"
        "This PR enables the following tests on XPU:\n"
        "- test_foo_xpu\n"
        "- test_bar_xpu\n"
        "\n"
        "Skipped: test_baz (not implemented for XPU yet)\n"
        "\n"
        "## Test plan\n"
        "pytest test/xpu/test_ops_xpu.py -> 1290 passed, 31 skipped"
    ),
    "a leak that was fixed": (
        "[XPU] Fix memory leak in caching allocator\n"
        "\n"
        "Fixes #1234. The allocator did not release blocks, so long runs ended with out of memory."
    ),
    "why a change is needed": (
        "fix: use torch.accelerator instead of torch.cuda\n"
        "\n"
        "`torch.cuda.empty_cache()` raises AssertionError: Torch not compiled with CUDA enabled on Intel GPUs. This PR makes it device agnostic."
    ),
    "a plan": (
        "[RFC] Upstream Intel GPU support for torch.compile\n"
        "\n"
        "Motivation: Triton backend for Intel GPUs is out-of-tree. Design: ... Milestones: 2.5 beta, 2.7 stable. Known gaps: FP64 emulation on Arc is slow, XCCL not in wheels on Windows."
    ),
    "a nightly list": (
        "[Nightly] UT failures 2026-03-01\n"
        "\n"
        "Cases:\n"
        "op_ut,third_party.torch-xpu-ops.test.xpu.test_nn_xpu.TestNNXPU,test_conv_xpu_float64\n"
        "op_ut,third_party.torch-xpu-ops.test.xpu.test_ops_xpu.TestCommonXPU,test_out_linalg_svd_xpu_float32\n"
        "Error: AssertionError: Tensor-likes are not close!\n"
    ),
    "a list of skips": (
        "[CI] Skip list for Windows\n"
        "\n"
        "test_multiprocessing_xpu.py::TestMultiprocessing::test_fs_sharing - RuntimeError: Cannot re-initialize XPU in forked subprocess\n"
        "test_autograd_xpu.py::TestAutograd::test_profiler - AssertionError"
    ),
    "a benchmark": (
        "Benchmarks on my B580:\n"
        "SDXL 1024x1024 20 steps: 100%|██████████| 20/20 [00:07<00:00,  2.81it/s]\n"
        "Device: xpu:0 Intel(R) Arc(TM) B580 Graphics\n"
        "Very happy with it."
    ),
    "a recipe that works": (
        "Works great on Arc A750 with Ubuntu 24.04, kernel 6.11, torch 2.6.0+xpu. Steps: install libze-intel-gpu1 intel-opencl-icd, add user to render group, pip install torch --index-url https://download.pytorch.org/whl/xpu. Thanks!"
    ),
    "fixed in a newer release": (
        "Confirmed fixed in 2.8.0, closing. Before, 2.7.1 crashed with a segmentation fault in conv2d on my A770."
    ),
    "a question on a working machine": (
        ">>> import torch\n"
        ">>> torch.xpu.is_available()\n"
        "True\n"
        ">>> torch.xpu.get_device_name(0)\n"
        "'Intel(R) Arc(TM) A770 Graphics'\n"
        "How can I see the memory that is in use?"
    ),
    "documentation that is old": (
        "Docs: the page 'Getting started on Intel GPU' says to install intel-for-pytorch-gpu-dev, but this package is no longer offered. Please update the docs."
    ),
    "a dead link": ("The README link to the Intel GPU driver guide is broken (404)."),
    "a data type": (
        "Does fp8 work on Battlemage? I read that the XMX units lack FP8 support. vLLM's --quantization fp8 on XPU says W8A16."
    ),
    "a comparison": (
        "How does torch.compile on XPU perform in comparison with eager? Any benchmarks on Max 1100? We use triton-xpu 3.5."
    ),
    "a device list": (
        "sycl-ls\n"
        "[level_zero:gpu][level_zero:0] Intel(R) oneAPI Unified Runtime over Level-Zero, Intel(R) Arc(TM) B580 Graphics 20.1.0 [1.6.33578+15]\n"
        "[opencl:gpu][opencl:0] Intel(R) OpenCL Graphics, Intel(R) Arc(TM) B580 Graphics OpenCL 3.0 NEO  [25.18.33578.15]\n"
        "\n"
        "clinfo shows it too. What should I install next for PyTorch?"
    ),
    "a version that is raised": (
        "Bump torch to 2.9.1+xpu in requirements-xpu.txt\n"
        "\n"
        "- torch==2.8.0+xpu\n"
        "+ torch==2.9.1+xpu\n"
        "- intel-extension-for-pytorch==2.8.10+xpu\n"
        "+ (removed)"
    ),
    "two vendors": (
        "Is it possible to use both an NVIDIA 3060 and an Arc A770 in one machine with PyTorch? Do I need two environments, one with the CUDA wheel and one with the XPU wheel?"
    ),
    "a wish with a message": (
        "Would like to have an option to run the upscaler on Intel GPUs. Right now it says `No CUDA device, using CPU`."
    ),
    "a server that answers": (
        "root@arc:/llm# python -m vllm.entrypoints.openai.api_server --model Qwen3-8B --device xpu\n"
        "WARNING 07-01 [_logger.py:68] Torch Profiler is disabled\n"
        "INFO 07-01 Starting to load model\n"
        "INFO 07-01 # GPU blocks: 2231, # CPU blocks: 1024\n"
        "INFO:     Uvicorn running on http://0.0.0.0:8000\n"
        'INFO:     127.0.0.1:51234 - "POST /v1/chat/completions HTTP/1.1" 200 OK'
    ),
    "where a driver is described": (
        "Where do I find the release notes of the Intel graphics driver 32.0.101.8132? My system has 32.0.101.6651, everything runs."
    ),
    "a matrix of tests": (
        "Test matrix:\n"
        "| torch | Ubuntu 22.04 | Ubuntu 24.04 | Windows 11 |\n"
        "| 2.7.0+xpu | pass | pass | pass |\n"
        "| 2.8.0+xpu | pass | pass | fail (known issue) |\n"
    ),
    "whether WSL is supported": (
        "Is WSL2 supported with the xpu wheels? I'd like to use Docker Desktop too. Does the container need --device /dev/dxg?"
    ),
    "a list of operators": (
        "Tracking: ops without XPU kernels\n"
        "- [x] aten::nonzero\n"
        "- [ ] aten::linalg_eig\n"
        "- [ ] aten::_fft_r2c not supported on Windows\n"
        "Please comment if you need one of these."
    ),
    "a guide that is corrected": (
        "[Doc] Update XPU installation guide\n"
        "\n"
        "Users should `pip install torch` from the XPU index; plain `pip install torch` gets the CUDA build on Linux and the CPU build on Windows."
    ),
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_no_case(text: str) -> None:
    loud = [root.code for root in triage(text).root_causes if root.severity != "info" and root.confidence != "possible"]
    assert loud == []


def complains(text: str) -> bool:
    return bool(list(complaints(Text(text), frozenset())))


@pytest.mark.parametrize(
    "line",
    [
        "ComfyUI doesn't start any more.",
        "My A770 is not detected by the web interface",
        "torch cannot find the GPU",
        "The process hangs at the first step",
        "it keeps crashing after a minute",
        "All images are black",
        "I only get NaN values from the text encoder",
        "Loss becomes nan after ten steps, the loss is wrong from then on",
        "It still runs on the CPU",
        "generation falls back to cpu",
        "Inference takes forever on Windows",
        "much slower than my old card",
        "I get the following error when I load the model",
        "I keep running into an issue with the sampler",
        "[Bug]: wrong output with two cards",
        "Out of memory although 10 GB are free",
        "The app won't use the Arc card",
        "模型加载失败",
        "画像が生成できません",
        "> quoted: the server dies after the first request",
    ],
)
def test_complaints_are_heard(line: str) -> None:
    assert complains(line)


@pytest.mark.parametrize(
    "line",
    [
        "No errors, no warnings.",
        "It ran the whole night without any problems.",
        "I could not reproduce the hang here",
        "This fixes the crash of the sampler on two cards",
        "never crashed so far",
        "Which driver should I install for a B580?",
        "Please add XPU support",
        "I don't have an NVIDIA card",
        "2026-03-01 10:00:00 WARNING cannot load the optional codec",
        "INFO     failed to import xformers, going on",
        "/opt/venv/lib/python3.12/site-packages/x.py:12: UserWarning: this can be slow",
        "    raise ValueError('cannot open the file')  # never used",
        "- [ ] aten::linalg_eig fails on Windows",
        "GCC version: Could not collect",
        "Works with 2.9.1 and with 2.10.0.",
    ],
)
def test_what_is_no_complaint(line: str) -> None:
    assert not complains(line)


def fails(text: str) -> list[str]:
    return [failure.kind for _, failure in failures(Text(text), frozenset())]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("RuntimeError: the frobnicator is jammed", "exception"),
        ("torch.OutOfMemoryError: XPU out of memory.", "exception"),
        ("E   AssertionError", "exception"),
        ("ERROR 07-01 10:00:00 [core.py:700] ValueError: no such layer", "exception"),
        ("KeyboardInterrupt", "exception"),
        ("Segmentation fault (core dumped)", "abort"),
        ("Aborted", "abort"),
        ("terminate called after throwing an instance of 'sycl::_V1::exception'", "abort"),
        ("Fatal Python error: Aborted", "abort"),
        ("Windows fatal exception: access violation", "abort"),
        ("Exception Code: 0xC0000005", "abort"),
        ("Process finished with exit code 139", "exit"),
        ("exited with status 1", "exit"),
        ("subprocess returned non-zero", "exit"),
        ("xe 0000:03:00.0: [drm] GT0: Timedout job", "device"),
        ("UR_RESULT_ERROR_DEVICE_LOST", "device"),
        ("ImportError: libsycl.so.8: cannot open shared object file", "exception"),
        ("[ERROR] An error occurred", "log"),
        ("!!! something went wrong", "log"),
        ("FAILED tests/test_a.py::test_b", "test"),
        ("2 failed, 4 passed in 1.2s", "test"),
        ("Traceback (most recent call last):", "traceback"),
    ],
)
def test_failures_are_seen(line: str, kind: str) -> None:
    assert fails(line) == [kind]


@pytest.mark.parametrize(
    "line",
    [
        "try: run()\nexcept RuntimeError:\n    pass",
        "raise ValueError('no such layer')",
        "0 failed, 12 passed in 2.0s",
        "Process finished with exit code 0",
        "returned 0 rows",
        "error_handler = None",
        "Errors are logged to a file",
        "exit code 0",
        "class FooError(Exception):",
        "- [x] RuntimeError: seen once, closed",
        "See the list of exceptions.",
    ],
)
def test_what_is_no_failure(line: str) -> None:
    assert fails(line) == []


@pytest.mark.parametrize(
    "text",
    [
        "My Arc B580 isn't used at all. The log says: CUDA is not available, falling back to CPU. torch 2.9.1+xpu.",
        "I can't use my Intel Arc with this app, it says NVIDIA GPU required",
        "The installer refuses to go on: No NVIDIA GPU found. I have an Arc A380.",
        "The node only works with CUDA. On my Arc A770 it stops with: RuntimeError: No CUDA GPUs are available",
        "GPU: none (CPU)\nThe tool lists no GPU.\n$ sycl-ls\n"
        "[level_zero:gpu][level_zero:0] Intel(R) oneAPI Unified Runtime over Level-Zero, Intel(R) Arc(TM) B580 Graphics 20.1.0 [1.6.33578+15]",
        "Is XPU available: True\n\nThe trainer runs on the CPU, gpu usage is 0%. Its code:\ndevice = 'cuda' if torch.cuda.is_available() else 'cpu'",
        "kohya_ss: AssertionError: Torch not compiled with CUDA enabled (Arc A770, torch 2.7.1+xpu)",
    ],
)
def test_an_application_is_still_blamed_for_what_does_not_work(text: str) -> None:
    """The same words as in wishes, of somebody for whom it does not work."""
    loud = [root for root in triage(text).root_causes if root.severity != "info" and root.confidence != "possible"]
    assert loud and loud[0].layer == "application"


def test_a_test_of_ones_own_is_no_test_of_torch() -> None:
    """What an application's tests meet is met by its users."""
    error = (
        "NotImplementedError: The operator 'aten::_linalg_eigvals' is not currently implemented for the XPU device.\n"
    )
    own = triage("tests/test_sampler_xpu.py F\n" + error)
    torchs = triage("test/xpu/test_linalg_xpu.py::TestLinalgXPU::test_eigvals_xpu_float32 FAILED\n" + error)
    assert (
        [root.code for root in own.root_causes][:1]
        == [root.code for root in torchs.root_causes][:1]
        == ["op-unsupported"]
    )
    assert own.root_causes[0].confidence == "certain" and torchs.root_causes[0].confidence == "possible"

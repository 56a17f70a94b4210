"""A crash says something of the driver's listing of devices only where it came while torch asked for them."""

from __future__ import annotations

import pytest

import xpu_doctor

LISTING = "asked for its devices"
FOUND = ">>> torch.xpu.is_available()\nTrue\n"
NAMED = f">>> import torch\n{FOUND}>>> torch.xpu.get_device_name(0)\n'Intel(R) Arc(TM) A750 Graphics'\n"


def likely(text: str) -> dict[str, str]:
    """The summary of each root cause that is more than possible, by its code."""
    return {root.code: root.summary for root in xpu_doctor.triage(text).root_causes if root.confidence != "possible"}


@pytest.mark.parametrize(
    "text",
    [
        f'{NAMED}>>> torch.ones(2, device="xpu")\nSegmentation fault (core dumped)\n',
        f"{NAMED}>>> model.to('xpu')\nFatal Python error: Segmentation fault\n",
        f"{NAMED}>>> torch.xpu.get_device_properties(0)\n_XpuDeviceProperties(name='Intel(R) Arc(TM) A750 Graphics')\n"
        ">>> a @ a\nSegmentation fault\n",
        f"{NAMED}>>> torch.xpu.device_count()\n1\n>>> torch.zeros(3).xpu()\nSegmentation fault (core dumped)\n",
        f"{FOUND}>>> torch.ones(2).to('xpu')\nSegmentation fault (core dumped)\n",
        "$ sycl-ls\n[level_zero:gpu][level_zero:0] Intel(R) oneAPI Unified Runtime over Level-Zero, Intel(R) Arc(TM) A750 "
        f"Graphics 12.55.8 [1.6.33578]\n{NAMED}>>> torch.ones(2, device='xpu')\nSegmentation fault (core dumped)\n",
        '$ python -c "import torch; print(torch.xpu.get_device_name(0))"\nIntel(R) Arc(TM) A750 Graphics\n'
        "$ python train.py --device xpu\nSegmentation fault (core dumped)\n",
    ],
)
def test_a_crash_after_the_devices_were_listed_is_not_laid_on_the_listing(text: str) -> None:
    found = likely(text)
    assert "gpu-driver-too-old" not in found and "runtime-package-mismatch" not in found
    assert LISTING not in str(xpu_doctor.triage(text).root_causes)


@pytest.mark.parametrize(
    "text",
    [
        ">>> import torch\n>>> torch.xpu.get_device_name(0)\nSegmentation fault (core dumped)\n",
        f"{FOUND}>>> torch.xpu.get_device_name(0)\nSegmentation fault (core dumped)\n",
        '$ python -c "import torch; print(torch.xpu.get_device_name(0))"\nSegmentation fault (core dumped)\n',
        ">>> torch.xpu.is_available()\n\nSegmentation fault\n",
        '$ python3 -c "import torch; torch.xpu.device_count()"\nbash: line 1: 4711 Segmentation fault (core dumped)\n',
        "torch.xpu.get_device_name(0) -> segfault\n",
        'Fatal Python error: Segmentation fault\n\n  File "/v/site-packages/torch/xpu/__init__.py", line 275 in '
        "get_device_properties\n",
        "$ sycl-ls\nSegmentation fault (core dumped)\n",
    ],
)
def test_a_crash_while_the_devices_are_listed_is_the_drivers(text: str) -> None:
    assert LISTING in likely(text).get("gpu-driver-too-old", "")

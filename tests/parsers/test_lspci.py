"""What lspci, sycl-ls and listings prove: what they show, and what is absent only where nothing of them was left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.parsers.strategies import hard
from xpu_doctor.api import triage
from xpu_doctor.model.facts import Gpu
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.pasted.readers.collected import Text
from xpu_doctor.pasted.readers.excerpts import is_elided
from xpu_doctor.pasted.snapshots import read

HEAD = "03:00.0 VGA compatible controller [0300]: Intel Corporation Battlemage G21 [Arc B580] [8086:e20b]\n"
SUBSYSTEM = "\tSubsystem: ASRock Incorporation Device [1849:6021]\n"
IN_USE = "\tKernel driver in use: xe\n"
MODULES = "\tKernel modules: xe\n"
AUDIO = "04:00.0 Audio device [0403]: Intel Corporation Device [8086:e2f7]\n"
OPENCL = (
    "[opencl:gpu][opencl:0] Intel(R) OpenCL Graphics, Intel(R) Arc(TM) B580 Graphics OpenCL 3.0 NEO  [25.18.33578]\n"
)


def gpu(text: str) -> Gpu:
    """Return the first GPU of a text."""
    [snapshot] = read([Text(text)])
    assert not snapshot.failures
    assert isinstance(snapshot.gpus, tuple)
    return snapshot.gpus[0]


@pytest.mark.parametrize(
    "text",
    [
        f"$ lspci -nnk\n{HEAD}{SUBSYSTEM}",
        f"$ lspci -nnk\n{HEAD}{SUBSYSTEM}...\n",
        f"$ lspci -nnk\n{HEAD}{SUBSYSTEM}[...]\n{AUDIO}",
        f"$ lspci -nnk\n{HEAD}{SUBSYSTEM}\t<snip>\n{MODULES}{AUDIO}",
        f"$ lspci -nnk\n{HEAD}{SUBSYSTEM}(output truncated)\n{AUDIO}",
        f"$ lspci -nnk | grep -A1 VGA\n{HEAD}{SUBSYSTEM}--\n{AUDIO}",
        f"$ lspci -nnk | grep -A 2 VGA\n{HEAD}\tDeviceName: Slot 1\n{SUBSYSTEM}{AUDIO}",
        f"$ lspci -nn\n{HEAD}{AUDIO}",
        f"$ lspci -nnk\n{HEAD}{SUBSYSTEM}```\nand then nothing works\n",
        f"$ lspci -nnk\n{HEAD}{SUBSYSTEM}$ uname -r\n6.8.0-31-generic\n",
        f"$ lspci -nnk\n{HEAD}{SUBSYSTEM}\nThat is my card.\n",
        f"$ lspci -k | grep -E 'VGA|Subsystem|modules'\n{HEAD}{SUBSYSTEM}{MODULES}",
        f"$ lspci -v\n{HEAD}{SUBSYSTEM}\tFlags: bus master, fast devsel, latency 0, IRQ 163\n",
    ],
)
def test_a_cut_block_tells_no_driver(text: str) -> None:
    assert isinstance(gpu(text).kernel_driver, Unknown)


@pytest.mark.parametrize(
    ("text", "driver"),
    [
        (f"$ lspci -nnk\n{HEAD}{SUBSYSTEM}{AUDIO}", ""),
        (f"$ lspci -nnk\n{HEAD}{SUBSYSTEM}{MODULES}", ""),
        (f"> $ lspci -nnk\n> {HEAD}> {SUBSYSTEM}> {MODULES}> {AUDIO}", ""),
        (f"$ lspci -nnk | grep -A3 VGA\n{HEAD}{SUBSYSTEM}{AUDIO}", ""),
        (f"$ lspci -nnk | grep -A3 VGA\n{HEAD}{SUBSYSTEM}{MODULES}", ""),
        (f"$ lspci -k | grep -E 'VGA|Kernel'\n{HEAD}{MODULES}", ""),
        (f"{HEAD}{SUBSYSTEM}{IN_USE}{MODULES}", "xe"),
        (f"{HEAD}{SUBSYSTEM}...\n{IN_USE}", "xe"),
        (f"{HEAD}\tKernel driver in use: vfio-pci\n{MODULES}", "vfio-pci"),
    ],
)
def test_a_whole_block_tells_the_driver(text: str, driver: str) -> None:
    assert gpu(text).kernel_driver == driver


@pytest.mark.parametrize(
    "evidence",
    [
        "[    3.1] xe 0000:03:00.0: [drm] Found BATTLEMAGE (device ID e20b) discrete display version 14.01",
        "[drm] Initialized xe 1.1.0 for 0000:03:00.0 on minor 1",
        "[drm] Initialized xe 1.1.0 20201103 for 0000:03:00.0 on minor 1",
        "lrwxrwxrwx 1 root root 13 Nov 12 10:01 pci-0000:03:00.0-render -> ../renderD128",
        "[level_zero:gpu][level_zero:0] Intel(R) oneAPI Unified Runtime over Level-Zero, Intel(R) Arc(TM) B580 Graphics 20.1.0 [1.6.33578]",
        OPENCL,
        ">>> torch.xpu.is_available()\nTrue",
        "| 0         | Device Name: Intel(R) Arc(TM) B580 Graphics                                          |",
    ],
)
def test_what_shows_a_driver_at_work_wins(evidence: str) -> None:
    text = f"Ubuntu 24.04, kernel 6.8.0-31-generic, torch 2.9.0+xpu\n$ lspci -nnk\n{HEAD}{SUBSYSTEM}{MODULES}\n{evidence}\n"
    assert isinstance(gpu(text).kernel_driver, Unknown)
    codes = [(root.code, root.confidence) for root in triage(text).root_causes]
    assert not [
        item for item in codes if item[0] in ("kernel-driver-unbound", "kernel-too-old") and item[1] != "possible"
    ]


def test_another_gpu_at_work_says_nothing_for_this_one() -> None:
    """The integrated GPU answers; the card has no driver all the same."""
    text = (
        "$ lspci -nnk\n00:02.0 VGA compatible controller [0300]: Intel Corporation AlderLake-S GT1 [8086:4680]\n"
        f"\tKernel driver in use: i915\n\tKernel modules: i915\n{HEAD}{SUBSYSTEM}{MODULES}"
        "[drm] Initialized i915 1.6.0 for 0000:00:02.0 on minor 0\n"
        "[opencl:gpu][opencl:0] Intel(R) OpenCL Graphics, Intel(R) UHD Graphics 770 OpenCL 3.0 NEO [25.18.33578]\n"
    )
    [snapshot] = read([Text(text)])
    assert isinstance(snapshot.gpus, tuple)
    assert {item.address: item.kernel_driver for item in snapshot.gpus if item.address} == {
        "0000:00:02.0": "i915",
        "0000:03:00.0": "",
    }


@pytest.mark.parametrize(
    "kernel",
    [
        "5.14.0-427.13.1.el9_4.x86_64",
        "4.18.0-553.el8.x86_64",
        "6.8.12-4-pve",
        "6.1.79-Unraid",
        "6.6.44-production+truenas",
        "6.5.0-1022-oem",
        "6.8.0-1021-azure",
        "5.15.167.4-microsoft-standard-WSL2",
        "6.8.0-48-generic",
        "5.14.21-150500.55.73-default",
    ],
)
def test_the_number_of_a_kernel_with_back_ports_is_never_certain(kernel: str) -> None:
    text = f"$ uname -r\n{kernel}\n$ lspci -nnk\n{HEAD}{SUBSYSTEM}{MODULES}{AUDIO}\ntorch.xpu.is_available() is False, torch 2.9.0+xpu\n"
    assert not [
        root for root in triage(text).root_causes if root.code == "kernel-too-old" and root.confidence == "certain"
    ]


@pytest.mark.parametrize(
    ("text", "lists"),
    [
        ("$ lspci\n01:00.0 VGA compatible controller: NVIDIA Corporation GA104 (rev a1)\n", False),
        ("$ lspci | grep -i nvidia\n01:00.0 VGA compatible controller: NVIDIA Corporation GA104 (rev a1)\n", None),
        ("$ lspci -d 10de:\n01:00.0 VGA compatible controller: NVIDIA Corporation GA104 (rev a1)\n", None),
        ("$ lspci\n01:00.0 VGA compatible controller: NVIDIA Corporation GA104 (rev a1)\n[...]\n", None),
        ("$ lspci | grep -E 'VGA|Display'\n01:00.0 VGA compatible controller: NVIDIA Corporation GA104\n", False),
        (f"$ lspci\n{HEAD}", True),
    ],
)
def test_a_bus_without_intel(text: str, lists: bool | None) -> None:
    [snapshot] = read([Text(text)])
    if lists is None:
        assert isinstance(snapshot.pasted.bus_lists_intel, Unknown)
    else:
        assert snapshot.pasted.bus_lists_intel is lists


@pytest.mark.parametrize(
    ("lines", "sizes"),
    [
        ("\tMemory at 6000000000 (64-bit, prefetchable) [size=16G]\n", (16 << 30,)),
        ("\tMemory at 82000000 (64-bit, non-prefetchable) [size=16M]\n", None),
        (
            "\tMemory at 8200 (64-bit, non-prefetchable) [size=16M]\n\tMemory at 90 (64-bit, prefetchable) [size=256M]\n",
            (256 << 20,),
        ),
        ("\tRegion 2: Memory at 4000000000 (64-bit, prefetchable) [size=256M]\n", (256 << 20,)),
        (f"{SUBSYSTEM}{AUDIO}\tMemory at 90 (64-bit, prefetchable) [size=1M]\n", None),
    ],
)
def test_windows_are_those_of_the_card(lines: str, sizes: tuple[int, ...] | None) -> None:
    found = gpu(HEAD + lines).bar_bytes
    assert found == sizes if sizes else isinstance(found, Unknown)


@pytest.mark.parametrize(
    ("text", "level_zero"),
    [
        (OPENCL, 0),
        (f"$ sycl-ls | grep opencl\n{OPENCL}", None),
        (f"{OPENCL}...\n", None),
        (f"[...]\n{OPENCL}", None),
        (f"{OPENCL}(more devices)\n", None),
        (f"$ sycl-ls\n{OPENCL}$\n", 0),
    ],
)
def test_an_excerpt_of_sycl_ls_counts_nothing_as_absent(text: str, level_zero: int | None) -> None:
    [snapshot] = read([Text(text)])
    assert snapshot.pasted.opencl_gpus == 1
    found = snapshot.pasted.level_zero_gpus
    assert found == level_zero if level_zero is not None else isinstance(found, Unknown)


CARD0 = "crw-rw---- 1 root video 226, 0 Feb  2 13:31 card0\n"


@pytest.mark.parametrize(
    ("text", "none"),
    [
        (f"$ ls -l /dev/dri\ntotal 0\n{CARD0}", True),
        (f"$ ls -l /dev/dri/card0\n{CARD0.replace('card0', '/dev/dri/card0')}", None),
        (f"$ ls -l /dev/dri\ntotal 0\n{CARD0}...\n", None),
        (CARD0, None),
        (f"total 0\n{CARD0}{CARD0.replace('card0', 'renderD128').replace('0 Feb', '128 Feb')}", False),
    ],
)
def test_a_folder_without_a_render_node(text: str, none: bool | None) -> None:
    [snapshot] = read([Text(text)])
    found = snapshot.pasted.no_render_node
    assert found is none if none is not None else isinstance(found, Unknown)


@pytest.mark.parametrize(
    ("line", "elided"),
    [
        ("...", True),
        ("  [...]", True),
        ("> ...", True),
        ("\u2026", True),
        ("<snip>", True),
        ("--- snip ---", True),
        ("[truncated]", True),
        ("(some lines omitted)", True),
        ("(3 more devices)", True),
        ("# ...", True),
        (">>> import torch", False),
        ("... for line in lines:", False),
        ("Collecting torch...", False),
        ("the cut is deep", False),
        ("", False),
    ],
)
def test_marks_of_an_omission(line: str, elided: bool) -> None:
    assert is_elided(line) is elided


@hard
@given(
    st.lists(st.sampled_from([SUBSYSTEM, "\tDeviceName: Slot\n", "\tCapabilities: <access denied>\n"]), max_size=4),
    st.sampled_from(["", "...\n", "```\n", "$ id\n", "\n", "\nI am lost.\n", "--\n"]),
)
def test_no_end_of_a_text_proves_a_missing_driver(lines: list[str], end: str) -> None:
    """Whatever precedes, a block at the end of a text or before something else leaves the driver open."""
    assert isinstance(gpu(f"$ lspci -nnk\n{HEAD}{''.join(lines)}{end}").kernel_driver, Unknown)

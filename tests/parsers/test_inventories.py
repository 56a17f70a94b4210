"""Which processor, which ids of Windows and which inventories a text shows, and what follows where no GPU of Intel's is among them."""

from __future__ import annotations

import pytest

from xpu_doctor.api import triage
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.pasted.readers.collected import Text
from xpu_doctor.pasted.snapshots import read
from xpu_doctor.tables.gpus import device_of
from xpu_doctor.tables.processors import named_processors

NONE = "torch 2.9.0+xpu\n>>> torch.xpu.is_available()\nFalse\n"


@pytest.mark.parametrize(
    ("line", "graphics"),
    [
        ("12th Gen Intel(R) Core(TM) i5-12400F", "none"),
        ("CPU: 12400F", "none"),
        ("i7 13700KF with 32 GB", "none"),
        ("i9-9900kf", "none"),
        ("Intel(R) Core(TM) Ultra 7 265F processor (2.40 GHz)", "none"),
        ("Core Ultra 9 285KF", "none"),
        ("a 265KF on Z890", "none"),
        ("Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz", "none"),
        ("Xeon E5-2680 v4", "none"),
        ("Intel Xeon w7-3465X", "none"),
        ("i9-10980XE", "none"),
        ("AMD Ryzen 7 8700G", "other"),
        ("Ryzen 5 5600X", "other"),
        ("AMD EPYC 7763 64-Core", "other"),
        ("Threadripper 3970X", "other"),
        ("Intel(R) Core(TM) i7-13700K", "intel"),
        ("i5-12400", "intel"),
        ("11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz", "intel"),
        ("Core Ultra 7 265K", "intel"),
        ("Intel(R) Core(TM) Ultra 7 155H", "intel"),
        ("Core Ultra 7 258V", "intel"),
        ("Intel N100", "intel"),
        ("i9-13900HX", "intel"),
    ],
)
def test_names_of_processors(line: str, graphics: str) -> None:
    assert [processor.graphics for processor in named_processors(line)] == [graphics]


@pytest.mark.parametrize(
    "line",
    [
        "0x12400F",
        "commit 9400fa",
        "265 F outside",
        "an error at 0000:00:1F.0",
        "torch 2.9.0",
        "RTX 3060",
        "x570 board",
        "5800 F",
        "ultra-fast",
    ],
)
def test_what_is_no_processor(line: str) -> None:
    assert not list(named_processors(line))


@pytest.mark.parametrize(
    "text",
    [
        f"Core Ultra 7 265F, Windows 11.\n{NONE}",
        f"Machine: i5-12400F, 32 GB.\n{NONE}",
        f"Ryzen 9 7950X and Ubuntu 24.04\n{NONE}",
        f"Xeon E5-2690 v4 server, Debian 12\n{NONE}",
        f"Windows 11\nCard name: NVIDIA GeForce RTX 3060\nChip type: GeForce RTX 3060\n{NONE}",
        f"PS> Get-CimInstance Win32_VideoController\nName : AMD Radeon RX 6600\n{NONE}",
        f"OS: Fedora Linux 41\nGPU: NVIDIA GeForce GTX 1660\n{NONE}",
        f"Graphics:\n  Device-1: NVIDIA GA104 [GeForce RTX 3070] driver: nvidia v: 550\n{NONE}",
    ],
)
def test_no_gpu_of_intel_comes_first(text: str) -> None:
    assert triage(text).root_causes[0].code == "gpu-not-present"


@pytest.mark.parametrize(
    "text",
    [
        f"Ryzen 9 7950X with an Arc B580\n{NONE}",
        f"i5-12400F and my Intel GPU is not found\n{NONE}",
        f"Ryzen 5 5600, Arc A770\n{NONE}",
        f"i7-13700K\n{NONE}",
        f"GPU: NVIDIA GeForce GTX 1660\nGPU: Intel UHD Graphics 770\n{NONE}",
        f"Card name: Microsoft Basic Display Adapter\n{NONE}",
        f"Get-CimInstance Win32_VideoController\nName : NVIDIA GeForce RTX 3060\n...\n{NONE}",
        f"Core Ultra 7 258V\n{NONE}",
        f"Xeon Gold 6338, Data Center GPU Max 1100\n{NONE}",
        "Ryzen 7 5800X\n>>> torch.xpu.is_available()\nTrue\n",
        "EPYC 7763, torch 2.9.0+xpu\n[level_zero:gpu][level_zero:0] Intel(R) Level-Zero, Intel(R) Graphics [0xe20b] 20.1.0 [1.6.33578]\nRuntimeError: x",
    ],
)
def test_a_gpu_of_intel_may_be_there(text: str) -> None:
    found = [root for root in triage(text).root_causes if root.code == "gpu-not-present"]
    assert not [root for root in found if root.confidence != "possible"]


def test_an_id_of_windows_outranks_a_name() -> None:
    [snapshot] = read([Text("My Arc A770 does not work.\nPCI\\VEN_8086&DEV_E20B&SUBSYS_60211849&REV_00\n" + NONE)])
    assert isinstance(snapshot.gpus, tuple)
    assert [device.family.key for gpu in snapshot.gpus if (device := device_of(gpu))] == ["bmg-g21"]


@pytest.mark.parametrize(
    "text",
    ["PCI\\VEN_8086&DEV_7D55&SUBSYS_0", "pci\\ven_8086&dev_7d55", "DeviceID : PCI\\VEN_8086&amp;DEV_7D55&amp;REV_08"],
)
def test_an_id_of_windows_names_the_device(text: str) -> None:
    [snapshot] = read([Text(text + "\ntorch 2.9.0+xpu")])
    assert isinstance(snapshot.gpus, tuple)
    assert snapshot.gpus[0].device_id == 0x7D55
    assert snapshot.pasted.gpu_kinds == ("integrated",)


NODE = "total 0\ncrw-rw---- 1 {} {} 226, 128 Feb  2 13:31 renderD128\n"


@pytest.mark.parametrize(
    ("owner", "group", "kind"),
    [
        ("root", "render", ""),
        ("root", "video", ""),
        ("root", "kvm", "strange"),
        ("root", "ssl-cert", "strange"),
        ("nobody", "nogroup", "nobody"),
        ("65534", "65534", "nobody"),
        ("root", "993", "number"),
    ],
)
def test_the_group_of_a_render_node(owner: str, group: str, kind: str) -> None:
    [snapshot] = read([Text(NODE.format(owner, group))])
    assert snapshot.pasted.node_group == kind


@pytest.mark.parametrize("group", ["kvm", "nogroup", "ssl-cert", "systemd-network"])
def test_a_shifted_group_is_a_matter_of_rights(group: str) -> None:
    text = f"Frigate in an unprivileged LXC, openvino finds no GPU\n{NODE.format('root', group)}"
    assert triage(text).root_causes[0].code == "device-permission"
    works = text + ">>> torch.xpu.is_available()\nTrue\n"
    assert not [root for root in triage(works).root_causes if root.code == "device-permission"]


def test_no_render_node_no_group() -> None:
    [snapshot] = read([Text("crw-rw---- 1 root kvm 226, 0 Feb  2 13:31 card0\n")])
    assert isinstance(snapshot.pasted.node_group, Unknown)


def test_an_npu_is_no_gpu() -> None:
    listing = "[level_zero:npu][level_zero:0] Intel(R) oneAPI Unified Runtime over Level-Zero, Intel(R) AI Boost 2.0.0 [1.0.0]\n"
    text = f"Core Ultra 7 155H, Ubuntu 24.04, torch 2.9.0+xpu\n{listing}[opencl:cpu][opencl:0] Intel(R) OpenCL, Intel(R) Core(TM) Ultra 7 155H OpenCL 3.0 [2025.20]\n"
    [snapshot] = read([Text(text)])
    assert snapshot.pasted.npu_listed is True
    assert snapshot.pasted.level_zero_gpus == 0
    assert triage(text).root_causes[0].code == "gpu-driver-missing"
    gpu = "[level_zero:gpu][level_zero:1] Intel(R) oneAPI Unified Runtime over Level-Zero, Intel(R) Arc(TM) Graphics 12.70.4 [1.6.33578]\n"
    assert not [root for root in triage(text + gpu).root_causes if root.code == "gpu-driver-missing"]

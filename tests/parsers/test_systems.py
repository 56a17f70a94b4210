"""The operating system of a text: by many words, or, where none stands in it, by small signs that agree."""

from __future__ import annotations

import pytest

from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.unknown import known_or
from xpu_doctor.pasted.readers.collected import Text
from xpu_doctor.pasted.snapshots import read


def snapshot(text: str) -> Snapshot:
    """What a text shows."""
    return read([Text(text)])[0]


@pytest.mark.parametrize(
    "text",
    [
        "It runs on Windows natively, with an Arc A750.",
        "I use the latest windows nightly of torch for XPU",
        "my Windows machine has a B580, out of memory",
        "triton-windows was installed, no module named triton.backends.intel",
        'File "F:\\apps\\comfy\\main.py", line 3',
        "G:\\\\models\\\\x.safetensors could not be read",
        "in PowerShell I get: RuntimeError: out of memory",
        "started from run-intel.ps1, black image on xpu",
        "the Task Manager shows 4 GB in use, XPU out of memory",
        "under Windows the A770 hangs",
    ],
)
def test_windows_by_small_signs(text: str) -> None:
    """People name Windows without its number."""
    assert known_or(snapshot(text).machine.os, "") == "windows"


@pytest.mark.parametrize(
    "text",
    [
        "me@box:~/src$ python main.py\nRuntimeError: out of memory",
        "root@gpu:/work# sycl-ls",
        "$ sycl-ls\nNo devices",
        "terminate called after throwing an instance of 'sycl::exception'",
        "Segmentation fault (core dumped)",
        "python3.11/site-packages/torch/xpu/__init__.py: out of memory",
        "libtorch_xpu.so: undefined symbol: _ZN4sycl3",
        "LD_LIBRARY_PATH is empty, XPU device count is zero!",
        "docker run --device x image: XPU device count is zero!",
        "intel-opencl-icd 23.22.26516+i755~u22.04",
        "./bin/zello_world says that nothing is there",
        "two Max 1550 with torch 2.9, out of memory",
        "/tmp/torchinductor_me/x.py: out of memory",
    ],
)
def test_linux_by_small_signs(text: str) -> None:
    """Prompts, paths, libraries and containers are those of Linux."""
    assert known_or(snapshot(text).machine.os, "") == "linux"


@pytest.mark.parametrize(
    "text",
    [
        "XPU out of memory. Tried to allocate 2.00 GiB",
        "The context windows of this model are long; the A770 is slow",
        "sliding windows of attention give NaN on xpu",
        "On Windows the same thing works; $ python main.py does not\n$ python main.py",
        "see https://example.org/x/y for the model",
        "Exception:\\nValueError: bad\\nEnd:\\nx",
        "torch.xpu.is_available() returns False",
        "f:/2 is the frequency",
        "a window of the program stays black",
        "it needs 16 GB; torch 2.9.1+xpu; B580",
        "in loader.exec_module the tensor.batch is wrong; 3 kernels were recorded",
        "no kernel image is available; the kernel of softmax is slow",
        "we adapt to XPU what was for CUDA",
    ],
)
def test_no_system_where_signs_are_missing_or_differ(text: str) -> None:
    """Unknown is never guessed."""
    assert known_or(snapshot(text).machine.os, "") == ""


@pytest.mark.parametrize(
    ("text", "system"),
    [
        ("Windows 11, Docker Desktop; $ python main.py", "windows"),
        ("Ubuntu 24.04; on Windows it works", "linux"),
        ("sudo apt-get install libze1, then in PowerShell wsl --update", "linux"),
        ("WSL (Ubuntu 26.04) in Windows 11", "linux"),
        ("clinfo finds nothing in WSL 2", "linux"),
        ("Windows 11, cmd.exe; I do not use WSL", "windows"),
        ("Any chance for a version on Windows without WSL?", "windows"),
        ("kernel 6.17, the card hangs", "linux"),
        ("main.exe and torch_xpu.dll fail, kernel launch", "windows"),
        ("module_spec.loader.exec_module fails in /mnt/python/venv/bin/python3", "linux"),
        ("vLLM serves nothing on two B60", "linux"),
    ],
)
def test_names_of_systems_come_first(text: str, system: str) -> None:
    """Small signs do not count beside names."""
    assert known_or(snapshot(text).machine.os, "") == system


@pytest.mark.parametrize(
    ("text", "name", "version"),
    [
        ("HAOS 17.1 in a virtual machine", "haos", ""),
        ("kernel 6.12.67-haos, i915 probe failed", "haos", ""),
        ("Home Assistant Operating System 16", "haos", ""),
        ("Unraid 7.1 with an A380", "unraid", ""),
        ("TrueNAS 25.04 Linux, B580", "truenas", ""),
        ("NixOS 25.11", "nixos", "25.11"),
        ("/nix/store/abc-torch/lib/libtorch.so", "nixos", ""),
        ("Gentoo Linux, A770", "gentoo", ""),
        ("an image made by Yocto for Linux", "poky", ""),
        ("Linux Mint 22.1, B580", "linuxmint", "22.1"),
        ("Pop!_OS 22.04 Linux", "pop", "22.04"),
        ("CachyOS, kernel 6.17", "cachyos", ""),
        ("Manjaro Linux", "manjaro", ""),
        ("openSUSE Tumbleweed", "opensuse-tumbleweed", ""),
        ("FROM python:3.12-slim-bookworm on Linux", "debian", "12"),
        ("debian:trixie container, sycl-ls on Linux", "debian", "13"),
        ("Linux 6.8.12-4-pve #1 SMP", "proxmox", ""),
        ("Ubuntu 24.04 LXC on Linux 6.8.12-4-pve", "ubuntu", "24.04"),
        ("Linux, an A770 and nothing else", "", ""),
        ("I saw the same on a forum about Linux", "", ""),
    ],
)
def test_distributions(text: str, name: str, version: str) -> None:
    """Distributions that have a way of their own are told apart."""
    machine = snapshot(text).machine
    assert known_or(machine.distribution, "") == name
    assert known_or(machine.distribution_version, "") == version


@pytest.mark.parametrize(
    "text", ["a debian:trixie container, sycl-ls is empty", "in the ubuntu:24.04 docker image torch finds nothing"]
)
def test_the_tag_of_an_image_is_a_container(text: str) -> None:
    """Who names an image by its tag is inside of one."""
    assert known_or(snapshot(text).pasted.in_container, False)

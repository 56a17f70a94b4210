"""The doctor's own words: packages, files, states and variables, which mean themselves wherever they stand alone."""

from __future__ import annotations

import re
from functools import cache

from xpu_doctor.remedies.patient import TRITONS
from xpu_doctor.tables import text
from xpu_doctor.tables.variables import known_variables

TRIO = ("torch", "torchvision", "torchaudio", "pytorch", "intel-extension-for-pytorch", "oneccl-bind-pt")
_TABLE_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*[A-Za-z0-9+]")
KNOWN = frozenset(
    """
    machine host container linux windows macos cpython pypy x86_64 AMD64 amd64 aarch64 arm64 docker podman kubernetes lxc proxmox compose
    i915 xe vfio-pci vfio_pci xe-vfio-pci amdgpu nvidia nouveau dxgkrnl pip uv uv-project conda mamba micromamba pixi poetry pdm pipenv hatch system dpkg
    module command xpu cpu cuda rocm ok error crash exit hang skipped missing empty size unreadable loads fails version symbol foreign truncated short
    not-a-library corrupt import later RPATH RUNPATH LD_LIBRARY_PATH LD_PRELOAD PATH ld.so.cache path torch musl ubuntu debian fedora rhel centos rocky
    rpm pacman almalinux suse sles opensuse opensuse-leap opensuse-tumbleweed arch manjaro nixos alpine linuxmint pop EACCES ENOENT EPERM ENODEV EBUSY EIO ENXIO
    SIGSEGV SIGABRT SIGILL SIGBUS SIGKILL SIGFPE OSError ImportError RuntimeError ModuleNotFoundError AttributeError interpreter distributions build shadows
    xpu_query allocate compute float32 float16 bfloat16 snap static live UTF-8 utf-8 cp1252 alchemist battlemage xe-lp gen9 integrated discrete traceback
    certain likely possible warning info
    """.split()  # noqa: SIM905 - a list of a hundred words is read more easily so
)  # fmt: skip
"""Words by which facts name what is one of a few."""
HYPERVISORS = frozenset(
    (
        *("VMware", "VirtualBox", "QEMU/KVM", "Xen", "Amazon EC2", "Google Compute Engine", "Parallels", "OpenStack"),
        *("Hyper-V", "proxmox", "qemu", "kvm", "vmware", "virtualbox", "hyper-v", "hyperv", "esxi"),
    )
)
"""Hypervisors by the names that firmware and texts give them."""


@cache
def packages() -> frozenset[str]:
    """Names of Python packages that commands may install."""
    named = re.findall(
        r"\b(?:intel|onemkl|oneccl|impi|tcmlib|umf|tbb|mkl|dpcpp|pytorch|triton)[a-z0-9_-]*",
        text("releases.toml") + text("opened_libraries.toml"),
    )
    plain = ("filelock", "fsspec", "jinja2", "networkx", "sympy", "typing-extensions", "setuptools", "numpy", "pillow")
    return frozenset((*named, *(name.replace("_", "-") for name in named), *TRIO, *TRITONS, *plain))


@cache
def table_words() -> frozenset[str]:
    """Every word of the tables of releases, libraries and drivers: packages, files, variables, distributions."""
    names = (
        "releases.toml",
        "opened_libraries.toml",
        "system_libraries.toml",
        "drivers.toml",
        "known_faults.toml",
        "implications.toml",
        "runtime_files.json",
    )
    return frozenset(word for name in names for word in _TABLE_WORD.findall(text(name))) | packages() | KNOWN


def is_known_word(word: str) -> bool:
    """Return whether a word is one of the doctor's own."""
    return word in table_words() or word in known_variables()

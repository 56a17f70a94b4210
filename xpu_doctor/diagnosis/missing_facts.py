"""What to ask for when a fact is missing: one command per part of a snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

ASKS: Mapping[str, str] = {
    "machine": "python -m torch.utils.collect_env",
    "gpus": "lspci -nn | grep -Ei 'vga|display|3d'",
    "kernel": "uname -r; cat /proc/cmdline; sudo dmesg | grep -Ei 'i915|xe '",
    "access": "ls -l /dev/dri; id",
    "level_zero": "xpu-doctor check --json",
    "driver": "clinfo | grep -Ei 'device name|driver version'",
    "environment": "env | grep -E '^(ONEAPI_DEVICE_SELECTOR|ONEAPI_ROOT|ZE_AFFINITY_MASK|SYCL_DEVICE_FILTER|LD_LIBRARY_PATH|LD_PRELOAD)='",
    "python": 'python -c "import sys, platform; print(sys.version, platform.machine(), sys.prefix)"',
    "target": 'python -c "import sys; print(sys.executable)"',
    "distributions": "python -m pip list",
    "installer": "python -m pip config debug",
    "torch": 'python -m pip list; python -c "import torch; print(torch.__version__)"',
    "shadows": 'python -c "import torch; print(torch.__file__)"',
    "libraries": "xpu-doctor check --json",
    "run": 'python -X faulthandler -c "import torch; print(torch.xpu.is_available())"',
    "imported": 'python -c "import torch"',
    "xpu": "python -c \"import torch; print(torch.xpu.is_available(), torch.xpu.device_count()); print(torch.ones(2, device='xpu'))\"",
    "compute": "xpu-doctor check --json",
    "watched": "xpu-doctor watch -- python train.py",
    "errors": "the whole error message, with its traceback",
}
"""First part of a fact's path to what shows it."""
ON_WINDOWS: Mapping[str, str] = {
    "gpus": "Get-CimInstance Win32_VideoController | Format-List Name,DriverVersion,PNPDeviceID",
    "kernel": "",
    "access": "",
    "driver": "Get-CimInstance Win32_VideoController | Format-List Name,DriverVersion,DriverDate",
    "environment": "Get-ChildItem Env: | Where-Object Name -Match 'ONEAPI|^ZE_|^SYCL_|^UR_'",
}
"""What shows it in PowerShell, where that differs; empty where Windows has no such thing."""


@lru_cache(maxsize=512)
def ask_for(fact: str, system: str) -> str:
    """Return the command that would show a fact on a system, that of either where none is told, or empty where none is known."""
    part = fact.split(".", maxsplit=1)[0].split("[", maxsplit=1)[0]
    usual, windows = ASKS.get(part, ""), ON_WINDOWS.get(part, ASKS.get(part, ""))
    if system == "windows":
        return windows
    return usual if system or windows in ("", usual) else f"{usual}   (Windows: {windows})"


def ask_again(skipped: tuple[str, ...]) -> str:
    """Return what would show a fact that an examination did not get: layers that it left out, since the rest would end the same way."""
    return "xpu-doctor check, without --only and --skip" if skipped else ""

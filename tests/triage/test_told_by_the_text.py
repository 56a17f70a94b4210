"""What a text shows beside a message decides between the causes of that message: one of them is likely, not two."""

from __future__ import annotations

import pytest

from xpu_doctor.api import triage

MISMATCH = 'OSError: [WinError 127] The specified procedure could not be found. Error loading "C:\\venv\\Lib\\site-packages\\torch\\lib\\c10_xpu.dll" or one of its dependencies.'
ONEAPI = "C:\\Program Files (x86)\\Intel\\oneAPI\\compiler\\2025.0\\bin"


def likely(text: str) -> list[str]:
    return [
        root.code for root in triage(text).root_causes if root.confidence != "possible" and root.severity == "error"
    ]


@pytest.mark.parametrize(
    ("shown", "codes"),
    [
        (f"C:\\> where ur_loader.dll\n{ONEAPI}\\ur_loader.dll\n", ["oneapi-env-conflict"]),
        (f"PATH=C:\\Windows\\system32;{ONEAPI};C:\\Windows\n", ["oneapi-env-conflict"]),
        ("C:\\> where ur_loader.dll\nC:\\venv\\Library\\bin\\ur_loader.dll\n", ["runtime-package-mismatch"]),
        ("", ["runtime-package-mismatch"]),
    ],
)
def test_whose_dll_is_found_first(shown: str, codes: list[str]) -> None:
    """Where a text shows oneAPI's own library on PATH, that is the cause, and not the packages of the environment."""
    assert likely(f"Windows 11, torch 2.9.1+xpu\n>>> import torch\n{MISMATCH}\n{shown}") == codes


@pytest.mark.parametrize("crash", ["Segmentation fault (core dumped)", "Segmentation fault"])
def test_one_crash_has_one_likely_cause(crash: str) -> None:
    """A process that dies while the driver is asked for its devices speaks of the driver; the packages are a guess."""
    text = f'Ubuntu 24.04, Arc B580, torch 2.9.1+xpu\n$ python -c "import torch; torch.xpu.is_available()"\n{crash}\n'
    assert likely(text) == ["gpu-driver-too-old"]


@pytest.mark.parametrize(
    "said",
    ["运行 sycl-ls 没有输出", "sycl-ls は何も表示しない", "sycl-ls gibt nichts aus", "sycl-ls n'affiche rien", "sycl-ls ничего не выводит", "sycl-ls prints nothing"],
)  # fmt: skip
def test_a_tool_that_prints_nothing_in_any_language(said: str) -> None:
    """Who says so shows that no device is listed."""
    told = triage(f"Ubuntu 24.04, Arc B580, torch 2.9.1+xpu\n{said}\n")
    assert any("prints nothing" in str(root.evidence) for root in told.root_causes)
    assert told.snapshot["pasted"]["no_device"] is True

"""Lines of remedies are those of the shell that a text shows, and name the render node that it shows."""

from __future__ import annotations

import pytest

from xpu_doctor.catalogue.names import all_rules
from xpu_doctor.model.findings import Finding
from xpu_doctor.pasted.run import triage_texts
from xpu_doctor.text.safe import from_bytes

WRONG_WHEEL = "torch              2.9.1+cpu\nArc B580, torch.xpu.is_available() False\n"
HIDDEN = "ONEAPI_DEVICE_SELECTOR=opencl:cpu\nWindows 11, Arc B580\ntorch.xpu.is_available() -> False\n2.8.0+xpu\n"


def first(text: str) -> Finding:
    return triage_texts([("text", from_bytes(text.encode(), "text"))], rules=all_rules()).diagnosis.root_causes[0]


def lines(finding: Finding) -> str:
    return "\n".join(line for remedy in finding.remedies for line in remedy.commands)


@pytest.mark.parametrize("prompt", ["C:\\ComfyUI> ", "(comfy) D:\\a b>", "C:\\Users\\jo>"])
def test_at_a_prompt_of_cmd_no_line_is_of_powershell(prompt: str) -> None:
    found = first(f"{prompt}pip list | findstr torch\n{WRONG_WHEEL}")
    assert found.code == "torch-cpu-wheel"
    assert " && " in lines(found) and "if ($?)" not in lines(found)
    hidden = first(f"{prompt}set ONEAPI\n{HIDDEN}")
    assert hidden.code == "device-hidden-by-env"
    assert 'set "ONEAPI_DEVICE_SELECTOR="' in lines(hidden) and "Env:" not in lines(hidden)


def test_at_a_prompt_of_powershell_no_line_is_of_cmd() -> None:
    found = first(f"PS C:\\ComfyUI> pip list | findstr torch\n{WRONG_WHEEL}")
    assert "if ($?)" in lines(found) and " && " not in lines(found)
    assert "Remove-Item Env:ONEAPI_DEVICE_SELECTOR" in lines(first(f"PS C:\\> set ONEAPI\n{HIDDEN}"))


def test_without_a_prompt_there_are_the_lines_of_both() -> None:
    found = first(f"Windows 11\n{WRONG_WHEEL}")
    assert "if ($?)" in lines(found) and " && " in lines(found)


def test_the_render_node_is_the_one_that_is_shown() -> None:
    text = """Proxmox VE 8.4, unprivileged LXC, Arc A380
root@guest:~# ls -la /dev/dri
crw-rw---- 1 nobody nogroup 226,   1 Aug  3 10:19 card1
crw-rw---- 1 nobody nogroup 226, 129 Aug  3 10:19 renderD129
RuntimeError: No XPU devices are available.
"""
    assert "renderD129" in lines(first(text)) and "renderD128" not in lines(first(text))
    both = text.replace(
        "crw-rw---- 1 nobody nogroup 226,   1 Aug  3 10:19 card1", text.splitlines()[3].replace("129", "128")
    )
    assert "renderD128" in lines(first(both))

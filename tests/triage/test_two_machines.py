"""Two machines in one text: what fails on one is not hidden by what works on the other, and its remedies are its own."""

from __future__ import annotations

import pytest

from xpu_doctor.catalogue.names import all_rules
from xpu_doctor.model.findings import Finding
from xpu_doctor.model.terms import OverallVerdict
from xpu_doctor.pasted.run import Triaged, triage_texts
from xpu_doctor.text.safe import from_bytes

ASKED = "torch.xpu.is_available()"
GOOD = f">>> torch.__version__\n'2.12.1+xpu'\n>>> {ASKED}\nTrue\n"
CPU = f">>> torch.__version__\n'2.12.1+cpu'\n>>> {ASKED}\nFalse\n"
NOTHING = f">>> torch.__version__\n'2.12.1+xpu'\n>>> {ASKED}\nFalse\n"
FAILS_ON_WINDOWS = (
    f"My tower (Fedora 42, Arc A770):\n{GOOD}\nMy notebook (Windows 11, Core Ultra 5 125H):\n{CPU}",
    f"Notebook 1, Windows 11, Core Ultra 5 125H:\n{CPU}\nDesktop 2, Ubuntu 24.04, Arc B580:\n{GOOD}".replace("Notebook 1", "Laptop 1"),
    f"On the workstation with Ubuntu 24.04 I get 2.12.1+xpu and {ASKED} True, but on the laptop with Windows 11 2.12.1+cpu and False.",
    f"Fedora desktop: 2.12.1+xpu, {ASKED} -> True\nWindows laptop: '2.12.1+cpu', {ASKED} -> False",
    f"## Machine A\nOS: Ubuntu 24.04, Arc A580\n{GOOD}\n## Machine B\nOS: Windows 11, Arc A580\n{CPU}",
    f"PC #1 runs Windows 11:\n{CPU}\nPC #2 runs Arch Linux:\n{GOOD}",
    f"Works on my Linux box, Arc A750:\n{GOOD}\nOn my wife's computer (Windows 11, Arc A750):\n{CPU}",
    f"{GOOD}\nMy brother's PC with Windows 11, the same card:\n{CPU}",
)  # fmt: skip


def triaged(text: str) -> Triaged:
    """What a text comes to."""
    return triage_texts([("text", from_bytes(text.encode(), "text"))], rules=all_rules())


def first(text: str) -> Finding:
    """The first root cause of a text."""
    return triaged(text).diagnosis.root_causes[0]


@pytest.mark.parametrize("text", FAILS_ON_WINDOWS)
def test_the_machine_that_fails_is_examined(text: str) -> None:
    found = triaged(text)
    assert found.diagnosis.verdict is OverallVerdict.FINDINGS
    assert found.diagnosis.root_causes[0].code == "torch-cpu-wheel"
    assert found.snapshot.machine.os == "windows"
    assert found.snapshot.torch.version == "2.12.1+cpu"
    assert any("two machines are in this text" in note and "send them apart" in note for note in found.notes)


@pytest.mark.parametrize(
    "text",
    [
        f"My server (Ubuntu 24.04, Arc A770):\n{NOTHING}$ id\nuid=1000(kit) gid=1000(kit) groups=1000(kit)\n$ ls -l /dev/dri\n"
        f"crw-rw---- 1 root render 226, 128 Nov 20 10:00 renderD128\n\nMy Windows laptop:\n{GOOD}",
        f"Windows PC: {ASKED} gives True.\nLinux PC, torch 2.12.1+xpu: {ASKED} gives False.\n$ id\n"
        "uid=1000(kit) gid=1000(kit) groups=1000(kit)\n$ ls -l /dev/dri\n"
        "crw-rw---- 1 root render 226, 128 Nov 20 10:00 renderD128\n",
    ],
)
def test_the_fault_of_a_linux_machine_gets_no_remedy_of_windows(text: str) -> None:
    found = triaged(text)
    assert found.diagnosis.root_causes[0].code == "device-permission"
    assert "usermod" in " ".join(found.diagnosis.root_causes[0].remedies[0].commands)
    assert found.snapshot.machine.os == "linux"


@pytest.mark.parametrize(
    "text",
    [
        f"My desktop, Arc A770, Ubuntu 24.04:\n{GOOD}",
        f"My desktop (Arc A770):\n{GOOD}\nMy laptop (Core Ultra 7 155H):\n{GOOD}",
        f"My PC with Windows 11 and Docker Desktop:\n{GOOD}\nIs debug build: False\n",
    ],
)
def test_machines_that_work_are_no_fault(text: str) -> None:
    found = triaged(text)
    assert found.diagnosis.verdict is OverallVerdict.HEALTHY
    assert not any("two machines are in this text" in note for note in found.notes)


@pytest.mark.parametrize(
    "text",
    [
        f"My laptop, dual boot. On my Windows system {ASKED} is True, on my Linux system it is False.",
        f"On the same machine, my Fedora box, {ASKED} gives True and later False",
        f"My laptop: PyTorch version 2.12.1+xpu\nCUDA available: False\nMy desktop: {ASKED} True",
    ],
)
def test_one_machine_is_not_taken_apart(text: str) -> None:
    assert not any("two machines are in this text" in note for note in triaged(text).notes)

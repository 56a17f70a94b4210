"""Several files of one machine: every independent fault, from which file, and what is not asked again."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from xpu_doctor.api import report_on_texts
from xpu_doctor.model.codec import encode
from xpu_doctor.model.facts import Machine, Python, Torch, Xpu
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.report.build import Report
from xpu_doctor.report.document import Document
from xpu_doctor.report.reply import reply
from xpu_doctor.text.safe import from_bytes

COLLECT_ENV = (
    "PyTorch version: {torch}\nIs debug build: False\nOS: Ubuntu 24.04.2 LTS (x86_64)\nPython version: 3.12.3\n"
    "Python platform: Linux-6.17.0-20-generic-x86_64-with-glibc2.39\nIs XPU available: {xpu}\n[pip3] torch=={torch}\n"
)
MACHINE = (
    "$ ls -l /dev/dri\ncrw-rw---- 1 root video 226, 1 Nov 20 10:00 card1\ncrw-rw---- 1 root render 226, 128 Nov 20 10:00 renderD128\n"
    "$ id\nuid=1000(app) gid=1000(app) groups=1000(app),27(sudo)\n"
    "03:00.0 VGA compatible controller [0300]: Intel Corporation Battlemage G21 [Arc B580] [8086:e20b]\n\tKernel driver in use: xe\n"
)
LOG = 'Traceback (most recent call last):\n  File "/srv/app/main.py", line 12, in <module>\n    model.to("cuda")\nAssertionError: Torch not compiled with CUDA enabled\n'


def examined(*texts: str) -> tuple[Document, str]:
    """The report and the reply on several files."""
    named = [(f"file {number}", from_bytes(text.encode(), "x")) for number, text in enumerate(texts, 1)]
    report, triaged = report_on_texts(named, Report())
    return report, reply(report, triaged.diagnosis, triaged.snapshot, triaged.snapshots)


def saved(snapshot: Snapshot) -> str:
    """A report as `check --json` writes it, as far as triage reads it."""
    return json.dumps({"schema": 1, "tool": {"name": "xpu-doctor"}, "snapshot": encode(snapshot), "root_causes": []})


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_all_independent_faults(order: tuple[int, ...]) -> None:
    """The wheel and the group are both told, whatever the order of the files, each with its line and its file."""
    files = (COLLECT_ENV.format(torch="2.9.0+cpu", xpu="False"), MACHINE, LOG)
    report, message = examined(*(files[number] for number in order))
    codes = {root.code for root in report.root_causes}
    assert {"torch-cpu-wheel", "device-permission"} <= codes
    assert "torch-cpu-wheel" in message
    assert "device-permission" in message
    sources = {
        root.code: {item.source.split(",")[0] for item in root.evidence if item.source} for root in report.root_causes
    }
    assert f"file {order.index(0) + 1}" in sources["torch-cpu-wheel"]
    assert f"file {order.index(1) + 1}" in sources["device-permission"]


def test_the_ladder_agrees_with_the_causes() -> None:
    """A layer with a sure root cause is at fault, whichever file shows it."""
    for texts in ((COLLECT_ENV.format(torch="2.9.0+cpu", xpu="False"), MACHINE, LOG), (MACHINE, LOG)):
        report, _ = examined(*texts)
        states = {rung.layer: rung.state for rung in report.ladder}
        for root in report.root_causes:
            if root.severity == "error" and root.confidence != "possible":
                assert states[root.layer] == "fault", (root.code, states)


def test_a_saved_report_with_a_log() -> None:
    """The report proves the layers, the log shows the fault; the evidence says which file holds it."""
    snapshot = Snapshot(torch=Torch(installed=True, version="2.9.0+cpu", build="cpu"))
    report, message = examined(saved(snapshot), LOG)
    states = {rung.layer: rung.state for rung in report.ladder}
    assert states["wheel"] == "fault"
    first = report.root_causes[0]
    assert first.code == "torch-cpu-wheel"
    assert any(item.source.startswith("file 1") for item in first.evidence)
    assert "collect_env" not in message


@pytest.mark.parametrize(
    ("first", "second", "mixed"),
    [
        (Python(prefix="/srv/a"), Python(prefix="/srv/b"), True),
        (Python(prefix="/srv/a"), Python(prefix="/srv/a", executable="/srv/a/bin/python3"), False),
        (Python(prefix="/srv/a"), Python(), False),
        (Machine(os="linux", cpu="Intel Core Ultra 7"), Machine(os="linux", cpu="AMD EPYC"), True),
        (Machine(os="linux"), Machine(os="windows"), True),
    ],
)
def test_saved_reports_of_two_environments_are_told(
    first: Python | Machine, second: Python | Machine, mixed: bool
) -> None:
    """What differs on both sides tells them apart; what one does not know does not. Their places name them."""
    group = "python" if isinstance(first, Python) else "machine"
    report, _ = examined(saved(Snapshot(**{group: first})), saved(Snapshot(**{group: second})))
    told = [note for note in report.notes if "different environments" in note]
    assert bool(told) is mixed
    assert all("file 1 (" in note and "file 2 (" in note and "xpu-doctor compare" in note for note in told)


def test_saved_reports_of_a_host_and_its_container_are_one_machine() -> None:
    """They differ in much, and are meant to be read together."""
    inside = Snapshot(subject="container", python=Python(prefix="/opt/venv"))
    report, _ = examined(saved(inside), saved(Snapshot(subject="host", python=Python(prefix="/usr"))))
    assert not any("different environments" in note for note in report.notes)


def test_a_saved_report_is_not_asked_again() -> None:
    """What an examination has answered is not asked; words are."""
    working = Snapshot(
        torch=Torch(installed=True, version="2.9.0+xpu", build="xpu"),
        xpu=Xpu(available=True, allocated=True, device_count=1),
    )
    _, message = examined(saved(replace(working)), "it dies with UR_RESULT_ERROR_DEVICE_LOST after a while")
    assert "collect_env" not in message
    assert "pip list" not in message


@pytest.mark.parametrize(
    ("shown", "never"),
    [
        (COLLECT_ENV.format(torch="2.9.0+xpu", xpu="False"), "collect_env"),
        (MACHINE, "ls -l /dev/dri; id"),
        (
            "ii  libze1  1.20.2  amd64\nii  intel-opencl-icd  25.18.33578.15  amd64\nii  libze-intel-gpu1  25.18.33578.15\n",
            "dpkg -l",
        ),
        ("OS: Windows 11\nDriverVersion : 32.0.101.6795\nName : Intel(R) Arc(TM) A770\n", "Win32_VideoController"),
    ],
)
def test_what_one_file_shows_is_not_asked_for_another(shown: str, never: str) -> None:
    """A question is answered by any of the files."""
    _, message = examined(shown, "torch.xpu.is_available() is False, XPU device count is zero!\n")
    asked = message.split("please send", 1)
    assert len(asked) < 2 or never not in asked[1]


@pytest.mark.parametrize(
    "text",
    [
        "OS: Windows 11\nArc B580, torch 2.9.1+xpu: torch.xpu.is_available() is False",
        r"C:\x\python_embeded\Lib\site-packages\torch: XPU device count is zero! Windows 11, Arc A770",
    ],
)
def test_no_question_of_another_system(text: str) -> None:
    """Windows is not asked for lines of Linux."""
    report, _ = examined(text)
    lines = "\n".join(line for question in report.ask_next for line in question.commands)
    assert not any(word in lines for word in ("lspci", "dpkg", "/dev/dri", "grep", "sudo"))
    assert "python_embeded" not in text or "python " not in lines.replace("powershell", "")


def test_a_reply_says_what_a_remedy_costs_and_how_to_check() -> None:
    """Risk, check and page stand in the reply as in the report."""
    _, message = examined(COLLECT_ENV.format(torch="2.9.0+cpu", xpu="False") + "Arc B580\n")
    assert "What it costs: packages of this environment" in message
    assert "torch.xpu.is_available()" in message
    assert "xpu-doctor check" not in message
    assert "<https://docs.pytorch.org/" in message


def test_steps_that_belong_together_are_both_told() -> None:
    """The host's step and the guest's are one remedy."""
    _, message = examined(
        "Proxmox LXC, unprivileged\nXPU device count is zero!\nPermissionError: [Errno 13] Permission denied: '/dev/dri/renderD128'\n"
    )
    assert "On the Proxmox host" in message
    assert "Then: Inside the guest" in message


def test_a_question_says_where_its_line_is_typed() -> None:
    """The Python of an application is asked in its folder; both sides of a container are named."""
    report, _ = examined(
        'File "/srv/x/venv/lib/python3.12/site-packages/torch/xpu/__init__.py", line 9\nRuntimeError: UR error\nArc A770, Ubuntu 24.04'
    )
    asked = [question for question in report.ask_next if any("venv/bin/python" in line for line in question.commands)]
    assert asked
    assert all("in the folder that holds venv" in question.why for question in asked)
    report, _ = examined("docker run image on Ubuntu 24.04, Arc A770, torch 2.9.1+xpu: XPU device count is zero!")
    nodes = [question for question in report.ask_next if "ls -l /dev/dri; id" in question.commands]
    assert all("In the container, and on its host" in question.why for question in nodes)

"""Reports on watched programs: the block, the verdict, the ladder, what is hidden, and that a saved one says the same."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import pytest

from xpu_doctor.api import compare, triage
from xpu_doctor.diagnosis.ranking import flat
from xpu_doctor.model.facts import Watched
from xpu_doctor.model.selection import WATCHED_LAYERS
from xpu_doctor.model.snapshot import Snapshot, with_watched
from xpu_doctor.report.build import Report
from xpu_doctor.report.document import Document
from xpu_doctor.report.formats import FORMATS, View, format_called
from xpu_doctor.report.terminal import Terminal
from xpu_doctor.report.text import render_text

B580 = {
    "address": "0000:03:00.0",
    "driver": "xe",
    "name": "Intel Arc B580",
    "integrated": False,
    "memory_bytes": 12809404416,
}
TORCH = {"python": "/opt/v/bin/python", "torch_version": "2.13.0+xpu", "whole": True, "imported_at": 5.0}
BEST = {"created": "2026-11-27T12:00:00Z"}


def examined(build: str = "xpu") -> Snapshot:
    """What files tell of a machine with a B580 and one build of torch."""
    version = f"2.13.0+{build}"
    facts = {
        "machine": {"os": "linux", "wsl": False, "container": ""},
        "python": {"executable": "/opt/v/bin/python", "version": "3.12.1", "os": "linux"},
        "target": {"executable": "/opt/v/bin/python", "why": "the watched program imported torch in it"},
        "gpus": [
            {
                "address": "0000:03:00.0",
                "vendor_id": 0x8086,
                "vendor": "intel",
                "device_id": 0xE20B,
                "pci_class": 0x030000,
                "kernel_driver": "xe",
            }
        ],
        "torch": {"installed": True, "version": version, "metadata_version": version, "build": build},
        "distributions": {"installed": [], "leftovers": []},
        "shadows": {"found": []},
        "skipped": ["import", "enumeration", "compute"],
    }
    return msgspec.convert(facts, Snapshot)


def watched(busy: float | None, **more: Any) -> Watched:
    """A program that ran for twelve minutes, and kept the GPU busy for so many seconds."""
    values: dict[str, Any] = {
        "command": ["python", "train.py"],
        "pid": 10,
        "seconds": 725.0,
        "end": "exited",
        "exit_code": 0,
        "cpu_seconds": 800.0,
        "logical_cpus": 16,
        "counters": "drm-fdinfo",
        "gpus": [{**B580, "busy_seconds": busy}],
        "processes": [
            {
                "pid": 10,
                "parent": 1,
                "name": "python3",
                "first_seen": 0.0,
                "seconds": 725.0,
                "cpu_seconds": 800.0,
                "gpus": [{"address": "0000:03:00.0", "busy_seconds": busy}] if busy else [],
            }
        ],
        "inside": [{**TORCH, "pid": 10, "initialised": bool(busy), "available": True}],
    }
    return msgspec.convert({**values, **more}, Watched)


def report(seen: Watched, build: str = "xpu", **how: Any) -> Document:
    return Report(**BEST, **how).of_snapshot(with_watched(examined(build), seen), layers=WATCHED_LAYERS)


def text(document: Document, width: int = 80) -> str:
    return render_text(document, Terminal(width=width))


def test_a_program_that_used_the_gpu_is_healthy() -> None:
    """The verdict says the share, the GPU proves the layers below it, and the ladder ends with the application."""
    document = report(watched(598.0))
    assert (document.verdict, document.exit_code) == ("healthy", 0)
    assert document.reason == "The program computed on the GPU: 83 % of 12 min on Intel Arc B580."
    states = {rung.layer: rung.state for rung in document.ladder}
    assert states["application"] == states["compute"] == states["driver"] == "ok"
    assert states["import"] == states["enumeration"] == "skipped"


def test_the_block_stands_first() -> None:
    lines = text(report(watched(598.0))).splitlines()
    assert lines[0] == "Watched `python train.py` for 12 min; it ended with exit code 0."
    assert lines[1].split(None, 1) == ["GPU", "Intel Arc B580: 83 % busy"]
    assert any(line.startswith("Examined ") for line in lines[3:6])


def test_an_xpu_build_and_no_use_is_the_programs_own_fault() -> None:
    document = report(watched(0.0))
    assert [root.code for root in document.root_causes] == ["program-never-used-gpu"]
    assert document.exit_code == 1 and document.program is not None and document.program.use == "never"


def test_a_cpu_build_explains_that_no_gpu_was_used() -> None:
    document = report(watched(0.0), "cpu")
    assert [root.code for root in document.root_causes] == ["torch-cpu-wheel"]
    assert "program-never-used-gpu" in [finding.code for finding in flat(document.root_causes)]  # type: ignore[arg-type]


def test_unknown_is_neither_fault_nor_health() -> None:
    nothing = {"reason": "in WSL the kernel tells no GPU time of processes"}
    document = report(watched(None, counters=nothing, gpus=nothing, inside=nothing, processes=[]))
    assert (document.verdict, document.exit_code, document.root_causes) == ("undiagnosed", 3, [])
    assert "in WSL the kernel tells no GPU time" in text(document)


def test_of_a_program_without_torch_the_program_alone_is_judged() -> None:
    """What would keep torch from the GPU kept the program from nothing, unless some Python of it was not looked into."""
    document = report(watched(0.0, inside=[]), "cpu")
    assert [root.code for root in document.root_causes] == ["torch-not-imported"]
    assert {rung.state for rung in document.ladder} == {"skipped"}
    document = report(watched(0.0, inside=[], pythons_without_hook=1), "cpu")
    assert [root.code for root in document.root_causes] == ["torch-cpu-wheel"]


def test_of_another_makers_device_the_program_alone_is_judged() -> None:
    card = {"address": "0000:01:00.0", "driver": "nvidia", "name": "NVIDIA H100", "busy_seconds": 598.0}
    document = report(watched(0.0, device_type="cuda", gpus=[card]), "cuda")
    assert document.verdict == "healthy" and "83 % of 12 min on NVIDIA H100" in document.reason
    assert {rung.state for rung in document.ladder if rung.layer != "application"} == {"skipped"}


@pytest.mark.parametrize("width", [60, 80, 120])
def test_many_ranks_and_gpus_fit(width: int) -> None:
    ranks = [
        {
            "pid": 100 + number,
            "parent": 10,
            "name": "python3",
            "first_seen": 0.0,
            "seconds": 700.0,
            "cpu_seconds": 700.0,
            "rank": number,
            "gpus": [{"address": "0000:03:00.0", "busy_seconds": 598.0}],
        }
        for number in range(20)
    ]
    shown = text(report(watched(598.0, processes=ranks)), width)
    assert "and 12 more" in shown
    assert all(len(line) <= width for line in shown.splitlines() if not line.startswith("  More"))


SECRETS = [
    (["python", "t.py", "--token", "s3cr3tvalue9"], "s3cr3tvalue9"),
    (["python", "t.py", "--token=s3cr3tvalue9"], "s3cr3tvalue9"),
    (["env", "HF_TOKEN=abcd1234efgh", "python"], "abcd1234efgh"),
    (["python", "t.py", "--data", "https://anna:geheim77@host.example/x"], "geheim77"),
    (["sh", "-c", "HF_TOKEN=abcd1234efgh python t.py"], "abcd1234efgh"),
    (["sh", "-c", "DJANGO_SECRET_KEY='x3$k)qz9!hunter2' python t.py"], "hunter2"),
    (["python", "t.py", '{"password":"hunter2horse"}'], "hunter2horse"),
]


@pytest.mark.parametrize(("command", "secret"), SECRETS)
def test_no_format_shows_a_secret_of_the_command(command: list[str], secret: str) -> None:
    """Nor do the facts of the snapshot, which hold the words apart."""
    document = report(watched(0.0, command=command))
    assert not [each.name for each in FORMATS if secret in each.render(document, View(verbose=True))]
    shown = report(watched(0.0, command=command), redact=False)
    assert secret in text(shown), "or else this test could not fail"


def test_a_saved_report_says_the_same_in_triage() -> None:
    document = report(watched(0.0))
    again = triage(format_called("json").render(document, View()))
    assert [root.code for root in again.root_causes] == [root.code for root in document.root_causes]
    assert again.program == document.program and again.verdict == document.verdict


def test_a_saved_healthy_report_stays_healthy() -> None:
    again = triage(format_called("json").render(report(watched(598.0)), View()))
    assert again.verdict == "healthy" and again.reason == report(watched(598.0)).reason


def test_two_runs_differ_by_how_they_ended_and_not_by_time() -> None:
    """Seconds and process numbers are noise; the exit code is none."""
    one = report(watched(598.0))
    same = report(watched(590.0, seconds=731.0, pid=77))
    other = report(watched(598.0, exit_code=1))
    saved = [format_called("json").render(each, View()) for each in (one, same, other)]
    assert compare(saved[0], saved[1]).same
    differences = {row.path for row in compare(saved[0], saved[2]).differences}
    assert any("exit_code" in fact for fact in differences), differences


def test_every_format_tells_of_the_program() -> None:
    document = report(watched(598.0))
    for each in FORMATS:
        assert "83 %" in each.render(document, View()).replace("%25", "%").replace("&nbsp;", " "), each.name
    assert dataclasses.asdict(document.program)["gpus"][0]["share"] == pytest.approx(0.8306, abs=0.001)  # type: ignore[arg-type]

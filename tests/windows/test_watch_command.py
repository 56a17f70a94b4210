"""`xpu-doctor watch` on Windows: the command runs as it would alone, and the report comes after its end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.windows_bench import WindowsBench

TORCH = "__version__ = '2.9.1+xpu'\nfrom torch import version, xpu\n"
XPU = "def is_initialized(): return False\ndef _lazy_call(call): pass\ndef device_count(): return 0\n"


def test_streams_exit_code_and_what_the_hook_says(windows_bench: WindowsBench, tmp_path: Path) -> None:
    torch = tmp_path / "torch"
    torch.mkdir()
    for name, text in (("__init__", TORCH), ("xpu", XPU), ("version", "xpu = '20250101'\n")):
        (torch / f"{name}.py").write_text(text, encoding="utf-8")
    program = (
        "import os, sys; sys.path.insert(0, os.getcwd()); import torch; "
        "print(sys.stdin.read()[::-1]); print('apart', file=sys.stderr); sys.exit(7)"
    )
    run = windows_bench.doctor(
        "watch", "-o", "report.json", "--", windows_bench.patient, "-c", program, cwd=tmp_path, stdin=b"abc"
    )
    said = run.stderr.decode("utf-8", "replace")
    assert run.returncode == 7, said
    assert run.stdout.split() == [b"cba"] and said.startswith("apart")
    facts = json.loads((tmp_path / "report.json").read_bytes())["snapshot"]["watched"][0]
    assert (facts["end"], facts["exit_code"], facts["pythons_without_hook"]) == ("exited", 7, 0)
    (report,) = facts["inside"]
    assert report["whole"] and report["initialised"] is False and report["torch_xpu"] == "20250101"
    assert "Windows" in facts["fallback_operators"]["reason"]


@pytest.mark.parametrize(("name", "code"), [("batch.bat", 5), ("none-such", 127)])
def test_batch_files_and_names_that_are_none(windows_bench: WindowsBench, tmp_path: Path, name: str, code: int) -> None:
    (tmp_path / "batch.bat").write_text("@echo off\necho from %1\nexit /b 5\n", encoding="ascii")
    run = windows_bench.doctor("watch", "-o", "report.json", "--", name, "here", cwd=tmp_path)
    assert run.returncode == code, run.stderr.decode("utf-8", "replace")
    assert b"Traceback" not in run.stderr
    assert (b"from here" in run.stdout) == (code == 5)


@pytest.mark.heavy
def test_attach_to_a_process_that_is_gone(windows_bench: WindowsBench) -> None:
    run = windows_bench.doctor("watch", "--pid", "999996")
    assert run.returncode == 2 and b"no such process" in run.stderr

"""What is named as an input and is no file: one line that says what it is, in bounded time."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tests.support.cli import doctor, environment
from xpu_doctor.cli.triage import triage
from xpu_doctor.text import safe
from xpu_doctor.text.safe import HEAD, TAIL

posix = pytest.mark.skipif(os.name != "posix", reason="named pipes and device files are POSIX")


def refusal(path: Path | str) -> str:
    """What the command says of an input that it refuses."""
    result = CliRunner().invoke(triage, [str(path)], standalone_mode=False)
    assert isinstance(result.exception, click.UsageError), result.exception
    words = str(result.exception)
    assert "\n" not in words
    return words


def test_a_folder_is_called_one(tmp_path: Path) -> None:
    """With the way out, on every system."""
    assert f"{tmp_path} is a folder: name the files in it" in refusal(tmp_path)


@posix
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/urandom"])
def test_an_endless_device_is_refused(device: str) -> None:
    """At its first bytes."""
    if not os.path.exists(device):
        pytest.skip(f"there is no {device}")
    assert "binary file" in refusal(device)


@posix
def test_a_pipe_that_nobody_writes_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given up after a while."""
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(safe, "WRITER", 0.2)
    assert "nothing was written to the pipe" in refusal(tmp_path / "pipe")


@posix
def test_a_pipe_that_is_written_to(tmp_path: Path) -> None:
    """It is read to its end."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(
        target=pipe.write_bytes, args=(b"RuntimeError: Required aspect fp64 is not supported on the device\n",)
    )
    writer.start()
    result = CliRunner().invoke(triage, [str(pipe)], standalone_mode=False)
    writer.join()
    assert "fp64-unsupported" in result.stdout


@posix
def test_a_pipe_that_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in bytes nor in time."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    monkeypatch.setattr(safe, "MOST", 5_000_000)
    feeding = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys\nwith open(sys.argv[1], 'wb') as pipe:\n while True: pipe.write(b'noise\\n' * 9999)",
            pipe,
        ],
        stderr=subprocess.DEVNULL,
    )
    assert "does not end" in refusal(pipe)
    feeding.wait(10)
    monkeypatch.setattr(safe, "PATIENCE", 0.3)
    waiting = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time\nwith open(sys.argv[1], 'wb', 0) as pipe:\n pipe.write(b'noise')\n time.sleep(60)",
            pipe,
        ]
    )
    try:
        assert "did not end within 0.3 seconds" in refusal(pipe)
    finally:
        waiting.kill()
        waiting.wait(10)


def test_a_sparse_file_of_a_terabyte(tmp_path: Path) -> None:
    """Only its beginning and its end are read."""
    path = tmp_path / "log"
    with path.open("wb") as stream:
        stream.write(b"noise\n" * (HEAD // 6 + 1))
        stream.seek(10**12 - TAIL)
        stream.write(b"\n" * (TAIL - 100) + b"RuntimeError: Required aspect fp64 is not supported on the device\n")
    started = time.monotonic()
    result = CliRunner().invoke(triage, ["--json", str(path)], standalone_mode=False)
    assert "fp64-unsupported" in result.stdout
    assert time.monotonic() - started < 20
    assert "were not read" in result.stdout


def test_a_closed_standard_input_is_said() -> None:
    """Nothing is read from nowhere."""
    if os.name != "posix":
        pytest.skip("a shell that closes standard input")
    run = subprocess.run(
        ["sh", "-c", 'exec "$0" -m xpu_doctor triage - <&-', sys.executable],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert run.returncode == 2
    assert "standard input is closed" in run.stderr


def test_names_that_no_file_has() -> None:
    """An empty name, a folder as a whole process."""
    assert doctor("triage", "").code == 2
    assert doctor("triage", ".").code == 2

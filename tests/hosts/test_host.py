"""The host: live, as a plain folder, and recorded; every refusal is a reason, never an exception."""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from pathlib import Path

import pytest

from xpu_doctor.host.commands import open_in_child, run_bounded
from xpu_doctor.host.interface import Completed
from xpu_doctor.host.live import LiveHost
from xpu_doctor.host.opened import open_host
from xpu_doctor.host.recorded import RecordedHost
from xpu_doctor.model.findings import Layer
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.probes import PROBES
from xpu_doctor.probes.runner import probe, run_probes, unknown_group

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX")


def test_reads_are_bounded(tmp_path: Path) -> None:
    """A read takes no more than its limit, and bytes that are no text are replaced."""
    (tmp_path / "file").write_bytes(b"\xff" + b"x" * 100)
    assert LiveHost().read(str(tmp_path / "file"), 10) == "\ufffd" + "x" * 9


@posix
def test_pipes_and_devices_are_not_read(tmp_path: Path) -> None:
    """Reading a pipe would block for ever: it is refused at once."""
    os.mkfifo(tmp_path / "pipe")
    answer = LiveHost().read(str(tmp_path / "pipe"))
    assert isinstance(answer, Unknown) and "not a regular file" in answer.reason


def test_absent_files_have_a_reason(tmp_path: Path) -> None:
    """What is not there says so; a folder that is not there matches nothing."""
    host = LiveHost()
    gone = str(tmp_path / "gone")
    assert (
        isinstance(host.read(gone), Unknown)
        and isinstance(host.list(gone), Unknown)
        and isinstance(host.status(gone), Unknown)
    )
    assert host.exists(gone) is False and host.link(gone) == "" and host.glob(gone + "/*") == ()


def test_sysroot(tmp_path: Path) -> None:
    """A plain folder stands for a machine: paths are the machine's, nothing runs, nobody is asked about users."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "version").write_text("Linux version 6.8.0")
    host = open_host(str(tmp_path))
    assert host.read("/proc/version") == "Linux version 6.8.0"
    assert host.glob("/proc/*") == ("/proc/version",)
    assert isinstance(host.run(["true"]), Unknown) and isinstance(host.system("user"), Unknown)


def test_no_sys_at_all(tmp_path: Path) -> None:
    """A machine without /sys and /proc: every probe answers, none fails, the bus is unknown and not empty."""
    gathered = run_probes(open_host(str(tmp_path), env={}), PROBES)
    assert not gathered.failures
    assert isinstance(gathered.facts["gpus"], Unknown) and "no such file" in gathered.facts["gpus"].reason


def test_empty_bus(tmp_path: Path) -> None:
    """A bus that shows nothing proves nothing."""
    (tmp_path / "sys/bus/pci/devices").mkdir(parents=True)
    gathered = run_probes(open_host(str(tmp_path), env={}), PROBES)
    assert isinstance(gathered.facts["gpus"], Unknown)


@posix
def test_open_errors(tmp_path: Path) -> None:
    """The child's answer is the errno by name; empty where it opened."""
    (tmp_path / "node").write_text("")
    answers = LiveHost().open_errors([str(tmp_path / "node"), str(tmp_path / "gone")])
    assert answers == {str(tmp_path / "node"): "", str(tmp_path / "gone"): "ENOENT"}


@posix
def test_a_node_that_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An open that never returns is given up and named; the nodes after it are still asked."""
    from xpu_doctor.host import commands

    opener = commands.OPENER.replace(
        "    try:\n", "    if 'stuck' in path: __import__('time').sleep(60)\n    try:\n", 1
    )
    monkeypatch.setattr(commands, "OPENER", opener)
    (tmp_path / "after").write_text("")
    started = time.monotonic()
    answers = open_in_child([str(tmp_path / "stuck"), str(tmp_path / "after")], 0.5, os.environ)
    assert time.monotonic() - started < 5
    stuck = answers[str(tmp_path / "stuck")]
    assert isinstance(stuck, Unknown) and "did not return" in stuck.reason
    assert answers[str(tmp_path / "after")] == ""


@posix
def test_commands_are_bounded() -> None:
    """A command that hangs is ended, a flood is cut, an absent one has a reason, and the language is C."""
    assert isinstance(run_bounded(["sleep", "60"], 0.3, os.environ), Unknown)
    flood = run_bounded([sys.executable, "-c", "print('x' * 5_000_000)"], 20, os.environ)
    assert isinstance(flood, Completed) and 100_000 < len(flood.stdout) < 300_000
    assert isinstance(run_bounded(["no-such-command-anywhere"], 1, os.environ), Unknown)
    said = run_bounded(["sh", "-c", "echo $LC_ALL"], 5, {**os.environ, "LC_ALL": "de_DE.UTF-8"})
    assert isinstance(said, Completed) and said.stdout.strip() == "C"


@posix
def test_a_grandchild_cannot_hold_the_doctor() -> None:
    """A grandchild that keeps the pipe open is ended with its session."""
    started = time.monotonic()
    done = run_bounded(["sh", "-c", "sleep 60 & echo said"], 5, os.environ)
    assert time.monotonic() - started < 3
    assert isinstance(done, Completed) and done.stdout == "said\n"


def test_probes_are_apart() -> None:
    """A probe that raises and one that is late are failures with a reason; the others' facts stand."""

    @probe("machine", layer=Layer.DEVICE)
    def raising(host: object) -> object:
        """Raise."""
        raise ValueError("broken")

    @probe("kernel", layer=Layer.KERNEL)
    def late(host: object) -> object:
        """Sleep."""
        time.sleep(30)
        return None

    @probe("mine", layer=Layer.DOCTOR, fills="")
    def plugin(host: object) -> object:
        """Answer."""
        return {"answer": 42}

    told: list[str] = []
    started = time.monotonic()
    gathered = run_probes(LiveHost(), (late, raising, plugin), 1.5, told.append)
    assert time.monotonic() - started < 3
    assert told == ["kernel"]
    assert {(row.name, row.part) for row in gathered.failures} == {("machine", "probe"), ("kernel", "probe")}
    assert isinstance(gathered.facts["machine"].os, Unknown) and "broken" in gathered.facts["machine"].os.reason
    assert "no answer in 1.5 s" in gathered.facts["kernel"].version.reason
    assert gathered.plugins == {"mine": {"answer": 42}}


def test_probes_name_fields_of_the_snapshot() -> None:
    """Every probe fills a field of the snapshot, one per system, and tells what it gathers."""
    for item in PROBES:
        assert item.about and item.fills in Snapshot.__dataclass_fields__
    for platform in ("linux", "windows", "macos"):
        fields = [item.fills for item in PROBES if item.runs_on(platform)]
        assert len(fields) == len(set(fields))
    assert isinstance(unknown_group("gpus", "why"), Unknown)


def test_every_probe_on_a_foreign_system() -> None:
    """The same probes on recorded Windows and macOS machines that tell nothing: no failure, reasons everywhere."""
    for platform in ("windows", "macos", "freebsd"):
        gathered = run_probes(RecordedHost({"platform": platform}), PROBES)
        assert not gathered.failures, gathered.failures


@posix
def test_live_access_is_what_the_kernel_says() -> None:
    """On this machine each node's recorded error is the errno that opening it really gives."""
    access = run_probes(LiveHost(), PROBES).facts["access"]
    for node in access.nodes:
        try:
            os.close(os.open(node.path, os.O_RDWR | os.O_NONBLOCK))
            real = ""
        except OSError as error:
            real = errno.errorcode[error.errno or 0]
        assert node.error == real
        if real != "ENOENT":
            assert node.mode == stat.S_IMODE(os.stat(node.path).st_mode)

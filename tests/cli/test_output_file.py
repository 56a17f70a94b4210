"""`-o` replaces nothing but an ordinary file, whole or not at all, and never through a stranger's link."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import ROOT, doctor, environment
from tests.support.environments import StubEnvironment
from xpu_doctor.text.output import write
from xpu_doctor.text.output_file import OutputError, Place, check_writable

posix = pytest.mark.skipif(os.name != "posix", reason="modes, links and devices of POSIX")
root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a link to another user"
)


def refused(path: Path | str, python: str | None = None) -> str:
    """Why `-o` refuses a path; fail where it does not, or where the file changes."""
    before = _content(path)
    with pytest.raises(OutputError) as error:
        check_writable(str(path), python)
    with pytest.raises(OutputError):
        write("{}\n", str(path), python=python)
    assert _content(path) == before
    assert "\n" not in str(error.value)
    return str(error.value)


def _content(path: Path | str) -> object:
    return (Path(path).read_bytes(), os.lstat(path)) if os.path.isfile(path) else None


@posix
def test_the_interpreter_survives_a_link_to_it(stub: StubEnvironment, tmp_path: Path) -> None:
    link = tmp_path / "report.json"
    link.symlink_to(stub.python)
    ran = doctor("check", "--python", str(stub.python), "--only", "wheel", "--json", "-o", str(link))
    assert ran.code == 2 and "environment" in ran.stderr
    assert subprocess.run([str(stub.python), "-c", ""], check=False).returncode == 0
    assert link.is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["env", "report.json"]


@posix
@pytest.mark.parametrize(
    "name",
    [
        "bin/python",
        "bin/python3",
        "bin/report.json",
        "bin/activate",
        "pyvenv.cfg",
        "{site}/torch.py",
        "{site}/torch/report.json",
        "lib/report.json",
    ],
)
def test_nothing_of_the_environment_is_replaced(stub: StubEnvironment, name: str) -> None:
    stub.add_torch()
    path = stub.folder / name.format(site=stub.site.relative_to(stub.folder))
    assert "examined" in refused(path, str(stub.python))


@posix
def test_nothing_of_the_doctor_is_replaced() -> None:
    assert "xpu-doctor itself" in refused(sys.executable)
    assert "xpu-doctor itself" in refused(Path(sys.executable).with_name("report.json"))


def test_a_report_beside_the_environment_is_fine(stub: StubEnvironment) -> None:
    path = stub.folder / "report.json"
    write("{}\n", str(path), python=str(stub.python))
    assert path.read_text(encoding="utf-8") == "{}\n"


@posix
@pytest.mark.parametrize("start", [b"\x7fELF...", b"#!/bin/sh\n", b"echo hello\n"], ids=["ELF", "script", "plain"])
def test_programs_are_refused(tmp_path: Path, start: bytes) -> None:
    path = tmp_path / "tool"
    path.write_bytes(start)
    path.chmod(0o755)
    assert "program" in refused(path)


@posix
def test_a_report_on_a_disk_where_all_is_executable_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(b'{"schema": 1}')
    path.chmod(0o777)
    write("{}\n", str(path))
    assert path.read_bytes() == b"{}\n"


@posix
def test_devices_pipes_and_sockets_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(tmp_path / "socket"))
    made.close()
    (tmp_path / "link").symlink_to("/dev/null")
    for path in (
        "/dev/null",
        "/dev/stderr",
        "/dev/fd/2",
        "/proc/self/fd/2",
        tmp_path / "fifo",
        tmp_path / "socket",
        tmp_path / "link",
    ):
        refused(path)
    assert stat.S_ISFIFO(os.stat(tmp_path / "fifo").st_mode)


@posix
@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1"])
def test_stdout_has_a_few_names(stub: StubEnvironment, name: str, tmp_path: Path) -> None:
    ran = doctor("check", "--python", str(stub.python), "--only", "wheel", "--json", "-o", name, cwd=ROOT)
    assert ran.json()["schema"] == 1
    with open(tmp_path / "file", "wb") as stream:
        stream.write(b"before\n")
        stream.flush()
        subprocess.run(
            [
                sys.executable,
                "-m",
                "xpu_doctor",
                "check",
                "--python",
                str(stub.python),
                "--only",
                "wheel",
                "--json",
                "-o",
                name,
            ],
            stdout=stream,
            cwd=ROOT,
            env=environment(),
            check=False,
        )
    assert (tmp_path / "file").read_bytes().startswith(b"before\n{"), "what stdout leads to was replaced"


@posix
def test_ones_own_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("old", encoding="utf-8")
    (tmp_path / "link").symlink_to("real.json")
    write("{}\n", str(tmp_path / "link"))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real.json").read_text(encoding="utf-8") == "{}\n"


@posix
@root
def test_links_of_another_user_are_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    for name, target in (("file", "real/report.json"), ("folder", "real")):
        (tmp_path / name).symlink_to(target)
        os.lchown(tmp_path / name, 65534, 65534)
    assert "another user" in refused(tmp_path / "file")
    assert "another user" in refused(tmp_path / "folder" / "report.json")
    assert not os.listdir(tmp_path / "real")


@posix
@pytest.mark.parametrize(
    ("before", "private", "after"),
    [
        (None, False, 0o640),
        (None, True, 0o600),
        (0o644, False, 0o644),
        (0o644, True, 0o600),
        (0o400, True, 0o400),
        (0o664, False, 0o664),
        (0o600, False, 0o600),
    ],
)
def test_permissions(tmp_path: Path, before: int | None, private: bool, after: int) -> None:
    path = tmp_path / "report.json"
    if before is not None:
        path.write_text("{}", encoding="utf-8")
        path.chmod(before)
    mask = os.umask(0o026)
    try:
        write("{}\n", str(path), private=private)
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == after


@posix
def test_a_report_with_names_is_for_its_owner_alone(stub: StubEnvironment, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    doctor("check", "--python", str(stub.python), "--only", "wheel", "--json", "--no-redact", "-o", str(path))
    assert json.loads(path.read_text(encoding="utf-8"))["schema"] == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    doctor("triage", str(path), "--no-redact", "-o", str(tmp_path / "triaged"))
    assert stat.S_IMODE((tmp_path / "triaged").stat().st_mode) == 0o600


def test_a_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OutputError, match="No space left"):
        write("{}\n", str(tmp_path / "report.json"))
    assert os.listdir(tmp_path) == []


def test_folders_that_are_not(tmp_path: Path) -> None:
    assert "folder" in refused(tmp_path)
    assert "no folder" in refused(tmp_path / "missing" / "report.json")
    assert "name of a file" in refused("")


@pytest.mark.parametrize(
    "name",
    [
        "CON",
        "nul",
        "NUL.txt",
        "COM1",
        "lpt9.json",
        "aux .x",
        "folder\\PRN",
        "C:\\a\\con.json",
        "report.json:stream",
        "COM\u00b9",
        "CONIN$",
    ],
)
def test_devices_of_windows(name: str) -> None:
    with pytest.raises(OutputError, match="device of Windows"):
        Place.of(name, windows=True)


def test_other_names_are_no_devices_of_windows(tmp_path: Path) -> None:
    for name in ("console.json", "nulls", "com10", "auxiliary.json"):
        assert Place.of(str(tmp_path / name), windows=os.name == "nt") is not None
        with pytest.raises(OutputError, match="no folder"):
            Place.of(f"nowhere/{name}", windows=True)

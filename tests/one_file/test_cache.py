"""Where the one file is unpacked to: whole or not at all, by one or several at once, and to nobody else's folder."""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.one_file import BARE, at_home, run_file, unpacked_folders
from xpu_doctor.model.version import __version__

TOLD = f"xpu-doctor, version {__version__}\n"
POSIX = pytest.mark.skipif(os.name != "posix", reason="modes, owners and signals are POSIX's")
ROOT_ONLY = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs root")


@pytest.fixture(scope="module")
def used_home(one_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder into whose cache the file was unpacked."""
    home = tmp_path_factory.mktemp("home")
    assert run_file(one_file, home, "--version").stdout == TOLD
    return home


def test_it_is_unpacked_once_for_this_user_alone(one_file: Path, used_home: Path) -> None:
    """By its content and the interpreter; a second run takes what is there."""
    [folder] = unpacked_folders(used_home)
    assert folder.name.endswith(sys.implementation.cache_tag.partition("-")[2] + "-x86_64-linux-gnu") or os.name == "nt"
    assert os.name == "nt" or (folder.stat().st_mode & 0o777, folder.parent.stat().st_mode & 0o777) == (0o700, 0o700)
    (folder / "mark").touch()
    assert run_file(one_file, used_home, "--version").stdout == TOLD
    assert unpacked_folders(used_home) == [folder] and (folder / "mark").exists()
    (folder / "mark").unlink()


def test_only_the_modules_of_this_interpreter_are_unpacked(used_home: Path) -> None:
    [folder] = unpacked_folders(used_home)
    assert len([path for path in folder.rglob("_core*") if path.suffix in (".so", ".pyd")]) == 1


def test_several_at_once(one_file: Path, tmp_path: Path) -> None:
    """All work, one folder is left, and none that is half done."""
    command = [sys.executable, str(one_file), "--version"]
    given = at_home(tmp_path)
    runs = [subprocess.Popen(command, env=given, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [run.communicate(timeout=120)[0] for run in runs] == [TOLD] * 4
    assert len(unpacked_folders(tmp_path)) == 1


@POSIX
def test_one_that_is_killed_while_it_unpacks(one_file: Path, tmp_path: Path) -> None:
    """The next one unpacks anew; what was left goes when it is a day old."""
    command = [sys.executable, str(one_file), "--version"]
    process = subprocess.Popen(command, env={**BARE, "HOME": str(tmp_path)}, stdout=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not any(folder.name.startswith(".new-") for folder in unpacked_folders(tmp_path)):
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    [left] = unpacked_folders(tmp_path)
    assert run_file(one_file, tmp_path, "--version").stdout == TOLD
    whole = next(folder for folder in unpacked_folders(tmp_path) if folder != left)
    os.utime(left, (1, 1))
    shutil.rmtree(whole)
    assert run_file(one_file, tmp_path, "--version").stdout == TOLD
    assert unpacked_folders(tmp_path) == [whole]


def temporary(folder: Path) -> list[str]:
    """Names of what a run left in its folder for temporary files."""
    return sorted(path.name for path in folder.iterdir())


@POSIX
@pytest.mark.parametrize("way", ["a file is in its place", "others may write there", "it is another's"])
def test_a_cache_that_cannot_be_used(one_file: Path, tmp_path: Path, way: str) -> None:
    """Then a folder for this run alone is used, and deleted in the end."""
    cache, spare = tmp_path / ".cache", tmp_path / "spare"
    spare.mkdir()
    if way == "a file is in its place":
        cache.touch()
    else:
        (cache / "xpu-doctor").mkdir(parents=True)
    if way == "others may write there":
        cache.chmod(0o777)
    elif way == "it is another's":
        if os.geteuid() != 0:
            pytest.skip("needs root")
        os.chown(cache, 54321, 54321)
    code = f"import os; open({str(tmp_path / 'where')!r}, 'w').write(str(os.listdir({str(spare)!r})))"
    (tmp_path / "sitecustomize.py").write_text(f"import atexit\n@atexit.register\ndef look():\n    {code}\n")
    run = subprocess.run(
        [sys.executable, str(one_file), "--version"],
        env={**BARE, "HOME": str(tmp_path), "TMPDIR": str(spare), "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, TOLD, "")
    assert temporary(spare) == []
    assert cache.is_file() or not any((cache / "xpu-doctor").iterdir())


@POSIX
def test_a_folder_for_one_run_goes_when_the_run_is_ended(one_file: Path, tmp_path: Path) -> None:
    """By SIGTERM while an interpreter is examined that does not answer."""
    (tmp_path / ".cache").touch()
    spare, hangs = tmp_path / "spare", tmp_path / "python3"
    spare.mkdir()
    hangs.write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\nexec sleep 60\n")
    hangs.chmod(0o755)
    command = [sys.executable, str(one_file), "check", "--python", str(hangs)]
    given = {**BARE, "HOME": str(tmp_path), "TMPDIR": str(spare)}
    process = subprocess.Popen(command, env=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not (tmp_path / "asked").exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert temporary(spare) != []
    process.terminate()
    assert process.wait(timeout=60) == 128 + signal.SIGTERM
    assert temporary(spare) == []


@POSIX
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_run_that_is_ended_while_it_unpacks(one_file: Path, tmp_path: Path, number: int, code: int) -> None:
    """It leaves neither a half folder nor a traceback, even where the signal comes at the very moment at which the folder appears."""
    command = [sys.executable, str(one_file), "--version"]
    process = subprocess.Popen(command, env={**BARE, "HOME": str(tmp_path)}, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while not unpacked_folders(tmp_path) and time.monotonic() < until:
        pass
    process.send_signal(number)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == code and "Traceback" not in said, said
    assert unpacked_folders(tmp_path) == []


def test_the_trial_writes_nothing(one_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal may end the run before it knows the other process, which must not fill again a folder that is being deleted."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "tools" / "one_file"))
    unpacker = importlib.import_module("unpack_one_file")
    unpacker._extract(str(one_file), str(tmp_path))
    before = sorted(tmp_path.rglob("*"))
    unpacker._try_out(str(tmp_path))
    assert sorted(tmp_path.rglob("*")) == before


@ROOT_ONLY
def test_a_disk_from_which_nothing_is_run(one_file: Path, tmp_path: Path) -> None:
    """A home folder that is mounted with noexec: the next place is taken; where all are so, one line says it."""
    if shutil.which("unshare") is None:
        pytest.skip("no unshare")
    mount = "mount -t tmpfs -o noexec none"
    command = f'{mount} {tmp_path} && {mount} /tmp && {mount} /var/tmp && {mount} /dev/shm && exec "$0" "$@"'
    python = os.path.realpath(sys.executable)
    if python.startswith(("/tmp/", "/var/tmp/", "/dev/shm/")):
        pytest.skip("the interpreter itself lies where nothing may be run")
    copied = Path("/run") / f"xpu-doctor-test-{os.getpid()}.pyz"
    shutil.copy(one_file, copied)
    try:
        found = []
        for extra in ({"TMPDIR": "/run"}, {}):
            run = subprocess.run(
                ["unshare", "-m", "sh", "-c", command, python, str(copied), "--version"],
                env={**BARE, "HOME": str(tmp_path), **extra}, cwd="/", capture_output=True, text=True, check=False,
            )  # fmt: skip
            found.append(run)
    finally:
        copied.unlink()
    if "mount:" in found[0].stderr or "unshare:" in found[0].stderr:
        pytest.skip(f"nothing can be mounted here: {found[0].stderr.strip()}")
    assert (found[0].returncode, found[0].stdout) == (0, TOLD), found[0].stderr
    assert found[1].returncode == 4 and "Set TMPDIR to a folder" in found[1].stderr
    assert "Traceback" not in found[1].stderr and "compiled modules cannot be loaded from there" in found[1].stderr


def test_a_file_that_was_damaged_on_the_way(one_file: Path, tmp_path: Path) -> None:
    data = bytearray(one_file.read_bytes())
    place = data.index(b"xpu_doctor/data/signatures.toml") + 2000
    data[place] ^= 0xFF
    damaged = tmp_path / "damaged.pyz"
    damaged.write_bytes(data)
    run = run_file(damaged, tmp_path, "--version")
    assert run.returncode == 4 and "is damaged" in run.stderr and "copy it here again" in run.stderr
    assert "Traceback" not in run.stderr and unpacked_folders(tmp_path) == []


@POSIX
def test_a_machine_that_forbids_to_write_compiled_python(one_file: Path, tmp_path: Path) -> None:
    """Images of containers do: then everything is compiled while it is unpacked, so that the next start is quick."""
    given = {"PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, str(one_file), "--version"]
    assert subprocess.run(command, env={**BARE, **given, "HOME": str(tmp_path)}, check=False).returncode == 0
    [folder] = unpacked_folders(tmp_path)
    assert len(list(folder.rglob("*.pyc"))) > 300


@ROOT_ONLY
def test_root_examines_an_environment_of_another_user(one_file: Path, used_home: Path, tmp_path: Path) -> None:
    """Whose account may not enter the folder in root's cache: the agent comes to it through memory."""
    python = "/usr/bin/python3"
    if subprocess.run([python, "-c", ""], user=54321, group=54321, extra_groups=[], check=False).returncode:
        pytest.skip("no interpreter here may be started by another user")
    env = Path("/tmp") / f"xpu-doctor-theirs-{os.getpid()}"
    try:
        subprocess.run([python, "-m", "venv", "--without-pip", str(env)], check=True)
        for path in (env, *env.rglob("*")):
            os.chown(path, 54321, 54321, follow_symlinks=False)
        run = run_file(one_file, used_home, "check", "--python", str(env), "--only", "wheel", "-v")
    finally:
        shutil.rmtree(env, ignore_errors=True)
    assert "torch is not installed" in run.stdout and "Permission denied" not in run.stdout, run.stdout + run.stderr

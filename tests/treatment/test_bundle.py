"""A folder of wheels that is fetched on one machine and used on another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.remedies.environments import World
from tests.treatment.test_fix import command, cpu_environment, doctor, pytestmark  # noqa: F401
from xpu_doctor.treatment.bundle import SUMS, faults, seal


def test_a_folder_is_as_it_was_or_says_what_is_not(tmp_path: Path) -> None:
    for name in ("torch-2.14.0+xpu-py3-none-any.whl", "triton_xpu-3.8.0-py3-none-any.whl"):
        (tmp_path / name).write_bytes(name.encode())
    assert faults(tmp_path) == (), "a folder without a list is somebody's own"
    assert seal(tmp_path) == 2 and faults(tmp_path) == ()
    (tmp_path / "torch-2.14.0+xpu-py3-none-any.whl").write_bytes(b"cut")
    (tmp_path / "triton_xpu-3.8.0-py3-none-any.whl").unlink()
    (tmp_path / "extra-1-py3-none-any.whl").write_bytes(b"")
    assert faults(tmp_path) == (
        "triton_xpu-3.8.0-py3-none-any.whl is missing",
        f"extra-1-py3-none-any.whl is not in {SUMS}",
        "torch-2.14.0+xpu-py3-none-any.whl is not the file that was downloaded",
    )


@pytest.mark.parametrize("uv", [False, True], ids=["pip", "uv"])
def test_fetched_here_and_installed_there(world: World, tmp_path: Path, uv: bool) -> None:
    cpu_environment(world, tmp_path / "with network")
    folder = tmp_path / "wheels for it"
    fetched = world.run(*command(world, "--download", str(folder), "--json"), check=False)
    assert fetched.returncode == 0 and "5 wheels" in fetched.stderr, fetched.stderr
    assert "fix --python PATH --apply --find-links DIR" in fetched.stderr
    assert json.loads(fetched.stdout) == {"downloaded": 5, "folder": str(folder), "reason": ""}
    assert len((folder / SUMS).read_text().splitlines()) == 5

    cpu_environment(world, tmp_path / "without network", uv)
    where = ("--apply", "--yes", "--find-links", str(folder))
    applied = doctor(world, *where, channel="")
    assert world.names()["torch"] == "2.14.0+xpu", applied.stdout + applied.stderr
    next(folder.glob("torch-*.whl")).write_bytes(b"cut")
    assert "not the file that was downloaded" in doctor(world, *where, channel="").stderr


def test_a_download_that_cannot_begin_says_why_and_leaves_nothing(world: World, tmp_path: Path) -> None:
    cpu_environment(world, tmp_path / "env")
    folder = tmp_path / "wheels"
    nobody = (*command(world, "--download", str(folder), "--json", channel=""), "--index-url", "http://127.0.0.1:1/whl")
    failed = world.run(*nobody, check=False)
    assert (
        failed.returncode == 1
        and "cannot be reached: Connection refused. Check the network, the proxy" in failed.stderr
    )
    assert "so far" not in failed.stderr and not folder.exists()
    assert json.loads(failed.stdout)["downloaded"] == 0


def test_a_folder_without_the_wheels_is_named_and_said_to_be_unchecked(world: World, tmp_path: Path) -> None:
    cpu_environment(world, tmp_path / "env")
    folder = tmp_path / "some wheels"
    folder.mkdir()
    planned = doctor(world, "--find-links", str(folder), channel="")
    assert f"{folder} has no {SUMS}" in planned.stderr and f"looking into {folder}" in planned.stderr
    assert "asking the package index" not in planned.stderr
    plain = " ".join(planned.stdout.split())
    assert f"Not ready: {folder} does not have" in plain and "--download" in plain and "not ready yet" in plain

"""`xpu-doctor fix` under a genuine Python for Windows with its pip: done, verified, undone, and terminated in the middle."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.fake_index import serve
from tests.support.windows_bench import ODD_NAME, WindowsBench, unique_folder
from tests.support.windows_machine import NATIVE, WindowsMachine
from tests.windows.fixing import LISTED, TORCH, Fixing, channels, environment, machine_with_gpu
from xpu_doctor.treatment.place import KEPT

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(NATIVE, reason="the registry of a real Windows is not written to"),
]
"""One cycle starts some twenty interpreters, which takes Wine a minute."""


@pytest.fixture(scope="module")
def machine(windows_bench: WindowsBench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WindowsMachine]:
    """A machine with an Arc B580."""
    made = machine_with_gpu(windows_bench, tmp_path_factory.mktemp("fixing"))
    try:
        yield made
    finally:
        made.end()


@pytest.fixture(scope="module")
def urls(windows_bench: WindowsBench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The indexes, on loopback."""
    with serve(tmp_path_factory.mktemp("index"), channels(windows_bench)) as served:
        yield served


def patient(bench: WindowsBench, machine: WindowsMachine, urls: Mapping[str, str], state: str = "CPU wheel") -> Fixing:
    """An environment in a folder whose name has blanks, letters of two scripts and an ampersand."""
    folder = unique_folder(bench.folder, ODD_NAME) / "env"
    folder.parent.mkdir()
    return Fixing(bench, machine, environment(bench, folder, state), urls["xpu"])


def test_applied_verified_and_undone(
    windows_bench: WindowsBench, machine: WindowsMachine, urls: Mapping[str, str]
) -> None:
    here = patient(windows_bench, machine, urls)
    before, packages = here.files(), here.asked(LISTED)
    code, out, said = here.doctor("--apply", "--yes")
    assert "fixed    [torch-cpu-wheel]" in out and "done by --apply" in " ".join(out.split()), (code, out, said)
    assert here.asked(TORCH) == "2.14.0+xpu" and here.files() != before
    assert (here.environment.folder / KEPT).is_dir()
    code, out, said = here.doctor("--undo", "--json")
    assert code == 0 and json.loads(out)["undone"] is True, (out, said)
    assert here.files() == before and here.asked(LISTED) == packages
    assert not (here.environment.folder / KEPT).exists()


@pytest.mark.parametrize("state", ["half uninstalled", "no metadata", "registered, gone"])
def test_states(windows_bench: WindowsBench, machine: WindowsMachine, urls: Mapping[str, str], state: str) -> None:
    """The plan alone changes nothing; then as above."""
    here = patient(windows_bench, machine, urls, state)
    before, packages = here.files(), here.asked(LISTED)
    code, out, said = here.doctor()
    assert code == 1 and "done by --apply" in " ".join(out.split()) and here.files() == before, (out, said)
    here.doctor("--apply", "--yes")
    assert here.asked(TORCH).endswith("+xpu")
    assert here.doctor("--undo")[0] == 0
    assert here.files() == before and here.asked(LISTED) == packages


@pytest.mark.parametrize("moment", [0.5, 3.0, 6.0])
def test_terminated_in_the_middle(
    windows_bench: WindowsBench, machine: WindowsMachine, urls: Mapping[str, str], moment: float
) -> None:
    """TerminateProcess, which no program can catch: pip ends with the doctor, and going back leads to the same files and packages."""
    here = patient(windows_bench, machine, urls)
    before, packages = here.files(), here.asked(LISTED)
    here.killed_after(moment)
    code, out, said = here.doctor("--undo", "--yes")
    assert code in (0, 2), (out, said)
    assert here.files() == before and here.asked(LISTED) == packages


def test_from_a_folder(
    windows_bench: WindowsBench, machine: WindowsMachine, urls: Mapping[str, str], tmp_path: Path
) -> None:
    """Fetched with hashes, installed without an index; the history names it."""
    here = patient(windows_bench, machine, urls)
    folder = tmp_path / "the wheels"
    code, _, said = here.doctor("--download", folder)
    assert code == 0 and len(list(folder.glob("*.whl"))) == 5, said
    here.doctor("--apply", "--yes", "--find-links", folder)
    assert here.asked(TORCH) == "2.14.0+xpu"
    assert "done" in here.doctor("--history")[1]

"""The one file under a genuine CPython for Windows that has nothing installed."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.windows_bench import WindowsBench
from xpu_doctor.model.version import __version__

PASTED = b"AssertionError: Torch not compiled with XPU enabled\r\n"


@pytest.fixture(scope="module")
def home(windows_bench: WindowsBench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for application data of the test's own, with a name that a command line must quote."""
    folder = tmp_path_factory.mktemp("data") / "Anwendungsdaten & für 東京"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def carried(one_file: Path, home: Path) -> Path:
    """The file, where such names are."""
    return Path(shutil.copy(one_file, home / "xpu-doctor.pyz"))


def run(bench: WindowsBench, carried: Path, *arguments: str | Path, stdin: bytes | None = None) -> tuple[int, str, str]:
    """Run the file with a Python without the doctor; return how it ended, and what it printed."""
    env = {"LOCALAPPDATA": bench.machine.spelled(carried.parent), "PYTHONUTF8": "1"}
    argv = [bench.patient, "-S", carried, *arguments]
    ended = bench.machine.win(argv, env=env, stdin=stdin, timeout=240)
    return ended.returncode, ended.stdout.decode("utf-8").replace("\r\n", "\n"), ended.stderr.decode("utf-8", "replace")


def unpacked(bench: WindowsBench, carried: Path) -> Path:
    """Where the file unpacks itself: Wine sets this variable itself, whatever a test says."""
    env = {"LOCALAPPDATA": bench.machine.spelled(carried.parent)}
    asked = bench.machine.win(
        [bench.patient, "-X", "utf8", "-c", "import os; print(os.environ['LOCALAPPDATA'])"], env=env
    )
    start = zipfile.ZipFile(carried).read("__main__.py").decode()
    digest = re.search(r'^DIGEST = "(\w{16})', start, re.MULTILINE)
    assert digest is not None
    return bench.machine.here(asked.stdout.decode("utf-8").strip()) / "xpu-doctor" / f"{digest[1]}-cp313-win_amd64"


def test_every_command(windows_bench: WindowsBench, carried: Path) -> None:
    """Unpacked once, with the modules for Windows alone; the cache is used by the next run."""
    assert run(windows_bench, carried, "--version") == (0, f"xpu-doctor, version {__version__}\n", "")
    folder = unpacked(windows_bench, carried)
    assert {path.suffix for path in folder.rglob("_*") if path.suffix in (".so", ".pyd")} == {".pyd"}
    code, out, err = run(windows_bench, carried, "check", "--python", windows_bench.venv, "--skip", "import", "--json")
    assert err == "" and code in (1, 3), err
    document = json.loads(out)
    assert document["snapshot"]["python"]["os"] == "windows"
    assert "torch-not-installed" in [item["code"] for item in document["root_causes"]], out
    code, out, err = run(windows_bench, carried, "triage", "-", stdin=PASTED)
    assert (code, err) == (1, "") and "torch-cpu-wheel" in out
    assert "What it means" in run(windows_bench, carried, "explain", "torch-cpu-wheel")[1]
    assert run(windows_bench, carried, "facts", "torch", "2.14")[0] == 0
    code, out, err = run(windows_bench, carried, "fix", "--python", windows_bench.venv, "--json")
    assert json.loads(out)["schema"] == 1, err
    assert not [path for path in folder.parent.iterdir() if path.name.startswith(".new-")]


def test_hints_name_the_file(windows_bench: WindowsBench, carried: Path) -> None:
    """As PowerShell takes them."""
    _, out, _ = run(windows_bench, carried, "check", "--python", windows_bench.venv, "--skip", "import", "--no-redact")
    more = next(line for line in " ".join(out.split()).split("More: ")[1:])
    assert "xpu-doctor.pyz" in more and "explain" in more and "-m xpu_doctor" not in more, out

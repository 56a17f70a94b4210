"""The headline cases on a real torch: as it is, beside a recorded GPU, and damaged in the ways installs break."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import codes, doctor, environment, flat, rung
from tests.support.environments import make_environment
from xpu_doctor.catalogue.plugins import Plugins
from xpu_doctor.examination.run import finish, now, start
from xpu_doctor.examination.session import Session
from xpu_doctor.model.selection import CHECKED, Selection
from xpu_doctor.report.build import Report, rendered
from xpu_doctor.target.find import Choice

BUILD_FINDING = {"cpu": "torch-cpu-wheel", "cuda": "torch-cuda-wheel", "rocm": "torch-rocm-wheel"}
ARC_B580 = {"vendor": "0x8086", "device": "0xe20b", "class": "0x030000", "revision": "0x00", "driver": "xe"}


@pytest.fixture(scope="session")
def real(torch_env: Path) -> dict[str, Any]:
    """The document of a full check of the real torch."""
    return doctor("check", "--python", str(torch_env), "--json").json()


@pytest.fixture
def bus_is_readable() -> None:
    """Some sandboxes hide the PCI bus; then presence is unknown and these expectations do not hold."""
    if not any(Path("/sys/bus/pci/devices").glob("*")):
        pytest.skip("this machine shows no PCI bus")
    if any(
        (device / "vendor").read_text() == "0x8086\n" and (device / "class").read_text().startswith("0x03")
        for device in Path("/sys/bus/pci/devices").iterdir()
    ):
        pytest.skip("this machine has an Intel GPU")


@pytest.mark.usefixtures("bus_is_readable")
def test_without_a_gpu(real: dict[str, Any]) -> None:
    assert real["root_causes"][0]["code"] == "gpu-not-present"
    assert real["root_causes"][0]["severity"] == "error"
    wrong = BUILD_FINDING[real["snapshot"]["torch"]["build"]]
    [wheel] = [finding for finding in flat(real["root_causes"]) if finding["code"] == wrong]
    assert wheel["severity"] == "info"
    assert rung(real, "import")["state"] == "ok"
    assert real["verdict"] == "findings"


def test_the_build_is_read_from_the_files(real: dict[str, Any], torch_env: Path) -> None:
    run = subprocess.run(
        [str(torch_env / "bin/python"), "-c", "import torch; print(torch.__version__, torch.version.cuda, torch.version.hip)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    version, cuda, hip = run.stdout.split()
    assert real["snapshot"]["torch"]["version"] == version
    expected = "cuda" if cuda != "None" else "rocm" if hip != "None" else "cpu"
    assert real["snapshot"]["torch"]["build"] == expected


def test_only_wheel(torch_env: Path) -> None:
    ran = doctor("check", "--python", str(torch_env), "--only", "wheel", "--json")
    assert ran.code == 1
    document = ran.json()
    cause = document["root_causes"][0]
    assert (cause["code"], cause["severity"]) == (BUILD_FINDING[document["snapshot"]["torch"]["build"]], "error")


def test_with_an_arc_b580_on_the_bus(torch_env: Path, tmp_path: Path) -> None:
    from xpu_doctor.host.live import LiveHost

    root = tmp_path / "root"
    device = root / "sys/bus/pci/devices/0000:03:00.0"
    device.mkdir(parents=True)
    for name in ("vendor", "device", "class", "revision"):
        (device / name).write_text(ARC_B580[name] + "\n", encoding="utf-8")
    (root / "sys/bus/pci/drivers/xe").mkdir(parents=True)
    (device / "driver").symlink_to("../../drivers/xe")
    python = str(torch_env / "bin/python")
    host = LiveHost(root=str(root), env=environment())
    session = Session(Choice(python, "a test"), Selection(frozenset(CHECKED)), environment(), {}, host=host)
    report = Report(created=now()).of_snapshot(finish(start(session), Plugins()).snapshot)
    document = json.loads(rendered(report, "json", to_file=True, verbose=False))
    expected = BUILD_FINDING[document["snapshot"]["torch"]["build"]]
    # This machine's own loader may be a fault of its own, to be mended first: it explains no wrong wheel.
    [cause] = [root for root in document["root_causes"] if root["code"] == expected]
    assert cause["severity"] == "error"
    commands = "\n".join(command for remedy in cause["remedies"] for command in remedy["commands"])
    for part in (
        "uninstall",
        "torch==2.13.0+xpu",
        "torchvision==0.28.0",
        "torchaudio==2.11.0",
        "--no-cache",
        "https://download.pytorch.org/whl/xpu",
    ):
        assert part in commands


@pytest.fixture
def copy(torch_env: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An environment of its own whose files are links to the real torch's: cheap to make, and safe to damage by replacing."""
    folder = torch_env.parent / f"copy-{os.getpid()}"
    made = make_environment(folder)
    source = next((torch_env / "lib").glob("python3*")) / "site-packages"
    for entry in source.iterdir():
        if entry.name.startswith(("pip", "setuptools", "__pycache__")):
            continue
        target = made.site / entry.name
        if entry.is_dir():
            shutil.copytree(entry, target, copy_function=os.link, symlinks=True)
        else:
            os.link(entry, target)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def site_of(folder: Path) -> Path:
    return next((folder / "lib").glob("python3*")) / "site-packages"


def replace(path: Path, data: bytes) -> None:
    """Give a file another content without touching the file that it is linked to."""
    path.unlink()
    path.write_bytes(data)


def broken(folder: Path, *more: str) -> dict[str, Any]:
    """The finding torch-install-broken of a check."""
    document = doctor("check", "--python", str(folder), "--json", *more).json()
    found = [finding for finding in flat(document["root_causes"]) if finding["code"] == "torch-install-broken"]
    assert found, codes(document)
    return found[0]


def test_a_library_is_deleted(copy: Path) -> None:
    (site_of(copy) / "torch/lib/libtorch_cpu.so").unlink()
    finding = broken(copy)
    assert "libtorch_cpu.so" in json.dumps(finding)
    assert any(item["code"] == "torch-import-failed" for item in flat([finding])), "the import error is explained by it"


def test_a_library_is_cut_off(copy: Path) -> None:
    library = site_of(copy) / "torch/lib/libtorch_python.so"
    replace(library, library.read_bytes()[:100_000])
    assert "libtorch_python.so" in json.dumps(broken(copy))


def test_a_library_is_empty(copy: Path) -> None:
    replace(site_of(copy) / "torch/lib/libc10.so", b"")
    assert "libc10.so" in json.dumps(broken(copy))


def test_files_of_two_versions_are_mixed(copy: Path) -> None:
    version = site_of(copy) / "torch/version.py"
    text = version.read_text(encoding="utf-8").replace("2.13.0", "2.12.1")
    replace(version, text.encode())
    assert "version.py" in json.dumps(broken(copy))


def test_the_metadata_is_there_twice(copy: Path) -> None:
    site = site_of(copy)
    info = next(site.glob("torch-*.dist-info"))
    other = site / "torch-2.12.1.dist-info"
    shutil.copytree(info, other)
    (other / "METADATA").write_text(
        (info / "METADATA").read_text(encoding="utf-8").replace("2.13.0", "2.12.1"), encoding="utf-8"
    )
    assert "2.12.1" in json.dumps(broken(copy, "--skip", "import"))


def test_pip_was_interrupted(copy: Path) -> None:
    site = site_of(copy)
    (site / "~orch").mkdir()
    replace(site / "torch/__init__.py", b"")
    assert "torch/__init__.py" in json.dumps(broken(copy, "--skip", "import"))


def test_a_healthy_copy_is_not_called_broken(copy: Path) -> None:
    document = doctor("check", "--python", str(copy), "--json", "--skip", "import").json()
    assert "torch-install-broken" not in codes(document)
    [torch] = [found for found in document["snapshot"]["distributions"]["installed"] if found["name"] == "torch"]
    # The copy holds site-packages only, and not the scripts beside it.
    assert [fault for fault in torch["file_faults"] if not fault["path"].startswith("..")] == []


def test_an_empty_environment_names_who_has_torch(torch_env: Path, tmp_path: Path) -> None:
    empty = make_environment(tmp_path / "empty")
    ran = doctor("check", "--python", str(empty.python), "--json", env=environment(VIRTUAL_ENV=str(torch_env)))
    document = ran.json()
    [cause] = [
        root for root in document["root_causes"] if root["code"] == "torch-not-installed"
    ]  # a missing GPU stands beside it, not above it
    assert str(torch_env) in json.dumps(cause)

"""What is in the one file, and that everybody who builds it gets the same."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from tests.support.one_file import ROOT, build
from xpu_doctor.model.version import __version__
from xpu_doctor.tables import parse_toml

LOCK = ROOT / "requirements" / "one-file.txt"


def test_the_same_input_gives_the_same_bytes(one_file: Path, tmp_path: Path) -> None:
    assert build(tmp_path, one_file.parent / "wheels").returncode == 0
    assert (tmp_path / one_file.name).read_bytes() == one_file.read_bytes()


def test_it_is_small_enough_to_be_sent(one_file: Path) -> None:
    assert one_file.stat().st_size < 5 << 20


def test_it_holds_what_each_interpreter_needs(one_file: Path) -> None:
    """The compiled module of five CPythons on two systems; the package with its data; the licence of everything."""
    names = set(zipfile.ZipFile(one_file).namelist())
    tags = {name.split(".")[1] for name in names if name.startswith("msgspec/_core.")}
    start = zipfile.ZipFile(one_file).read("__main__.py").decode()
    assert tags == set(re.findall(r"'(c[\w-]+)'", start)) and len(tags) == 10
    assert {"xpu_doctor/target/agent/__main__.py", "xpu_doctor/data/releases.toml", "LICENSE", "NOTICE"} <= names
    assert not [name for name in names if name.endswith(".pyc") or "__pycache__" in name]
    packages = {name.partition("/")[0] for name in names if name.endswith(".py") and "/" in name}
    licences = {name.partition("-")[0].lower() for name in names if ".dist-info/" in name}
    assert {name for name in packages if name != "xpu_doctor"} <= licences | {"cpuinfo"} and "py_cpuinfo" in licences


def test_nobodys_path_or_time_is_in_it(one_file: Path) -> None:
    for info in zipfile.ZipFile(one_file).infolist():
        assert info.date_time == (1980, 1, 1, 0, 0, 0)
        assert info.external_attr >> 16 == 0o100644
    assert str(ROOT).encode() not in one_file.read_bytes()


def test_the_lock_has_every_requirement_with_its_hash_and_no_address() -> None:
    project = parse_toml((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {re.split(r"[<>=;~!]", line)[0].strip() for line in project["dependencies"]}
    text = LOCK.read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=\S)", text)
    pinned = {block.partition("==")[0]: block.count("--hash=sha256:") for block in blocks if "==" in block[:40]}
    assert set(pinned) == wanted and all(pinned.values())
    assert not re.search(r"://|--(?:extra-)?index-url|--find-links[ =]|file:", text)


def test_the_version_is_that_of_the_package(one_file: Path) -> None:
    text = zipfile.ZipFile(one_file).read("xpu_doctor/model/version.py").decode()
    assert f'"{__version__}"' in text

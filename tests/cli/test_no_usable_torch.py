"""Environments in which `import torch` gives something, and no torch: none of them is ever called clear."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from tests.support.cli import codes, doctor, flat, rung
from tests.support.environments import StubEnvironment


def empty_folder(stub: StubEnvironment) -> None:
    """pip's RECORD and an empty folder."""
    stub.add_torch()
    package = stub.site / "torch"
    subprocess.run(["find", str(package), "-type", "f", "-delete"], check=True)


def empty_folder_without_record(stub: StubEnvironment) -> None:
    """A dist-info whose RECORD is gone as well."""
    empty_folder(stub)
    next(stub.site.glob("torch-*.dist-info")).joinpath("RECORD").unlink()


def namespace(stub: StubEnvironment) -> None:
    """A folder called torch that nobody installed."""
    (stub.site / "torch" / "models").mkdir(parents=True)


def no_init_and_no_record(stub: StubEnvironment) -> None:
    """All of torch but its __init__.py, as conda and distributions install it: without RECORD."""
    info = stub.add_torch()
    (stub.site / "torch" / "__init__.py").unlink()
    (info / "RECORD").unlink()


def no_init_and_no_metadata(stub: StubEnvironment) -> None:
    """All of torch but its __init__.py and its dist-info."""
    info = stub.add_torch()
    (stub.site / "torch" / "__init__.py").unlink()
    subprocess.run(["rm", "-r", str(info)], check=True)


def file_alone(stub: StubEnvironment) -> None:
    """A script called torch.py among the installed packages."""
    (stub.site / "torch.py").write_text("answer = 42\n", encoding="utf-8")


def file_beside_an_empty_folder(stub: StubEnvironment) -> None:
    """torch.py beside an empty folder torch and its dist-info."""
    empty_folder(stub)
    file_alone(stub)


def file_before_torch(stub: StubEnvironment) -> None:
    """A torch.py in a folder that a .pth puts before an intact torch."""
    stub.add_torch()
    earlier = stub.folder / "earlier"
    earlier.mkdir()
    (earlier / "torch.py").write_text("answer = 42\n", encoding="utf-8")
    (stub.site / "first.pth").write_text(f"import sys; sys.path.insert(0, {str(earlier)!r})\n", encoding="utf-8")


def empty_init(stub: StubEnvironment) -> None:
    """A torch whose __init__.py was cut to nothing."""
    (stub.site / "torch").mkdir()
    (stub.site / "torch" / "__init__.py").touch()


BROKEN: tuple[tuple[Callable[[StubEnvironment], None], str], ...] = (
    (empty_folder, "torch-install-broken"),
    (empty_folder_without_record, "torch-install-broken"),
    (namespace, "torch-not-installed"),
    (no_init_and_no_record, "torch-install-broken"),
    (no_init_and_no_metadata, "torch-install-broken"),
    (file_alone, "torch-not-installed"),
    (file_beside_an_empty_folder, "torch-install-broken"),
    (file_before_torch, "torch-shadowed"),
    (empty_init, "torch-import-failed"),
)
SELECTIONS = ("enumeration", "runtime,wheel")


@pytest.mark.parametrize(("make", "code"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
def test_what_is_no_torch_is_a_fault(stub: StubEnvironment, make: Callable[[StubEnvironment], None], code: str) -> None:
    make(stub)
    document = doctor("check", "--python", str(stub.python), "--json", "--only", "wheel,import,enumeration").json()
    assert document["exit_code"] == 1 and document["verdict"] == "findings"
    assert code in codes(document)
    assert rung(document, "import")["state"] == "fault" and rung(document, "enumeration")["state"] != "ok"
    assert any(finding["severity"] == "error" for finding in document["root_causes"])
    assert document["snapshot"]["imported"]["succeeded"] is False


@pytest.mark.parametrize(("make", "code"), BROKEN[:5:2], ids=lambda value: getattr(value, "__name__", ""))
def test_no_selection_of_layers_calls_it_clear(
    stub: StubEnvironment, make: Callable[[StubEnvironment], None], code: str
) -> None:
    make(stub)
    for only in SELECTIONS:
        ran = doctor("check", "--python", str(stub.python), "--only", only)
        assert ran.code == 1, f"--only {only}: {ran.stdout}"
        assert "All clear" not in ran.stdout and "Nothing here has to be" not in ran.stdout


@pytest.mark.parametrize(
    "make", [no_init_and_no_record, no_init_and_no_metadata, file_before_torch, file_beside_an_empty_folder]
)
def test_files_alone_show_it(stub: StubEnvironment, make: Callable[[StubEnvironment], None]) -> None:
    make(stub)
    assert doctor("check", "--python", str(stub.python), "--only", "wheel").code == 1


def test_the_file_that_wins_is_named(stub: StubEnvironment) -> None:
    file_before_torch(stub)
    document = doctor("check", "--python", str(stub.python), "--json", "--only", "wheel").json()
    found = next(finding for finding in flat(document["root_causes"]) if finding["code"] == "torch-shadowed")
    assert (
        str(stub.folder / "earlier" / "torch.py") in found["summary"] and str(stub.site / "torch") in found["summary"]
    )


def test_a_layer_without_a_torch_to_judge_is_unknown(stub: StubEnvironment) -> None:
    """The libraries of a torch that is not there are not in order, and nobody looked at the wheel."""
    document = doctor("check", "--python", str(stub.python), "--json", "--only", "runtime").json()
    assert document["exit_code"] == 3 and rung(document, "runtime")["state"] == "unknown"


def test_a_package_without_source_is_a_package(stub: StubEnvironment) -> None:
    """A torch of .pyc files alone is imported, and no file is missing."""
    stub.add_torch()
    script = "import compileall, sys; compileall.compile_dir(sys.argv[1], legacy=True, quiet=1)"
    subprocess.run([str(stub.python), "-c", script, str(stub.site / "torch")], check=True)
    for source in (stub.site / "torch").rglob("*.py"):
        source.unlink()
    next(stub.site.glob("torch-*.dist-info")).joinpath("RECORD").unlink()
    document = doctor("check", "--python", str(stub.python), "--json", "--only", "wheel,import").json()
    assert document["snapshot"]["torch"]["package"] is True and rung(document, "import")["state"] == "ok"
    assert "no __init__.py" not in str(document["root_causes"])


def test_an_editable_torch_is_installed(stub: StubEnvironment) -> None:
    """setuptools installs a project in place by a finder, and no entry of the path holds the package."""
    project = stub.folder / "project"
    (project / "torch" / "lib").mkdir(parents=True)
    (project / "torch" / "__init__.py").write_text("__version__ = '2.14.0a0+git1234567'\n", encoding="utf-8")
    (project / "torch" / "version.py").write_text("__version__ = '2.14.0a0+git1234567'\nxpu = None\n", encoding="utf-8")
    (project / "torch" / "lib" / "libtorch_cpu.so").touch()
    (stub.site / "_editable_torch.py").write_text(FINDER.format(folder=str(project / "torch")), encoding="utf-8")
    (stub.site / "__editable__.torch.pth").write_text("import _editable_torch\n", encoding="utf-8")
    document = doctor("check", "--python", str(stub.python), "--json", "--only", "wheel,import").json()
    assert "torch-not-installed" not in codes(document)
    assert document["snapshot"]["torch"]["path"] == str(project / "torch")
    assert rung(document, "import")["state"] == "ok"


FINDER = """
import sys
from importlib.util import spec_from_file_location

class Finder:
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name == "torch":
            return spec_from_file_location(name, {folder!r} + "/__init__.py", submodule_search_locations=[{folder!r}])
        return None

sys.meta_path.append(Finder)
"""


@pytest.mark.parametrize("asked", [("--only", "compute"), ("--only", "import"), ("--ignore", "torch-not-installed")])
def test_an_environment_without_torch_is_no_bug_of_torch(stub: StubEnvironment, asked: tuple[str, str]) -> None:
    """Whatever was asked for: nothing is installed, and nobody is sent to PyTorch's issues."""
    ran = doctor("check", "--python", str(stub.python), "--skip", "device", *asked)
    assert ran.code == 1
    assert "torch is not installed" in ran.stdout
    assert "bug report" not in ran.stdout and "pytorch/pytorch/issues" not in ran.stdout


def test_a_torch_without_its_folder_of_libraries_is_damaged(stub: StubEnvironment) -> None:
    """Its metadata says that it is installed, and RECORD lists no library: no error of Python reaches the reader."""
    stub.add_torch(init="from torch._C import *\n", libraries=())
    ran = doctor("check", "--python", str(stub.python), "--only", "wheel,import")
    assert ran.code == 1
    assert "[torch-install-broken]" in ran.stdout and "is missing or" in ran.stdout
    assert "Errno" not in ran.stdout

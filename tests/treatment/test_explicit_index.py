"""An index of a uv project is made explicit by one line, and nothing else of the file changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from xpu_doctor.model.commands import Command
from xpu_doctor.model.findings import Remedy
from xpu_doctor.treatment.explicit_index import made_explicit, main, manifests
from xpu_doctor.treatment.plan import Step, TreatmentPlan
from xpu_doctor.treatment.project import MODULE, project_files, with_explicit_index

HEAD = '[project]\nname = "patient"\n\n'
NAMED = '[[tool.uv.index]]\nname = "pytorch-xpu"\n'
REST = 'url = "https://example.org/xpu"\n\n[tool.uv.sources]\ntorch = { index = "pytorch-xpu" }\n'
OTHER = '[[tool.uv.index]]\nname = "own"\nurl = "https://example.org/own"\ndefault = true\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (HEAD + NAMED + REST, HEAD + NAMED + "explicit = true\n" + REST),
        (HEAD + OTHER + NAMED + REST, HEAD + OTHER + NAMED + "explicit = true\n" + REST),
        (NAMED + REST + OTHER, NAMED + "explicit = true\n" + REST + OTHER),
        (NAMED + "explicit = false # no\n" + REST, NAMED + "explicit = true\n" + REST),
        (NAMED + "explicit = true\n" + REST, NAMED + "explicit = true\n" + REST),
        (f"[[ tool.uv.index ]] # XPU\n  name='pytorch-xpu' # it\n{REST}", f"[[ tool.uv.index ]] # XPU\n  name='pytorch-xpu' # it\nexplicit = true\n{REST}"),
        ('[[tool.uv.index]]\nurl = "u"\nname = "pytorch-xpu"', '[[tool.uv.index]]\nurl = "u"\nname = "pytorch-xpu"\nexplicit = true\n'),
        ((NAMED + REST).replace("\n", "\r\n"), (NAMED + "explicit = true\n" + REST).replace("\n", "\r\n")),
        (HEAD + OTHER, HEAD + OTHER),
        ('[[tool.other.index]]\nname = "pytorch-xpu"\n', '[[tool.other.index]]\nname = "pytorch-xpu"\n'),
        ('[tool.uv]\nindex = [{ name = "pytorch-xpu", url = "u" }]\n', '[tool.uv]\nindex = [{ name = "pytorch-xpu", url = "u" }]\n'),
        ("", ""),
    ],
)  # fmt: skip
def test_one_line(before: str, after: str) -> None:
    assert made_explicit(before, "pytorch-xpu") == after
    assert made_explicit(after, "pytorch-xpu") == after


def test_members_of_a_workspace_too(tmp_path: Path) -> None:
    for folder in ("", "packages/app", ".venv/lib", "env/inside", "node_modules/x"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / "pyproject.toml").write_text(NAMED + REST)
    (tmp_path / "env" / "pyvenv.cfg").write_text("")
    found = [path.relative_to(tmp_path).as_posix() for path in manifests(tmp_path)]
    assert found == ["packages/app/pyproject.toml", "pyproject.toml"]
    assert main(str(tmp_path), "pytorch-xpu") == 0
    assert all("explicit = true" in (tmp_path / name).read_text() for name in found)
    assert "explicit" not in (tmp_path / "env" / "inside" / "pyproject.toml").read_text()
    assert {path.name for path in project_files("uv-project", str(tmp_path))} == {"pyproject.toml", "uv.lock"}


def test_a_file_that_is_no_text_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"\xff\xfe")
    assert main(str(tmp_path), "pytorch-xpu") == 1
    assert "pyproject.toml" in capsys.readouterr().err


def commands(*argv: str, obstacle: str = "") -> list[tuple[str, ...]]:
    """What a plan with one command of a uv project becomes."""
    step = Step(
        "torch-cpu-wheel", "", Remedy("t", "w", manager="uv-project", steps=(Command(argv),), os="linux"), obstacle
    )
    (made,) = with_explicit_index(TreatmentPlan((step,)), "/doctor").steps
    return [command.argv for command in made.remedy.steps]


def test_nothing_is_locked_before_the_index_is_explicit() -> None:
    index = "pytorch-xpu=https://example.org/xpu"
    where = ("--project", "/p", "--package", "app", "--no-cache")
    add = (
        "uv",
        "add",
        *where,
        "--index",
        index,
        "--prerelease",
        "allow",
        "--reinstall-package",
        "torch",
        "torch==2.14.0",
    )
    lock = ("uv", "lock", "--project", "/p", "--no-cache", "--prerelease", "allow")
    edit = ("/doctor", "-m", MODULE, "/p", "pytorch-xpu")
    assert commands(*add) == [
        ("uv", "add", *where, "--index", index, "--prerelease", "allow", "--frozen", "torch==2.14.0"),
        edit,
        lock,
        ("uv", "sync", *lock[2:], "--inexact", "--package", "app", "--reinstall-package", "torch"),
    ]  # fmt: skip
    assert commands(*add[:-3], "--no-sync", add[-1])[1:] == [edit, lock]
    assert commands(*add, obstacle="a reason") == [add]
    assert commands("uv", "sync", "--project", "/p") == [("uv", "sync", "--project", "/p")]

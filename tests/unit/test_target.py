"""Which interpreter is examined, and why that one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from xpu_doctor.model.terms import ChosenBy
from xpu_doctor.target.find import Surroundings, TargetError, find_target, isolated_tool, other_interpreters


def make(folder: Path, name: str = "bin/python3", text: str = "") -> Path:
    """A file that stands for an interpreter."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def around(tmp_path: Path, windows: bool = False, own: str = "", run: object = None, **variables: str) -> Surroundings:
    """Surroundings with an own interpreter in an isolated tool environment unless `own` says another."""
    prefix = tmp_path / "pipx" / "venvs" / "xpu-doctor"
    return Surroundings(
        {"PATH": "", **variables},
        own or str(prefix / "bin/python"),
        str(Path(own).parent.parent) if own else str(prefix),
        windows,
        run,
    )  # type: ignore[arg-type]


def test_the_option_wins(tmp_path: Path) -> None:
    named, active = make(tmp_path / "a"), make(tmp_path / "b")
    choice = find_target(str(tmp_path / "a"), around(tmp_path, VIRTUAL_ENV=str(active.parent.parent)))
    assert (choice.python, choice.why, choice.by) == (str(named), "named by --python", ChosenBy.OPTION)


def test_the_active_environment_comes_next(tmp_path: Path) -> None:
    active = make(tmp_path / "venv")
    choice = find_target(None, around(tmp_path, VIRTUAL_ENV=str(tmp_path / "venv"), CONDA_PREFIX=str(tmp_path)))
    assert choice.python == str(active)
    assert "$VIRTUAL_ENV" in choice.why and choice.by is ChosenBy.ACTIVE


def test_an_active_environment_that_is_gone_is_passed_over(tmp_path: Path) -> None:
    conda = make(tmp_path / "conda")
    choice = find_target(
        None, around(tmp_path, VIRTUAL_ENV=str(tmp_path / "deleted"), CONDA_PREFIX=str(tmp_path / "conda"))
    )
    assert choice.python == str(conda)
    assert "deleted, which holds no interpreter" in choice.why


@pytest.mark.parametrize("option", [None, "the folder"])
def test_an_environment_whose_python_is_gone_is_refused(tmp_path: Path, option: str | None) -> None:
    broken = tmp_path / "broken"
    (broken / "bin").mkdir(parents=True)
    (broken / "bin/python3").symlink_to("/usr/local/bin/python3.5")
    with pytest.raises(TargetError, match=r"leads to /usr/local/bin/python3\.5, which is not there"):
        find_target(option and str(broken), around(tmp_path, VIRTUAL_ENV=str(broken)))


def test_a_bin_folder_and_an_empty_option(tmp_path: Path) -> None:
    make(tmp_path / "venv")
    with pytest.raises(TargetError, match="did you mean"):
        find_target(str(tmp_path / "venv" / "bin"), around(tmp_path))
    with pytest.raises(TargetError, match="empty"):
        find_target("", around(tmp_path))


def test_the_own_environment_unless_it_is_a_tools(tmp_path: Path) -> None:
    own = make(tmp_path / "plain")
    assert find_target(None, around(tmp_path, own=str(own))).python == str(own)
    on_path = make(tmp_path / "path", "python3")
    assert find_target(None, around(tmp_path, PATH=str(tmp_path / "path"))).python == str(on_path)


@pytest.mark.parametrize(
    ("prefix", "tool"),
    [
        ("/home/u/.local/pipx/venvs/xpu-doctor", "pipx"),
        ("/home/u/.cache/uv/archive-v0/AbC123", "uv tool"),
        ("/home/u/.cache/uv/environments-v2/xpu-doctor-1", "uv tool"),
        ("/home/u/project/.venv", ""),
    ],
)
def test_isolated_tools_are_known_by_their_folder(prefix: str, tool: str) -> None:
    assert isolated_tool(prefix) == tool


def test_isolated_tools_are_known_by_their_marks(tmp_path: Path) -> None:
    (tmp_path / "uv-receipt.toml").write_text("", encoding="utf-8")
    assert isolated_tool(str(tmp_path)) == "uv tool"


def test_shims_are_resolved(tmp_path: Path) -> None:
    real = make(tmp_path / "versions" / "3.12")
    shim = make(tmp_path / "shims", "python3", f"#!/bin/sh\necho {real}\n")
    choice = find_target(None, around(tmp_path, PATH=str(shim.parent)))
    assert choice.python == str(real)


def test_a_shim_that_leads_nowhere_is_passed_over(tmp_path: Path) -> None:
    shim = make(tmp_path / "shims", "python3", "#!/bin/sh\necho 'pyenv: python3: command not found' >&2\nexit 127\n")
    real = make(tmp_path / "bin", "python")
    choice = find_target(None, around(tmp_path, PATH=f"{shim.parent}{os.pathsep}{real.parent}"))
    assert choice.python == str(real)


def test_the_stores_alias_is_no_python(tmp_path: Path) -> None:
    alias = make(tmp_path / "Microsoft" / "WindowsApps", "python")
    asked: list[list[str]] = []

    def run(arguments: list[str]) -> str | None:
        asked.append(arguments)
        return None

    with pytest.raises(TargetError, match="--python"):
        find_target(None, around(tmp_path, windows=True, run=run, PATH=str(alias.parent)))
    assert asked


def test_the_py_launcher_is_asked_for_its_python(tmp_path: Path) -> None:
    launcher = make(tmp_path / "bin", "py")
    choice = find_target(
        None,
        around(tmp_path, windows=True, run=lambda arguments: "C:\\Python312\\python.exe\n", PATH=str(launcher.parent)),
    )
    assert choice.python == "C:\\Python312\\python.exe"


def test_windows_layouts(tmp_path: Path) -> None:
    venv = make(tmp_path / "venv", "Scripts/python.exe")
    conda = make(tmp_path / "conda", "python.exe")
    portable = make(tmp_path / "ComfyUI" / "python_embeded", "python.exe")
    surroundings = around(tmp_path, windows=True)
    assert find_target(str(tmp_path / "venv"), surroundings).python == str(venv)
    assert find_target(str(tmp_path / "conda"), surroundings).python == str(conda)
    assert find_target(str(tmp_path / "ComfyUI"), surroundings).python == str(portable)


@pytest.mark.parametrize(
    "within",
    [
        "python_embeded/python.exe",
        "resources/ai-backend-env/python.exe",
        "resources/ComfyUI/.venv/Scripts/python.exe",
        "installer_files/env/python.exe",
        "server/venv/Scripts/python.exe",
    ],
)
def test_the_folder_of_an_application(tmp_path: Path, within: str) -> None:
    """Naming it is enough: the application's own Python is found."""
    python = make(tmp_path / "An Application", within)
    assert find_target(str(tmp_path / "An Application"), around(tmp_path, windows=True)).python == str(python)


def test_an_application_with_two_pythons(tmp_path: Path) -> None:
    """The first one is taken, and the other one is named."""
    first = make(tmp_path / "AI Playground", "resources/ai-backend-env/python.exe")
    second = make(tmp_path / "AI Playground", "resources/ComfyUI/.venv/Scripts/python.exe")
    choice = find_target(str(tmp_path / "AI Playground"), around(tmp_path, windows=True))
    assert choice.python == str(first) and choice.why == f"named by --python; {second} is there too"


@pytest.mark.parametrize("how", ["a path", "a name on PATH"])
def test_an_alias_of_the_store_says_what_it_is(tmp_path: Path, how: str) -> None:
    """It is said what it is, and how to find the Pythons that are installed; an alias that leads to one is followed."""
    alias = make(tmp_path / "Microsoft" / "WindowsApps", "python")
    option = str(alias) if how == "a path" else "python"
    dead = around(tmp_path, windows=True, run=lambda arguments: None, PATH=str(alias.parent))
    with pytest.raises(TargetError, match=r"alias of the Microsoft Store.*py --list-paths"):
        find_target(option, dead)
    alive = around(tmp_path, windows=True, run=lambda arguments: "C:\\Store\\python3.12.exe\n", PATH=str(alias.parent))
    assert find_target(option, alive).python == "C:\\Store\\python3.12.exe"


@pytest.mark.parametrize("option", ["nowhere/at/all", "no-such-command"])
def test_a_wrong_option_is_one_clear_line(tmp_path: Path, option: str) -> None:
    with pytest.raises(TargetError) as caught:
        find_target(option, around(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_folder_without_an_interpreter(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="holds no interpreter"):
        find_target(str(tmp_path), around(tmp_path))


def test_other_interpreters_name_their_torch(tmp_path: Path) -> None:
    chosen = make(tmp_path / "a")
    other = make(tmp_path / "b")
    (tmp_path / "b/lib/python3.12/site-packages/torch-2.9.1+xpu.dist-info").mkdir(parents=True)
    rows = dict(other_interpreters(str(chosen), around(tmp_path, CONDA_PREFIX=str(tmp_path / "b"))))
    assert rows[str(other)] == "2.9.1+xpu"
    assert str(chosen) not in rows


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to become somebody else")
def test_an_environment_that_may_not_be_read() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder, closed = Path(name), Path(name) / "closed"
        make(closed, "python3")
        (folder / "env" / "bin").mkdir(parents=True)
        (folder / "env/bin/python3").symlink_to(closed / "python3")
        folder.chmod(0o755)
        closed.chmod(0o700)
        os.seteuid(65534)
        try:
            with pytest.raises(TargetError, match="which you may not read"):
                find_target(str(folder / "env"), around(folder))
        finally:
            os.seteuid(0)


def test_a_relative_path_is_told_as_an_absolute_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed is typed from any folder."""
    python = make(tmp_path / "zweig")
    make(tmp_path / "app/.venv")
    monkeypatch.chdir(tmp_path)
    for choice in (
        find_target("zweig", around(tmp_path)),
        find_target("zweig/bin/python3", around(tmp_path)),
        find_target("python3", around(tmp_path, PATH="zweig/bin")),
        find_target(None, around(tmp_path, VIRTUAL_ENV="zweig")),
        find_target(None, around(tmp_path, PATH="zweig/bin")),
    ):
        assert choice.python == str(python)
    assert find_target("app", around(tmp_path)).python == str(tmp_path / "app/.venv/bin/python3")

"""The agent's own path: stray modules cannot kill it, they are found by looking, and torch is imported as the user would."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.cli import codes, doctor, environment, flat
from tests.support.environments import StubEnvironment, make_environment


def _comes_with_the_interpreter(stub: StubEnvironment, module: str) -> bool:
    """Whether a module is built into the interpreter, or frozen into it, and so is never looked for in folders."""
    asked = f"import _imp; print(_imp.is_builtin({module!r}) != 0 or _imp.is_frozen({module!r}))"
    return subprocess.run([stub.python, "-I", "-c", asked], capture_output=True, check=True).stdout.strip() == b"True"


def _runs(stub: StubEnvironment, module: str, stray: Path, where: str) -> bool:
    """Whether the interpreter takes the stray module for the one that is meant."""
    env = environment(PYTHONPATH=str(stray)) if where == "PYTHONPATH" else environment()
    tried = subprocess.run(
        [stub.python, "-c", f"import {module}"], capture_output=True, env=env, cwd=stray, timeout=60, check=False
    )
    return b"the stray module ran" in tried.stderr


@pytest.mark.parametrize(
    "module",
    [
        "json",
        "os",
        "time",
        "faulthandler",
        "traceback",
        "ast",
        "warnings",
        "random",
        "runpy",
        "types",
        "torch",
        "numpy",
    ],
)
@pytest.mark.parametrize("where", ["working folder", "PYTHONPATH"])
def test_stray_module_is_found_and_kills_nothing(
    stub: StubEnvironment, tmp_path: Path, module: str, where: str
) -> None:
    stub.add_torch(init="import random, json")
    stray = tmp_path / "stray"
    stray.mkdir()
    (stray / f"{module}.py").write_text("raise RuntimeError('the stray module ran')\n", encoding="utf-8")
    env = environment(PYTHONPATH=str(stray)) if where == "PYTHONPATH" else environment()
    # The doctor itself runs isolated from PYTHONPATH here; only the interpreter that it examines must get it.
    arguments = ("check", "--python", str(stub.python), "--json", "--timeout", "20")
    if where == "PYTHONPATH":
        run = subprocess.run(
            [*_isolated_doctor(), *arguments], capture_output=True, env=env, cwd=tmp_path, timeout=120, check=False
        )  # fmt: skip
        import json

        document = json.loads(run.stdout)
    else:
        document = (
            doctor(*arguments, env=env, cwd=stray).json()
            if module not in _KILLS_DOCTOR
            else _from_elsewhere(arguments, stray)
        )
    found = any(
        shadow["module"] == module and shadow["where"] == where for shadow in document["snapshot"]["shadows"]["found"]
    )
    assert found is not _comes_with_the_interpreter(stub, module)
    assert found or not _runs(stub, module, stray, where)
    assert document["snapshot"]["torch"]["installed"] is True
    if module in ("torch", "random"):
        assert "torch-shadowed" in codes(document)
        shown = [finding for finding in flat(document["root_causes"]) if finding["code"] == "torch-shadowed"]
        assert f"{module}.py" in str(shown)


_KILLS_DOCTOR = frozenset(
    {"json", "os", "time", "faulthandler", "traceback", "ast", "warnings", "random", "runpy", "types", "numpy", "torch"}
)
"""`python -m` puts the working folder first, so the doctor is started by its isolated entry there."""


def _isolated_doctor() -> list[str]:
    import sys

    root = str(Path(__file__).parents[2])
    return [
        sys.executable,
        "-I",
        "-c",
        f"import sys; sys.path.insert(0, {root!r}); from xpu_doctor.cli.main import main; main()",
    ]


def _from_elsewhere(arguments: tuple[str, ...], folder: Path) -> dict[str, object]:
    import json

    run = subprocess.run(
        [*_isolated_doctor(), *arguments], capture_output=True, env=environment(), cwd=folder, timeout=120, check=False
    )
    document: dict[str, object] = json.loads(run.stdout)
    return document


def test_spaces_and_other_scripts_in_the_path(tmp_path: Path) -> None:
    stub = make_environment(tmp_path / "Ünïcode 目录 with spaces" / "my env")
    stub.add_torch(version="2.9.1+cpu", libraries=("libc10.so", "libtorch_cpu.so"))
    document = doctor("check", "--python", str(stub.folder), "--json").json()
    assert document["target"]["python"] == str(stub.folder / "bin" / "python3")
    assert document["snapshot"]["torch"]["build"] == "cpu"


def test_a_locale_of_plain_ascii(tmp_path: Path) -> None:
    stub = make_environment(tmp_path / "ünïcode")
    stub.add_torch(
        init="print('\\u2713 \\u4e2d\\u6587')\nraise ImportError('\\u627e\\u4e0d\\u5230\\u6307\\u5b9a\\u7684\\u6a21\\u5757')"
    )
    ran = doctor(
        "check",
        "--python",
        str(stub.folder),
        env=environment(LC_ALL="C", LANG="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0", PYTHONIOENCODING="ascii"),
    )
    assert ran.code == 1
    assert "Traceback" not in ran.stderr
    assert ran.stdout.isascii()


def test_the_working_folder_was_deleted(stub: StubEnvironment, tmp_path: Path) -> None:
    stub.add_torch()
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f"import os, sys; os.rmdir({str(gone)!r}); sys.argv[1:] = ['check', '--python', {str(stub.python)!r}, '--json']; from xpu_doctor.cli.main import main; main()"
    import sys

    root = str(Path(__file__).parents[2])
    run = subprocess.run(
        [sys.executable, "-c", script],
        cwd=gone,
        env=environment(PYTHONPATH=root),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 1, run.stderr


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root and unshare"
)
def test_a_read_only_root_without_a_temporary_folder(stub: StubEnvironment) -> None:
    stub.add_torch(init="import os; os.abort()")
    import sys

    root = str(Path(__file__).parents[2])
    command = (
        "mount -o remount,ro,bind / && ! touch /tmp/written 2>/dev/null && "
        f"exec env TMPDIR=/nowhere PYTHONPATH={root} {sys.executable} -B -m xpu_doctor check --python '{stub.python}' --json"
    )
    run = subprocess.run(
        ["unshare", "-m", "sh", "-c", command], capture_output=True, text=True, timeout=120, check=False
    )
    if not run.stdout:
        pytest.skip(f"no read-only root can be made here: {run.stderr[-200:]}")
    import json

    assert "torch-import-crashed" in codes(json.loads(run.stdout))


def test_an_interpreter_that_cannot_start(stub: StubEnvironment, tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'not a python' >&2\nexit 9\n", encoding="utf-8")
    broken.chmod(0o755)
    ran = doctor("check", "--python", str(broken), "--json")
    document = ran.json()
    assert ran.code in (1, 3)
    assert document["target"]["version"] is None
    assert "exit code 9" in str(document)


def test_no_executable_at_all(tmp_path: Path) -> None:
    text = tmp_path / "python"
    text.write_text("hello", encoding="utf-8")
    ran = doctor("check", "--python", str(text))
    assert ran.code == 2
    assert "cannot be started" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("beside", [False, True], ids=["the only torch", "over the environment's own"])
def test_a_torch_that_was_installed_into_a_folder_of_pythonpath(
    stub: StubEnvironment, tmp_path: Path, beside: bool
) -> None:
    """`pip install --target`: no intruder; where the environment holds a torch too, the report says which one wins."""
    target = tmp_path / "target"
    StubEnvironment(stub.folder, stub.python, target).add_torch(
        version="2.9.0+cpu", libraries=("libc10.so", "libtorch_cpu.so")
    )
    if beside:
        stub.add_torch(version="2.9.1+xpu")
    document = doctor(
        "check",
        "--python",
        str(stub.python),
        "--json",
        env=environment(PYTHONPATH=f"{Path(__file__).parents[2]}:{target}"),
    ).json()
    shown = [finding for finding in flat(document["root_causes"]) if finding["code"] == "torch-shadowed"]
    assert document["snapshot"]["imported"]["succeeded"] is True
    if not beside:
        assert not shown
    else:
        assert f"torch 2.9.0+cpu in {target} (PYTHONPATH) hides torch 2.9.1+xpu" in shown[0]["summary"]
        assert all(
            "mv " not in line for finding in shown for remedy in finding["remedies"] for line in remedy["commands"]
        )


@pytest.mark.parametrize("program", ["/bin/cat", "/bin/true"])
def test_a_program_that_is_no_python(program: str) -> None:
    """One finding in plain words; nothing about torch, and nobody is sent to PyTorch's bug tracker."""
    ran = doctor("check", "--python", program, "--json")
    found = flat(ran.json()["root_causes"])
    about = [finding for finding in found if finding["code"] == "python-unsupported"]
    assert "did not answer as a Python interpreter" in about[0]["summary"]
    assert not [finding["code"] for finding in found if finding["code"].startswith("torch-")]
    assert "github.com/pytorch/pytorch/issues" not in str(found) and "faulthandler" not in str(found)


@pytest.mark.skipif(os.name == "nt", reason="first lines and modes are those of POSIX")
@pytest.mark.parametrize("named", [True, False], ids=["--python", "the active environment"])
@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        ("#!/nonexistent/python -E\n", 0o755, "the interpreter in its first line, /nonexistent/python, does not exist"),
        ("#!/bin/sh\n", 0o644, "it is not executable. Run `chmod +x "),
        ("root:x:0:0:root:/root:/bin/bash\n", 0o644, "it is no program; "),
        ("some notes\n", 0o755, "it is no program; "),
    ],
)
def test_a_python_that_the_system_does_not_start(tmp_path: Path, text: str, mode: int, words: str, named: bool) -> None:
    """The file exists, so what does not is named, with the way out."""
    python = tmp_path / "env" / "bin" / "python3"
    python.parent.mkdir(parents=True)
    python.write_text(text, encoding="utf-8")
    python.chmod(mode)
    option = ("--python", str(tmp_path / "env")) if named else ()
    ran = doctor("check", *option, env=environment(**({} if named else {"VIRTUAL_ENV": str(tmp_path / "env")})))
    assert ran.code == 2
    said = ran.stderr.splitlines()[-1]
    assert f"{python} cannot be started: {words}" in said
    assert said.endswith("name another with --python PATH")

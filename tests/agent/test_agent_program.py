"""The agent as a program: one gate for every Python, parts that nothing hides, and the same two in memory."""

from __future__ import annotations

import ast
import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.agent.interpreters import INTERPRETERS
from xpu_doctor.process.account import Account
from xpu_doctor.process.seal import KEY_LENGTH, Seal
from xpu_doctor.target import stages
from xpu_doctor.target.agent import AGENT_PATH, PARTS_PATH
from xpu_doctor.target.agent.xpu_doctor_agent.stages import NEEDS_IMPORT
from xpu_doctor.target.agent.xpu_doctor_agent.stages import STAGES as PARTS_OF
from xpu_doctor.target.agent_in_memory import parts_archive, script_for

EXAMINED = [(python, version) for python, version in INTERPRETERS if version >= (3, 8)]
REFUSED = [(python, version) for python, version in INTERPRETERS if version < (3, 8)]
FLAGS = ((), ("-I",), ("-S",), ("-I", "-S"), ("-P",))
IN_MEMORY = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs files in memory")


def say(value: object) -> str:
    return ".".join(map(str, value)) if isinstance(value, tuple) and value and isinstance(value[0], int) else ""


def run_agent(
    folder: Path,
    python: str,
    *names: str,
    flags: tuple[str, ...] = (),
    script: str = "",
    request: Any = None,
    **options: Any,
) -> tuple[int, list[dict[str, Any]], str]:
    """Run the agent on a transcript of its own: the exit code, what it said under a valid seal, and its stderr."""
    seal = Seal()
    transcript = folder / "transcript"
    transcript.write_bytes(seal.key)
    ran = subprocess.run(
        [python, *flags, "-B", script or str(AGENT_PATH), str(transcript), json.dumps(request or {}), *names],
        capture_output=True, text=True, timeout=60, check=False, **options,
    )  # fmt: skip
    data = transcript.read_bytes()
    assert data[:KEY_LENGTH] == bytes(KEY_LENGTH), ran.stderr
    said = [json.loads(text) for line in data[KEY_LENGTH:].split(b"\n") if (text := seal.opened(line)) is not None]
    assert not seal.broken
    return ran.returncode, said, ran.stderr


def facts(said: list[dict[str, Any]], stage: str) -> Any:
    return next(line["facts"] for line in said if line["kind"] == "end" and line["stage"] == stage)


@pytest.mark.parametrize(("python", "version"), REFUSED, ids=say)
def test_an_old_interpreter_is_refused_in_one_sealed_line(
    tmp_path: Path, python: str, version: tuple[int, ...]
) -> None:
    code, said, stderr = run_agent(tmp_path, python, *stages.STATIC_STAGES)
    assert (code, stderr) == (79, "")
    assert said == [{"kind": "refused", "stage": "interpreter", "version": ".".join(map(str, version))}]


@pytest.mark.parametrize("flags", FLAGS, ids=lambda flags: " ".join(flags) or "none")
@pytest.mark.parametrize(("python", "version"), EXAMINED, ids=say)
def test_every_way_to_start_an_interpreter(
    tmp_path: Path, python: str, version: tuple[int, ...], flags: tuple[str, ...]
) -> None:
    """The parts are found although Python does not search the script's folder, and the user's path is told without it."""
    if "-P" in flags and version < (3, 11):
        pytest.skip("this Python has no -P")
    agent = tmp_path / "agent"
    shutil.copytree(AGENT_PATH.parent, agent, ignore=shutil.ignore_patterns("__pycache__"))
    code, said, stderr = run_agent(
        tmp_path, python, *stages.STATIC_STAGES, flags=flags, script=str(agent / AGENT_PATH.name), cwd=tmp_path
    )
    assert (code, stderr) == (0, "")
    assert [line["stage"] for line in said if line["kind"] == "end"] == list(stages.STATIC_STAGES)
    assert not [entry for entry in facts(said, "interpreter")["sys_path"] if "agent" in Path(entry).parts]
    assert not [path for path in agent.rglob("*") if path.suffix == ".pyc"]


@pytest.mark.parametrize("name", ["runpy", "types", "warnings", "zipimport", "__future__", PARTS_PATH.name])
@pytest.mark.parametrize("by", ["path", pytest.param("memory", marks=IN_MEMORY)])
def test_no_module_of_the_users_gets_in_between(tmp_path: Path, by: str, name: str) -> None:
    """Neither what Python would load to start a folder or an archive nor a package that is called like ours."""
    stray = tmp_path / "stray"
    (stray / name).mkdir(parents=True)
    (stray / name / "__init__.py").write_text("raise RuntimeError('the stray module ran')\n", encoding="utf-8")
    account = Account(0, 0, (), "", "") if by == "memory" else None
    with script_for(account) as script:
        code, said, stderr = run_agent(
            tmp_path, sys.executable, "interpreter", "import", script=script.path, pass_fds=script.inherited,
            env={"PYTHONPATH": str(stray)},
        )  # fmt: skip
    assert (code, stderr) == (0, "")
    assert said[1]["kind"] == "end"
    assert "the stray module ran" not in json.dumps(said)


@IN_MEMORY
@pytest.mark.parametrize(("python", "version"), EXAMINED, ids=say)
def test_the_copy_in_memory_says_the_same(tmp_path: Path, python: str, version: tuple[int, ...]) -> None:
    names = (*stages.STATIC_STAGES, "ze_library")
    _, on_disk, _ = run_agent(tmp_path, python, *names, cwd=tmp_path)
    with script_for(Account(0, 0, (), "", "")) as script:
        code, in_memory, stderr = run_agent(
            tmp_path, python, *names, script=script.path, pass_fds=script.inherited, cwd=tmp_path
        )
    assert (code, stderr) == (0, "")
    assert [(line["kind"], line["stage"], line.get("facts")) for line in in_memory] == [
        (line["kind"], line["stage"], line.get("facts")) for line in on_disk
    ]


def test_the_archive_is_not_compressed_and_holds_all_parts() -> None:
    """zlib may be missing or broken in the interpreter under examination."""
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(parts_archive())) as archive:
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        assert {Path(name).name for name in archive.namelist()} == {path.name for path in PARTS_PATH.glob("*.py")}


def test_every_stage_has_its_part() -> None:
    assert list(PARTS_OF) == [stage.name for stage in stages.STAGES]
    for part, name in PARTS_OF.values():
        assert callable(getattr(importlib.import_module(f"xpu_doctor.target.agent.{PARTS_PATH.name}.{part}"), name))
    assert set(NEEDS_IMPORT) == {stage.name for stage in stages.STAGES if "import" in stage.needs}


def test_no_more_parts_are_loaded_than_the_stages_need(tmp_path: Path) -> None:
    """What is loaded is compiled at every start where no bytecode fits."""

    def loaded(*names: str) -> set[str]:
        _, _, stderr = run_agent(tmp_path, sys.executable, *names, flags=("-X", "importtime"))
        modules = {line.rpartition("|")[2].strip() for line in stderr.splitlines()}
        return {name.partition(".")[2] for name in modules if name.startswith(f"{PARTS_PATH.name}.")}

    always = {"facts", "request", "search_path", "stages", "transcript"}
    assert loaded("ze_library") == always | {"driver_libraries", "loaded_files"}
    assert not {"matmul", "level_zero", "torch_import"} & loaded(*stages.STATIC_STAGES)
    assert "typing" not in loaded(*stages.STATIC_STAGES)


def test_the_parts_are_written_for_the_oldest_interpreter() -> None:
    """Syntax of 3.8, nothing but the standard library, and no types at run time."""
    for path in sorted(PARTS_PATH.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))
        apart = {id(node) for block in tree.body if isinstance(block, ast.If) for node in ast.walk(block)}
        imported = {
            name.split(".")[0]
            for node in ast.walk(tree)
            if id(node) not in apart
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom) and not node.level
                else []
            )
        }
        assert imported <= {*sys.stdlib_module_names, "torch"}, path.name
        assert not imported & {"typing", "dataclasses", "enum", "re", "pathlib", "collections"}, path.name

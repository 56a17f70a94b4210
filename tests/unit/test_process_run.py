"""The one runner of programs: streams apart, bounded, ended at the deadline with all that was started."""

from __future__ import annotations

import ast
import os
import sys
import time
from pathlib import Path

import pytest

import xpu_doctor
from xpu_doctor.process.leftovers import _alive
from xpu_doctor.process.run import OUTPUT_LIMIT, run

PACKAGE = Path(xpu_doctor.__file__).parent
STARTS_PROGRAMS = ("process/child.py", "watching/command.py", "watching/relay.py", "watching/witness.py")
"""Those of `watching` start what is no child to be ended: a user's own program, what passes its stderr on, which may outlive the doctor, and a
copy of the watch that ends with it."""
OTHER_PROCESS = ("target/agent/",)
"""Runs in the interpreter under examination."""


def test_streams_are_apart_and_the_code_is_told() -> None:
    ended = run(
        [sys.executable, "-I", "-c", "import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)"],
        20.0,
        dict(os.environ),
    )
    assert (ended.code, ended.stdout, ended.stderr) == (7, "out\n", "err\n")


def test_a_flood_is_cut() -> None:
    ended = run(
        [sys.executable, "-I", "-c", f"import sys; sys.stdout.write('x' * {4 * OUTPUT_LIMIT})"], 20.0, dict(os.environ)
    )
    assert ended.code == 0
    assert ended.stdout == "x" * OUTPUT_LIMIT


def test_what_was_printed_before_the_deadline_is_kept() -> None:
    started = time.monotonic()
    ended = run(
        [sys.executable, "-I", "-c", "import time; print('here', flush=True); time.sleep(60)"], 1.5, dict(os.environ)
    )
    assert (ended.code, ended.stdout) == (None, "here\n")
    assert time.monotonic() - started < 30


def test_a_missing_program_is_an_error_of_the_system() -> None:
    with pytest.raises(FileNotFoundError):
        run(["/no/such/program"], 1.0, {})
    with pytest.raises(OSError, match="null"):
        run([sys.executable, "-c", "a\0b"], 1.0, {})


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_process_that_left_the_session_is_found_by_its_mark(tmp_path: Path) -> None:
    where = tmp_path / "pid"
    code = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        f"    open({str(where)!r}, 'w').write(str(os.getpid()))\n"
        "    time.sleep(60)\n"
        f"while not os.path.exists({str(where)!r}) or not open({str(where)!r}).read(): time.sleep(0.01)\n"
        "os._exit(0)\n"
    )
    ended = run([sys.executable, "-I", "-c", code], 20.0, dict(os.environ), mark="a-mark-of-this-test")
    assert ended.code == 0
    assert where.read_text()
    assert not _alive(int(where.read_text()))


def started_programs(path: Path) -> set[str]:
    """Names by which a module starts programs itself."""
    names = {"Popen", "run", "call", "check_call", "check_output"}
    return {
        node.attr
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (
            (node.value.id == "subprocess" and node.attr in names)
            or (node.value.id == "os" and node.attr in ("system", "popen", "fork", "posix_spawn"))
        )
    }


def test_only_one_module_starts_programs() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if not path.relative_to(PACKAGE).as_posix().startswith(OTHER_PROCESS) and started_programs(path)
    }
    assert found == set(STARTS_PROGRAMS)

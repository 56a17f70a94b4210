"""What evidence shows of a traceback: where it ended, without the doctor's own frames."""

from __future__ import annotations

import pytest

from xpu_doctor.model.facts import Run, Stage
from xpu_doctor.rules.support.stages import MAX_PLACE, place_of, stage_evidence

PARTS = "/opt/x/xpu_doctor/target/agent/xpu_doctor_agent"
OWN = f'  File "{PARTS}/stages.py", line 83, in _run_stage\n    facts = function(request)\n            ^^^^^^^^^^^^^^^^^\n'
DEEP = "".join(f'  File "/s/torch/m{number}.py", line {number}, in call\n    call()\n' for number in range(40))
RAISED = f"Traceback (most recent call last):\n{OWN}{DEEP}ValueError: the last word\n"
DIED = (
    "Fatal Python error: Segmentation fault\n\nCurrent thread 0x00007f (most recent call first):\n"
    '  File "/s/torch/__init__.py", line 5 in load\n'
    + "".join(f'  File "/s/m{number}.py", line 1 in f\n' for number in range(40))
    + f'  File "{PARTS}/torch_import.py", line 32 in import_torch\n'
    + '  File "/opt/x/xpu_doctor/target/agent/__main__.py", line 102 in <module>\n'
)


def test_an_exception_shows_its_end() -> None:
    """The exception and the innermost frames, none of the doctor's."""
    said = place_of(RAISED)
    assert said.endswith("ValueError: the last word") and "m39.py" in said and "m0.py" not in said
    assert "agent" not in said and "function" not in said and "^" not in said and len(said) <= MAX_PLACE


def test_a_short_traceback_is_whole() -> None:
    """But for the doctor's own frame."""
    assert place_of(
        f'Traceback (most recent call last):\n{OWN}  File "/s/a.py", line 1, in <module>\n    import b\nImportError: b\n'
    ) == ('Traceback (most recent call last): File "/s/a.py", line 1, in <module> import b ImportError: b')


def test_a_dead_process_shows_the_top_of_its_stack() -> None:
    """Where the stack is written from the top down, the top is kept."""
    said = place_of(DIED)
    assert said.startswith("Fatal Python error: Segmentation fault") and "torch/__init__.py" in said
    assert "agent" not in said and len(said) <= MAX_PLACE


@pytest.mark.parametrize(
    "file",
    [
        "/opt/x/xpu_doctor/target/agent/agent.py",  # reports that were saved while the agent was one file
        "C:\\x\\xpu_doctor\\target\\agent\\__main__.py",
        "C:\\x\\xpu_doctor\\target\\agent\\xpu_doctor_agent\\stages.py",
        "/dev/fd/7",
        "/dev/fd/6/xpu_doctor_agent/xpu.py",
    ],
)
def test_every_form_of_the_agents_own_frames_is_left_out(file: str) -> None:
    traceback = f'Traceback (most recent call last):\n  File "{file}", line 1, in f\n    call()\nValueError: last\n'
    assert place_of(traceback) == "Traceback (most recent call last): ValueError: last"


@pytest.mark.parametrize(
    "file", ["/s/agent/tool.py", "/s/torch/agent.py", "/home/a/dev/fd/7", "/s/my_agent/agent.py.bak"]
)
def test_frames_of_others_are_kept(file: str) -> None:
    traceback = f'Traceback (most recent call last):\n  File "{file}", line 1, in f\n    call()\nValueError: last\n'
    assert file in place_of(traceback)


def test_a_stage_is_named() -> None:
    """A number in a path tells a reader nothing; the value names the stage and says how it ended."""
    stage = Stage("import", "error", reason="ImportError: b", traceback=RAISED)
    rows = stage_evidence(Run((Stage("build", "ok"), stage)), stage, "traceback")
    assert [(row.fact, row.value) for row in rows][:2] == [
        ("run.stages[1].outcome", "the stage import raised an exception"),
        ("run.stages[1].reason", ""),
    ]
    assert rows[2].value.endswith("the last word")

"""What evidence shows of a traceback: where it ended, without the doctor's own frames."""

from __future__ import annotations

from xpu_doctor.model.facts import Run, Stage
from xpu_doctor.rules.support.stages import MAX_PLACE, place_of, stage_evidence

OWN = '  File "/opt/x/xpu_doctor/target/agent/agent.py", line 1503, in _run_stage\n    facts = STAGES[name](request)\n            ^^^^^^^^^^^^^^^^^^^^^\n'
DEEP = "".join(f'  File "/s/torch/m{number}.py", line {number}, in call\n    call()\n' for number in range(40))
RAISED = f"Traceback (most recent call last):\n{OWN}{DEEP}ValueError: the last word\n"
DIED = (
    "Fatal Python error: Segmentation fault\n\nCurrent thread 0x00007f (most recent call first):\n"
    '  File "/s/torch/__init__.py", line 5 in load\n'
    + "".join(f'  File "/s/m{number}.py", line 1 in f\n' for number in range(40))
    + '  File "/opt/agent/agent.py", line 541 in stage_import\n'
)


def test_an_exception_shows_its_end() -> None:
    """The exception and the innermost frames, none of the doctor's."""
    said = place_of(RAISED)
    assert said.endswith("ValueError: the last word") and "m39.py" in said and "m0.py" not in said
    assert "agent.py" not in said and "STAGES" not in said and "^" not in said and len(said) <= MAX_PLACE


def test_a_short_traceback_is_whole() -> None:
    """But for the doctor's own frame."""
    assert place_of(
        f'Traceback (most recent call last):\n{OWN}  File "/s/a.py", line 1, in <module>\n    import b\nImportError: b\n'
    ) == ('Traceback (most recent call last): File "/s/a.py", line 1, in <module> import b ImportError: b')


def test_a_dead_process_shows_the_top_of_its_stack() -> None:
    """Where the stack is written from the top down, the top is kept."""
    said = place_of(DIED)
    assert said.startswith("Fatal Python error: Segmentation fault") and "torch/__init__.py" in said
    assert "agent.py" not in said and len(said) <= MAX_PLACE


def test_a_stage_is_named() -> None:
    """A number in a path tells a reader nothing; the value names the stage and says how it ended."""
    stage = Stage("import", "error", reason="ImportError: b", traceback=RAISED)
    rows = stage_evidence(Run((Stage("build", "ok"), stage)), stage, "traceback")
    assert [(row.fact, row.value) for row in rows][:2] == [
        ("run.stages[1].outcome", "the stage import raised an exception"),
        ("run.stages[1].reason", ""),
    ]
    assert rows[2].value.endswith("the last word")

"""What a watched program's use of its GPUs is called in one sentence, for the ladder and the verdict. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from xpu_doctor.diagnosis.program_use import ProgramUse, Use, use_of
from xpu_doctor.model.facts.watched import Watched
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.unknown import known_or
from xpu_doctor.text.amounts import duration, percent

WORKED = frozenset({ProgramUse.USED, ProgramUse.STARVED, ProgramUse.MOSTLY_CPU})


@dataclass(frozen=True)
class JudgedProgram:
    """A watched program and what it used."""

    watched: Watched
    use: Use

    @property
    def computed(self) -> bool:
        """Whether it was seen to compute on a GPU of the watched type."""
        return self.use.kind in WORKED

    @property
    def computed_on_xpu(self) -> bool:
        """Whether that was an Intel GPU."""
        return self.computed and self.watched.device_type == "xpu"


def judged_program(snapshot: Snapshot) -> JudgedProgram | None:
    """Return the watched program of a snapshot, None where none was watched."""
    programs = known_or(snapshot.watched, ())
    return JudgedProgram(programs[0], use_of(programs[0])) if programs else None


def worked_words(program: JudgedProgram) -> str:
    """Return what the program did with the GPU, as one sentence without a full stop."""
    use = program.use
    if use.kind is ProgramUse.NEVER:
        return "the program used no GPU"
    if not program.computed or use.share is None or use.seconds is None:
        return f"whether the program computed on the GPU is not known: {use.reason}"
    used = [row for row in use.gpus if row.used]
    names = ", ".join(dict.fromkeys(known_or(row.gpu.name, row.gpu.address) for row in used))
    several = f"{len(used)} GPUs" if len(used) > 1 else "the GPU"
    return f"the program computed on {several}: {percent(use.share)} of {duration(use.seconds)} on {names}"


def in_a_sentence(words: str) -> str:
    """Return words as a sentence."""
    return f"{words[:1].upper()}{words[1:]}."

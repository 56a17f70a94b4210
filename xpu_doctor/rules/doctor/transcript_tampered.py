"""Something other than the agent wrote into the record of the examination."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Run
from xpu_doctor.model.findings import Evidence, Finding, Layer, Remedy, Severity
from xpu_doctor.model.unknown import known_or


class TranscriptTampered(Rule):
    """Something other than the agent wrote into the record of the examination."""

    code = "transcript-tampered"
    layer = Layer.DOCTOR
    severity = Severity.WARNING

    def check(self, run: Run) -> Iterator[Finding]:
        """Found where the transcript of any of the agent's processes holds lines without the seal, or lacks some."""
        for number, stage in enumerate(known_or(run.stages, ())):
            counts = {"foreign_lines": stage.foreign_lines, "lost_lines": stage.lost_lines}
            if any(counts.values()):
                yield self.found(
                    "transcript",
                    f"code of the examined environment {_deed(stage.foreign_lines, stage.lost_lines)}; nothing of it was believed",
                    evidence=[
                        Evidence(f"run.stages[{number}].{name}", str(count), "")
                        for name, count in counts.items()
                        if count
                    ],
                    remedies=(
                        Remedy(
                            "Find what writes into descriptors that are not its own",
                            "A sitecustomize.py, a .pth file or a package of this environment does it. "
                            "The facts of this report come from lines with a valid seal alone; where the environment is hostile, trust none of them.",
                        ),
                    ),
                )
                return


def _deed(foreign: int, lost: int) -> str:
    written = (
        f"wrote {foreign} {'line' if foreign == 1 else 'lines'} into the record of the examination" if foreign else ""
    )
    taken = (
        f"took {lost} {'line' if lost == 1 else 'lines'} out of {'it' if foreign else 'the record of the examination'}"
        if lost
        else ""
    )
    return " and ".join(filter(None, (written, taken)))

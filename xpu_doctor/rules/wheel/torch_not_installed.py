"""No torch is installed in the interpreter that was examined."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.commands import Command
from xpu_doctor.model.facts import Import, OtherPython, Target
from xpu_doctor.model.facts.combined import Hardware, Installation
from xpu_doctor.model.findings import Evidence, Finding, Layer, Remedy
from xpu_doctor.model.unknown import known, known_or
from xpu_doctor.remedies.commands import lines, shells
from xpu_doctor.remedies.install import reinstall
from xpu_doctor.remedies.own_environment import is_only_the_doctors, name_yours
from xpu_doctor.rules.support.gpu_presence import without_intel_gpu


class TorchNotInstalled(Rule):
    """No torch is installed in the interpreter that was examined."""

    code = "torch-not-installed"
    layer = Layer.WHEEL
    explains = {
        "compute-failed": "without torch nothing is computed",
        "torch-import-failed": "what is not installed cannot be imported",
        "xpu-unavailable": "without torch there is no torch.xpu",
    }

    def check(
        self,
        installation: Installation,
        target: Target,
        hardware: Hardware,
        imported: Import,
    ) -> Iterator[Finding]:
        """Found where no folder of torch is on the interpreter's path, and no import was seen to find one elsewhere."""
        if known(installation.torch.installed) or known_or(imported.succeeded, False):
            return
        others = [other for other in known_or(target.others, ()) if other.torch]
        executable = known_or(installation.python.executable, "") or known_or(target.executable, "")
        where = f" in {executable}" if executable else ""
        gpu = not without_intel_gpu(hardware.machine, hardware.gpus)
        own = is_only_the_doctors(target, installation.torch, installation.distributions)
        os = known_or(installation.python.os, "linux")
        found = "; ".join(f"{other.executable} has torch {other.torch}" for other in others[:3])
        yield self.found(
            "torch",
            f"torch is not installed{where}"
            + (", the environment of xpu-doctor itself" if own else "")
            + (f" ({found})" if found else "")
            + ("" if gpu else "; no Intel GPU was seen here either"),
            evidence=(
                "torch.installed",
                *(() if gpu else ("gpus",)),
                *(("target.executable",) if isinstance(target.executable, str) else ()),
                *(("target.why",) if own and target.why else ()),
                *(Evidence("target.others", f"{other.executable}: torch {other.torch}", "") for other in others[:3]),
            ),
            remedies=(
                *_use_the_other(others, os),
                *((name_yours(os),) if own else reinstall(installation, gpu=gpu)),
            ),
        )


def _use_the_other(others: list[OtherPython], os: str) -> tuple[Remedy, ...]:
    if not others:
        return ()
    command = Command(("xpu-doctor", "check", "--python", others[0].executable))
    why = f"{others[0].executable} has torch {others[0].torch}: this may be the interpreter that your program uses."
    return (Remedy("Examine the interpreter that has torch", why, lines([command], shells(os)[0]), os=os),)

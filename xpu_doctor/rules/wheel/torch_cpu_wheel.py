"""The installed torch is a CPU-only build."""

from __future__ import annotations

from typing import ClassVar

from xpu_doctor.model.terms import TorchBuild
from xpu_doctor.rules.support.wrong_wheel import NO_XPU_EXPLAINS, WrongWheel


class TorchCpuWheel(WrongWheel):
    """The installed torch is a CPU-only build."""

    code: ClassVar[str] = "torch-cpu-wheel"
    explains = NO_XPU_EXPLAINS
    build: ClassVar[TorchBuild] = TorchBuild.CPU
    kind: ClassVar[str] = "a CPU build"

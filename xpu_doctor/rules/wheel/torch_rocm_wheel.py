"""The installed torch is a ROCm build."""

from __future__ import annotations

from typing import ClassVar

from xpu_doctor.model.terms import TorchBuild
from xpu_doctor.rules.support.wrong_wheel import NO_XPU_EXPLAINS, WrongWheel


class TorchRocmWheel(WrongWheel):
    """The installed torch is a ROCm build."""

    code: ClassVar[str] = "torch-rocm-wheel"
    explains = NO_XPU_EXPLAINS | {
        "torch-import-failed": "this build needs AMD's libraries, which a machine without such a GPU may lack",
    }
    build: ClassVar[TorchBuild] = TorchBuild.ROCM
    kind: ClassVar[str] = "a ROCm build for AMD GPUs"

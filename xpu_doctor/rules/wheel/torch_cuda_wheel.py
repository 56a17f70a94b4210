"""The installed torch is a CUDA build."""

from __future__ import annotations

from typing import ClassVar

from xpu_doctor.model.terms import TorchBuild
from xpu_doctor.rules.support.wrong_wheel import NO_XPU_EXPLAINS, WrongWheel


class TorchCudaWheel(WrongWheel):
    """The installed torch is a CUDA build."""

    code: ClassVar[str] = "torch-cuda-wheel"
    explains = NO_XPU_EXPLAINS | {
        "torch-import-failed": "this build needs NVIDIA's libraries, which a machine without such a GPU may lack",
    }
    build: ClassVar[TorchBuild] = TorchBuild.CUDA
    kind: ClassVar[str] = "a CUDA build for NVIDIA GPUs"

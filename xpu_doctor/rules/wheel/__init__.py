"""Rules of the wheel layer, in the order in which they are judged."""

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.rules.wheel.companion_mismatch import CompanionMismatch
from xpu_doctor.rules.wheel.index_incomplete import IndexIncomplete
from xpu_doctor.rules.wheel.ipex_mismatch import IpexMismatch
from xpu_doctor.rules.wheel.python_unsupported import PythonUnsupported
from xpu_doctor.rules.wheel.torch_built_without_xpu import TorchBuiltWithoutXpu
from xpu_doctor.rules.wheel.torch_cpu_wheel import TorchCpuWheel
from xpu_doctor.rules.wheel.torch_cuda_wheel import TorchCudaWheel
from xpu_doctor.rules.wheel.torch_install_broken import TorchInstallBroken
from xpu_doctor.rules.wheel.torch_not_installed import TorchNotInstalled
from xpu_doctor.rules.wheel.torch_rocm_wheel import TorchRocmWheel
from xpu_doctor.rules.wheel.torch_shadowed import TorchShadowed
from xpu_doctor.rules.wheel.torch_too_old_for_gpu import TorchTooOldForGpu
from xpu_doctor.rules.wheel.triton_xpu_missing import TritonXpuMissing

RULES: tuple[type[Rule], ...] = (
    CompanionMismatch,
    IpexMismatch,
    PythonUnsupported,
    TorchBuiltWithoutXpu,
    TorchCpuWheel,
    TorchCudaWheel,
    TorchInstallBroken,
    TorchNotInstalled,
    TorchRocmWheel,
    TorchShadowed,
    TritonXpuMissing,
    IndexIncomplete,
    TorchTooOldForGpu,
)

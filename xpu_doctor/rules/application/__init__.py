"""Rules of the application layer, in the order in which they are judged."""

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.rules.application.app_bug import AppBug
from xpu_doctor.rules.application.app_lacks_xpu_support import AppLacksXpuSupport
from xpu_doctor.rules.application.app_requests_cuda import AppRequestsCuda
from xpu_doctor.rules.application.gpu_starved import GpuStarved
from xpu_doctor.rules.application.memory_spilled import MemorySpilled
from xpu_doctor.rules.application.program_mostly_on_cpu import ProgramMostlyOnCpu
from xpu_doctor.rules.application.program_never_used_gpu import ProgramNeverUsedGpu
from xpu_doctor.rules.application.torch_not_imported import TorchNotImported
from xpu_doctor.rules.application.wrong_gpu import WrongGpu

RULES: tuple[type[Rule], ...] = (
    AppRequestsCuda,
    AppLacksXpuSupport,
    AppBug,
    ProgramMostlyOnCpu,
    GpuStarved,
    MemorySpilled,
    WrongGpu,
    TorchNotImported,
    ProgramNeverUsedGpu,
)

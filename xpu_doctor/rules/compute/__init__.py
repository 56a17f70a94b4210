"""Rules of the compute layer, in the order in which they are judged."""

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.rules.compute.collectives_bug import CollectivesBug
from xpu_doctor.rules.compute.compile_toolchain import CompileToolchain
from xpu_doctor.rules.compute.compute_failed import ComputeFailed
from xpu_doctor.rules.compute.compute_wrong_result import ComputeWrongResult
from xpu_doctor.rules.compute.fork_reinit import ForkReinit
from xpu_doctor.rules.compute.fp64_unsupported import Fp64Unsupported
from xpu_doctor.rules.compute.low_performance import LowPerformance
from xpu_doctor.rules.compute.op_cpu_fallback import OpCpuFallback
from xpu_doctor.rules.compute.op_unsupported import OpUnsupported
from xpu_doctor.rules.compute.out_of_memory import OutOfMemory
from xpu_doctor.rules.compute.profiler_pti import ProfilerPti
from xpu_doctor.rules.compute.pytorch_bug import PytorchBug
from xpu_doctor.rules.compute.silent_cpu_fallback import SilentCpuFallback
from xpu_doctor.rules.compute.stale_compile_cache import StaleCompileCache
from xpu_doctor.rules.compute.xccl_unavailable import XcclUnavailable

RULES: tuple[type[Rule], ...] = (
    SilentCpuFallback,
    ComputeFailed,
    ComputeWrongResult,
    LowPerformance,
    OpCpuFallback,
    OpUnsupported,
    Fp64Unsupported,
    OutOfMemory,
    ForkReinit,
    XcclUnavailable,
    ProfilerPti,
    CollectivesBug,
    CompileToolchain,
    StaleCompileCache,
    PytorchBug,
)

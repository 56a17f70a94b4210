"""Rules of the runtime layer, in the order in which they are judged."""

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.rules.runtime.glibc_too_old import GlibcTooOld
from xpu_doctor.rules.runtime.msvc_redist_missing import MsvcRedistMissing
from xpu_doctor.rules.runtime.oneapi_env_conflict import OneapiEnvConflict
from xpu_doctor.rules.runtime.runtime_package_mismatch import RuntimePackageMismatch
from xpu_doctor.rules.runtime.shared_library_missing import SharedLibraryMissing

RULES: tuple[type[Rule], ...] = (
    OneapiEnvConflict,
    RuntimePackageMismatch,
    SharedLibraryMissing,
    MsvcRedistMissing,
    GlibcTooOld,
)

"""Rules of the driver layer, in the order in which they are judged."""

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.rules.driver.gpu_driver_bug import GpuDriverBug
from xpu_doctor.rules.driver.gpu_driver_missing import GpuDriverMissing
from xpu_doctor.rules.driver.gpu_driver_too_old import GpuDriverTooOld
from xpu_doctor.rules.driver.level_zero_loader_missing import LevelZeroLoaderMissing
from xpu_doctor.rules.driver.level_zero_loader_too_old import LevelZeroLoaderTooOld
from xpu_doctor.rules.driver.wsl_setup import WslSetup

RULES: tuple[type[Rule], ...] = (
    LevelZeroLoaderMissing,
    LevelZeroLoaderTooOld,
    GpuDriverMissing,
    GpuDriverTooOld,
    GpuDriverBug,
    WslSetup,
)

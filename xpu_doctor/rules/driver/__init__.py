"""Rules of the driver layer, in the order in which they are judged."""

from xpu_doctor.rule import Rule
from xpu_doctor.rules.driver.gpu_driver_bug import GpuDriverBug

RULES: tuple[type[Rule], ...] = (
    GpuDriverBug,
)

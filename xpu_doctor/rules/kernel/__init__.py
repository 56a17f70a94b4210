"""Rules of the kernel layer, in the order in which they are judged."""

from xpu_doctor.rule import Rule
from xpu_doctor.rules.kernel.kernel_regression import KernelRegression

RULES: tuple[type[Rule], ...] = (
    KernelRegression,
)

"""Rules of the kernel layer, in the order in which they are judged."""

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.rules.kernel.gpu_hang_logged import GpuHangLogged
from xpu_doctor.rules.kernel.kernel_driver_unbound import KernelDriverUnbound
from xpu_doctor.rules.kernel.kernel_regression import KernelRegression
from xpu_doctor.rules.kernel.kernel_too_old import KernelTooOld

RULES: tuple[type[Rule], ...] = (KernelTooOld, KernelDriverUnbound, KernelRegression, GpuHangLogged)

"""Rules of the access layer, in the order in which they are judged."""

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.rules.access.container_no_device import ContainerNoDevice
from xpu_doctor.rules.access.device_permission import DevicePermission

RULES: tuple[type[Rule], ...] = (DevicePermission, ContainerNoDevice)

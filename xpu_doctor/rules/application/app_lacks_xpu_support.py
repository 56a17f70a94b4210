"""The application has no support for XPU."""

from __future__ import annotations

from xpu_doctor.model.findings import Layer
from xpu_doctor.rules.support.message import MessageRule


class AppLacksXpuSupport(MessageRule):
    """The application has no support for XPU."""

    code = "app-lacks-xpu-support"
    layer = Layer.APPLICATION

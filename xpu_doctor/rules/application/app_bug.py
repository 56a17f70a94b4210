"""The application uses torch.xpu wrongly."""

from __future__ import annotations

from xpu_doctor.model.findings import Layer
from xpu_doctor.rules.support.message import MessageRule


class AppBug(MessageRule):
    """The application uses torch.xpu wrongly."""

    code = "app-bug"
    layer = Layer.APPLICATION

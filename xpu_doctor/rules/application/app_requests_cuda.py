"""The application asks for a CUDA device by name."""

from __future__ import annotations

from xpu_doctor.model.findings import Layer
from xpu_doctor.rules.support.message import MessageRule


class AppRequestsCuda(MessageRule):
    """The application asks for a CUDA device by name."""

    code = "app-requests-cuda"
    layer = Layer.APPLICATION

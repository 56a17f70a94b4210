"""This torch has no collective back end for XPU."""

from __future__ import annotations

from xpu_doctor.model.findings import Layer
from xpu_doctor.rules.support.message import MessageRule


class XcclUnavailable(MessageRule):
    """This torch has no collective back end for XPU."""

    code = "xccl-unavailable"
    layer = Layer.COMPUTE

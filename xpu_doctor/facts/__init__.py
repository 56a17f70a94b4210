"""Fact groups: frozen dataclasses whose fields are values or `Unknown(reason)`, never display text."""

from xpu_doctor.facts.machine import Access, Environment, Gpu, Kernel, LogLine, Machine, Node, Variable
from xpu_doctor.facts.python import (
    Distribution,
    Distributions,
    FileFault,
    Installer,
    OtherPython,
    Python,
    Setting,
    Target,
)
from xpu_doctor.facts.torch import (
    Errors,
    ErrorText,
    Import,
    Run,
    Shadow,
    Shadows,
    Stage,
    Torch,
    Xpu,
    XpuDevice,
)

__all__ = [
    "Access",
    "Distribution",
    "Distributions",
    "Environment",
    "ErrorText",
    "Errors",
    "FileFault",
    "Gpu",
    "Import",
    "Installer",
    "Kernel",
    "LogLine",
    "Machine",
    "Node",
    "OtherPython",
    "Python",
    "Run",
    "Setting",
    "Shadow",
    "Shadows",
    "Stage",
    "Target",
    "Torch",
    "Variable",
    "Xpu",
    "XpuDevice",
]

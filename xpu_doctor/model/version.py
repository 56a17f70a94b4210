"""The version of xpu-doctor."""

__version__ = "0.1.0"

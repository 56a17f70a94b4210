"""xpu-doctor: why PyTorch does not use the Intel GPU, and what to type next."""

__version__ = "0.1.0"

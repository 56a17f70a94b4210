"""Imports torch and asks for the GPU's name."""

import torch

print(torch.xpu.get_device_name(0))

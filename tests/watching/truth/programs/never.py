"""Trains on the processor, although torch has a GPU: the device is written into the program."""

import torch
from training import train

torch.set_num_threads(1)
train(5, device="cpu", cpu_seconds=11)

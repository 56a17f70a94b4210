"""Trains on the GPU, and in each step asks for three operators that torch for XPU has no kernel of."""

import time

import torch
from training import batch, gpu_work, model, step

network = model().to("xpu")
gpu_work(0.04)
end = time.monotonic() + 4
while time.monotonic() < end:
    rows, labels = batch("xpu")
    step(network, rows, labels)
    square = rows[:8, :8]
    torch.linalg.svd(square)
    torch.linalg.eigh(square @ square.T)
    torch.linalg.qr(square)

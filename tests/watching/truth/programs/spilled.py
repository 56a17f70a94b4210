"""Keeps all its results on the GPU until its memory is full: what comes after lies in the machine's memory."""

import time

import torch
from training import batch, gpu_work, model, step

network = model().to("xpu")
gpu_work(0.04)
kept = []
end = time.monotonic() + 5
while time.monotonic() < end:
    step(network, *batch("xpu"))
    kept.append(torch.zeros(3 << 19, device="xpu"))

"""What the programs share: a small model, its data, and a step of training that says how long the GPU works for it."""

from __future__ import annotations

import time

import torch
from torch import nn

OPERATORS_OF_A_STEP = 5
"""Matrix products of one step: two forward, three backward (the first layer needs no gradient of its input)."""


def model() -> nn.Module:
    return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


def gpu_work(seconds: float) -> None:
    """Say how long the GPU shall work in each step."""
    torch.xpu.simulated_cost(seconds / OPERATORS_OF_A_STEP)


def step(network: nn.Module, batch: torch.Tensor, labels: torch.Tensor) -> float:
    loss = nn.functional.cross_entropy(network(batch), labels)
    for weight in network.parameters():
        weight.grad = None
    loss.backward()
    with torch.no_grad():
        for weight in network.parameters():
            weight -= 0.01 * weight.grad
    return loss.item()


def batch(device: str = "cpu", rows: int = 32) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(rows, 64).to(device), torch.randint(0, 10, (rows,)).to(device)


def work_on_the_processor(seconds: float) -> None:
    """Multiply matrices on the processor."""
    numbers = torch.randn(600, 600)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        numbers = torch.tanh(numbers @ numbers.T / 600)


def train(
    seconds: float, *, device: str = "xpu", gpu: float = 0.02, processor: float = 0.0, cpu_seconds: float = 0.0
) -> nn.Module:
    """Train for so long, and until so much CPU time is spent; in each step the GPU works for `gpu` seconds, the processor for `processor`."""
    network = model().to(device)
    if device.startswith("xpu"):
        gpu_work(gpu)
    end, spent = time.monotonic() + seconds, time.process_time() + cpu_seconds
    while time.monotonic() < end or time.process_time() < spent:
        if processor:
            work_on_the_processor(processor)
        step(network, *batch(device))
    return network

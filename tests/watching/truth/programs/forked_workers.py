"""Trains on the GPU with data that two forked workers make; they inherit the open files of the GPU."""

import time

import torch
from torch.utils.data import DataLoader, Dataset
from training import gpu_work, model, step


class Numbers(Dataset):
    def __len__(self) -> int:
        return 32 * 90

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        time.sleep(0.0005)
        return torch.randn(64), index % 10


torch.set_num_threads(1)
network = model().to("xpu")
gpu_work(0.04)
for rows, labels in DataLoader(Numbers(), batch_size=32, num_workers=2, multiprocessing_context="fork"):
    step(network, rows.to("xpu"), labels.to("xpu"))

"""Reads its data in the main process, from a slow disk: the GPU waits for each batch."""

import time

import torch
from torch.utils.data import DataLoader, Dataset
from training import gpu_work, model, step


class SlowDisk(Dataset):
    def __len__(self) -> int:
        return 60 * 8

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        time.sleep(0.01)
        return torch.randn(64), index % 10


torch.set_num_threads(1)
network = model().to("xpu")
gpu_work(0.02)
for rows, labels in DataLoader(SlowDisk(), batch_size=8):
    step(network, rows.to("xpu"), labels.to("xpu"))

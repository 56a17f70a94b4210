"""One rank of a program that torchrun starts: it trains on the GPU of its own number."""

import os

import torch
import torch.distributed as dist
from training import train

torch.set_num_threads(1)
dist.init_process_group("gloo")
train(4, device=f"xpu:{os.environ['LOCAL_RANK']}")
dist.barrier()
dist.destroy_process_group()

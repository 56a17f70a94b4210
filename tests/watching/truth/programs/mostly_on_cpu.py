"""Augments its data on the processor for most of the time; the GPU works for a tenth of it."""

import torch
from training import train

torch.set_num_threads(4)
train(8, gpu=0.02, processor=0.18)

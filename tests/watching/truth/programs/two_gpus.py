"""Trains a model on each of two GPUs at the same time, one thread for each."""

import threading

import torch
from training import train

torch.set_num_threads(1)
threads = [
    threading.Thread(target=train, args=(4,), kwargs={"device": f"xpu:{number}", "gpu": 0.05}) for number in range(2)
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

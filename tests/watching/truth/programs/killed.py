"""Trains on the GPU until it is killed, as the kernel does where memory runs out."""

import os
import signal

from training import train

train(6)
os.kill(os.getpid(), signal.SIGKILL)

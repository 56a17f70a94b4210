"""Trains on the first device that torch lists, which is the integrated one."""

from training import train

train(4, device="xpu:0")

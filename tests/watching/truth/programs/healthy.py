"""Trains on the GPU, which works most of the time."""

from training import train

train(6)

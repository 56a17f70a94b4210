"""Watches a program while it runs: whether, and how much, it computed on the GPU."""

"""Tests of the timed matmul: the verdict by itself, and the whole stage on devices that really lie, work elsewhere, or fail."""

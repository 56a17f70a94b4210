"""Tests under a genuine Windows Python, which Wine runs."""

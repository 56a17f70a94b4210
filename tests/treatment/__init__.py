"""Tests of what `fix` does."""

"""The shared-library closure: what the platform's loader would load for torch, found by reading files only."""

"""Reads what people paste, and returns a Snapshot."""

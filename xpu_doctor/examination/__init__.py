"""Examines this machine and one interpreter, and returns a Snapshot."""

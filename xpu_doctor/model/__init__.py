"""The words that all rooms share: facts, Snapshot, Finding, Unknown. Imports nothing of the others."""

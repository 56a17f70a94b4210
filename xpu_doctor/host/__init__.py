"""The machine as probes see it: live or recorded."""

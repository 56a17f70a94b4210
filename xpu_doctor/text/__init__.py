"""Texts of strangers: made safe, redacted, indexed."""

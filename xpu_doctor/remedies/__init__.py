"""Builders of remedies: complete command lines for one snapshot, made from facts alone."""

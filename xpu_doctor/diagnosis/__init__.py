"""Judges facts: rules, known messages, ranking, the ladder, the verdict."""

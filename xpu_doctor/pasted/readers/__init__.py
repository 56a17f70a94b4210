"""Parsers: pasted text to the same facts that probes gather. Damage is recorded, never raised."""

"""Fleets: reading heaps of reports, grouping, statistics, and the command."""

"""Says which machines of a fleet differ, and by what, from the reports that they wrote."""

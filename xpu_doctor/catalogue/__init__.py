"""All rules, probes and pages: the doctor's own and those of plug-ins."""

"""The interpreter under examination: found, asked stage by stage, its answers turned into facts."""

"""Engines that run the recipes of examples/fleet/, each on several nodes of this machine."""

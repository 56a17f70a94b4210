"""Renderers: print a diagnosis and decide nothing."""

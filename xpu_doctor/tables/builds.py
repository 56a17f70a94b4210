"""How the builds of torch are called."""

from __future__ import annotations


def named(build: str) -> str:
    """Return a build in words, with its article."""
    return {"xpu": "an XPU build", "cpu": "a CPU build", "cuda": "a CUDA build", "rocm": "a ROCm build"}.get(
        build, f"a {build} build"
    )

"""What an entry of the search path would give to an import, told from files alone."""

from __future__ import annotations

import os
import sys


def suffixes() -> list[str]:
    """Return the endings of files that Python imports, as this interpreter has them."""
    machinery = sys.modules.get("_frozen_importlib_external") or sys.modules.get("importlib._bootstrap_external")
    found: list[str] = getattr(machinery, "SOURCE_SUFFIXES", [".py"]) + getattr(
        machinery, "BYTECODE_SUFFIXES", [".pyc"]
    )
    return found + list(sys.modules["_imp"].extension_suffixes() if "_imp" in sys.modules else [".so", ".pyd"])


def is_package(folder: str) -> bool:
    """Return whether a folder is a package that wins over a module of its name: without an __init__ file it is a namespace at best."""
    return any(os.path.isfile(os.path.join(folder, "__init__" + suffix)) for suffix in suffixes())

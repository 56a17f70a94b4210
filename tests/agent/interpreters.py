"""Every CPython that this machine has."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path


def _candidates() -> list[str]:
    """Interpreters on PATH, of pyenv, and of Debian, each once."""
    names = ["python", "python2", "python2.7", "python3", *(f"python3.{minor}" for minor in range(4, 20))]
    found = [path for name in names if (path := shutil.which(name))]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found += [str(path) for path in sorted(pyenv.glob("*/bin/python"))]
    return list({os.path.realpath(path): path for path in found if "shims" not in Path(path).parts}.values())


def _version(python: str) -> tuple[int, ...]:
    code = "import sys; sys.stdout.write('%d.%d.%d' % sys.version_info[:3])"
    run = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    return tuple(int(part) for part in run.stdout.split(".")) if run.returncode == 0 else ()


INTERPRETERS = [(path, version) for path in _candidates() if (version := _version(path))]
"""Path and version of each."""

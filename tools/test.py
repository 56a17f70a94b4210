"""Runs everything that a change must pass, in a fresh environment and from a built wheel.

    python3 tools/test.py [PYTEST ARGUMENTS]

Makes .cache/test-env anew, builds the wheel, installs it there with the test extra, checks style, types and layers, then
runs the suite on the installed wheel from a folder that does not hold the package, so that nothing comes from the checkout.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache"
ENVIRONMENT = CACHE / "test-env"
FOLDER = CACHE / "test-run"
NEEDED = ("tests", "fixtures", "examples", "tools", "benchmarks", "docs", ".ci", "README.md", "pyproject.toml")
"""What the suite reads besides the installed package."""
BIN = "Scripts" if os.name == "nt" else "bin"
PYTHON = str(ENVIRONMENT / BIN / "python")


def run(*arguments: str, cwd: Path = ROOT) -> None:
    """Run a command and leave with its exit code where it fails."""
    print("+", " ".join(arguments), flush=True)
    code = subprocess.run(arguments, cwd=cwd, check=False).returncode
    if code:
        sys.exit(code)


def install() -> None:
    """Build the wheel and install it with the test extra into a fresh environment."""
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    shutil.rmtree(CACHE / "wheel", ignore_errors=True)
    run(sys.executable, "-m", "venv", str(ENVIRONMENT))
    run(PYTHON, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(CACHE / "wheel"), str(ROOT))
    [wheel] = (CACHE / "wheel").glob("*.whl")
    run(PYTHON, "-m", "pip", "install", "--quiet", f"{wheel}[test]")


def copy() -> None:
    """Copy what the suite reads to a folder without the package."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    for name in NEEDED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, FOLDER / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy2(source, FOLDER / name)


def main() -> None:
    """Install, check, test."""
    install()
    run(PYTHON, "-m", "ruff", "check", "--no-cache", ".")
    run(PYTHON, "-m", "mypy", "--cache-dir", str(CACHE / "mypy"))
    run(str(ENVIRONMENT / BIN / "lint-imports"), "--no-cache")
    copy()
    arguments = sys.argv[1:] or ["-n", "2"]
    run(str(ENVIRONMENT / BIN / "pytest"), "-p", "no:cacheprovider", *arguments, cwd=FOLDER)


if __name__ == "__main__":
    main()

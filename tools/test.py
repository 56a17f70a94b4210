"""Runs everything that a change must pass, in a fresh environment and from a built wheel.

    python3 tools/test.py [--coverage] [PYTEST ARGUMENTS]

Makes .cache/test-env anew, builds the wheel, installs it there with the versions of requirements/test.txt, checks style, types
and layers, builds the documentation, then runs the suite on the installed wheel from a folder that does not hold the package,
so that nothing comes from the checkout. --coverage reports which lines ran, those of child processes too.
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
NEEDED = (
    "tests", "fixtures", "examples", "tools", "man", "benchmarks",
    "docs", "requirements", ".ci", ".github", "pyproject.toml", "mkdocs.yml", ".pre-commit-config.yaml", "action.yml",
    "README.md", "CHANGELOG.md", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE", "NOTICE",
)  # fmt: skip
"""What the suite reads besides the installed package."""
BIN = "Scripts" if os.name == "nt" else "bin"
PYTHON = str(ENVIRONMENT / BIN / "python")
LOCK = ROOT / "requirements" / "test.txt"
COVERAGE_FILE = CACHE / "coverage" / ".coverage"


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
    command = (PYTHON, "-m", "pip", "install", "--quiet", f"{wheel}[test,docs]")
    if subprocess.run((*command, "--constraint", str(LOCK)), cwd=ROOT, check=False).returncode == 0:
        return
    if os.environ.get("GITHUB_ACTIONS"):
        sys.exit(f"the versions of {LOCK.relative_to(ROOT)} cannot be installed")
    print(
        f"The versions of {LOCK.relative_to(ROOT)} cannot all be had here; the newest that this index has are taken.",
        flush=True,
    )
    run(*command)


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


def measured(*arguments: str) -> None:
    """Run the suite and report how much of the package ran, in child processes too."""
    shutil.rmtree(COVERAGE_FILE.parent, ignore_errors=True)
    COVERAGE_FILE.parent.mkdir(parents=True)
    os.environ["COVERAGE_FILE"] = str(COVERAGE_FILE)
    coverage = (PYTHON, "-m", "coverage")
    command = (*coverage, "run", "-m", "pytest", "-p", "no:cacheprovider", *arguments)
    print("+", " ".join(command), flush=True)
    code = subprocess.run(command, cwd=FOLDER, check=False).returncode
    run(*coverage, "combine", "--quiet", cwd=FOLDER)
    run(*coverage, "report", cwd=FOLDER)
    sys.exit(code)


def main() -> None:
    """Install, check, test."""
    install()
    run(PYTHON, "-m", "ruff", "check", "--no-cache", ".")
    run(PYTHON, "-m", "ruff", "format", "--check", "--no-cache", ".")
    run(PYTHON, "-m", "mypy", "--cache-dir", str(CACHE / "mypy"))
    run(str(ENVIRONMENT / BIN / "lint-imports"), "--no-cache")
    run(PYTHON, "tools/docs.py", "build")
    copy()
    arguments = [argument for argument in sys.argv[1:] if argument != "--coverage"] or ["-n", "2"]
    if "--coverage" in sys.argv[1:]:
        measured(*arguments)
    else:
        run(str(ENVIRONMENT / BIN / "pytest"), "-p", "no:cacheprovider", *arguments, cwd=FOLDER)


if __name__ == "__main__":
    main()

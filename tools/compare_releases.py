"""Compares tables with public lists of releases, and prints what the tables lack.

    python tools/compare_releases.py torch FILE     # FILE: the saved page https://download.pytorch.org/whl/xpu/torch/
    python tools/compare_releases.py driver FILE    # FILE: `git ls-remote --tags https://github.com/intel/compute-runtime`

`-` reads standard input. Nothing is written: a person adds the rows, with companions, pins and sources. The exit code is 1 where
something is missing.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from xpu_doctor.model.versions import numbers  # noqa: E402
from xpu_doctor.tables.drivers import ReleaseNames  # noqa: E402
from xpu_doctor.tables.releases import release_of  # noqa: E402
from xpu_doctor.tables.rows import rows  # noqa: E402

WHEEL = re.compile(
    r"torch-(?P<version>[0-9.]{1,20})\+xpu-cp3(?P<minor>\d{1,2})-cp3\d{1,2}(?P<free>t?)-(?P<platform>\w{5,60})\.whl"
)
TAG = re.compile(r"(?:refs/tags/|\b)(?P<release>\d{2}\.\d{2})\.(?P<build>\d{4,6})\.\d{1,4}\b")


def missing_torch(page: str) -> list[str]:
    """Return what the table of releases lacks of the wheels that an index page lists."""
    pythons: dict[str, set[str]] = defaultdict(set)
    platforms: dict[str, set[str]] = defaultdict(set)
    for wheel in WHEEL.finditer(unquote(page)):
        pythons[wheel["version"]].add(f"3.{wheel['minor']}{wheel['free']}")
        platforms[wheel["version"]].add("win_amd64" if wheel["platform"] == "win_amd64" else "linux_x86_64")
    found = []
    for version in sorted(pythons, key=numbers):
        row = release_of(version)
        if row is None:
            found.append(f"torch {version}: no row; Python {_listed(pythons[version])}, {_listed(platforms[version])}")
            continue
        for what, seen, known in (
            ("Python", pythons[version], row.pythons),
            ("for", platforms[version], row.platforms),
        ):
            if row.index == "stable" and seen != set(known):
                found.append(f"torch {version}: wheels {what} {_listed(seen)}, the row says {_listed(set(known))}")
    return found


def missing_drivers(tags: str) -> list[str]:
    """Return the releases of compute-runtime that the table of names lacks, as its entries."""
    known = {build for row in rows(ReleaseNames) for build, _ in row.names}
    seen = {(int(tag["build"]), tag["release"]) for tag in TAG.finditer(tags)}
    return [f'[{build}, "{release}"],' for build, release in sorted(seen) if build not in known]


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names, key=lambda name: (numbers(name), name))) or "none"


def main(arguments: list[str]) -> int:
    """Print what is missing; return 1 where something is, 2 where the command line is wrong."""
    what = {"torch": missing_torch, "driver": missing_drivers}
    if len(arguments) != 2 or arguments[0] not in what:
        print((__doc__ or "").strip())
        return 2
    text = sys.stdin.read() if arguments[1] == "-" else Path(arguments[1]).read_text(encoding="utf-8")
    missing = what[arguments[0]](text)
    print("\n".join(missing) or "nothing is missing")
    return int(bool(missing))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

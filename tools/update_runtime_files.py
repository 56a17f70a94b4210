"""Update data/runtime_files.json: which library files each Intel runtime wheel holds, per system and version.

    python tools/update_runtime_files.py            (needs uv and the network; about a minute)

The versions are those that the releases table pins, and those in NEWER. uv resolves each to its wheels; of a wheel only the
listing at its end is fetched, by HTTP range requests.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "xpu_doctor" / "data"
LIBRARY = re.compile(r"(\.so(\.\d+)*|\.dll)$")
SYSTEMS = {"manylinux": "linux", "win_amd64": "windows"}
NEWER = {
    **dict.fromkeys(
        ("intel-sycl-rt", "intel-cmplr-lib-rt", "intel-cmplr-lib-ur", "intel-opencl-rt", "intel-openmp"), "2026.2.0"
    ),
    "umf": "1.2.0",
    "tcmlib": "1.6.0",
    "intel-pti": "1.2.0",
}
"""Versions that no known torch pins, and that a plain upgrade brings."""
NO_LIBRARIES = {"pyzes", "intel-cmplr-lic-rt", "dpcpp-cpp-rt", "onemkl-license", "oneccl-devel"}
BLOCK = 1 << 16


class Remote:
    """A file behind a URL, read by range requests in blocks from its end."""

    def __init__(self, url: str, size: int) -> None:
        self._url, self._size, self._at = url, size, 0
        self._start, self._tail = size, b""

    def seekable(self) -> bool:
        """Say that one may seek in it."""
        return True

    def tell(self) -> int:
        """Return the current place."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a place."""
        self._at = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence] + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Return bytes from the current place."""
        end = self._size if size < 0 else min(self._size, self._at + size)
        while self._at < self._start:
            first = max(0, min(self._at, self._start - BLOCK))
            request = urllib.request.Request(self._url, headers={"Range": f"bytes={first}-{self._start - 1}"})
            with urllib.request.urlopen(request, timeout=60) as answer:
                if answer.status != 206:
                    raise OSError(f"{self._url}: no range requests")
                self._tail = answer.read() + self._tail
            self._start = first
        data = self._tail[self._at - self._start : end - self._start]
        self._at = end
        return data


def pins() -> Iterator[dict[str, str]]:
    """Return sets of package versions that can be asked for together."""
    with (DATA / "releases.toml").open("rb") as stream:
        rows = tomllib.load(stream)["release"]
    for row in rows:
        for system in row.get("pins", {}).values():
            yield {name: version for name, version in system.items() if name not in NO_LIBRARIES}
    yield NEWER


def wheels(versions: dict[str, str]) -> list[tuple[str, str, str, str, int]]:
    """Return (system, package, version, URL, size) of each wheel."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "wanted.in"
        wanted.write_text("".join(f"{name}=={version}\n" for name, version in versions.items()), encoding="ascii")
        command = [
            "uv",
            "pip",
            "compile",
            "--quiet",
            "--no-deps",
            "--universal",
            "--format",
            "pylock.toml",
            str(wanted),
        ]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        print(f"{versions}: {run.stderr.strip()[-300:]}", file=sys.stderr)
        return (
            [] if len(versions) == 1 else [row for name, version in versions.items() for row in wheels({name: version})]
        )
    found = []
    for package in tomllib.loads(run.stdout)["packages"]:
        for wheel in package.get("wheels", ()):
            for mark, system in SYSTEMS.items():
                if mark in wheel["url"]:
                    found.append((system, package["name"], package["version"], wheel["url"], wheel["size"]))
    return found


def names(url: str, size: int) -> list[str]:
    """Return the file names of the libraries in a wheel."""
    with zipfile.ZipFile(Remote(url, size)) as archive:
        found = {entry.rsplit("/", 1)[-1] for entry in archive.namelist() if LIBRARY.search(entry.lower())}
    return sorted(found)


def collected(sets: Iterable[dict[str, str]]) -> dict[str, dict[str, dict[str, list[str]]]]:
    """Return the library names by system, package and version."""
    rows = list({row[:3]: row for versions in sets for row in wheels(versions)}.values())
    with ThreadPoolExecutor(8) as pool:
        listed = list(pool.map(lambda row: names(row[3], row[4]), rows))
    result: dict[str, dict[str, dict[str, list[str]]]] = {"linux": {}, "windows": {}}
    for (system, package, version, _, _), files in zip(rows, listed, strict=True):
        shown = [name.lower() for name in files] if system == "windows" else files
        if shown:
            result[system].setdefault(package, {})[version] = shown
    key = lambda item: [int(part) if part.isdigit() else 0 for part in item[0].split(".")]  # noqa: E731
    return {
        system: {name: dict(sorted(packages[name].items(), key=key)) for name in sorted(packages)}
        for system, packages in result.items()
    }


def main() -> int:
    """Write the table, and say how large it is."""
    files = collected(pins())
    source = "file listings of the wheels themselves, for manylinux x86_64 and win_amd64"
    head = json.dumps({"source": source, "checked": date.today().isoformat()})[1:-1]
    systems = []
    for system, packages in files.items():
        lines = [
            f"  {json.dumps(name)}: {{{', '.join(f'{json.dumps(v)}: {json.dumps(f)}' for v, f in packages[name].items())}}}"
            for name in packages
        ]
        systems.append(f'"{system}": {{\n' + ",\n".join(lines) + "\n}")
    text = f'{{{head},\n"files": {{' + ",\n".join(systems) + "}}\n"
    json.loads(text)
    (DATA / "runtime_files.json").write_text(text, encoding="utf-8")
    count = sum(len(versions) for packages in files.values() for versions in packages.values())
    print(f"{count} wheels, {len(text)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())

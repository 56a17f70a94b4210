"""Builds `xpu-doctor.pyz`, the one file that runs xpu-doctor where there is no pip.

    python tools/build_pyz.py [-o FOLDER] [--wheels FOLDER]

It holds the package, what it requires in the versions and with the hashes of requirements/one-file.txt, and the compiled
modules for each interpreter of SERVED. The same input gives the same bytes. Needs pip; --wheels keeps what was downloaded.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PARTS = ROOT / "tools" / "one_file"
REQUIREMENTS = ROOT / "requirements" / "one-file.txt"
NAME = "xpu-doctor.pyz"
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
SYSTEMS = {"manylinux_2_28_x86_64": "cpython-{}-x86_64-linux-gnu", "win_amd64": "cp{}-win_amd64"}
"""Platforms as pip calls them, and the tag that a CPython for them gives its compiled modules."""
COMPILED = ("msgspec", "psutil")
"""Requirements that have a wheel for each of them; all others have one for all."""
LICENCES = re.compile(r"[^/]+\.dist-info/(?:licenses/.*|(?:LICEN[CS]E|COPYING|NOTICE|AUTHORS)[^/]*)")
LEFT_OUT = (".pyi", "py.typed")
LONG_AGO = (1980, 1, 1, 0, 0, 0)
FILE_MODE = 0o100644 << 16
SHEBANG = b"#!/usr/bin/env python3\n"


def served() -> tuple[str, ...]:
    """Return the tags of the interpreters that the file serves."""
    return tuple(tag.format(python.replace(".", "")) for tag in SYSTEMS.values() for python in PYTHONS)


def download(folder: Path) -> None:
    """Fetch the wheels, unless a former build left them all."""
    state, wanted = folder / "downloaded.txt", hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if state.exists() and state.read_text(encoding="utf-8") == wanted:
        return
    blocks = re.split(r"\n(?=\S)", REQUIREMENTS.read_text(encoding="utf-8"))
    blocks = [block for block in blocks if "==" in block and not block.startswith("#")]
    compiled = [block for block in blocks if block.startswith(tuple(f"{name}==" for name in COMPILED))]
    others = [block for block in blocks if block not in compiled]
    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(_pip, folder, others, "any", PYTHONS[:1])]
        runs += [pool.submit(_pip, folder, compiled, platform, PYTHONS) for platform in SYSTEMS]
        for run in runs:
            run.result()
    state.write_text(wanted, encoding="utf-8")


def _pip(folder: Path, blocks: list[str], platform: str, pythons: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory() as made:
        wanted = Path(made, "requirements.txt")
        wanted.write_text("\n".join(blocks) + "\n", encoding="utf-8")
        options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "--only-binary=:all:"]
        for python in pythons:
            command = [sys.executable, "-m", "pip", "download", *options, "--platform", platform]
            command += ["--python-version", python, "-d", str(folder), "-r", str(wanted)]
            if subprocess.run(command, check=False).returncode:
                raise SystemExit(f"the wheels for Python {python} on {platform} cannot be had")


def content(wheels: Path) -> dict[str, bytes]:
    """Return every file of the archive by name, but the one that starts it."""
    found = dict(_package())
    pinned = set(re.findall(r"sha256:(\w{64})", REQUIREMENTS.read_text(encoding="utf-8")))
    for wheel in sorted(wheels.glob("*.whl")):
        if hashlib.sha256(wheel.read_bytes()).hexdigest() not in pinned:
            sys.exit(f"{wheel} is not one of {REQUIREMENTS.name}")
        for name, data in _files_of(wheel):
            if _lines(found.setdefault(name, data)) != _lines(data):
                sys.exit(f"{wheel.name} holds another {name} than a wheel of another platform")
    found |= {name: (ROOT / name).read_bytes() for name in ("LICENSE", "NOTICE")}
    name = "unpack_one_file.py"
    return found | {name: (PARTS / name).read_bytes()}


def _package() -> Iterator[tuple[str, bytes]]:
    """Yield the files of xpu-doctor itself: those of this tree, else of the installed package."""
    folder = ROOT / "xpu_doctor"
    if not folder.is_dir():
        spec = importlib.util.find_spec("xpu_doctor")
        folder = Path(str(spec.origin)).parent if spec else sys.exit("there is no package xpu_doctor here")
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".pyc" and not path.name.endswith(LEFT_OUT):
            yield f"xpu_doctor/{path.relative_to(folder).as_posix()}", path.read_bytes()


def _files_of(wheel: Path) -> Iterator[tuple[str, bytes]]:
    """Yield what is imported from a wheel, and its licence."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            metadata = ".dist-info/" in name and not LICENCES.fullmatch(name)
            if not name.endswith(("/", *LEFT_OUT)) and not metadata and ".data/" not in name:
                yield name, archive.read(name)


def _lines(data: bytes) -> bytes:
    """Return data as it is compared: the wheels of one version differ in how their lines end."""
    return data.replace(b"\r\n", b"\n")


def write(files: dict[str, bytes], target: Path) -> None:
    """Write the archive: sorted, without the times and modes of this machine."""
    digest = hashlib.sha256()
    for name, data in sorted(files.items()):
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    start = (PARTS / "__main__.py").read_text(encoding="utf-8")
    start = start.replace('DIGEST = ""', f'DIGEST = "{digest.hexdigest()}"', 1)
    start = start.replace("SERVED = ()", f"SERVED = {served()!r}", 1)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    with open(part, "wb") as stream:
        stream.write(SHEBANG)
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name, data in sorted({**files, "__main__.py": start.encode()}.items()):
                info = zipfile.ZipInfo(name, LONG_AGO)
                info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, FILE_MODE
                archive.writestr(info, data)
    part.chmod(0o755)
    part.replace(target)


def main() -> None:
    """Download, pack, say how large it is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "dist", metavar="FOLDER", help="default: dist")
    parser.add_argument("--wheels", type=Path, metavar="FOLDER", help="where downloaded wheels are kept")
    options = parser.parse_args()
    target = options.output / NAME
    with tempfile.TemporaryDirectory() as made:
        wheels = options.wheels or Path(made)
        wheels.mkdir(parents=True, exist_ok=True)
        download(wheels)
        write(content(wheels), target)
    size = target.stat().st_size
    print(f"{target}: {size / 2**20:.1f} MiB, SHA-256 {hashlib.sha256(target.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()

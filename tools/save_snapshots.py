"""Writes fixtures/snapshots/vN for the present schema: run it once where a schema is released, and never change the files afterwards.

    python tools/save_snapshots.py

Files that exist are left as they are: what a released xpu-doctor wrote does not change. A test reads all of them with the present code.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import msgspec

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.support import planted  # noqa: E402
from xpu_doctor.model.snapshot import SNAPSHOT_SCHEMA, Snapshot  # noqa: E402
from xpu_doctor.report.build import Report, rendered  # noqa: E402
from xpu_doctor.report.snapshot_file import render_snapshot, snapshot_file  # noqa: E402

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SNAPSHOTS = ROOT / "fixtures" / "snapshots"
CREATED = "2026-11-27T00:00:00Z"


def files() -> Iterator[tuple[str, str]]:
    """Yield names and contents: the recorded snapshots, one as a report, and one with every fact, known and unknown."""
    for path in sorted(SNAPSHOTS.glob("*.toml")):
        snapshot = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Snapshot)
        yield f"{path.stem}.json", render_snapshot(snapshot_file(snapshot, CREATED))
        report = Report(created=CREATED).of_snapshot(snapshot)
        yield f"{path.stem}.report.json", rendered(report, "json", to_file=True, verbose=False)
    for name, unknown in (("every-fact", False), ("every-fact-unknown", True)):
        snapshot = planted.snapshot(lambda place: place.rsplit(".", 1)[-1].replace(" ", "-"), unknown)
        yield f"{name}.json", render_snapshot(snapshot_file(snapshot, CREATED, redact=False))


def main() -> None:
    """Write what is not there."""
    folder = SNAPSHOTS / f"v{SNAPSHOT_SCHEMA}"
    folder.mkdir(exist_ok=True)
    with mock.patch("xpu_doctor.report.build.own_command", return_value="xpu-doctor"):
        made = list(files())
    for name, text in made:
        if not (folder / name).exists():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
            print(folder / name)


if __name__ == "__main__":
    main()

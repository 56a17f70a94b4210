"""Ask Wine's loader about every recorded breakage of a Windows environment, and commit what it said beside what the walk says.

    python tools/wine_agreement.py            (needs wine64 and mingw-w64: see .ci/apt-packages.txt; about a minute)
    python tools/wine_agreement.py --check    (writes nothing; fails where fewer than 99 of 100 agree)

Writes fixtures/closure/wine.json, which the default test run replays without Wine.
"""

from __future__ import annotations

import datetime
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.closure import breakages, real_wheels, windows_world  # noqa: E402

OUTPUT = ROOT / "fixtures" / "closure" / "wine.json"


def main() -> int:
    """Examine all breakages, write the record, and print the agreement."""
    with tempfile.TemporaryDirectory(prefix="xpu-doctor-wine-") as folder:
        record = examine(Path(folder))
    cases = record.pop("cases")
    text = json.dumps({**record, "cases": []}, indent=1)
    lines = ",\n  ".join(json.dumps(row) for row in cases)
    if "--check" not in sys.argv[1:]:
        OUTPUT.parent.mkdir(parents=True, exist_ok=True)
        OUTPUT.write_text(text.replace('"cases": []', f'"cases": [\n  {lines}\n ]') + "\n", encoding="utf-8")
    print(f"{record['wine']}: {record['breakages']} breakages, {record['agree']} agree ({record['loads']} loads)")
    for row in cases:
        for difference in row["differences"]:
            print(f"  {row['name']}: {difference}")
    return 0 if record["agree"] >= 0.99 * record["breakages"] else 1


def examine(folder: Path) -> dict[str, Any]:
    """Return what Wine says of each breakage, and where the walk differs."""
    runtime = real_wheels.installed("base", "windows", real_wheels.WINDOWS)
    env = windows_world.build(runtime, folder)
    wine = windows_world.Wine(folder / "wine")
    wine.start()
    try:
        imports = wine.redistributable()
        names = wine.system_names() & (
            windows_world.imported_names(env) | {name for found in imports.values() for name in found}
        )
        rows = []
        for breakage in windows_world.cases():
            with breakages.done(env, breakage):
                real = wine.ask(folder, breakage)
                ours = windows_world.predict(folder, breakage, names, imports)
            rows.append({"name": breakage.name, "answers": real.answers, "loaded": list(real.loaded)})
            rows[-1]["differences"] = windows_world.differences(real, ours)
        return {
            "date": datetime.date.today().isoformat(),
            "wine": wine.version(),
            "wheels": sorted(real_wheels.WINDOWS),
            "system_names": sorted(names),
            "system_imports": {name: list(found) for name, found in imports.items()},
            "breakages": len(rows),
            "agree": sum(not row["differences"] for row in rows),
            "loads": sum(len(row["answers"]) for row in rows),
            "cases": rows,
        }
    finally:
        wine.stop()


if __name__ == "__main__":
    sys.exit(main())

"""Writes `xpu_doctor/data/fact_readers.json`: which rules read which fact when they decide. `xpu-doctor compare` tells such facts first.

    python tools/update_fact_readers.py [--check]

Every rule judges its own cases and the recorded hosts meanwhile, so run it after a rule, its cases or a condition of a table was
changed. With `--check` nothing is written, and the exit status is 1 where the file is not up to date.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import xpu_doctor  # noqa: E402
from tests.support.fact_reads import fact_reads  # noqa: E402

TARGET = Path(xpu_doctor.__file__).parent / "data" / "fact_readers.json"


def text() -> str:
    """Return what the file should hold."""
    rows = (f"  {json.dumps(path)}: {json.dumps(codes)}" for path, codes in fact_reads().items())
    return "{\n" + ",\n".join(rows) + "\n}\n"


def main() -> int:
    """Write the file, or say whether it is up to date."""
    made = text()
    if "--check" in sys.argv[1:]:
        return int(TARGET.read_text(encoding="utf-8") != made)
    TARGET.write_text(made, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

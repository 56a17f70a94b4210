"""Ask the loader of Windows (on Windows itself, or Wine's) about breakages of an environment with Intel's runtime, beside the walk.

    python tools/windows_agreement.py [FOLDER]     (FOLDER keeps the bench of Pythons; 340 MB of wheels, about ten minutes)

The patient is a genuine Python for Windows whose torch loads its libraries with the calls that torch itself makes there.
Prints a table of the error numbers that both gave, and each breakage at which they differ.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.windows_bench import build_bench  # noqa: E402
from tests.windows.loader_agreement import Compared, Trial, breakages  # noqa: E402


def main() -> int:
    """Try all breakages; fail where the two differ in more than numbers that Wine is known not to give."""
    with tempfile.TemporaryDirectory(prefix="xpu-doctor-windows-") as folder:
        kept = Path(sys.argv[1]).absolute() if len(sys.argv) > 1 else Path(folder, "bench")
        bench = build_bench(kept)
        try:
            with Trial(bench, Path(folder), mkl=True) as trial:
                rows = []
                for breakage in breakages(mkl=True):
                    rows.append(trial.compare(breakage))
                    told = "; ".join(rows[-1].differences)
                    print(f"{len(rows):4} {breakage.name}: {told or 'agree'}", file=sys.stderr, flush=True)
        finally:
            bench.machine.end()
    print(table(rows))
    return 0 if not [row for row in rows if row.differences and not row.beyond_wine] else 1


def table(rows: list[Compared]) -> str:
    """Return the agreement by kind of breakage, as Markdown, and the differences below it."""
    kinds = dict.fromkeys(row.breakage.kind for row in rows)
    lines = ["| breakage | tried | agree | Wine cannot tell | loader said | walk said |", "| --- |" + " --- |" * 5]
    for kind in kinds:
        mine = [row for row in rows if row.breakage.kind == kind]
        agree = sum(not row.differences for row in mine)
        loader, walk = (
            _numbers(Counter(answer)) for answer in ([r.real.error for r in mine], [r.walk.error for r in mine])
        )
        hidden = sum(row.beyond_wine for row in mine)
        lines.append(f"| {kind} | {len(mine)} | {agree} | {hidden} | {loader} | {walk} |")
    total = sum(not row.differences for row in rows)
    beyond = [row for row in rows if row.beyond_wine]
    rest = [row for row in rows if row.differences and row not in beyond]
    said = f"{len(rows)} breakages: {total} agree, {len(beyond)} cannot be told by Wine, {len(rest)} differ."
    lines += ["", said, *(f"- {row.breakage.name}: {'; '.join(row.differences)}" for row in rest)]
    return "\n".join(lines)


def _numbers(counted: Counter[int]) -> str:
    return ", ".join(f"{number or 'loads'} ({times})" for number, times in sorted(counted.items()))


if __name__ == "__main__":
    sys.exit(main())

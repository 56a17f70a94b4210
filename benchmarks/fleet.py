"""How long `xpu-doctor fleet` takes for many reports and how much memory, and whether it finds every difference that was planted.

    python -m benchmarks.fleet [--nodes 100000] [--seed 1] [--share 0.01] [--as folder|tar.gz|jsonl] [--folder FOLDER]

The reports are copies of a recorded host with times and speeds of their own, 20 kinds of difference in 1 % of the nodes each, some slow
cards and three missing nodes. They are written to a folder, which needs about 45 kB for each node, and deleted afterwards.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil

from tests.support.fleets import PLANTS, fleet

SLOW = 20
MISSING = 3


def write(options: argparse.Namespace, folder: Path) -> tuple[dict[str, set[str]], set[tuple[str, str]], int, Path]:
    """Write the reports; return the nodes of each plant, the slow cards, how many bytes they are, and what `fleet` is given."""
    plants: dict[str, set[str]] = {}
    slow: set[tuple[str, str]] = set()
    size = 0
    target = folder / {"folder": "reports", "tar.gz": "reports.tar.gz", "jsonl": "reports.jsonl.gz"}[options.form]
    if options.form == "folder":
        target.mkdir()
    stream: Any = gzip.open(target, "wb", compresslevel=1) if options.form != "folder" else None  # noqa: SIM115
    packed = tarfile.open(fileobj=stream, mode="w|") if options.form == "tar.gz" else None  # noqa: SIM115
    for made in fleet(options.nodes, options.seed, share=options.share, slow=SLOW):
        size += len(made.data)
        plants.setdefault(made.plant, set()).add(made.node)
        slow |= {(made.node, f"xpu:{card}") for card in made.slow}
        if options.form == "folder":
            (target / f"{made.node}.json").write_bytes(made.data)
        elif packed is not None:
            info = tarfile.TarInfo(f"reports/{made.node}.json")
            info.size = len(made.data)
            packed.addfile(info, io.BytesIO(made.data))
        else:
            stream.write(json.dumps(json.loads(made.data)).encode() + b"\n")
    for each in (packed, stream):
        if each is not None:
            each.close()
    return plants, slow, size, target


class Peak(threading.Thread):
    """Looks at how much memory a process and its children have resident, together, ten times a second."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__(daemon=True)
        self.process = psutil.Process(process.pid)
        self.together = self.main = 0

    def run(self) -> None:
        """Look until the process has ended."""
        while True:
            try:
                own = self.process.memory_info().rss
                sizes = [own, *(child.memory_info().rss for child in self.process.children(recursive=True))]
            except psutil.Error:
                if not self.process.is_running():
                    return
                sizes, own = [0], 0
            self.together, self.main = max(self.together, sum(sizes)), max(self.main, own)
            time.sleep(0.1)


def faults(document: dict[str, Any], plants: dict[str, set[str]], slow: set[tuple[str, str]]) -> list[str]:
    """Return what the fleet did not find as it was planted."""
    found = []
    for plant in PLANTS:
        groups = [group for group in document["groups"] if plants[plant.name] & set(group["nodes"])]
        if [set(group["nodes"]) for group in groups] != [plants[plant.name]]:
            found.append(
                f"{plant.name}: {len(plants[plant.name])} nodes are in {len(groups)} groups of {[group['size'] for group in groups]}"
            )
        elif not groups[0]["facts"] or not groups[0]["facts"][0]["path"].startswith(plant.seen_at):
            found.append(f"{plant.name}: named by {[fact['path'] for fact in groups[0]['facts']]}")
        elif groups[0]["facts"][0]["elsewhere"]:
            found.append(f"{plant.name}: {groups[0]['facts'][0]['elsewhere']} others have it, too")
    named = {(card["node"], card["device"]) for card in document["slow_cards"]}
    if named != slow:
        found.append(f"slow cards: {sorted(slow - named)} not found, {sorted(named - slow)} not slow")
    if len(document["missing"]) != MISSING:
        found.append(f"missing: {document['missing']}")
    return found


def main() -> int:
    """Write the reports, run the command, and say what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", type=float, default=0.01)
    parser.add_argument("--as", dest="form", choices=("folder", "tar.gz", "jsonl"), default="folder")
    parser.add_argument("--folder", help="where the reports are written (default: a temporary folder)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        started = time.perf_counter()
        plants, slow, size, target = write(options, folder)
        print(
            f"{options.nodes} reports, {size / options.nodes / 1000:.1f} kB each, written in {time.perf_counter() - started:.1f} s"
        )
        width = max(3, len(str(options.nodes)))
        wanted = f"node[{1:0{width}}-{options.nodes + MISSING:0{width}}]"
        outputs = [str(folder / f"fleet.{ending}") for ending in ("json", "html", "txt", "prom")]
        command = [
            sys.executable,
            "-m",
            "xpu_doctor",
            "fleet",
            str(target),
            "--expect-nodes",
            wanted,
            "--fail-on",
            "never",
        ]
        started = time.perf_counter()
        process = subprocess.Popen([*command, *(part for path in outputs for part in ("-o", path))], env=os.environ)
        peak = Peak(process)
        peak.start()
        code = process.wait()
        seconds = time.perf_counter() - started
        usage = {path.rpartition(".")[2]: os.path.getsize(path) for path in outputs}
        print(
            f"{seconds:.1f} s, exit code {code}; peak of the main process {peak.main / 2**20:.0f} MiB, of all processes together {peak.together / 2**20:.0f} MiB"
        )
        print("bytes written:", ", ".join(f"{ending} {count}" for ending, count in usage.items()))
        wrong = faults(json.loads(Path(outputs[0]).read_bytes()), plants, slow)
    print("every plant is found and named by its cause" if not wrong else "\n".join(wrong))
    return int(bool(wrong) or code != 0)


if __name__ == "__main__":
    sys.exit(main())

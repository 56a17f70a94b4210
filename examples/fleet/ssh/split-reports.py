"""Puts what clush or pdsh print, `node: line` for every line, into one file for each node: `split-reports.py FOLDER`.

A file is written whole or not at all; a node whose lines are no JSON document, for example because ssh failed, gets none and is named. In its
report the node is called as clush or pdsh call it: its own name may be another, and that of many nodes.
"""

import json
import os
import sys


def main(folder: str) -> int:
    """Read standard input, and write a file for each node."""
    lines: dict[str, list[str]] = {}
    for line in sys.stdin:
        node, colon, rest = line.partition(": ")
        if colon and node.replace("-", "").replace(".", "").replace("_", "").isalnum():
            lines.setdefault(node, []).append(rest)
    failed = [node for node, texts in sorted(lines.items()) if not _written(folder, node, "".join(texts))]
    for node in failed:
        print(f"{node}: no report: {''.join(lines[node]).strip()[:200]}", file=sys.stderr)
    return 0


def _written(folder: str, node: str, text: str) -> bool:
    try:
        report = json.loads(text)
    except ValueError:
        return False
    if not isinstance(report, dict):
        return False
    unfinished = os.path.join(folder, f".{node}.tmp")
    with open(unfinished, "w", encoding="utf-8") as stream:
        json.dump({**report, "node": node}, stream)
    os.replace(unfinished, os.path.join(folder, f"{node}.json"))
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

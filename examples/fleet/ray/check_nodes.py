"""Checks every node of a Ray cluster with a task pinned to each, and says which of them differ.

    python check_nodes.py reports [--address auto] [--seconds 300] [--doctor xpu-doctor] [-- OPTIONS OF xpu-doctor check]

Each run has a folder of its own within `reports`, so that no report of an earlier run stands for a node that is gone. The environment that
Ray's workers run in is the one that is examined, unless `--python` names another.
"""

from __future__ import annotations

import argparse
import collections
import os
import subprocess
import sys
import time

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy


@ray.remote(num_cpus=0, max_retries=0)
def check(command: list[str], node: str) -> tuple[int, str, str]:
    """Run a check where this task runs."""
    with_python = command if "--python" in command else [*command, "--python", sys.executable]
    run = subprocess.run(
        with_python, capture_output=True, text=True, env={**os.environ, "XPU_DOCTOR_NODE": node}, check=False
    )
    return run.returncode, run.stdout, run.stderr


def names(nodes: list[dict[str, object]]) -> dict[str, str]:
    """Return the name of each living node by its id: the host's, with a part of the id where several have the same."""
    hosts = {str(node["NodeID"]): str(node["NodeManagerHostname"]) for node in nodes if node["Alive"]}
    count = collections.Counter(hosts.values())
    return {one: host if count[host] == 1 else f"{host}-{one[:8]}" for one, host in hosts.items()}


def main() -> int:
    """Check, write one report for each node, and compare them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("reports")
    parser.add_argument("--address", default="auto")
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--doctor", default="xpu-doctor")
    given = sys.argv[1:]
    own, options = (given[: given.index("--")], given[given.index("--") + 1 :]) if "--" in given else (given, [])
    asked = parser.parse_args(own)
    ray.init(address=asked.address, log_to_driver=False, logging_level="warning")
    command = [asked.doctor, "check", "--json", "--host-name", "keep", "--deadline", str(asked.seconds), *options]
    found = names(ray.nodes())
    tasks = {
        name: check.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node_id=one, soft=False)).remote(
            command, name
        )
        for one, name in found.items()
    }
    reports = os.path.join(asked.reports, f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}")
    os.makedirs(reports)
    print(f"The reports of this run: {reports}", file=sys.stderr)
    for name, task in tasks.items():
        try:
            code, report, said = ray.get(task, timeout=asked.seconds + 60)
        except (ray.exceptions.RayError, TimeoutError) as error:
            print(f"{name}: no report: {type(error).__name__}", file=sys.stderr)
            continue
        if code not in (0, 1, 3):
            print(f"{name}: no report: {said.strip()[-300:]}", file=sys.stderr)
            continue
        unfinished = os.path.join(reports, f".{name}.tmp")
        with open(unfinished, "w", encoding="utf-8") as stream:
            stream.write(report)
        os.replace(unfinished, os.path.join(reports, f"{name}.json"))
    ray.shutdown()
    return subprocess.run(
        [asked.doctor, "fleet", reports, "--expect-nodes", ",".join(found.values())], check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())

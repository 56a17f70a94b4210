"""Open MPI and MPICH: two ranks on each of four nodes that ssh reaches; torchrun: four processes on one."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path

from fleet_engines.bench import NODES, RECIPES, Bench, NotHere, Tried, first_line, judged, needed, start_ssh_nodes

OUTER = {"SLURMD_NODENAME": "login1", "SLURM_LOCALID": "0", "SLURM_PROCID": "0"}
"""What a batch job has on the node on which mpiexec runs; MPICH takes it to all others."""
HOSTS = ",".join(f"{node}:2" for node in NODES)


def try_openmpi(bench: Bench) -> list[Tried]:
    """Run examples/fleet/mpi/check-nodes.sh with Open MPI."""
    needed("mpiexec.openmpi", package="openmpi-bin")
    client = start_ssh_nodes(bench)
    options = [
        "-n", "8", "--host", HOSTS, "--allow-run-as-root", "--mca", "plm_rsh_agent", f"ssh -F {client}", "--mca", "orte_keep_fqdn_hostnames", "1",
    ]  # fmt: skip
    return [_tried(bench, "Open MPI", "mpiexec.openmpi", options)]


def try_mpich(bench: Bench) -> list[Tried]:
    """Run examples/fleet/mpi/check-nodes.sh with MPICH."""
    needed("mpiexec.mpich", package="mpich")
    client = start_ssh_nodes(bench)
    shell = bench.folder / "ssh-to-node"
    shell.write_text(f'#!/bin/sh\nexec ssh -F {client} "$@"\n')
    shell.chmod(0o755)
    options = ["-n", "8", "-hosts", HOSTS, "-launcher", "ssh", "-launcher-exec", str(shell)]
    return [_tried(bench, "MPICH", "mpiexec.mpich", options)]


def try_torchrun(bench: Bench) -> list[Tried]:
    """Have torchrun start four processes on this node, of which one checks."""
    named = os.environ.get("XPU_DOCTOR_TEST_TORCH")
    if not named:
        raise NotHere("XPU_DOCTOR_TEST_TORCH names no environment with a real torch")
    python = str(Path(named) / "bin" / "python")
    version = first_line([python, "-c", "import torch; print(torch.__version__)"])
    start = [python, "-m", "torch.distributed.run", "--nproc-per-node", "4", "--no-python"]
    options = ["--python", bench.python, "--only", "wheel", "--fail-on", "never", "-q", "--once-per-node"]
    env = bench.environment(XPU_DOCTOR_NODE="node1")
    ended = bench.run(
        [*start, bench.doctor, "check", *options, "--host-name", "keep", "-o", "reports/{host}-{rank}.json"], env
    )
    found = bench.reports()
    said = f"4 processes, reports {', '.join(found)}"
    good = ended.returncode == 0 and list(found) == ["node1-0"]
    return [
        Tried(
            "torchrun",
            version,
            "torchrun --nproc-per-node 4 --no-python xpu-doctor check --once-per-node",
            1,
            said,
            good,
        )
    ]


def _tried(bench: Bench, engine: str, program: str, options: list[str]) -> Tried:
    version = _version(program)
    recipe = str(RECIPES / "mpi" / "check-nodes.sh")
    env = bench.environment(MPIEXEC=program, **OUTER)
    told = bench.run([recipe, str(bench.folder / "reports"), bench.python, *options], env).stdout
    (bench.folder / "ranks").mkdir()
    check = [
        bench.doctor,
        "check",
        "--python",
        bench.python,
        "--only",
        "wheel",
        "--fail-on",
        "never",
        "-q",
        "--host-name",
        "keep",
    ]
    bench.run([program, *options, *check, "--once-per-node", "-o", f"{bench.folder}/ranks/{{host}}-{{rank}}.json"], env)
    once = sorted(name.split("-")[0] for name in bench.reports("ranks"))
    made = judged(bench, engine, version, "check-nodes.sh reports ENV -n 8 (4 nodes, 2 ranks each)", NODES, told)
    said = f"{made.result}; of 8 ranks {len(once)} checked ({', '.join(bench.reports('ranks'))})"
    return replace(made, result=said, good=made.good and once == sorted(NODES))


def _version(program: str) -> str:
    """Return what a launcher says of its version, which MPICH's says in its second line."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"(?:\) |Version: +)(\d[\w.]+)", said)
    return found[1] if found else ""

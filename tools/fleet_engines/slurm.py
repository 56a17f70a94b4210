"""Slurm: a controller and four node daemons on loopback, a batch job, a health check that drains, and a prolog."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from fleet_engines.bench import NODES, RECIPES, Bench, Tried, first_line, judged, needed, wait_until

CONFIGURATION = """\
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CredType=cred/munge
SlurmctldPort=16817
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
SlurmdParameters=config_overrides
{more}
{nodes}
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def try_slurm(bench: Bench) -> list[Tried]:
    """Run the recipes of examples/fleet/slurm/."""
    needed("munged", "slurmctld", "slurmd", "srun", package="slurm-wlm")
    version = first_line(["slurmctld", "-V"])
    _start(bench)
    env = bench.environment(SLURM_CONF=str(bench.folder / "slurm.conf"))
    recipe = RECIPES / "slurm" / "check-nodes.sh"
    (bench.folder / "reports").mkdir()
    job = ["sbatch", "--wait", "-N4", "-o", "job.log", str(recipe), str(bench.folder / "reports"), bench.python]
    bench.run(job, env)
    tried = [
        judged(bench, "Slurm", version, "sbatch -N4 check-nodes.sh", NODES, (bench.folder / "job.log").read_text())
    ]
    tried.append(_one_of_many_ranks(bench, version, env))
    tried.append(_health_check(bench, version, env))
    tried.append(_prolog(bench, version, env))
    return tried


def _start(bench: Bench) -> None:
    folder = bench.folder
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o600)
    (folder / "state").mkdir()
    bench.start(
        "munged",
        [
            "munged", "--foreground", "--force", f"--key-file={key}", f"--socket={folder}/munge.sock", f"--pid-file={folder}/munge.pid",
            f"--log-file={folder}/munge.log", f"--seed-file={folder}/munge.seed",
        ],
    )  # fmt: skip
    wait_until((folder / "munge.sock").exists)
    _configure(bench)
    configuration = str(folder / "slurm.conf")
    env = bench.environment(SLURM_CONF=configuration)
    bench.start("slurmctld", ["slurmctld", "-D", "-f", configuration], env)
    for node in NODES:
        (folder / f"spool-{node}").mkdir()
        bench.start(f"slurmd-{node}", bench.on_node(node, ["slurmd", "-D", "-N", node, "-f", configuration]), env)
    wait_until(lambda: "4/0/0/4" in bench.run(["sinfo", "-h", "-o", "%F"], env).stdout.replace("0/4/0/4", "4/0/0/4"))


def _configure(bench: Bench, more: str = "") -> None:
    host = socket.gethostname()
    nodes = "\n".join(
        f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={16821 + number} CPUs=2 State=UNKNOWN"
        for number, node in enumerate(NODES)
    )
    text = CONFIGURATION.format(host=host, folder=bench.folder, more=more, nodes=nodes)
    unfinished = bench.folder / "slurm.conf.new"  # a daemon that reads half of it ends
    unfinished.write_text(text)
    unfinished.replace(bench.folder / "slurm.conf")


def _one_of_many_ranks(bench: Bench, version: str, env: dict[str, str]) -> Tried:
    (bench.folder / "ranks").mkdir()
    bench.run(
        [
            "srun", "-N4", "--ntasks-per-node=2", "-K0", "--overcommit", bench.doctor, "check", "--python", bench.python, "--only", "wheel",
            "--once-per-node", "--host-name", "keep", "-q", "-o", f"{bench.folder}/ranks/{{host}}-{{rank}}.json",
        ],
        env,
    )  # fmt: skip
    found = bench.reports("ranks")
    good = sorted(found) == ["node1-0", "node2-2", "node3-4", "node4-6"]
    return Tried(
        "Slurm",
        version,
        "srun -N4 --ntasks-per-node=2 ... --once-per-node",
        4,
        f"8 ranks, reports {', '.join(found)}",
        good,
    )


def _wrapper(bench: Bench, name: str, doctor: str) -> Path:
    """Write what slurmd runs: the recipe, with the programs of this machine in its variables."""
    path = bench.folder / f"on-node-{name}"
    path.write_text(
        f"#!/bin/sh\nexport XPU_DOCTOR={doctor} SLURM_CONF={bench.folder}/slurm.conf PATH={os.environ['PATH']}\n"
        f"export XPU_DOCTOR_REPORT={bench.folder}/{name}-$SLURMD_NODENAME.json\nexec {RECIPES}/slurm/{name}\n"
    )
    path.chmod(0o755)
    return path


def _reasons(bench: Bench, env: dict[str, str]) -> str:
    return bench.run(["sinfo", "-h", "-N", "-o", "%N %t %E"], env).stdout


def _health_check(bench: Bench, version: str, env: dict[str, str]) -> Tried:
    """Have every node drained, since this machine has no Intel GPU, and taken back by a doctor that finds nothing."""
    program = _wrapper(bench, "health-check.sh", bench.doctor)
    _configure(bench, f"HealthCheckProgram={program}\nHealthCheckInterval=5\nHealthCheckNodeState=ANY")
    bench.run(["scontrol", "reconfigure"], env)
    drained = wait_until(lambda: _reasons(bench, env).count("xpu-doctor: ") == 4, 90)
    reasons = sorted({line.split(" ", 2)[2] for line in _reasons(bench, env).splitlines()})
    _wrapper(bench, "health-check.sh", "true")
    back = wait_until(lambda: _reasons(bench, env).count("idle none") == 4, 60)
    _configure(bench)
    bench.run(["scontrol", "reconfigure"], env)
    said = f"4 drained: {reasons[0]}; back when nothing is found" if drained and back else f"{reasons}, back: {back}"
    return Tried("Slurm", version, "HealthCheckProgram=health-check.sh", 4, said, drained and back)


def _prolog(bench: Bench, version: str, env: dict[str, str]) -> Tried:
    program = _wrapper(bench, "prolog.sh", bench.doctor)
    _configure(bench, f"Prolog={program}\nPrologFlags=Alloc")
    bench.run(["scontrol", "reconfigure"], env)
    bench.run(["sbatch", "-N1", "-w", "node2", "-o", "never.log", "--wrap", "echo ran"], env)
    drained = wait_until(lambda: "xpu-doctor prolog: " in _reasons(bench, env), 60)
    ran = (bench.folder / "never.log").exists()
    reason = next((line for line in _reasons(bench, env).splitlines() if "xpu-doctor" in line), "")
    bench.run(["scancel", "-u", "root"], env)
    return Tried("Slurm", version, "Prolog=prolog.sh", 1, f"the job did not begin; {reason}", drained and not ran)

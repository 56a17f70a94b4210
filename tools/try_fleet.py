"""Runs the recipes of examples/fleet/ on the engines that this machine has, and prints a table of what came of it.

    python tools/try_fleet.py [ENGINE...] [--python ENVIRONMENT] [--keep FOLDER]

Each engine runs on loopback, in a folder of its own, and is ended by its process id. An engine that is not installed is named with what
has it. Ansible and Ray are installed into an environment for the trial, unless XPU_DOCTOR_TEST_ANSIBLE and XPU_DOCTOR_TEST_RAY name one.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1])]

from fleet_engines.bench import ODD_TORCH, Bench, NotHere, Tried  # noqa: E402
from fleet_engines.mpi import try_mpich, try_openmpi, try_torchrun  # noqa: E402
from fleet_engines.others import try_container, try_kubernetes, try_nagios, try_ray, try_systemd  # noqa: E402
from fleet_engines.shells import try_ansible, try_clush, try_pdsh  # noqa: E402
from fleet_engines.slurm import try_slurm  # noqa: E402

from tests.support.environments import make_environment  # noqa: E402

ENGINES: dict[str, Callable[[Bench], list[Tried]]] = {
    "slurm": try_slurm,
    "openmpi": try_openmpi,
    "mpich": try_mpich,
    "torchrun": try_torchrun,
    "clush": try_clush,
    "pdsh": try_pdsh,
    "ansible": try_ansible,
    "ray": try_ray,
    "kubernetes": try_kubernetes,
    "nagios": try_nagios,
    "systemd": try_systemd,
    "container": try_container,
}


def on_bench(name: str, python: str | None, folder: Path) -> list[Tried]:
    """Run the trial of one engine; whatever happens, what it started is ended.

    Raises:
        NotHere: it cannot be tried on this machine.
    """
    doctor = shutil.which("xpu-doctor", path=str(Path(sys.executable).parent)) or shutil.which("xpu-doctor") or ""
    folder.mkdir(parents=True)
    bench = Bench(folder, doctor, python) if python else Bench(folder, doctor, *_planted(folder))
    try:
        return ENGINES[name](bench)
    finally:
        bench.close()


def _planted(folder: Path) -> tuple[str, str]:
    """Make the environment of the nodes, and the one of the odd node."""
    folders = []
    for name, version in (("environment", "2.9.1+xpu"), ("odd", ODD_TORCH)):
        made = make_environment(folder / name)
        made.add_torch(version)
        folders.append(str(made.folder))
    return folders[0], folders[1]


def tried(name: str, python: str | None, folder: Path) -> list[Tried]:
    """Run the trial of one engine, and say so where it cannot be tried or fails."""
    try:
        return on_bench(name, python, folder)
    except NotHere as error:
        return [Tried(name, "", "", 0, f"not tried: {error}", False)]
    except (OSError, subprocess.SubprocessError) as error:
        return [Tried(name, "", "", 0, f"failed: {error}", False)]


def main() -> int:
    """Run the trials that were asked for, and print their table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engines", nargs="*", metavar="ENGINE", help=f"one of {', '.join(ENGINES)} (default: all)")
    parser.add_argument(
        "--python",
        help="what is examined on each node (default: an environment with a stub of torch, of an older version on one node)",
    )
    parser.add_argument("--keep", type=Path, help="a folder that keeps the logs and reports")
    asked = parser.parse_args()
    unknown = [name for name in asked.engines if name not in ENGINES]
    if unknown:
        parser.error(f"{unknown[0]}: no such engine")
    print("| engine | version | command | nodes | result |\n| --- | --- | --- | --- | --- |")
    good = True
    with tempfile.TemporaryDirectory(prefix="fleet-") as temporary:
        for name in asked.engines or ENGINES:
            for row in tried(name, asked.python, (asked.keep or Path(temporary)) / name):
                mark = "" if row.good else "**no:** "
                print(
                    f"| {row.engine} | {row.version} | `{row.command}` | {row.nodes} | {mark}{row.result} |", flush=True
                )
                good = good and row.good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

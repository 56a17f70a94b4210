"""What the trials of all engines share: a folder, programs that are ended again, nodes that ssh reaches, and what a trial came to."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RECIPES = ROOT / "examples" / "fleet"
NODES = ("node1", "node2", "node3", "node4")
ODD = "node3"
"""The node that has another torch than the others, where the environments are planted."""
ODD_TORCH = "2.8.0+xpu"
ABSENT = "node9"
"""A node that is expected and has no report."""
FIRST_PORT = 16901


class NotHere(Exception):
    """An engine cannot be tried on this machine; the message says what it needs."""


@dataclass(frozen=True)
class Tried:
    """What a trial of one engine came to."""

    engine: str
    version: str
    command: str
    nodes: int
    result: str
    good: bool


@dataclass
class Bench:
    """A folder for one trial, and what runs for it."""

    folder: Path
    doctor: str
    """The program `xpu-doctor`."""
    python: str
    """The environment that is examined."""
    odd: str = ""
    """The environment that the odd node has in its place, or empty."""
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def environment(self, **extra: str) -> dict[str, str]:
        """Return the variables for an engine."""
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("SLURM", "OMPI", "PMI"))}
        return {**plain, "XPU_DOCTOR": self.doctor, "OWN_XPU_DOCTOR": self.doctor, **extra}

    def start(self, name: str, arguments: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """Start a program of the engine, which `close` ends; its output goes to a log."""
        with open(self.folder / f"{name}.log", "wb") as log:
            self.running.append(
                subprocess.Popen(
                    arguments,
                    env=env or self.environment(),
                    stdout=log,
                    stderr=log,
                    stdin=subprocess.DEVNULL,
                    cwd=self.folder,
                )
            )

    def run(
        self, arguments: Sequence[str], env: Mapping[str, str] | None = None, seconds: float = 240.0
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end or its deadline; what it prints is kept in `commands.log`, too."""
        ended = subprocess.run(
            arguments, env=env or self.environment(), cwd=self.folder, capture_output=True, text=True, timeout=seconds,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        with open(self.folder / "commands.log", "a", encoding="utf-8") as log:
            log.write(f"$ {' '.join(arguments)}\n{ended.stdout}{ended.stderr}exit code {ended.returncode}\n")
        return ended

    def on_node(self, node: str, arguments: Sequence[str], *, named: bool = False) -> list[str]:
        """Return the command that starts a program on a node: where the environment is that node's, and the host name too if it is `named`."""
        odd = f'mount --bind "{self.odd}" "{self.python}" && ' if self.odd and node == ODD else ""
        name = f"hostname {node} && " if named else ""
        if not odd and not name:
            return list(arguments)
        return ["unshare", "-u", "-m", "sh", "-c", f'{odd}{name}exec "$@"', "sh", *arguments]

    def close(self) -> None:
        """End all that was started, the newest first."""
        for process in reversed(self.running):
            process.send_signal(signal.SIGTERM)
        for process in reversed(self.running):
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def reports(self, folder: str = "reports") -> dict[str, str]:
        """Return the node that each report names, by the name of its file; fail where one is not whole."""
        return {
            path.stem: str(json.loads(path.read_text(encoding="utf-8"))["node"])
            for path in sorted((self.folder / folder).rglob("*.json"))
        }


def needed(*programs: str, package: str) -> None:
    """Make sure that programs are there.

    Raises:
        NotHere: one is not.
    """
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        raise NotHere(f"{', '.join(missing)} not found: Debian's package {package} has it")


def wait_until(what: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Wait for something; return whether it came."""
    until = time.monotonic() + seconds
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(0.2)
    return True


def first_line(arguments: Sequence[str]) -> str:
    """Return the first line that a program prints."""
    ended = subprocess.run(arguments, capture_output=True, text=True, check=False)
    return ((ended.stdout or ended.stderr).strip().splitlines() or [""])[0]


def judged(bench: Bench, engine: str, version: str, command: str, nodes: Sequence[str], told: str) -> Tried:
    """Return what a trial came to: a whole report for each node, named as the node is, and what the recipe `told` of them in the end."""
    found = bench.reports()
    good = sorted(found) == sorted(nodes) and all(name == node for name, node in found.items())
    good = good and f"{len(nodes)} nodes" in told and "expected nodes is missing" not in told
    said = (
        f"{len(found)} whole reports of {len(nodes)} nodes" if good else f"reports of {', '.join(found) or 'no node'}"
    )
    fleet, right = compared(bench, found)
    return Tried(engine, version, command, len(nodes), f"{said}; {fleet}", good and right)


def compared(bench: Bench, found: Mapping[str, str]) -> tuple[str, bool]:
    """Return what `xpu-doctor fleet` makes of the reports, and whether it names the odd node, its torch, and the absent node."""
    expected = ",".join([*found, ABSENT])
    ended = bench.run([bench.doctor, "fleet", "reports", "--expect-nodes", expected, "--format", "json"])
    try:
        document = json.loads(ended.stdout)
    except ValueError:
        return f"fleet: exit code {ended.returncode}", False
    others = [group for group in document["groups"] if not group["majority"]]
    named = {node for group in others for node in group["nodes"]}
    told = ODD_TORCH in json.dumps([group["facts"] for group in others])
    differs = f"{', '.join(sorted(named)) or 'no node'} differs{f' by torch {ODD_TORCH}' if told else ''}"
    odd = {ODD} if bench.odd else set()
    right = named == odd and document["missing"] == [ABSENT] and told == bool(odd)
    return f"fleet: {differs}, {', '.join(document['missing']) or 'none'} missing", right


def start_ssh_nodes(bench: Bench, nodes: Sequence[str] = NODES) -> Path:
    """Start a secure shell server for each node, under a host name of its own; return the configuration by which ssh reaches them.

    Raises:
        NotHere: there is no sshd, or no right to give a process a host name of its own.
    """
    needed("sshd", "ssh", "ssh-keygen", "unshare", package="openssh-server")
    if os.geteuid() != 0:
        raise NotHere("only root can give a process a host name of its own")
    os.makedirs("/run/sshd", exist_ok=True)
    key = bench.folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    (bench.folder / "authorized").write_text((bench.folder / "key.pub").read_text())
    hosts = ""
    for number, node in enumerate(nodes):
        port = FIRST_PORT + number
        server = bench.folder / f"sshd-{node}.conf"
        server.write_text(
            f"Port {port}\nListenAddress 127.0.0.1\nHostKey {key}\nAuthorizedKeysFile {bench.folder}/authorized\nStrictModes no\n"
            f"UsePAM no\nPermitRootLogin yes\nPidFile none\nMaxStartups 100\nPrintMotd no\n"
        )
        program = [str(shutil.which("sshd")), "-D", "-e", "-f", str(server)]
        bench.start(f"sshd-{node}", bench.on_node(node, program, named=True))
        hosts += f"Host {node}\n  HostName 127.0.0.1\n  Port {port}\n"
    client = bench.folder / "ssh.conf"
    client.write_text(
        f"{hosts}Host *\n  IdentityFile {key}\n  IdentitiesOnly yes\n  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  LogLevel ERROR\n"
    )
    reached = [
        wait_until(lambda node=node: bench.run(["ssh", "-F", str(client), node, "true"]).returncode == 0)  # type: ignore[misc]
        for node in nodes
    ]
    if not all(reached):
        raise NotHere(f"sshd does not answer; see {bench.folder}")
    return client


def environment_with(bench: Bench, variable: str, *packages: str) -> Path:
    """Return an environment with packages: the one that a variable names, else a new one."""
    named = os.environ.get(variable)
    if named:
        return Path(named)
    folder = bench.folder / "engine"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run([str(folder / "bin" / "pip"), "install", "-q", *packages], check=True, capture_output=True)
    return folder

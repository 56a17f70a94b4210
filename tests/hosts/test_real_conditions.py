"""Real processes in real conditions: other users, namespaces without nodes, a /sys that may not be read."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import xpu_doctor

USER = 61234
"""A user that no account database knows: what the kernel says of permissions needs no account."""
RENDER = 61235

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="needs Linux"),
    pytest.mark.skipif(
        not hasattr(os, "geteuid") or os.geteuid() != 0, reason="making device nodes and namespaces needs root"
    ),
    pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare is not here (util-linux)"),
]

PROGRAM = """
import json, os, sys
uid, gid, groups = json.loads(sys.argv[1])
if groups is not None:
    os.setgroups(groups)
    os.setgid(gid)
    os.setuid(uid)
import dataclasses
sys.path.insert(0, sys.argv[2])
from xpu_doctor.host.live import LiveHost
from xpu_doctor.probes.runner import run_probes
from xpu_doctor.probes import PROBES
gathered = run_probes(LiveHost(), PROBES)
access, gpus = gathered.facts["access"], gathered.facts["gpus"]
print(json.dumps({
    "failures": [row.error for row in gathered.failures],
    "nodes": [dataclasses.asdict(node) for node in access.nodes],
    "account": list(access.account_groups) if isinstance(access.account_groups, tuple) else [],
    "groups": list(access.session_groups), "is_root": access.is_root, "namespace": access.user_namespace,
    "gpus": getattr(gpus, "reason", len(gpus) if isinstance(gpus, tuple) else ""),
    "container": gathered.facts["machine"].container if isinstance(gathered.facts["machine"].container, str) else "",
}))
"""

NODES = """
set -e
mount --make-rprivate /
mount -t tmpfs none /dev -o mode=755
mkdir -p /dev/dri
mknod -m 666 /dev/null c 1 3
mknod -m 666 /dev/urandom c 1 9
mknod -m {mode} /dev/dri/renderD128 c 226 128
chgrp {render} /dev/dri/renderD128
"""


def examine(
    package: str, setup: str, who: tuple[int, int, list[int]] | None, flags: tuple[str, ...] = ("--mount",)
) -> dict[str, Any]:
    """Run the probes in a namespace after a shell set it up, as a user with groups; None stays root."""
    arguments = json.dumps([*who] if who else [0, 0, None])
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    script = f'{setup}\nexec "$@"'
    command = ["unshare", *flags, "sh", "-c", script, "sh", PYTHON or sys.executable, "-c", PROGRAM, arguments, package]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)
    if done.returncode and ("unshare" in done.stderr or "mount" in done.stderr or "mknod" in done.stderr):
        pytest.skip(f"this machine gives no namespaces: {done.stderr.strip()[:200]}")
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert not answer["failures"]
    return answer


def reachable(path: str) -> bool:
    """Return whether any user may reach a file."""
    places = {Path(path), Path(os.path.realpath(path))}
    return all(parent.stat().st_mode & 0o001 for place in places for parent in place.parents)


def common_python() -> str:
    """Return a Python of this one's version that any user may run, so that compiled modules fit it; empty where there is none."""
    version = ".".join(map(str, sys.version_info[:2]))
    for name in (sys.executable, f"/usr/bin/python{version}", f"/usr/local/bin/python{version}"):
        if os.path.exists(name) and reachable(name):
            return name
    return ""


PYTHON = common_python()
needs_users = pytest.mark.skipif(not PYTHON, reason="there is no Python of this version that another user may reach")


@pytest.fixture(scope="session")
def package() -> Iterator[str]:
    """A copy of the package, and of what its probes import, in a folder that every user may read."""
    folder = tempfile.mkdtemp(prefix="xpu-doctor-", dir="/var/tmp")
    os.chmod(folder, 0o755)
    for module in (xpu_doctor, msgspec):
        assert module.__file__ is not None
        source = Path(module.__file__).parent
        shutil.copytree(source, Path(folder) / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    yield folder
    shutil.rmtree(folder)


@needs_users
def test_outside_the_group(package: str) -> None:
    """The kernel refuses a user outside the node's group."""
    node = examine(package, NODES.format(mode=660, render=RENDER), (USER, USER, [USER]))["nodes"][0]
    assert (node["error"], node["mode"], node["group_id"]) == ("EACCES", 0o660, RENDER)


@needs_users
def test_inside_the_group(package: str) -> None:
    """A user in the group gets past permissions; a node without a device behind it then says ENXIO (or ENODEV)."""
    answer = examine(package, NODES.format(mode=660, render=RENDER), (USER, USER, [USER, RENDER]))
    assert answer["nodes"][0]["error"] in ("ENXIO", "ENODEV")
    assert RENDER in answer["groups"]


@needs_users
def test_session_older_than_group(package: str) -> None:
    """The account database gives the group, the process does not hold it: log in again."""
    account = f"""
cp /etc/passwd /dev/passwd; echo 'ada:x:{USER}:{USER}::/:/bin/sh' >> /dev/passwd; mount --bind /dev/passwd /etc/passwd
cp /etc/group /dev/group; printf 'ada:x:{USER}:\\nxpurender:x:{RENDER}:ada\\n' >> /dev/group; mount --bind /dev/group /etc/group
"""
    answer = examine(package, NODES.format(mode=660, render=RENDER) + account, (USER, USER, [USER]))
    node = answer["nodes"][0]
    assert (node["error"], node["group"]) == ("EACCES", "xpurender")
    assert "xpurender" in answer["account"] and RENDER not in answer["groups"]


def test_root(package: str) -> None:
    """Root needs no group."""
    answer = examine(package, NODES.format(mode=660, render=RENDER), None)
    assert answer["is_root"] is True and answer["nodes"][0]["error"] in ("ENXIO", "ENODEV")


def test_no_dri(package: str) -> None:
    """A namespace without /dev/dri has no nodes, and that is a fact, not an unknown."""
    setup = "set -e\nmount --make-rprivate /\nmount -t tmpfs none /dev -o mode=755\nmknod -m 666 /dev/null c 1 3\nmknod -m 666 /dev/urandom c 1 9\n"
    assert examine(package, setup, None)["nodes"] == []


def test_no_sys(package: str) -> None:
    """Without /sys the bus is unknown, with the reason."""
    assert "cannot be read" in examine(package, "mount --make-rprivate /; mount -t tmpfs none /sys", None)["gpus"]


def test_read_only_sys(package: str) -> None:
    """A read-only /sys is as good as any: the doctor only reads."""
    answer = examine(
        package,
        "mount --make-rprivate /; mount -o remount,bind,ro /sys 2>/dev/null || mount --bind -o ro /sys /sys",
        None,
    )
    assert isinstance(answer["gpus"], int) or "no device" in answer["gpus"] or "no such file" in answer["gpus"]


def test_user_namespace(package: str) -> None:
    """A user namespace with its own numbers (a rootless container) is seen."""
    assert examine(package, "true", None, ("--user", "--map-root-user", "--mount"))["namespace"] is True


@pytest.mark.skipif(shutil.which("setfacl") is None, reason="setfacl is not here (apt-get install acl)")
@needs_users
def test_access_list(package: str) -> None:
    """An access control list, as logind sets it for the seat, is seen, and it lets the user in."""
    setup = NODES.format(mode=660, render=RENDER) + f"setfacl -m u:{USER}:rw /dev/dri/renderD128\n"
    node = examine(package, setup, (USER, USER, [USER]))["nodes"][0]
    assert node["acl"] is True and node["error"] in ("ENXIO", "ENODEV")


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bwrap is not here (apt-get install bubblewrap)")
def test_sandbox_without_devices(package: str) -> None:
    """bwrap's own /dev, as a container without the GPU has it."""
    arguments = [
        "bwrap",
        "--ro-bind",
        "/",
        "/",
        "--dev",
        "/dev",
        "--proc",
        "/proc",
        "--unshare-all",
        "--die-with-parent",
    ]
    program = [PYTHON or sys.executable, "-B", "-c", PROGRAM, json.dumps([0, 0, None]), package]
    done = subprocess.run([*arguments, *program], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode and "bwrap" in done.stderr:
        pytest.skip(f"bwrap may not make a namespace here: {done.stderr.strip()[:200]}")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["nodes"] == []

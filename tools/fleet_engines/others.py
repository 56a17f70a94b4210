"""Ray, Kubernetes, Nagios, systemd, and the image."""

from __future__ import annotations

import getpass
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from fleet_engines.bench import (
    RECIPES,
    Bench,
    NotHere,
    Tried,
    compared,
    environment_with,
    first_line,
    needed,
    wait_until,
)

CLUSTER = """
import subprocess, sys
from ray.cluster_utils import Cluster
cluster = Cluster()
for number in range(4):
    cluster.add_node(num_cpus=1, object_store_memory=80 * 1024 * 1024, include_dashboard=False)
cluster.wait_for_nodes()
code = subprocess.run([sys.executable, sys.argv[1], "--address", cluster.address, *sys.argv[2:]], stdin=subprocess.DEVNULL).returncode
cluster.shutdown()
sys.exit(code)
"""


def try_ray(bench: Bench) -> list[Tried]:
    """Run examples/fleet/ray/check_nodes.py on a cluster of four nodes on this machine."""
    environment = environment_with(bench, "XPU_DOCTOR_TEST_RAY", "ray")
    python = str(environment / "bin" / "python")
    version = first_line([python, "-c", "import ray; print(ray.__version__)"])
    script = str(RECIPES / "ray" / "check_nodes.py")
    env = bench.environment(RAY_DISABLE_IMPORT_WARNING="1", RAY_USAGE_STATS_ENABLED="0")
    bench.run(
        [
            python,
            "-c",
            CLUSTER,
            script,
            "reports",
            "--doctor",
            bench.doctor,
            "--seconds",
            "120",
            "--",
            "--python",
            bench.python,
        ],
        env,
    )
    found = bench.reports()
    named = all(re.fullmatch(r".+-[0-9a-f]{8}", name) and name == node for name, node in found.items())
    fleet, right = compared(replace(bench, odd=""), found)
    said = f"{len(found)} whole reports of 4 nodes with one host name; {fleet}"
    return [Tried("Ray", version, "check_nodes.py reports", 4, said, named and right and len(found) == 4)]


def try_kubernetes(bench: Bench) -> list[Tried]:
    """Hold the manifests against the API's schemas, and the check of node-problem-detector against its exit codes."""
    environment = environment_with(bench, "XPU_DOCTOR_TEST_KUBERNETES", "kubernetes-validate")
    program = str(environment / "bin" / "kubernetes-validate")
    version = first_line(
        [
            str(environment / "bin" / "python"),
            "-c",
            "import importlib.metadata as m; print(m.version('kubernetes-validate'))",
        ]
    )
    tried = []
    for name in ("daemonset.yaml", "job.yaml"):
        ended = bench.run([program, "--strict", str(RECIPES / "kubernetes" / name)])
        said = (
            "valid by the schemas of the API" if ended.returncode == 0 else (ended.stdout + ended.stderr).strip()[-200:]
        )
        tried.append(
            Tried(
                "Kubernetes",
                f"kubernetes-validate {version}",
                f"kubernetes-validate --strict {name}",
                0,
                said,
                ended.returncode == 0,
            )
        )
    ended = bench.run(["sh", str(RECIPES / "kubernetes" / "node-problem.sh")])
    good = ended.returncode == 1 and 0 < len(ended.stdout.strip()) <= 80 and ended.stdout.count("\n") == 1
    tried.append(
        Tried("Kubernetes", "", "node-problem.sh", 1, f"exit code {ended.returncode}: {ended.stdout.strip()}", good)
    )
    return tried


PYTHON = "/path/to/your/environment/bin/python"
"""What the recipes have in the place of the Python to examine."""
NAGIOS = """\
log_file={folder}/nagios.log
cfg_file=/etc/nagios4/objects/templates.cfg
cfg_file=/etc/nagios4/objects/contacts.cfg
cfg_file=/etc/nagios4/objects/timeperiods.cfg
cfg_file=/etc/nagios4/objects/commands.cfg
cfg_file={folder}/objects.cfg
object_cache_file={folder}/objects.cache
status_file={folder}/status.dat
resource_file=/etc/nagios4/resource.cfg
lock_file={folder}/nagios.pid
temp_file={folder}/nagios.tmp
temp_path={folder}
check_result_path={folder}
state_retention_file={folder}/retention.dat
query_socket={folder}/nagios.qh
command_file={folder}/nagios.cmd
nagios_user={user}
nagios_group={user}
check_external_commands=0
check_for_updates=0
enable_notifications=0
status_update_interval=2
service_inter_check_delay_method=n
"""
HOST = """
define host {
    host_name       localhost
    address         127.0.0.1
    max_check_attempts  1
    check_interval  60
    check_period    24x7
    contact_groups  admins
}
"""


def try_nagios(bench: Bench) -> list[Tried]:
    """Let Nagios schedule and run the plug-in, and read what it makes of it; then without xpu-doctor."""
    needed("nagios4", package="nagios4-core")
    version = " ".join(first_line_that("Nagios Core", bench.run(["nagios4", "-V"]).stdout).split())
    plugin = str(RECIPES / "nagios" / "check_xpu")
    service = (RECIPES / "nagios" / "xpu.cfg").read_text(encoding="utf-8")
    called = f"{sys.executable} {plugin} --doctor {bench.doctor}"
    service = service.replace("/usr/lib/nagios/plugins/check_xpu", called).replace(PYTHON, bench.python)
    (bench.folder / "objects.cfg").write_text(HOST + service)
    (bench.folder / "nagios.cfg").write_text(NAGIOS.format(folder=bench.folder, user=getpass.getuser()))
    bench.start("nagios", ["nagios4", str(bench.folder / "nagios.cfg")])
    status = bench.folder / "status.dat"
    wait_until(lambda: status.exists() and "plugin_output=XPU" in status.read_text(), 60)
    told = status.read_text() if status.exists() else ""
    state, output = (
        re.search(r"current_state=(\d)\n(?:.*\n){0,20}?\tplugin_output=(XPU.*)", told),
        re.search(r"performance_data=(longest.*)", told),
    )
    good = state is not None and output is not None and state[1] == "2" and state[2].startswith("XPU CRITICAL - ")
    said = (
        f"state {state[1]}: {state[2][:90]}; performance data {output[1]}"
        if state and output
        else "no result; see nagios.log"
    )
    tried = [Tried("Nagios", version, "check_xpu as a service", 1, said, good)]
    missing = bench.run([sys.executable, plugin, "--doctor", "/no/such/program"])
    good = missing.returncode == 3
    return [
        *tried,
        Tried(
            "Nagios",
            version,
            "check_xpu without xpu-doctor",
            1,
            f"exit code {missing.returncode}: {missing.stdout.strip()}",
            good,
        ),
    ]


def first_line_that(begins: str, text: str) -> str:
    """Return the first line of a text that begins with some words, or empty."""
    return next((line.strip() for line in text.splitlines() if line.strip().startswith(begins)), "")


def try_systemd(bench: Bench) -> list[Tried]:
    """Have systemd verify the units, with the programs of this machine in them."""
    needed("systemd-analyze", package="systemd")
    for name in ("xpu-doctor.service", "xpu-doctor.timer"):
        text = (RECIPES / "systemd" / name).read_text(encoding="utf-8")
        (bench.folder / name).write_text(
            text.replace("/usr/local/bin/xpu-doctor", bench.doctor).replace(PYTHON, bench.python)
        )
    units = [str(bench.folder / name) for name in ("xpu-doctor.service", "xpu-doctor.timer")]
    ended = bench.run(["systemd-analyze", "verify", "--man=no", *units])
    said = (ended.stdout + ended.stderr).strip()
    line = re.search(r"^ExecStart=(.+)$", (bench.folder / "xpu-doctor.service").read_text(), re.MULTILINE)
    state = bench.folder / "state"
    state.mkdir()
    words = line[1].replace("${STATE_DIRECTORY}", str(state)).split() if line else []
    ran = bench.run(words)
    written = os.listdir(state)
    good = ended.returncode == 0 and not said and len(written) == 1 and ran.returncode in (0, 1, 3)
    return [
        Tried(
            "systemd",
            first_line(["systemd-analyze", "--version"]),
            "systemd-analyze verify; ExecStart run by hand",
            1,
            said or f"valid; wrote {len(written)} report",
            good,
        )
    ]


def try_container(bench: Bench) -> list[Tried]:
    """Run the RUN lines of the Dockerfile in a sandbox, since an engine for images needs more rights than a test should have."""
    needed("bwrap", package="bubblewrap")
    archive = bench.folder / "xpu-doctor.pyz"
    built = bench.run(
        [sys.executable, str(RECIPES.parents[1] / "tools" / "build_pyz.py"), "-o", str(bench.folder)], seconds=400
    )
    if built.returncode != 0 or not archive.exists():
        raise NotHere(f"xpu-doctor.pyz cannot be built: {(built.stdout + built.stderr).strip()[-200:]}")
    local = bench.folder / "local"
    for part in ("bin", "lib"):
        (local / part).mkdir(parents=True)
    shutil.copy(archive, local / "lib" / "xpu-doctor.pyz")
    lines = re.findall(r"^RUN (.+)$", (RECIPES / "container" / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    sandbox = [
        "bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--tmpfs", "/root", "--bind", str(local), "/usr/local",
        "--unshare-net", "--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin", "--setenv", "HOME", "/root", "--chdir", "/", "sh", "-c",
    ]  # fmt: skip
    codes = [
        subprocess.run([*sandbox, line], capture_output=True, text=True, check=False)
        for line in (*lines, "xpu-doctor check --only device")
    ]
    said = (codes[-1].stdout or codes[-1].stderr).strip().splitlines()
    good = all(code.returncode == 0 for code in codes[:-1]) and codes[-1].returncode in (0, 1, 3)
    built_image = _image(bench, archive)
    return [
        *built_image,
        Tried(
            "Dockerfile",
            first_line(["bwrap", "--version"]),
            "its RUN lines and `xpu-doctor check` in a sandbox",
            1,
            f"exit codes {[code.returncode for code in codes]}: {(said or [''])[-1][:80]}",
            good,
        ),
    ]


def _image(bench: Bench, archive: Path) -> list[Tried]:
    """Build the image with buildah on the root file system that XPU_DOCTOR_TEST_ROOT names (from debootstrap, with python3), and run its command."""
    root = os.environ.get("XPU_DOCTOR_TEST_ROOT")
    if not root or shutil.which("buildah") is None:
        return []
    env = bench.environment(BUILDAH_ISOLATION="chroot", STORAGE_DRIVER="vfs")
    buildah = ["buildah", "--root", str(bench.folder / "images"), "--runroot", str(bench.folder / "containers")]
    context = bench.folder / "context"
    context.mkdir()
    for file in (archive, RECIPES / "container" / "Dockerfile"):
        shutil.copy(file, context)
    base = bench.run([*buildah, "from", "scratch"], env).stdout.strip()
    bench.run([*buildah, "add", base, root, "/"], env)
    bench.run([*buildah, "commit", base, "localhost/base"], env)
    built = bench.run([*buildah, "bud", "--build-arg", "BASE=localhost/base", "-t", "xpu-doctor:1", str(context)], env)
    container = bench.run([*buildah, "from", "localhost/xpu-doctor:1"], env).stdout.strip()
    ran = bench.run([*buildah, "run", container, "xpu-doctor", "check", "--only", "device"], env)
    bench.run([*buildah, "rm", "-a"], env)
    good = built.returncode == 0 and "device layer" in ran.stdout
    said = "built; its command checks" if good else (built.stderr + ran.stderr).strip()[-200:]
    return [Tried("buildah", first_line(["buildah", "--version"]), "buildah bud; buildah run", 1, said, good)]

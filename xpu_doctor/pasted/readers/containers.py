"""Reads what texts tell of containers: that the program runs in one, of which kind, and whether /dev/dri is passed in."""

from __future__ import annotations

import re

from xpu_doctor.pasted.readers.collected import Collected, Text
from xpu_doctor.text.late_pattern import late_pattern

_CONTAINER = late_pattern(
    r"""
    \bdocker[ ](?:run|compose|start|exec|pull|build)\b
    | \bdocker-compose\b
    | \bpodman\b
    | \bin(?:side)?[ ]docker\b
    | \bin(?:side)?[ ](?:a[ ]|the[ ]|my[ ]|an[ ])?
    (?:\w{1,40}[ ])?(?:docker[ ]|OCI[ ])?
    (?:container|image|pod)\b
    | \bkubernetes\b | \bk[38]s[ ]pod | \b(?:singularity|apptainer)[ ](?:container|image|exec|run|shell)
    | \bkubectl\b
    | (?-i:^FROM[ ][\w./:-])
    | \bdocker[ ](?:container|image)
    | \bLXC\b
    | root@[0-9a-f]{12}:
    | /\.dockerenv(?!['"`\u2019]{0,2}:?[ ](?:no[ ]such|cannot|not[ ]found))
    | ^\s{0,20}File[ ]"/(?:vllm-)?workspace/ | ^\s{0,20}(?:\([\w.-]{1,40}\)[ ])?root@[\w.<>-]{1,64}:/(?:vllm-)?workspace\b
    | \b[a-z]{3,20}:[\w.-]{2,40}[ ](?:docker[ ])?(?:container|image)\b
    | \bDockerfile
    | ghcr\.io/
    | docker\.io/
    | container_name:
    | Error[ ]response[ ]from[ ]daemon
    | ^\s{0,200}image:[ ][\w./-]{1,200}:
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
_KINDS: tuple[tuple[str, tuple[str, ...], re.Pattern[str]], ...] = (
    (
        "kubernetes",
        ("kubectl", "kubernetes", "k8s", "k3s", "gpu.intel.com/", "kind: "),
        late_pattern(
            r"(?i)\bkubectl\b|\bkubernetes\b|\bk[38]s\b|\bgpu\.intel\.com/|^\s{0,40}kind: (?:Pod|Deployment|DaemonSet|StatefulSet)\b"
        ),
    ),
    (
        "proxmox",
        ("/pve/", "pct ", "dev0: ", "proxmox", "-pve"),
        late_pattern(
            r"(?i)/etc/pve/lxc\b|\bpct (?:set|enter|start|exec|reboot|config)\b|^\s{0,40}dev\d: ?/dev/dri|\bproxmox\b|-pve\b"
        ),
    ),
    ("lxc", ("lxc", "incus", "lxd"), late_pattern(r"(?i)(?<![\w/.-])(?:lxc|incus|lxd)\b")),
    ("podman", ("podman",), late_pattern(r"(?i)\bpodman\b")),
    (
        "compose",
        ("compose", "container_name:", "services:", "group_add:"),
        late_pattern(
            r"(?i)\bdocker[- ]compose\b|\bcompose\.ya?ml\b|^\s{0,40}(?:container_name:|group_add:)|^\s{0,4}services:\s{0,4}$"
        ),
    ),
    ("docker", ("docker", "from daemon"), late_pattern(r"(?i)\bdocker\b|\bresponse from daemon\b")),
)
"""What runs containers, the outermost first: words, and the pattern of a line that names it."""
_PASSED = late_pattern(
    r"""
    --devices?[= ]\S{0,4}/dev/dri
    | ^\s{0,200}-\s{1,20}[\"']?/dev/dri
    (?::|[\"']?\s{0,200}$)
    | \bdevices?:\s{0,200}\[?[\"']?/dev/dri
    | --privileged
    """,
    re.VERBOSE | re.MULTILINE,
)


def parse(text: Text, facts: Collected) -> None:
    """Read from a text whether the program runs in a container, and in which kind."""
    found = text.first(
        _CONTAINER,
        "docker",
        "podman",
        "container",
        "image",
        "kube",
        "pod",
        "singularity",
        "apptainer",
        "k8s",
        "k3s",
        "lxc",
        "root@",
        "ghcr.io",
        "from ",
        "from daemon",
        "workspace",
    )
    if found:
        facts.put("pasted.in_container", True, text.place(found.start()))
    kinds = [kind for kind, words, pattern in _KINDS if text.has(*words) and text.first(pattern, *words)]
    if kinds:
        facts.force("pasted.container_kinds", _kinds({*(facts.get("pasted.container_kinds") or ()), *kinds}), text.name)
    passed = text.first(_PASSED, "/dev/dri", "--privileged")
    if passed:
        facts.put("pasted.dri_passed", True, text.place(passed.start()))


def _kinds(named: set[str]) -> tuple[str, ...]:
    """Return the kinds of containers, the outermost first, without those that others say more of."""
    if "proxmox" in named and "lxc" not in named:
        named = named - {"proxmox"}  # the guest may be a virtual machine
    if "proxmox" in named:
        named = named - {"lxc"}
    if "kubernetes" in named:
        return ("kubernetes",)
    if "podman" in named or "compose" in named:
        named = named - {"docker"}
    if "podman" in named:
        named = named - {"compose"}
    return tuple(kind for kind, _, _ in _KINDS if kind in named)

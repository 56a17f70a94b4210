"""May this user open the device nodes? Opened in a child, since a wedged node can block forever."""

from __future__ import annotations

from xpu_doctor.host.interface import Host
from xpu_doctor.model.facts import Access, Node
from xpu_doctor.model.facts.machine import Confinement
from xpu_doctor.model.findings import Layer
from xpu_doctor.model.unknown import Maybe, Unknown
from xpu_doctor.probes.runner import probe

RENDER_NODES = "/dev/dri/renderD*"
DXG = "/dev/dxg"
SYSFS_NODES = "/sys/bus/pci/devices/*/drm/renderD*"
NAMELESS = ("unconfined", "kernel", "")


@probe("device-nodes", layer=Layer.ACCESS, fills="access", on=("linux",))
def access(host: Host) -> Access:
    """The render nodes that the kernel names or /dev shows, what opening them said, and who this user is."""
    shown = host.glob(RENDER_NODES)
    named = tuple(f"/dev/dri/{path.rpartition('/')[2]}" for path in host.glob(SYSFS_NODES))
    dxg = (DXG,) if host.exists(DXG) is True else ()
    paths = tuple(sorted({*shown, *named})) + dxg
    uid = host.system("uid")
    return Access(
        nodes=_nodes(host, paths) if paths or host.exists("/dev") is True else Unknown("/dev is not there"),
        user=host.system("user"),
        is_root=uid if isinstance(uid, Unknown) else uid == 0,
        session_groups=host.system("groups"),
        account_groups=host.system("account_groups"),
        confinement=confinement(host),
        user_namespace=user_namespace(host.read("/proc/self/uid_map", 4096)),
    )


def _nodes(host: Host, paths: tuple[str, ...]) -> tuple[Node, ...]:
    there = {path: host.exists(path) for path in paths}
    opened = host.open_errors([path for path in paths if there[path] is not False])
    names = host.system("group_names") if opened else {}
    return tuple(_node(host, path, opened.get(path, "ENOENT"), names) for path in paths)


def _node(host: Host, path: str, error: Maybe[str], names: Maybe[dict[str, str]]) -> Node:
    status = host.status(path)
    if isinstance(status, Unknown):
        return Node(path=path, error=error, mode=status, group=status, group_id=status, acl=status)
    number = str(status.gid)
    group = names.get(number, number) if isinstance(names, dict) else number
    return Node(path=path, error=error, mode=status.mode, group=group, group_id=status.gid, acl=status.acl)


def confinement(host: Host) -> Maybe[str]:
    """Return the snap, AppArmor profile or SELinux domain that confines this process, or empty."""
    if host.env.get("SNAP"):
        return f"{Confinement.SNAP.value} {host.env.get('SNAP_NAME', '')}".strip()
    label = host.read("/proc/self/attr/current", 512)
    if isinstance(label, Unknown):
        # Kernels without a security module have the file and refuse to read it.
        return "" if host.exists("/proc/self") is True else label
    text = label.strip("\0\n ")
    if text in NAMELESS or text.startswith("unconfined_u:unconfined_r:unconfined_t"):
        return ""
    if ":" in text:
        enforcing = host.read("/sys/fs/selinux/enforce", 8)
        permissive = isinstance(enforcing, str) and enforcing.strip() == "0"
        return "" if permissive or ":unconfined_t" in text else f"{Confinement.SELINUX.value} {text}"
    return "" if "(complain)" in text or "(unconfined)" in text else f"{Confinement.APPARMOR.value} {text}"


def user_namespace(uid_map: Maybe[str]) -> Maybe[bool]:
    """Return whether this process lives in a user namespace of its own (a rootless container)."""
    return uid_map if isinstance(uid_map, Unknown) else uid_map.split() != ["0", "0", "4294967295"]

"""How a container, a pod or an LXC guest gets the GPU; each remedy says on which side its lines are typed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from xpu_doctor.model.facts import Machine
from xpu_doctor.model.findings import Remedy, Risk
from xpu_doctor.model.unknown import holds, known_or
from xpu_doctor.remedies.driver import LINUX_GUIDE, WSL_GUIDE

NODE = "/dev/dri/renderD128"
OWNER = f"$(stat -c %g {NODE})"
"""The number of the group that owns the render node, where the line is typed."""
LISTED = ("ls -ln /dev/dri",)


def container_device(machine: Machine, group_id: int | None, rootless: bool) -> tuple[Remedy, ...]:
    """Return how to start the container that was examined so that it gets the GPU and may open it."""
    kind = known_or(machine.container, "") or "container"
    if holds(machine.wsl):
        return (in_wsl(),)
    if kind == "kubernetes":
        return (kubernetes(group_id),)
    if kind == "lxc":
        return lxc()
    return (podman(),) if rootless or kind == "podman" else (docker(group_id),)


def of_kinds(kinds: Iterable[str], machine: Machine) -> tuple[Remedy, ...]:
    """Return how the GPU gets through containers of these kinds, the outermost first."""
    if holds(machine.wsl):
        return (in_wsl(),)
    steps = [remedy for kind in kinds if kind in _KINDS for remedy in _KINDS[kind](machine)]
    return tuple(replace(step, besides=number > 0) for number, step in enumerate(steps))


def in_wsl() -> Remedy:
    """Return how a container inside WSL gets Windows' GPU."""
    return Remedy(
        "Inside WSL, outside the container: start it with Windows' GPU",
        "In WSL2 the GPU is /dev/dxg, and Windows' libraries under /usr/lib/wsl must be visible too.",
        commands=(
            "docker run --device /dev/dxg -v /usr/lib/wsl:/usr/lib/wsl -e LD_LIBRARY_PATH=/usr/lib/wsl/lib IMAGE",
        ),
        os="linux",
        side="host",
        url=WSL_GUIDE,
    )


def docker(group_id: int | None = None) -> Remedy:
    """Return how `docker run` passes the GPU."""
    return Remedy(
        "On the host: start the container with the GPU's device nodes",
        "The group is named by its number, since the image's own group `render` has another number or does not exist.",
        commands=(f"docker run --device /dev/dri --group-add {group_id or OWNER} IMAGE",),
        os="linux",
        side="host",
        verify=LISTED,
        url=LINUX_GUIDE,
    )


def compose() -> Remedy:
    """Return what a compose file must say."""
    return Remedy(
        "On the host: give the service the GPU in the compose file",
        'Write `devices: ["/dev/dri:/dev/dri"]` and `group_add: ["NUMBER"]` under the service; NUMBER is what the first line prints on the host, '
        "since the image's own group `render` has another number or does not exist.",
        commands=(f"stat -c %g {NODE}", "docker compose up -d --force-recreate"),
        os="linux",
        side="host",
        verify=("docker compose exec SERVICE ls -ln /dev/dri",),
        url="https://docs.docker.com/reference/compose-file/services/#devices",
    )


def podman() -> Remedy:
    """Return how Podman passes the GPU, without root too."""
    return Remedy(
        "On the host: start the container with the GPU's device nodes",
        "A rootless container has its own numbers of users and groups: keep-groups lets it keep the groups of the user who starts it.",
        commands=("podman run --device /dev/dri --group-add keep-groups IMAGE",),
        os="linux",
        side="host",
        verify=LISTED,
        url="https://docs.podman.io/en/latest/markdown/podman-run.1.html",
    )


def selinux() -> Remedy:
    """Return what SELinux needs besides."""
    return Remedy(
        "On the host, where SELinux is enforcing: let containers use devices",
        "Without it the node is there in the container, and opening it is refused.",
        commands=("getenforce", "sudo setsebool -P container_use_devices=true"),
        os="linux",
        side="host",
        risk=Risk.ADMIN,
        url="https://docs.podman.io/en/latest/markdown/podman-run.1.html",
        besides=True,
    )


def kubernetes(group_id: int | None = None) -> Remedy:
    """Return how a pod asks for the GPU."""
    group = (
        f"supplementalGroups: [{group_id}]"
        if group_id
        else "supplementalGroups with the number of the node's render group"
    )
    return Remedy(
        "Ask the cluster for the GPU in the pod's resources",
        "Intel's device plugin, which runs on the node, passes the render node into a pod that asks for gpu.intel.com/xe (or gpu.intel.com/i915) "
        f"under resources.limits; a user without root needs {group} in its securityContext too.",
        commands=("kubectl describe node NODE | grep gpu.intel.com",),
        os="linux",
        side="host",
        verify=("kubectl exec POD -- ls -ln /dev/dri",),
        url="https://intel.github.io/intel-device-plugins-for-kubernetes/cmd/gpu_plugin/README.html",
    )


def proxmox() -> tuple[Remedy, ...]:
    """Return how a container of Proxmox VE gets the GPU."""
    return (
        Remedy(
            "On the Proxmox host: pass the render node to the guest, with the number that the guest's own group has",
            "GID is what `getent group render` prints inside the guest. An unprivileged guest shifts all numbers, so that the host's group is "
            "nobody's there: gid= sets the owner as the guest sees it, and no lxc.idmap line is needed. A guest that is a virtual machine needs "
            "the whole PCI device instead.",
            commands=(f"sudo pct set CTID --dev0 {NODE},gid=GID", "sudo pct reboot CTID"),
            os="linux",
            side="host",
            risk=Risk.ADMIN,
            verify=(f"sudo pct exec CTID -- ls -ln {NODE}",),
            url="https://pve.proxmox.com/pve-docs/pct.1.html",
        ),
        *_members(),
    )


def lxc() -> tuple[Remedy, ...]:
    """Return how an LXC guest gets the GPU."""
    return (
        Remedy(
            "On the host: pass the render node to the LXC guest, and give it a group that the guest knows",
            "In the guest's configuration: `lxc.cgroup2.devices.allow = c 226:128 rwm` and "
            "`lxc.mount.entry = /dev/dri/renderD128 dev/dri/renderD128 none bind,optional,create=file`. An unprivileged guest shifts all numbers: "
            "lxc.idmap lines that let the render group's number through make it the same group on both sides. On Proxmox VE "
            "`pct set CTID --dev0 /dev/dri/renderD128,gid=GID` does all of it, in Incus `incus config device add GUEST gpu gpu gid=GID`.",
            commands=(f"ls -ln {NODE}", "sudo lxc-stop -n GUEST && sudo lxc-start -n GUEST"),
            os="linux",
            side="host",
            risk=Risk.ADMIN,
            verify=(f"sudo lxc-attach -n GUEST -- ls -ln {NODE}",),
            url="https://linuxcontainers.org/lxc/manpages/man5/lxc.container.conf.5.html",
        ),
        *_members(),
    )


def _members() -> tuple[Remedy, ...]:
    return (
        Remedy(
            "Inside the guest: let the program's user join the group that owns the node there",
            "The node is owned by the number that was given above; the kernel lets only root and that group open it.",
            commands=('usermod -aG render "$USER"',),
            os="linux",
            risk=Risk.RE_LOGIN,
            verify=("id -nG", "ls -l /dev/dri"),
            url=LINUX_GUIDE,
            besides=True,
        ),
    )


def _podman(machine: Machine) -> tuple[Remedy, ...]:
    enforcing = known_or(machine.distribution, "") in ("", "fedora", "rhel", "centos", "almalinux", "rocky")
    return (podman(), selinux()) if enforcing else (podman(),)


_KINDS: Mapping[str, Callable[[Machine], tuple[Remedy, ...]]] = {
    "kubernetes": lambda machine: (kubernetes(),),
    "proxmox": lambda machine: proxmox(),
    "lxc": lambda machine: lxc(),
    "podman": _podman,
    "compose": lambda machine: (compose(),),
    "docker": lambda machine: (docker(),),
}
KINDS = tuple(_KINDS)
"""What can run a container, the outermost first."""

"""This user may not open the GPU's device node."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Access, Gpu, LevelZero, Machine, Node
from xpu_doctor.model.facts.machine import Confinement
from xpu_doctor.model.findings import Confidence, Finding, Layer, Remedy, Severity
from xpu_doctor.model.unknown import Maybe, Undecided, Unknown, denied, holds, known, known_or
from xpu_doctor.remedies.access import confined, seat_only
from xpu_doctor.remedies.containers import container_device
from xpu_doctor.remedies.driver import join_group, log_in_again
from xpu_doctor.rules.support.gpus import none_to_use
from xpu_doctor.tables.gpus import usable

REFUSED = ("EACCES", "EPERM")
INSUFFICIENT_PERMISSIONS = 0x70010000


class DevicePermission(Rule):
    """This user may not open the GPU's device node."""

    code = "device-permission"
    layer = Layer.ACCESS
    systems = ("linux",)
    explains = {
        "compute-failed": "work for a GPU is submitted through its node, which this user may not open",
        "gpu-driver-bug": "where no node opens, zeInit finds no device and fails as it does where the driver is at fault",
        "program-never-used-gpu": "the program is offered only GPUs whose nodes its user may open",
        "xpu-unavailable": "the driver lists only GPUs whose nodes this user may open",
    }

    def check(
        self, machine: Machine, gpus: Maybe[tuple[Gpu, ...]], access: Access, level_zero: LevelZero
    ) -> Iterator[Finding]:
        """Yield an error where no node of a usable GPU opens, a warning where some do, a note where only the seat's list lets it open."""
        if known_or(machine.os, "linux") == "windows" or none_to_use(gpus):
            return
        if known_or(level_zero.init_code, 0) == INSUFFICIENT_PERMISSIONS:
            yield self.found(
                "machine",
                "zeInit says that this user lacks permissions",
                evidence=("level_zero.init_result",),
                remedies=(join_group("render"),),
            )
            return
        nodes = own_nodes(known(access.nodes), gpus)
        refused = [node for node in nodes if node.error in REFUSED]
        if not refused:
            blocked = next((node.error for node in nodes if isinstance(node.error, Unknown)), None)
            if blocked is not None:
                raise Undecided(Unknown(blocked.reason, "access.nodes"))
            yield from self._seat(access, nodes)
            return
        open_too = any(node.error == "" for node in nodes)
        node = refused[0]
        why, remedies, sure = _why(node, machine, access)
        yield self.found(
            "machine" if not open_too else f"node {node.path}",
            f"{node.path} cannot be opened ({node.error}): {why}",
            severity=Severity.WARNING if open_too else Severity.ERROR,
            confidence=Confidence.CERTAIN if sure and not isinstance(gpus, Unknown) else Confidence.LIKELY,
            evidence=(f"access.nodes[{known(access.nodes).index(node)}]", "access.user", "access.account_groups"),
            remedies=remedies,
        )

    def _seat(self, access: Access, nodes: tuple[Node, ...]) -> Iterator[Finding]:
        for node in nodes:
            only = node.error == "" and holds(node.acl) and denied(access.is_root)
            if only and known_or(node.mode, 0) & 0o006 != 0o006 and _holds(node, access) is False:
                yield self.found(
                    f"node {node.path}",
                    f"{node.path} opens only through the list of the local seat: it works after a login at the console, not over ssh or in a service",
                    severity=Severity.INFO,
                    evidence=(f"access.nodes[{known(access.nodes).index(node)}]",),
                    remedies=(seat_only(str(known_or(node.group, "render"))),),
                )


def own_nodes(nodes: tuple[Node, ...], gpus: Maybe[tuple[Gpu, ...]]) -> tuple[Node, ...]:
    """Return the nodes of GPUs that torch may use; all render nodes where it is not known whose they are."""
    if isinstance(gpus, Unknown):
        return nodes
    mine = {
        f"/dev/dri/{gpu.render_node}" for gpu in usable(gpus) if isinstance(gpu.render_node, str) and gpu.render_node
    }
    return tuple(node for node in nodes if node.path in mine or node.path == "/dev/dxg") if mine else nodes


def _holds(node: Node, access: Access) -> bool | None:
    """Return whether this process holds the node's group; None where that is not known."""
    if isinstance(node.group_id, Unknown) or isinstance(access.session_groups, Unknown):
        return None
    return node.group_id in access.session_groups


def _why(node: Node, machine: Machine, access: Access) -> tuple[str, tuple[Remedy, ...], bool]:
    """Return the reason in words, its remedies, and whether it is sure."""
    group = str(known_or(node.group, "render"))
    container = known_or(machine.container, "")
    number = node.group_id if isinstance(node.group_id, int) else None
    rootless = holds(access.user_namespace)
    if node.error == "EPERM":
        if container:
            return (
                "the container's device rules forbid it, it was started without the device",
                container_device(machine, number, rootless),
                True,
            )
        return "a device rule (cgroup) of this service or session forbids it", confined(Confinement.CGROUP), False
    if access.confined_by is Confinement.SNAP:
        return f"this program runs confined in a {access.confinement}", confined(Confinement.SNAP), True
    if _holds(node, access) is True or holds(access.is_root):
        confinement = known_or(access.confinement, "")
        if rootless and container:
            return (
                "this container has its own numbers of users and groups",
                container_device(machine, number, True),
                True,
            )
        word = confinement or "a security module"
        return f"the group fits, so {word} forbids it", confined(access.confined_by), bool(confinement)
    if container:
        return (
            f"the user in this container is not in the group with the host's number {number if number is not None else '(unknown)'}",
            container_device(machine, number, rootless or group in ("nogroup", "nobody")),
            True,
        )
    if isinstance(access.account_groups, Unknown):
        return f"it belongs to the group {group}, which this process does not hold", (join_group(group),), False
    if group in access.account_groups:
        return f"the account is in the group {group}, but this session is older than that", (log_in_again(group),), True
    user = known_or(access.user, "this user")
    return f"{user} is not in the group {group}", (join_group(group),), True

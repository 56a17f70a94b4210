"""The operating system, and whether it runs in a container, a virtual machine or WSL."""

from __future__ import annotations

import re
from collections.abc import Mapping

from xpu_doctor.host.interface import Host
from xpu_doctor.model.facts import Machine
from xpu_doctor.model.findings import Layer
from xpu_doctor.model.terms import UNNAMED_HYPERVISOR
from xpu_doctor.model.unknown import Maybe, Unknown
from xpu_doctor.probes.runner import probe
from xpu_doctor.probes.windows_adapters import PCI_DEVICES, idle_adapters

HYPERVISORS: tuple[tuple[str, str], ...] = (
    ("VMware", "VMware"),
    ("innotek", "VirtualBox"),
    ("VirtualBox", "VirtualBox"),
    ("QEMU", "QEMU/KVM"),
    ("KVM", "QEMU/KVM"),
    ("Proxmox", "QEMU/KVM"),
    ("Xen", "Xen"),
    ("Amazon EC2", "Amazon EC2"),
    ("Google Compute Engine", "Google Compute Engine"),
    ("Parallels", "Parallels"),
    ("OpenStack", "OpenStack"),
    ("Virtual Machine", "Hyper-V"),
)
"""What DMI's maker and product fields hold, and the hypervisor that writes it."""

WINDOWS_VERSION = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
WINDOWS_CPU = r"HKLM\HARDWARE\DESCRIPTION\System\CentralProcessor\0"
WINDOWS_11_BUILD = 22000


@probe("machine", layer=Layer.DEVICE)
def machine(host: Host) -> Machine:
    """The operating system, its distribution, and what it runs in."""
    if host.platform == "linux":
        return _linux(host)
    if host.platform == "windows":
        return _windows(host)
    return Machine(
        os=host.platform,
        architecture=host.system("architecture"),
        cpu_count=host.system("cpu_count"),
        wsl=False,
        container="",
    )


def _linux(host: Host) -> Machine:
    release = os_release(
        host.read("/etc/os-release") if host.exists("/etc/os-release") else host.read("/usr/lib/os-release")
    )
    cpuinfo = host.read("/proc/cpuinfo", 64 * 1024)
    return Machine(
        os="linux",
        os_name=_field(release, "PRETTY_NAME"),
        distribution=_field(release, "ID"),
        distribution_version=_field(release, "VERSION_ID"),
        distribution_like=like if isinstance(like := _field(release, "ID_LIKE"), Unknown) else tuple(like.split()),
        distribution_codename=_codename(release),
        distribution_variant=_field(release, "VARIANT_ID"),
        architecture=host.system("architecture"),
        glibc=host.system("glibc"),
        wsl=is_wsl(host),
        container=container(host),
        hypervisor=hypervisor(host, cpuinfo),
        cpu=_cpu_name(cpuinfo),
        cpu_count=host.system("cpu_count"),
        memory_bytes=_memory(host.read("/proc/meminfo", 8192)),
    )


def os_release(text: Maybe[str]) -> Maybe[tuple[tuple[str, str], ...]]:
    """Return the assignments of an os-release file, quotes removed."""
    if isinstance(text, Unknown):
        return text
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line and not line.lstrip().startswith("#"))
    return tuple((name.strip(), value.strip().strip("\"'")) for name, _, value in pairs)


def _field(release: Maybe[tuple[tuple[str, str], ...]], name: str) -> Maybe[str]:
    return release if isinstance(release, Unknown) else dict(release).get(name, "")


def _codename(release: Maybe[tuple[tuple[str, str], ...]]) -> Maybe[str]:
    """Return the codename of the release that the packages come from: a derivative names that of its base beside its own."""
    names = [_field(release, name) for name in ("UBUNTU_CODENAME", "DEBIAN_CODENAME", "VERSION_CODENAME")]
    return next((name for name in names if name), "")


def is_wsl(host: Host) -> Maybe[bool]:
    """Return whether the kernel is Microsoft's WSL kernel, or Windows' device is here in a container on top of one."""
    said = host.read("/proc/sys/kernel/osrelease", 256)
    if isinstance(said, Unknown):
        said = host.read("/proc/version", 512)
    if isinstance(said, Unknown):
        return True if host.exists("/dev/dxg") is True else said
    return "microsoft" in said.lower()


def container(host: Host) -> Maybe[str]:
    """Return the kind of container, or empty where there is none."""
    if "KUBERNETES_SERVICE_HOST" in host.env or host.exists("/var/run/secrets/kubernetes.io") is True:
        return "kubernetes"
    if host.exists("/run/.containerenv") is True:
        return "podman"
    if host.exists("/.dockerenv") is True:
        return "docker"
    named = host.env.get("container", "")
    if named:
        return {"docker": "docker", "podman": "podman", "lxc": "lxc"}.get(named, "container")
    groups = host.read("/proc/1/cgroup", 8192)
    if isinstance(groups, Unknown):
        return groups if host.exists("/proc") is True else Unknown("/proc is not there")
    for word, kind in (
        ("kubepods", "kubernetes"),
        ("docker", "docker"),
        ("libpod", "podman"),
        ("/lxc", "lxc"),
        ("containerd", "container"),
    ):
        if word in groups:
            return kind
    return ""


def hypervisor(host: Host, cpuinfo: Maybe[str]) -> Maybe[str]:
    """Return the name of the hypervisor below this machine, or empty on bare metal."""
    if is_wsl(host) is True:
        return "Hyper-V"
    said = [
        text
        for name in ("sys_vendor", "product_name")
        if isinstance(text := host.read(f"/sys/class/dmi/id/{name}", 256), str)
    ]
    for word, name in HYPERVISORS:
        if any(word in text for text in said):
            return name
    if isinstance(cpuinfo, Unknown):
        return cpuinfo
    flags = re.search(r"^flags\s*:(.*)$", cpuinfo, re.MULTILINE)
    if flags is None:
        return "" if said else Unknown("neither DMI nor /proc/cpuinfo tell of a hypervisor")
    return UNNAMED_HYPERVISOR if " hypervisor" in flags[1] else ""


def _cpu_name(cpuinfo: Maybe[str]) -> Maybe[str]:
    if isinstance(cpuinfo, Unknown):
        return cpuinfo
    found = re.search(r"^(?:model name|Model|cpu model)\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    return found[1].strip() if found else Unknown("/proc/cpuinfo names no model")


def _memory(meminfo: Maybe[str]) -> Maybe[int]:
    if isinstance(meminfo, Unknown):
        return meminfo
    found = re.search(r"^MemTotal:\s+(\d+) kB", meminfo, re.MULTILINE)
    return int(found[1]) * 1024 if found else Unknown("/proc/meminfo has no MemTotal")


def _windows(host: Host) -> Machine:
    version = host.registry(WINDOWS_VERSION)
    cpu = host.registry(WINDOWS_CPU)
    on_bus = host.registry(PCI_DEVICES)
    idle = idle_adapters(host)
    build = "" if isinstance(version, Unknown) else str(version.get("CurrentBuild", ""))
    return Machine(
        os="windows",
        os_name=version if isinstance(version, Unknown) else windows_name(version),
        distribution="",
        distribution_version=version if isinstance(version, Unknown) else build,
        distribution_like=(),
        distribution_codename="",
        distribution_variant="",
        architecture=host.system("architecture"),
        glibc="",
        wsl=False,
        container="",
        hypervisor=Unknown("not examined on Windows"),
        cpu=cpu if isinstance(cpu, Unknown) else str(cpu.get("ProcessorNameString", "")).strip(),
        cpu_count=host.system("cpu_count"),
        pci_devices=on_bus if isinstance(on_bus, Unknown) else _real(on_bus),
        idle_gpus=idle
        if isinstance(idle, Unknown)
        else tuple(str(adapter.values.get("DriverDesc", "") or adapter.hardware) for adapter in idle),
    )


def _real(on_bus: Mapping[str, object]) -> int:
    """Return how many kinds of device a list of the PCI bus holds; no maker has the number 0000, under which Wine lists what it makes up."""
    return sum(isinstance(row, dict) and not name.upper().startswith("VEN_0000") for name, row in on_bus.items())


def windows_name(version: dict[str, object]) -> str:
    """Return Windows' name; ProductName of Windows 11 still says 10, its build number does not."""
    build = str(version.get("CurrentBuild", ""))
    name = str(version.get("ProductName", "Windows"))
    if build.isdigit() and int(build) >= WINDOWS_11_BUILD:
        name = name.replace("Windows 10", "Windows 11")
    return " ".join(
        part for part in (name, str(version.get("DisplayVersion", "")), f"build {build}" if build else "") if part
    )

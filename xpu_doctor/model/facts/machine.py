"""Facts about the machine below Python: operating system, GPUs on the bus, kernel, access."""

from __future__ import annotations

from enum import Enum

from xpu_doctor.model.fast_dataclass import dataclass
from xpu_doctor.model.unknown import NOT_EXAMINED, Maybe


@dataclass(frozen=True)
class Machine:
    """The operating system and where it runs."""

    os: Maybe[str] = NOT_EXAMINED
    """`linux`, `windows` or `macos`."""
    os_name: Maybe[str] = NOT_EXAMINED
    """The name that the system gives itself, e.g. `Ubuntu 24.04.3 LTS`."""
    distribution: Maybe[str] = NOT_EXAMINED
    """ID of /etc/os-release, e.g. `ubuntu`; empty where there is none."""
    distribution_version: Maybe[str] = NOT_EXAMINED
    """VERSION_ID of /etc/os-release, e.g. `24.04`."""
    distribution_like: Maybe[tuple[str, ...]] = NOT_EXAMINED
    """ID_LIKE of /etc/os-release, e.g. `("debian",)`."""
    distribution_codename: Maybe[str] = NOT_EXAMINED
    """UBUNTU_CODENAME or DEBIAN_CODENAME of /etc/os-release, else VERSION_CODENAME, e.g. `noble`; empty where it names none."""
    distribution_variant: Maybe[str] = NOT_EXAMINED
    """VARIANT_ID of /etc/os-release, e.g. `silverblue`; empty where it names none."""
    architecture: Maybe[str] = NOT_EXAMINED
    """The machine's own architecture, e.g. `x86_64`, `aarch64`, `AMD64`."""
    glibc: Maybe[str] = NOT_EXAMINED
    """Version of the C library, e.g. `2.36`; empty where it is not glibc."""
    wsl: Maybe[bool] = NOT_EXAMINED
    """Whether this Linux runs under the Windows Subsystem for Linux."""
    container: Maybe[str] = NOT_EXAMINED
    """`docker`, `podman`, `kubernetes`, `lxc`, `container` (some other), or empty where there is none."""
    hypervisor: Maybe[str] = NOT_EXAMINED
    """Name of the virtual machine's hypervisor, or empty on bare metal."""
    cpu: Maybe[str] = NOT_EXAMINED
    """The processor's marketing name."""
    cpu_count: Maybe[int] = NOT_EXAMINED
    """Logical processors that this process may use."""
    memory_bytes: Maybe[int] = NOT_EXAMINED
    """Physical memory, in bytes."""
    pci_devices: Maybe[int] = NOT_EXAMINED
    """Windows: how many kinds of device the registry's list of the PCI bus holds, driven or not."""
    idle_gpus: Maybe[tuple[str, ...]] = NOT_EXAMINED
    """Windows: names of Intel GPUs that it has a driver for, but does not use since it started: they were taken out, or did not start."""


_VENDORS = {0x8086: "intel", 0x10DE: "nvidia", 0x1002: "amd", 0x1414: "microsoft"}


@dataclass(frozen=True)
class Gpu:
    """A display or accelerator device on the PCI bus, or an adapter of the Windows registry."""

    address: str = ""
    """PCI address such as `0000:03:00.0`; a stable name where the system tells none."""
    vendor_id: int = 0
    """PCI vendor id; 0x8086 is Intel's."""
    device_id: Maybe[int] = NOT_EXAMINED
    """PCI device id, e.g. 0xe20b."""
    name: str = ""
    """The name that the system shows; empty where it shows none."""
    pci_class: Maybe[int] = NOT_EXAMINED
    """24-bit PCI class, e.g. 0x030000."""
    revision: Maybe[int] = NOT_EXAMINED
    kernel_driver: Maybe[str] = NOT_EXAMINED
    """Name of the kernel driver bound to the device (`i915`, `xe`, `vfio-pci` ...), or empty where none is."""
    driver_version: Maybe[str] = NOT_EXAMINED
    """Windows: version of the display driver, e.g. `32.0.101.8801`; empty where none is installed for it."""
    service: Maybe[str] = NOT_EXAMINED
    """Windows: name of the service that drives it, e.g. `igfxn`, `BasicDisplay`; empty where no driver is installed for it."""
    disabled: Maybe[bool] = NOT_EXAMINED
    """Windows: whether it is switched off in Device Manager."""
    render_node: Maybe[str] = NOT_EXAMINED
    """E.g. `renderD128`, or empty where the device has none."""
    bar_bytes: Maybe[tuple[int, ...]] = NOT_EXAMINED
    """Sizes of the memory BARs in bytes."""
    memory_bytes: Maybe[int] = NOT_EXAMINED
    """Memory of the device in bytes, where the kernel tells it."""

    @property
    def vendor(self) -> str:
        """`intel`, `nvidia`, `amd`, `microsoft` or the id in hex."""
        return _VENDORS.get(self.vendor_id) or f"{self.vendor_id:04x}"


@dataclass(frozen=True)
class LogLine:
    """A line of the kernel's log that speaks of a GPU."""

    text: str
    source: str = ""


@dataclass(frozen=True)
class Kernel:
    """The running kernel and what it says of the GPU."""

    version: Maybe[str] = NOT_EXAMINED
    """Release string, e.g. `6.8.0-45-generic`."""
    command_line: Maybe[tuple[str, ...]] = NOT_EXAMINED
    """Only the parameters that concern graphics (i915.*, xe.*, nomodeset, module_blacklist ...)."""
    modules: Maybe[tuple[str, ...]] = NOT_EXAMINED
    """Which of i915, xe, vfio_pci, amdgpu, nvidia, dxgkrnl are loaded or built in."""
    gpu_log: Maybe[tuple[LogLine, ...]] = NOT_EXAMINED
    """Lines of this boot about hangs, resets, firmware and probing of i915 or xe."""


@dataclass(frozen=True)
class Node:
    """A device node that the compute driver opens, and what opening it said."""

    path: str
    """E.g. `/dev/dri/renderD128`, `/dev/dxg`."""
    error: Maybe[str] = NOT_EXAMINED
    """Symbolic errno of open(O_RDWR), e.g. `EACCES`; empty where it opened."""
    mode: Maybe[int] = NOT_EXAMINED
    """Permission bits."""
    group: Maybe[str] = NOT_EXAMINED
    """Name of the owning group, or its number where it has no name here."""
    group_id: Maybe[int] = NOT_EXAMINED
    acl: Maybe[bool] = NOT_EXAMINED
    """Whether the node carries an access control list (logind's seat)."""


class Confinement(Enum):
    """What may keep a process from device nodes that its user may open; the value is the first word of the fact."""

    SNAP = "snap"
    SELINUX = "SELinux"
    APPARMOR = "AppArmor"
    CGROUP = "cgroup"
    """Never in the fact: no process is told of the device rules of its cgroup."""


@dataclass(frozen=True)
class Access:
    """May this user open the device nodes?"""

    nodes: Maybe[tuple[Node, ...]] = NOT_EXAMINED
    user: Maybe[str] = NOT_EXAMINED
    is_root: Maybe[bool] = NOT_EXAMINED
    session_groups: Maybe[tuple[int, ...]] = NOT_EXAMINED
    """Group ids that this process holds."""
    account_groups: Maybe[tuple[str, ...]] = NOT_EXAMINED
    """Names of the groups that the account database gives this user now."""
    confinement: Maybe[str] = NOT_EXAMINED
    """SELinux, AppArmor or snap confinement of this process, or empty."""
    user_namespace: Maybe[bool] = NOT_EXAMINED
    """Whether the process lives in a user namespace of its own (a rootless container)."""

    @property
    def confined_by(self) -> Confinement | None:
        """What confines the process, None where nothing that is known of does."""
        word = self.confinement.partition(" ")[0] if isinstance(self.confinement, str) else ""
        return next((item for item in Confinement if item.value == word), None)


@dataclass(frozen=True)
class Variable:
    """An environment variable that matters to PyTorch on XPU."""

    name: str
    value: str


@dataclass(frozen=True)
class Environment:
    """The environment variables on the allow-list, as the target interpreter gets them."""

    variables: Maybe[tuple[Variable, ...]] = NOT_EXAMINED

    def get(self, name: str) -> Maybe[str | None]:
        """Return a variable's value, None where it is not set, or why it is not known."""
        if not isinstance(self.variables, tuple):
            return self.variables
        return next((variable.value for variable in self.variables if variable.name == name), None)

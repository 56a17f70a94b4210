"""Linux machines by what their /etc/os-release says, for tests of what a distribution is told to type."""

from __future__ import annotations

from dataclasses import dataclass

from xpu_doctor.model.facts import Machine


@dataclass(frozen=True)
class System:
    """The fields of an os-release file, and which family of tools that system has."""

    id: str
    version: str = ""
    codename: str = ""
    like: tuple[str, ...] = ()
    variant: str = ""
    tools: str = ""
    """`apt`, `dnf`, `zypper`, `pacman`, `emerge`, `ha`, `nixos`, `ostree`, `grubby` (no package manager that is known), or empty where no tool is known."""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.id, self.version, self.codename, self.variant))) or "nothing known"

    def machine(self, container: str = "", wsl: bool = False) -> Machine:
        """The machine that the probe makes of it."""
        return Machine(
            os="linux",
            distribution=self.id,
            distribution_version=self.version,
            distribution_codename=self.codename,
            distribution_like=self.like,
            distribution_variant=self.variant,
            container=container,
            wsl=wsl,
        )


SYSTEMS = (
    *(System("ubuntu", version, name, ("debian",), tools="apt") for version, name in (
        ("18.04", "bionic"), ("20.04", "focal"), ("22.04", "jammy"), ("24.04", "noble"), ("24.10", "oracular"), ("25.04", "plucky"),
        ("25.10", "questing"), ("26.04", "resolute"), ("26.10", ""), ("", ""),
    )),
    System("linuxmint", "20.3", "focal", ("ubuntu", "debian"), tools="apt"),
    System("linuxmint", "21.3", "jammy", ("ubuntu", "debian"), tools="apt"),
    System("linuxmint", "22.1", "noble", ("ubuntu", "debian"), tools="apt"),
    System("linuxmint", "22.1", tools="apt"),
    System("linuxmint", "6", "bookworm", ("debian",), tools="apt"),
    System("pop", "22.04", "jammy", ("ubuntu", "debian"), tools="apt"),
    System("zorin", "17", "jammy", ("ubuntu", "debian"), tools="apt"),
    System("elementary", "8", "noble", ("ubuntu", "debian"), tools="apt"),
    System("some-ubuntu", "3", "noble", ("ubuntu", "debian"), tools="apt"),
    *(System("debian", version, name, tools="apt") for version, name in (
        ("10", "buster"), ("11", "bullseye"), ("12", "bookworm"), ("13", "trixie"), ("14", "forky"), ("", "forky"), ("", "sid"), ("", ""),
    )),
    System("kali", "2026.1", "kali-rolling", ("debian",), tools="apt"),
    System("fedora", "43", tools="dnf"),
    System("fedora", "44", variant="workstation", tools="dnf"),
    System("fedora", "43", variant="silverblue", tools="ostree"),
    System("bazzite", "43", like=("fedora",), variant="bazzite", tools="ostree"),
    *(System(name, version, like=("rhel", "centos", "fedora"), tools="dnf")
      for name in ("rhel", "almalinux", "rocky") for version in ("8.8", "8.10", "9.1", "9.4", "9.6", "9.7", "10.0", "10.1", "10.2", "10.3", "")),
    System("rhel", "7.9", like=("fedora",), tools="grubby"),
    System("centos", "7", like=("rhel", "fedora"), tools="grubby"),
    System("centos", "9", like=("rhel", "fedora"), tools="dnf"),
    System("centos", "10", like=("rhel", "fedora"), tools="dnf"),
    System("ol", "9.4", like=("fedora",), tools="dnf"),
    System("amzn", "2", like=("centos", "rhel", "fedora"), tools="grubby"),
    System("amzn", "2023", like=("fedora",), tools="dnf"),
    *(System("sles", version, like=("suse",), tools="zypper") for version in ("15.3", "15.4", "15.5", "15.6", "15.7", "16.0")),
    *(System("opensuse-leap", version, like=("suse", "opensuse"), tools="zypper") for version in ("15.5", "15.6", "16.0", "")),
    System("opensuse-tumbleweed", "20261101", like=("opensuse", "suse"), tools="zypper"),
    System("opensuse-microos", "20261101", like=("opensuse", "suse", "opensuse-tumbleweed")),
    System("opensuse", tools="zypper"),
    *(System(name, like=() if name == "arch" else ("arch",), tools="pacman") for name in ("arch", "manjaro", "endeavouros", "cachyos", "garuda", "some-arch")),
    System("steamos", "3.7", like=("arch",)),
    System("nixos", "25.11", tools="nixos"),
    System("gentoo", tools="emerge"),
    System("haos", "17.1", tools="ha"),
    System("unraid", "7.1"),
    System("truenas", "25.10"),
    System("poky", "5.2"),
    System("proxmox", "9.1", tools="apt"),
    System("alpine", "3.22"),
    System(""),
)  # fmt: skip

"""Each distribution is told to use its own tools, and packages that its repositories hold."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.remedies.machines import SYSTEMS, System
from xpu_doctor.host.recorded import RecordedHost
from xpu_doctor.model.facts import Machine, Python
from xpu_doctor.model.findings import Remedy
from xpu_doctor.probes.machine import machine as PROBE
from xpu_doctor.remedies.boot import install_firmware, without_parameters
from xpu_doctor.remedies.driver import install_driver, install_loader
from xpu_doctor.remedies.kernel import KeptAway, Unbound, after_hang, back_to_i915, bind_driver, newer_kernel
from xpu_doctor.remedies.runtime import compiler, system_libraries
from xpu_doctor.tables.distributions import distribution_of

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

REPOSITORIES = tomllib.loads((Path(__file__).parents[2] / "fixtures" / "packages.toml").read_text(encoding="utf-8"))[
    "repository"
]
TOOLS = {
    "apt": {"apt-get", "apt-cache", "add-apt-repository", "update-grub", "do-release-upgrade", "kernelstub"},
    "dnf": {"dnf", "rpm", "grubby"},
    "zypper": {"zypper", "rpm", "grub2-mkconfig", "curl"},
    "pacman": {"pacman", "grub-mkconfig", "mhwd-kernel"},
    "emerge": {"emerge", "grub-mkconfig"},
    "ha": {"ha"},
    "nixos": {"nixos-rebuild"},
    "ostree": {"rpm-ostree"},
    "grubby": {"grubby"},
    "": set(),
}
ANYWHERE = {
    "cat", "echo", "find", "grep", "lspci", "ls", "modprobe", "reboot", "sed", "sudoedit", "tail", "tee", "uname", "xargs", "wget", "dmesg",
    "env", "id",
}  # fmt: skip
LIBRARIES = ("libz.so.1", "libstdc++.so.6", "libgcc_s.so.1", "libgomp.so.1", "libOpenCL.so.1")
BATTLEMAGE = frozenset({"bmg-g21"})


def remedies(machine: Machine) -> Iterator[Remedy]:
    """Every remedy that depends on the distribution."""
    yield from install_driver(machine)
    yield from install_driver(machine, newest=True)
    yield from install_driver(machine, families=BATTLEMAGE)
    yield from install_loader(machine)
    for minimum in ("5.4", "6.2", "6.8", "6.12", "7.3", ""):
        yield from newer_kernel(machine, minimum)
    yield from newer_kernel(machine, "6.2", "intel-i915-dkms")
    yield install_firmware(machine)
    yield without_parameters(machine, ("nomodeset", "i915.force_probe=!56a0"), "A reason.")
    yield back_to_i915(machine, 0x56A0)
    for cause in Unbound:
        yield from bind_driver(machine, "xe", KeptAway(cause, "nomodeset"))
    yield from after_hang(machine)
    yield from compiler(machine)
    system = system_libraries(Python(), machine, LIBRARIES)
    if system is not None:
        yield system


def programs(line: str) -> set[str]:
    """The programs that a line runs."""
    words = list(shlex.shlex(line, posix=True, punctuation_chars="|&;<>"))
    found, first = set(), True
    for word in words:
        if set(word) <= set("|&;"):
            first = True
        elif first and word not in ("sudo", "xargs") and not word.startswith("-"):
            found.add(word)
            first = False
    return found


def installed(line: str) -> Iterator[str]:
    """The packages that a line asks a package manager for."""
    for step in re.split(r" && | \|\| | \| ", line):
        words = shlex.split(step, comments=True)
        if not {"apt-get", "dnf", "zypper", "pacman"} & set(words):
            continue
        place = next((number for number, word in enumerate(words) if word in ("install", "-S", "-Syu")), None)
        rest = iter(words[place + 1 :] if place is not None else ())
        for word in rest:
            if word == "-t":
                next(rest)
            elif not word.startswith("-"):
                yield word


@pytest.mark.parametrize("system", SYSTEMS, ids=str)
def test_no_tool_of_another_family(system: System) -> None:
    """Package managers and boot loader tools are those of the distribution's own family."""
    for remedy in remedies(system.machine()):
        for line in remedy.commands:
            foreign = programs(line) - TOOLS[system.tools] - ANYWHERE
            assert not foreign, (remedy.title, line, foreign)


@pytest.mark.parametrize("system", SYSTEMS, ids=str)
def test_packages_are_held(system: System) -> None:
    """Every package that is asked for is in a repository that the remedy's release has."""
    found = distribution_of(system.machine())
    held = {
        name
        for row in REPOSITORIES
        if found.base in row["systems"]
        and (not found.version or re.fullmatch(row.get("versions", ".*"), found.version))
        for name in row["packages"]
    }
    if not found.base and found.family == "debian":
        held = {name for row in REPOSITORIES if {"debian", "ubuntu"} & set(row["systems"]) for name in row["packages"]}
    if not found.base and found.family == "redhat":
        held = {name for row in REPOSITORIES if "oracle" in row["systems"] for name in row["packages"]}
    if found.ended or (found.base, found.version) in (
        ("ubuntu", "18.04"),
        ("ubuntu", "20.04"),
        ("debian", "10"),
        ("debian", "11"),
    ):
        held |= {name for row in REPOSITORIES if row["name"] == "Ubuntu's archive" for name in row["packages"]}
    for remedy in remedies(system.machine()):
        for line in remedy.commands:
            asked = {name for name in installed(line) if not name.startswith("./")}
            assert asked <= held, (remedy.title, line, asked - held)


@pytest.mark.parametrize("system", SYSTEMS, ids=str)
def test_steps_stop_at_the_first_failure(system: System) -> None:
    """What changes the machine is one line, whose steps hang on each other; a key comes before the repository that needs it."""
    for remedy in remedies(system.machine()):
        changing = [
            line
            for line in remedy.commands
            if re.search(r"\b(?:install|reboot|tee|update-grub|grub2?-mkconfig)\b", line)
        ]
        alone = [line for line in changing if not re.match(r"sudo (?:dmesg|modprobe)\b|sudo reboot$", line)]
        assert len(alone) <= 1, (remedy.title, alone)
        for line in alone:
            assert ";" not in line.replace("'", "").split("sed")[0], line
            if "signed-by" in line:
                assert line.index("wget -qO /usr/share/keyrings") < line.index("sources.list.d")
            if "repositories.intel.com/gpu/rhel" in line or "repositories.intel.com/gpu/sles" in line:
                assert line.index("rpm --import") < line.index(".repo")


@pytest.mark.parametrize(
    "system", [system for system in SYSTEMS if system.tools in ("apt", "dnf", "zypper", "pacman")], ids=str
)
def test_parameters_are_taken_out_where_they_stand(system: System) -> None:
    """What is edited is also put to use, and grub2-mkconfig is no remedy where boot entries hold the command line."""
    remedy = without_parameters(system.machine(), ("nomodeset",), "A reason.")
    line = " ".join(remedy.commands)
    if "sudoedit /etc/default/grub" in line:
        assert re.search(r"&& sudo (?:update-grub|grub2?-mkconfig -o \S+) && sudo reboot$", line)
    if system.tools == "dnf":
        assert "grub2-mkconfig" not in line
        assert "--remove-args=nomodeset" in line or not distribution_of(system.machine()).parameters


@pytest.mark.parametrize("system", SYSTEMS, ids=str)
def test_a_container_has_no_kernel_of_its_own(system: System) -> None:
    """Inside a container the host's tools are not known, and there is no sudo for what belongs into the image."""
    machine = system.machine(container="docker")
    every = (*newer_kernel(machine, "6.12"), install_firmware(machine), back_to_i915(machine, 0x56A0))
    for remedy in every:
        assert remedy.title.startswith("On the host: "), remedy.title
        assert not any(programs(line) - {"cat"} for line in remedy.commands), remedy.commands
    for remedy in install_driver(machine):
        assert not any("sudo " in line for line in remedy.commands), remedy.commands


def test_wsl_has_the_kernel_of_windows() -> None:
    """No distribution's package replaces WSL's kernel."""
    (remedy,) = newer_kernel(System("ubuntu", "24.04").machine(wsl=True), "6.12")
    assert remedy.os == "windows"
    assert remedy.commands == ("wsl --update", "wsl --shutdown")


DRIVER = {
    "ubuntu 18.04 bionic": "",
    "ubuntu 20.04 focal": "",
    "ubuntu 22.04 jammy": "jammy unified",
    "ubuntu 24.04 noble": "ppa:kobuk-team",
    "ubuntu 24.10 oracular": "",
    "ubuntu 25.04 plucky": "",
    "ubuntu 25.10 questing": "",
    "ubuntu 26.04 resolute": "apt-get install -y libze-intel-gpu1",
    "linuxmint 20.3 focal": "",
    "linuxmint 21.3 jammy": "jammy unified",
    "linuxmint 22.1 noble": "ppa:kobuk-team",
    "linuxmint 22.1": "ppa:kobuk-team",
    "linuxmint 6 bookworm": "",
    "pop 22.04 jammy": "jammy unified",
    "some-ubuntu 3 noble": "ppa:kobuk-team",
    "debian 10 buster": "",
    "debian 11 bullseye": "",
    "debian 12 bookworm": "",
    "debian 13 trixie": "./libze-intel-gpu1_*.deb",
    "debian forky": "apt-get install -y libze1 libze-intel-gpu1",
    "debian sid": "apt-get install -y libze1 libze-intel-gpu1",
    "kali 2026.1 kali-rolling": "",
    "rhel 8.10": "rhel/8.10/unified/intel-gpu-8.10.repo",
    "rhel 9.1": "",
    "rocky 9.4": "rhel/9.4/unified/intel-gpu-9.4.repo",
    "almalinux 9.7": "",
    "rhel 10.0": "rhel/10.0/lts/2523/unified/intel-gpu-10.0.repo",
    "rhel 10.1": "",
    "almalinux 10.2": "epel-release-latest-10",
    "centos 9": "",
    "centos 10": "epel-release",
    "centos 7": "",
    "ol 9.4": "",
    "amzn 2023": "",
    "sles 15.3": "",
    "sles 15.5": "sles/15sp5/unified/intel-gpu-15sp5.repo",
    "sles 15.7": "sles/15sp7/lts/2523/unified/intel-gpu-15sp7.repo",
    "sles 16.0": "",
    "opensuse-leap 15.6": "sles/15sp6/unified/intel-gpu-15sp6.repo",
    "opensuse-leap 16.0": "libze_intel_gpu1",
    "opensuse-tumbleweed 20261101": "libze_intel_gpu1",
    "opensuse-microos 20261101": "",
    "steamos 3.7": "",
    "fedora 43 silverblue": "",
    "nixos 25.11": "nixos-rebuild switch",
    "gentoo": "emerge --noreplace dev-libs/intel-compute-runtime dev-libs/level-zero",
    "haos 17.1": "",
    "unraid 7.1": "",
    "poky 5.2": "",
    "proxmox 9.1": "",
    "alpine 3.22": "",
}
"""What the driver's commands hold; nothing is typed where nothing right is known."""


@pytest.mark.parametrize(("name", "holds"), DRIVER.items())
def test_driver_of_the_release(name: str, holds: str) -> None:
    """The row of the very release is taken, never a neighbour's; without one the remedy has a link, and no command."""
    system = next(system for system in SYSTEMS if str(system) == name)
    (remedy,) = install_driver(system.machine())
    typed = " ".join(remedy.commands)
    assert holds in typed
    assert bool(typed) is bool(holds)
    assert remedy.url.startswith("https://")


def test_battlemage_needs_more_than_the_archive() -> None:
    """Ubuntu 26.04's own build computes wrong results on Battlemage: its owner is told the PPA at once."""
    machine = System("ubuntu", "26.04", "resolute").machine()
    assert "ppa:" not in " ".join(install_driver(machine)[0].commands)
    (remedy,) = install_driver(machine, families=BATTLEMAGE)
    assert "ppa:kobuk-team" in " ".join(remedy.commands)
    assert "wrong results" in remedy.why


def test_an_unknown_release_is_no_guess() -> None:
    """Where only the distribution is known, its releases stand side by side, each named."""
    shown = install_driver(System("ubuntu").machine())
    assert [remedy.title.partition(":")[0] for remedy in shown] == [
        "On Ubuntu 24.04",
        "On Ubuntu 26.04",
        "On Ubuntu 22.04",
    ]


def test_flex_and_max_need_intels_own_module() -> None:
    """A newer kernel is no remedy for a data centre GPU."""
    (remedy,) = newer_kernel(System("ubuntu", "24.04", "noble").machine(), "6.2", "intel-i915-dkms")
    assert "intel-i915-dkms" in remedy.title
    assert not remedy.commands


@pytest.mark.parametrize(
    ("name", "minimum", "typed"),
    [
        ("ubuntu 22.04 jammy", "6.2", "linux-generic-hwe-22.04"),
        ("ubuntu 22.04 jammy", "6.12", "do-release-upgrade"),
        ("ubuntu 24.04 noble", "6.12", "linux-generic-hwe-24.04"),
        ("ubuntu 24.04 noble", "7.1", "do-release-upgrade"),
        ("linuxmint 22.1 noble", "6.12", "linux-generic-hwe-24.04"),
        ("linuxmint 21.3 jammy", "6.12", ""),
        ("pop 22.04 jammy", "6.12", ""),
        ("debian 11 bullseye", "6.12", ""),
        ("debian 12 bookworm", "6.12", "-t bookworm-backports linux-image-amd64"),
        ("debian 13 trixie", "6.18", "-t trixie-backports linux-image-amd64"),
        ("debian forky", "6.18", "install -y linux-image-amd64"),
        ("fedora 43", "6.18", "dnf upgrade -y --refresh kernel"),
        ("rhel 9.4", "6.18", ""),
        ("opensuse-tumbleweed 20261101", "6.18", "zypper dup"),
        ("arch", "6.18", "pacman -Syu"),
        ("manjaro", "6.18", "mhwd-kernel -l"),
    ],
)
def test_kernel_of_the_release(name: str, minimum: str, typed: str) -> None:
    """The kernel comes from where this release has newer ones; none of Debian's is called stable-backports."""
    (remedy,) = newer_kernel(next(system for system in SYSTEMS if str(system) == name).machine(), minimum)
    line = " ".join(remedy.commands)
    assert typed in line
    assert bool(typed) is bool(line)
    assert "stable-backports" not in line


def test_lists_have_source_and_date() -> None:
    """Each recorded list says where it is from."""
    for row in REPOSITORIES:
        assert row["source"].startswith("https://") and re.fullmatch(r"\d{4}-\d\d-\d\d", row["written"]), row["name"]


@pytest.mark.parametrize(
    ("release", "codename", "variant"),
    [
        ("ID=linuxmint\nVERSION_CODENAME=virginia\nUBUNTU_CODENAME=jammy\n", "jammy", ""),
        ("ID=linuxmint\nVERSION_CODENAME=faye\nDEBIAN_CODENAME=bookworm\n", "bookworm", ""),
        ('PRETTY_NAME="Debian GNU/Linux forky/sid"\nID=debian\nVERSION_CODENAME=forky\n', "forky", ""),
        ('ID=fedora\nVERSION_ID=43\nVERSION_CODENAME=""\nVARIANT_ID=silverblue\n', "", "silverblue"),
        ("ID=arch\n", "", ""),
    ],
)
def test_codename_of_the_base(release: str, codename: str, variant: str) -> None:
    """A derivative's own codename tells nothing of its packages; that of its base does."""
    machine = PROBE.gather(RecordedHost({"files": {"/etc/os-release": release}}))
    assert (machine.distribution_codename, machine.distribution_variant) == (codename, variant)


@pytest.mark.parametrize("newest", [False, True])
@pytest.mark.parametrize("family", ["bmg-g21", "bmg-g31"])
@pytest.mark.parametrize("release", ["26.04", "26.10"])
def test_no_remedy_installs_a_bad_build_for_battlemage(release: str, family: str, newest: bool) -> None:
    """The archive's 26.05 computes wrong results there: the PPA is added, or nothing is typed."""
    machine = Machine(os="linux", distribution="ubuntu", distribution_version=release)
    (remedy,) = install_driver(machine, newest=newest, families=frozenset({family}))
    lines = "\n".join(remedy.commands)
    assert "libze-intel-gpu1" not in lines or "ppa:kobuk-team/intel-graphics" in lines
    assert "26.05" in remedy.why
    assert install_driver(machine, newest=newest, families=frozenset({"ptl"}))[0].commands

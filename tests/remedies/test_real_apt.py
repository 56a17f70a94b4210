"""The lines for Debian, as printed, against Debian's own archive: apt-get updates for real and installs with -s, in a machine of its own."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.remedies.machines import System
from xpu_doctor.remedies.boot import install_firmware
from xpu_doctor.remedies.driver import install_driver
from xpu_doctor.remedies.kernel import newer_kernel
from xpu_doctor.remedies.runtime import compiler

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SECONDS = 120
SHIM = """#!/bin/sh
echo "{name} $*" >> "$SHIM_LOG"
{body}
"""

APT = """test "$1" = install && exec /usr/bin/apt-get -s "$@"
find /etc/apt -name '*.list' -o -name '*.sources' | sort | xargs cat > {folder}/now
cmp -s {folder}/now {folder}/read && exit 0
/usr/bin/apt-get -qq "$@" || exit
mv {folder}/now {folder}/read"""
"""Installs nothing, and reads the archive anew only after a change of its sources."""

pytestmark = [
    pytest.mark.skipif(
        shutil.which("apt-get") is None or shutil.which("bwrap") is None, reason="apt-get and bwrap are needed"
    ),
    pytest.mark.skipif(
        not hasattr(os, "geteuid") or os.geteuid() != 0, reason="apt's folders can be replaced by root alone"
    ),
]


def mirror() -> str:
    """The Debian mirror that this machine already uses."""
    for path in (*Path("/etc/apt/sources.list.d").glob("*.sources"), Path("/etc/apt/sources.list")):
        found = (
            re.search(
                r"^(?:URIs:|deb\s(?:\[.*\]\s)?)\s*(http\S+debian)/?\s*", path.read_text(encoding="utf-8"), re.MULTILINE
            )
            if path.exists()
            else None
        )
        if found:
            return found[1]
    pytest.skip("apt has no Debian mirror here")


@dataclass
class Box:
    """A machine with apt's folders of its own, an empty list of installed packages, and tools that only note what they are told."""

    folder: Path

    @classmethod
    def create(cls, folder: Path, sources: dict[str, str]) -> Box:
        """Write the folders; `sources` are files below /etc/apt."""
        box = cls(folder)
        for name in ("trusted.gpg.d", "apt.conf.d", "auth.conf.d"):
            if Path("/etc/apt", name).is_dir():
                shutil.copytree(
                    Path("/etc/apt", name),
                    folder / "apt" / name,
                    ignore=shutil.ignore_patterns("docker-*", "*packagekit", "*appstream"),
                )
        for name in ("apt/sources.list.d", "apt/apt.conf.d", "apt/preferences.d", "bin", "dpkg", "here", "keyrings"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        for name in ("lists/partial", "cache/archives/partial"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        for name, text in sources.items():
            (folder / "apt" / name).write_text(text)
        (folder / "apt" / "apt.conf.d" / "99test").write_text(
            'APT::Sandbox::User "root";\nAcquire::Languages "none";\nDir::State::status "/var/lib/dpkg/status";\n'
        )
        (folder / "dpkg" / "status").write_text("")
        for key in Path("/usr/share/keyrings").glob("debian-archive-*.gpg"):
            shutil.copy(key, folder / "keyrings")
        box.shim("sudo", 'exec "$@"')
        box.shim("reboot", "")
        box.shim("apt-get", APT.format(folder=folder))
        return box

    def shim(self, name: str, body: str) -> None:
        """Put a program in front of the real one."""
        path = self.folder / "bin" / name
        path.write_text(SHIM.format(name=name, body=body))
        path.chmod(0o755)

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        """Paste a line into sh."""
        inside = {
            "apt": "/etc/apt",
            "lists": "/var/lib/apt/lists",
            "cache": "/var/cache/apt",
            "dpkg": "/var/lib/dpkg",
            "keyrings": "/usr/share/keyrings",
        }
        places = [word for own, place in inside.items() for word in ("--bind", str(self.folder / own), place)]
        command = [
            "bwrap",
            "--ro-bind",
            "/",
            "/",
            "--dev",
            "/dev",
            "--tmpfs",
            "/tmp",
            "--bind",
            str(self.folder),
            str(self.folder),
            *places,
        ]
        command += ["--chdir", str(self.folder / "here"), "--die-with-parent", "sh", "-c", line]
        environment = {
            **os.environ,
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "SHIM_LOG": str(self.folder / "log"),
            "LC_ALL": "C",
        }
        try:
            return subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            pytest.skip(f"apt-get gave no answer in {SECONDS} s")

    @property
    def told(self) -> str:
        """What the programs were told."""
        log = self.folder / "log"
        return log.read_text() if log.exists() else ""


def classic(suite: str, components: str = "main") -> dict[str, str]:
    """The one-line sources of older installs."""
    return {"sources.list": f"deb {mirror()} {suite} {components}\n"}


def modern(suite: str, components: str = "main") -> dict[str, str]:
    """The sources with a keyring of newer installs and of images."""
    return {
        "sources.list.d/debian.sources": f"Types: deb\nURIs: {mirror()}\nSuites: {suite}\nComponents: {components}\nSigned-By: {KEYRING}\n"
    }


def reach(box: Box) -> None:
    """Skip where Debian's archive cannot be had."""
    done = box.run("apt-get update")
    if done.returncode or "Failed to fetch" in done.stderr:
        pytest.skip(f"Debian's archive cannot be had: {done.stderr.strip().splitlines()[-1:]}")


def mirrored(line: str) -> str:
    """A printed line with this machine's mirror in place of Debian's address."""
    return line.replace("http://deb.debian.org/debian", mirror())


@pytest.mark.heavy
@pytest.mark.parametrize("suite", ["forky", "sid"])
def test_testing_and_sid_hold_the_driver(suite: str, tmp_path: Path) -> None:
    """What newer Debian is told to install can be installed, compiler and kernel too."""
    box = Box.create(tmp_path / "box", classic(suite, "main non-free-firmware"))
    reach(box)
    machine = System("debian", "", suite).machine()
    for remedy in (
        *install_driver(machine),
        *newer_kernel(machine, "6.18"),
        install_firmware(machine),
        *compiler(machine),
    ):
        done = box.run(mirrored(remedy.commands[0]))
        assert done.returncode == 0, (remedy.commands, done.stdout[-500:], done.stderr[-500:])
    assert "libze-intel-gpu1" in box.run("apt-get install libze-intel-gpu1").stdout


@pytest.mark.heavy
@pytest.mark.parametrize("sources", [classic, modern])
@pytest.mark.parametrize(("version", "suite"), [("12", "bookworm"), ("13", "trixie")])
def test_stable_gets_firmware_and_kernel(version: str, suite: str, sources: object, tmp_path: Path) -> None:
    """The component and the backports are added in a way that apt takes, twice over, and nothing is added twice."""
    assert callable(sources)
    box = Box.create(tmp_path / "box", sources(suite))
    reach(box)
    machine = System("debian", version, suite).machine()
    (kernel,) = newer_kernel(machine, "6.18")
    for remedy in (install_firmware(machine), kernel, kernel, install_firmware(machine), *compiler(machine)):
        done = box.run(mirrored(remedy.commands[0]))
        assert done.returncode == 0, (remedy.commands, done.stdout[-500:], done.stderr[-500:])
        assert "W:" not in done.stderr and "Conflicting" not in done.stderr, done.stderr
    texts = [path.read_text() for path in (tmp_path / "box" / "apt").rglob("*") if path.suffix in (".list", ".sources")]
    assert sum(text.count("backports") for text in texts) == 1
    assert box.told.splitlines().count("sudo reboot") == 4


@pytest.mark.heavy
def test_backports_that_are_there_already_stay(tmp_path: Path) -> None:
    """Sources that name a keyring clash with a second entry of the same suite: none is written."""
    sources = modern("trixie trixie-backports")
    box = Box.create(tmp_path / "box", sources)
    reach(box)
    (kernel,) = newer_kernel(System("debian", "13", "trixie").machine(), "6.18")
    done = box.run(mirrored(kernel.commands[0]))
    assert done.returncode == 0, done.stderr
    assert not list((tmp_path / "box" / "apt" / "sources.list.d").glob("*.list"))


@pytest.mark.heavy
def test_debian_13_installs_intels_files_together(tmp_path: Path) -> None:
    """The five files of a release, with the loader of the archive; without the files the line fails and installs nothing."""
    box = Box.create(tmp_path / "box", classic("trixie"))
    reach(box)
    (remedy,) = install_driver(System("debian", "13", "trixie").machine())
    assert box.run(remedy.commands[0]).returncode != 0
    depends = {
        "libigdgmm12": "libc6",
        "intel-igc-core-2": "libc6",
        "intel-igc-opencl-2": "intel-igc-core-2",
        "intel-opencl-icd": "libigdgmm12, intel-igc-opencl-2",
        "libze-intel-gpu1": "libc6 (>= 2.38), libigdgmm12, intel-igc-opencl-2",
    }
    for name, needs in depends.items():
        package(tmp_path / "box" / "here", name, "26.31.39395.13", needs)
    done = box.run(remedy.commands[0])
    assert done.returncode == 0, done.stderr
    assert all(f"Inst {name} " in done.stdout for name in (*depends, "libze1", "clinfo")), done.stdout


def package(folder: Path, name: str, version: str, depends: str) -> Path:
    """Make an empty .deb file."""
    build = folder / f"build-{name}"
    (build / "DEBIAN").mkdir(parents=True)
    fields = {
        "Package": name,
        "Version": version,
        "Architecture": "amd64",
        "Maintainer": "Test <test@example.org>",
        "Depends": depends,
        "Description": "test",
    }
    (build / "DEBIAN" / "control").write_text("".join(f"{key}: {value}\n" for key, value in fields.items() if value))
    made = folder / f"{name}_{version}_amd64.deb"
    subprocess.run(["dpkg-deb", "--build", str(build), str(made)], check=True, capture_output=True)
    shutil.rmtree(build)
    return made


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def entry(made: Path) -> str:
    """A package's paragraph in the index of its repository."""
    fields = subprocess.run(["dpkg-deb", "--field", str(made)], check=True, capture_output=True, text=True).stdout
    return f"{fields}Filename: {made.name}\nSize: {made.stat().st_size}\nSHA256: {digest(made)}\n"


@pytest.fixture
def intel(tmp_path: Path) -> tuple[Box, str]:
    """A box, and the line of Ubuntu 22.04 with a signed repository of this test in place of Intel's."""
    if shutil.which("gpg") is None:
        pytest.skip("gpg is not here")
    box = Box.create(tmp_path / "box", {"sources.list": ""})
    pool = tmp_path / "box" / "repository"
    pool.mkdir()
    made = [package(pool, name, "1.0", "") for name in ("libze-intel-gpu1", "libze1", "intel-opencl-icd", "clinfo")]
    suite = pool / "dists" / "jammy"
    index = suite / "unified" / "binary-amd64" / "Packages"
    index.parent.mkdir(parents=True)
    index.write_text("\n".join(map(entry, made)))
    (suite / "Release").write_text(
        "Codename: jammy\nComponents: unified\nArchitectures: amd64\nDate: Thu, 26 Nov 2026 00:00:00 UTC\n"
        f"SHA256:\n {digest(index)} {index.stat().st_size} unified/binary-amd64/Packages\n"
    )
    home = tmp_path / "gpg"
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--pinentry-mode", "loopback", "--passphrase", ""]
    subprocess.run([*gpg, "--quick-gen-key", "Test <test@example.org>", "rsa3072"], check=True, capture_output=True)
    subprocess.run(
        [*gpg, "--clearsign", "-o", str(suite / "InRelease"), str(suite / "Release")], check=True, capture_output=True
    )
    key = tmp_path / "box" / "intel.key"
    key.write_bytes(subprocess.run([*gpg, "--armor", "--export"], check=True, capture_output=True).stdout)
    subprocess.run(
        ["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"], check=False, capture_output=True
    )  # gpg starts one and leaves it
    (remedy,) = install_driver(System("ubuntu", "22.04", "jammy").machine())
    (line,) = remedy.commands
    box.shim("wget", f'test "$1" = -qO && cp {key} "$2"')
    return box, line.replace("https://repositories.intel.com/gpu/ubuntu", f"file:{pool}")


def test_ubuntu_22_takes_intels_key_as_it_is(intel: tuple[Box, str]) -> None:
    """An armoured key in an .asc file serves apt: no gpg is needed, which images lack."""
    box, line = intel
    # the archive of Ubuntu, which has wget, is not here
    done = box.run(line.replace("sudo apt-get install -y wget ca-certificates", "true", 1))
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert "Inst libze-intel-gpu1" in done.stdout
    assert "gpg" not in line.replace("signed-by", "")


def test_ubuntu_22_without_the_key_gets_no_repository(intel: tuple[Box, str]) -> None:
    """Where the key cannot be had, the repository is not added either."""
    box, line = intel
    box.shim("wget", "exit 4")
    assert box.run(line.replace("sudo apt-get install -y wget ca-certificates", "true", 1)).returncode != 0
    assert not list((box.folder / "apt" / "sources.list.d").iterdir())

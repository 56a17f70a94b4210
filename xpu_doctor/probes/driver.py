"""What is installed of the GPU's user-space driver: libraries first, packages second. Files only, but for rpm."""

from __future__ import annotations

import re

from xpu_doctor.host.interface import Host
from xpu_doctor.model.facts import Driver, Library, Package
from xpu_doctor.model.findings import Layer
from xpu_doctor.model.unknown import Maybe, Unknown
from xpu_doctor.probes.runner import probe

LIBRARY_FOLDERS = (
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/local/lib64",
    "/usr/local/lib",
    "/usr/local/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu/intel-opencl",
    "/usr/lib64/intel-opencl",
    "/usr/lib/intel-opencl",
    "/opt/intel/opencl",
    "/usr/lib/wsl/lib",
)
STEMS = (
    "libze_loader.so.1",
    "libze_intel_gpu.so.1",
    "libze_intel_gpu_legacy1.so.1",
    "libigdrcl.so",
    "libOpenCL.so.1",
    "libigc.so",
    "libigdgmm.so",
)
"""Names that matter, each as programs load it; what follows in a file's name is its version."""

PACKAGES = (
    *(
        "libze1",
        "level-zero",
        "libze-intel-gpu1",
        "intel-level-zero-gpu",
        "intel-level-zero-gpu-legacy1",
        "intel-opencl-icd",
    ),
    *(
        "intel-level-zero",
        "oneapi-level-zero",
        "level-zero-loader",
        "intel-compute-runtime",
        "intel-opencl",
        "intel-gpu-compute",
    ),
    *(
        "libigc1",
        "libigc2",
        "libigdgmm12",
        "intel-igc-core",
        "intel-igc-core-2",
        "intel-gmmlib",
        "intel-graphics-compiler",
        "intel-i915-dkms",
    ),
)
DPKG_STATUS = "/var/lib/dpkg/status"
STATUS_LIMIT = 24 << 20
RPM_DATABASES = ("/var/lib/rpm", "/usr/lib/sysimage/rpm")
PACMAN_DATABASE = "/var/lib/pacman/local"
STANZA = re.compile(
    r"^Package: (" + "|".join(map(re.escape, PACKAGES)) + r")\n(.*?)(?:\n\n|\Z)", re.MULTILINE | re.DOTALL
)


@probe("driver-files", layer=Layer.DRIVER, fills="driver", on=("linux",))
def driver(host: Host) -> Driver:
    """The Level Zero loader, the GPU driver, OpenCL, the compiler and gmmlib, as files and as packages."""
    manager, packages = _packages(host)
    return Driver(
        libraries=_libraries(host),
        packages=packages,
        package_manager=manager,
        opencl_icds=_icds(host),
        dxg=host.exists("/dev/dxg"),
        wsl_libraries=host.exists("/usr/lib/wsl/lib/libdxcore.so"),
    )


def _folders(host: Host) -> tuple[str, ...]:
    searched = [folder for folder in host.env.get("LD_LIBRARY_PATH", "").split(":") if folder.startswith("/")]
    prefix = host.env.get("CONDA_PREFIX", "")
    return tuple(dict.fromkeys([*searched, *([f"{prefix}/lib"] if prefix else []), *LIBRARY_FOLDERS]))


def _libraries(host: Host) -> Maybe[tuple[Library, ...]]:
    found: dict[str, Library] = {}
    readable = False
    for folder in _folders(host):
        names = host.list(folder)
        if isinstance(names, Unknown):
            continue
        readable = True
        for stem in STEMS:
            matching = [name for name in names if name == stem or name.startswith(stem + ".")]
            if matching and stem not in found:
                longest = max(matching, key=len)
                found[stem] = Library(
                    stem, f"{folder}/{stem if stem in names else longest}", library_version(longest, stem)
                )
    return tuple(found.values()) if readable else Unknown("no library folder can be read")


def library_version(name: str, stem: str) -> Maybe[str]:
    """Return the version that a library's file name ends with, e.g. `1.20.6`; unknown where the name holds none."""
    head = re.match(r"^(.{0,250}?\.so)\.?(.{0,250})$", name)
    version = head[2] if head else ""
    return version if version.count(".") >= 1 else Unknown("the file's name holds no version")


def _icds(host: Host) -> tuple[str, ...]:
    said = (host.read(path, 4096) for path in host.glob("/etc/OpenCL/vendors/*.icd"))
    return tuple(text.strip() for text in said if isinstance(text, str) and text.strip())


def _packages(host: Host) -> tuple[Maybe[str], Maybe[tuple[Package, ...]]]:
    conda = _conda(host)
    status = host.read(DPKG_STATUS, STATUS_LIMIT)
    if isinstance(status, str):
        return "dpkg", (*conda, *dpkg_packages(status))
    pacman = host.list(PACMAN_DATABASE)
    if not isinstance(pacman, Unknown):
        return "pacman", (*conda, *pacman_packages(pacman))
    if any(host.exists(path) is True for path in RPM_DATABASES):
        return "rpm", _with(conda, _rpm(host))
    if conda:
        return Unknown("no package database of the system was found"), conda
    unknown = Unknown("no package database of the system was found")
    return unknown, unknown


def _with(conda: tuple[Package, ...], rest: Maybe[tuple[Package, ...]]) -> Maybe[tuple[Package, ...]]:
    return rest if isinstance(rest, Unknown) else (*conda, *rest)


def dpkg_packages(status: str) -> tuple[Package, ...]:
    """Return the installed packages of the driver stack in dpkg's status file."""
    found = []
    for stanza in STANZA.finditer(status):
        fields = dict(line.partition(": ")[::2] for line in stanza[2].splitlines() if not line.startswith(" "))
        if fields.get("Status", "").endswith(" installed"):
            found.append(Package(stanza[1], fields.get("Version", ""), "dpkg"))
    return tuple(found)


def pacman_packages(names: tuple[str, ...]) -> tuple[Package, ...]:
    """Return the packages of the driver stack among the folder names of pacman's database."""
    split = (name.rsplit("-", 2) for name in names if name.count("-") >= 2)
    return tuple(
        Package(name, f"{version}-{release}", "pacman") for name, version, release in split if name in PACKAGES
    )


def _rpm(host: Host) -> Maybe[tuple[Package, ...]]:
    done = host.run(("rpm", "-q", "--qf", "%{NAME} %{VERSION}-%{RELEASE}\\n", *PACKAGES), 5.0)
    if isinstance(done, Unknown):
        return done
    return rpm_packages(done.stdout)


def rpm_packages(text: str) -> tuple[Package, ...]:
    """Return the packages in rpm's answer; lines about packages that are not installed are left out in any language."""
    rows = (line.split() for line in text.splitlines())
    return tuple(Package(row[0], row[1], "rpm") for row in rows if len(row) == 2 and row[0] in PACKAGES)


def _conda(host: Host) -> tuple[Package, ...]:
    prefix = host.env.get("CONDA_PREFIX", "")
    names = host.list(f"{prefix}/conda-meta") if prefix else ()
    if isinstance(names, Unknown):
        return ()
    split = (name[:-5].rsplit("-", 2) for name in names if name.endswith(".json") and name.count("-") >= 2)
    return tuple(Package(name, version, "conda") for name, version, _ in split if name in PACKAGES)

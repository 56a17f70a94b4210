"""States in which a torch is found: what interrupted, mixed and wrong installs leave in a folder of packages."""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import shutil
import sysconfig
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

from tests.support.fake_index import Wheel, package, torch, xpu_set

VERSION = "2.14.0"


LIBRARY = min(
    Path(sysconfig.get_config_var("DESTSHARED")).glob("*.so"), key=lambda path: path.stat().st_size
).read_bytes()
"""A real library, which needs nothing but the C library."""


def whole(wheel: Wheel) -> Wheel:
    """Return a wheel whose libraries are real ones."""
    return replace(
        wheel, files={name: LIBRARY if content == "\x7fELF" else content for name, content in wheel.files.items()}
    )


CPU = tuple(
    map(
        whole,
        (
            torch(f"{VERSION}+cpu"),
            package("torchvision", "0.29.0", (f"torch=={VERSION}",)),
            package("torchaudio", "2.11.0"),
        ),
    )
)
XPU = tuple(map(whole, xpu_set(VERSION, "0.29.0", "2.11.0", "3.8.0")))
NEWEST = tuple(map(whole, xpu_set("2.14.1", "0.29.1", "2.11.0", "3.8.0")[:2]))
"""The newest torch that remedies install, and its torchvision; the other packages are those of the release before."""
INDEXES: Mapping[str, tuple[Wheel, ...]] = {
    "xpu": (*NEWEST, *XPU),
    "cpu": (*CPU, XPU[-1], package("triton", "3.8.0"), package("numpy", "2.0"), package("filelock", "3.20.0")),
    "nightly": (*NEWEST, *XPU),
}
"""What each index offers; that of the CPU stands for PyPI, which has Intel's packages too."""
PLAIN_TRITON = package("triton", "3.8.0")
NAMES = ("torch", "torchvision", "torchaudio", "triton", "triton_xpu", "intel_sycl_rt")


def install(site: Path, wheels: Iterable[Wheel], installer: str) -> None:
    """Lay wheels out as an installer does, with INSTALLER and RECORD."""
    depth = 2 if site.parent.name == "Lib" else 3  # Windows, or else
    for wheel in wheels:
        with zipfile.ZipFile(BytesIO(wheel.content())) as archive:
            names = [name for name in archive.namelist() if ".data/" not in name]
            archive.extractall(site, names)
            data = [name for name in archive.namelist() if ".data/" in name]
            for name in data:
                place = site.parents[depth - 1] / name.partition(".data/data/")[2]
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(archive.read(name))
        info = next(site.glob(f"{wheel.name.replace('-', '_')}-*.dist-info"))
        (info / "INSTALLER").write_text(f"{installer}\n")
        record(
            site,
            info,
            [
                *names,
                f"{info.name}/INSTALLER",
                *(f"{'../' * depth}{name.partition('.data/data/')[2]}" for name in data),
            ],
        )


def record(site: Path, info: Path, names: Iterable[str]) -> None:
    """Write RECORD for files of a distribution."""
    rows = [f"{info.name}/RECORD,,"]
    for name in dict.fromkeys(names):
        path = Path(os.path.normpath(site / name))
        if path.is_file() and not name.endswith("/RECORD"):
            content = path.read_bytes()
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            rows.append(f"{name},sha256={digest},{len(content)}")
    (info / "RECORD").write_text("\n".join(rows) + "\n")


def clear(site: Path) -> None:
    """Take torch and its partners out, by their RECORD."""
    for info in (found for name in NAMES for found in site.glob(f"{name}-*.dist-info")):
        listed = info / "RECORD"
        for row in csv.reader(listed.read_text().splitlines() if listed.exists() else ()):
            Path(os.path.normpath(site / row[0])).unlink(missing_ok=True)
        shutil.rmtree(info, ignore_errors=True)
    for name in ("torch", "torchvision", "torchaudio", "triton"):
        shutil.rmtree(site / name, ignore_errors=True)


@dataclass(frozen=True)
class Place:
    """Where a state is made."""

    site: Path
    work: Path
    installer: str
    form: Callable[[Wheel], Wheel] = lambda wheel: wheel
    """What a wheel is on this system."""

    def put(self, *wheels: Wheel) -> None:
        """Replace whatever torch there is."""
        clear(self.site)
        install(self.site, map(self.form, wheels), self.installer)

    def info(self, name: str = "torch") -> Path:
        """The metadata of a distribution."""
        return next(self.site.glob(f"{name}-*.dist-info"))


def cpu(place: Place) -> None:
    """A CPU wheel."""
    place.put(*CPU)


def cuda(place: Place) -> None:
    """A wheel for CUDA, with the plain triton that lies in the same folder as that of XPU."""
    place.put(whole(torch(f"{VERSION}+cu126", ("triton==3.8.0",))), *CPU[1:], PLAIN_TRITON)


def gone(place: Place) -> None:
    """The XPU build is registered, and its folder is not there."""
    place.put(*XPU)
    shutil.rmtree(place.site / "torch")


def unregistered(place: Place) -> None:
    """The folder is there, without metadata."""
    cpu(place)
    shutil.rmtree(place.info())
    (place.site / "torch" / "stale.py").write_text("")


def lost_record(place: Place) -> None:
    """RECORD is lost."""
    cpu(place)
    (place.info() / "RECORD").unlink()


def doubled(place: Place) -> None:
    """Two versions are registered."""
    cpu(place)
    other = place.site / "torch-2.13.0+cpu.dist-info"
    shutil.copytree(place.info(), other)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 2.13.0+cpu\n")
    record(place.site, other, [f"{other.name}/{path.name}" for path in other.iterdir()])


def empty(place: Place) -> None:
    """The folder is empty, the metadata whole."""
    cpu(place)
    shutil.rmtree(place.site / "torch")
    (place.site / "torch").mkdir()


def namespace(place: Place) -> None:
    """A folder without __init__.py and without metadata imports as a namespace."""
    cpu(place)
    shutil.rmtree(place.info())
    (place.site / "torch" / "__init__.py").unlink()


def shadowed(place: Place) -> None:
    """A file torch.py lies where the program starts, and my_torch.py beside it."""
    place.put(*XPU)
    (place.work / "torch.py").write_text("print('of my own')\n")


def half_uninstalled(place: Place) -> None:
    """A pip that was interrupted has renamed the folders."""
    cpu(place)
    place.info().rename(place.site / f"~orch-{VERSION}+cpu.dist-info")
    (place.site / "torch").rename(place.site / "~orch")


def wrong_pins(place: Place) -> None:
    """A partner of another release beside the XPU build."""
    old = Wheel("intel-sycl-rt", "2025.3.1", {"intel_sycl_rt-2025.3.1.data/data/lib/libsycl.so.8": "\x7fELF"})
    place.put(*XPU[:-1], whole(old))


def missing_requirement(place: Place) -> None:
    """A package that the XPU build imports is not there."""
    needy = replace(
        XPU[0],
        requires=(*XPU[0].requires, "filelock"),
        files={**XPU[0].files, "torch/__init__.py": "import filelock\nfrom .version import __version__\n"},
    )
    place.put(needy, *XPU[1:])


@dataclass(frozen=True)
class State:
    """A state, by name."""

    name: str
    make: Callable[[Place], None]
    imports: bool = False
    """Whether only an import shows it."""


STATES = (
    State("CPU wheel", cpu),
    State("CUDA wheel", cuda),
    State("registered, gone", gone),
    State("no metadata", unregistered),
    State("lost RECORD", lost_record),
    State("doubled metadata", doubled),
    State("empty folder", empty),
    State("namespace", namespace),
    State("torch.py shadow", shadowed),
    State("half uninstalled", half_uninstalled),
    State("wrong pins", wrong_pins),
    State("missing requirement", missing_requirement, imports=True),
)

"""A PEP 503 index on loopback with small fake wheels that real pip, uv and poetry install."""

from __future__ import annotations

import base64
import hashlib
import http.server
import io
import threading
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

ANY_TAG = "py3-none-any"


@dataclass(frozen=True)
class Wheel:
    """A wheel in memory."""

    name: str
    version: str
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    requires: tuple[str, ...] = ()
    tag: str = ANY_TAG

    @property
    def filename(self) -> str:
        """The file name that carries name, version and tag."""
        return f"{self.name.replace('-', '_')}-{self.version}-{self.tag}.whl"

    def content(self) -> bytes:
        """Return the bytes of the archive, RECORD included."""
        info = f"{self.name.replace('-', '_')}-{self.version}.dist-info"
        metadata = f"Metadata-Version: 2.1\nName: {self.name}\nVersion: {self.version}\n"
        files = {
            name: content.encode() if isinstance(content, str) else content for name, content in self.files.items()
        }
        files[f"{info}/METADATA"] = (metadata + "".join(f"Requires-Dist: {line}\n" for line in self.requires)).encode()
        files[f"{info}/WHEEL"] = (
            f"Wheel-Version: 1.0\nGenerator: fake_index\nRoot-Is-Purelib: true\nTag: {self.tag}\n".encode()
        )
        record = "".join(f"{name},sha256={_digest(content)},{len(content)}\n" for name, content in files.items())
        files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return buffer.getvalue()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def torch(version: str, requires: tuple[str, ...] = (), *, xpu: str = "") -> Wheel:
    """Return a wheel of a torch that imports, knows its version and has the build that its label says."""
    label = version.partition("+")[2]
    cuda = f"'{label[2:4]}.{label[4:]}'" if label.startswith("cu") else "None"
    text = f"__version__ = '{version}'\ncuda: str | None = {cuda}\nhip = None\nxpu = {xpu!r}\ngit_version = '{'0' * 40}'\ndebug = False\n"
    library = {"xpu": "torch/lib/libtorch_xpu.so", "cpu": "torch/lib/libtorch_cpu.so"}.get(
        label, "torch/lib/libtorch_cuda.so"
    )
    return Wheel(
        "torch",
        version,
        {"torch/__init__.py": "from .version import __version__\n", "torch/version.py": text, library: "\x7fELF"},
        requires,
    )


def package(name: str, version: str, requires: tuple[str, ...] = (), folder: str = "") -> Wheel:
    """Return a wheel of one importable package."""
    where = folder or name.replace("-", "_")
    return Wheel(name, version, {f"{where}/__init__.py": f"__version__ = '{version}'\nowner = '{name}'\n"}, requires)


def xpu_set(
    torch_version: str, vision: str, audio: str, triton: str, sycl: str = "2026.1.0", triton_name: str = "triton-xpu"
) -> tuple[Wheel, ...]:
    """Return the wheels that an XPU index offers for one torch release."""
    return (
        torch(f"{torch_version}+xpu", (f"intel-sycl-rt=={sycl}", f"{triton_name}=={triton}"), xpu="20260100"),
        package("torchvision", f"{vision}+xpu", (f"torch=={torch_version}",)),
        package("torchaudio", f"{audio}+xpu"),
        package(triton_name, triton, folder="triton"),
        Wheel("intel-sycl-rt", sycl, {f"intel_sycl_rt-{sycl}.data/data/lib/libsycl.so.9": "\x7fELF"}),
    )


class _Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Index:
    """A served index."""

    url: str
    folder: Path


@contextmanager
def serve(root: Path, channels: Mapping[str, Iterable[Wheel]]) -> Iterator[dict[str, str]]:
    """Serve one index per channel, e.g. `{"xpu": wheels}`, and yield their addresses; the wheels also lie in `root/files/<channel>`."""
    for channel, wheels in channels.items():
        _write_channel(root, channel, tuple(wheels))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(root)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield {channel: f"http://127.0.0.1:{server.server_port}/whl/{channel}" for channel in channels}
    finally:
        server.shutdown()
        server.server_close()


def _write_channel(root: Path, channel: str, wheels: tuple[Wheel, ...]) -> None:
    folder, files = root / "whl" / channel, root / "files" / channel
    files.mkdir(parents=True, exist_ok=True)
    projects: dict[str, list[str]] = {}
    for wheel in wheels:
        content = wheel.content()
        (files / wheel.filename).write_bytes(content)
        link = f'<a href="/files/{channel}/{wheel.filename.replace("+", "%2B")}#sha256={hashlib.sha256(content).hexdigest()}">{wheel.filename}</a><br/>'
        projects.setdefault(wheel.name, []).append(link)
    for name, links in projects.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "index.html").write_text("<!DOCTYPE html><html><body>" + "\n".join(links) + "</body></html>")
    (folder / "index.html").write_text(
        "<!DOCTYPE html><html><body>" + "".join(f'<a href="{name}/">{name}</a>' for name in projects) + "</body></html>"
    )

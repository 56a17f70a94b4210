"""Package indexes on loopback that answer in the ways of good and bad servers, each under its own address."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
import urllib.parse
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO

from tests.support.fake_index import Wheel

GOOD = ("plain", "metadata", "json", "unsized", "half", "unflagged")
"""HTML without more; HTML with PEP 658; JSON with sizes and metadata for those who ask for JSON; HTML with PEP 658 whose files come without a Content-Length;
HTML with PEP 658 but for the packages of Intel; HTML that does not mention the metadata which is served all the same."""
BAD = ("denied", "rubbish", "login", "broken-json", "empty", "failing")


@dataclass
class Indexes:
    """The served indexes, and what was asked of them."""

    url: str
    files: dict[str, bytes]
    asked: list[tuple[str, str]] = field(default_factory=list)

    def __getitem__(self, kind: str) -> str:
        return f"{self.url}/{kind}/simple"

    def wheels_fetched(self) -> list[str]:
        """The wheels that somebody fetched whole."""
        return [path for method, path in self.asked if method == "GET" and path.endswith(".whl")]

    def total(self, *beginnings: str) -> int:
        """Bytes of the files whose names begin so, of all where none is named."""
        return sum(len(content) for name, content in self.files.items() if name.startswith(beginnings or ("",)))


def _metadata(content: bytes) -> bytes:
    with zipfile.ZipFile(BytesIO(content)) as archive:
        return archive.read(next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA")))


class _Handler(http.server.BaseHTTPRequestHandler):
    indexes: Indexes

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        self.indexes.asked.append((self.command, path))
        _, kind, place, *rest = path.split("/")
        if kind in BAD:
            self._badly(kind)
        elif place == "simple":
            self._page(kind, rest[0] if rest else "")
        else:
            self._file(kind, rest[-1])

    def _badly(self, kind: str) -> None:
        if kind in ("denied", "failing"):
            self.send_error(403 if kind == "denied" else 500)
        elif kind == "empty":
            self.send_error(404)
        elif kind == "login":
            self._send(b"<!DOCTYPE html><html><body><form>Please sign in</form></body></html>", "text/html")
        elif kind == "broken-json":
            self._send(b'{"files": [', "application/vnd.pypi.simple.v1+json")
        else:
            self._send(b"\x00\xff\xfe rubbish" * 50, "application/octet-stream")

    def _page(self, kind: str, project: str) -> None:
        start = project.replace("-", "_") + "-"
        found = {name: content for name, content in self.indexes.files.items() if name.startswith(start)}
        if not found:
            self.send_error(404)
        elif kind == "json" and "json" in self.headers.get("Accept", ""):
            rows = [
                {
                    "filename": name,
                    "url": f"/{kind}/files/{urllib.parse.quote(name)}",
                    "hashes": {"sha256": hashlib.sha256(content).hexdigest()},
                    "size": len(content),
                    "core-metadata": True,
                }
                for name, content in found.items()
            ]
            page = {"meta": {"api-version": "1.1"}, "name": project, "versions": [], "files": rows}
            self._send(json.dumps(page).encode(), "application/vnd.pypi.simple.v1+json")
        else:
            apart = (
                ""
                if kind == "plain" or (kind == "half" and start.startswith("intel"))
                else ' data-core-metadata="true" data-dist-info-metadata="true"'
            )
            links = "".join(
                f'<a href="/{kind}/files/{urllib.parse.quote(name)}#sha256={hashlib.sha256(content).hexdigest()}"{apart}>{name}</a><br/>\n'
                for name, content in found.items()
            )
            self._send(f"<!DOCTYPE html><html><body>{links}</body></html>".encode(), "text/html")

    def _file(self, kind: str, name: str) -> None:
        apart = name.endswith(".metadata") and kind != "plain" and not (kind == "half" and name.startswith("intel"))
        content = self.indexes.files.get(name.removesuffix(".metadata") if apart else name)
        if content is None:
            self.send_error(404)
        else:
            self._send(_metadata(content) if apart else content, "application/octet-stream", sized=kind != "unsized")

    def _send(self, body: bytes, kind: str, sized: bool = True) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        if sized:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def serve(wheels: tuple[Wheel, ...]) -> Iterator[Indexes]:
    """Serve the wheels; `indexes["json"]` is the address of one kind of index."""
    indexes = Indexes("", {wheel.filename: wheel.content() for wheel in wheels})
    handler = type("Handler", (_Handler,), {"indexes": indexes})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    indexes.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield indexes
    finally:
        server.shutdown()
        server.server_close()

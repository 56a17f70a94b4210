"""The agent in memory, for an account that may not enter the folder in which the doctor is installed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache

from xpu_doctor.process.account import Account
from xpu_doctor.target.agent import AGENT_PATH, PARTS_PATH


@dataclass(frozen=True)
class Script:
    """The agent's gate, as the interpreter under examination opens it."""

    path: str
    inherited: tuple[int, ...] = ()
    """File descriptors that the interpreter must inherit."""


@contextmanager
def script_for(account: Account | None) -> Iterator[Script]:
    """Give the gate's own file, or a copy in memory where another account runs it."""
    if account is None or not hasattr(os, "memfd_create"):
        yield Script(str(AGENT_PATH))
        return
    with ExitStack() as opened:
        parts = opened.enter_context(_in_memory("parts", parts_archive()))
        # The gate is a plain file, as on disk. An archive with the gate inside would be started through `runpy`, which
        # Python takes from PYTHONPATH before the gate has cleaned the path.
        gate = f"PARTS = '/dev/fd/{parts}'\n".encode("ascii") + AGENT_PATH.read_bytes()
        handle = opened.enter_context(_in_memory("agent", gate))
        yield Script(f"/dev/fd/{handle}", (handle, parts))


@cache
def parts_archive() -> bytes:
    """Return the parts as an archive that Python imports from; uncompressed, so that it needs no zlib there."""
    import io
    import zipfile

    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(PARTS_PATH.glob("*.py")):
            archive.writestr(zipfile.ZipInfo(f"{PARTS_PATH.name}/{path.name}"), path.read_bytes())
    return written.getvalue()


@contextmanager
def _in_memory(name: str, data: bytes) -> Iterator[int]:
    """Hold some content in a file in memory; give its descriptor."""
    handle = os.memfd_create(f"xpu-doctor-{name}")
    try:
        while data:
            data = data[os.write(handle, data) :]
        yield handle
    finally:
        os.close(handle)

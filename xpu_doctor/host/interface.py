"""What probes may ask of a machine, and what they get for an answer."""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from xpu_doctor.model.unknown import Maybe, Unknown

READ_LIMIT = 1 << 20
"""Bytes that one read takes unless told otherwise."""

RegistryKey = dict[str, Any]
"""Values by name; subkeys as nested tables under their own names."""


@dataclass(frozen=True)
class FileStatus:
    """Who may do what with a file."""

    mode: int
    uid: int
    gid: int
    is_device: bool = False
    acl: Maybe[bool] = field(default_factory=lambda: Unknown("not asked"))


@dataclass(frozen=True)
class Completed:
    """How a command ended and what it printed, both streams cut to a bound."""

    code: int
    stdout: str
    stderr: str


class Host(Protocol):
    """What a probe may ask of a machine; every answer that cannot be had is an `Unknown` with its reason."""

    @property
    def platform(self) -> str:
        """`linux`, `windows`, `macos`, or sys.platform where it is none of them."""
        ...

    @property
    def env(self) -> Mapping[str, str]:
        """The environment of the target interpreter."""
        ...

    def read_bytes(self, path: str, limit: int = READ_LIMIT) -> Maybe[bytes]:
        """Return the first bytes of a file."""
        ...

    def read(self, path: str, limit: int = READ_LIMIT) -> Maybe[str]:
        """Return the first part of a file as text, undecodable bytes replaced."""
        ...

    def list(self, path: str) -> Maybe[tuple[str, ...]]:
        """Return the sorted names in a folder."""
        ...

    def glob(self, pattern: str) -> tuple[str, ...]:
        """Return the sorted paths that match; unreadable folders match nothing."""
        ...

    def link(self, path: str) -> Maybe[str]:
        """Return what a symbolic link points to, as written in it; empty where there is no such link."""
        ...

    def exists(self, path: str) -> Maybe[bool]:
        """Return whether a path exists; unknown where a folder above it may not be searched."""
        ...

    def status(self, path: str) -> Maybe[FileStatus]:
        """Return mode and owners of a file."""
        ...

    def open_errors(self, paths: Sequence[str]) -> dict[str, Maybe[str]]:
        """Open each path for reading and writing in a child; empty where it opened, else the symbolic errno."""
        ...

    def run(self, argv: Sequence[str], timeout: float = 5.0) -> Maybe[Completed]:
        """Run a command in its own session with bounded output; unknown where it is absent or does not end."""
        ...

    def registry(self, path: str) -> Maybe[RegistryKey]:
        """Return a key of the Windows registry with its values and one level of subkeys, e.g. `HKLM\\SOFTWARE\\...`."""
        ...

    def system(self, name: str) -> Maybe[Any]:
        """Return what the C library and account database say: see `SYSTEM`."""
        ...


SYSTEM: dict[str, str] = {
    "architecture": "machine architecture, e.g. x86_64",
    "glibc": "version of the C library, empty where it is another one",
    "cpu_count": "logical processors that this process may use",
    "user": "name of the user",
    "uid": "number of the user",
    "groups": "group ids that this process holds",
    "account_groups": "names of the groups that the account database gives this user",
    "group_names": "group names by id, as text, for the groups that own device nodes or that the user holds",
}
"""What `Host.system` can be asked for."""


def os_reason(error: OSError) -> str:
    """Return an operating system error in words, for `Unknown`."""
    name = errno.errorcode.get(error.errno or 0, type(error).__name__)
    return {"ENOENT": "no such file", "EACCES": "no permission to read it", "EPERM": "reading it is not permitted"}.get(
        name, name
    )

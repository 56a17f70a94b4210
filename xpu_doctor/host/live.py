"""The only door to the machine: files, device nodes, commands, registry and environment, live or recorded."""

from __future__ import annotations

import fnmatch
import glob as globbing
import os
import stat
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from xpu_doctor.model.unknown import Maybe, Unknown

if TYPE_CHECKING:
    from xpu_doctor.process.account import Account

READ_LIMIT = 1 << 20
"""Bytes that one read takes unless told otherwise."""

OPEN_SECONDS = 3.0
"""How long opening a device node may take before it counts as blocked."""

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


ACCOUNT_CALLS = ("user", "uid", "groups", "account_groups")
"""Names of `SYSTEM` that speak of the user."""

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
    import errno

    name = errno.errorcode.get(error.errno or 0, type(error).__name__)
    return {"ENOENT": "no such file", "EACCES": "no permission to read it", "EPERM": "reading it is not permitted"}.get(
        name, name
    )


class LiveHost:
    """This machine, or the plain folder `root` in its place (a sysroot: no commands and no registry then)."""

    def __init__(
        self, root: str = "/", env: Mapping[str, str] | None = None, platform: str = "", account: Account | None = None
    ) -> None:
        self.root = root.rstrip("/")
        self.account = account
        self.env: Mapping[str, str] = dict(os.environ if env is None else env)
        self.platform: str = platform or platform_name()

    def _at(self, path: str) -> str:
        return self.root + path if self.root else path

    def read_bytes(self, path: str, limit: int = READ_LIMIT) -> Maybe[bytes]:
        """Return the first bytes of a file; pipes and devices are refused, since reading them can block."""
        try:
            descriptor = os.open(
                self._at(path), os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
            )
        except OSError as error:
            return Unknown(f"{path}: {os_reason(error)}")
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return Unknown(f"{path}: not a regular file")
            return _read_all(descriptor, limit)
        except OSError as error:
            return Unknown(f"{path}: {os_reason(error)}")
        finally:
            os.close(descriptor)

    def read(self, path: str, limit: int = READ_LIMIT) -> Maybe[str]:
        """Return the first part of a file as text."""
        data = self.read_bytes(path, limit)
        return data if isinstance(data, Unknown) else data.decode("utf-8", "replace")

    def list(self, path: str) -> Maybe[tuple[str, ...]]:
        """Return the sorted names in a folder."""
        try:
            return tuple(sorted(os.listdir(self._at(path))))
        except OSError as error:
            return Unknown(f"{path}: {os_reason(error)}")

    def glob(self, pattern: str) -> tuple[str, ...]:
        """Return the sorted paths that match."""
        found = globbing.glob(globbing.escape(self.root) + pattern if self.root else pattern)
        return tuple(sorted(path[len(self.root) :] for path in found))

    def link(self, path: str) -> Maybe[str]:
        """Return what a symbolic link points to; empty where there is no such link."""
        import errno

        try:
            return os.readlink(self._at(path))
        except OSError as error:
            absent = error.errno in (errno.ENOENT, errno.EINVAL, errno.ENOTDIR)
            return "" if absent else Unknown(f"{path}: {os_reason(error)}")

    def exists(self, path: str) -> Maybe[bool]:
        """Return whether a path exists."""
        try:
            os.stat(self._at(path))
            return True
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            return Unknown(f"{path}: {os_reason(error)}")

    def status(self, path: str) -> Maybe[FileStatus]:
        """Return mode, owners and whether an access control list is set."""
        try:
            seen = os.stat(self._at(path))
        except OSError as error:
            return Unknown(f"{path}: {os_reason(error)}")
        return FileStatus(
            seen.st_mode & 0o7777, seen.st_uid, seen.st_gid, stat.S_ISCHR(seen.st_mode), _has_acl(self._at(path))
        )

    def open_errors(self, paths: Sequence[str]) -> dict[str, Maybe[str]]:
        """Open each path in a child: a wedged driver can block an open for ever."""
        from xpu_doctor.host.commands import open_in_child

        answers = open_in_child([self._at(path) for path in paths], OPEN_SECONDS, self.env, self.account)
        return {path: answers[self._at(path)] for path in paths}

    def run(self, argv: Sequence[str], timeout: float = 5.0) -> Maybe[Completed]:
        """Run a command of this machine; a sysroot has none."""
        from xpu_doctor.host.commands import run_bounded

        if self.root:
            return Unknown(f"{argv[0]}: a recorded folder runs no commands")
        return run_bounded(argv, timeout, self.env)

    def registry(self, path: str) -> Maybe[RegistryKey]:
        """Return a key of the Windows registry."""
        if self.platform != "windows" or self.root:
            return Unknown("there is no registry on this system")
        from xpu_doctor.host.windows_registry import read_key

        return read_key(path)

    def system(self, name: str) -> Maybe[Any]:
        """Return what the running system says."""
        from xpu_doctor.host.account import SYSTEM_CALLS, said_of

        if self.root and name != "cpu_count":
            return Unknown("a recorded folder does not tell it")
        try:
            if self.account is not None and name in ACCOUNT_CALLS:
                return said_of(self.account, name)
            return SYSTEM_CALLS[name](self.env)
        except (OSError, KeyError, ValueError, AttributeError, ImportError) as error:
            return Unknown(f"{name}: {type(error).__name__}: {error}")


def _read_all(descriptor: int, limit: int) -> bytes:
    parts: list[bytes] = []
    left = limit
    while left > 0:
        part = os.read(descriptor, min(left, 1 << 16))
        if not part:
            break
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _has_acl(path: str) -> Maybe[bool]:
    if not hasattr(os, "listxattr"):
        return Unknown("this system tells no access control lists")
    try:
        return "system.posix_acl_access" in os.listxattr(path)
    except OSError as error:
        return Unknown(os_reason(error))


def platform_name() -> str:
    """Return `linux`, `windows` or `macos` for this interpreter's system, else sys.platform."""
    return {"win32": "windows", "cygwin": "windows", "darwin": "macos"}.get(sys.platform, sys.platform)


class RecordedHost:
    """A machine written down in one TOML file: files, links, errors, commands, registry, environment, what opening nodes said."""

    def __init__(self, recording: Mapping[str, Any]) -> None:
        from xpu_doctor.host.recording_shorthand import expanded

        record = expanded(recording)
        self.platform: str = str(record.get("platform", "linux"))
        self.env: Mapping[str, str] = dict(record.get("env", {}))
        self._files: dict[str, str] = dict(record.get("files", {}))
        self._links: dict[str, str] = dict(record.get("links", {}))
        self._errors: dict[str, str] = dict(record.get("errors", {}))
        self._status: dict[str, dict[str, Any]] = dict(record.get("status", {}))
        self._opens: dict[str, str] = dict(record.get("opens", {}))
        self._commands: list[dict[str, Any]] = list(record.get("commands", []))
        self._registry: dict[str, RegistryKey] = {
            key.lower(): value for key, value in record.get("registry", {}).items()
        }
        self._system: dict[str, Any] = dict(record.get("system", {}))
        self._folders = _folders([*self._files, *self._links, *self._status, *self._opens, *self._errors])

    @classmethod
    def load(cls, path: str | Path) -> RecordedHost:
        """Read a recording from a TOML file, or from `host.toml` in a folder."""
        from xpu_doctor.tables import parse_toml

        file = Path(path)
        file = file / "host.toml" if file.is_dir() else file
        return cls(parse_toml(file.read_text(encoding="utf-8")))

    def _refused(self, path: str) -> Unknown | None:
        for prefix, name in self._errors.items():
            if path == prefix or path.startswith(prefix.rstrip("/") + "/"):
                return Unknown(f"{path}: {name}")
        return None

    def read_bytes(self, path: str, limit: int = READ_LIMIT) -> Maybe[bytes]:
        """Return the first bytes of a recorded file."""
        if refused := self._refused(path):
            return refused
        if path not in self._files:
            return Unknown(f"{path}: no such file")
        return self._files[path].encode("utf-8", "surrogateescape")[:limit]

    def read(self, path: str, limit: int = READ_LIMIT) -> Maybe[str]:
        """Return the first part of a recorded file as text."""
        data = self.read_bytes(path, limit)
        return data if isinstance(data, Unknown) else data.decode("utf-8", "replace")

    def list(self, path: str) -> Maybe[tuple[str, ...]]:
        """Return the names that the recording has below a folder."""
        if refused := self._refused(path):
            return refused
        folder = self._folders.get(path.rstrip("/"))
        return Unknown(f"{path}: no such file") if folder is None else tuple(sorted(folder))

    def glob(self, pattern: str) -> tuple[str, ...]:
        """Return the recorded paths and folders that match, part by part."""
        known = {*self._files, *self._links, *self._status, *self._opens, *self._folders}
        parts = pattern.split("/")
        return tuple(
            sorted(
                path
                for path in known
                if path.count("/") == len(parts) - 1
                and not self._refused(path)
                and all(fnmatch.fnmatchcase(name, part) for name, part in zip(path.split("/"), parts, strict=True))
            )
        )

    def link(self, path: str) -> Maybe[str]:
        """Return a recorded link's target; empty where there is none."""
        return self._refused(path) or self._links.get(path, "")

    def exists(self, path: str) -> Maybe[bool]:
        """Return whether the recording has the path."""
        if refused := self._refused(path):
            return False if refused.reason.endswith("ENOENT") else refused
        return (
            path in self._files
            or path in self._links
            or path in self._status
            or path in self._opens
            or path in self._folders
        )

    def status(self, path: str) -> Maybe[FileStatus]:
        """Return a recorded status; device nodes without one have mode 660 and belong to root."""
        if refused := self._refused(path):
            return refused
        row = self._status.get(path)
        if row is None and path not in self._opens:
            return Unknown(f"{path}: no such file")
        row = row or {}
        return FileStatus(
            int(row.get("mode", 0o660)),
            int(row.get("uid", 0)),
            int(row.get("gid", 0)),
            True,
            bool(row.get("acl", False)),
        )

    def open_errors(self, paths: Sequence[str]) -> dict[str, Maybe[str]]:
        """Return what the recording says of each path; unknown where it says nothing."""
        return {
            path: Unknown(answer[8:])
            if (answer := self._opens.get(path, "unknown:not recorded")).startswith("unknown:")
            else answer
            for path in paths
        }

    def run(self, argv: Sequence[str], timeout: float = 5.0) -> Maybe[Completed]:
        """Return a recorded command's output; a command that was not recorded is absent."""
        for row in self._commands:
            if list(row["argv"]) == list(argv):
                return Completed(int(row.get("code", 0)), str(row.get("stdout", "")), str(row.get("stderr", "")))
        return Unknown(f"{argv[0]}: not found")

    def registry(self, path: str) -> Maybe[RegistryKey]:
        """Return a recorded key of the registry."""
        if self.platform != "windows":
            return Unknown("there is no registry on this system")
        key = self._registry.get(path.lower())
        return Unknown(f"{path}: no such key") if key is None else key

    def system(self, name: str) -> Maybe[Any]:
        """Return what the recording says of the system."""
        value = self._system.get(name)
        if value is None:
            return Unknown("not recorded")
        return tuple(value) if isinstance(value, list) else value


def _folders(paths: Sequence[str]) -> dict[str, set[str]]:
    folders: dict[str, set[str]] = {}
    for path in paths:
        parts = path.split("/")
        for depth in range(1, len(parts)):
            folders.setdefault("/".join(parts[:depth]), set()).add(parts[depth])
    return folders


def open_host(place: str = "", env: Mapping[str, str] | None = None) -> Host:
    """Return this machine, the sysroot folder `place`, or the recording in the TOML file `place`."""
    if not place:
        return LiveHost(env=env)
    if place.endswith(".toml"):
        return RecordedHost.load(place)
    return LiveHost(place, env=env, platform="linux")

"""This machine, or a sysroot folder in its place: files, device nodes, commands, registry and environment."""

from __future__ import annotations

import errno
import glob as globbing
import os
import stat
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from xpu_doctor.host.account import SYSTEM_CALLS, said_of
from xpu_doctor.host.commands import open_in_child, run_bounded
from xpu_doctor.host.interface import READ_LIMIT, Completed, FileStatus, RegistryKey, os_reason
from xpu_doctor.model.unknown import Maybe, Unknown

if TYPE_CHECKING:
    from xpu_doctor.process.account import Account

OPEN_SECONDS = 3.0
"""How long opening a device node may take before it counts as blocked."""

ACCOUNT_CALLS = ("user", "uid", "groups", "account_groups")
"""Names of `SYSTEM` that speak of the user."""


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
        """Open each path in a child: a wedged driver can block an open forever."""
        answers = open_in_child([self._at(path) for path in paths], OPEN_SECONDS, self.env, self.account)
        return {path: answers[self._at(path)] for path in paths}

    def run(self, argv: Sequence[str], timeout: float = 5.0) -> Maybe[Completed]:
        """Run a command of this machine; a sysroot has none."""
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

"""A machine written down in a file, for tests and for reports from elsewhere."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xpu_doctor.host.interface import READ_LIMIT, Completed, FileStatus, RegistryKey
from xpu_doctor.host.recording_shorthand import expanded
from xpu_doctor.model.unknown import Maybe, Unknown
from xpu_doctor.tables import parse_toml


class RecordedHost:
    """A machine written down in one TOML file: files, links, errors, commands, registry, environment, what opening nodes said."""

    def __init__(self, recording: Mapping[str, Any]) -> None:
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
        file = Path(path)
        file = file / "host.toml" if file.is_dir() else file
        return cls(parse_toml(file.read_text(encoding="utf-8")))

    def _error(self, path: str) -> str:
        """Return the recorded errno name of a path or of a folder above it, or empty."""
        rows = self._errors.items()
        return next((name for at, name in rows if path == at or path.startswith(at.rstrip("/") + "/")), "")

    def _refused(self, path: str) -> Unknown | None:
        error = self._error(path)
        return Unknown(f"{path}: {error}") if error else None

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
            return False if self._error(path) == "ENOENT" else refused
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
        """Return a recorded key of the registry, with the keys that were recorded below it."""
        if self.platform != "windows":
            return Unknown("there is no registry on this system")
        start = path.lower() + "\\"
        below = {at[len(start) :].partition("\\")[0] for at in self._registry if at.startswith(start)}
        key = self._registry.get(path.lower())
        if key is None and not below:
            return Unknown(f"{path}: no such key")
        below -= {name.lower() for name in key or {}}
        return {**{name: self._registry.get(start + name, {}) for name in below}, **(key or {})}

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

"""The interpreter itself."""

from __future__ import annotations

import os
import sys

from .facts import attempt, unknown
from .search_path import is_embedded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .facts import Facts
    from .request import Request


def examine(request: Request) -> Facts:
    """Return what this interpreter is; the keys are the fields of facts.Python."""
    return {
        "executable": sys.executable or unknown("sys.executable is empty"),
        "version": ".".join(map(str, sys.version_info[:3])),
        "implementation": sys.implementation.name,
        "free_threaded": "free-threading" in sys.version or "t" in getattr(sys, "abiflags", ""),
        "bits": 64 if sys.maxsize > 2**32 else 32,
        "os": {"linux": "linux", "win32": "windows", "darwin": "macos"}.get(sys.platform, sys.platform),
        "architecture": attempt(_architecture),
        "libc": attempt(_libc),
        "prefix": sys.prefix,
        "base_prefix": getattr(sys, "base_prefix", sys.prefix),
        "real_prefix": os.path.realpath(sys.prefix),
        "virtual_environment": sys.prefix != getattr(sys, "base_prefix", sys.prefix),
        "embedded": attempt(is_embedded),
        "sys_path": request.users_path,
        "user_site": attempt(_user_site, request.users_path),
        "own_site": attempt(_own_site),
        "writable": attempt(_writable),
        "ensurepip": attempt(_has_ensurepip),
        "encoding": sys.getfilesystemencoding(),
    }


def _architecture() -> str:
    """Return the processor architecture that this interpreter was built for."""
    if hasattr(os, "uname"):
        return os.uname().machine
    return os.environ.get("PROCESSOR_ARCHITECTURE", "") or str(__import__("platform").machine())


def _libc() -> str:
    """Return the C library by name and version, `musl`, or empty where neither is known."""
    if sys.platform != "linux":
        return ""
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError, AttributeError):
        return "musl" if any(name.startswith("ld-musl") for name in os.listdir("/lib")) else ""


def _own_site() -> str:
    """Return the folder into which this interpreter's own pip installs, with links followed."""
    return os.path.realpath(str(__import__("sysconfig").get_paths()["purelib"]))


def _writable() -> bool | Facts:
    """Return whether this user may add packages there; Windows does not tell."""
    if sys.platform == "win32":
        return unknown("Windows does not tell before it is tried")
    folder = _own_site()
    while not os.path.isdir(folder) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    return os.access(folder, os.W_OK)


def _has_ensurepip() -> bool:
    """Return whether the standard library can bring pip; Debian keeps that part in a package of its own."""
    return os.path.isfile(os.path.join(os.path.dirname(os.path.abspath(os.__file__)), "ensurepip", "__init__.py"))


def _user_site(users_path: list[str]) -> str:
    """Return the user's site folder where it is searched, else empty."""
    site = sys.modules.get("site")
    folder = getattr(site, "USER_SITE", None) if site and getattr(site, "ENABLE_USER_SITE", None) else None
    return str(folder) if folder and folder in users_path else ""

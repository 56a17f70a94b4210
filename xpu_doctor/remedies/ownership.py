"""Who owns a package that the target interpreter sees: nothing but the target's own may be uninstalled or deleted. Pure."""

from __future__ import annotations

import re
from enum import Enum

from xpu_doctor.model.facts import Distribution, Python, Torch
from xpu_doctor.model.unknown import holds, known_or
from xpu_doctor.remedies.variables import on_pythonpath

SYSTEM_PREFIX = re.compile(
    r"/|/usr|/System/.*|/nix/store/.*|/gnu/store/.*|[a-z]:/program files/windowsapps/.*", re.IGNORECASE
)
"""Prefixes of interpreters that an operating system brings; /usr/local and /opt are the administrator's own."""
SYSTEM_SITE = re.compile(r"^/usr/lib(64)?/python[0-9.]+(/(site|dist)-packages)?$|^/(nix|gnu)/store/")
"""Folders that an operating system's packages fill."""
SYSTEM_INSTALLERS = ("debian", "rpm", "apk", "pacman", "nix", "system")
ENVIRONMENT = re.compile(
    r"^(.*)/lib(?:64)?(?:/(?:python|pypy)[0-9.]+t?)?/(?:site|dist)-packages(?:/.*)?$", re.IGNORECASE
)


class Owner(Enum):
    """Whose a folder of packages is."""

    TARGET = "this environment"
    SYSTEM = "the operating system"
    BASE = "the interpreter that this environment is made from"
    USER = "the user's own packages"
    PYTHONPATH = "PYTHONPATH"
    ENVIRONMENT = "another environment"
    FOLDER = "another folder"
    UNKNOWN = "nobody known"

    @property
    def foreign(self) -> bool:
        """Return whether it is certainly not the target's own."""
        return self not in (Owner.TARGET, Owner.UNKNOWN)


def owner_of(location: str, python: Python, real: str = "") -> Owner:
    """Return who owns what lies in an entry of sys.path; `real` is the thing itself with links followed."""
    prefix = known_or(python.real_prefix, "") or known_or(python.prefix, "")
    if not location or not prefix:
        return Owner.UNKNOWN
    if on_pythonpath(location, python):
        return Owner.PYTHONPATH
    user = known_or(python.user_site, "")
    if user and _same(location, user):
        return Owner.USER
    if SYSTEM_SITE.search(_plain(location)) or (real and SYSTEM_SITE.search(_plain(parent(real)))):
        return Owner.SYSTEM
    match = ENVIRONMENT.match(_plain(real or location))
    if match and (_same(match[1], prefix) or (not real and _same(match[1], known_or(python.prefix, "")))):
        return Owner.SYSTEM if is_system(python) else Owner.TARGET
    # Debian's Python has its site folder under /usr/local although its prefix is /usr.
    base = known_or(python.base_prefix, "")
    if match and base and match[1] in (_plain(base), f"{_plain(base)}/local"):
        return Owner.SYSTEM if is_system(python) else Owner.BASE
    return Owner.ENVIRONMENT if match else Owner.FOLDER


def owner_of_distribution(dist: Distribution, python: Python) -> Owner:
    """Return who owns an installed distribution: where it lies, and who wrote its INSTALLER."""
    owner = owner_of(dist.location, python, dist.real_path)
    if owner in (Owner.TARGET, Owner.BASE) and known_or(dist.installer, "").lower() in SYSTEM_INSTALLERS:
        return Owner.SYSTEM
    return owner


def owner_of_torch(torch: Torch, python: Python) -> Owner:
    """Return who owns the folder of the torch that is imported."""
    path = known_or(torch.path, "")
    return owner_of(parent(path), python, known_or(torch.real_path, "")) if path else Owner.UNKNOWN


def is_system(python: Python) -> bool:
    """Return whether the interpreter itself belongs to the operating system, and no virtual environment stands between."""
    prefix = known_or(python.real_prefix, "") or known_or(python.prefix, "")
    return not holds(python.virtual_environment) and SYSTEM_PREFIX.fullmatch(_plain(prefix)) is not None


def described(owner: Owner, place: str) -> str:
    """Return whose a place is, for a sentence, e.g. `/srv/env/lib/python3.12/site-packages (another environment, /srv/env)`."""
    match = ENVIRONMENT.match(_plain(place))
    return (
        f"{place} ({owner.value}, {match[1]})" if owner is Owner.ENVIRONMENT and match else f"{place} ({owner.value})"
    )


def wins_over_own(location: str, python: Python) -> bool:
    """Return whether an entry of sys.path stands before the target's own packages, so that nothing installed there can hide it."""
    entries = [_plain(entry) for entry in known_or(python.sys_path, ())]
    own = known_or(python.own_site, "")
    prefix = known_or(python.prefix, "")
    places = [
        number
        for number, entry in enumerate(entries)
        if entry == _plain(own) or (within(entry, prefix) and entry.endswith("-packages"))
    ]
    return bool(places) and _plain(location) in entries and entries.index(_plain(location)) < places[0]


def within(path: str, folder: str) -> bool:
    """Return whether a path lies below a folder."""
    return bool(folder) and _plain(path).startswith(_plain(folder).rstrip("/") + "/")


def parent(path: str) -> str:
    """Return the folder that holds a path."""
    return re.sub(r"[\\/][^\\/]+[\\/]*$", "", path)


def _same(one: str, other: str) -> bool:
    return _plain(one) == _plain(other)


def _plain(path: str) -> str:
    """Return a path with one kind of separator; Windows does not tell letters of different case apart."""
    windows = re.match(r"[A-Za-z]:[\\/]|\\\\", path) is not None
    return (path.replace("\\", "/").lower() if windows else path).rstrip("/") or path[:1]

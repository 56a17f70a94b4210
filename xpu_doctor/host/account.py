"""What the running system says of itself and of the user, one small function per name of `host.SYSTEM`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xpu_doctor.process.account import Account


def _architecture(env: Mapping[str, str]) -> str:
    if sys.platform == "win32":
        return env.get("PROCESSOR_ARCHITEW6432") or env.get("PROCESSOR_ARCHITECTURE", "")
    return os.uname().machine


def _glibc(env: Mapping[str, str]) -> str:
    if not hasattr(os, "confstr"):
        return ""
    try:
        said = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):
        return ""
    return said.partition(" ")[2] if said.startswith("glibc ") else ""


def _cpu_count(env: Mapping[str, str]) -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _user(env: Mapping[str, str]) -> str:
    if sys.platform == "win32":
        return env.get("USERNAME", "")
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _uid(env: Mapping[str, str]) -> int:
    return os.geteuid()


def _groups(env: Mapping[str, str]) -> tuple[int, ...]:
    return tuple(sorted({*os.getgroups(), os.getegid()}))


def _account_groups(env: Mapping[str, str]) -> tuple[str, ...]:
    import grp
    import pwd

    account = pwd.getpwuid(os.geteuid())
    names = []
    for number in os.getgrouplist(account.pw_name, account.pw_gid):
        try:
            names.append(grp.getgrgid(number).gr_name)
        except KeyError:
            names.append(str(number))
    return tuple(sorted(names))


def _group_names(env: Mapping[str, str]) -> dict[str, str]:
    import grp

    return {str(entry.gr_gid): entry.gr_name for entry in grp.getgrall()}


def said_of(account: Account, name: str) -> Any:
    """Return what `LiveHost.system` says of the user where that is not the one who runs the doctor."""
    if name == "account_groups":
        names = _group_names({})
        return tuple(sorted(names.get(str(number), str(number)) for number in account.groups))
    return {"user": account.called, "uid": account.uid, "groups": account.groups}[name]


SYSTEM_CALLS: dict[str, Callable[[Mapping[str, str]], Any]] = {
    "architecture": _architecture,
    "glibc": _glibc,
    "cpu_count": _cpu_count,
    "user": _user,
    "uid": _uid,
    "groups": _groups,
    "account_groups": _account_groups,
    "group_names": _group_names,
}
"""The functions behind `LiveHost.system`; each takes the environment."""

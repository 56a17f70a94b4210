"""The shared-library closure of torch: files only, nothing is loaded, so it may run beside the import itself."""

from __future__ import annotations

import os
from collections.abc import Mapping

from xpu_doctor.model.facts import Libraries, Python, Torch
from xpu_doctor.model.unknown import Unknown, known_or
from xpu_doctor.shared_libraries.files import Files
from xpu_doctor.shared_libraries.request import Request


def closure_facts(
    python: Python, torch: Torch, environ: Mapping[str, str], folder: str = "", files: Files | None = None
) -> Libraries:
    """Return what the loader would do for torch in this interpreter with this environment.

    `python` and `torch` are what the static stages of the agent brought; nothing else is needed.
    """
    if isinstance(torch.path, Unknown) or not torch.path:
        return nothing(torch.path.reason if isinstance(torch.path, Unknown) else "there is no torch to examine")
    system = known_or(python.os, "")
    if system not in ("linux", "windows"):
        return nothing(f"the loader of {system or 'an unknown system'} is not modelled")
    prefix = known_or(python.prefix, "")
    request = Request(
        os=system,
        torch=os.path.normpath(torch.path),
        executable=known_or(python.executable, ""),
        prefix=prefix,
        base_prefix=known_or(python.base_prefix, prefix),
        environ=environ,
        folder=folder or os.sep,
        version=known_or(torch.version, ""),
        user_base=_user_base(known_or(python.user_site, "")),
    )
    if system == "windows":
        from xpu_doctor.shared_libraries.examine_windows import examine as examine_windows

        return examine_windows(request, files or Files())
    if "glibc" not in known_or(python.libc, "glibc"):
        return nothing(f"the loader of {python.libc} is not modelled; torch has no wheel for it")
    from xpu_doctor.shared_libraries.examine_linux import examine

    return examine(request, files or Files())


def nothing(reason: str) -> Libraries:
    """Return the facts of a closure that was not examined."""
    unknown = Unknown(reason)
    return Libraries(
        prediction=unknown,
        predicted_error=unknown,
        loaded=unknown,
        faults=unknown,
        opened=unknown,
        damaged=unknown,
        count=unknown,
    )


def _user_base(site: str) -> str:
    """Return the folder that sysconfig calls userbase: on Windows, two above the user's site folder."""
    return os.path.dirname(os.path.dirname(site)) if site else ""

"""How to do without environment variables, in each shell; and what PYTHONPATH puts before the installed packages."""

from __future__ import annotations

import re
from collections.abc import Mapping

from xpu_doctor.model.commands import Command
from xpu_doctor.model.facts import Python
from xpu_doctor.model.findings import Remedy, Risk
from xpu_doctor.model.unknown import known_or
from xpu_doctor.remedies.commands import interpreter, lines, shell_of

CODE = "import torch; print(torch.__version__, torch.xpu.is_available())"
_ZIP = re.compile(r"[\\/]python\d+\.zip$", re.IGNORECASE)
"""The entry with which the interpreter's own part of sys.path begins: what stands before it came from PYTHONPATH."""


def on_pythonpath(location: str, python: Python) -> bool:
    """Return whether a folder of sys.path stands there because of PYTHONPATH; not where that cannot be told."""
    entries = known_or(python.sys_path, ())
    own = next((number for number, entry in enumerate(entries) if _ZIP.search(entry)), 0)
    return bool(location) and location in entries[:own]


def clear_pythonpath(folder: str, os: str, why: str) -> Remedy:
    """Return the remedy that leaves PYTHONPATH out of the shell at hand."""
    return Remedy(f"Take {folder} out of PYTHONPATH", why, commands=unset_lines(("PYTHONPATH",), os), os=os)


def unset_lines(names: tuple[str, ...], os: str) -> tuple[str, ...]:
    """Return the lines that unset variables in the usual shell of a system."""
    if os == "windows":
        return tuple(f"Remove-Item Env:{name} -ErrorAction SilentlyContinue" for name in names)
    return (f"unset {' '.join(names)}",)


def set_lines(values: Mapping[str, str], os: str) -> tuple[str, ...]:
    """Return the lines that set variables in the usual shell of a system; none of the values needs quotes in sh."""
    if os == "windows":
        return tuple(f'$env:{name} = "{value}"' for name, value in values.items())
    return tuple(f"export {name}={value}" for name, value in values.items())


def unset(names: tuple[str, ...], os: str) -> Remedy:
    """Return how to try without some environment variables."""
    return Remedy(
        f"Unset {' and '.join(names)} in this shell, and look where it is set",
        "If it helps, remove it for good: from shell start-up files, the service's unit, the container's settings or Windows' environment dialog.",
        commands=unset_lines(names, os),
        os="windows" if os == "windows" else "linux",
        verify=('python -c "import torch; print(torch.xpu.device_count())"',),
        url="https://github.com/intel/llvm/blob/sycl/sycl/doc/EnvironmentVariables.md",
    )


def without_variables(python: Python, variables: tuple[str, ...], why: str) -> Remedy:
    """Return the remedy that runs Python without the variables that make other copies win."""
    shell = shell_of(python)
    command = Command((interpreter(python), "-c", CODE), unset=variables)
    return Remedy(
        title=f"Run Python without {' and '.join(variables)}",
        why=why,
        commands=lines((command,), shell),
        os=known_or(python.os, ""),
        risk=Risk.NONE,
        verify=lines((Command(("xpu-doctor", "check", "--python", interpreter(python)), unset=variables),), shell),
    )

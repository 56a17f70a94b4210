"""Which package brings a library, at which version for this torch. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from xpu_doctor.model.facts import Distribution, Distributions, Python
from xpu_doctor.model.unknown import known_or
from xpu_doctor.rules.support.library_faults import packages_of
from xpu_doctor.rules.support.requirements import Wish, requirements_of


def pins(distributions: Distributions, python: Python) -> dict[str, Wish]:
    """Return what the installed torch requires, by distribution name."""
    torch = distributions.find("torch")
    if not isinstance(torch, Distribution):
        return {}
    return {wish.name: wish for wish in requirements_of(torch, python)}


def exact(wish: Wish) -> str:
    """Return the version of an exact pin, or empty."""
    specifier = wish.specifier
    return specifier[2:] if specifier.startswith("==") and "," not in specifier and "*" not in specifier else ""


def package_of(name: str, distributions: Distributions, python: Python) -> str:
    """Return the package that brings a library here: one that torch requires, else one that is installed, else the table's only one."""
    candidates = packages_of(name)
    wanted = pins(distributions, python)
    installed = {dist.name for dist in known_or(distributions.installed, ())}
    for known in (wanted, installed):
        for candidate in candidates:
            if candidate in known:
                return candidate
    return candidates[0] if candidates else ""


def spec(package: str, distributions: Distributions, python: Python) -> str:
    """Return the requirement to install: at torch's own pin, else at the installed version, else the bare name."""
    wish = pins(distributions, python).get(package)
    if wish is not None and wish.specifier:
        return f"{package}{wish.specifier}"
    found = distributions.find(package)
    version = known_or(found.version, "") if isinstance(found, Distribution) else ""
    return f"{package}=={version}" if version else package


def specs(libraries: Iterable[str], distributions: Distributions, python: Python) -> tuple[str, ...]:
    """Return the requirements that bring these libraries."""
    packages = dict.fromkeys(package_of(name, distributions, python) for name in libraries)
    return tuple(spec(package, distributions, python) for package in packages if package)

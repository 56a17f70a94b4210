"""The Intel extension for PyTorch does not fit torch; its development has ended."""

from __future__ import annotations

import re
from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Distribution, Installer, Python
from xpu_doctor.model.facts.combined import Installation
from xpu_doctor.model.findings import Confidence, Evidence, Finding, Layer, Remedy, Severity
from xpu_doctor.model.unknown import Unknown, denied, known
from xpu_doctor.remedies.install import reinstall
from xpu_doctor.remedies.packages import uninstall
from xpu_doctor.rules.support.wrong_wheel import serves_ipex
from xpu_doctor.tables.releases import IpexPair, label, public
from xpu_doctor.tables.rows import rows

NAME = "intel-extension-for-pytorch"
URL = "https://github.com/intel/intel-extension-for-pytorch"

_IN_PROSE = re.compile(r"2\.\d{1,2}")
"""A release as people call it: no file has such a version, and each of them belongs to the torch of the same two numbers."""


class IpexMismatch(Rule):
    """The Intel extension for PyTorch does not fit torch; its development has ended."""

    code = "ipex-mismatch"
    layer = Layer.WHEEL
    explains = {
        "runtime-package-mismatch": "the extension of another release pins runtime packages of that release",
        "shared-library-missing": "the extension is linked with libraries of the torch and the runtime that it was built for",
        "torch-import-crashed": "torch loads the extension on import, and its code calls into a torch of another release",
        "torch-import-failed": "torch loads the extension on import, and it refuses a torch of another release or lacks symbols",
        "xpu-query-crashed": "the extension takes over torch.xpu, and its code calls into a torch of another release",
        "xpu-unavailable": "the extension takes over torch.xpu, and does not find devices with a torch of another release",
    }

    def check(self, installation: Installation) -> Iterator[Finding]:
        """Found where the extension was made for another torch release; a note where torch has no XPU without it."""
        dist = known(installation.distributions.find(NAME))
        if dist is None or denied(installation.torch.installed):
            return
        number = known(installation.distributions.installed).index(dist)
        version, mine = known(installation.torch.version), _version(dist, number)
        evidence = ("torch.version", Evidence(f"distributions.installed[{number}]", f"{NAME} {mine}", ""))
        partner = _partner(mine)
        if partner and not public(version).startswith(partner):
            yield self.found(
                "torch",
                f"{NAME} {mine} was built for torch {partner.rstrip('.')}, and torch {version} is installed",
                confidence=Confidence.CERTAIN if _tabled(mine) else Confidence.LIKELY,
                evidence=evidence,
                remedies=(
                    _uninstall(installation.python, installation.installer),
                    *reinstall(installation, also=(NAME,)),
                ),
            )
        elif serves_ipex(installation.torch, installation.distributions):
            yield self.found(
                "torch",
                f"torch {version} has no XPU support of its own: only the Intel extension brings it, and that project has ended",
                severity=Severity.INFO,
                confidence=Confidence.LIKELY,
                evidence=evidence,
                remedies=reinstall(installation, also=(NAME,)),
            )


def _version(dist: Distribution, number: int) -> str:
    return known(
        Unknown(dist.version.reason, f"distributions.installed[{number}].version")
        if isinstance(dist.version, Unknown)
        else dist.version
    )


def _tabled(ipex: str) -> bool:
    return any(public(row.ipex) == public(ipex) for row in rows(IpexPair))


def _partner(ipex: str) -> str:
    """Return the torch release that an extension was built for: by the table, else its own first two numbers; CPU-only builds have none."""
    for row in rows(IpexPair):
        if public(row.ipex) == public(ipex):
            return ".".join(public(row.torch).split(".")[:2]) + "."
    parts = public(ipex).split(".")
    whole = label(ipex).startswith("xpu") and len(parts) > 2
    return ".".join(parts[:2]) + "." if whole or _IN_PROSE.fullmatch(public(ipex)) else ""


def _uninstall(python: Python, installer: Installer) -> Remedy:
    why = (
        "torch has had XPU support of its own since 2.5 and needs no extension; the project was archived in March 2026."
    )
    return uninstall(python, installer, (NAME,), "Uninstall the extension", why, URL)

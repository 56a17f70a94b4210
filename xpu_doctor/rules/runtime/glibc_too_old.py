"""A library was built against a newer C or C++ runtime than this system has."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Import, Libraries, Machine, Run, Xpu
from xpu_doctor.model.findings import Finding, Layer, Remedy
from xpu_doctor.model.unknown import known_or
from xpu_doctor.rules.support.library_faults import Kind, chain, of_kind, outcome


class GlibcTooOld(Rule):
    """A library was built against a newer C or C++ runtime than this system has."""

    code = "glibc-too-old"
    layer = Layer.RUNTIME
    systems = ("linux",)
    explains = {
        "compute-failed": "a library that is loaded with the first operation asks for a newer C library",
        "torch-import-crashed": "a library that torch loads asks for a newer C library, and some loaders end the process then",
        "torch-import-failed": "the dynamic loader refuses a library that asks for a newer C library",
        "xpu-query-crashed": "a library that is loaded with the first query asks for a newer C library",
        "xpu-unavailable": "the Unified Runtime leaves out an adapter whose library asks for a newer C library",
    }

    def check(self, libraries: Libraries, machine: Machine, imported: Import, xpu: Xpu, run: Run) -> Iterator[Finding]:
        """Found where a library wants a GLIBC_ or GLIBCXX_ version that the system's runtime does not define."""
        items = of_kind(libraries, Kind.GLIBC)
        if not items:
            return
        fault = items[0].fault
        seen = outcome(tuple(item.fault for item in items), imported, xpu, run)
        offers = f" it offers up to {fault.offers[-1]}" if fault.offers else ""
        glibc = known_or(machine.glibc, "")
        has = f" (glibc {glibc})" if glibc and fault.version.startswith("GLIBC_") else ""
        yield self.found(
            "torch",
            f"{chain(fault)} wants {fault.version}, and {fault.path}{has} is older:{offers or ' it has no such version'}{seen.text}",
            severity=seen.severity,
            confidence=seen.confidence,
            evidence=(*(item.evidence() for item in items[:4]), *(("machine.glibc",) if glibc else ()), *seen.evidence),
            remedies=(
                Remedy(
                    title="Use a newer distribution, or a container of one",
                    why="The C library cannot be replaced alone: every program of the system depends on it. A container brings its own.",
                    os="linux",
                ),
            ),
        )

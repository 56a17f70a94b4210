"""Intel runtime packages of another release than the one that torch was built for."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Distribution, Distributions, Import, Libraries, Python, Run, Xpu
from xpu_doctor.model.facts.combined import Installation
from xpu_doctor.model.findings import Confidence, Evidence, Finding, Layer, Severity
from xpu_doctor.model.unknown import Undecided, Unknown, known, known_or
from xpu_doctor.remedies.runtime import reinstall_packages
from xpu_doctor.rules.support.library_faults import Judged, Kind, chain, known_package, of_kind, outcome
from xpu_doctor.rules.support.requirements import met
from xpu_doctor.rules.support.runtime_packages import pins, spec, specs

MOST = 3


class RuntimePackageMismatch(Rule):
    """Intel runtime packages of another release than the one that torch was built for."""

    code = "runtime-package-mismatch"
    layer = Layer.RUNTIME
    explains = {
        "compute-failed": "an operation calls into a runtime library of another release than torch was built with",
        "program-never-used-gpu": "a SYCL runtime of another release does not find its adapters, so the program is offered no device",
        "shared-library-missing": "another release of the package brings files of other names, so the one that torch asks for is missing",
        "torch-import-crashed": "torch calls into a runtime library of another release than it was built with",
        "torch-import-failed": "the library of another release lacks symbols that torch needs",
        "torch-import-hung": "runtime libraries of two releases wait for each other",
        "xpu-query-crashed": "the query calls into a runtime library of another release than torch was built with",
        "xpu-query-hung": "runtime libraries of two releases wait for each other",
        "xpu-unavailable": "a SYCL runtime of another release does not find its adapters",
    }

    def check(
        self,
        libraries: Libraries,
        installation: Installation,
        imported: Import,
        xpu: Xpu,
        run: Run,
    ) -> Iterator[Finding]:
        """Found where versions differ from torch's pins, or where libraries of several releases meet."""
        blocked: Undecided | None = None
        items: tuple[Judged, ...] = ()
        rows: tuple[tuple[int, Distribution, str], ...] = ()
        try:
            items = of_kind(libraries, Kind.MISMATCH)
        except Undecided as error:
            blocked = error
        try:
            rows = tuple(_against_pins(installation.distributions, installation.python))
        except Undecided as error:
            blocked = blocked or error
        if not items and not rows:
            if blocked is not None:
                raise blocked
            return
        seen = outcome(tuple(item.fault for item in items), imported, xpu, run)
        severity, confidence = (seen.severity, seen.confidence) if items else _weight(imported, xpu)
        by_pin = (spec(dist.name, installation.distributions, installation.python) for _, dist, _ in rows)
        wanted = (*by_pin, *specs((item.fault.name for item in items), installation.distributions, installation.python))
        evidence = [
            Evidence(f"distributions.installed[{number}].version", f"{text}", "") for number, _, text in rows[:8]
        ]
        why = "torch names exact versions of these packages; an upgrade of one of them breaks the set."
        yield self.found(
            "torch",
            f"{_sentence(items, rows)}{seen.text if items else ''}",
            severity=severity,
            confidence=confidence,
            evidence=(*(item.evidence() for item in items[:4]), *evidence, *(seen.evidence if items else ())),
            remedies=(reinstall_packages(installation.python, installation.installer, dict.fromkeys(wanted), why),)
            if wanted
            else (),
        )


def _against_pins(distributions: Distributions, python: Python) -> Iterator[tuple[int, Distribution, str]]:
    """Yield the installed Intel packages that do not meet torch's own requirements, with what differs in words."""
    installed = known(distributions.installed)
    torch = distributions.find("torch")
    if torch is None:
        return
    if isinstance(torch, Distribution) and isinstance(torch.requires, Unknown):
        raise Undecided(Unknown(torch.requires.reason, f"distributions.installed[{installed.index(torch)}].requires"))
    wishes, seen = pins(distributions, python), set()
    for number, dist in enumerate(installed):
        wish = wishes.get(dist.name)
        if wish is None or dist.name in seen or not wish.specifier or not known_package(dist.name):
            continue
        seen.add(dist.name)
        version = known_or(dist.version, "")
        if version and met(wish, version) is False:
            yield number, dist, f"{dist.name} {version} is installed, torch requires {wish.specifier}"


def _weight(imported: Import, xpu: Xpu) -> tuple[Severity, Confidence]:
    """Versions alone prove no fault: some sets of other releases work."""
    if known_or(xpu.allocated, False):
        return Severity.INFO, Confidence.CERTAIN
    if False in (known_or(imported.succeeded, True), known_or(xpu.available, True), known_or(xpu.allocated, True)):
        return Severity.ERROR, Confidence.LIKELY
    return Severity.WARNING, Confidence.CERTAIN


def _sentence(items: tuple[Judged, ...], rows: tuple[tuple[int, Distribution, str], ...]) -> str:
    parts = [_fault_text(item) for item in items[:MOST]]
    parts += [text for _, _, text in rows[:MOST]]
    if len(rows) > MOST:
        parts.append(f"{len(rows) - MOST} more packages differ from torch's requirements")
    return "; ".join(parts)


def _fault_text(item: Judged) -> str:
    fault = item.fault
    if fault.kind == "version":
        offers = f", which offers {', '.join(fault.offers)}" if fault.offers else ""
        return f"{chain(fault)} lacks the symbol version {fault.version}{offers}"
    if fault.kind == "symbol":
        return f"{chain(fault)} lacks {fault.version}"
    others = ", ".join(path.replace("\\", "/").rsplit("/", 1)[-1] for path in fault.others)
    return f"{chain(fault)} is missing, there is only {others}"

"""Another copy of a runtime library wins over the environment's own: a sourced setvars.sh, a variable, an old C++ runtime."""

from __future__ import annotations

import re
from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import (
    Distributions,
    Environment,
    Import,
    Installer,
    Libraries,
    LoadedLibrary,
    Python,
    Run,
    Xpu,
)
from xpu_doctor.model.facts.combined import Installation
from xpu_doctor.model.findings import Confidence, Evidence, Finding, Layer, Remedy, Severity
from xpu_doctor.model.terms import StageOutcome
from xpu_doctor.model.unknown import known, known_or
from xpu_doctor.remedies.runtime import newer_cpp_runtime
from xpu_doctor.remedies.variables import without_variables
from xpu_doctor.rules.support.library_faults import (
    PATH_LIKE,
    Judged,
    Kind,
    by_variable,
    chain,
    displaced,
    of_kind,
    oneapi_release,
    outcome,
)
from xpu_doctor.rules.support.lost_files import folder_of, lost_files, stand_in_folders

CPP = ("libstdc++", "libgcc_s")
LOADER_ERRORS = (126, 127, 193, 1114)
"""Windows' codes of a library that is missing, lacks a function, is none, or failed to start."""
SETVARS = ("SETVARS_COMPLETED", "ONEAPI_ROOT", "CMPLR_ROOT")
VERSION_OF = {
    "libsycl": "intel-sycl-rt",
    "sycl": "intel-sycl-rt",
    "libur_": "intel-cmplr-lib-ur",
    "ur_": "intel-cmplr-lib-ur",
    "libumf": "umf",
}


class OneapiEnvConflict(Rule):
    """Another copy of a runtime library wins over the environment's own: a sourced setvars.sh, a variable, an old C++ runtime."""

    code = "oneapi-env-conflict"
    layer = Layer.RUNTIME
    explains = {
        "compute-failed": "a library of another oneAPI release, found first, compiles or runs the operation",
        "program-never-used-gpu": "a SYCL runtime of another release, found first, offers the program no device",
        "runtime-package-mismatch": "the library of another release is found through the environment's variables, not through the packages",
        "shared-library-missing": "a library of another oneAPI release, found first, needs files that this environment does not have",
        "torch-import-crashed": "libraries of two oneAPI releases in one process call each other wrongly",
        "torch-import-failed": "a library of another oneAPI release, found first, lacks symbols that torch needs",
        "torch-import-hung": "libraries of two oneAPI releases in one process wait for each other",
        "xpu-query-crashed": "libraries of two oneAPI releases in one process call each other wrongly",
        "xpu-query-hung": "libraries of two oneAPI releases in one process wait for each other",
        "xpu-unavailable": "a SYCL runtime of another release, found first, does not find its adapters",
    }

    def check(
        self,
        libraries: Libraries,
        environment: Environment,
        installation: Installation,
        imported: Import,
        xpu: Xpu,
        run: Run,
    ) -> Iterator[Finding]:
        """Found where a library comes from outside although the environment has its own, or a fault goes back to such a copy."""
        known(libraries.loaded)
        # Where the environment's own file is gone, the folder of its stand-in is no cause: what comes from it came with the stand-in.
        strangers = stand_in_folders(lost_files(installation.distributions, libraries))
        items = tuple(item for item in of_kind(libraries, Kind.CONFLICT) if not _from(strangers, item))
        every = (*displaced(libraries), *(row for item in items for row in by_variable(item.fault, libraries)))
        rows = tuple(dict.fromkeys(row for row in every if folder_of(row[1].path) not in strangers))
        if not items and (not rows or all(row.name.startswith(CPP) for _, row in rows)):
            return
        seen = outcome(tuple(item.fault for item in items), imported, xpu, run)
        severity, confidence = (seen.severity, seen.confidence) if items else _weight(rows, xpu, run)
        variables = _variables(rows, environment)
        yield self.found(
            "torch",
            f"{_sentence(items, rows, installation.distributions, environment)}{seen.text if items else ''}",
            severity=severity,
            confidence=confidence,
            evidence=(
                *(
                    Evidence(f"libraries.loaded[{number}]", copies(row, installation.distributions), "")
                    for number, row in rows[:5]
                ),
                *(item.evidence() for item in items[:4]),
                *(seen.evidence if items else ()),
                *(("environment.variables",) if _sourced(environment) else ()),
            ),
            remedies=_remedies(items, variables, installation.python, installation.installer),
        )


def _from(folders: frozenset[str], item: Judged) -> bool:
    """Return whether a fault has to do with a library from one of these folders."""
    return any(folder_of(path) in folders for path in (*item.fault.chain, item.fault.path))


def copies(row: LoadedLibrary, distributions: Distributions) -> str:
    """Return both copies of a library, each with what is known of its version."""
    taken = _described(row.path, row.versions, oneapi_release(row.path))
    if not row.own_copy:
        return f"taken: {taken} by {row.how}"
    own = _own_version(row, distributions)
    return f"taken: {taken} by {row.how}; own: {_described(row.own_copy, row.own_versions, own)}"


def _described(path: str, versions: tuple[str, ...], release: str) -> str:
    told = ", ".join((*((release,) if release else ()), *versions))
    return f"{path} ({told})" if told else path


def _own_version(row: LoadedLibrary, distributions: Distributions) -> str:
    package = next((name for start, name in VERSION_OF.items() if row.name.lower().startswith(start)), "")
    found = distributions.find(package) if package else None
    version = getattr(found, "version", "")
    return f"{package} {version}" if isinstance(version, str) and version else ""


def _weight(rows: tuple[tuple[int, LoadedLibrary], ...], xpu: Xpu, run: Run) -> tuple[Severity, Confidence]:
    """Another copy that fits is a note; one with other symbol versions, or with which torch did not load, is a warning, unless a GPU works."""
    differs = any(row.versions != row.own_versions for _, row in rows)
    untold = any(not row.versions for _, row in rows)  # Windows' libraries have no versions of symbols
    if (differs or (untold and _not_loaded(run))) and not known_or(xpu.allocated, False):
        return Severity.WARNING, Confidence.LIKELY
    return Severity.INFO, Confidence.CERTAIN


def _not_loaded(run: Run) -> bool:
    """Return whether the import ended in the loader's refusal of a library, or died."""
    stage = known_or(run.stage("import"), None)
    if stage is None:
        return False
    return stage.outcome == StageOutcome.CRASH or stage.winerror in LOADER_ERRORS


def _sourced(environment: Environment) -> bool:
    return any(isinstance(environment.get(name), str) for name in SETVARS)


def _variables(rows: tuple[tuple[int, LoadedLibrary], ...], environment: Environment) -> tuple[str, ...]:
    named = {row.how for _, row in rows if row.how in PATH_LIKE and row.how != "PATH"}
    return tuple(name for name in PATH_LIKE if name in named)


def _sentence(
    items: tuple[Judged, ...],
    rows: tuple[tuple[int, LoadedLibrary], ...],
    distributions: Distributions,
    environment: Environment,
) -> str:
    setvars = " (oneAPI's setvars.sh was sourced)" if _sourced(environment) else ""
    parts = []
    if rows:
        row = next((row for _, row in rows if not row.name.startswith(CPP)), rows[0][1])
        more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
        over = row.own_copy or "the system's"
        parts.append(f"{row.how} makes {row.path} win over {over}{more}{setvars}")
    versions = [item.fault for item in items if item.fault.kind == "version"]
    others = [item.fault for item in items if item.fault.kind != "version"]
    if versions:
        fault = versions[0]
        offers = f", it offers {', '.join(fault.offers)}" if fault.offers else ""
        parts.append(f"{chain(fault)} at {fault.path} lacks {fault.version}{offers}")
    elif others:
        parts.append(f"{chain(others[0])}: {others[0].detail}")
    return "; ".join(parts)


def _remedies(
    items: tuple[Judged, ...], variables: tuple[str, ...], python: Python, installer: Installer
) -> Iterator[Remedy]:
    if variables:
        why = "The wheel brings its own runtime and finds it without them; do not source setvars.sh in this shell."
        yield without_variables(python, variables, why)
    if any(re.match("GLIBCXX_|CXXABI_", item.fault.version) for item in items) and not variables:
        yield newer_cpp_runtime(python, installer)

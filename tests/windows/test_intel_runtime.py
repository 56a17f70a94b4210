"""Intel's real DLLs under a torch that loads them as torch does: the loader's own errors beside the walk's, and what check says of them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.closure import real_wheels
from tests.closure.conftest import need
from tests.closure.windows_world import MINGW
from tests.support.windows_bench import WindowsBench
from tests.windows.intel_runtime import BIN, LIB
from tests.windows.loader_agreement import Breakage, Trial, breakages

HEAVY = os.environ.get("XPU_DOCTOR_HEAVY_TESTS") == "1"
SYCL, PROXY, UMF, V1 = (
    f"{BIN}/{name}.dll" for name in ("sycl9", "ur_win_proxy_loader", "umf", "ur_adapter_level_zero")
)
SOME = (
    Breakage("whole"),
    Breakage("whole, older release on PATH", path="older"),
    *(Breakage("gone", (("gone", file),)) for file in (SYCL, PROXY, UMF, f"{LIB}/c10.dll")),
    *(Breakage("damaged", ((kind, f"{LIB}/c10.dll"),)) for kind in ("empty", "half", "text", "32-bit")),
    Breakage("damaged", (("half", SYCL),)),
    Breakage("no exports", (("no exports", PROXY),)),
    Breakage("gone, older on PATH", (("gone", PROXY),), "older"),
    Breakage("gone, older on PATH", (("gone", UMF),), "older"),
    Breakage("gone, damaged on PATH", (("gone", SYCL),), "spoilt"),
)


@pytest.fixture(scope="module")
def trial(windows_bench: WindowsBench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """A patient with Intel's runtime, which is mended after each breakage."""
    need(MINGW, "x86_64-w64-mingw32-dlltool")
    folder = tmp_path_factory.mktemp("intel")
    try:
        with Trial(windows_bench, folder, mkl=HEAVY) as made:
            yield made
    except real_wheels.NotAvailable as error:
        pytest.skip(f"the real Intel wheels cannot be fetched here: {error}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def cause(document: dict[str, Any], code: str) -> dict[str, Any]:
    """Return a finding among the root causes; that Wine has no Intel GPU is another one."""
    found: dict[str, Any] = next(row for row in document["root_causes"] if row["code"] == code)
    return found


def report(trial: Trial, breakage: Breakage) -> dict[str, Any]:
    """Examine the broken patient with the whole command; return its document."""
    with trial.broken(breakage):
        env = trial.variables(breakage)
        run = trial.bench.doctor("check", "--json", "--python", trial.patient.python, env=env)
    document: dict[str, Any] = json.loads(run.stdout)
    return document


@pytest.mark.parametrize("breakage", SOME, ids=lambda item: item.name)
def test_walk_says_what_the_loader_does(trial: Trial, breakage: Breakage) -> None:
    compared = trial.compare(breakage)
    assert not compared.differences or compared.beyond_wine, compared


@pytest.mark.heavy
@pytest.mark.skipif(not HEAVY, reason="five minutes and 340 MB of wheels: XPU_DOCTOR_HEAVY_TESTS=1")
def test_walk_says_what_the_loader_does_of_every_breakage(trial: Trial) -> None:
    rows = [trial.compare(breakage) for breakage in breakages(mkl=True)]
    assert len(rows) >= 150
    assert not [row for row in rows if row.differences and not row.beyond_wine]


def test_numbers_are_those_of_the_loader(trial: Trial) -> None:
    """126 for what is missing, 193 for what is no library; the walk knows 193 of a dependency, too, and 127, which Wine does not."""
    gone, text = Breakage("gone", (("gone", SYCL),)), Breakage("text", (("text", f"{LIB}/c10.dll"),))
    assert (trial.compare(gone).real.error, trial.compare(text).real.error) == (126, 193)
    assert trial.compare(Breakage("half", (("half", SYCL),))).walk.error == 193
    assert trial.compare(Breakage("no exports", (("no exports", PROXY),))).walk.error == 127


def test_lost_file_beside_an_older_copy_on_path(trial: Trial) -> None:
    """The import succeeds, RECORD knows better, and the finding says which copy is taken."""
    finding = cause(report(trial, Breakage("gone", (("gone", UMF),), "older")), "shared-library-missing")
    assert "umf.dll is missing, which umf==1.1.0 has brought" in finding["summary"] and "by PATH" in finding["summary"]


def test_lost_adapter_beside_the_other_one(trial: Trial) -> None:
    document = report(trial, Breakage("gone", (("gone", V1),)))
    assert "ur_adapter_level_zero.dll is missing" in cause(document, "shared-library-missing")["summary"]
    rows = document["snapshot"]["level_zero"]["adapters"]
    assert [row["loaded"] for row in rows if row["name"] == "ur_adapter_level_zero_v2.dll"] == [True]
    assert [row["error"] for row in rows if row["name"] == "ur_adapter_level_zero.dll"] == ["[WinError 126]"]


def test_no_runtime_of_visual_c(trial: Trial, only_wine: None) -> None:
    """Named once, although the libraries that ask for it spell it in two ways."""
    finding = cause(report(trial, Breakage("gone", (("gone", "system32/msvcp140.dll"),))), "msvc-redist-missing")
    assert finding["summary"].lower().partition(" of the visual")[0].count("msvcp140.dll") == 1

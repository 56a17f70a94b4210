"""The whole check on a torch whose device count is the true answer of the true SYCL runtime, on a recorded machine with a B580.

Heavy: it downloads 1.1 GB of Intel's runtime wheels. One command runs it:

    XPU_DOCTOR_HEAVY_TESTS=1 XPU_DOCTOR_TEST_CACHE=~/.cache/xpu-doctor-tests python -m pytest tests/level_zero/test_fake_torch.py
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.hosts.test_recorded_hosts import recording
from tests.level_zero.fake_torch import add_fake_torch, cache_folder, sycl_environment
from tests.level_zero.parts import NEWEST, Missing, build_fake_driver, overlay
from tests.level_zero.test_loaders import B580, B580_HOST
from xpu_doctor.catalogue.plugins import Plugins
from xpu_doctor.diagnosis.diagnose import Diagnosis, diagnose
from xpu_doctor.diagnosis.ranking import flat
from xpu_doctor.examination.run import finish, start
from xpu_doctor.examination.session import Session
from xpu_doctor.host.recorded import RecordedHost
from xpu_doctor.model.findings import Severity
from xpu_doctor.model.selection import CHECKED, Selection
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.rules import RULES
from xpu_doctor.target.find import Choice

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(
        os.environ.get("XPU_DOCTOR_HEAVY_TESTS") != "1", reason="downloads 1.1 GB: XPU_DOCTOR_HEAVY_TESTS=1"
    ),
]

TWO = f"{B580};Intel(R) Arc(TM) B570 Graphics|e20c||10240|0000:04:00.0"


@dataclass(frozen=True)
class Bench:
    """What the scenarios stand on."""

    new: Path
    """Environment with the runtime 2026.0."""
    old: Path
    """Environment with the runtime 2025.0."""
    driver: str
    linker: Path
    """Folder of Debian testing's libraries, with a loader that is new enough."""

    def modern(self, environment: Path) -> str:
        """Return a command that is the environment's own Python under the newer libraries."""
        python, real = environment / "bin" / "python", os.path.realpath(environment / "bin" / "python")
        wrapper = environment / "bin" / "python-under-newer-libraries"
        linker = self.linker / "ld-linux-x86-64.so.2"
        wrapper.write_text(
            f'#!/bin/sh\nexec "{linker}" --argv0 "{python}" --library-path "{self.linker}" "{real}" "$@"\n',
            encoding="utf-8",
        )
        wrapper.chmod(0o755)
        return str(wrapper)


@pytest.fixture(scope="module")
def bench(shared_folder: Path) -> Bench:
    """Two environments with a fake torch, a driver and a loader that is new enough."""
    cache = cache_folder(shared_folder / "sycl")
    try:
        new, old = sycl_environment(cache, "2026.0.0"), sycl_environment(cache, "2025.0.4")
        add_fake_torch(new, "2.13.0+xpu", "20260000")
        add_fake_torch(old, "2.6.0+xpu", "20250002")
        driver = str(build_fake_driver(cache))
        libraries = overlay(cache / "testing", "forky", NEWEST).libraries
    except Missing as reason:
        pytest.skip(str(reason))
    return Bench(new, old, driver, libraries)


def examine(python: Path | str, tmp_path: Path, **variables: str) -> tuple[Snapshot, Diagnosis]:
    """Check an environment on the recorded machine with a B580; layers that need real wheels are not asked for."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ZE_", "NEO", "SYCL", "ONEAPI", "UR_", "FAKE_ZE", "LD_"))
    }
    given = {**clean, **variables}
    host = RecordedHost({**recording(B580_HOST), "env": given})
    layers = frozenset(layer for layer in CHECKED if layer.value != "compute")
    previous = os.getcwd()
    os.chdir(tmp_path)
    try:
        choice = Choice(str(python), "a test")
        snapshot = finish(
            start(Session(choice, Selection(layers), given, {"xpu": 30.0}, host=host)), Plugins()
        ).snapshot
    finally:
        os.chdir(previous)
    return snapshot, diagnose(snapshot, [rule() for rule in RULES])


def causes(diagnosis: Diagnosis) -> list[str]:
    """Return the root causes of the layers that a fake torch has: everything but the wheel's pins and companions."""
    own = ("companion-mismatch", "runtime-package-mismatch", "triton-xpu-missing")
    return [
        finding.code
        for finding in diagnosis.root_causes
        if finding.severity is Severity.ERROR and finding.code not in own
    ]


@contextmanager
def without(path: Path) -> Iterator[None]:
    """Move a file (and what links to it) away for a moment."""
    hidden = path.with_name(f"hidden-{path.name}")
    path.rename(hidden)
    try:
        yield
    finally:
        hidden.rename(path)


def test_one_card(bench: Bench, tmp_path: Path) -> None:
    """Loader, driver and runtime fit: one device, allocated, no root cause."""
    snapshot, diagnosis = examine(
        bench.modern(bench.new), tmp_path, ZE_ENABLE_ALT_DRIVERS=bench.driver, FAKE_ZE_DEVICES=B580
    )
    assert snapshot.xpu.device_count == 1 and snapshot.xpu.allocated is True
    assert causes(diagnosis) == []


def test_two_cards(bench: Bench, tmp_path: Path) -> None:
    """Two devices, counted by SYCL and by Level Zero."""
    snapshot, _ = examine(bench.modern(bench.new), tmp_path, ZE_ENABLE_ALT_DRIVERS=bench.driver, FAKE_ZE_DEVICES=TWO)
    assert snapshot.xpu.device_count == 2
    assert isinstance(snapshot.level_zero.devices, tuple) and len(snapshot.level_zero.devices) == 2


@pytest.mark.parametrize("selector", ["opencl:gpu", "level_zero:7", "bogus", ""])
def test_selector(bench: Bench, tmp_path: Path, selector: str) -> None:
    """A selector that leaves nothing, or that SYCL refuses, is the root cause; a second run without it is the proof."""
    more = {"ZE_ENABLE_ALT_DRIVERS": bench.driver, "FAKE_ZE_DEVICES": B580}
    snapshot, diagnosis = examine(bench.modern(bench.new), tmp_path, **more, ONEAPI_DEVICE_SELECTOR=selector)
    assert snapshot.xpu.device_count == 0 or snapshot.xpu.error
    assert causes(diagnosis)[:1] == ["device-hidden-by-env"]


def test_loader_too_old_is_silent(bench: Bench, tmp_path: Path) -> None:
    """The runtime 2025.0 on the loader 1.8: zero devices without a word; the runtime's own log names the symbol."""
    if not (Path("/usr/lib/x86_64-linux-gnu") / "libze_loader.so.1.8.0").exists():
        pytest.skip("this system's loader is not 1.8")
    snapshot, diagnosis = examine(
        bench.old / "bin" / "python", tmp_path, ZE_ENABLE_ALT_DRIVERS=bench.driver, FAKE_ZE_DEVICES=B580
    )
    assert snapshot.xpu.device_count == 0 or snapshot.xpu.error
    assert causes(diagnosis)[:1] == ["level-zero-loader-too-old"]
    assert diagnosis.root_causes[0].confidence.value == "certain"


def test_loader_too_old_kills(bench: Bench, tmp_path: Path) -> None:
    """The runtime 2026.0 on the loader 1.8 dies; the death is folded under the loader."""
    if not (Path("/usr/lib/x86_64-linux-gnu") / "libze_loader.so.1.8.0").exists():
        pytest.skip("this system's loader is not 1.8")
    _, diagnosis = examine(
        bench.new / "bin" / "python", tmp_path, ZE_ENABLE_ALT_DRIVERS=bench.driver, FAKE_ZE_DEVICES=B580
    )
    assert causes(diagnosis)[:1] == ["level-zero-loader-too-old"]
    assert "xpu-query-crashed" in {finding.code for finding in flat(diagnosis.root_causes[:1])}


def test_missing_umf(bench: Bench, tmp_path: Path) -> None:
    """Without libumf no adapter loads: zero devices, no message, and the missing library is the root cause."""
    more = {"ZE_ENABLE_ALT_DRIVERS": bench.driver, "FAKE_ZE_DEVICES": B580}
    with without(bench.new / "lib" / "libumf.so.1"):
        snapshot, diagnosis = examine(bench.modern(bench.new), tmp_path, **more)
    assert snapshot.xpu.device_count == 0
    assert isinstance(snapshot.level_zero.adapters, tuple) and any(
        "libumf" in row.error for row in snapshot.level_zero.adapters
    )
    assert causes(diagnosis)[:1] == ["shared-library-missing"]


def test_truncated_sycl(bench: Bench, tmp_path: Path) -> None:
    """A libsycl that was cut kills the import by SIGBUS; the damaged file is named as the cause."""
    library = (bench.new / "lib" / "libsycl.so.9").resolve()
    whole = library.read_bytes()
    try:
        library.write_bytes(whole[:100_000])
        snapshot, diagnosis = examine(
            bench.modern(bench.new), tmp_path, ZE_ENABLE_ALT_DRIVERS=bench.driver, FAKE_ZE_DEVICES=B580
        )
    finally:
        library.write_bytes(whole)
    stage = snapshot.run.stage("import")
    assert stage is not None and getattr(stage, "outcome", "") in ("crash", "error")
    assert causes(diagnosis)[:1] == ["shared-library-missing"]


def test_missing_sycl(bench: Bench, tmp_path: Path) -> None:
    """Without libsycl the import fails with the linker's words."""
    with without(bench.new / "lib" / "libsycl.so.9"):
        snapshot, diagnosis = examine(
            bench.modern(bench.new), tmp_path, ZE_ENABLE_ALT_DRIVERS=bench.driver, FAKE_ZE_DEVICES=B580
        )
    assert snapshot.imported.succeeded is False
    assert causes(diagnosis)[:1] == ["shared-library-missing"]

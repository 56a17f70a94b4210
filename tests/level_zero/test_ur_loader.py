"""What the Unified Runtime loader prints, recorded from real runtimes of 2025.0 and 2026.0, and any damage to it."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from xpu_doctor.text.sycl_loader_log import log_variables, missing_library, missing_symbol, parse_ur_loader

FOLDER = Path(__file__).parents[2] / "fixtures" / "ur_loader"
LEVEL_ZERO = "libur_adapter_level_zero.so.0"


def adapters(name: str) -> dict[str, tuple[bool, str]]:
    """Return what a recorded text says of each adapter."""
    rows = parse_ur_loader((FOLDER / name).read_text(encoding="utf-8"))
    return {row.name: (row.loaded, row.error) for row in rows}


def test_loader_too_old() -> None:
    """The symbol that Debian 12's loader lacks."""
    loaded, error = adapters("loader_1_8_runtime_2025_0.txt")[LEVEL_ZERO]
    assert not loaded and missing_symbol(error) == "zeDeviceGetRootDevice"


def test_umf_missing() -> None:
    """A missing libumf keeps every adapter away, by the name of its own generation."""
    for name, library in (("no_umf_runtime_2025_0.txt", "libumf.so.0"), ("no_umf_runtime_2026_0.txt", "libumf.so.1")):
        rows = {key: row for key, row in adapters(name).items() if "level_zero" in key or "opencl" in key}
        assert rows and all(not loaded and missing_library(error) == library for loaded, error in rows.values())


def test_working() -> None:
    """Adapters that loaded, among others that no wheel brings."""
    for name in ("b580_loader_1_32_runtime_2026_0.txt", "no_driver_runtime_2026_0.txt"):
        rows = adapters(name)
        assert rows[LEVEL_ZERO][0] and rows["libur_adapter_opencl.so.0"][0]
        assert not rows["libur_adapter_cuda.so.0"][0]


def test_windows_says_it_in_other_words() -> None:
    """A colon and no brackets around the path; an error number and no text; `debug` for what fails."""
    rows = adapters("windows_no_driver_runtime_2026_0.txt")
    assert rows["ur_adapter_level_zero.dll"] == (True, "") and rows["ur_adapter_level_zero_v2.dll"] == (True, "")
    assert rows["ur_adapter_cuda.dll"] == (False, "[WinError 126]")
    rows = adapters("windows_no_umf_runtime_2026_0.txt")
    assert {name for name, (loaded, _) in rows.items() if loaded} == {"ur_adapter_opencl.dll"}
    assert rows["ur_adapter_level_zero.dll"] == (False, "[WinError 126]")
    assert "level:debug" in log_variables("windows")["UR_LOG_LOADER"]
    assert "level:info" in log_variables("linux")["UR_LOG_LOADER"]


@given(st.text(), st.integers(0, 4000))
def test_any_text(noise: str, cut: int) -> None:
    """Noise and cuts never raise, and never make an adapter out of nothing."""
    whole = (FOLDER / "loader_1_8_runtime_2025_0.txt").read_text(encoding="utf-8")
    damaged = whole[:cut] + noise.replace("<LOADER>", "") + "\n" + whole[cut:]
    assert all(row.name and (row.loaded or row.path) for row in parse_ur_loader(damaged))
    assert parse_ur_loader(noise.replace("<LOADER>", "")) == ()

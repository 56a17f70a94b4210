"""Every library of a whole Intel runtime (over 1 GB of wheels), each opened by the real loader and walked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.closure import linux_world as world
from tests.closure.conftest import wheels
from tests.closure.linux_world import Outcome

PINS = (
    *(
        "intel-sycl-rt==2025.3.2",
        "intel-cmplr-lib-ur==2025.3.2",
        "intel-cmplr-lib-rt==2025.3.2",
        "intel-opencl-rt==2025.3.2",
    ),
    *("intel-openmp==2025.3.2", "umf==1.0.3", "tcmlib==1.4.1", "tbb==2022.3.1", "mkl==2025.3.1", "intel-pti==0.16.0"),
    *(f"onemkl-sycl-{name}==2025.3.1" for name in ("blas", "dft", "lapack", "rng", "sparse")),
    *("oneccl==2021.17.2", "impi-rt==2021.17.2"),
)
"""What torch 2.12 requires on Linux, as far as it holds libraries."""


@pytest.mark.heavy
@pytest.mark.skipif(
    os.environ.get("XPU_DOCTOR_HEAVY_TESTS") != "1", reason="downloads over 1 GB: XPU_DOCTOR_HEAVY_TESTS=1"
)
def test_each_library_loads_or_fails_alike(program: Path, tmp_path: Path) -> None:
    """Which of several missing symbols is named first is the loader's own order; that one is missing must be said by both."""
    folder = wheels("whole", "linux", PINS) / "lib"
    different, count = [], 0
    for path in sorted(folder.glob("*.so*")):
        if path.is_file():
            count += 1
            real = world.truth(program, [str(path)], {}, tmp_path)
            ours = world.prediction(program, [str(path)], {}, tmp_path, True)
            both = (real.answers[0].error, ours.answers[0].error)
            if all("undefined symbol" in error for error in both):
                continue
            # A library's constructor may open others by name: the process then holds more than the walk says.
            shown = Outcome(real.answers, real.loaded & ours.loaded if not any(both) else real.loaded)
            difference = world.agree(shown, ours)
            different += [f"{path.name}: {difference}"] if difference else []
    assert count > 100
    assert not different, "\n".join(different)

"""What a difference is called."""

from __future__ import annotations

import pytest

from xpu_doctor.report.comparison.labels import label_of


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("verdict", "verdict"),
        ("findings[torch-cpu-wheel]", "torch-cpu-wheel"),
        ("ladder[wheel]", "wheel layer"),
        ("gpus[8086:e20b].kernel_driver", "kernel driver of GPU 8086:e20b"),
        ("gpus[8086:e20b]", "GPU 8086:e20b"),
        ("environment.variables[ZE_AFFINITY_MASK]", "environment variable (ZE_AFFINITY_MASK)"),
        ("distributions.installed[torch].file_faults[a.so].fault", "what is wrong with the file (torch, a.so)"),
        ("kernel.gpu_log[[drm] *ERROR* [x] y]", "the kernel's log says ([drm] *ERROR* [x] y)"),
        ("run.stages[import].outcome", "stage import: outcome"),
        ("run.stages[import]", "stage import"),
        ("errors.met[not-compiled-xpu]", "known message: this torch was built without XPU support"),
        ("errors.met[of-another-version]", "known messages that were met (of-another-version)"),
        ("plugins.fans.speed", "plugins.fans.speed"),
        ("gpus[", "gpus["),
        ("a]b[", "a]b["),
        ("findings[]", ""),
        ("", ""),
    ],
)
def test_label(path: str, label: str) -> None:
    assert label_of(path) == label

"""What a text tells of good and bad versions: the finding, how sure it is, and the version that the remedy names."""

from __future__ import annotations

import pytest

from xpu_doctor.api import triage
from xpu_doctor.model.findings import Confidence


@pytest.mark.parametrize(
    ("text", "code", "named"),
    [
        (
            "SDXL on my Arc B580 works with torch 2.8.0+xpu, with torch 2.9.1+xpu I only get black images.",
            "pytorch-bug",
            "torch==2.8.0 torchvision==0.23.0 torchaudio==2.8.0 --index-url https://download.pytorch.org/whl/xpu",
        ),
        (
            "Windows 11, Arc A770, torch xpu: driver 32.0.101.6129 works, after updating to 32.0.101.6130 the sampler crashes.",
            "gpu-driver-bug",
            "32.0.101.6129",
        ),
        (
            "Ubuntu, Arc A770, torch xpu: compute-runtime 25.18.33578.15 is fine and 25.22.33944.8 fails with a device lost error.",
            "gpu-driver-bug",
            "https://github.com/intel/compute-runtime/releases/tag/25.18.33578.15",
        ),
        (
            "Arc A770, torch xpu on Linux: kernel 6.11.4 works, with kernel 6.12.1 every job hangs.",
            "kernel-regression",
            "Start kernel 6.11.4",
        ),
        (
            "Arc A770 on Windows, torch xpu: the newest driver crashes, with the previous driver it works.",
            "gpu-driver-bug",
            "that you had before",
        ),
    ],
)
def test_the_remedy_names_the_good_version(text: str, code: str, named: str) -> None:
    """The version that worked is the first thing to try, and its finding is no surer than somebody's word."""
    (root, *_) = triage(text).root_causes
    assert root.code == code
    assert root.confidence == Confidence.LIKELY.value
    first = root.remedies[0]
    assert named in " ".join((first.title, first.url, *first.commands))


def test_no_version_is_recommended_that_has_no_wheel() -> None:
    """A release without an XPU wheel is not to be installed from the index, whatever worked once."""
    text = "Arc A770: works with torch 2.1.0, with torch 2.9.1+xpu the results are wrong."
    commands = [line for root in triage(text).root_causes for remedy in root.remedies for line in remedy.commands]
    assert not any("torch==2.1" in line for line in commands)


@pytest.mark.parametrize(
    ("text", "code", "named"),
    [
        (
            "Windows 11, Arc A770, ComfyUI with torch xpu, driver 32.0.101.8974: the sampler crashes. If I switch to driver 8860 the problem does not occur.",
            "gpu-driver-bug",
            "driver 8860",
        ),
        (
            "Arc A770, Linux: torch nightly 2.9.0.dev20250801+xpu crashes, 2.9.0.dev20250720+xpu works.",
            "pytorch-bug",
            "torch==2.9.0.dev20250720",
        ),
    ],
)
def test_short_driver_numbers_and_nightly_builds(text: str, code: str, named: str) -> None:
    """The end of a Windows driver's version and a day's build are versions, too."""
    (root, *_) = triage(text).root_causes
    assert root.code == code
    assert named in " ".join((root.remedies[0].title, *root.remedies[0].commands))


@pytest.mark.parametrize(
    "text",
    [
        "Guest kernel 6.12.67 in a virtual machine, Intel VF passed through (host: 6.17.2, xe): i915 0000:01:00.0: probe with driver i915 failed with error -5",
        "VM on Proxmox, guest kernel 6.12.67 with the VF passed to it: i915 0000:01:00.0: probe with driver i915 failed with error -5",
    ],
)
def test_no_kernel_is_recommended_that_nobody_calls_good(text: str) -> None:
    """To pass a device through is no success of a kernel."""
    titles = [remedy.title for root in triage(text).root_causes for remedy in root.remedies]
    assert not any("kernel 6.1" in title for title in titles)

"""What a text tells of good and bad versions: the finding, how sure it is, and the version that the remedy names."""

from __future__ import annotations

import pytest

from xpu_doctor.api import triage
from xpu_doctor.model.findings import Confidence
from xpu_doctor.text.said import Said
from xpu_doctor.text.statements import Statements
from xpu_doctor.text.word_index import IndexedText


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


SINCE_THE_DRIVER = [
    "Kernel 6.8 works. After the driver update the GPU is gone: torch.xpu.is_available() returns False. Arc A770, Ubuntu 24.04.",
    "On kernel 6.8.0-45 everything worked fine until I updated intel-opencl-icd; now clinfo shows 0 platforms. Arc A750, torch xpu.",
    "I run kernel 6.8.0-60-generic, which works. Since upgrading the compute runtime the A770 is not detected by torch any more.",
    "Linux 6.8.0-60-generic is fine here. After a graphics driver upgrade torch.xpu.device_count() is 0 on my A770.",
    "My kernel 6.8.0-52-generic works. Upgrading libze-intel-gpu1 broke it: torch.xpu.is_available() is False with the A770.",
]


@pytest.mark.parametrize("text", SINCE_THE_DRIVER)
def test_a_kernel_that_works_is_not_blamed_for_what_came_with_a_driver(text: str) -> None:
    """The tables know a fault of kernel 6.8; who says that it works, and that a driver came since, speaks of the driver."""
    found = {root.code: root for root in triage(text).root_causes}
    assert "kernel-regression" not in found
    assert next(iter(found)) == "gpu-driver-bug"


@pytest.mark.parametrize(
    "text",
    [
        "Kernel 6.8 works, 6.14 fails: torch.xpu.is_available() returns False. A770.",
        "With kernel 6.5 my A770 works. Since the kernel update to 6.8 the card is not detected by torch.xpu.",
        "After upgrading to kernel 6.8 torch.xpu on my A770 hangs, kernel 6.5 worked.",
    ],
)
def test_a_kernel_that_came_is_still_blamed(text: str) -> None:
    """An older kernel that works speaks against the newer one."""
    assert "kernel-regression" in [root.code for root in triage(text).root_causes][:2]


def test_the_driver_in_use_is_the_one_that_an_upgrade_ended_with() -> None:
    """`from 25.13 to 25.18`: the second one is what fails, and the table knows it."""
    text = (
        "Since upgrading compute-runtime from 25.13.33276.16 to 25.18.33578.6 sycl-ls lists no GPU, Arc A770, torch xpu.\n"
        "WARNING: Small BAR detected for device 0000:03:00.0\n"
    )
    document = triage(text)
    causes = [each for root in document.root_causes for each in (root, *root.explains)]
    (bug,) = (each for each in causes if each.code == "gpu-driver-bug")
    assert bug.confidence == Confidence.LIKELY.value
    assert "25.18.33578.6" in bug.summary


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("The crash is gone now.", True),
        ("All errors are gone.", True),
        ("The hang disappeared with it.", True),
        ("After it the GPU is gone.", False),
        ("The card has gone.", False),
        ("The device disappeared.", False),
        ("My A770 is gone.", False),
    ],
)
def test_a_failure_that_is_gone_is_over_and_a_device_that_is_gone_is_not(text: str, gone: bool) -> None:
    """What is gone decides."""
    statements = Statements(IndexedText(f"I had crashes. {text}"))
    assert (statements.claimed(1, 6, 13) is Said.PAST) is gone


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("compute-runtime 25.22 crashes on my A770, 25.18 does not", "gpu-driver-bug"),
        ("driver 32.0.101.6790 hangs, 32.0.101.6739 doesn't. Arc B580", "gpu-driver-bug"),
        ("compute-runtime 24.13 doesn't list my B580, 25.13 does", "gpu-driver-too-old"),
        ("the kernel 6.2 did not see the Arc 140V, 6.12 does", "kernel-too-old"),
        ("kernel 6.15 freezes under load, 6.14 does not. A770 torch xpu", "kernel-regression"),
        (
            "after upgrading linux from 6.12 to 6.17 the B580 gets engine resets under load, old kernel is fine",
            "kernel-regression",
        ),
        (
            "booting the previous kernel (6.11.0-21) makes the gpu hang go away, 6.14 has it. A750 torch xpu",
            "kernel-regression",
        ),
    ],
)
def test_a_verdict_that_takes_up_what_was_said(text: str, code: str) -> None:
    """Of a version that only "does" or "does not" what was said before, and of "the old one", which is not the one before the comma."""
    assert triage(text).root_causes[0].code == code


def test_a_version_that_does_too_tells_nothing() -> None:
    roots = triage("compute-runtime 25.22 crashes on my A770, 25.18 does too").root_causes
    assert all(root.confidence == Confidence.POSSIBLE.value for root in roots)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("Works with ipex 2.1.10, fails with 2.1.20: the model prints garbage on my Arc A770.", "2.1.10"),
        ("intel-extension-for-pytorch 2.1.10+xpu is fine, 2.1.30+xpu crashes at once. A770, Ubuntu 22.04", "2.1.10"),
        (
            "After upgrading IPEX from 2.1.10 to 2.1.20 inference hangs on the A750. Downgrading IPEX to 2.1.10 solves it.",
            "2.1.10",
        ),
        ("ipex 2.3.110 breaks my training on Arc; IPEX 2.1.40 worked.", "2.1.40"),
        ("| ipex 2.1.40 | works |\n| ipex 2.3.110 | black images |\nArc A770, xpu", "2.1.40"),
        ("With the Intel Extension 2.5.10 my Arc A770 hangs, the Intel Extension 2.3.110 is fine.", "2.3.110"),
    ],
)
def test_the_remedy_names_the_extension_that_works(text: str, good: str) -> None:
    """With the torch of its release; no surer than somebody's word."""
    (root, *_) = triage(text).root_causes
    assert (root.code, root.confidence) == ("pytorch-bug", Confidence.LIKELY.value)
    assert f"Intel Extension for PyTorch {good} with torch {good.rpartition('.')[0]}" in root.remedies[0].title


@pytest.mark.parametrize(
    "text",
    [
        "IPEX 2.5.10 works and so does 2.3.110 on the A770.",
        "IPEX 2.1.10 fails on my A770 with wrong results.",
        "Does ipex 2.1.20 fail for you as well? I use 2.1.10 on the A770, which is what the readme asks for.",
    ],
)
def test_no_extension_is_called_worse_where_nobody_says_so(text: str) -> None:
    """Two versions that work, or one that fails, tell of no change."""
    assert not [root for root in triage(text).root_causes if "older Intel Extension" in root.summary]

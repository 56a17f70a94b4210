"""GPUs that a text only advises, GPUs that PyTorch never supported, the kernel's two drivers, and quoted failures of an import."""

from __future__ import annotations

import pytest

from xpu_doctor.api import triage

REFUSED = (
    "/v/lib/python3.12/site-packages/torch/xpu/__init__.py:138: UserWarning: The detected GPU ({0}) is not officially supported by "
    "PyTorch XPU. Running workloads on this device may result in unexpected behavior.\n"
    "  For stable and fully supported execution, please use GPUs based on Intel Arc (Alchemist) series or newer.\n"
)
LIBRARY = "ImportError: libsycl.so.8: cannot open shared object file: No such file or directory"
LOADER = (
    "ImportError: /opt/intel/oneapi/compiler/2025.1/lib/libur_loader.so.0: version `LIBUR_LOADER_0.10' not found "
    "(required by /v/lib/python3.12/site-packages/torch/lib/../../../../libsycl.so.8)"
)


def first(text: str) -> str:
    """Return the code of the first root cause, or nothing."""
    return next((root.code for root in triage(text).root_causes), "")


def likely(text: str) -> list[str]:
    """Return the codes that are more than possible and no notes."""
    return [root.code for root in triage(text).root_causes if root.confidence != "possible" and root.severity != "info"]


@pytest.mark.parametrize(
    "name", ["Intel(R) UHD Graphics 730", "Intel(R) Iris(R) Xe Graphics", "Intel(R) UHD Graphics 630"]
)
@pytest.mark.parametrize("said", ["", "The training is far too slow here.\n", "RuntimeError: UR error\n"])
def test_advice_of_torch_is_no_card(name: str, said: str) -> None:
    """Torch names Arc as what one should have: the unsupported GPU is the only one that is there."""
    text = said + REFUSED.format(name)
    assert first(text) == "gpu-unsupported"
    assert "igpu-dgpu-confusion" not in [root.code for root in triage(text).root_causes]
    assert triage(text).snapshot["pasted"]["gpu_kinds"] == ["integrated"]


@pytest.mark.parametrize(
    "advice",
    [
        "They told me to use a GPU from the Arc A-series.",
        "The manual says that it needs a card like the Arc A770.",
        "It supports devices such as Intel Arc B580.",
        "Minimum: Arc A-series or newer.",
        "Arc (Battlemage) cards and later will do.",
    ],
)
def test_a_card_that_one_should_have(advice: str) -> None:
    """However it is advised, the card is not in the machine."""
    kinds = triage(f"My laptop has UHD Graphics 620, torch.xpu.is_available() is False.\n{advice}\n").snapshot["pasted"]
    assert kinds["gpu_kinds"] == ["integrated"]


@pytest.mark.parametrize(
    "owned",
    ["I use a card like the Arc A770.", "We use GPUs like the Arc A770.", "There is an Arc A770 with driver 6130 or newer.", "The A750 and newer drivers are in it."],
)  # fmt: skip
def test_a_card_that_somebody_has(owned: str) -> None:
    """Who uses such a card has it."""
    assert "discrete" in triage(f"Linux, torch 2.9.1+xpu\n{owned}\n").snapshot["pasted"]["gpu_kinds"]


def test_two_gpus_and_the_warning_of_torch() -> None:
    """With a card in the machine, the warning is about the integrated GPU beside it."""
    assert (
        first("There is an A770 in this machine.\n" + REFUSED.format("Intel(R) UHD Graphics 770"))
        == "igpu-dgpu-confusion"
    )


@pytest.mark.parametrize(
    "text",
    [
        'Traceback (most recent call last):\n  File "/srv/app/choose.py", line 9, in family\n    assert False, name\nAssertionError: Unsupported GPU device: Intel(R) UHD Graphics 730\n',
        "RuntimeError: Iris Xe Graphics is not supported\n",
        "The UHD 620 of my notebook crashes as soon as I train with torch 2.9.1+xpu.\n",
    ],
)
def test_an_old_gpu_that_fails(text: str) -> None:
    """A failure on a GPU that is older than all supported ones is no fault of the application."""
    assert first(text) == "gpu-unsupported"


@pytest.mark.parametrize(
    "text",
    [
        "torch 2.9.1+xpu on an Arc A770, the UHD Graphics 620 idles.\n",
        "AssertionError: Unsupported GPU device: cuda:0\nArc A770\n",
    ],
)
def test_no_unsupported_gpu(text: str) -> None:
    """Neither a GPU at work nor somebody else's device is called unsupported."""
    assert "gpu-unsupported" not in likely(text)


@pytest.mark.parametrize(
    "text",
    [
        "Arc A770, kernel 6.12, bound to xe with xe.force_probe=56a0.\nNumber of platforms  0\nWith i915 it works.",
        "Arc A380: the card works fine with the i915 driver, but with xe sycl-ls lists nothing.",
        "Arc A750, kernel 6.17\ni915: works\nxe: fails\n",
        "Arc A770, torch 2.9.1+xpu. Under xe everything works. On i915 it crashes.",
        "I gave it to xe by force_probe, since then clinfo finds no devices on the A770. Kernel 6.14.\nNumber of platforms  0\n",
    ],
)
def test_one_of_the_kernels_two_drivers(text: str) -> None:
    """A GPU that works through one kernel driver and not through the other meets a fault of the compute driver."""
    assert first(text) == "gpu-driver-bug"
    assert "kernel-too-old" not in likely(text)


@pytest.mark.parametrize(
    "text",
    [
        "Arc A770: it works through xe and it works with i915, too.",
        "Which is better for an A770, i915 or xe?",
        "It crashes on Iris Xe, and with i915 nothing changes.",
        "Should it fail on xe, go back to i915.",
    ],
)
def test_both_drivers_are_only_named(text: str) -> None:
    """Nobody says that one works and the other does not."""
    assert "gpu-driver-bug" not in likely(text)


def test_a_refusal_of_the_kernel_stays_one() -> None:
    """The kernel's own advice to force xe shows that nothing is bound."""
    line = "xe 0000:03:00.0: Your graphics device 56a1 is not officially supported by xe driver in this kernel version. To force Xe probe, use xe.force_probe='56a1' and i915.force_probe='!56a1'"
    assert first(f"Arc A750\n{line}\nNumber of platforms  0\n") == "kernel-too-old"


@pytest.mark.parametrize("margin", ["", "> ", "> > ", "    ", "  - ", "1. ", "   * ", "| ", ">     ", "\t"])
@pytest.mark.parametrize(
    ("line", "code"),
    [(LIBRARY, "runtime-package-mismatch"), (LOADER, "oneapi-env-conflict")],
    ids=["library", "loader"],
)
def test_a_quoted_failure_of_an_import(margin: str, line: str, code: str) -> None:
    """An answer by mail and a list keep the failure of the import what it is."""
    shown = ["Traceback (most recent call last):", '  File "/v/lib/python3.12/site-packages/torch/__init__.py", line 409, in <module>', line]  # fmt: skip
    quoted = "\n".join(margin + each for each in shown)
    assert first(f"Hello, this is what I get with torch 2.7.0+xpu:\n\n{quoted}\n\nAny idea?\n") == code

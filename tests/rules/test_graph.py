"""What stands first in a report: whole snapshots of the install layers, judged by all rules and ranked."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from xpu_doctor.catalogue.pages import rules_by_code
from xpu_doctor.diagnosis.diagnose import diagnose
from xpu_doctor.diagnosis.judge import judge
from xpu_doctor.diagnosis.ranking import flat, rank
from xpu_doctor.model.findings import Confidence, Finding, Layer, Severity
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.report.document import document
from xpu_doctor.rules import RULES

LINUX = {"os": "linux", "wsl": False}
PYTHON = {
    "executable": "/v/bin/python",
    "version": "3.12.1",
    "implementation": "cpython",
    "bits": 64,
    "free_threaded": False,
    "os": "linux",
    "architecture": "x86_64",
}
B580 = {
    "address": "0000:03:00.0",
    "vendor_id": 0x8086,
    "device_id": 0xE20B,
    "pci_class": 0x030000,
    "kernel_driver": "xe",
}
NVIDIA = {
    "address": "0000:01:00.0",
    "vendor_id": 0x10DE,
    "device_id": 0x2684,
    "pci_class": 0x030000,
    "kernel_driver": "nvidia",
}
NO_DEVICE = {"compiled": False, "available": False, "device_count": 0, "devices": [], "error": "", "allocated": False}
IMPORTED = {"stages": [{"name": name, "outcome": "ok"} for name in ("import", "xpu", "allocate")]}
FAILED_IMPORT = {"stages": [{"name": "import", "outcome": "error", "reason": "ImportError: x"}]}


def roots(**facts: Any) -> tuple[Finding, ...]:
    """The root causes of a snapshot."""
    snapshot = msgspec.convert({"machine": LINUX, "python": PYTHON, **facts}, Snapshot)
    result = judge([rule() for rule in RULES], snapshot)
    assert not result.crashed, result.crashed
    symptoms = frozenset(rule.code for rule in RULES if rule.symptom)
    return rank(result.findings, {code: rule.explains for code, rule in rules_by_code().items()}, symptoms)


def codes(findings: tuple[Finding, ...]) -> list[str]:
    """Their codes, in order."""
    return [finding.code for finding in findings]


def wheel(version: str, build: str, **more: Any) -> dict[str, Any]:
    """A torch that is whole, and nothing else."""
    dist = {
        "name": "torch",
        "version": version,
        "location": "/s",
        "file_faults": [],
        "requires": [],
        "installer": "pip",
    }
    return {
        "torch": {"installed": True, "version": version, "metadata_version": version, "build": build},
        "distributions": {"installed": [dist, *more.get("beside", [])], "leftovers": []},
        "shadows": {"found": []},
    }


def test_cpu_wheel_beside_an_arc() -> None:
    """One root, and the missing device under it."""
    found = roots(gpus=[B580], run=IMPORTED, xpu=NO_DEVICE, **wheel("2.14.0+cpu", "cpu"))
    assert codes(found) == ["torch-cpu-wheel"] and "xpu-unavailable" in codes(flat(found))
    assert found[0].severity is Severity.ERROR and found[0].remedies


def test_cpu_wheel_without_a_gpu() -> None:
    """The GPU is the cause; the wheel is a note below it, and no reinstall is proposed."""
    found = roots(gpus=[], run=IMPORTED, xpu=NO_DEVICE, **wheel("2.14.0+cpu", "cpu"))
    assert codes(found) == ["gpu-not-present"]
    below = {finding.code: finding for finding in flat(found)}
    assert below["torch-cpu-wheel"].severity is Severity.INFO and not below["torch-cpu-wheel"].remedies
    assert below["xpu-unavailable"].severity is Severity.INFO


def test_cuda_wheel_beside_nvidia_and_arc() -> None:
    """Nothing is wrong; the XPU build is an option."""
    found = roots(gpus=[NVIDIA, B580], run=IMPORTED, xpu=NO_DEVICE, **wheel("2.14.0+cu128", "cuda"))
    assert codes(found) == ["torch-cuda-wheel"] and found[0].severity is Severity.INFO and found[0].remedies


def test_empty_environment() -> None:
    """The failed import is a consequence."""
    found = roots(
        gpus=[B580],
        run=FAILED_IMPORT,
        torch={"installed": False},
        distributions={"installed": [], "leftovers": []},
        shadows={"found": []},
    )
    assert codes(found) == ["torch-not-installed"] and "torch-import-failed" in codes(flat(found))


def test_interrupted_install() -> None:
    """A leftover and no torch: the install is broken, and that is why torch is missing."""
    facts = {
        "torch": {"installed": False, "version": {"reason": "no"}, "metadata_version": ""},
        "distributions": {"installed": [], "leftovers": ["/s/~orch"]},
    }
    found = roots(gpus=[B580], run=FAILED_IMPORT, shadows={"found": []}, **facts)
    assert codes(found) == ["torch-install-broken"] and {"torch-not-installed", "torch-import-failed"} <= set(
        codes(flat(found))
    )


def test_missing_library_of_torch() -> None:
    """The deleted file is named, and the failed import hangs below it."""
    facts = wheel("2.14.0+xpu", "xpu")
    facts["distributions"]["installed"][0].update(
        file_faults=[{"path": "torch/lib/libtorch_xpu.so", "fault": "missing"}], file_fault_count=1
    )
    found = roots(gpus=[B580], run=FAILED_IMPORT, imported={"succeeded": False}, **facts)
    assert codes(found)[0] == "torch-install-broken" and "torch-import-failed" in codes(found[0].explains)


def test_script_called_torch() -> None:
    """The shadow explains the import that failed."""
    shadows = {"found": [{"module": "torch", "path": "/home/me/torch.py", "where": "working folder"}]}
    found = roots(
        gpus=[B580],
        run=FAILED_IMPORT,
        imported={"succeeded": False},
        **{**wheel("2.14.0+xpu", "xpu"), "shadows": shadows},
    )
    assert codes(found)[0] == "torch-shadowed" and "torch-import-failed" in codes(found[0].explains)


def test_python_without_wheels_and_a_cpu_build() -> None:
    """On an Arm machine the CPU build is a consequence: no other exists."""
    found = roots(gpus=[B580], **{**wheel("2.14.0", "cpu"), "python": {**PYTHON, "architecture": "aarch64"}})
    assert codes(found)[0] == "python-unsupported" and "torch-cpu-wheel" in codes(found[0].explains)


def test_replaced_torch_explains_its_companions() -> None:
    """torch was replaced by a CPU build and torchvision stayed: one cause."""
    vision = {"name": "torchvision", "version": "0.29.0+xpu", "requires": ["torch==2.14.0"]}
    found = roots(gpus=[B580], **wheel("2.14.0+cpu", "cpu", beside=[vision]))
    assert codes(found) == ["torch-cpu-wheel"] and "companion-mismatch" in codes(found[0].explains)


def test_dead_imports_without_a_known_cause_stand_alone() -> None:
    """A symptom is a root where nothing explains it."""
    for outcome, code in (
        ("crash", "torch-import-crashed"),
        ("hang", "torch-import-hung"),
        ("exit", "torch-import-failed"),
    ):
        found = roots(
            gpus=[B580],
            run={"stages": [{"name": "import", "outcome": outcome}]},
            imported={"succeeded": False},
            **wheel("2.14.0+xpu", "xpu"),
        )
        assert codes(found) == [code]


def test_a_healthy_xpu_set_is_silent() -> None:
    """No finding of these layers."""
    beside = [
        {"name": "torchvision", "version": "0.29.0+xpu", "requires": ["torch==2.14.0"]},
        {"name": "torchaudio", "version": "2.11.0+xpu", "requires": []},
        {"name": "triton-xpu", "version": "3.8.0", "requires": []},
    ]
    works = {
        "compiled": True,
        "available": True,
        "device_count": 1,
        "devices": [{"index": 0, "allocated": True}],
        "error": "",
        "allocated": True,
    }
    found = roots(
        gpus=[B580], run=IMPORTED, imported={"succeeded": True}, xpu=works, **wheel("2.14.0+xpu", "xpu", beside=beside)
    )
    assert codes(found) == []


def test_a_crash_of_the_import_is_no_fault_of_the_compute_layer() -> None:
    """Nothing was computed: the message of the import speaks of no compute fault, and of no command for another interpreter."""
    met = {"errors": {"met": [{"signature": "segfault", "text": "Segmentation fault", "source": "stage import"}]}}
    stages = [{"name": "import", "outcome": "crash", "signal": "SIGSEGV", "reason": "SIGSEGV"}]
    facts = {**wheel("2.14.0+xpu", "xpu"), "imported": {"succeeded": False}, **met}
    found = flat(roots(gpus=[B580], run={"stages": stages}, **facts))
    assert not [
        finding.code for finding in found if finding.layer is Layer.COMPUTE
    ] and "torch-import-crashed" in codes(found)
    assert not any(
        line.startswith("python ") for finding in found for remedy in finding.remedies for line in remedy.commands
    )
    computed = flat(
        roots(
            gpus=[B580],
            run={"stages": [{"name": "import", "outcome": "ok"}, {"name": "compute", "outcome": "crash"}]},
            **facts,
        )
    )
    assert "pytorch-bug" in codes(computed)
    bug = next(finding for finding in computed if finding.code == "pytorch-bug")
    assert all(line.startswith("/v/bin/python ") for line in bug.remedies[0].commands)


APART = (
    ("gpu-driver-missing", "level-zero-loader-missing"),
    ("container-no-device", "gpu-driver-missing"),
    ("container-no-device", "gpu-driver-too-old"),
    ("container-no-device", "level-zero-loader-too-old"),
    ("container-no-device", "wsl-setup"),
    ("device-permission", "gpu-driver-missing"),
    ("device-permission", "gpu-driver-too-old"),
    ("kernel-driver-unbound", "device-permission"),
    ("kernel-driver-unbound", "gpu-driver-missing"),
    ("kernel-driver-unbound", "gpu-driver-too-old"),
    ("kernel-driver-unbound", "level-zero-loader-too-old"),
    ("kernel-driver-unbound", "gpu-hang-logged"),
    ("kernel-too-old", "device-permission"),
    ("kernel-too-old", "gpu-driver-missing"),
    ("kernel-too-old", "gpu-driver-too-old"),
    ("rebar-disabled", "gpu-driver-too-old"),
    ("wsl-setup", "gpu-driver-missing"),
    ("wsl-setup", "gpu-driver-too-old"),
)
"""Faults that look like cause and consequence, and are none: the second one stays where the first is mended."""


@pytest.mark.parametrize("pair", APART, ids=" and ".join)
def test_faults_that_only_stand_side_by_side(pair: tuple[str, str]) -> None:
    """Both are root causes, whichever is the surer one."""
    rules = rules_by_code()
    edges = {code: frozenset(rule.explains) for code, rule in rules.items()}
    symptoms = frozenset(rule.code for rule in RULES if rule.symptom)
    both = [Finding(code, rules[code].layer, Severity.ERROR, Confidence.CERTAIN, "machine", code) for code in pair]
    assert sorted(codes(rank(both, edges, symptoms))) == sorted(pair)


def test_a_missing_driver_in_a_container_without_a_device_keeps_its_remedy() -> None:
    """Both are told, with what to do about each, and the document counts them."""
    snapshot = msgspec.convert(
        {
            "origin": "live",
            "machine": {**LINUX, "container": "docker", "distribution": "debian", "distribution_version": "13"},
            "gpus": [B580],
            "access": {"nodes": []},
            "level_zero": {"loader_loaded": False, "loader_error": "libze_loader.so.1: cannot open shared object file"},
            "driver": {"libraries": [], "packages": []},
        },
        Snapshot,
    )
    diagnosis = diagnose(snapshot, [rule() for rule in RULES])
    told = {finding.code: finding for finding in diagnosis.root_causes}
    assert {"container-no-device", "level-zero-loader-missing"} <= set(told), list(told)
    assert all(told[code].remedies for code in ("container-no-device", "level-zero-loader-missing"))
    facts: dict[str, Any] = {}
    report = document(diagnosis, snapshot, facts, version="0", created="", timings={})
    errors = [root for root in report.root_causes if root.severity == "error" and root.confidence != "possible"]
    assert report.independent_faults == len(errors) >= 2

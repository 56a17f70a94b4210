"""The verdict, the ladder, and observed success over tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from xpu_doctor.catalogue.names import all_rules
from xpu_doctor.diagnosis.diagnose import Options, diagnose
from xpu_doctor.diagnosis.evidence import shown
from xpu_doctor.diagnosis.expectations import judge_expectation
from xpu_doctor.diagnosis.ladder import State
from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import (
    Distributions,
    Gpu,
    Import,
    Installer,
    LibraryFault,
    Machine,
    Run,
    Torch,
    Xpu,
    XpuDevice,
)
from xpu_doctor.model.findings import Evidence, EvidenceKind, Finding, Layer, Severity
from xpu_doctor.model.selection import CHECKED
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.terms import Origin
from xpu_doctor.model.unknown import Unknown, known
from xpu_doctor.rules.support.library_faults import outcome

B580 = Gpu(address="0000:03:00.0", vendor_id=0x8086, device_id=0xE20B, pci_class=0x030000, kernel_driver="xe")
WORKING = Snapshot(
    machine=Machine(os="linux", wsl=False),
    gpus=(B580,),
    torch=Torch(installed=True, version="2.9.1+xpu", build="xpu"),
    distributions=Distributions(installed=(), leftovers=()),
    imported=Import(succeeded=True, seconds=1.0),
    xpu=Xpu(
        compiled=True,
        available=True,
        device_count=1,
        devices=(XpuDevice(0, "B580", allocated=True),),
        allocated=True,
        error="",
    ),
)


class OldDriver(Rule):
    """A table says that the driver is too old."""

    code = "gpu-driver-too-old"
    layer = Layer.DRIVER
    from_table = True

    def check(self, torch: Torch) -> Iterator[Finding]:
        yield self.found(
            "machine", "the table says that it is too old", evidence=("torch.version", "torch.no_such_fact")
        )


class NeedsBuild(Rule):
    """Needs a fact."""

    code = "torch-cpu-wheel"
    layer = Layer.WHEEL

    def check(self, torch: Torch) -> Iterator[Finding]:
        if known(torch.build) == "cpu":
            yield self.found("torch", "a CPU build")


class Crashes(Rule):
    """Raises."""

    code = "crashes"
    layer = Layer.WHEEL

    def check(self, torch: Torch) -> Iterator[Finding]:
        raise ZeroDivisionError("oops")
        yield


def test_observed_success_makes_a_tables_error_a_note() -> None:
    working = diagnose(WORKING, [OldDriver()])
    assert working.root_causes[0].severity is Severity.INFO
    assert working.verdict == "healthy"
    failing = replace(WORKING, xpu=Xpu(device_count=0, devices=(), allocated=False))
    assert diagnose(failing, [OldDriver()]).root_causes[0].severity is Severity.ERROR


def test_every_layer_is_proved_by_a_device_that_works() -> None:
    diagnosis = diagnose(WORKING, [])
    states = {rung.layer: rung.state for rung in diagnosis.ladder}
    assert states.pop(Layer.COMPUTE) is State.SKIPPED
    assert set(states.values()) == {State.OK}


def test_a_count_proves_no_runtime() -> None:
    """Since torch 2.13 is_available() and device_count() ask Sysman: only a tensor shows that SYCL works."""
    counted = replace(
        WORKING, xpu=Xpu(compiled=True, available=True, device_count=1, devices=(XpuDevice(0, "B580"),), error="")
    )
    rungs = {rung.layer: rung for rung in diagnose(counted, []).ladder}
    assert rungs[Layer.RUNTIME].state is State.UNKNOWN and rungs[Layer.ENUMERATION].state is State.UNKNOWN
    refused = replace(
        WORKING,
        xpu=Xpu(
            compiled=True,
            available=True,
            device_count=1,
            devices=(XpuDevice(0, "B580", allocated=False),),
            allocated=False,
            error="",
        ),
    )
    assert {rung.layer: rung for rung in diagnose(refused, []).ladder}[Layer.RUNTIME].state is State.UNKNOWN


def test_what_torch_said_in_a_text_stays_what_torch_said() -> None:
    pasted = Snapshot(origin="pasted", torch=WORKING.torch, xpu=Xpu(available=True))
    rungs = {rung.layer: rung for rung in diagnose(pasted, []).ladder}
    assert (
        "torch said that it finds a GPU" in rungs[Layer.RUNTIME].summary
        and "proved" not in rungs[Layer.RUNTIME].summary
    )


@pytest.mark.parametrize(
    ("count", "allocated", "severity"),
    [(1, False, Severity.ERROR), (1, None, Severity.ERROR), (0, False, Severity.ERROR), (1, True, Severity.INFO)],
)
def test_a_count_does_not_soften_a_predicted_fault(count: int, allocated: bool | None, severity: Severity) -> None:
    fault = LibraryFault("missing", "libsycl.so.8", ("libc10_xpu.so",), stage="xpu")
    xpu = Xpu(available=count > 0, device_count=count, **({} if allocated is None else {"allocated": allocated}))
    assert outcome((fault,), Import(succeeded=True), xpu, Run(())).severity is severity


def test_an_unknown_layer_makes_it_undiagnosed_and_a_skipped_one_does_not() -> None:
    blind = Snapshot(torch=WORKING.torch, distributions=WORKING.distributions)
    assert diagnose(blind, []).verdict == "undiagnosed"
    assert diagnose(blind, []).exit_code == 3
    skipped = replace(blind, skipped=tuple(layer.value for layer in Layer if layer is not Layer.WHEEL))
    assert diagnose(skipped, []).verdict == "healthy"


def test_a_missing_fact_is_undecided_with_its_path_and_what_to_ask() -> None:
    snapshot = Snapshot(torch=Torch(build=Unknown("torch/lib cannot be listed")), origin=Origin.PASTED)
    [undecided] = diagnose(snapshot, [NeedsBuild()]).undecided
    assert (undecided.code, undecided.needs, undecided.reason) == (
        "torch-cpu-wheel",
        "torch.build",
        "torch/lib cannot be listed",
    )
    assert "pip list" in undecided.ask


@pytest.mark.parametrize(("skipped", "ask"), [((), ""), (("driver",), "xpu-doctor check, without --only and --skip")])
def test_a_machine_is_not_asked_for_what_was_just_looked_at(skipped: tuple[str, ...], ask: str) -> None:
    """Only what was left out on request can be had by asking again."""
    snapshot = Snapshot(torch=Torch(build=Unknown("torch/lib cannot be listed")), skipped=skipped)
    [undecided] = diagnose(snapshot, [NeedsBuild()]).undecided
    assert undecided.ask == ask


def test_a_rule_that_crashes_costs_nothing_else() -> None:
    diagnosis = diagnose(replace(WORKING, torch=replace(WORKING.torch, build="cpu")), [Crashes(), NeedsBuild()])
    assert [finding.code for finding in diagnosis.root_causes] == ["torch-cpu-wheel"]
    assert diagnosis.crashed[0].error == "ZeroDivisionError: oops"


def test_evidence_is_filled_from_the_snapshot() -> None:
    [finding] = diagnose(WORKING, [OldDriver()]).root_causes
    assert [(item.fact, item.value) for item in finding.evidence] == [
        ("torch.version", "2.9.1+xpu"),
        ("torch.no_such_fact", "(not in the snapshot)"),
    ]


@pytest.mark.parametrize(("fail_on", "verdict"), [("error", "findings"), ("warning", "findings"), ("never", "healthy")])
def test_fail_on(fail_on: str, verdict: str) -> None:
    snapshot = replace(WORKING, torch=replace(WORKING.torch, build="cpu"))
    assert diagnose(snapshot, [NeedsBuild()], Options(fail_on=fail_on)).verdict == verdict


def test_where_no_layer_was_asked_for_nothing_is_clear() -> None:
    skipped = replace(WORKING, skipped=tuple(layer.value for layer in CHECKED))
    found = diagnose(skipped, all_rules(), Options(layers=()))
    assert (found.verdict, found.exit_code) == ("undiagnosed", 3) and found.reason.startswith("Nothing was judged")
    assert {rung.state for rung in found.ladder} <= {State.SKIPPED}
    assert diagnose(WORKING, all_rules(), Options(layers=(Layer.IMPORT,))).verdict == "healthy"


def test_skipped_layers_are_not_judged() -> None:
    snapshot = replace(WORKING, torch=replace(WORKING.torch, build="cpu"), skipped=("wheel",))
    assert not diagnose(snapshot, [NeedsBuild()]).root_causes


@pytest.mark.parametrize(
    ("expect", "state"),
    [
        ("xpu-wheel", "met"),
        ("devices>=1", "met"),
        ("devices>=2", "unmet"),
        ("devices==1", "met"),
        ("devices>=0", "met"),
    ],
)
def test_expectations(expect: str, state: str) -> None:
    assert judge_expectation(expect, WORKING).state == state


def test_expectations_of_what_is_not_known() -> None:
    assert judge_expectation("xpu-wheel", Snapshot()).state == "unknown"
    assert judge_expectation("devices>=1", Snapshot()).state == "unknown"
    assert judge_expectation("devices>=1", Snapshot(imported=Import(succeeded=False))).state == "unmet"


@pytest.mark.parametrize("kind", EvidenceKind)
def test_only_facts_are_looked_up_in_the_snapshot(kind: EvidenceKind) -> None:
    finding = NeedsBuild().found("torch", "text", evidence=(Evidence("torch.build", "", "", kind),))
    (row,) = shown(Snapshot(torch=Torch(build="cpu")), finding).evidence
    assert row.value == ("cpu" if kind is EvidenceKind.FACT else "") and row.kind is kind


def test_evidence_says_what_it_is() -> None:
    assert Evidence("drivers.bad", "x", "y", EvidenceKind.TABLE).label == "table drivers.bad"
    assert Evidence("ZE_AFFINITY_MASK", "0", "y", EvidenceKind.VARIABLE).label == "environment ZE_AFFINITY_MASK"
    assert Evidence("torch.build", "cpu", "y").label == "torch.build"


NVIDIA = Gpu(address="0000:01:00.0", vendor_id=0x10DE, device_id=0x2684, pci_class=0x030000, kernel_driver="nvidia")


@pytest.mark.parametrize("build", ["cpu", "cuda", "rocm"])
@pytest.mark.parametrize(
    ("gpus", "state"),
    [
        (Unknown("not examined"), State.FAULT),
        ((B580,), State.FAULT),
        ((), State.SKIPPED),
        ((NVIDIA,), State.SKIPPED),
    ],
)
def test_a_build_without_xpu_is_a_fault_or_beside_the_point_and_never_ok(
    build: str, gpus: object, state: State
) -> None:
    """Where nobody looked for a GPU the wheel layer says the same as where one is there; without one there is nothing to judge."""
    snapshot = Snapshot(
        machine=Machine(os="linux", wsl=False),
        gpus=gpus,  # type: ignore[arg-type]
        torch=Torch(installed=True, version=f"2.13.0+{build}", build=build),
        distributions=Distributions(installed=(), leftovers=()),
        installer=Installer(settings=()),
    )
    rung = next(rung for rung in diagnose(snapshot, all_rules()).ladder if rung.layer is Layer.WHEEL)
    assert rung.state is state
    assert "no XPU support" in rung.summary

"""Intel's real GPU driver simulating GPUs, asked by the real stages through real loaders."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tests.hosts.test_recorded_hosts import snapshot_of
from tests.level_zero.conftest import Ask
from tests.level_zero.parts import SYSTEM_LIBRARIES, Interpreter, simulated
from tests.level_zero.test_loaders import B580_HOST, root_causes
from xpu_doctor.diagnosis.diagnose import diagnose
from xpu_doctor.model.facts import Environment, Gpu, LevelZero, Variable
from xpu_doctor.model.findings import Finding
from xpu_doctor.rules import RULES
from xpu_doctor.tables.devices import find_device

PRODUCTS = {
    "Arc A770": ("dg2", 0x56A0, "8x4x16"),
    "Arc B580": ("bmg", 0xE20B, "5x4x8"),
    "Meteor Lake": ("mtl", 0x7D55, "2x4x16"),
    "Arrow Lake-H": ("arl", 0x7D51, "2x4x16"),
    "Lunar Lake": ("lnl", 0x64A0, "2x4x8"),
    "Panther Lake": ("ptl", 0xB080, "2x6x8"),
    "Data Center GPU Max": ("pvc", 0x0BD5, "8x8x8"),
    "Iris Xe": ("adlp", 0x46A6, "1x6x16"),
}


def driver_of(interpreter: Interpreter) -> str:
    """Return the path of Intel's driver beside a loader, or skip."""
    path = interpreter.libraries / "libze_intel_gpu.so.1"
    if not path.exists():
        pytest.skip(f"Intel's driver is not in {interpreter.libraries}")
    return str(path)


@pytest.mark.parametrize("product", PRODUCTS)
def test_simulated_gpu(product: str, newest: Interpreter, ask: Ask) -> None:
    """The product's id, name, kind and double precision agree with the devices table."""
    code, device_id, shape = PRODUCTS[product]
    name = f"Intel(R) {product} (simulated)"
    facts = ask(newest, **simulated(code, device_id, shape, name, driver_of(newest)))
    assert facts.died == "" and isinstance(facts.devices, tuple) and len(facts.devices) == 1, facts
    device, row = facts.devices[0], find_device(device_id)
    assert row is not None
    assert (device.device_id, device.name) == (device_id, name)
    assert device.integrated is (not row.family.discrete)
    assert device.fp64 is row.family.fp64
    assert (
        isinstance(facts.drivers, tuple) and isinstance(facts.drivers[0].build, int) and facts.drivers[0].build >= 39122
    )


def test_driver_library_and_build(newest: Interpreter, ask: Ask) -> None:
    """The library that was mapped is Intel's, and its file name holds the build that the driver tells."""
    facts = ask(newest, **simulated("bmg", 0xE20B, "5x4x8", "B580", driver_of(newest)))
    assert isinstance(facts.driver_library, str) and "libze_intel_gpu.so.1." in facts.driver_library
    assert isinstance(facts.drivers, tuple)
    assert facts.driver_library.endswith(str(facts.drivers[0].build))


def test_old_driver(loader_1_8: Interpreter, ask: Ask) -> None:
    """compute-runtime 22.43 of Debian 12 simulating an A770, through the loader 1.8."""
    facts = ask(loader_1_8, **simulated("dg2", 0x56A0, "8x4x16", "A770"), ZE_ENABLE_ALT_DRIVERS=driver_of(loader_1_8))
    assert isinstance(facts.devices, tuple) and [device.device_id for device in facts.devices] == [0x56A0]
    assert isinstance(facts.drivers, tuple) and isinstance(facts.drivers[0].build, int)


@pytest.mark.parametrize("fixture", ["loader_1_8", "newest"])
def test_no_gpu(fixture: str, request: pytest.FixtureRequest, ask: Ask) -> None:
    """The real driver without a GPU says UNINITIALIZED, nothing dies, and its library is seen to load: it is not missing."""
    interpreter: Interpreter = request.getfixturevalue(fixture)
    driver = driver_of(interpreter)
    facts = ask(interpreter, **({} if interpreter.libraries == SYSTEM_LIBRARIES else {"ZE_ENABLE_ALT_DRIVERS": driver}))
    assert facts.init_result == "ZE_RESULT_ERROR_UNINITIALIZED" and facts.died == ""
    assert isinstance(facts.libraries, tuple)
    if interpreter.libraries == SYSTEM_LIBRARIES:
        assert any(not row.error for row in facts.libraries)
        assert "gpu-driver-missing" not in root_causes(facts)


def test_mask_hides_one_of_two(newest: Interpreter, ask: Ask) -> None:
    """ZE_AFFINITY_MASK leaves one of two devices: proved by the same enumeration without it, and only a note."""
    keys = simulated("bmg", 0xE20B, "5x4x8", "B580", driver_of(newest))
    facts = hidden(ask, newest, keys | {"CreateMultipleRootDevices": "2"}, "0")
    assert isinstance(facts.devices, tuple) and len(facts.devices) == 1
    assert isinstance(facts.unfiltered_devices, tuple) and len(facts.unfiltered_devices) == 2
    finding = hidden_finding(facts, "0")
    assert finding.severity.value == "info" and "1 of 2" in finding.summary


def hidden(ask: Ask, interpreter: Interpreter, keys: dict[str, str], mask: str) -> LevelZero:
    """Ask with and without the mask; the keys of the simulation are kept in both runs, since they make the devices."""
    with_mask = ask(interpreter, **keys, ZE_AFFINITY_MASK=mask)
    bare = ask(interpreter, **keys)
    return dataclasses.replace(with_mask, filters=("ZE_AFFINITY_MASK",), unfiltered_devices=bare.devices)


def hidden_finding(facts: LevelZero, mask: str) -> Finding:
    """Return the finding about the mask on a machine with a B580."""
    environment = Environment((Variable("ZE_AFFINITY_MASK", mask),))
    snapshot = dataclasses.replace(snapshot_of(B580_HOST), level_zero=facts, environment=environment)
    roots = diagnose(snapshot, [rule() for rule in RULES]).root_causes
    return next(finding for finding in roots if finding.code == "device-hidden-by-env")


def test_debug_keys_hide_the_real_gpu(newest: Interpreter, ask: Ask, fake_driver: str) -> None:
    """A filter that is set is asked about a second time without it: here the second run has more devices."""
    empty = ask(newest, ZE_ENABLE_ALT_DRIVERS="/nowhere/libze_intel_gpu.so.1")
    assert empty.filters == ("ZE_ENABLE_ALT_DRIVERS",) and empty.init_code != 0


def test_unknown_id_is_not_unsupported(newest: Interpreter, ask: Ask, tmp_path: Path) -> None:
    """A GPU whose id is in no table is called neither absent nor unsupported."""
    gpu = Gpu(
        "0000:03:00.0",
        0x8086,
        0xFEFE,
        pci_class=0x030000,
        kernel_driver="xe",
        render_node="renderD128",
        bar_bytes=(1 << 34,),
    )
    snapshot = dataclasses.replace(snapshot_of(B580_HOST), gpus=(gpu,), level_zero=LevelZero())
    codes = {finding.code for finding in diagnose(snapshot, [rule() for rule in RULES]).root_causes}
    assert not codes & {"gpu-not-present", "gpu-unsupported"}

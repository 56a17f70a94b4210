"""The four stages through real Level Zero loaders of three ages, with a driver library of our own behind them."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import pytest

from tests.hosts.test_recorded_hosts import snapshot_of
from tests.level_zero.conftest import Ask
from tests.level_zero.parts import Interpreter
from xpu_doctor.diagnosis.diagnose import diagnose
from xpu_doctor.model.facts import LevelZero
from xpu_doctor.model.findings import Severity
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.rules import RULES

B580_HOST = Path(__file__).parents[2] / "fixtures" / "hosts" / "arc-b580-ubuntu-24.04.toml"
LOADERS = ("loader_1_8", "loader_1_20", "newest")
every_loader = pytest.mark.parametrize("interpreter", LOADERS, indirect=True)
B580 = "Intel(R) Arc(TM) B580 Graphics|e20b||12216|0000:03:00.0"


@pytest.fixture
def interpreter(request: pytest.FixtureRequest) -> Interpreter:
    """The interpreter that a parameter names."""
    found: Interpreter = request.getfixturevalue(request.param)
    return found


def root_causes(facts: LevelZero) -> list[str]:
    """Return the codes of the root causes on a machine with a B580 on which all else is in order."""
    environment = snapshot_of(B580_HOST).environment
    snapshot = dataclasses.replace(snapshot_of(B580_HOST), level_zero=facts, environment=environment)
    roots = diagnose(snapshot, [rule() for rule in RULES]).root_causes
    return [finding.code for finding in roots if finding.severity is Severity.ERROR]


@every_loader
def test_one_card(interpreter: Interpreter, ask: Ask, fake_driver: str) -> None:
    """Name, ids, memory, PCI address and the driver's build come through."""
    facts = ask(interpreter, ZE_ENABLE_ALT_DRIVERS=fake_driver, FAKE_ZE_DEVICES=B580)
    assert facts.init_result == "ZE_RESULT_SUCCESS" and facts.died == ""
    assert isinstance(facts.drivers, tuple) and [driver.build for driver in facts.drivers] == [36300]
    assert isinstance(facts.devices, tuple) and len(facts.devices) == 1
    device = facts.devices[0]
    assert (device.vendor_id, device.device_id, device.integrated, device.address) == (
        0x8086,
        0xE20B,
        False,
        "0000:03:00.0",
    )
    assert device.name == "Intel(R) Arc(TM) B580 Graphics" and device.memory_bytes == 12216 << 20
    assert root_causes(facts) == []


@every_loader
def test_many_devices(interpreter: Interpreter, ask: Ask, fake_driver: str) -> None:
    """An integrated GPU and two cards, told apart."""
    rows = (
        f"{B580};Intel(R) Arc(TM) Pro B60 Graphics|e211||24480|0000:04:00.0;Intel(R) Graphics|7d67|i|16000|0000:00:02.0"
    )
    facts = ask(interpreter, ZE_ENABLE_ALT_DRIVERS=fake_driver, FAKE_ZE_DEVICES=rows)
    assert isinstance(facts.devices, tuple)
    assert [(device.device_id, device.integrated) for device in facts.devices] == [
        (0xE20B, False),
        (0xE211, False),
        (0x7D67, True),
    ]


@every_loader
def test_no_devices(interpreter: Interpreter, ask: Ask, fake_driver: str) -> None:
    """A driver without devices: zero, whether the loader says so at once or only when it is asked."""
    facts = ask(interpreter, ZE_ENABLE_ALT_DRIVERS=fake_driver, FAKE_ZE_DEVICES="")
    assert facts.devices == () or facts.init_code != 0
    assert facts.died == ""


OLD_LOADER = {"level-zero-loader-too-old"}
"""What may come first with the loader 1.8, which is too old for torch in any case."""

CODES = {
    "0x78000001": ("ZE_RESULT_ERROR_UNINITIALIZED", {"gpu-driver-missing", "gpu-driver-bug"}),
    "0x70000001": ("ZE_RESULT_ERROR_DEVICE_LOST", {"gpu-hang-logged"}),
    "0x70010000": ("ZE_RESULT_ERROR_INSUFFICIENT_PERMISSIONS", {"device-permission"}),
    "0x78000002": ("ZE_RESULT_ERROR_UNSUPPORTED_VERSION", {"level-zero-loader-too-old"}),
    "0x70020000": ("ZE_RESULT_ERROR_DEPENDENCY_UNAVAILABLE", {"gpu-driver-missing"}),
    "0x70000002": ("ZE_RESULT_ERROR_OUT_OF_HOST_MEMORY", {"gpu-driver-bug"}),
    "0x7ffffffe": ("ZE_RESULT_ERROR_UNKNOWN", {"gpu-driver-bug"}),
}


@pytest.mark.parametrize("code", CODES)
@every_loader
def test_init_failures(interpreter: Interpreter, ask: Ask, fake_driver: str, code: str) -> None:
    """Each failure of zeInit by name, without a death (old loaders die when they are called after it), with its root cause."""
    facts = ask(interpreter, ZE_ENABLE_ALT_DRIVERS=fake_driver, FAKE_ZE_INIT_RESULT=code)
    name, causes = CODES[code]
    assert facts.died == ""
    assert isinstance(facts.init_code, int) and facts.init_code != 0
    assert isinstance(facts.devices, Unknown) and isinstance(facts.libraries, tuple)
    # A loader may pass the driver's code on, or say UNINITIALIZED for whatever a driver says.
    assert facts.init_result in {name, "ZE_RESULT_ERROR_UNINITIALIZED"}
    if facts.init_result == name:
        assert set(root_causes(facts)) <= causes | OLD_LOADER and root_causes(facts)


def test_every_code_has_its_own_root_cause() -> None:
    """The same, without a loader: what zeInit returned decides the first root cause."""
    for code, (name, causes) in CODES.items():
        facts = LevelZero(
            loader_loaded=True, loader_error="", died="", filters=(), init_code=int(code, 16), init_result=name
        )
        if name != "ZE_RESULT_ERROR_UNINITIALIZED":
            assert root_causes(facts)[:1] and root_causes(facts)[0] in causes, (name, root_causes(facts))


@pytest.mark.parametrize("call", ["zeInit", "zeDeviceGetProperties"])
@every_loader
def test_crash(interpreter: Interpreter, ask: Ask, fake_driver: str, call: str) -> None:
    """A driver that dies is a fact with the call in it, and the driver is the root cause."""
    facts = ask(interpreter, ZE_ENABLE_ALT_DRIVERS=fake_driver, FAKE_ZE_DIE=call)
    assert isinstance(facts.died, str) and "SIGSEGV" in facts.died
    assert call in facts.died or "zeInit" in facts.died  # loaders of 1.20 ask for the devices already in zeInit
    assert set(root_causes(facts)) <= {"gpu-driver-bug"} | OLD_LOADER and root_causes(facts)


def test_hang(loader_1_8: Interpreter, ask: Ask, fake_driver: str) -> None:
    """A driver that never returns is ended at the deadline, named as a hang and not as a crash."""
    started = time.monotonic()
    facts = ask(loader_1_8, {"ze_init": 1.0}, ZE_ENABLE_ALT_DRIVERS=fake_driver, FAKE_ZE_HANG="zeInit")
    assert time.monotonic() - started < 3.0 + 2.0
    assert isinstance(facts.died, str) and "no answer in 1 s" in facts.died and "SIG" not in facts.died
    assert set(root_causes(facts)) <= {"gpu-driver-bug"} | OLD_LOADER and root_causes(facts)


def test_loader_absent(loader_1_8: Interpreter, ask: Ask, tmp_path: Path) -> None:
    """A library path whose first loader is no library: the linker's own words are kept."""
    (tmp_path / "libze_loader.so.1").write_bytes(b"not a library")
    facts = ask(loader_1_8, LD_LIBRARY_PATH=str(tmp_path))
    assert (
        facts.loader_loaded is False
        and isinstance(facts.loader_error, str)
        and "libze_loader.so.1" in facts.loader_error
    )
    assert root_causes(facts) == ["level-zero-loader-missing"]


def test_versions(loader_1_8: Interpreter, newest: Interpreter, ask: Ask, fake_driver: str) -> None:
    """The loader's version is its own; only the old one lacks what the SYCL runtime calls."""
    old = ask(loader_1_8, ZE_ENABLE_ALT_DRIVERS=fake_driver)
    new = ask(newest, ZE_ENABLE_ALT_DRIVERS=fake_driver)
    assert isinstance(old.loader_version, str) and isinstance(new.loader_version, str)
    assert tuple(map(int, new.loader_version.split("."))) >= (1, 20)
    assert new.loader_has_root_device is True
    if old.loader_version.startswith("1.8."):
        assert old.loader_has_root_device is False


def test_two_drivers(newest: Interpreter, ask: Ask, fake_driver: str, parts_folder: Path) -> None:
    """Two driver libraries behind one loader: both are listed, and their devices keep apart."""
    import shutil

    second = parts_folder / "libze_second.so.1"
    shutil.copy(fake_driver, second)
    facts = ask(newest, ZE_ENABLE_ALT_DRIVERS=f"{fake_driver},{second}", FAKE_ZE_DEVICES=B580)
    assert isinstance(facts.drivers, tuple) and len(facts.drivers) == 2
    assert isinstance(facts.devices, tuple) and [device.driver for device in facts.devices] == [0, 1]

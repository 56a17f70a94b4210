"""The devices table against the kernel's own list of Intel graphics ids."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from xpu_doctor.model.facts import Gpu
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.tables import text
from xpu_doctor.tables.devices import families, find_device, known_ids
from xpu_doctor.tables.gpus import intel_gpus, support

HEADER = Path(__file__).parents[2] / "fixtures" / "pciids" / "pciids.h"
ORIGIN = HEADER.with_name("ORIGIN.md")


def kernel_ids() -> dict[int, str]:
    """Return id -> macro of the recorded header, read in another way than the tool does: number by number, define by define."""
    found: dict[int, str] = {}
    for define in re.split(r"^#define ", HEADER.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        name = define.split("(")[0]
        if name.endswith("_IDS"):
            body = re.sub(r"/\*.*?\*/", "", define, flags=re.DOTALL)
            for number in re.findall(r"\b0[xX][0-9A-Fa-f]+\b", body):
                found[int(number, 16)] = name
    found[0x016A] = "INTEL_IVB_Q_IDS"  # the header writes this one with a subsystem of its own
    return found


EXPECTED = {
    "INTEL_DG2_G10": "dg2-g10",
    "INTEL_DG2_G11": "dg2-g11",
    "INTEL_DG2_G12": "dg2-g12",
    "INTEL_ATS_M": "ats-m",
    "INTEL_MTL_U": "mtl-u",
    "INTEL_MTL_IDS": "mtl-h",
    "INTEL_ARL_H": "arl-h",
    "INTEL_ARL_U": "arl-u",
    "INTEL_ARL_S": "arl-s",
    "INTEL_PVC": "pvc",
    "INTEL_LNL": "lnl",
    "INTEL_BMG_G21": "bmg-g21",
    "INTEL_BMG_IDS": "bmg-g31",
    "INTEL_PTL": "ptl",
    "INTEL_WCL": "wcl",
    "INTEL_NVLS": "nvl-s",
    "INTEL_NVLP": "nvl-p",
    "INTEL_CRI": "cri",
    "INTEL_TGL": "tgl",
    "INTEL_RKL": "rkl",
    "INTEL_DG1": "dg1",
    "INTEL_ADLS": "adl-s",
    "INTEL_RPLS": "adl-s",
    "INTEL_ADLP": "adl-p",
    "INTEL_RPLP": "adl-p",
    "INTEL_RPLU": "adl-p",
    "INTEL_ADLN": "adl-n",
    "INTEL_ICL": "gen11",
    "INTEL_EHL": "gen11",
    "INTEL_JSL": "gen11",
    "INTEL_CNL": "cnl",
    "INTEL_SKL": "gen9",
    "INTEL_BXT": "gen9",
    "INTEL_GLK": "gen9",
    "INTEL_KBL": "gen9",
    "INTEL_AML": "gen9",
    "INTEL_CML": "gen9",
    "INTEL_CFL": "gen9",
    "INTEL_WHL": "gen9",
    "INTEL_BDW": "gen8",
    "INTEL_CHV": "gen8",
}
"""Beginnings of the header's macros and the family that each must give; everything else is older than Broadwell."""


def expected_family(macro: str) -> str:
    """Return the family that a macro of the header must give."""
    fitting = [start for start in EXPECTED if macro.startswith(start)]
    return EXPECTED[max(fitting, key=len)] if fitting else "old"


def test_every_kernel_id_is_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    """All ids of the newest kernel list are in the table with the right family: 100 %."""
    ids = kernel_ids()
    right = [
        number
        for number, macro in ids.items()
        if (device := find_device(number)) and device.family.key == expected_family(macro)
    ]
    wrong = sorted(f"{number:04x} {macro}" for number, macro in ids.items() if number not in right)
    with capsys.disabled():
        origin = next(line for line in ORIGIN.read_text(encoding="utf-8").splitlines() if "Linux" in line)
        print(
            f"\n{len(right)} of {len(ids)} ids of the kernel's list ({100 * len(right) / len(ids):.1f} %) are in the table with the right family: {origin}"
        )
    assert len(ids) > 400
    assert not wrong


def test_the_table_is_what_the_tool_makes(tmp_path: Path) -> None:
    """devices.json agrees with the recorded header: the tool would write nothing else."""
    import importlib.util

    place = Path(__file__).parents[2] / "tools" / "update_pci_ids.py"
    spec = importlib.util.spec_from_file_location("update_pci_ids", place)
    assert spec is not None and spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    old = json.loads(text("devices.json"))["devices"]
    devices, homeless = tool.build(HEADER.read_text(encoding="utf-8"), old, {})
    assert not homeless
    assert devices == old
    assert tool.parse_header(HEADER.read_text(encoding="utf-8")).keys() == {f"{number:04x}" for number in kernel_ids()}


@pytest.mark.parametrize(
    ("vendor", "device"),
    [(0x10DE, 0x2684), (0x10DE, 0x56A0), (0x1002, 0x744C), (0x1002, 0xE20B), (0x1A03, 0x2000), (0x1414, 0x008E)],
)
def test_other_vendors_are_not_intel(vendor: int, device: int) -> None:
    """No AMD, NVIDIA, ASPEED or Microsoft device is an Intel GPU, not even one with the number of an Intel id."""
    assert intel_gpus((Gpu("0000:01:00.0", vendor, device, pci_class=0x030000),)) == ()


def test_a_number_of_another_vendor_is_never_looked_up() -> None:
    """Every id of the table under NVIDIA's and AMD's vendor number stays a stranger."""
    for vendor in (0x10DE, 0x1002):
        assert (
            intel_gpus(tuple(Gpu("0000:01:00.0", vendor, number, pci_class=0x030000) for number in known_ids())) == ()
        )


def test_an_npu_is_no_gpu() -> None:
    """Intel's neural processors are accelerators on the bus and no GPUs."""
    assert (
        intel_gpus(
            (
                Gpu("0000:00:0b.0", 0x8086, 0x643E, pci_class=0x120000),
                Gpu("0000:00:0b.0", 0x8086, 0x7D1D, pci_class=0x120000),
            )
        )
        == ()
    )


def test_an_unknown_id_is_not_in_this_table() -> None:
    """An id that no table has is unknown, never unsupported."""
    answer = support(Gpu("0000:03:00.0", 0x8086, 0xFEFE, pci_class=0x030000))
    assert isinstance(answer, Unknown) and "not in this table" in answer.reason


def test_families_are_whole() -> None:
    """Each family has a source and claims at least one id."""
    claimed = {device.family.key for number in known_ids() if (device := find_device(number))}
    for key, family in families().items():
        assert key in claimed
        assert family.source.startswith("https://")
        assert bool(family.kernel_source) or not family.kernel_sure

"""`xpu-doctor facts`: what the tables know, with sources, for every spelling that people use."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from xpu_doctor.catalogue.knowledge.driver import driver_knowledge
from xpu_doctor.catalogue.knowledge.entry import Entry, Knowledge, NotUnderstood
from xpu_doctor.catalogue.knowledge.gpu import gpu_knowledge
from xpu_doctor.catalogue.knowledge.stack import stack_knowledge
from xpu_doctor.catalogue.knowledge.torch_release import torch_knowledge
from xpu_doctor.cli.main import cli
from xpu_doctor.report.knowledge import knowledge_json, knowledge_text
from xpu_doctor.report.terminal import Terminal
from xpu_doctor.tables.devices import find_device, known_ids
from xpu_doctor.tables.drivers import ReleaseNames
from xpu_doctor.tables.peaks import Peak, peak_tflops
from xpu_doctor.tables.releases import releases
from xpu_doctor.tables.rows import rows

DAY = "2026-11-26"


def value(entry: Entry, name: str) -> object:
    """The first fact of a name."""
    return next(item.value for item in entry.facts if item.name == name)


@pytest.mark.parametrize(
    "asked",
    ["e20b", "0xE20B", "8086:e20b", "[8086:e20b]", "PCI\\VEN_8086&DEV_E20B&SUBSYS_11008086", "8086 e20b", " E20B "],
)
def test_a_gpu_by_its_id(asked: str) -> None:
    (entry,) = gpu_knowledge(asked, DAY).entries
    assert entry.title == "Intel(R) Arc(TM) B580 Graphics (8086:e20b)"
    assert value(entry, "kernel driver") == ("xe",)
    assert value(entry, "first compute-runtime") == "24.31.30508"


@pytest.mark.parametrize("asked", ["Arc B580", "Intel(R) Arc(TM) B580 Graphics", "arc b580"])
def test_a_gpu_by_its_name(asked: str) -> None:
    (entry,) = gpu_knowledge(asked, DAY).entries
    assert any("8086:e20b" in text for text in value(entry, "ids"))  # type: ignore[attr-defined]
    assert "Battlemage" in str(value(entry, "family"))


@pytest.mark.parametrize(
    ("asked", "family"),
    [
        ("b70", "bmg-g31"),
        ("b50", "bmg-g21"),
        ("140v", "lnl"),
        ("flex170", "ats-m"),
        ("max1100", "pvc"),
        ("tiger lake", "tgl"),
        ("battlemage g31", "bmg-g31"),
        ("rocket lake", "rkl"),
    ],
)
def test_a_gpu_by_the_last_word_of_its_name(asked: str, family: str) -> None:
    (entry,) = gpu_knowledge(asked, DAY).entries
    assert f"({family})" in str(value(entry, "family"))


@pytest.mark.parametrize("asked", ["geforce", "arc", "xyz"])
def test_a_name_that_no_table_has_is_unknown(asked: str) -> None:
    found = gpu_knowledge(asked, DAY)
    assert not found.entries and "neither a PCI id" in found.note


@pytest.mark.parametrize(
    "asked",
    [
        "NVIDIA Arc B580 fake",
        "AMD Arc A770",
        "B580 banana",
        "Arc B580 and RTX 4090",
        "fake Arc B580",
        "GeForce B580",
        "Arc B580 killer",
        "e20b banana",
        "8086:e20b of NVIDIA",
        "10de:e20b",
    ],
)
def test_a_name_with_words_that_no_gpu_of_intels_has_is_unknown(asked: str) -> None:
    found = gpu_knowledge(asked, DAY)
    assert not found.entries and found.note


@pytest.mark.parametrize(
    "asked",
    [
        "Intel Corporation Battlemage G21 [Arc B580] [8086:e20b]",
        "Intel Arc B580 12GB",
        "Arc B580 Limited Edition",
        "Intel(R) Arc(TM) B580 Graphics Card",
        "the Arc B580 GPU",
        "8086:e20b Intel Arc B580",
        "VGA compatible controller Intel Corporation Arc B580",
    ],
)
def test_a_name_with_the_words_of_inventories_is_known(asked: str) -> None:
    (entry,) = gpu_knowledge(asked, DAY).entries
    assert value(entry, "family") == "Battlemage G21 (bmg-g21)"


@pytest.mark.parametrize("asked", ["9a49 e20b", "e20b, 56a0", "0xe20b 0x56a0", "8086:e20b 8086:56a0"])
def test_several_ids_are_refused(asked: str) -> None:
    with pytest.raises(NotUnderstood, match="one GPU at a time"):
        gpu_knowledge(asked, DAY)


def faults(asked: str) -> str:
    return " ".join(
        str(item.value)
        for entry in gpu_knowledge(asked, DAY).entries
        for item in entry.facts
        if item.name.endswith("fault")
    )


@pytest.mark.parametrize(
    ("asked", "there", "absent"),
    [
        ("b580", "on the B580", "Pro B-series"),
        ("e20b", "on a B580", "Pro B-series"),
        ("b70", "Pro B-series", "B580"),
        ("e223", "four Arc Pro", "B580"),
        ("b60", "Pro B-series", "on a B580"),
        ("a770", "two A770", "B580"),
    ],
)
def test_a_fault_is_told_of_the_gpus_on_which_it_was_seen(asked: str, there: str, absent: str) -> None:
    assert there in faults(asked)
    assert absent not in faults(asked)


def test_a_fault_of_one_card_is_not_told_of_its_sister() -> None:
    assert "two A770" not in faults("a750")
    assert "two A770" in faults("alchemist")


def test_bounds_are_a_range() -> None:
    told = faults("b580")
    assert "driver build 38646;" in told and "driver build 36015 to 37020" in told
    assert ">= 38646" not in told and "<= 37020" not in told
    assert "up to, without, 39122" in faults("a770")


@pytest.mark.parametrize("number", [0xE20B, 0xE223, 0x56A0])
def test_no_placeholder_is_left_in_a_fault(number: int) -> None:
    assert "{" not in knowledge_text(gpu_knowledge(f"{number:04x}", DAY), Terminal())


@pytest.mark.parametrize("asked", ["beef", "0xbeef", "8086:ffff"])
def test_an_id_that_no_table_has_is_unknown(asked: str) -> None:
    found = gpu_knowledge(asked, DAY)
    assert not found.entries and "unknown, not unsupported" in found.note


@pytest.mark.parametrize("number", known_ids()[::7])
def test_every_id_is_answered(number: int) -> None:
    device = find_device(number)
    assert device is not None
    (entry,) = gpu_knowledge(f"{number:04x}", DAY).entries
    assert device.family.codename in str(value(entry, "family"))
    assert all(item.source and item.checked for item in entry.facts)


@pytest.mark.parametrize("asked", ["26.05.37020", "26.05.37020.3-1~24.04", "1.6.37020+3", "37020", "26.05"])
def test_a_driver_in_any_spelling(asked: str) -> None:
    (entry,) = driver_knowledge(asked, DAY).entries
    assert entry.title == "compute-runtime 26.05 (build 37020)"
    assert any(item.name == "known bad" and "Battlemage" in str(item.value) for item in entry.facts)


def test_a_good_driver_is_not_called_bad() -> None:
    (entry,) = driver_knowledge("26.31.39395", DAY).entries
    assert not [item for item in entry.facts if item.name == "known bad"]


def test_every_release_of_the_driver_is_answered() -> None:
    for number, name in rows(ReleaseNames)[0].names:
        assert driver_knowledge(name, DAY).entries[0].title.startswith(f"compute-runtime {name} (build {number})")


def test_a_windows_driver() -> None:
    (entry,) = driver_knowledge("32.0.101.6130", DAY).entries
    assert "Panther Lake: 32.0.101" in str(value(entry, "too old for"))
    assert entry.title == "Windows driver 32.0.101.6130"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("32.0.101.5768", "is quoted with 32.0.101.8801 or newer"),
        ("32.0.101.5768", "32.0.101.9034 is newer"),
        ("32.0.101.8860", "torch 2.14"),
        ("32.0.101.6881", "32.0.101.6737 was good"),
        ("31.0.101.4900", "31.0.101.4676 was good"),
    ],
)
def test_a_windows_driver_is_held_against_every_table(asked: str, told: str) -> None:
    (entry,) = driver_knowledge(asked, DAY).entries
    assert told in " ".join(str(item.value) for item in entry.facts)


@pytest.mark.parametrize("asked", ["31.0.101.4676", "31.0.101.5122", "32.0.101.6737", "32.0.101.6882"])
def test_a_windows_driver_beside_the_bounds_of_a_fault_is_not_blamed(asked: str) -> None:
    (entry,) = driver_knowledge(asked, DAY).entries
    assert not [item for item in entry.facts if item.name.endswith("fault")]


@pytest.mark.parametrize("asked", ["99.99.99999", "99999", "1.99.99999", "32.0.101.9999"])
def test_of_a_driver_newer_than_the_tables_nothing_is_claimed(asked: str) -> None:
    found = driver_knowledge(asked, DAY)
    assert not found.entries and "newer than the newest" in found.note


def test_a_driver_newer_than_the_table_says_so() -> None:
    assert "newer than the newest release" in driver_knowledge("99.01.99999", DAY).note


@pytest.mark.parametrize("asked", ["2.13", "2.13.0", "2.13.0+xpu", "torch==2.13.0", "v2.13"])
def test_a_torch_release(asked: str) -> None:
    entry = torch_knowledge(asked, DAY).entries[0]
    assert entry.title == "torch 2.13.0"
    assert value(entry, "XPU wheel") is True
    assert "--index-url https://download.pytorch.org/whl/xpu" in str(value(entry, "install"))


def test_a_minor_release_means_all_its_patches() -> None:
    patches = [row.torch for row in releases() if row.torch.startswith("2.7.")]
    assert len(torch_knowledge("2.7", DAY).entries) == len(patches) > 1
    assert len(torch_knowledge(patches[-1], DAY).entries) == 1


@pytest.mark.parametrize("asked", ["2.99", "7.0.1", "2.14.0.dev20260101"])
def test_a_torch_that_no_row_covers_is_unknown(asked: str) -> None:
    found = torch_knowledge(asked, DAY)
    assert not found.entries and found.note


def test_every_release_is_answered_with_sources() -> None:
    for row in releases():
        for entry in torch_knowledge(row.torch, DAY).entries:
            assert all(item.source and item.checked and item.table for item in entry.facts)


@pytest.mark.parametrize("kind", [torch_knowledge, gpu_knowledge, driver_knowledge])
@given(asked=st.text(max_size=80))
def test_whatever_is_asked_gets_an_answer_or_is_refused(kind, asked: str) -> None:  # type: ignore[no-untyped-def]
    try:
        found: Knowledge = kind(asked, DAY)
    except NotUnderstood:
        return
    assert json.loads(knowledge_json(found, DAY))["asked"] == asked
    assert knowledge_text(found, Terminal()).strip()


def test_old_rows_are_marked() -> None:
    text = knowledge_text(torch_knowledge("2.13.0", "2031-01-01"), Terminal())
    assert "may be out of date" in text and "may be out of date" not in knowledge_text(
        torch_knowledge("2.13.0", DAY), Terminal()
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["torch", "2.13"], 0),
        (["gpu", "Arc", "B580"], 0),
        (["driver", "26.05.37020", "--json"], 0),
        (["gpu", "beef"], 3),
        (["torch", "foo"], None),
        (["cpu", "x"], None),
        (["torch"], None),
        (["gpu", " "], None),
    ],
)
def test_the_command(arguments: list[str], code: int | None) -> None:
    """A question that cannot be understood is a wrong command line, which main() turns into exit code 2."""
    outcome = CliRunner().invoke(cli, ["facts", *arguments], standalone_mode=False)
    assert (outcome.return_value if outcome.exception is None else None) == code
    if code == 0 and "--json" in arguments:
        assert json.loads(outcome.output)["entries"][0]["facts"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gpu", "b58"], "Did you mean 'b580'?"),
        (["gpu", "arc", "B58"], "Did you mean 'arc b580'?"),
        (["stack", "vlm"], "Did you mean 'vLLM'?"),
        (["gpu", "rtx 4090"], ""),
        (["gpu", "beef"], ""),
        (["stack", "foo"], ""),
    ],
)
def test_a_near_name_is_offered(arguments: list[str], said: str) -> None:
    """A name of which nothing is near gets no offer."""
    outcome = CliRunner().invoke(cli, ["facts", *arguments], standalone_mode=False)
    assert outcome.return_value == 3
    assert said in outcome.output
    assert bool(said) == ("Did you mean" in outcome.output)


@pytest.mark.parametrize("kind", ["torch", "gpu", "driver", "stack"])
def test_whoever_does_not_say_of_what_sees_an_example(kind: str) -> None:
    outcome = CliRunner().invoke(cli, ["facts", kind], standalone_mode=False)
    assert f"xpu-doctor facts {kind} " in str(outcome.exception)


@pytest.mark.parametrize(
    ("asked", "title", "says"),
    [
        ("IPEX", "Intel Extension for PyTorch", "ended"),
        ("intel_extension_for_pytorch", "Intel Extension for PyTorch", "torch+xpu"),
        ("ai playground", "AI Playground", "of its own"),
        ("vLLM", "vLLM", "wheels.vllm.ai/xpu"),
        ("BigDL-LLM", "ipex-llm", "archived"),
    ],
)
def test_a_stack_by_any_name(asked: str, title: str, says: str) -> None:
    (entry,) = stack_knowledge(asked, DAY).entries
    assert entry.title == title and any(says in str(item.value) for item in entry.facts)
    assert all(item.source and item.checked for item in entry.facts)


def test_a_stack_that_no_row_names_is_unknown() -> None:
    found = stack_knowledge("some other tool", DAY)
    assert not found.entries and "vLLM" in found.note


def test_a_derived_peak_is_never_called_published() -> None:
    """Neither in the answer of `facts`, nor as the whole of a share."""
    derived = [(number, dtype) for row in rows(Peak) for number in row.ids for dtype in row.derived]
    assert len(derived) > 20
    for number, dtype in derived:
        assert peak_tflops(number, dtype) is None
        (entry,) = gpu_knowledge(f"{number:04x}", DAY).entries
        published = next((item for item in entry.facts if item.name == "peak TFLOP/s"), None)
        assert published is None or dtype not in str(published.value)
        assert not next(item for item in entry.facts if item.name == "peak TFLOP/s, derived").sure
    assert peak_tflops(0xE20B, "float32") == 13.67 and peak_tflops(0xE211, "float32") == 12.28


def test_an_archive_is_named_beside_its_build() -> None:
    (entry,) = driver_knowledge("26.05.37020", DAY).entries
    assert {"Ubuntu 26.04", "Ubuntu 26.10"} <= {item.value for item in entry.facts if item.name == "in the archive"}

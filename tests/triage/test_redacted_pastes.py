"""Planted private values do not survive, and nobody's name changes a diagnosis."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from tools.planted_secrets import CREDENTIALS, MOST, OUTPUTS, Plant, outputs, plants, redacted, survives
from tools.update_field_words import TARGET, field_words
from xpu_doctor.catalogue.names import all_rules
from xpu_doctor.pasted.run import triage_texts
from xpu_doctor.text.private_names import redactor_for
from xpu_doctor.text.safe import from_bytes
from xpu_doctor.text.word_index import IndexedText

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CASES: list[dict[str, Any]] = [
    row
    for path in sorted((Path(__file__).parents[2] / "fixtures" / "cases").glob("*.toml"))
    for row in tomllib.loads(path.read_text(encoding="utf-8"))["case"]
]
SAMPLE = plants()[::12]


def test_planted_values_are_hidden_before_anything_is_read() -> None:
    """At most two in a hundred survive in the text that the parsers get, and no credential."""
    everything = plants()
    assert len({(plant.kind, plant.place) for plant in everything}) >= 200
    alive = [plant for plant in everything if survives(plant, redacted(plant))]
    assert len(alive) <= MOST * len(everything), [(plant.kind, plant.place) for plant in alive]
    assert not [plant.place for plant in alive if plant.kind in CREDENTIALS]


@pytest.mark.parametrize("plant", [pytest.param(plant, id=f"{plant.kind}: {plant.place}") for plant in SAMPLE])
def test_planted_values_are_in_no_output(plant: Plant) -> None:
    """Every format, all evidence and the reply are clean."""
    printed = outputs(plant)
    assert set(printed) == set(OUTPUTS) and all(printed.values())
    assert not [name for name, text in printed.items() if survives(plant, text)]


def roots(text: str) -> list[tuple[str, str]]:
    """The root causes of a text, and how sure they are."""
    found = triage_texts([("text", from_bytes(text.encode(), "text"))], rules=all_rules()).diagnosis.root_causes
    return [(finding.code, finding.confidence.value) for finding in found]


def signed(text: str, name: str) -> str:
    """A text to which somebody adds where they work."""
    return (
        f'{text}\n{name}@{name}:~$ ls\n  File "/home/{name}/x.py", line 1\nC:\\Users\\{name}\\x> dir\n$ whoami\n{name}\n'
        f"uid=1000({name}) gid=1000({name})\nNov 21 09:25:11 {name} systemd[1]: x\n"
    )


@pytest.mark.parametrize("name", ["Iris", "Max", "Zero", "Triton", "oneapi", "arc", "intel", "xe", "torch", "ubuntu"])
def test_nobodys_name_changes_a_cause(name: str) -> None:
    """A user and a machine that are called as a product is come to the same diagnosis as others."""
    for case in CASES[::8]:
        assert roots(signed(case["text"], name)) == roots(signed(case["text"], "zbrenner")), case["name"]


@pytest.mark.parametrize(
    "before",
    [
        "user=zbrenner pw=Kl3eblatt!",
        "PGPASSWORD=Kl3eblatt! psql;",
        "PGPASSWORD=Kl3eblatt!;",
        "Login: zbrenner / Kl3eblatt!",
        "host: srv-gpu-04.acme-robotics.com",
        "server srv-gpu-04.acme-robotics.com says",
        "the password is Kl3eblatt!",
    ],
)
def test_an_error_on_the_line_of_a_private_value_is_diagnosed(before: str) -> None:
    """What is hidden ends where the value ends."""
    error = "ImportError: libze_loader.so.1: cannot open shared object file: No such file or directory"
    assert roots(f"{before} {error}") == roots(error) != []
    body = IndexedText(f"{before} {error}")
    assert not {"zbrenner", "Kl3eblatt", "srv-gpu-04"} & set(re.findall(r"[\w-]+", redactor_for([body]).text(body)))


def test_words_of_the_tables_are_known() -> None:
    """The words by which texts are diagnosed are listed: no name takes one of them out of a text (`tools/update_field_words.py`)."""
    missing = set(field_words()) - set(TARGET.read_text(encoding="utf-8").split())
    assert not missing, f"run python tools/update_field_words.py: {sorted(missing)}"

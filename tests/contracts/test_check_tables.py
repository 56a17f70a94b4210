"""A wrong row of a table is refused by file and line, in words that say what to write instead."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from xpu_doctor import tables
from xpu_doctor.tables.rows import rows


def tool() -> ModuleType:
    """tools/check_tables.py as a module."""
    place = Path(__file__).parents[2] / "tools" / "check_tables.py"
    spec = importlib.util.spec_from_file_location("check_tables", place)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


TOOL = tool()
FIRST = {kind.table: kind for kind in TOOL.KINDS}


def with_line(name: str, old: str, new: str) -> tuple[str, int]:
    """A shipped table with one line of it changed, and the number of that line."""
    lines = tables.text(f"{name}.toml").splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith(old))
    lines[place] = new
    return "\n".join(lines) + "\n", place + 1


def test_shipped_tables_are_right() -> None:
    """What is under data/ passes, and every file there is looked at."""
    files = {path.stem for path in (Path(tables.__file__).parents[1] / "data").glob("*.toml")}
    assert files == set(TOOL.NAMES)
    assert [str(fault) for name in TOOL.NAMES for fault in TOOL.check(name, tables.text(f"{name}.toml"))] == []


@pytest.mark.parametrize("table", FIRST)
def test_misspelt_key(table: str) -> None:
    """In every table a key that the row's class lacks is refused at its own line."""
    name, _, array = table.partition(".")
    lines = tables.text(f"{name}.toml").splitlines()
    header = next(number for number, line in enumerate(lines) if line.strip() in (f"[[{array}]]", f"[{array}]"))
    text = "\n".join([*lines[: header + 1], 'chekced = "2026-11-21"', *lines[header + 1 :]])
    [fault] = TOOL.check(name, text)
    assert str(fault).startswith(
        f"xpu_doctor/data/{name}.toml:{header + 2}: there is no column 'chekced' here; did you mean 'checked'?"
    )


@pytest.mark.parametrize("table", FIRST)
@pytest.mark.parametrize("column", ["source", "checked"])
def test_every_row_needs_source_and_date(table: str, column: str) -> None:
    """A row of any table without its source or its date is refused."""
    name, _, array = table.partition(".")
    lines = tables.text(f"{name}.toml").splitlines()
    header = next(number for number, line in enumerate(lines) if line.strip() in (f"[[{array}]]", f"[{array}]"))
    gone = next(number for number in range(header, len(lines)) if lines[number].startswith(f"{column} = "))
    [fault] = TOOL.check(name, "\n".join(lines[:gone] + lines[gone + 1 :]))
    assert str(fault) == f"xpu_doctor/data/{name}.toml:{header + 1}: the column '{column}' is missing"


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("drivers", "families = ", 'families = ["bmg-g12"]', "there is no GPU family 'bmg-g12'; did you mean 'bmg-g"),
        ("drivers", "effect = ", 'effect = "no-such-effect"', "'effect' cannot be 'no-such-effect' (one of: results, errors, devices)"),
        ("drivers", "builds = ", 'builds = "37020"', "'builds' must be a list in square brackets, and is a text in quotes"),
        ("drivers", "builds = ", 'builds = [37020, "37030"]', "'builds' must be a whole number, and is a text in quotes"),
        ("drivers", "minimum = ", 'minimum = "new"', "'new' is no version, such as 6.8 or 1.19.0"),
        ("drivers", "[[bad]]", "[[badd]]", "a row of drivers.toml cannot be called 'badd'; did you mean 'bad'?"),
        ("devices", "kind = ", 'kind = "integratd"', "'kind' cannot be 'integratd'; did you mean 'integrated'? (one of: integrated, discrete)"),
        ("devices", "torch = ", 'torch = "maybe"', "'torch' cannot be 'maybe' (one of: supported, works, unsupported, unlisted)"),
        ("device_names", "family = ", 'family = "arc-z"', "there is no GPU family 'arc-z'"),
        ("device_names", "pattern = ", "pattern = '(?:'", "'(?:' is no regular expression: "),
        ("first_aid", "code = ", 'code = "torch-cpu-weel"', "there is no finding code 'torch-cpu-weel'; did you mean 'torch-cpu-wheel'?"),
        ("first_aid", "os = ", 'os = "linx"', "'os' cannot be 'linx'; did you mean 'linux'? (one of: linux, windows)"),
        ("first_aid", "risk = ", 'risk = "rebot"', "'risk' cannot be 'rebot'; did you mean 'reboot'?"),
        ("questions", "decides = ", 'decides = ["no-such-code"]', "there is no finding code 'no-such-code'"),
        ("questions", "unless = ", 'unless = ["pasted.blokcs=collect_env"]', "there is no fact 'pasted.blokcs': 'blokcs' is unknown; did you mean 'blocks'?"),
        ("implications", "when = ", 'when = ["signature:no-tortch"]', "there is no message 'no-tortch'; did you mean 'no-torch'?"),
        ("implications", "when = ", 'when = ["torch.build is xpu"]', "'torch.build is xpu' is no condition: write it as "),
        ("implications", "unless = ", 'unless = ["xpu.available=yes"]', "xpu.available is true or false, never 'yes'"),
        ("implications", "confidence = ", 'confidence = "sure"', "'confidence' cannot be 'sure' (one of: possible, likely, certain)"),
        ("known_faults", "code = ", 'code = "gpu-driver-bugg"', "'code' cannot be 'gpu-driver-bugg'; did you mean 'gpu-driver-bug'?"),
        ("known_faults", "when = ", 'when = ["level_zero.drivers[0].buildd>=1"]', "there is no fact 'level_zero.drivers[0].buildd': 'buildd' is unknown; did you mean 'build'?"),
        ("opened_libraries", "layer = ", 'layer = "run-time"', "'layer' cannot be 'run-time'; did you mean 'runtime'?"),
        ("peaks", "tflops = ", "tflops = { float31 = 1.0 }", "'tflops' cannot be 'float31'"),
        ("peaks", "source = ", 'source = "a colleague"', "'a colleague' is no address that can be looked up"),
        ("releases", "confidence = ", 'confidence = "certain"', "'confidence' cannot be 'certain' (one of: confirmed, inferred)"),
        ("releases", "xpu_wheel = ", 'xpu_wheel = "yes"', "'xpu_wheel' must be true or false, and is a text in quotes"),
        ("signatures", "establishes = ", 'establishes = { "xpu.compild" = "false" }', "there is no fact 'xpu.compild': 'compild' is unknown; did you mean 'compiled'?"),
        ("signatures", "also = ", 'also = ["torch-shadow"]', "there is no finding code 'torch-shadow'; did you mean 'torch-shadowed'?"),
        ("signatures", "kind = ", 'kind = "clame"', "'kind' cannot be 'clame'; did you mean 'claim'?"),
        ("system_libraries", "checked = ", 'checked = "21.11.2026"', "'21.11.2026' is no day: write it as 2026-11-21"),
    ],
)  # fmt: skip
def test_wrong_value(name: str, old: str, new: str, expected: str) -> None:
    """An invented name, a wrong word, a wrong type: each at its own line."""
    text, line = with_line(name, old, new)
    found = {str(fault) for fault in TOOL.check(name, text)}
    start = f"xpu_doctor/data/{name}.toml:{line}: {expected}"
    assert any(fault.startswith(start) for fault in found), (start, found)


def test_row_inside_a_row() -> None:
    """What a message implies has rows of its own, with lines of their own."""
    lines = tables.text("signatures.toml").splitlines()
    place = [number for number, line in enumerate(lines) if line == "[[signature.implies]]"][3] + 1
    lines[place] = 'code = "torch-cuda-whel"'
    [fault] = TOOL.check("signatures", "\n".join(lines))
    assert (
        str(fault)
        == f"xpu_doctor/data/signatures.toml:{place + 1}: there is no finding code 'torch-cuda-whel'; did you mean 'torch-cuda-wheel'?"
    )


def test_name_that_stands_twice() -> None:
    """An id names one row."""
    text = tables.text("drivers.toml").replace('id = "several-battlemage-36015"', 'id = "nonzero-37020"')
    [fault] = TOOL.check("drivers", text)
    assert "id 'nonzero-37020' stands in the row of line " in fault.message


def test_text_that_is_no_toml() -> None:
    """A missing quote is told by its line as well."""
    text, line = with_line("peaks", "name = ", 'name = "Arc')
    [fault] = TOOL.check("peaks", text)
    assert fault.line in (line, line + 1) and fault.message.startswith("this is no TOML: ")


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The command says that all is well, and names the tables where one is misspelt."""
    assert TOOL.main(["peaks", "drivers"]) == 0
    assert capsys.readouterr().out == "2 tables: nothing is wrong\n"
    assert TOOL.main(["driver"]) == 2
    assert "did you mean 'drivers'?" in capsys.readouterr().out


def test_bad_row_never_prevents_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the field a row that cannot be decoded is left out, and the others stay."""
    kind = FIRST["drivers.bad"]
    good = rows(kind)
    parsed = tables.parse_toml(tables.text("drivers.toml"))
    parsed["bad"].insert(1, {"id": "half a row"})
    monkeypatch.setattr("xpu_doctor.tables.rows.toml", lambda name: parsed)
    rows.cache_clear()
    try:
        assert rows(kind) == good
    finally:
        rows.cache_clear()

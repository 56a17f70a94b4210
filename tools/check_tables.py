"""Checks every row of the tables under xpu_doctor/data/, and says by file and line what is wrong.

    python tools/check_tables.py [TABLE ...]        # all tables, or those named: drivers, signatures ...

A column must be one that the row's class has, with a value of its kind; what names something else (a finding code, a GPU
family, a fact, a message) must name one that there is. The classes are in xpu_doctor/tables/.
"""

from __future__ import annotations

import datetime
import difflib
import enum
import re
import sys
import types
import typing
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import msgspec  # noqa: E402

from xpu_doctor import tables  # noqa: E402
from xpu_doctor.catalogue.names import all_codes  # noqa: E402
from xpu_doctor.diagnosis.conditions import condition  # noqa: E402
from xpu_doctor.model.snapshot import Snapshot  # noqa: E402
from xpu_doctor.model.unknown import Unknown  # noqa: E402
from xpu_doctor.tables import (  # noqa: E402
    ageing,
    device_names,
    devices,
    distributions,
    drivers,
    fallback_operators,
    first_aid,
    known_faults,
    launchers,
    layouts,
    libraries,
    line_rows,
    peaks,
    processors,
    program_devices,
    questions,
    releases,
    stacks,
    translations,
    variables,
)
from xpu_doctor.tables import signatures as messages  # noqa: E402
from xpu_doctor.tables.rows import Checked, plain_rows, rows  # noqa: E402

KINDS: tuple[type[Checked], ...] = (
    ageing.ShelfLife,
    device_names.GpuName,
    devices.Family,
    distributions.Known,
    distributions.Relative,
    distributions.Releases,
    drivers.ReleaseNames,
    drivers.LoaderFloor,
    drivers.FirstBuild,
    drivers.KernelNeed,
    drivers.WindowsMinimum,
    drivers.WindowsForTorch,
    drivers.WindowsNewest,
    drivers.BadBuild,
    drivers.WslFault,
    drivers.BadKernel,
    drivers.Archive,
    drivers.PackageSet,
    fallback_operators.ListOfRelease,
    first_aid.FirstAid,
    messages.ImplicationRow,
    messages.SignatureRow,
    known_faults.FaultRow,
    launchers.Launcher,
    layouts.Layout,
    libraries.Opened,
    libraries.SystemLibrary,
    libraries.Compiler,
    line_rows.HarmlessRow,
    translations.TranslationRow,
    line_rows.WorkingRow,
    peaks.Peak,
    processors.Processor,
    program_devices.ProgramDevice,
    questions.Question,
    releases.PythonNote,
    releases.Index,
    releases.Release,
    releases.IpexPair,
    stacks.Stack,
    variables.KnownVariable,
)
"""The class of each table's rows."""
HEAD = ("checked", "as_of", "schema")
"""What may stand before the first row of a file."""
NAMES = tuple(dict.fromkeys(kind.table.partition(".")[0] for kind in KINDS))

_HEADER = re.compile(r"^\s*\[\[?\s*([\w.-]+)\s*\]\]?\s*(?:#.*)?$")
_PLACE = re.compile(r"https?://[^\s]+\.[^\s]+|[\w.-]+(==|:)[\w./-]+")
_VERSION = re.compile(r"\d+(\.\d+)*([.+-]?[a-z]+\d*)*")
_WORDS = {
    "str": "a text in quotes",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list in square brackets",
    "object": "a table in braces",
}

Path_ = tuple[str | int, ...]
"""Where a value stands in its row: `("implies", 2, "code")`."""


@dataclass(frozen=True)
class Fault:
    """Something wrong in a table."""

    table: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"xpu_doctor/data/{self.table}.toml:{self.line}: {self.message}"


class Lines:
    """Where the rows and columns of a TOML text stand."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        self._headers = [
            (number, match[1]) for number, line in enumerate(self._lines, 1) if (match := _HEADER.match(line))
        ]

    def head(self, name: str) -> int:
        """Return the line of the first header of a name, or of a value that stands before all rows."""
        return (
            next((number for number, header in self._headers if header == name), 0)
            or self._of_column(name, 1, len(self._lines) + 1)
            or 1
        )

    def of(self, table: str, row: int, path: Path_ = ()) -> int:
        """Return the line of a value, or that of its row's header where it has none of its own."""
        start, end = self._block(table, row, 1, len(self._lines) + 1)
        names = list(path)
        while len(names) > 2 and isinstance(names[0], str) and isinstance(names[1], int):
            inner = self._block(f"{table}.{names[0]}", names[1], start, end)
            if inner == (start, end):
                break
            table, (start, end), names = f"{table}.{names[0]}", inner, names[2:]
        return (self._of_column(str(names[0]), start, end) if names else 0) or start

    def _block(self, name: str, number: int, start: int, end: int) -> tuple[int, int]:
        """Return the first line of a row, and the one after its last; the lines given where it has no header."""
        places = [place for place, (line, header) in enumerate(self._headers) if header == name and start <= line < end]
        if number >= len(places):
            return start, end
        after = (line for line, header in self._headers[places[number] + 1 :] if not header.startswith(name + "."))
        return self._headers[places[number]][0], min(next(after, end), end)

    def _of_column(self, column: str, start: int, end: int) -> int:
        key = re.compile(rf"""\s*["']?{re.escape(column)}["']?\s*=""")
        return next((number for number in range(start, end) if key.match(self._lines[number - 1])), 0)


def check(name: str, text: str) -> list[Fault]:
    """Return what is wrong in a table's text, in the order of its lines."""
    try:
        parsed = tables.parse_toml(text)
    except ValueError as error:
        line = re.search(r"line (\d+)", str(error))
        return [Fault(name, int(line[1]) if line else 1, f"this is no TOML: {error}")]
    return sorted(_faults(name, parsed, Lines(text)), key=lambda fault: fault.line)


def _faults(name: str, parsed: dict[str, Any], lines: Lines) -> Iterator[Fault]:
    kinds = {kind.table.partition(".")[2]: kind for kind in KINDS if kind.table.partition(".")[0] == name}
    for key in parsed:
        if key not in kinds and key not in HEAD:
            yield Fault(name, lines.head(key), f"a row of {name}.toml cannot be called {key!r}{_instead(key, kinds)}")
    for key, kind in kinds.items():
        seen: dict[str, int] = {}
        for number, row in enumerate(plain_rows(parsed, key)):
            for path, message in (*_of_row(row, kind), *_repeated(row, kind, seen, lines.of(key, number))):
                yield Fault(name, lines.of(key, number, path), message)


def _of_row(row: Any, kind: type[Checked]) -> Iterator[tuple[Path_, str]]:
    """Yield where and how a row is wrong: its columns first, and what they refer to once it can be decoded."""
    try:
        decoded = msgspec.convert(row, kind)
    except msgspec.ValidationError as error:
        yield _in_words(str(error), kind)
        return
    for what, value, path in _references(kind, decoded, ()):
        message = CHECKS[what](value)
        if message:
            yield path, message


def _repeated(row: dict[str, Any], kind: type[Checked], seen: dict[str, int], line: int) -> Iterator[tuple[Path_, str]]:
    for field in msgspec.structs.fields(kind):
        value = row.get(field.encode_name)
        if _extra(field.type) == "name" and isinstance(value, str):
            if value in seen:
                yield (
                    (field.encode_name,),
                    f"{field.encode_name} {value!r} stands in the row of line {seen[value]} already",
                )
            seen.setdefault(value, line)


def _in_words(error: str, kind: type[Checked]) -> tuple[Path_, str]:
    """Return the place and the meaning of a message of the decoder, in words."""
    message, _, where = error.partition(" - at `")
    of_key, where = where.startswith("key` in"), where.partition("$")[2]
    path: Path_ = tuple(int(part) if part.isdigit() else part for part in re.findall(r"[\w-]+", where))
    owner = _type_at(kind, path)
    if of_key:
        owner = _plain(typing.get_args(owner)[0])
    if unknown := re.fullmatch(r"Object contains unknown field `(.*)`", message):
        columns = [field.encode_name for field in msgspec.structs.fields(owner)]
        return (*path, unknown[1]), f"there is no column {unknown[1]!r} here{_instead(unknown[1], columns)}"
    if missing := re.fullmatch(r"Object missing required field `(.*)`", message):
        return path, f"the column {missing[1]!r} is missing"
    column = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
    if wrong := re.fullmatch(r"Invalid enum value (.*)", message):
        return path, f"{column!r} cannot be {wrong[1]}{_instead(wrong[1].strip(chr(39)), _allowed(owner))}"
    if typed := re.fullmatch(r"Expected `(.*)`, got `(.*)`", message):
        wanted = " or ".join(_WORDS.get(word, word) for word in typed[1].split(" | ") if word != "null")
        return path, f"{column!r} must be {wanted}, and is {_WORDS.get(typed[2], typed[2])}"
    return path, f"{column!r}: {message}" if column else message


def _instead(given: str, known: Iterable[str]) -> str:
    """Return what could have been meant."""
    names = list(known)
    near = difflib.get_close_matches(given, names, 1, 0.5)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    return f"{meant} (one of: {', '.join(names)})" if len(names) <= 24 else meant or f"; there are {len(names)} of them"


def _type_at(hint: Any, path: Path_) -> Any:
    """Return the type of the value at a path; of a key of a table (`...`) the table's."""
    for part in path:
        hint = _plain(hint)
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            hint = next((field.type for field in msgspec.structs.fields(hint) if field.encode_name == part), Any)
        else:
            arguments = typing.get_args(hint) or (Any,)
            fixed = isinstance(part, int) and part < len(arguments) and arguments[-1] is not ...
            hint = arguments[part if fixed and isinstance(part, int) else 0 if isinstance(part, int) else -1]
    return _plain(hint)


def _plain(hint: Any) -> Any:
    """Return a type without annotations and without None or Unknown beside it."""
    while True:
        origin = typing.get_origin(hint)
        if origin is typing.Annotated:
            hint = typing.get_args(hint)[0]
        elif origin in (typing.Union, types.UnionType):
            hint = next(item for item in typing.get_args(hint) if item not in (types.NoneType, Unknown))
        else:
            return hint


def _allowed(hint: Any) -> list[str]:
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return [str(member.value) for member in hint]
    return [str(value) for value in typing.get_args(hint) if value != ""]


def _extra(hint: Any) -> str:
    """Return what kind of reference a column is, empty where it is none."""
    return next(
        (
            item.extra["kind"]
            for item in getattr(hint, "__metadata__", ())
            if isinstance(item, msgspec.Meta) and item.extra
        ),
        "",
    )


def _references(hint: Any, value: Any, path: Path_) -> Iterator[tuple[str, Any, Path_]]:
    """Yield every value in a row that refers to something: the kind, the value, and where it stands."""
    if kind := _extra(hint):
        yield kind, value, path
        return
    hint = _plain(hint) if value is not None else None
    arguments = typing.get_args(hint)
    if isinstance(value, msgspec.Struct):
        for field in msgspec.structs.fields(type(value)):
            item = getattr(value, field.name)
            if item != field.default:
                yield from _references(field.type, item, (*path, field.encode_name))
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from _references(arguments[0] if arguments[-1] is ... else arguments[number], item, (*path, number))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _references(arguments[0], key, path)
            yield from _references(arguments[1], item, path)


def _place(value: str) -> str:
    return (
        ""
        if _PLACE.search(value)
        else f"{value!r} is no address that can be looked up, such as https://example.org/page"
    )


def _day(value: str) -> str:
    try:
        day = datetime.date.fromisoformat(value)
    except ValueError:
        return f"{value!r} is no day: write it as 2026-11-21"
    return "" if 2020 <= day.year < 2100 else f"{value!r} cannot be the day on which that was looked at"


@cache
def _codes() -> tuple[str, ...]:
    return all_codes()


@cache
def _families() -> tuple[str, ...]:
    return tuple(devices.families())


@cache
def _ids() -> tuple[str, ...]:
    return tuple(row.id for row in rows(messages.SignatureRow))


def _known(what: str, known: Callable[[], tuple[str, ...]]) -> Callable[[str], str]:
    return lambda value: "" if value in known() else f"there is no {what} {value!r}{_instead(value, known())}"


def _fact(path: str) -> str:
    return _fact_type(path)[1]


@cache
def _fact_type(path: str) -> tuple[Any, str]:
    """Return the type of the fact at a path, and what is wrong with the path."""
    hint: Any = Snapshot
    for part in re.findall(r"\[\d+\]|[^.\[]+", path):
        hint = _plain(hint)
        if part[0] == "[":
            if typing.get_origin(hint) is not tuple:
                return None, f"there is no fact {path!r}: what stands before {part!r} is no list"
            hint = typing.get_args(hint)[0]
        elif hasattr(hint, "__dataclass_fields__"):
            names = [field.name for field in fields(hint)]
            if part not in names:
                return None, f"there is no fact {path!r}: {part!r} is unknown{_instead(part, names)}"
            hint = typing.get_type_hints(hint)[part]
        else:
            return None, f"there is no fact {path!r}: nothing can stand behind {part!r}"
    return _plain(hint), ""


def _condition(text: str) -> str:
    try:
        asked = condition(text)
    except ValueError:
        return f"{text!r} is no condition: write it as torch.build=cpu|cuda, torch.version<2.5, known:torch.build or signature:NAME"
    if asked.kind == "signature":
        return next(
            (f"there is no message {name!r}{_instead(name, _ids())}" for name in asked.wanted if name not in _ids()), ""
        )
    hint, fault = _fact_type(asked.path)
    if fault or asked.kind == "known":
        return fault
    return next(
        (
            f"{asked.path} is {_WORDS['bool']}, never {value!r}"
            for value in asked.wanted
            if hint is bool and value not in ("true", "false")
        ),
        "",
    )


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        return f"{value!r} is no regular expression: {error}"
    return ""


def _version(value: str) -> str:
    return "" if _VERSION.fullmatch(value) else f"{value!r} is no version, such as 6.8 or 1.19.0"


CHECKS: dict[str, Callable[[str], str]] = {
    "place": _place,
    "day": _day,
    "name": lambda value: "" if value.strip() else "a name is empty",
    "code": _known("finding code", _codes),
    "family": _known("GPU family", _families),
    "fact": _fact,
    "condition": _condition,
    "pattern": _pattern,
    "version": _version,
}


def main(names: list[str]) -> int:
    """Print each fault; return 1 where there is one, 2 where a table is not known."""
    for name in names:
        if name not in NAMES:
            print(f"there is no table {name!r}{_instead(name, NAMES)}")
            return 2
    found = [fault for name in names or NAMES for fault in check(name, tables.text(f"{name}.toml"))]
    for fault in found:
        print(fault)
    print(f"{len(names or NAMES)} tables: {f'{len(found)} faults' if found else 'nothing is wrong'}")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

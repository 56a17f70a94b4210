"""Feeds mutated texts and mutated saved reports to triage, as a user does, and says what none of them may do.

    python tools/fuzz_triage.py --texts 20000 --reports 7000 [--jobs 2] [--seed 1] [--more FOLDER] [--keep FOLDER]
    python tools/fuzz_triage.py --guided [FOLDER] -max_total_time=1800      (pip install atheris)

A fault is: exit code 4 or another that triage does not have, a traceback, more than two seconds of processor time, a control character in
stdout or stderr, JSON that is not valid by the published schema, a parser that failed. The same seed makes the same inputs; each is made from its number
alone. The texts are made from the cases, reports and examples of this repository and from what lies in the folder `--more`; the reports from the
snapshots under fixtures/. With `--guided` the inputs are guided by coverage, for as long as that is let run.
"""

from __future__ import annotations

import argparse
import copy
import io
import json
import os
import random
import signal
import sys
import tempfile
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from importlib import resources
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
SLOW = 2.0
"""Seconds of the processor's time that a run may take."""
ENDLESS = 20.0
"""Seconds after which it is ended."""
LONGEST = 100_000
"""Bytes of an input."""
FORMS: tuple[tuple[str, ...], ...] = (("--json",), (), ("--json",), ("-v",), ("--reply",))
"""What the inputs are printed as, in turn."""
CODES = (0, 1, 2, 3)
STEERING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories of what a terminal obeys, hides or reorders."""
HOSTILE = (
    "\x00",
    "\x07",
    "\x1b[2J",
    "\x1b]0;title\x07",
    "\x1b]8;;http://x.example\x1b\\",
    "\x9b31m",
    "\r",
    "\r\n",
    "\x0b\x0c\x85",
    "\u2028",
    "\u202e",
    "\u2066",
    "\u200b",
    "\ufeff",
    "\U000e0041",
    "\ud800",
    "\udc80",
    "ſ",
    "İ",
    "\u0301" * 200,
    "\x7f",
)
"""Controls, direction marks, invisible letters, lone surrogates, letters that change their length."""
OPENINGS = ("> ", "[", "{", '{"a":', "(", "  ", "`", "```", "- ", "| ", "<", '"', "\\", "/", "a/", "0.", "x=", "$(")
"""What is nested deeply."""
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1 << 62, 1 << 63, 10**25, 1e308, 0.5, "", "x", [], {}, [[]], [None], {"": ""}, {"reason": "x"},
    {"reason": 1, "fact": []}, "NaN", "\u0000", "a" * 20_000, "\x1b[31m", "\u202e", "\ud800", "\n" * 50, "$(id)", "--index-url=http://x.example",
)  # fmt: skip
"""What takes the place of a value of a report."""
TEXTS = (
    "", "{0}", "{0}{0}", "{0} x", "\n{0}", "x\x1b[31m{0}", "\u202e{0}", "{0}\u200b\x00", "../{0}", "/home/anna/{0}", "C:\\Users\\anna\\{0}", "2.9.1+xpu",
    "2.9.1+cpu", "xpu", "linux", "windows", "0.0.0", "999.999.999", "{0}; rm -rf /", "$({0})", "{0}" * 40, "a" * 5000, "é{0}ß中", "password={0}",
)  # fmt: skip
"""What takes the place of a text of a report."""
WORDS = ("NaN", "Infinity", "-Infinity", "1e999", "9" * 400, "0x10", "01", "'x'", "undefined", "\\ud800", "[" * 3000)
"""What is no JSON, or none that a report has."""


@dataclass(frozen=True)
class Ran:
    """How one run of triage ended."""

    kind: str
    number: int
    size: int
    code: int
    seconds: float
    fault: str


# ---------------------------------------------------------------------------------------------- inputs


@cache
def texts(more: str = "") -> tuple[bytes, ...]:
    """Return what texts are made from."""
    from xpu_doctor.tables.signatures import signatures

    found = [case["text"].encode() for path in _files("cases", "*.toml") for case in _toml(path).get("case", [])]
    found += [path.read_bytes() for path in (*_files("reports", "*.txt"), *_files("ur_loader", "*"))]
    found += ["\n".join((*row.examples, *row.near_misses)).encode() for row in signatures()]
    for path in sorted(Path(more).iterdir()) if more else ():
        if path.suffix == ".json":
            held = json.loads(path.read_text(encoding="utf-8"))
            found.append(str(held.get("input", held)).encode("utf-8", "surrogatepass"))
        elif path.is_file():
            found.append(path.read_bytes())
    return tuple(text[:LONGEST] for text in found)


@cache
def snapshots() -> tuple[Any, ...]:
    """Return what reports are made from."""
    found = [_toml(path) for path in _files("snapshots", "*.toml")]
    for path in _files("rules", "*.toml"):
        found += [row["snapshot"] for rows in _toml(path).values() for row in rows if row.get("snapshot")]
    return tuple(json.dumps(snapshot, default=str) for snapshot in found)


def _files(folder: str, pattern: str) -> list[Path]:
    return sorted(path for path in (ROOT / "fixtures" / folder).glob(pattern) if path.is_file())


def _toml(path: Path) -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    return table


def mutated_text(number: int, seed: int = 1, more: str = "") -> bytes:
    """Return one mutated text."""
    chance = random.Random(f"{seed} text {number}")
    data = chance.choice(texts(more))
    for _ in range(chance.choice((1, 1, 2, 3, 5))):
        data = chance.choice(TEXT_CHANGES)(data, chance, more)[:LONGEST]
    return data


def mutated_report(number: int, seed: int = 1, more: str = "") -> bytes:
    """Return one mutated saved report."""
    chance = random.Random(f"{seed} report {number}")
    snapshot = {"schema": 1, **json.loads(chance.choice(snapshots()))}
    document: Any = {
        "schema": 1,
        "tool": {"name": "xpu-doctor"},
        "verdict": "x",
        "root_causes": [],
        "ladder": [],
        "snapshot": snapshot,
    }
    for _ in range(chance.choice((0, 1, 1, 1, 2, 4))):
        document = chance.choice(REPORT_CHANGES)(document, chance)
    text = json.dumps(document, ensure_ascii=chance.random() < 0.5, indent=chance.choice((None, None, 1)))
    if chance.random() < 0.1:
        text = _with_word(text, chance)
    data = text.encode("utf-8", "surrogatepass")
    if chance.random() < 0.1:
        data = chance.choice(TEXT_CHANGES)(data, chance, more)
    return data[:LONGEST]


def _at(data: bytes, chance: random.Random) -> int:
    return chance.randrange(len(data) + 1)


def _part(data: bytes, chance: random.Random, longest: int = 400) -> bytes:
    start = _at(data, chance)
    return data[start : start + chance.randrange(1, longest)]


def flip(data: bytes, chance: random.Random, _: str) -> bytes:
    """Change single bytes."""
    made = bytearray(data)
    for _number in range(chance.choice((1, 3, 20)) if made else 0):
        made[chance.randrange(len(made))] = chance.randrange(256)
    return bytes(made)


def cut(data: bytes, chance: random.Random, _: str) -> bytes:
    """Keep a part."""
    start, end = sorted((_at(data, chance), _at(data, chance)))
    return chance.choice((data[start:end], data[:end], data[start:], data[:start] + data[end:]))


def splice(data: bytes, chance: random.Random, more: str) -> bytes:
    """Put a part of another text in."""
    at = _at(data, chance)
    return data[:at] + _part(chance.choice(texts(more)), chance, 4000) + data[at:]


def repeat(data: bytes, chance: random.Random, _: str) -> bytes:
    """Put a part in many times, in lines or in one line."""
    part = _part(data, chance)
    part = part + b"\n" if chance.random() < 0.4 else part.replace(b"\n", b" ")
    times = min(chance.choice((2, 50, 1000, 10_000)), LONGEST // max(len(part), 1))
    at = _at(data, chance)
    return data[:at] + part * times + data[at:]


def insert(data: bytes, chance: random.Random, _: str) -> bytes:
    """Put hostile characters in."""
    for _number in range(chance.choice((1, 4, 40))):
        at = _at(data, chance)
        data = data[:at] + chance.choice(HOSTILE).encode("utf-8", "surrogatepass") + data[at:]
    return data


def nest(data: bytes, chance: random.Random, _: str) -> bytes:
    """Put something in that opens and never closes."""
    at = _at(data, chance)
    return data[:at] + chance.choice(OPENINGS).encode() * chance.choice((30, 1000, 20_000)) + data[at:]


def shuffle(data: bytes, chance: random.Random, _: str) -> bytes:
    """Put the lines in another order, or in one."""
    lines = data.split(b"\n")
    chance.shuffle(lines)
    return chance.choice((b"\n", b"\n\n", b" ", b"\r\n", b"\n> ", b"\n    ")).join(lines)


def encode(data: bytes, chance: random.Random, _: str) -> bytes:
    """Write it in another encoding or case."""
    text = data.decode("utf-8", "replace")
    if chance.random() < 0.4:
        return chance.choice((text.upper(), text.swapcase(), text.replace(" ", "\u00a0"))).encode()
    return text.encode(chance.choice(("utf-16", "utf-16-le", "cp1252", "utf-8-sig", "utf-32")), "replace")


def quote(data: bytes, chance: random.Random, _: str) -> bytes:
    """Put it behind marks, in a fence, or as a string of JSON."""
    mark = chance.choice((b"> ", b"| ", b"+ ", b"    ", b"> > ", b"00:00:01 "))
    fenced = b"```json\n" + data + b"\n```\n"
    text = data.decode("utf-8", "replace")
    return chance.choice(
        (mark + data.replace(b"\n", b"\n" + mark), fenced, json.dumps(text).encode(), repr(text).encode())
    )


Change = Callable[[bytes, random.Random, str], bytes]
TEXT_CHANGES: tuple[Change, ...] = (flip, cut, cut, splice, splice, repeat, insert, nest, shuffle, encode, quote)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of every value of a document."""
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, item in items:
        yield (*path, key)
        yield from _places(item, (*path, key))


def _holder(document: Any, chance: random.Random) -> tuple[Any, Any]:
    """Return what holds a value that is chosen by chance, and its key there."""
    places = list(_places(document))
    if not places:
        return {"": None}, ""
    place = chance.choice(places)
    holder = document
    for step in place[:-1]:
        holder = holder[step]
    return holder, place[-1]


def other_value(document: Any, chance: random.Random) -> Any:
    """Put another value in place of one."""
    holder, key = _holder(document, chance)
    holder[key] = copy.deepcopy(chance.choice(VALUES))
    return document


def longer_text(document: Any, chance: random.Random) -> Any:
    """Put hostile characters into a text."""
    holder, key = _holder(document, chance)
    holder[key] = f"{holder[key]}{chance.choice(HOSTILE)}" if isinstance(holder[key], str) else [holder[key]]
    return document


def same_kind(document: Any, chance: random.Random) -> Any:
    """Put another value of the same type in place of one, so that the report is still one."""
    places = [place for place in _places(document) if place[0] == "snapshot" and place[-1] != "schema"]
    chosen = chance.sample(places, min(len(places), chance.choice((1, 3, 30))))
    for place in sorted(chosen, key=len, reverse=True):  # what a list holds comes before the list
        holder = document
        for step in place[:-1]:
            holder = holder[step]
        held = holder[place[-1]]
        if isinstance(held, bool):
            holder[place[-1]] = not held
        elif isinstance(held, int):
            holder[place[-1]] = chance.choice((0, 1, -1, held + 1, 1 << 31, 1 << 62))
        elif isinstance(held, str):
            holder[place[-1]] = chance.choice(TEXTS).format(held)
        elif isinstance(held, list) and held:
            times = min(chance.choice((1, 2, 300)), 1 + 20_000 // len(json.dumps(held)))
            holder[place[-1]] = [copy.deepcopy(item) for _ in range(times) for item in held][: chance.choice((1, None))]
    return document


def fewer(document: Any, chance: random.Random) -> Any:
    """Leave a value out."""
    holder, key = _holder(document, chance)
    del holder[key]
    return document


def unknown_key(document: Any, chance: random.Random) -> Any:
    """Add a key that no report has, or one that stands elsewhere in it."""
    holder, key = _holder(document, chance)
    if isinstance(holder, dict):
        holder[chance.choice(("news", "", "a\x1b[1m", "schema", "snapshot", "reason", "__class__", "x" * 3000))] = (
            copy.deepcopy(holder[key])
        )
    return document


def reordered(document: Any, chance: random.Random) -> Any:
    """Put the keys in another order."""
    items = list(document.items()) if isinstance(document, dict) else []
    chance.shuffle(items)
    return dict(items) or document


def many(document: Any, chance: random.Random) -> Any:
    """Put a value in a list many times."""
    holder, key = _holder(document, chance)
    made = json.dumps(holder[key])
    times = min(chance.choice((2, 100, 5000)), 20_000 // len(made))
    holder[key] = [json.loads(made) for _ in range(times)]
    return document


def nested(document: Any, chance: random.Random) -> Any:
    """Nest a value deeply."""
    holder, key = _holder(document, chance)
    for _ in range(chance.choice((3, 39, 41, 90))):
        holder[key] = chance.choice(([holder[key]], {"a": holder[key]}))
    return document


def moved(document: Any, chance: random.Random) -> Any:
    """Put the value of one place at another."""
    (holder, key), (other, name) = _holder(document, chance), _holder(document, chance)
    holder[key] = json.loads(json.dumps(other[name]))
    return document


REPORT_CHANGES = (
    same_kind, same_kind, same_kind, same_kind, same_kind, same_kind, same_kind, other_value, longer_text, longer_text, fewer, unknown_key, reordered,
    many, nested, moved,
)  # fmt: skip


def _with_word(text: str, chance: random.Random) -> str:
    """Put something that is no JSON in place of a number, a word or a letter."""
    at = chance.choice([place for place, letter in enumerate(text) if letter in ":,[" or place == 0])
    end = at + 1 + chance.choice((0, 3, 8))
    return text[: at + 1] + chance.choice(WORDS) + text[end:]


# ---------------------------------------------------------------------------------------------- runs


def run(kind: str, number: int, seed: int = 1, more: str = "") -> Ran:
    """Make an input, triage it, and judge what came out."""
    data = (mutated_text if kind == "text" else mutated_report)(number, seed, more)
    form = FORMS[number % len(FORMS)]
    code, out, err, seconds = triaged(data, form)
    return Ran(kind, number, len(data), code, seconds, fault_in(form, code, out, err, seconds))


def triaged(data: bytes, form: tuple[str, ...]) -> tuple[int, bytes, bytes, float]:
    """Return the exit code of triage in this process, what it wrote, and the seconds of the processor's time that it took."""
    from xpu_doctor.cli.main import main

    kept = sys.stdin, sys.stdout, sys.stderr
    out, err = io.BytesIO(), io.BytesIO()
    sys.stdin = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8")
    sys.stdout, sys.stderr = (io.TextIOWrapper(stream, encoding="utf-8", write_through=True) for stream in (out, err))
    started = time.process_time()
    try:
        _limit(ENDLESS)
        main(["triage", *form, "-"])
        code = -1
    except SystemExit as end:
        code = int(end.code) if isinstance(end.code, int) else -1
    except _Endless:
        code = -2
    finally:
        _limit(0)
        seconds = time.process_time() - started
        streams, (sys.stdin, sys.stdout, sys.stderr) = (sys.stdout, sys.stderr), kept
    for stream in streams:
        stream.flush()
    return code, out.getvalue(), err.getvalue(), seconds


class _Endless(BaseException):
    """A run took far too long."""


def _limit(seconds: float) -> None:
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGVTALRM, _end)
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)


def _end(number: int, frame: Any) -> None:
    raise _Endless


def fault_in(form: tuple[str, ...], code: int, out: bytes, err: bytes, seconds: float) -> str:
    """Return what is wrong with a run, or empty."""
    if code not in CODES:
        return f"exit code {code}: {err[-1500:].decode('utf-8', 'replace')}"
    if seconds > SLOW:
        return f"{seconds:.1f} seconds"
    for name, stream in (("stdout", out), ("stderr", err)):
        try:
            text = stream.decode("utf-8")
        except UnicodeDecodeError as error:
            return f"{name} is no UTF-8: {error}"
        steering = sorted({char for char in text if char not in "\n\t" and unicodedata.category(char) in STEERING})
        if steering:
            return f"{name} holds {steering!r}"
        if "Traceback (most recent" in text and name == "stderr":
            return f"a traceback on {name}"
    if code == 2:
        return "" if err and not out else "refused without a word, or with a report"
    return _fault_in_json(out) if "--json" in form else ("" if out.strip() else "nothing on stdout")


def _fault_in_json(out: bytes) -> str:
    try:
        document = json.loads(out, parse_constant=_no_json)
    except ValueError as error:
        return f"no JSON: {error}"
    wrong = next(_validator().iter_errors(document), None)
    if wrong:
        return f"not by the schema: {wrong.message[:300]}"
    snapshot = document["snapshot"] or {}
    failures = snapshot.get("failures") if snapshot.get("origin") == "pasted" else ()
    return f"a part of the doctor failed: {failures}" if failures else ""


def _no_json(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


@cache
def _validator() -> Any:
    import jsonschema

    schema = json.loads(
        resources.files("xpu_doctor").joinpath("schemas/report-1.schema.json").read_text(encoding="utf-8")
    )
    return jsonschema.validators.validator_for(schema)(schema)


def all_runs(kind: str, number: int, *, seed: int, more: str, jobs: int, first: int = 0) -> Iterator[Ran]:
    """Yield how the runs of one kind ended, from several processes."""
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(partial(run, kind, seed=seed, more=more), range(first, first + number), chunksize=25)


def fuzz(options: argparse.Namespace) -> int:
    """Run everything that was asked for, and print the figures; return 1 where there was a fault."""
    faults = 0
    for kind, number in (("text", options.texts), ("report", options.reports)):
        ended: list[Ran] = []
        for ran in all_runs(kind, number, seed=options.seed, more=options.more, jobs=options.jobs, first=options.first):
            ended.append(ran)
            if ran.fault:
                faults += 1
                _tell(ran, options)
            if len(ended) % 1000 == 0:
                print(_figures(kind, ended), flush=True)
        if ended:
            print(_figures(kind, ended), flush=True)
    return 1 if faults else 0


def _figures(kind: str, ended: list[Ran]) -> str:
    times = sorted(ran.seconds for ran in ended)
    slowest = ", ".join(
        f"{ran.seconds:.2f} s (number {ran.number}, {ran.size} bytes)"
        for ran in sorted(ended, key=lambda ran: -ran.seconds)[:3]
    )
    codes = {code: sum(ran.code == code for ran in ended) for code in sorted({ran.code for ran in ended})}
    return (
        f"{len(ended)} {kind}s: {sum(bool(ran.fault) for ran in ended)} faults; exit codes {codes}; "
        f"median {times[len(times) // 2]:.3f} s, 99 of 100 under {times[len(times) * 99 // 100]:.2f} s, slowest {slowest}"
    )


def _tell(ran: Ran, options: argparse.Namespace) -> None:
    print(f"FAULT {ran.kind} {ran.number} ({ran.size} bytes): {ran.fault}", flush=True)
    if options.keep:
        made = (mutated_text if ran.kind == "text" else mutated_report)(ran.number, options.seed, options.more)
        os.makedirs(options.keep, exist_ok=True)
        (Path(options.keep) / f"{ran.kind}-{options.seed}-{ran.number}").write_bytes(made)


# ---------------------------------------------------------------------------------------------- guided by coverage


def guided(arguments: list[str]) -> None:
    """Let atheris choose the inputs."""
    import atheris

    with atheris.instrument_imports(include=["xpu_doctor"]):
        import xpu_doctor.cli.triage
        import xpu_doctor.pasted.run  # noqa: F401 - as above

    def one(data: bytes) -> None:
        code, out, err, seconds = triaged(data, ("--json",))
        fault = fault_in(("--json",), code, out, err, seconds)
        assert not fault, fault

    with tempfile.TemporaryDirectory() as name:
        given = [argument for argument in arguments if not argument.startswith("-")]
        folder = Path(given[0]) if given else Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        for number, text in enumerate(texts()):
            (folder / f"seed-{number}").write_bytes(text)
        atheris.Setup(
            [sys.argv[0], *(argument for argument in arguments if argument.startswith("-")), str(folder)], one
        )
        atheris.Fuzz()


def main() -> int:
    """Read the command line."""
    if "--guided" in sys.argv:
        guided([argument for argument in sys.argv[1:] if argument != "--guided"])
        return 0
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=int, default=1000)
    parser.add_argument("--reports", type=int, default=500)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--more", default="", metavar="FOLDER", help="more texts: files, or JSON files with an `input`")
    parser.add_argument("--keep", default="", metavar="FOLDER", help="where inputs with a fault are written")
    return fuzz(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())

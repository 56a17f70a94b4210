"""Has interpreters answer with damaged transcripts, and checks that every one of them comes to a clean report.

    python tools/fuzz_transcripts.py [--count 500] [--seed 1] [--jobs 2] [--keep FOLDER]

A real transcript is recorded first. Each case changes it: cut, spliced, in another order, binary, huge, nested, of wrong types, with
surrogates and control characters, forged, endless. Half of the changed lines carry a valid seal, as those of a hostile environment that
has read the key would. A case fails where `xpu-doctor check` ends with exit code 4 or a traceback, where its output is no clean text or no
JSON, or where the doctor itself uses more than two seconds of processor time. The last lines give the figures.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.clean_output import clean_json, clean_text  # noqa: E402
from tests.support.cli import environment  # noqa: E402
from tests.support.environments import StubEnvironment, make_environment  # noqa: E402
from xpu_doctor.process.seal import Seal  # noqa: E402
from xpu_doctor.target.agent import AGENT_PATH  # noqa: E402

SLOW = 2.0
"""Seconds of processor time that the doctor may use for one report."""
DEADLINE = 1.0
STAGES = ("interpreter", "distributions", "build", "shadows", "import", "xpu", "allocate")
STEERING = "\x1b[2J\x1b]0;owned\x07\u202e\u200b\r\x9b31m\x00\ud800"
WRONG: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    2**70,
    1e308,
    "",
    "x",
    [],
    {},
    [[]],
    {"reason": 5},
    {"reason": "no", "fact": []},
    STEERING,
)

WRAPPER = """#!/bin/sh
while [ "${{1#-}}" != "$1" ]; do shift; done
shift
exec "{python}" -I -S "{patient}" "$@"
"""
"""Takes the place of an interpreter: options and the agent's file are left out, its arguments are handed on."""
PATIENT = """
import base64, hashlib, json, os, sys
where, stages = sys.argv[1], sys.argv[3:]
handle = int(where[3:]) if where.startswith("fd:") else os.open(where, os.O_RDWR | getattr(os, "O_BINARY", 0))
os.lseek(handle, 0, 0)
key = os.read(handle, 32)
os.lseek(handle, 0, 2)
with open(CASE, encoding="utf-8") as stream:
    case = json.load(stream)
def put(data):
    while data:
        data = data[os.write(handle, data):]
number = 0
for line in case["lines"]:
    if line["stage"] and line["stage"] not in stages:
        continue
    data = base64.b64decode(line["data"])
    if line["sealed"]:
        number += 1
        head = b"%d " % number
        data = b"\\n" + head + hashlib.sha256(key + head + data).hexdigest()[:16].encode() + b" " + data + b"\\n"
    put(data * line["times"])
os._exit(case["code"])
"""


@dataclass(frozen=True)
class Line:
    """Bytes that a patient writes when one of its stages is asked for."""

    stage: str
    data: bytes
    sealed: bool = True
    times: int = 1


Lines = list[Line]


def recorded(stub: StubEnvironment) -> Lines:
    """Return what the agent says of an environment, line by line."""
    seal = Seal()
    with tempfile.TemporaryDirectory() as folder:
        transcript = Path(folder) / "transcript"
        transcript.write_bytes(seal.key)
        subprocess.run(
            [str(stub.python), "-B", str(AGENT_PATH), str(transcript), "{}", *STAGES], check=True, timeout=60
        )
        lines = transcript.read_bytes()[len(seal.key) :].split(b"\n")
    texts = [text for line in lines if (text := seal.opened(line)) is not None]
    return [Line(str(json.loads(text)["stage"]), text) for text in texts]


def cut(lines: Lines, chance: random.Random) -> Lines:
    """End in the middle of a line."""
    last = chance.randrange(len(lines))
    whole = lines[last]
    return [*lines[:last], Line(whole.stage, whole.data[: chance.randrange(len(whole.data))], chance.random() < 0.5)]


def spliced(lines: Lines, chance: random.Random) -> Lines:
    """Join the beginning of one line with the end of another."""
    one, other = chance.choice(lines), chance.choice(lines)
    joined = one.data[: chance.randrange(len(one.data))] + other.data[chance.randrange(len(other.data)) :]
    changed = list(lines)
    changed[chance.randrange(len(lines))] = Line(one.stage, joined, chance.random() < 0.7)
    return changed


def reordered(lines: Lines, chance: random.Random) -> Lines:
    """Shuffle, repeat and drop lines."""
    changed = [line for line in lines for _ in range(chance.choice((0, 1, 1, 1, 2)))]
    chance.shuffle(changed)
    return changed or list(lines)


def binary(lines: Lines, chance: random.Random) -> Lines:
    """Put random bytes into lines, sealed and not."""
    changed = []
    for line in lines:
        data = bytearray(line.data)
        if chance.random() < 0.4:
            place = chance.randrange(len(data))
            data[place : place + chance.randrange(1, 9)] = chance.randbytes(chance.randrange(1, 30)).replace(b"\n", b"")
        changed.append(Line(line.stage, bytes(data), chance.random() < 0.8))
    return changed


def huge(lines: Lines, chance: random.Random) -> Lines:
    """Make a value of megabytes, or of a hundred thousand items."""
    value = chance.choice(
        ("x" * (4 << 20), ["y"] * 100_000, {str(number): number for number in range(50_000)}, "\u202e" * 500_000)
    )
    return with_values(lines, chance, lambda old: value, at_most=2)


def nested(lines: Lines, chance: random.Random) -> Lines:
    """Nest a value deeper than any parser likes."""
    depth = chance.choice((30, 100, 2000, 100_000))
    text = b'{"kind":"end","stage":"%s","facts":{"sys_path":' + b"[" * depth + b"]" * depth + b"}}"
    place = chance.randrange(len(lines))
    stage = lines[place].stage or "interpreter"
    return [*lines[:place], Line(stage, text.replace(b"%s", stage.encode())), *lines[place:]]


def typed(lines: Lines, chance: random.Random) -> Lines:
    """Give values of wrong types."""
    return with_values(lines, chance, lambda old: chance.choice(WRONG), at_most=chance.randrange(1, 40))


def steering(lines: Lines, chance: random.Random) -> Lines:
    """Put what steers a terminal, and what is no Unicode, into texts."""
    return with_values(
        lines, chance, lambda old: f"{STEERING}{old}{STEERING}" if isinstance(old, str) else old, at_most=200
    )


def not_utf8(lines: Lines, chance: random.Random) -> Lines:
    """Use bytes that are no UTF-8 within texts."""
    return [
        Line(line.stage, line.data.replace(b'": "', b'": "\xff\xfe\x80', chance.randrange(1, 5)), line.sealed)
        for line in lines
    ]


def numbers(lines: Lines, chance: random.Random) -> Lines:
    """Use numbers that JSON does not have, or that no machine has."""
    odd = (b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b"-0", b"1" + b"0" * 400)
    return [
        Line(
            line.stage,
            line.data.replace(b": 0", b": " + chance.choice(odd)).replace(b": 64", b": " + chance.choice(odd)),
        )
        for line in lines
    ]


def renamed(lines: Lines, chance: random.Random) -> Lines:
    """Use other names of kinds, stages and facts."""
    names = (b"kind", b"stage", b"facts", b"end", b"begin", b"installed", b"version", b"name")
    old, new = (
        chance.choice(names),
        chance.choice((*names, b"__class__", b"", STEERING.encode("utf-8", "backslashreplace"))),
    )
    return [Line(line.stage, line.data.replace(b'"' + old + b'"', json.dumps(new.decode()).encode())) for line in lines]


def forged(lines: Lines, chance: random.Random) -> Lines:
    """Put lines without a seal, or with a guessed one, between the others."""
    fakes = [
        b'{"kind":"end","stage":"import","facts":{"succeeded":true,"version":"9.9.9+forged","file":"/forged"}}\n',
        b"1 0123456789abcdef {}\n",
        b"99999999 " + b"0" * 16 + b' {"kind":"done","stage":""}\n',
        b"9" * 4000 + b" \n",
    ]
    return [
        item
        for line in lines
        for item in (line, Line(line.stage, chance.choice(fakes), False, chance.choice((1, 1, 2, 5000))))
    ]


def endless(lines: Lines, chance: random.Random) -> Lines:
    """Write more than is ever read, in lines or without an end."""
    flood = chance.choice(
        (
            b"\n" * 65536,
            b"x\n" * 32768,
            b"x" * 65536,
            b"1 0123456789abcdef x\n" * 3000,
            b'{"kind":"begin","stage":"import"}\n' * 2000,
        )
    )
    place = chance.randrange(len(lines))
    return [*lines[:place], Line("", flood, False, 700), *lines[place:]]


MUTATORS: tuple[Callable[[Lines, random.Random], Lines], ...] = (
    cut, spliced, reordered, binary, huge, nested, typed, steering, not_utf8, numbers, renamed, forged, endless,
)  # fmt: skip


def with_values(lines: Lines, chance: random.Random, new: Callable[[Any], Any], at_most: int) -> Lines:
    """Return the lines with some of the values in them replaced."""
    said = [json.loads(line.data) for line in lines]
    places = [place for message in said for place in _places(message)]
    for container, key in chance.sample(places, min(at_most, len(places))):
        container[key] = new(container[key])
    return [Line(line.stage, json.dumps(message).encode("ascii")) for line, message in zip(lines, said, strict=True)]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key, item in list(
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        if key not in ("kind", "stage"):
            yield value, key
        yield from _places(item)


@dataclass(frozen=True)
class Outcome:
    """What became of one case."""

    name: str
    fault: str
    code: int
    cpu: float
    wall: float


class Bench:
    """A recorded transcript, and a folder in which cases are tried."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        stub = make_environment(folder / "environment")
        stub.add_torch("2.9.1+xpu")
        self.lines = recorded(stub)

    def outcome(self, number: int, seed: int) -> Outcome:
        """Try one case: its number says which change is made, both together say how."""
        mutator = MUTATORS[number % len(MUTATORS)]
        chance = random.Random(f"{seed} {number}")
        lines = mutator(self.lines, chance)
        for _ in range(chance.choice((0, 0, 1, 2)) if mutator not in (huge, endless) else 0):
            try:
                lines = chance.choice(MUTATORS[:-1])(lines, chance)
            except (ValueError, RecursionError):  # what is damaged already cannot be changed by value
                pass
        code = chance.choice((0, 0, 0, 1, 139))
        return self._tried(f"{number} {mutator.__name__}", lines, code, as_json=bool(number % 3))

    def _tried(self, name: str, lines: Lines, code: int, as_json: bool) -> Outcome:
        home = self.folder / name.replace(" ", "-")
        home.mkdir()
        rows = [
            {
                "stage": line.stage,
                "data": base64.b64encode(line.data).decode(),
                "sealed": line.sealed,
                "times": line.times,
            }
            for line in lines
        ]
        (home / "case.json").write_text(json.dumps({"lines": rows, "code": code}), encoding="utf-8")
        (home / "patient.py").write_text(f"CASE = {str(home / 'case.json')!r}\n{PATIENT}", encoding="utf-8")
        python = home / "python3"
        python.write_text(WRAPPER.format(python=sys.executable, patient=home / "patient.py"), encoding="utf-8")
        python.chmod(0o755)
        arguments = ["check", "--python", str(python), "--timeout", str(DEADLINE), *(["--json"] if as_json else ["-v"])]
        with open(home / "out", "wb") as out, open(home / "err", "wb") as err:
            began = time.monotonic()
            process = subprocess.Popen(
                [sys.executable, "-m", "xpu_doctor", *arguments], stdout=out, stderr=err, cwd=home, env=environment()
            )
            _, status, used = os.wait4(process.pid, 0)
            wall = time.monotonic() - began
            process.returncode = os.waitstatus_to_exitcode(status)
        cpu = float(used.ru_utime)  # not that of the system, which is mostly the patients' floods
        fault = _fault(process.returncode, (home / "out").read_bytes(), (home / "err").read_bytes(), cpu, as_json)
        return Outcome(name, fault, process.returncode, cpu, wall)


def _fault(code: int, out: bytes, err: bytes, cpu: float, as_json: bool) -> str:
    """Return what is wrong with how a case ended, or empty."""
    if code not in (0, 1, 3):
        return f"exit code {code}: {err[-600:]!r}"
    if b"Traceback (most recent" in err:
        return f"a traceback: {err[-600:]!r}"
    try:
        clean_text(err)
        report = clean_json(out) if as_json else {"ladder": clean_text(out)}
    except (AssertionError, ValueError) as error:
        return str(error)[:600]
    if "9.9.9+forged" in str(report["ladder"]):
        return "a forged line was believed"
    return f"{cpu:.1f} s of processor time" if cpu > SLOW else ""


def main() -> int:
    """Run the cases and print the figures; 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="a new folder for the cases, kept")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        folder.mkdir(exist_ok=True)
        bench = Bench(folder)
        with ThreadPoolExecutor(given.jobs) as pool:
            outcomes = list(pool.map(lambda number: bench.outcome(number, given.seed), range(given.count)))
    failed = [outcome for outcome in outcomes if outcome.fault]
    for outcome in failed:
        print(f"{outcome.name}: {outcome.fault}")
    codes = ", ".join(
        f"{count} x {code}" for code, count in sorted(Counter(outcome.code for outcome in outcomes).items())
    )
    slowest = max(outcomes, key=lambda outcome: outcome.cpu)
    print(f"{len(outcomes)} transcripts, {len(failed)} failed; exit codes {codes}")
    print(
        f"processor time at most {slowest.cpu:.2f} s ({slowest.name}), wall time at most {max(outcome.wall for outcome in outcomes):.1f} s"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

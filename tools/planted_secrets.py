"""How many private values survive redaction: values planted into realistic texts, sent through every output of `triage`.

    python tools/planted_secrets.py [--verbose] [--redactor-only]

`fixtures/redaction/planted.toml` holds the values as real programs print them, each with its kind and place. A value survives where a
telling part of it (a word of a name, twelve characters of a key) is still in the text that the parsers get, or in an output. Every third row is
held out: no pattern was fitted to it, and it is counted apart. Exit status 1 where more than 2 % survive, or any credential.
"""

from __future__ import annotations

import argparse
import html
import random
import re
import string
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from xpu_doctor.cli.triage import triage
from xpu_doctor.report.formats import FORMATS, NAMES
from xpu_doctor.text.private_names import redactor_for
from xpu_doctor.text.safe import from_bytes
from xpu_doctor.text.word_index import IndexedText

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
PLANTED = ROOT / "fixtures" / "redaction" / "planted.toml"
OUTPUTS = (*NAMES, "verbose", "reply")
"""Every format of the table of formats, text with all evidence, and the reply."""
CREDENTIALS = frozenset({"secret", "token", "credentials"})
MOST = 0.02
"""The part of the values that may survive."""
HOLD_OUT = 3
"""Each row whose number this divides is held out."""
CHUNK = 12
"""So many characters in a row tell a key."""
BEFORE = """\
Collecting environment information...
PyTorch version: 2.9.1+xpu
OS: Ubuntu 24.04.3 LTS (x86_64)
Python platform: Linux-6.14.0-35-generic-x86_64-with-glibc2.39
Is XPU available: False
Intel GPU driver version:
* intel-opencl-icd: 25.40.35563.7-1~24.04~ppa1
* libze1: 1.24.3-1~24.04~ppa1
Intel GPU models onboard:
* Intel(R) Arc(TM) B580 Graphics
"""
AFTER = """\
UserWarning: XPU device count is zero!
openat(AT_FDCWD, "/dev/dri/renderD128", O_RDWR|O_CLOEXEC) = -1 EACCES (Permission denied)
crw-rw---- 1 root render 226, 128 Nov 21 09:25 /dev/dri/renderD128
"""
_VALUE = re.compile("«([^»]*)»")
_RANDOM = re.compile(r"\{([a-zA-Z]+(?:64_)?)(\d+)\}")
ALPHABETS = {
    "an": string.ascii_letters + string.digits,
    "hex": "0123456789abcdef",
    "HEX": "0123456789ABCDEF",
    "up": string.ascii_uppercase + string.digits,
    "dig": string.digits,
    "b64_": string.ascii_letters + string.digits + "+/",
}


@dataclass(frozen=True)
class Plant:
    """A text with private values in it."""

    kind: str
    place: str
    text: str
    values: tuple[str, ...]
    held_out: bool

    @property
    def whole(self) -> str:
        """The text among output that leads to a diagnosis."""
        return f"{BEFORE}\n{self.text}\n\n{AFTER}"


def plants(path: Path = PLANTED) -> list[Plant]:
    """Return all planted texts; their random parts are the same in every run."""
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["plants"]
    return [_plant(number, kind, place, text) for number, (kind, place, text) in enumerate(rows)]


def filled(text: str, seed: str) -> str:
    """Return a text whose `{an36}` and the like are random letters, the same ones in every run."""
    source = random.Random(zlib.crc32(seed.encode()))

    def some(match: re.Match[str]) -> str:
        return "".join(source.choice(ALPHABETS[match[1]]) for _ in range(int(match[2])))

    return _RANDOM.sub(some, text)


def _plant(number: int, kind: str, place: str, text: str) -> Plant:
    text = filled(text, f"{kind} {place}")
    return Plant(kind, place, _VALUE.sub(r"\1", text), tuple(_VALUE.findall(text)), number % HOLD_OUT == 0)


def telling_parts(plant: Plant) -> Iterator[str]:
    """Yield what must not be read any more of the values of a text."""
    for value in plant.values:
        words = [word for word in re.split(r"\s+|\\n|%20", value) if len(word) > 2] or [value]
        for word in words:
            yield word
            yield from (word[at : at + CHUNK] for at in range(0, len(word) - CHUNK + 1, CHUNK))


def survives(plant: Plant, text: str) -> bool:
    """Return whether a telling part of a value is in a text or in what its readers show, as a word of its own where it is short."""
    seen = f"{_without_own_markup(text)}\n{as_read(text)}"
    return any(
        re.search(rf"(?<![A-Za-z0-9]){re.escape(part)}(?![A-Za-z0-9])" if len(part) < CHUNK else re.escape(part), seen)
        for part in telling_parts(plant)
    )


def redacted(plant: Plant) -> str:
    """Return what the parsers get."""
    body = IndexedText(from_bytes(plant.whole.encode(), "text").text)
    return redactor_for([body]).text(body.body)


def outputs(plant: Plant) -> dict[str, str]:
    """Return what `triage` prints and writes, in every format that there is."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {each.name: Path(folder, f"{each.name}{each.endings[0]}") for each in FORMATS}
        _triaged(plant, *(part for path in paths.values() for part in ("-o", str(path))))
        printed = {name: path.read_text(encoding="utf-8") for name, path in paths.items()}
    return printed | {"verbose": _triaged(plant, "-v"), "reply": _triaged(plant, "--reply")}


def _triaged(plant: Plant, *options: str) -> str:
    result = CliRunner().invoke(triage, [*options, "-"], input=plant.whole.encode(), standalone_mode=False)
    if result.exception:
        raise result.exception
    return result.stdout


def _without_own_markup(text: str) -> str:
    """Return a page without its style, its script and the names of its elements, which are the same on every page."""
    if not text.startswith("<!DOCTYPE html>"):
        return text
    return re.sub(r"</?[a-z][a-z0-9]*", "<", re.sub(r"(?s)<(style|script)\b.*?</\1>", "", text))


def as_read(text: str) -> str:
    """Return a text without the escapes of Markdown, XML, HTML and workflow commands, as its readers show it."""
    if text.startswith("<!DOCTYPE html>"):
        text = re.sub(r"<[^>]*>", "", _without_own_markup(text))
    plain = html.unescape(text).replace("\u200b", "")
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", plain).replace("%3A", ":").replace("%2C", ",").replace("%25", "%")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--verbose", action="store_true", help="show each survivor; of those held out only the kind and the place"
    )
    parser.add_argument("--redactor-only", action="store_true", help="leave the outputs out")
    options = parser.parse_args()
    everything = plants()
    alive: dict[str, list[Plant]] = {
        "redacted text": [plant for plant in everything if survives(plant, redacted(plant))]
    }
    if not options.redactor_only:
        printed = [(plant, outputs(plant)) for plant in everything]
        for name in OUTPUTS:
            alive[name] = [plant for plant, texts in printed if survives(plant, texts[name])]
    planted = Counter(plant.kind for plant in everything)
    print(f"{'kind':<14}{'planted':>8}" + "".join(f"{name:>15}" for name in alive))
    for kind, number in sorted(planted.items()):
        print(
            f"{kind:<14}{number:>8}"
            + "".join(f"{sum(plant.kind == kind for plant in survivors):>15}" for survivors in alive.values())
        )
    for label, held_out in (("fitted", False), ("held out", True)):
        number = sum(plant.held_out is held_out for plant in everything)
        print(
            f"{label:<14}{number:>8}"
            + "".join(f"{sum(plant.held_out is held_out for plant in survivors):>15}" for survivors in alive.values())
        )
    if options.verbose:
        for plant in alive["redacted text"]:
            print(f"\n{plant.kind}, {plant.place}" + (" (held out)" if plant.held_out else f": {plant.text}"))
    survivors = {(plant.kind, plant.place) for each in alive.values() for plant in each}
    print(
        f"{len(survivors)} of {len(everything)} survive ({len(survivors) / len(everything):.1%}); credentials: {sum(k in CREDENTIALS for k, _ in survivors)}"
    )
    return int(len(survivors) > MOST * len(everything) or any(kind in CREDENTIALS for kind, _ in survivors))


if __name__ == "__main__":
    sys.exit(main())

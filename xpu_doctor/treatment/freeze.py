"""What is installed in an environment, package by package: two freezes that are equal prove that a way back was whole."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

import msgspec

from xpu_doctor.process.run import run
from xpu_doctor.text.visible import visible
from xpu_doctor.treatment.errors import TreatmentError, reason_of

SECONDS = 120.0
"""How long the interpreter may take: a cold disk, a thousand packages."""

MOST = 16 << 20
"""Bytes of its answer that are read."""


class Frozen(msgspec.Struct, frozen=True, order=True):
    """One installed distribution."""

    name: str
    """In the normal form of names: lower case, with hyphens."""
    version: str
    source: str = ""
    """Where it came from if not from an index: the address or folder of its direct_url.json, with revision and hash."""
    record: str = ""
    """SHA-256 of its RECORD, the list of its files with their hashes; empty where it has none."""
    installer: str = ""


SCRIPT = r"""
import hashlib, json, os, re, sys

def content(*parts):
    try:
        with open(os.path.join(*parts), "rb") as file:
            return file.read(64 << 20)
    except OSError:
        return b""

def field(text, name):
    match = re.search(r"(?im)^" + name + r":[ \t]*(.*?)[ \t]*$", text.partition("\n\n")[0])
    return match.group(1) if match else ""

def source(data):
    try:
        said = json.loads(data.decode("utf-8"))
        vcs, archive = said.get("vcs_info", {}), said.get("archive_info", {})
        hashes = archive.get("hashes") or {}
        words = [vcs.get("vcs", ""), said.get("url", ""), vcs.get("commit_id", ""), archive.get("hash", "")]
        words += [name + "=" + hashes[name] for name in sorted(hashes)]
        words.append("editable" if said.get("dir_info", {}).get("editable") else "")
        return " ".join(str(word) for word in dict.fromkeys(words) if word)
    except (ValueError, AttributeError, TypeError):
        return "a direct_url.json that cannot be read" if data else ""

def frozen(site, folder):
    path = os.path.join(site, folder)
    text = (content(path, "METADATA") or content(path, "PKG-INFO") or content(path)).decode("utf-8", "replace").replace("\r\n", "\n")
    stem = folder.rpartition(".")[0].split("-")
    name, version = field(text, "Name") or stem[0], field(text, "Version") or (stem[1] if len(stem) > 1 else "")
    record = content(path, "RECORD") or content(path, "installed-files.txt")
    return {
        "name": re.sub(r"[-_.]+", "-", name).lower(),
        "version": version,
        "source": source(content(path, "direct_url.json")),
        "record": hashlib.sha256(record).hexdigest() if record else "",
        "installer": content(path, "INSTALLER").decode("utf-8", "replace").strip(),
    }

found, seen, prefix = [], set(), os.path.normcase(os.path.join(os.path.realpath(sys.prefix), ""))
for entry in sys.path:
    site = os.path.realpath(entry)
    if site in seen or not os.path.normcase(site).startswith(prefix) or not os.path.isdir(site):
        continue
    seen.add(site)
    found += [frozen(site, name) for name in os.listdir(site) if name.endswith((".dist-info", ".egg-info"))]
sys.stdout.write("\n" + sys.argv[1] + json.dumps(found) + "\n")
"""
"""Reads files alone, in the interpreter itself, since only that knows its own search path; for Python 3.8 and newer."""


def freeze(python: str, environment: Mapping[str, str]) -> tuple[Frozen, ...]:
    """Return what is installed in the environment of an interpreter, in order; what it only sees of others does not count.

    Raises:
        TreatmentError: the interpreter does not answer; the message is one line.
    """
    mark = secrets.token_hex(16)
    shown = visible(python, one_line=True)
    try:
        ended = run([python, "-I", "-c", SCRIPT, mark], SECONDS, environment, limit=MOST)
    except OSError as error:
        raise TreatmentError(f"{shown} cannot be started: {reason_of(error)}") from error
    said = next((line for line in ended.stdout.splitlines() if line.startswith(mark)), "")
    try:
        answer: Any = json.loads(said[len(mark) :])
        return tuple(sorted(msgspec.convert(answer, tuple[Frozen, ...])))
    except ValueError as error:
        how = "it did not answer in time" if ended.code is None else f"it ended with code {ended.code}"
        last = (ended.stderr.strip().splitlines() or [""])[-1]
        why = f"{how}: {visible(last, one_line=True)}" if last else how
        raise TreatmentError(f"{shown} does not say what is installed in it: {why}") from error


def changed(before: tuple[Frozen, ...], after: tuple[Frozen, ...]) -> tuple[tuple[Frozen | None, Frozen | None], ...]:
    """Return the packages that are not the same, as pairs of before and after; None where there was or is none."""
    gone = [item for item in before if item not in after]
    new = [item for item in after if item not in before]
    pairs: list[tuple[Frozen | None, Frozen | None]] = []
    for name in sorted({item.name for item in (*gone, *new)}):
        old, young = ([item for item in items if item.name == name] for items in (gone, new))
        pairs += zip_longest(old, young)
    return tuple(pairs)

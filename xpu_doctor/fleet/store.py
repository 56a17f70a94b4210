"""Keeps one short row for each report outside of memory: a database without a name, which the system deletes with the process.

For each report it holds: node, time, digests of the report and of its profile, the cards at fault, and the speed of each card; of
each profile, once, the facts and the causes. SQLite keeps what is small in memory, and writes the rest to the folder for temporary files.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from xpu_doctor.fleet.model import Problem, Profile, Told
from xpu_doctor.fleet.reading import Made

MAX_EXAMPLES = 200
"""Files that gave no node, of each reason, that are named."""
_TABLES = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -32000; PRAGMA temp_store = FILE;
CREATE TABLE run (id INTEGER PRIMARY KEY, node TEXT, created TEXT, content BLOB, profile INTEGER, detail TEXT);
CREATE TABLE profile (id INTEGER PRIMARY KEY, digest BLOB UNIQUE, body BLOB, first TEXT, told BLOB);
CREATE TABLE speed (run INTEGER, model INTEGER, device TEXT, tflops REAL);
CREATE TABLE newest (run INTEGER PRIMARY KEY, node TEXT, created TEXT, profile INTEGER, detail TEXT);
"""
_PROFILES = msgspec.msgpack.Decoder(Profile)
_TOLD = msgspec.msgpack.Decoder(tuple[Told, ...])


class Run(NamedTuple):
    """One report of a node."""

    id: int
    node: str
    created: str
    content: bytes
    profile: int
    detail: str


class Store:
    """The rows of all reports of a fleet."""

    def __init__(self) -> None:
        self._data = sqlite3.connect("", isolation_level=None)
        self._data.executescript(_TABLES)
        self._data.execute("BEGIN")
        self._profiles: dict[bytes, int] = {}
        self._models: dict[tuple[str, str], int] = {}
        self._runs = 0
        self.problems: dict[str, int] = {}
        self._examples: dict[str, list[Problem]] = {}

    def close(self) -> None:
        """Give the database back."""
        self._data.close()

    @property
    def runs(self) -> int:
        """How many reports were added."""
        return self._runs

    def add(self, made: Made) -> None:
        """Add what was made of some reports."""
        for digest, profile in made.profiles.items():
            if digest not in self._profiles:
                self._profiles[digest] = len(self._profiles)
                body = msgspec.msgpack.encode(profile)
                self._data.execute(
                    "INSERT INTO profile VALUES (?, ?, ?, '', x'')", (self._profiles[digest], digest, body)
                )
        for digest, (first, told) in made.told.items():
            self._data.execute(
                "UPDATE profile SET first = ?, told = ? WHERE digest = ? AND (first = '' OR first > ?)",
                (_stored(first), msgspec.msgpack.encode(told), digest, _stored(first)),
            )
        start = self._runs
        self._data.executemany("INSERT INTO run VALUES (?, ?, ?, ?, ?, ?)", (
            (start + number, _stored(row.node), row.created, row.content, self._profiles[row.profile], _stored(row.detail))
            for number, row in enumerate(made.rows)
        ))  # fmt: skip
        self._data.executemany("INSERT INTO speed VALUES (?, ?, ?, ?)", (
            (start + number, self._model(timed.model, timed.dtype), _stored(timed.device), timed.tflops)
            for number, row in enumerate(made.rows)
            for timed in row.speeds
        ))  # fmt: skip
        self._runs += len(made.rows)
        for problem in made.problems:
            self.problem(problem)

    def problem(self, problem: Problem) -> None:
        """Count a file that gave no node; of each reason those whose names come first are kept as examples."""
        kind = str(problem.kind)
        self.problems[kind] = self.problems.get(kind, 0) + 1
        examples = self._examples.setdefault(kind, [])
        examples.append(problem._replace(kind=kind))
        if len(examples) >= 2 * MAX_EXAMPLES:
            examples.sort()
            del examples[MAX_EXAMPLES:]

    @property
    def examples(self) -> tuple[Problem, ...]:
        """Files that gave no node, of each reason those whose names come first."""
        return tuple(each for kind in sorted(self._examples) for each in sorted(self._examples[kind])[:MAX_EXAMPLES])

    def _model(self, model: str, dtype: str) -> int:
        number = self._models.get((model, dtype))
        return (
            self._models.setdefault((_stored(model), _stored(dtype)), len(self._models)) if number is None else number
        )

    def by_node(self) -> Iterator[list[Run]]:
        """Yield the runs of each node, the newest last; runs of one moment in the order of their digests."""
        rows = self._data.execute("SELECT * FROM run ORDER BY node, created, content, id")
        runs: list[Run] = []
        for row in rows:
            run = Run(*row)
            if runs and run.node != runs[0].node:
                yield runs
                runs = []
            runs.append(run)
        if runs:
            yield runs

    def set_newest(self, runs: Iterable[Run]) -> None:
        """Remember which run of each node counts."""
        self._data.executemany(
            "INSERT INTO newest VALUES (?, ?, ?, ?, ?)",
            ((run.id, run.node, run.created, run.profile, run.detail) for run in runs),
        )
        self._data.execute("CREATE INDEX by_profile ON newest (profile)")

    def profile_counts(self) -> dict[int, int]:
        """Return how many nodes have each profile."""
        return dict(self._data.execute("SELECT profile, count(*) FROM newest GROUP BY profile"))

    def profile(self, number: int) -> Profile:
        """Return a profile."""
        body = self._data.execute("SELECT body FROM profile WHERE id = ?", (number,)).fetchone()[0]
        return _PROFILES.decode(body)

    def told(self, number: int) -> tuple[Told, ...]:
        """Return the causes of a profile in the words of a report."""
        said = self._data.execute("SELECT told FROM profile WHERE id = ?", (number,)).fetchone()[0]
        return _TOLD.decode(said) if said else ()

    def nodes_of(self, profiles: Iterable[int]) -> Iterator[tuple[str, int, str]]:
        """Yield name, profile and cards at fault of the nodes with these profiles."""
        for number in profiles:
            yield from self._data.execute("SELECT node, profile, detail FROM newest WHERE profile = ?", (number,))

    def times(self) -> Iterator[str]:
        """Yield when the newest reports were made, in order; those that do not say so are left out."""
        return (row[0] for row in self._data.execute("SELECT created FROM newest WHERE created != '' ORDER BY created"))

    def older_than(self, moment: str) -> Iterator[tuple[str, str]]:
        """Yield the nodes whose newest report was made before a moment."""
        yield from self._data.execute(
            "SELECT node, created FROM newest WHERE created != '' AND created < ? ORDER BY node", (moment,)
        )

    def models(self) -> list[tuple[str, str]]:
        """Return models and data types whose speeds are known."""
        return sorted(self._models)

    def speeds(self, model: tuple[str, str]) -> tuple[array[float], int]:
        """Return the speeds of a model and data type, and from how many nodes they come."""
        number = self._models[model]
        rows = self._data.execute(
            "SELECT s.tflops FROM speed s JOIN newest n ON n.run = s.run WHERE s.model = ?", (number,)
        )
        values = array("d", (row[0] for row in rows))
        nodes = self._data.execute(
            "SELECT count(DISTINCT s.run) FROM speed s JOIN newest n ON n.run = s.run WHERE s.model = ?", (number,)
        )
        return values, int(nodes.fetchone()[0])

    def slower(self, model: tuple[str, str], than: float) -> Iterator[tuple[str, str, float]]:
        """Yield node, device and speed of the cards of a model that are slower."""
        yield from self._data.execute(
            "SELECT n.node, s.device, s.tflops FROM speed s JOIN newest n ON n.run = s.run WHERE s.model = ? AND s.tflops < ?",
            (self._models[model], than),
        )


def _stored(text: str) -> str:
    """Return a text as UTF-8 can hold it: a byte of a file's name that is none is shown as its escape."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()

"""The program that reads reports in a process of its own: batches come on standard input, what was made of them goes to standard output."""

from __future__ import annotations

import os
import struct
from typing import BinaryIO, NamedTuple

import msgspec

from xpu_doctor.fleet.model import Problem, Profile, Row, Told
from xpu_doctor.fleet.reading import Made, Reader

LENGTH = struct.Struct(">Q")
"""Stands before each message."""


class Job(NamedTuple):
    """What may be a report: the path of a file, or else its bytes."""

    label: str
    path: bytes | None
    data: bytes


class Answer(NamedTuple):
    """What was made of a batch."""

    rows: list[Row]
    profiles: list[tuple[bytes, Profile]]
    told: list[tuple[bytes, tuple[str, tuple[Told, ...]]]]
    problems: list[Problem]

    def made(self) -> Made:
        """Return it as the reader makes it."""
        made = Made()
        made.rows, made.problems = self.rows, self.problems
        made.profiles, made.told = dict(self.profiles), dict(self.told)
        return made


BATCHES = msgspec.msgpack.Decoder(list[Job])
ANSWERS = msgspec.msgpack.Decoder(Answer)


def read_batch(reader: Reader, jobs: list[Job]) -> Made:
    """Read a batch."""
    made = Made()
    for job in jobs:
        if job.path is None:
            reader.read(job.label, job.data, made)
        else:
            reader.read_file(os.fsdecode(job.path), job.label, made)
    return made


def main() -> None:
    """Answer batches until there are no more."""
    batches: BinaryIO = os.fdopen(os.dup(0), "rb")
    answers: BinaryIO = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints here must not get between the answers
    reader = Reader()
    while len(header := batches.read(LENGTH.size)) == LENGTH.size:
        made = read_batch(reader, BATCHES.decode(batches.read(LENGTH.unpack(header)[0])))
        answer = Answer(made.rows, list(made.profiles.items()), list(made.told.items()), made.problems)
        data = msgspec.msgpack.encode(answer)
        answers.write(LENGTH.pack(len(data)) + data)
        answers.flush()

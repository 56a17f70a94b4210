"""Which of the files that are to be written are reports that are read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from xpu_doctor.fleet.inputs import File, named
from xpu_doctor.fleet.inputs import items as items_of
from xpu_doctor.fleet.model import NO_LOSS, Problem
from xpu_doctor.fleet.reading import A_FLEET, Made, Reader


def read_among(outputs: Iterable[str], paths: Sequence[str]) -> tuple[str, ...]:
    """Return the outputs that are read: those that are named, and in folders that are named those that may be of a node.

    A fleet that `fleet --json` wrote is none of them, so that a command can be given again.

    Raises:
        xpu_doctor.fleet.inputs.NoInput: a path names nothing.
    """
    there = [path for path in outputs if path != "-" and os.path.isfile(path)]
    inputs = named(paths) if there else []
    return tuple(path for path in there if _is_read(path, inputs))


def _is_read(output: str, inputs: Sequence[str]) -> bool:
    state = os.stat(output)
    if any(os.path.isfile(path) and os.path.samestat(state, os.stat(path)) for path in inputs):
        return not _is_fleet(output)
    return any(_lies_in(output, path) for path in inputs if os.path.isdir(path)) and _may_be_of_a_node(output)


def _lies_in(path: str, folder: str) -> bool:
    """Return whether a file is found where a folder is read, which passes over what is hidden."""
    real, start = (os.path.normcase(os.path.realpath(each)) for each in (path, folder))
    start = start.rstrip(os.sep) + os.sep
    return real.startswith(start) and not any(part.startswith(".") for part in real[len(start) :].split(os.sep))


def _is_fleet(path: str) -> bool:
    return all(not made.rows and all(problem.reason == A_FLEET for problem in made.problems) for made in _made(path))


def _may_be_of_a_node(path: str) -> bool:
    return any(made.rows or any(problem.kind not in NO_LOSS for problem in made.problems) for made in _made(path))


def _made(path: str) -> Iterable[Made]:
    """Yield what is made of a file, piece by piece, so that a large one is not read to its end."""
    reader = Reader()
    for item in items_of([path]):
        made = Made()
        if isinstance(item, Problem):
            made.problems.append(item)
        elif not isinstance(item, File):
            reader.read(item.label, item.data, made)
        yield made

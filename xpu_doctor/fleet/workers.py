"""Reads batches of reports: here while there are few, and in processes of their own, each with a deadline, when there are many."""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

import msgspec

from xpu_doctor.fleet.inputs import File, Item
from xpu_doctor.fleet.model import Problem, ProblemKind
from xpu_doctor.fleet.reading import Made, Reader
from xpu_doctor.fleet.reading_child import ANSWERS, LENGTH, Job, read_batch
from xpu_doctor.process.child import Child

BATCH = 64
"""Reports that are given to a process at once."""
BATCH_BYTES = 4 << 20
HERE = 8
"""Batches that are read here before processes are started."""
MAX_WORKERS = 4
SECONDS = 120.0
"""Time in which a batch has to be read."""
ALONE_SECONDS = 30.0
"""Time for one report of a batch that was not read in time."""
MAX_ANSWER = 256 << 20
LATE = f"reading it took more than {SECONDS:.0f} s, or ended the process that read it"


def read_all(items: Iterable[Item], add: Callable[[Made], None], workers: int = 1) -> None:
    """Read what may be reports, and add what is made of each batch; all of `add` is called in this thread.

    With one worker everything is read in this process.
    """
    batches = _batches(items, add)
    reader = Reader()
    for number, batch in enumerate(batches, 1):
        add(read_batch(reader, batch))
        if workers > 1 and number == HERE:
            break
    else:
        return
    _read_beside(batches, add, workers)


def available_workers() -> int:
    """Return how many processes read at a time on this machine."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # no Linux
        cores = os.cpu_count() or 1
    return min(cores, MAX_WORKERS)


def _batches(items: Iterable[Item], add: Callable[[Made], None]) -> Iterator[list[Job]]:
    """Yield batches of what may be reports; what is known to be none is added at once."""
    batch: list[Job] = []
    size = 0
    for item in items:
        if isinstance(item, Problem):
            made = Made()
            made.problems.append(item)
            add(made)
            continue
        if isinstance(item, File):
            batch.append(Job(item.label, os.fsencode(item.path), b""))
        else:
            batch.append(Job(item.label, None, item.data))
            size += len(item.data)
        if len(batch) >= BATCH or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _read_beside(batches: Iterator[list[Job]], add: Callable[[Made], None], workers: int) -> None:
    """Hand batches to processes; no more of them are under way than can be read soon, so that nothing piles up here."""
    crew = _Crew(workers)
    under_way = 0
    try:
        for batch in batches:
            if under_way >= 3 * workers:
                add(crew.answer())
                under_way -= 1
            crew.asked.put(batch)
            under_way += 1
        while under_way:
            add(crew.answer())
            under_way -= 1
    finally:
        crew.end()


class _Crew:
    """Threads that each have a process read batches."""

    def __init__(self, workers: int) -> None:
        self.asked: queue.Queue[list[Job] | None] = queue.Queue()
        self._answered: queue.Queue[Made | BaseException] = queue.Queue()
        self._over = threading.Event()
        self._at_work: list[_Worker] = []
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(workers)]
        for thread in self._threads:
            thread.start()

    def answer(self) -> Made:
        """Return what was made of the batch that is read first.

        Raises:
            BaseException: reading it failed by a fault of the doctor's own.
        """
        answer = self._answered.get()
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def end(self) -> None:
        """End all processes, also in the middle of a batch that nobody waits for any more."""
        self._over.set()
        for worker in list(self._at_work):
            worker.stop()
        for _ in self._threads:
            self.asked.put(None)
        for thread in self._threads:
            thread.join(2.0)

    def _work(self) -> None:
        """Have a process of this thread's own read batches, until there are none."""
        worker: _Worker | None = None
        try:
            while (batch := self.asked.get()) is not None and not self._over.is_set():
                try:
                    worker = worker or self._started()
                    made = worker.read(batch, SECONDS)
                    if made is None and not self._over.is_set():
                        worker.end()
                        worker, made = None, _one_by_one(batch)
                    self._answered.put(made or Made())
                except OSError:  # no process can be started here: read it in this one
                    self._answered.put(read_batch(Reader(), batch))
                except BaseException as error:
                    self._answered.put(error)
        finally:
            if worker is not None:
                worker.end()

    def _started(self) -> _Worker:
        worker = _Worker()
        self._at_work.append(worker)
        return worker


def _one_by_one(batch: list[Job]) -> Made:
    """Read each report of a batch by itself, since one of them ended the process, or took too long."""
    whole = Made()
    worker: _Worker | None = None
    try:
        for job in batch:
            worker = worker or _Worker()
            made = worker.read([job], ALONE_SECONDS)
            if made is None:
                worker.end()
                worker = None
                whole.problems.append(Problem(job.label, ProblemKind.LATE, LATE))
                continue
            whole.rows += made.rows
            whole.problems += made.problems
            whole.profiles.update(made.profiles)
            whole.told.update(
                {key: told for key, told in made.told.items() if key not in whole.told or told < whole.told[key]}
            )
    finally:
        if worker is not None:
            worker.end()
    return whole


class _Worker:
    """A process that reads batches, one at a time."""

    def __init__(self) -> None:
        reading, requests = os.pipe()
        answers, writing = os.pipe()
        start = f"import sys; sys.path[:] = {sys.path!a}; from xpu_doctor.fleet.reading_child import main; main()"
        flags = ["-I"] if sys.flags.isolated else []
        arguments = [sys.executable, *flags, "-B", "-c", start]
        try:
            self._child = Child(arguments, os.environ, "", streams=(reading, writing))
        except BaseException:
            os.close(requests)
            os.close(answers)
            raise
        finally:
            os.close(reading)
            os.close(writing)
        self._requests: BinaryIO = os.fdopen(requests, "wb")
        self._answers: BinaryIO = os.fdopen(answers, "rb")

    def read(self, batch: list[Job], seconds: float) -> Made | None:
        """Return what was made of a batch; None where the process took too long, or ended."""
        timer = threading.Timer(seconds, self.stop)
        timer.daemon = True
        timer.start()
        try:
            data = msgspec.msgpack.encode(batch)
            self._requests.write(LENGTH.pack(len(data)) + data)
            self._requests.flush()
            header = self._answers.read(LENGTH.size)
            length = LENGTH.unpack(header)[0] if len(header) == LENGTH.size else MAX_ANSWER
            if length >= MAX_ANSWER:
                return None
            return ANSWERS.decode(self._answers.read(length)).made()
        except (OSError, ValueError, msgspec.MsgspecError):
            return None
        finally:
            timer.cancel()

    def stop(self) -> None:
        """End the process; what waits for its answer hears that there is none."""
        self._child.end()

    def end(self) -> None:
        """End the process, and close what led to it."""
        for stream in (self._requests, self._answers):
            try:
                stream.close()
            except OSError:
                pass
        self._child.end()

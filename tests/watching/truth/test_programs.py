"""Real programs on simulated GPUs: what `watch` says of each is what the program did, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.watching.truth.machine import A770, B580, METEOR_LAKE, SimulatedGpu
from tests.watching.truth.watching import Run, program, watch
from xpu_doctor.diagnosis.program_use import use_of
from xpu_doctor.model.facts.watched import InsideReport

POINTS = 5.0
SMALL_A770 = SimulatedGpu("a770", A770.address, A770.pci_id, A770.driver, 128 << 20)
"""With little memory, so that it is full soon."""


@dataclass(frozen=True)
class Case:
    """What must be said of a program."""

    gpus: tuple[SimulatedGpu, ...]
    codes: tuple[str, ...] = ()
    """Root causes first; none where all is well."""
    code: int = 0
    """Exit code."""
    before: Callable[[Path], list[str]] = field(default=lambda environment: [])
    further: Callable[[Run], None] = field(default=lambda run: None)


def _ranks(run: Run) -> None:
    assert isinstance(run.watched.processes, tuple)
    ranks = {one.rank: one for one in run.watched.processes if isinstance(one.rank, int)}
    assert sorted(ranks) == [0, 1]
    for rank, gpu in ((0, B580), (1, A770)):
        used = ranks[rank].gpus
        assert isinstance(used, tuple) and [one.address for one in used if one.busy_seconds > 0.2] == [gpu.address]


def _operators(run: Run) -> None:
    found = run.watched.fallback_operators
    assert isinstance(found, tuple)
    names = {"aten::_linalg_svd", "aten::_linalg_eigh", "aten::linalg_qr"}
    assert {one.name.partition(".")[0] for one in found} == names
    assert {one.route for one in found} == {"listed"}


def _killed(run: Run) -> None:
    assert (run.watched.end, run.watched.signal) == ("signal", "SIGKILL")


def _spilled(run: Run) -> None:
    assert isinstance(run.watched.gpus, tuple)
    held = {one.region: one for one in run.watched.gpus[0].memory}
    assert held["local0"].peak_bytes > 120 << 20
    assert held["system0"].growth_bytes > 256 << 20


def _shell(environment: Path) -> list[str]:
    return ["sh", "-c", 'exec "$@"', "sh"]


CASES = {
    "healthy": Case((A770,)),
    "two_gpus": Case((A770, B580)),
    "never": Case((A770,), ("program-never-used-gpu",)),
    "mostly_on_cpu": Case((B580,), ("program-mostly-on-cpu",)),
    "starved": Case((A770,), ("gpu-starved",)),
    "fallback": Case((B580,), ("op-cpu-fallback",), further=_operators),
    "spilled": Case((SMALL_A770,), ("memory-spilled",), further=_spilled),
    "wrong_gpu": Case((METEOR_LAKE, A770), ("wrong-gpu",)),
    "forked_workers": Case((B580,)),
    "ranks": Case((B580, A770), further=_ranks),
    "wrapped": Case((A770,), ("program-never-used-gpu",), before=_shell),
    "killed": Case((B580,), code=137, further=_killed),
    "short": Case((A770,)),
    "no_torch": Case((A770,), ("torch-not-imported",)),
}
"""By program; `wrapped` is `never` behind a shell that execs it."""
IN_EVERY_RUN = ("healthy", "starved", "no_torch")
"""The others are heavy: all of them take about two minutes."""


def command(name: str, environment: Path) -> list[str]:
    if name == "ranks":
        launcher = [str(environment / "bin" / "torchrun"), "--nproc-per-node=2", "--standalone"]
        return [*launcher, program(environment, name)[1]]
    return [*CASES[name].before(environment), *program(environment, "never" if name == "wrapped" else name)]


@pytest.mark.parametrize(
    "name", [name if name in IN_EVERY_RUN else pytest.param(name, marks=pytest.mark.heavy) for name in CASES]
)
def test_what_is_said_is_what_the_program_did(name: str, torch_env: Path, device: Path, tmp_path: Path) -> None:
    case = CASES[name]
    run = watch(command(name, torch_env), case.gpus, device, tmp_path)
    assert run.code == case.code, run.stderr
    if name == "mostly_on_cpu" and not run.codes and os.getloadavg()[0] > 1.5 * (os.cpu_count() or 1):
        pytest.skip("the machine is too busy to give a program the processor for most of the time")
    assert run.codes == list(case.codes), run.document
    assert run.watched.counters == "drm-fdinfo"
    assert isinstance(run.watched.gpus, tuple)
    found = {gpu.address: gpu.busy_seconds for gpu in run.watched.gpus}
    assert found.keys() == run.busy.keys()
    for address, busy in run.busy.items():
        assert isinstance(found[address], float)
        assert found[address] == pytest.approx(busy, abs=POINTS / 100 * _seconds(run)), address
    if run.imported:
        users = [one.pid for one in inside(run) if one.initialised is True]
        share = use_of(run.watched).share
        # Of a program that is killed, what came after the last sample is lost.
        lost = 100 * 0.6 / _seconds(run) if name == "killed" else 0.0
        assert share is not None and 100 * share == pytest.approx(run.share(users), abs=POINTS + lost)
        print(f"{name}: {', '.join(run.codes) or 'nothing'}; {100 * share:.1f} % said, {run.share(users):.1f} % true")
    case.further(run)


def inside(run: Run) -> tuple[InsideReport, ...]:
    return run.watched.inside if isinstance(run.watched.inside, tuple) else ()


def _seconds(run: Run) -> float:
    assert isinstance(run.watched.seconds, float)
    return run.watched.seconds

"""Real pips and uvs ask indexes on loopback what they have; nothing is installed, and no wheel is fetched."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.treatment.conftest import SPECS, interpreter
from tests.treatment.indexes import Indexes
from xpu_doctor.model.commands import Command
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.treatment.download_size import size_of
from xpu_doctor.treatment.index_answer import Answer, Asker, ask
from xpu_doctor.treatment.installer_words import Fault
from xpu_doctor.treatment.trial import trials

PIPS = ("21.3.1", "22.2.2", "23.3.2", "25.2", "")
UVS = ("0.5.0", "0.8.0", "")
FAULTS = (
    ("denied", Fault.REFUSED),
    ("rubbish", Fault.RUBBISH),
    ("failing", Fault.UNREACHABLE),
    ("empty", Fault.MISSING),
    ("login", Fault.MISSING),
    ("down", Fault.UNREACHABLE),
)
DOWN = "http://127.0.0.1:1/simple"


def by_pip(python: Path, index: str, asker: Asker, *specs: str, folder: str = "") -> Answer:
    """What pip is told, for the command that installs or, with a folder, downloads."""
    sub = ("download", "--dest", folder) if folder else ("install",)
    argv = (str(python), "-m", "pip", *sub, "--no-cache-dir", "--retries", "1", *(specs or SPECS), "--index-url", index)
    (trial,) = trials([Command(argv)], str(python))
    before = installed(python)
    answer = ask(trial, replace(asker, python=interpreter(python)))
    assert installed(python) == before
    return answer


def by_uv(uv: str, python: Path, index: str, asker: Asker, *specs: str) -> Answer:
    """The same of uv."""
    argv = ("uv", "pip", "install", "--python", str(python), "--no-cache", "--default-index", index, *(specs or SPECS))
    (trial,) = trials([Command(argv)], str(python))
    assert trial.dry is not None
    before = installed(python)
    answer = ask(replace(trial, dry=Command((uv, *trial.dry.argv[1:]))), replace(asker, python=interpreter(python)))
    assert installed(python) == before
    return answer


def installed(python: Path) -> list[str]:
    """Every file of an environment."""
    return sorted(str(path) for path in python.parents[1].rglob("*") if "__pycache__" not in path.parts)


@pytest.mark.parametrize("version", PIPS)
@pytest.mark.parametrize("kind", ["plain", "metadata", "json"])
def test_pip_finds_the_wheels(
    with_pip: Callable[[str], Path], indexes: Indexes, asker: Asker, version: str, kind: str
) -> None:
    """Whatever the pip and the index: the answer costs no download of a wheel, and the sizes are those of the files."""
    python = with_pip(version)
    indexes.asked.clear()
    answer = by_pip(python, indexes[kind], asker)
    assert answer.offered is True
    light = version == "" and kind != "plain"
    assert answer.complete is light and not indexes.wheels_fetched()
    named = {item.name for item in answer.downloads}
    assert named >= {"torch", "torchvision", "torchaudio"} and ("intel-sycl-rt" in named) is light
    size = size_of(answer, interpreter(python))
    names = () if light else ("torch-2.14", "torchvision-0.29", "torchaudio")
    every = ("torch-2.14", "torchvision-0.29", "torchaudio", "triton", "intel")
    assert size.known == indexes.total(*(names or every)) and not size.unknown and size.whole is light


def test_without_a_length_the_size_is_unknown(with_pip: Callable[[str], Path], indexes: Indexes, asker: Asker) -> None:
    """Neither the page nor the server tells."""
    python = with_pip("")
    answer = by_pip(python, indexes["unsized"], asker)
    size = size_of(answer, interpreter(python))
    assert answer.offered is True and size.known == 0 and not size.whole
    assert set(size.unknown) == {"torch", "torchvision", "torchaudio", "triton-xpu", "intel-sycl-rt"}


@pytest.mark.parametrize("version", ["21.3.1", ""])
@pytest.mark.parametrize(("kind", "fault"), FAULTS)
def test_pip_says_why_not(
    with_pip: Callable[[str], Path], indexes: Indexes, asker: Asker, version: str, kind: str, fault: Fault
) -> None:
    """Each bad answer is told apart, in pip's own line."""
    answer = by_pip(with_pip(version), DOWN if kind == "down" else indexes[kind], asker)
    assert answer.offered is False and answer.fault is fault
    assert answer.line and "\n" not in answer.line and len(answer.line) < 320


@pytest.mark.parametrize("version", UVS)
@pytest.mark.parametrize(("kind", "fault"), FAULTS)
def test_uv_says_why_not(
    with_uv: Callable[[str], str],
    with_pip: Callable[[str], Path],
    indexes: Indexes,
    asker: Asker,
    version: str,
    kind: str,
    fault: Fault,
) -> None:
    """Each bad answer is told apart, in uv's own words."""
    answer = by_uv(with_uv(version), with_pip(""), DOWN if kind == "down" else indexes[kind], asker)
    assert answer.offered is False and answer.fault is fault, answer
    assert answer.line and "\n" not in answer.line and len(answer.line) < 320


@pytest.mark.parametrize("spec", ["torch==2.99.0+xpu", "torch==2.14.0+cpu", "torch==2.15.0+xpu", "no-such-package"])
@pytest.mark.parametrize("program", ["pip 22.2.2", "pip", "uv 0.5.0", "uv"])
def test_not_this_version_not_this_python(
    with_uv: Callable[[str], str],
    with_pip: Callable[[str], Path],
    indexes: Indexes,
    asker: Asker,
    program: str,
    spec: str,
) -> None:
    """The index answers well, and has no such wheel for this interpreter."""
    name, _, version = program.partition(" ")
    if name == "pip":
        answer = by_pip(with_pip(version), indexes["metadata"], asker, spec)
    else:
        answer = by_uv(with_uv(version), with_pip(""), indexes["metadata"], asker, spec)
    assert answer.offered is False and answer.fault is Fault.MISSING, answer
    assert spec.partition("=")[0] in answer.line


@pytest.mark.parametrize("program", ["pip", "uv 0.5.0", "uv"])
@pytest.mark.parametrize("specs", [("torch==2.16.0+xpu",), ("torch==2.16.0+xpu", "torchvision==0.31.0")])
def test_requirements_that_nobody_fulfils(
    with_uv: Callable[[str], str],
    with_pip: Callable[[str], Path],
    indexes: Indexes,
    asker: Asker,
    program: str,
    specs: tuple[str, ...],
) -> None:
    """What torch itself requires is not offered, or its partner wants another torch."""
    name, _, version = program.partition(" ")
    python = with_pip("")
    ask_it = by_pip if name == "pip" else lambda *words: by_uv(with_uv(version), *words)
    answer = ask_it(python, indexes["metadata"], asker, *specs)
    assert answer.offered is False and answer.fault in (Fault.MISSING, Fault.CONFLICT), answer


@pytest.mark.parametrize("version", UVS)
def test_uv_finds_the_wheels(
    with_uv: Callable[[str], str], with_pip: Callable[[str], Path], indexes: Indexes, asker: Asker, version: str
) -> None:
    """uv names every package; their sizes come from the page, or from the servers of the files."""
    python = with_pip("")
    for kind in ("json", "metadata"):
        indexes.asked.clear()
        answer = by_uv(with_uv(version), python, indexes[kind], asker)
        size = size_of(answer, interpreter(python))
        assert answer.offered is True and answer.complete and not indexes.wheels_fetched()
        assert size.whole and size.known == indexes.total(
            "torch-2.14", "torchvision-0.29", "torchaudio", "triton", "intel"
        )
    assert size_of(by_uv(with_uv(version), python, indexes["unsized"], asker), interpreter(python)).unknown


def test_download_is_tried_without_its_folder(
    with_pip: Callable[[str], Path], indexes: Indexes, asker: Asker, tmp_path: Path
) -> None:
    """Where the plan downloads into a folder first, the trial makes none."""
    answer = by_pip(with_pip(""), indexes["metadata"], asker, folder=str(tmp_path / "wheels"))
    assert answer.offered is True and answer.trial.folder == str(tmp_path / "wheels")
    assert not (tmp_path / "wheels").exists()


def test_too_old_a_pip_is_no_obstacle(with_pip: Callable[[str], Path], indexes: Indexes, asker: Asker) -> None:
    """What cannot be asked is unknown, and why is said."""
    answer = by_pip(with_pip("20.3.4"), indexes["metadata"], asker)
    assert isinstance(answer.offered, Unknown) and "pip 20.3.4 has no command" in answer.offered.reason


def test_without_pip_and_without_uv(indexes: Indexes, asker: Asker, tmp_path: Path) -> None:
    """An installer that is not there gives no answer."""
    from tests.support.environments import make_environment

    python = make_environment(tmp_path / "bare").python
    for argv in (
        (str(python), "-m", "pip", "install", "torch", "--index-url", indexes["plain"]),
        ("no-such-uv", "pip", "install", "torch"),
    ):
        (trial,) = trials([Command(("uv", *argv[1:]) if argv[0] == "no-such-uv" else argv)], str(python))
        if argv[0] == "no-such-uv":
            trial = replace(trial, dry=Command(argv))
        answer = ask(trial, asker)
        assert isinstance(answer.offered, Unknown) and answer.offered.reason


def test_a_pip_that_hangs_is_not_waited_for(tmp_path: Path, asker: Asker) -> None:
    """An installer that never ends is unknown after the time that it gets, and ended."""
    program = tmp_path / "slow"
    program.write_text("#!/bin/sh\necho $$ > pid\nexec sleep 100\n")
    program.chmod(0o755)
    (trial,) = trials([Command((str(program), "-m", "pip", "install", "torch"))], str(program))
    answer = ask(trial, replace(asker, seconds=0.5))
    assert isinstance(answer.offered, Unknown) and "no answer within" in answer.offered.reason
    pid = (tmp_path / "pid").read_text().strip()
    assert subprocess.run(["ps", "-p", pid], capture_output=True, check=False).returncode != 0


def test_hostile_settings_do_not_answer_for_the_index(
    with_pip: Callable[[str], Path], indexes: Indexes, asker: Asker, tmp_path: Path
) -> None:
    """The trial keeps what the command does against settings: --isolated leaves a folder of other wheels out."""
    links = tmp_path / "links"
    links.mkdir()
    (links / "torch-2.99.0-py3-none-any.whl").write_bytes(indexes.files["torch-2.14.0+xpu-py3-none-any.whl"])
    python = with_pip("")
    hostile = replace(asker, environment={**asker.environment, "PIP_FIND_LINKS": str(links)})
    argv = (str(python), "-m", "pip", "--isolated", "install", "torch==2.99.0", "--index-url", indexes["metadata"])
    (trial,) = trials([Command(argv)], str(python))
    assert ask(trial, hostile).offered is False

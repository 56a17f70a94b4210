"""Real pips and uvs ask indexes on loopback what they have; nothing is installed, and no wheel is fetched."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tests.support.environments import make_environment
from tests.treatment.conftest import SPECS, interpreter
from tests.treatment.indexes import Indexes
from xpu_doctor.model.commands import Command
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.treatment.download_size import size_of
from xpu_doctor.treatment.index_answer import Answer, Asker, ask
from xpu_doctor.treatment.installer_words import Fault
from xpu_doctor.treatment.trial import trials

PIPS = ("21.3.1", "22.2.2", "23.3.2", "25.2", "")
UVS = ("0.5.0", pytest.param("0.8.0", marks=pytest.mark.heavy), "")
FAULTS = (
    ("denied", Fault.REFUSED),
    ("rubbish", Fault.RUBBISH),
    ("failing", Fault.UNREACHABLE),
    ("empty", Fault.MISSING),
    ("login", Fault.MISSING),
    ("down", Fault.UNREACHABLE),
)
EVERY = ("torch-2.14", "torchvision-0.29", "torchaudio", "triton", "intel")
DOWN = "http://127.0.0.1:1/simple"


def _few(kinds: list[str], quick: dict[str, str]) -> list[ParameterSet]:
    """Every pip with every kind of index; of the old ones a few, unless heavy tests are asked for: they take seconds each."""
    return [
        pytest.param(
            version, kind, marks=() if not version or kind in quick.get(version, "").split() else pytest.mark.heavy
        )
        for version in PIPS
        for kind in kinds
    ]


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


@pytest.mark.parametrize(("version", "kind"), _few(["plain", "metadata", "json"], {"21.3.1": "json", "25.2": "plain"}))
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
    names = EVERY if light else EVERY[:3]
    assert size.known == indexes.total(*names) and not size.unknown and size.whole is light


@pytest.mark.parametrize(
    ("version", "kind"),
    _few(["plain", "metadata", "json", "half", "unflagged"], {"21.3.1": "half", "25.2": "json plain"}),
)
def test_all_that_a_download_takes(
    with_pip: Callable[[str], Path], indexes: Indexes, asker: Asker, version: str, kind: str
) -> None:
    """Old pips name versions only, so that the doctor reads from the index what torch requires; no pip fetches a wheel for that."""
    python = with_pip(version)
    indexes.asked.clear()
    answer = by_pip(python, indexes[kind], asker, folder="wheels")
    size = size_of(answer, interpreter(python))
    assert answer.offered is True and not indexes.wheels_fetched()
    named = EVERY[:3] if kind == "plain" else EVERY
    assert size.known == indexes.total(*named) and size.whole is (kind in ("metadata", "json", "unflagged"))


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
@pytest.mark.parametrize("program", [pytest.param("pip 22.2.2", marks=pytest.mark.heavy), "pip", "uv 0.5.0", "uv"])
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
        assert size.whole and size.known == indexes.total(*EVERY)
    assert size_of(by_uv(with_uv(version), python, indexes["unsized"], asker), interpreter(python)).unknown


def test_download_is_tried_without_its_folder(
    with_pip: Callable[[str], Path], indexes: Indexes, asker: Asker, tmp_path: Path
) -> None:
    """Where the plan downloads into a folder first, the trial makes none."""
    answer = by_pip(with_pip(""), indexes["metadata"], asker, folder=str(tmp_path / "wheels"))
    assert answer.offered is True and answer.trial.folder == str(tmp_path / "wheels")
    assert not (tmp_path / "wheels").exists()


def test_too_old_a_pip(with_pip: Callable[[str], Path], indexes: Indexes, asker: Asker) -> None:
    """It cannot be asked, so that the index's pages are read; where they cannot be read either, nothing is known, and why is said."""
    python = with_pip("20.3.4")
    answer = by_pip(python, indexes["plain"], asker)
    assert answer.offered is True and not answer.complete
    assert size_of(answer, interpreter(python)).known == indexes.total("torch-2.14", "torchvision-0.29", "torchaudio")
    answer = by_pip(python, indexes["plain"], asker, "torch==2.13.0+xpu")
    assert answer.offered is False and answer.fault is Fault.MISSING and "lists no torch==2.13.0+xpu" in answer.line
    for index in (DOWN, indexes["denied"], indexes["rubbish"]):
        answer = by_pip(python, index, asker)
        assert isinstance(answer.offered, Unknown) and "pip 20.3.4 has no command" in answer.offered.reason


def test_without_an_installer(indexes: Indexes, asker: Asker, tmp_path: Path) -> None:
    """An installer that is not there gives no answer, and no obstacle; pip's index can be read without it."""
    python = make_environment(tmp_path / "bare").python
    (trial,) = trials([Command((str(python), "-m", "pip", "install", "torch", "--index-url", DOWN))], str(python))
    answer = ask(trial, asker)
    assert isinstance(answer.offered, Unknown) and "No module named pip" in answer.offered.reason
    assert ask(replace(trial, index=indexes["plain"]), asker).offered is True
    (trial,) = trials([Command(("uv", "pip", "install", "torch"))], str(python))
    answer = ask(replace(trial, dry=Command(("no-such-uv", "pip", "install", "torch"))), asker)
    assert isinstance(answer.offered, Unknown) and "no-such-uv" in answer.offered.reason


def test_projects_whose_index_is_not_written_yet(indexes: Indexes, asker: Asker) -> None:
    """poetry and pdm cannot be asked before; the pages say whether the wheels are there, and prove nothing where they cannot be read."""
    for kind, offered in (("json", True), ("plain", True), ("denied", None), ("empty", None)):
        index = indexes[kind]
        poetry = [
            ("poetry", "source", "add", "--priority", "explicit", "x", index),
            ("poetry", "add", "--source", "x", *SPECS),
        ]
        pdm = [
            ("pdm", "config", "--local", "pypi.x.url", index),
            ("pdm", "add", "--no-sync", "torch==2.14.0+xpu", "numpy==9.9"),
        ]
        for argvs in (poetry, pdm):
            (trial,) = trials([Command(argv) for argv in argvs], "py")
            answer = ask(trial, asker)
            if offered is None:
                assert (
                    isinstance(answer.offered, Unknown)
                    and "only after the first of these commands" in answer.offered.reason
                )
            else:
                assert answer.offered is True and answer.downloads[0].name == "torch"
            missing = ask(replace(trial, requirements=("torch==2.15.0+xpu",)), asker)
            assert (missing.offered is False) is (offered is True)


@pytest.mark.parametrize(
    "argv", [("pixi", "add", "torch"), ("pipenv", "install", "torch"), ("conda", "install", "libgcc-ng")]
)
def test_managers_that_are_not_asked(asker: Asker, argv: tuple[str, ...]) -> None:
    """No dry run, or no such program: unknown, and the manager is named."""
    (trial,) = trials([Command(argv)], "py")
    answer = ask(trial, replace(asker, environment={**asker.environment, "PATH": "/nowhere"}))
    assert isinstance(answer.offered, Unknown) and argv[0] in answer.offered.reason


@pytest.mark.parametrize(
    ("code", "said", "offered"),
    [
        (0, "Would install", True),
        (1, "PackagesNotFoundError: The following packages are not available", False),
        (1, "error    libmamba Could not solve for environment specs\n  nothing provides requested libgcc-ng", False),
        (1, "CondaHTTPError: HTTP 000 CONNECTION FAILED", None),
    ],
)
def test_conda(asker: Asker, tmp_path: Path, code: int, said: str, offered: bool | None) -> None:
    """A script stands for conda: what it prints and how it ends."""
    program = tmp_path / "bin" / "conda"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\ntest "$2" = --dry-run || exit 9\nprintf "{said}\\n" >&2\nexit {code}\n')
    program.chmod(0o755)
    (trial,) = trials([Command(("conda", "install", "--yes", "libgcc-ng"))], "py")
    assert trial.dry is not None
    answer = ask(replace(trial, dry=Command((str(program), *trial.dry.argv[1:]))), asker)
    assert (None if isinstance(answer.offered, Unknown) else answer.offered) is offered
    assert offered is True or said.split("\n")[-1].strip() in (answer.line or getattr(answer.offered, "reason", ""))


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


@contextlib.contextmanager
def silent() -> Iterator[tuple[str, list[socket.socket]]]:
    """The address of a server that takes every connection and never says a word, and the connections: so does a firewall that drops packets."""
    taken: list[socket.socket] = []

    def take() -> None:
        with contextlib.suppress(OSError):
            while True:
                taken.append(server.accept()[0])

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/simple", taken
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)
    for connection in taken:
        connection.close()


@pytest.mark.parametrize(("program", "most"), [pytest.param("21.3.1", 5, marks=pytest.mark.heavy), ("", 5), ("uv", 4)])
def test_an_index_that_never_answers_is_given_up(
    with_uv: Callable[[str], str], with_pip: Callable[[str], Path], asker: Asker, program: str, most: int
) -> None:
    """The doctor asks once for each of three pages, pip twice for the first: six times, each with its whole patience, are not waited for."""
    brief = replace(asker, patience=1, environment={k: v for k, v in asker.environment.items() if k != "PIP_RETRIES"})
    with silent() as (index, taken):
        answer = (
            by_uv(with_uv(""), with_pip(""), index, brief)
            if program == "uv"
            else by_pip(with_pip(program), index, brief)
        )
        assert answer.offered is False and answer.fault is Fault.UNREACHABLE, answer
        assert "timed out" in answer.line or "didn't respond" in answer.line
        assert 1 < len(taken) <= most


def test_a_timeout_of_ones_own_stays(tmp_path: Path, asker: Asker) -> None:
    """Who has set a timeout for a slow line keeps it; else the doctor's patience is what pip and uv get."""
    program = tmp_path / "tool"
    program.write_text('#!/bin/sh\necho "$UV_HTTP_TIMEOUT $*"\n')
    program.chmod(0o755)

    def told(argv: tuple[str, ...] = (), **variables: str) -> str:
        own = replace(asker, environment={**asker.environment, **variables})
        ended = own.run_pip(Command((str(program), *argv)), tmp_path / "log")
        return "" if isinstance(ended, Unknown) else ended.stdout

    assert told().startswith("8 ") and "--timeout 8" in told()
    assert told(UV_HTTP_TIMEOUT="90").startswith("90 ")
    assert "--timeout" not in told(PIP_TIMEOUT="60") and told(("--timeout", "60")).count("--timeout") == 1


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


def test_other_versions_of_a_folder_do_not_hide_an_index_that_is_down(
    with_pip: Callable[[str], Path], asker: Asker, indexes: Indexes, tmp_path: Path
) -> None:
    """pip lists what a folder of wheels offers; that the index itself did not answer is what is in the way."""
    (tmp_path / "torch-2.13.0-py3-none-any.whl").write_bytes(indexes.files["torch-2.14.0+xpu-py3-none-any.whl"])
    found = replace(asker, environment={**asker.environment, "PIP_FIND_LINKS": str(tmp_path)})
    answer = by_pip(with_pip("25.2"), DOWN, found, "torch==2.14.0+xpu")
    assert answer.offered is False and answer.fault is Fault.UNREACHABLE and answer.line == "Connection refused"
    answer = by_pip(with_pip("25.2"), indexes["plain"], found, "torch==2.99.0+xpu")
    assert answer.fault is Fault.MISSING and "2.13.0" in answer.line

"""Breaks environments in every way, types the commands that the report prints into a shell, and says what became of each.

    python tools/try_remedies.py [--match TEXT] [--states TEXT] [--every N] [--jobs N] [--work FOLDER] [--keep] [--tools FOLDER] [--json FILE]

Each environment is a copy of a template that its own manager made (tests/install/kinds.py), brought into a state
(tests/install/states.py), in a folder with a plain or an awkward name. `xpu-doctor check --json --skip import` examines it; the commands
of the first cause that has any are run as printed, by bash and by dash in turn, and the check is repeated until nothing is left to do,
three times at most. One thing is changed in them: the address of PyTorch's index, for which an index on loopback with tiny wheels stands; that
of PyPI is mapped by PIP_INDEX_URL and UV_DEFAULT_INDEX.

Everything runs in bubblewrap: but for the copy itself the machine is read-only. All files of the copy are hashed before and after; nothing
may change but the environment, the files of its project, caches, and the folders that the report names (torch-xpu-wheels, torch-xpu).

    ok        torch is imported, and it is the XPU build
    refused   the line ended with a failure, and the environment is as it was
    no line   the report prints no command, and says why
    FAULT     anything else: something foreign changed, or torch is lost, or is still the wrong one
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.install.kinds import BOX, KINDS, PATHS, TOOLS, UV, Ground, Kind, Layout, NotHere, clean_environment  # noqa: E402
from tests.install.states import INDEXES, STATES, Place, State  # noqa: E402
from tests.support.fake_gpu import write_gpu  # noqa: E402
from tests.support.fake_index import serve  # noqa: E402
from xpu_doctor.tables.releases import NIGHTLY, STABLE  # noqa: E402

ROUNDS = 3
SECONDS = 240
SHELLS = ("bash", "dash")
LAYERS = ("runtime", "wheel", "import")
"""Layers whose faults lie in the environment; the others are the machine's."""
MADE = ("torch-xpu-wheels", "torch-xpu")
"""Folders that the report says its commands make."""
CACHES = (".cache", ".local/state", ".local/share/uv", ".local/share/virtualenv", ".config")
LINKED = (".pth", ".cfg", ".json", ".pdm-python", ".project", "pixi")
"""Ends of the names of files that hold the path of the template."""


@dataclass(frozen=True)
class Trial:
    """One environment to break and to fix."""

    kind: Kind
    state: State | None
    path: str
    shell: str

    @property
    def name(self) -> str:
        """Both parts of the name."""
        return f"{self.kind.name} / {self.state.name if self.state else self.kind.one_state}"


@dataclass(frozen=True)
class Outcome:
    """What became of a trial."""

    kind: str
    state: str
    path: str
    shell: str
    verdict: str
    codes: tuple[str, ...] = ()
    why: str = ""
    lines: tuple[str, ...] = ()
    seconds: float = 0.0


class Templates:
    """Environments by kind, each made once, when the first trial asks for it."""

    def __init__(self, work: Path, urls: Mapping[str, str], tools: Path) -> None:
        self.work, self.urls, self.tools = work, urls, tools
        self.gpu = work / "pci"
        write_gpu(self.gpu)
        self._locks: dict[str, threading.Lock] = collections.defaultdict(threading.Lock)
        self._made: dict[str, tuple[Path, Layout] | NotHere] = {}

    def of(self, kind: Kind) -> tuple[Path, Layout]:
        """Return the folder of a template and its layout.

        Raises:
            NotHere: this machine cannot make one.
        """
        with self._locks[kind.name]:
            if kind.name not in self._made:
                self._made[kind.name] = self._make(kind)
        made = self._made[kind.name]
        if isinstance(made, NotHere):
            raise made
        return made

    def _make(self, kind: Kind) -> tuple[Path, Layout] | NotHere:
        folder = self.work / "templates" / str(KINDS.index(kind))
        for name in ("place/work", "home", "bin"):
            (folder / name).mkdir(parents=True)
        try:
            layout = kind.build(Ground(folder / "place", folder / "home", self.urls, self.tools))
        except NotHere as reason:
            return reason
        programs = {name: self.tools / name / "bin" / name for name in TOOLS}
        if layout.installer == "uv":
            programs["uv"] = Path(os.path.realpath(UV))
        for name, program in programs.items():
            if program.exists():
                (folder / "bin" / name).symlink_to(program)
        (folder / "bin" / "sudo").write_text("#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n")
        (folder / "bin" / "sudo").chmod(0o755)
        return folder, layout


class Room:
    """A copy of a template, and the box in which everything of one trial runs."""

    def __init__(self, trial: Trial, folder: Path, templates: Templates) -> None:
        self.trial, self.folder, self.tools, self.gpu = trial, folder, templates.tools, templates.gpu
        template, self.layout = templates.of(trial.kind)
        self.place = folder / trial.path
        folder.mkdir(parents=True)
        for source, target in (
            (template / "place", self.place),
            (template / "home", folder / "home"),
            (template / "bin", folder / "bin"),
        ):
            subprocess.run(["cp", "-a", str(source), str(target)], check=True)
        self._relink(str(template / "place"))
        self.environment = clean_environment(folder / "home")
        self.environment |= {"PIP_INDEX_URL": templates.urls["cpu"], "UV_DEFAULT_INDEX": templates.urls["cpu"]}
        self.environment |= {
            name: value.replace("{place}", str(self.place)) for name, value in self.layout.variables.items()
        }
        if trial.state is not None:
            trial.state.make(Place(self.at(self.layout.site), self.at(self.layout.work), self.layout.installer))

    def at(self, path: str) -> Path:
        """Return a path of the layout in this copy."""
        return self.place / path

    def _relink(self, old: str) -> None:
        """Make files and links that name the template name the copy."""
        new = str(self.place)
        for path in self.place.rglob("*"):
            if path.is_symlink():
                leads = os.readlink(path)
                if leads.startswith(old):
                    path.unlink()
                    path.symlink_to(new + leads[len(old) :])
            elif path.name.endswith(LINKED) and path.is_file():
                text = path.read_bytes()
                written = json.dumps(new, ensure_ascii=False)[1:-1] if text.startswith(b"{") else new
                if old.encode() in text:
                    path.write_bytes(text.replace(old.encode(), written.encode()))

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run a program in the box."""
        return subprocess.run(
            self.boxed(*argv),
            env=self.environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
        )

    def started(self, *argv: str) -> subprocess.Popen[str]:
        """Start a program in the box whose messages are read as they come."""
        return subprocess.Popen(
            self.boxed(*argv),
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )

    def boxed(self, *argv: str) -> list[str]:
        """Return the command that runs a program in the box."""
        command = [*BOX]
        for shown, where in ((ROOT, str(ROOT)), (self.tools, str(self.tools)), (self.gpu, "/sys/bus/pci/devices")):
            command += ["--ro-bind", str(shown), where]
        command += ["--bind", str(self.folder), str(self.folder)]
        for inside, outside in self.layout.mounts:
            command += ["--bind", str(self.at(inside)), outside] if inside else ["--tmpfs", outside]
        if self.layout.frozen:
            command += ["--ro-bind", str(self.at(self.layout.target)), str(self.at(self.layout.target))]
        return [*command, "--chdir", str(self.at(self.layout.work)), "--die-with-parent", "--", *argv]

    def check(self, python: str) -> dict[str, Any]:
        """Return the report on the environment."""
        skipped = () if self.trial.state is not None and self.trial.state.imports else ("--skip", "import")
        done = self.run(sys.executable, "-m", "xpu_doctor", "check", "--python", python, "--json", *skipped)
        if done.returncode not in (0, 1, 3):
            raise RuntimeError(f"check ended with {done.returncode}: {done.stderr[-300:]}")
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    def version(self, python: str) -> str:
        """Return the version of torch that a program imports, or why it does not."""
        done = self.run(python, "-c", "import torch; print(torch.__version__)")
        return done.stdout.strip() or (done.stderr.strip().splitlines() or [""])[-1]

    def heed(self, remedy: Mapping[str, Any]) -> None:
        """Leave out and set what the report says that the program must leave out and set, too."""
        if "PYTHONPATH out" in remedy["why"]:
            self.environment.pop("PYTHONPATH", None)
        if "PYTHONNOUSERSITE=1" in remedy["why"]:
            self.environment["PYTHONNOUSERSITE"] = "1"

    def changed(self, before: Mapping[str, str]) -> list[str]:
        """Paths of the copy that came, went or changed, caches and the folders that the report names left out."""
        after = fingerprints(self.folder)
        paths = sorted(path for path in {*before, *after} if before.get(path) != after.get(path))
        free = [str(Path("home") / name) for name in CACHES] + [
            str(Path(self.trial.path) / self.layout.work / name) for name in MADE
        ]
        return [
            path
            for path in paths
            if not _below(path, free)
            and not (after.get(path) == "folder" and any(place.startswith(f"{path}/") for place in free))
        ]


def fingerprints(folder: Path) -> dict[str, str]:
    """Kind, rights and content of every file, link and folder; bytecode, which imports write, left out."""
    found: dict[str, str] = {}
    for here, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in (*folders, *files):
            path = Path(here, name)
            key = str(path.relative_to(folder))
            if path.is_symlink():
                found[key] = f"link {os.readlink(path)}"
            elif path.is_file():
                found[key] = f"{path.stat().st_mode:o} {hashlib.sha256(path.read_bytes()).hexdigest()}"
            else:
                found[key] = "folder"
    return found


def _below(path: str, places: list[str]) -> bool:
    return any(path == place or path.startswith(f"{place}/") for place in places)


def flat(causes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each cause, followed by what it explains: a machine without a GPU hides nothing of its environment."""
    for cause in causes:
        yield cause
        yield from flat(cause["explains"])


def first_remedy(document: Mapping[str, Any]) -> tuple[str, dict[str, Any] | None, str]:
    """Return the first cause in the environment that has something to do: its code, the remedy with commands, else what is said instead."""
    said = ("", "")
    for cause in flat(document["root_causes"]):
        if cause["layer"] in LAYERS:
            for remedy in cause["remedies"]:
                if remedy["commands"] and not any(line.startswith("#") for line in remedy["commands"]):
                    return cause["code"], remedy, ""
                said = said if said[0] else (cause["code"], f"{remedy['title']}. {remedy['why']}")
            said = said if said[0] else (cause["code"], cause["summary"])
    return said[0], None, said[1]


def attempt(trial: Trial, templates: Templates, folder: Path) -> Outcome:
    """Break, examine, obey, compare."""
    started = time.monotonic()
    codes: list[str] = []
    lines: list[str] = []

    def outcome(verdict: str, why: str = "") -> Outcome:
        state = trial.state.name if trial.state else trial.kind.one_state
        seconds = round(time.monotonic() - started, 1)
        return Outcome(
            trial.kind.name, state, trial.path, trial.shell, verdict, tuple(codes), why, tuple(lines), seconds
        )

    try:
        room = Room(trial, folder, templates)
    except NotHere as reason:
        return outcome("not here", str(reason))
    layout = room.layout
    python = layout.python if layout.python.startswith("/") else str(room.at(layout.python))
    before = fingerprints(folder)
    own = [str(Path(trial.path) / name) for name in (*layout.files, *(() if layout.new else (layout.target,)))]
    target = str(Path(trial.path) / layout.target)
    failed = ""
    for _ in range(1 if trial.state is not None and trial.state.imports else ROUNDS):
        code, remedy, instead = first_remedy(room.check(python))
        if remedy is None:
            if code and not codes:
                return outcome("no line", f"{code}: {instead}")
            break
        codes.append(code)
        typed = (
            "\n".join(remedy["commands"])
            .replace(NIGHTLY, templates.urls["nightly"])
            .replace(STABLE, templates.urls["xpu"])
        )
        lines += remedy["commands"]
        done = room.run(trial.shell, "-c", typed)
        if done.returncode:
            failed = next(
                (line for line in reversed((done.stderr + "\n" + done.stdout).splitlines()) if line.strip()),
                f"exit code {done.returncode}",
            )
            if "Read-only file system" in done.stderr + done.stdout and not layout.frozen:
                return outcome("FAULT", f"wrote where nothing may be written: {failed}")
            break
        room.heed(remedy)
        made = room.at(layout.work) / "torch-xpu" / "bin" / "python"
        python = str(made) if made.exists() else python
    changed = room.changed(before)
    foreign = [path for path in changed if not _below(path, own) and not _shadow(path, trial, layout)]
    version = room.version(python)
    if foreign:
        return outcome("FAULT", f"{len(foreign)} foreign changes: {', '.join(foreign[:3])}")
    within = [path for path in changed if _below(path, [target])]
    if failed and not version.endswith("+xpu"):
        half = f"stopped half-way: {failed}; {len(within)} changes: {within[:2]}; torch: {version}"
        return outcome("FAULT", half) if within else outcome("refused", failed)
    if failed and not within:
        return outcome("refused", failed)
    if version.endswith("+xpu"):
        return outcome("ok", f"torch is there, and a later step failed: {failed}" if failed else "")
    return outcome(
        "FAULT", f"torch is {version}" if codes else f"no cause in the environment is named, and torch is {version}"
    )


def _shadow(path: str, trial: Trial, layout: Layout) -> bool:
    """Return whether it is the user's own file that the report says to rename, under its old name or its new one."""
    return path in {str(Path(trial.path) / layout.work / name) for name in ("torch.py", "my_torch.py")}


def trials(match: str = "", states: str = "", every: int = 1) -> list[Trial]:
    """Return the trials to make: each kind in each state, paths and shells in turn; a third of the states where torch is foreign; one state in each path."""
    found: list[tuple[int, Trial]] = []
    for number, kind in enumerate(KINDS):
        ways: list[tuple[State | None, str]] = [(None, path) for path in PATHS]
        if not kind.one_state:
            ways = [(state, PATHS[(number + place) % len(PATHS)]) for place, state in enumerate(STATES)]
            ways = ways[number % 3 :: 3] if kind.foreign else ways
        found += [
            (place, Trial(kind, state, path, SHELLS[(number + place // 2) % 2]))
            for place, (state, path) in enumerate(ways)
        ]
    found.sort(key=lambda item: item[0])
    return [trial for _, trial in found if match in trial.kind.name and states in trial.name][::every]


@contextlib.contextmanager
def _workplace(named: str, keep: bool) -> Iterator[Path]:
    folder = Path(named).resolve() if named else Path(tempfile.mkdtemp(prefix="try-remedies-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def run(
    chosen: list[Trial], *, jobs: int = 2, work: str = "", tools: str = "", keep: bool = False, loud: bool = False
) -> list[Outcome]:
    """Make the trials and return what became of them, in their order."""
    with (
        _workplace(work, keep) as folder,
        serve(folder / "index", INDEXES) as urls,
        concurrent.futures.ThreadPoolExecutor(jobs) as pool,
    ):
        place = Path(tools).resolve() if tools else folder / "tools"
        place.mkdir(exist_ok=True)
        templates = Templates(folder, urls, place)

        def one(number: int) -> Outcome:
            room = folder / "trials" / str(number)
            try:
                result = attempt(chosen[number], templates, room)
            except Exception as error:
                trial = chosen[number]
                state = trial.state.name if trial.state else trial.kind.one_state
                result = Outcome(
                    trial.kind.name, state, trial.path, trial.shell, "FAULT", why=f"{type(error).__name__}: {error}"
                )
            if loud:
                said = f"{result.verdict} {chosen[number].name} [{result.path}, {result.shell}, {result.seconds} s] {result.why}"
                shown = result.lines if result.verdict == "FAULT" else ()
                print(said, *shown, sep="\n    ", file=sys.stderr, flush=True)
            if not keep or result.verdict != "FAULT":
                shutil.rmtree(room, ignore_errors=True)
            return result

        return list(pool.map(one, range(len(chosen))))


def table(outcomes: list[Outcome]) -> str:
    """Return the outcomes as a table with their totals; reasons below it."""
    names = list(dict.fromkeys(item.kind for item in outcomes))
    columns = [*(state.name for state in STATES), "its own"]
    own = {kind.one_state for kind in KINDS if kind.one_state}
    rows = [["", *columns]]
    for name in names:
        row = [name]
        for column in columns:
            here = [
                item
                for item in outcomes
                if item.kind == name and column in (item.state, "its own" if item.state in own else "")
            ]
            met = collections.Counter(item.verdict for item in here)
            row.append(
                " ".join(verdict if count == 1 else f"{count} {verdict}" for verdict, count in met.items()) or "-"
            )
        rows.append(row)
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    reasons = collections.Counter((item.verdict, item.kind, item.why) for item in outcomes if item.why)
    lines += ["", *(f"{verdict}: {kind} ({count}): {why}" for (verdict, kind, why), count in sorted(reasons.items()))]
    totals = collections.Counter(item.verdict for item in outcomes)
    by_shell = collections.Counter(item.shell for item in outcomes if item.verdict != "not here")
    lines += [
        "",
        f"{len(outcomes)} environments: " + ", ".join(f"{count} {verdict}" for verdict, count in totals.most_common()),
    ]
    lines += [
        ", ".join(f"{count} by {shell}" for shell, count in by_shell.items())
        + f", {sum(item.seconds for item in outcomes):.0f} s of work"
    ]
    return "\n".join(lines)


def main() -> int:
    """Run the trials that the command line asks for; 1 where one is a fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--match", default="", help="only kinds whose name holds this")
    parser.add_argument("--states", default="", help="only trials whose name holds this")
    parser.add_argument("--every", type=int, default=1, help="only each N-th of them")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--work", default="", help="where to build; a new folder of the system's for temporary files else"
    )
    parser.add_argument("--tools", default="", help="where poetry, pdm, pipenv and hatch are, or are to be installed")
    parser.add_argument("--keep", action="store_true", help="leave the environments that are faults")
    parser.add_argument("--json", default="", help="write the outcomes there, with the lines that were typed")
    given = parser.parse_args()
    started = time.monotonic()
    outcomes = run(
        trials(given.match, given.states, given.every),
        jobs=given.jobs,
        work=given.work,
        tools=given.tools,
        keep=given.keep,
        loud=True,
    )
    print(table(outcomes))
    print(f"{time.monotonic() - started:.0f} s")
    if given.json:
        Path(given.json).write_text(
            json.dumps([asdict(item) for item in outcomes], ensure_ascii=False, indent=1), encoding="utf-8"
        )
    return 1 if any(item.verdict == "FAULT" for item in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())

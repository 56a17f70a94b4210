"""Breaks environments in every way, lets `xpu-doctor fix` mend them, takes it back, and says what became of each.

    python tools/try_fixes.py [--match REGEX] [--every N] [--kills N] [--windows] [--jobs N] [--work FOLDER] [--tools FOLDER] [--json FILE]

Each environment is a copy of a template that its own manager made (tests/install/kinds.py), in a state (tests/install/states.py), in a
folder with a plain or an awkward name, under a circumstance: hostile settings, a full disk, an index that goes down in the middle. The plan is
printed, done by `--apply --yes`, verified by an import, and taken back by `--undo`. Everything runs in bubblewrap: but for the copy the
machine is read-only. All files of the copy are hashed before, after each of the three, and all packages listed.

    plan      the codes that `--apply` may do, and `for you` where it leaves all to people
    applied   done, refused (nothing changed, and it says why) or failed (in the middle, and it says so)
    verified  the version of torch that is imported then, and that nothing outside of the environment and its project's files changed
    undone    every file and every package is as before; `-` where nothing was changed

`--kills N` ends the doctor by SIGKILL at N moments, and takes that back: a quarter of them while it keeps the way back and begins, the others
while the installer changes packages, told by what it has changed so far.
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import contextlib
import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from tabulate import tabulate

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from try_remedies import CACHES, Room, Templates, Trial, _below, fingerprints  # noqa: E402

from tests.install.kinds import KINDS, PATHS, NotHere  # noqa: E402
from tests.install.states import CPU, INDEXES, STATES, install  # noqa: E402
from tests.support.fake_index import serve  # noqa: E402
from tests.treatment.worlds import whole  # noqa: E402
from xpu_doctor.treatment.backup import SMALL  # noqa: E402
from xpu_doctor.treatment.place import KEPT  # noqa: E402

WORKING = {name: tuple(map(whole, wheels)) for name, wheels in INDEXES.items()}
PROJECTS = ("uv project", "uv workspace", "uv virtual root", "poetry", "pdm", "pipenv")
PAGE, LITTLE = 4096, 40 << 10
"""Bytes by which a disk in memory counts, and what is free on the small one besides."""
EARLY = 0.25
"""The part of the kills that come before the packages change."""
BESIDE = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "__pycache__")
"""Folders that no step changes."""
LAST = "A way back is kept"
"""What is said when all is done."""
DOWN = {False: 2, True: 12}
"""Files that a failing index still serves: pip fetches two of five before it installs; uv looks into all, twice, and then fetches them."""
LIST = "import importlib.metadata as m; print(sorted((d.metadata['Name'] or '', d.version or '') for d in m.distributions()))"


@dataclass(frozen=True)
class Case:
    """An environment, and what happens around it."""

    kind: str
    state: str
    path: str = PATHS[0]
    around: str = ""
    """`full disk`, `disk fills up`, `index down`, `hostile settings`, `two copies`, or nothing."""

    @property
    def name(self) -> str:
        """All of it in one line."""
        return " / ".join(filter(None, (self.kind, self.state, self.around)))


CASES = (
    *(Case("venv, pip", state.name, PATHS[number % 4]) for number, state in enumerate(STATES) if not state.imports),
    *(Case("uv venv", state.name, PATHS[number % 4]) for number, state in enumerate(STATES) if not state.imports),
    Case("venv, pip", "CPU wheel", around="two copies"),
    Case("venv, pip", "CPU wheel", around="full disk"),
    Case("uv venv", "CPU wheel", around="full disk"),
    Case("venv, pip", "CPU wheel", around="disk fills up"),
    Case("uv venv", "CPU wheel", around="disk fills up"),
    Case("venv, pip", "CPU wheel", around="index down"),
    Case("uv venv", "CPU wheel", around="index down"),
    Case("venv, pip", "CUDA wheel", PATHS[2], "hostile settings"),
    Case("uv venv", "CUDA wheel", PATHS[2], "hostile settings"),
    *(Case(kind, "CPU wheel", PATHS[number % 4]) for number, kind in enumerate(("uv venv --seed", *PROJECTS))),
    Case("uv project", "no metadata"),
    Case("poetry", "CUDA wheel"),
    Case("pdm", "CUDA wheel"),
    Case("pipenv", "CUDA wheel"),
    Case("venv without pip", "CPU wheel"),
    Case("no pip, no ensurepip", "CPU wheel"),
    Case("over own Python", "CPU wheel"),
    Case("over Debian's torch", ""),
    Case("own, over Debian's", "CPU wheel"),
    Case("Debian, PEP 668", ""),
    Case("user site", "CPU wheel"),
    Case("own Python", "CPU wheel"),
    Case("hatch", "CPU wheel"),
    Case("conda", ""),
    Case("read-only", "CPU wheel"),
    Case(".pth", "CPU wheel"),
    Case("PYTHONPATH", "CPU wheel"),
)


KILLED = (Case("venv, pip", "CPU wheel"), Case("uv venv", "CUDA wheel", PATHS[2]))
"""Where the doctor is killed, in turn."""


@dataclass(frozen=True)
class Row:
    """What became of a case."""

    case: str
    plan: str = ""
    applied: str = ""
    verified: str = ""
    undone: str = ""
    fault: str = ""
    said: str = ""
    seconds: float = 0.0


class _Failing(http.server.SimpleHTTPRequestHandler):
    """Serves pages for ever, and some files."""

    left = 0
    lock = threading.Lock()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Serve, or cut the line."""
        if self.path.startswith("/files/"):
            kind = type(self)
            with self.lock:
                kind.left -= 1
            if kind.left < 0:
                self.close_connection = True
                return
        super().do_GET()


@contextlib.contextmanager
def failing(root: Path, files: int) -> Iterator[str]:
    """Serve the XPU index until so many files are fetched."""
    handler = type("Failing", (_Failing,), {"left": files})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(root)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/whl/xpu"
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def small_disk(folder: Path, fills_up: bool) -> Iterator[None]:
    """Put a folder on a disk of its own that is nearly full, or has room for a way back and little more; only root can."""
    moved = folder.with_name(f"{folder.name}.whole")
    folder.rename(moved)
    folder.mkdir()
    sizes = [path.lstat().st_size for path in moved.rglob("*") if path.is_file() and not path.is_symlink()]
    size = sum(-(-one // PAGE) * PAGE for one in sizes) + LITTLE
    size += sum(one for one in sizes if one <= SMALL) + 300 * len(list(moved.rglob("*"))) if fills_up else 0
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "small", folder], capture_output=True, check=False
    )
    if done.returncode:
        raise NotHere("a small disk cannot be mounted")
    try:
        subprocess.run(["cp", "-a", f"{moved}/.", str(folder)], check=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=False)


class Patient:
    """One environment in its box."""

    def __init__(self, case: Case, folder: Path, templates: Templates) -> None:
        kind = next(kind for kind in KINDS if kind.name == case.kind)
        state = next((state for state in STATES if state.name == case.state), None)
        self.case, self.urls = case, templates.urls
        self.room = Room(Trial(kind, state, case.path, "bash"), folder, templates)
        self.folder, layout = folder, self.room.layout
        self.python = layout.python if layout.python.startswith("/") else str(self.room.at(layout.python))
        self.options = ("--edit-project",) if case.kind in PROJECTS else ()
        self.own = [str(Path(case.path) / name) for name in (*layout.files, layout.target)]
        if case.around == "hostile settings":
            self._hostile()
        if case.around == "two copies":
            other = self.room.at("other")
            other.mkdir()
            install(other, CPU[:1], "pip")
            self.room.environment["PYTHONPATH"] = str(other)

    def _hostile(self) -> None:
        settings = self.folder / "home" / "pip.conf"
        settings.write_text("[global]\nuser = true\nno-deps = true\nrequire-hashes = true\nno-index = true\n")
        elsewhere = str(self.room.at("elsewhere"))
        self.room.environment |= {
            "PIP_CONFIG_FILE": str(settings), "PIP_TARGET": elsewhere, "PIP_EXTRA_INDEX_URL": self.urls["cpu"], "PIP_NO_BINARY": ":all:",
            "PIP_CONSTRAINT": str(self.folder / "home" / "none.txt"), "UV_EXTRA_INDEX_URL": self.urls["cpu"], "UV_NO_INDEX": "1",
            "UV_INDEX_STRATEGY": "unsafe-best-match", "UV_NO_BINARY": "1", "UV_TARGET": elsewhere,
        }  # fmt: skip

    def argv(self, *options: str, index: str = "") -> tuple[str, ...]:
        """Return the doctor's command line."""
        where = ("--index-url", index) if index else ()
        return (sys.executable, "-m", "xpu_doctor", "fix", "--python", self.python, *where, *options)

    def doctor(self, *options: str, index: str = "") -> subprocess.CompletedProcess[str]:
        """Run the doctor in the box."""
        done = self.room.run(*self.argv(*options, index=index))
        if re.search(r'File "[^"]*/xpu_doctor/', done.stdout + done.stderr):
            raise RuntimeError(f"{options}: {done.stderr[-600:]}")
        return done

    def files(self) -> dict[str, str]:
        """All files of the copy, the caches and notes in the home folder and the kept way back left out."""
        free = [str(Path("home") / name) for name in CACHES]
        found = fingerprints(self.folder)
        return {
            path: what
            for path, what in found.items()
            if not _below(path, free)
            and KEPT not in path.split("/")
            and not (what == "folder" and any(place.startswith(f"{path}/") for place in free))
        }

    def packages(self) -> str:
        """All packages, as the interpreter sees them."""
        return self.room.run(self.python, "-I", "-c", LIST).stdout.strip()


def compared(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return the paths that are not the same."""
    return sorted(path for path in {*before, *after} if before.get(path) != after.get(path))


def attempt(case: Case, folder: Path, templates: Templates) -> Row:
    """Plan, do, verify, take back."""
    began = time.monotonic()
    row = functools.partial(Row, case.name)
    try:
        with contextlib.ExitStack() as stack:
            patient = Patient(case, folder, templates)
            index = templates.urls["xpu"]
            if case.around == "index down":
                index = stack.enter_context(failing(templates.work / "index", DOWN["uv" in case.kind]))
            if case.around in ("full disk", "disk fills up"):
                stack.enter_context(small_disk(patient.room.place, case.around == "disk fills up"))
            fields = _treated(patient, index)
    except NotHere as reason:
        return row(plan="not here", said=str(reason))
    except Exception as error:
        fields = {"fault": f"{type(error).__name__}: {error}"}
    return row(**fields, seconds=round(time.monotonic() - began, 1))


def _treated(patient: Patient, index: str) -> dict[str, str]:
    before, packages = patient.files(), patient.packages()
    shown = {name: value for name, value in patient.room.environment.items() if name == "PYTHONPATH"}
    done = patient.doctor(*patient.options, index=index)
    named = re.findall(r"\[([a-z0-9, -]+)\] \(done by --apply\)", " ".join(done.stdout.split()))
    codes = [code for words in named for code in words.split(", ")]
    fields = {"plan": ", ".join(codes) or "for you"}
    if done.returncode not in (0, 1, 3):
        return {**fields, "fault": f"the plan ended with {done.returncode}: {done.stderr[-300:]}"}
    if changed := compared(before, patient.files()):
        return {**fields, "fault": f"the plan changed {changed[:3]}"}
    applied = patient.doctor("--apply", "--yes", *patient.options, index=index)
    after = patient.files()
    changed = compared(before, after)
    foreign = [path for path in changed if not _below(path, patient.own)]
    said = applied.stdout + applied.stderr
    # A failure is told in one line, a refusal as what is not ready.
    stop = re.search(r"(?:Failed|Stopped|Not ready): .*", " ".join(said.split()))
    fields["said"] = stop[0][:240] if stop else ""
    went = "Before and after" in applied.stdout
    untouched = stop is not None and ("Not ready" in stop[0] or "nothing was changed" in stop[0])
    fields["applied"] = "done" if went else "refused" if untouched else "failed" if stop else "-"
    if foreign:
        return {**fields, "fault": f"{len(foreign)} changes outside: {foreign[:3]}"}
    if went:
        told = _heeded(patient, applied.stdout)
        version = patient.room.version(patient.python)
        fixed = told or all(f"fixed    [{code}]" in applied.stdout for code in codes)
        fields["verified"] = f"torch {version}, 0 outside" + ("" if fixed else "; not all is fixed")
        if not version.endswith("+xpu") or not fixed:
            fields["fault"] = f"after it: torch is {version}; {applied.stdout[-400:]}"
    elif fields["applied"] in ("-", "refused") and changed:
        return {**fields, "fault": f"nothing was to change, and {changed[:3]} did"}
    if fields["applied"] in ("-", "refused"):
        return {**fields, "undone": "-"}
    undone = patient.doctor("--undo")
    patient.room.environment.pop("PYTHONNOUSERSITE", None)
    patient.room.environment |= shown
    left = compared(before, patient.files())
    same = patient.packages() == packages
    fields["undone"] = f"{len(after)} files, {len(changed)} put back" if not left and same else "NO"
    if left or not same or undone.returncode:
        fields["fault"] = f"undo ({undone.returncode}): {left[:3]} {'' if same else 'packages'} {undone.stderr[-300:]}"
    return fields


def _heeded(patient: Patient, said: str) -> bool:
    """Leave out and set what the plan says that programs must leave out and set, too; return whether it says so."""
    variables = patient.room.environment
    if "PYTHONPATH out" in " ".join(said.split()) and variables.pop("PYTHONPATH", ""):
        return True
    if "PYTHONNOUSERSITE=1" in said and "PYTHONUSERBASE" in variables:
        variables["PYTHONNOUSERSITE"] = "1"
        return True
    return False


@dataclass(frozen=True)
class Moment:
    """When the doctor is killed: so many seconds after it has begun to keep a way back, or at that change of the packages."""

    seconds: float = 0.0
    change: int = 0

    def __str__(self) -> str:
        return f"at change {self.change}" if self.change else f"after {self.seconds:.2f} s"


def _picture(site: Path) -> frozenset[str]:
    """Return what lies beside pip in a folder of packages, and how large it is."""
    found = set()
    for here, folders, files in os.walk(site):
        folders[:] = [name for name in folders if name not in BESIDE]
        found |= {here, *(f"{here}/{name}" for name in files)}
    return frozenset(found)


def _changes(site: Path, alive: Callable[[], bool]) -> Iterator[int]:
    """Yield the number of each change of a folder of packages, for as long as a program runs."""
    last, number = _picture(site), 0
    while alive():
        now = _picture(site)
        if now != last:
            last, number = now, number + 1
            yield number
        time.sleep(0.0005)


def spans(case: Case, folder: Path, templates: Templates) -> tuple[float, int]:
    """Return how many seconds pass between the beginning of the way back and the first step, and how often the packages change then."""
    patient = Patient(case, folder, templates)
    began = first = 0.0
    count = 0
    site = patient.room.at(patient.room.layout.site)
    argv = patient.argv("--apply", "--yes", *patient.options, index=templates.urls["xpu"])
    with patient.room.started(*argv) as process:

        def watch() -> None:
            nonlocal count
            for count in _changes(site, lambda: process.poll() is None):  # noqa: B007
                pass

        watcher = threading.Thread(target=watch)
        watcher.start()
        assert process.stderr is not None
        for line in process.stderr:
            began = began or (time.monotonic() if line.startswith("Keeping") else 0.0)
            first = first or (time.monotonic() if line.startswith("Step") else 0.0)
        process.wait()
        watcher.join()
    shutil.rmtree(folder, ignore_errors=True)
    return max(first - began, 0.3), count


def killed(case: Case, folder: Path, templates: Templates, moment: Moment) -> Row:
    """End the doctor at a moment, and take that back."""
    name, began = f"{case.name}, SIGKILL {moment}", time.monotonic()
    try:
        patient = Patient(case, folder, templates)
        before, packages = patient.files(), patient.packages()
        argv = patient.argv("--apply", "--yes", *patient.options, index=templates.urls["xpu"])
        seen = _kill(patient, argv, moment)
        at = compared(before, patient.files())
        undone = patient.doctor("--undo", "--yes")
        left, same = compared(before, patient.files()), patient.packages() == packages
        fault = "" if not left and same and undone.returncode in (0, 2) else f"{left[:3]} {undone.stderr[-300:]}"
        kept = "" if not (Path(patient.python).parents[1] / KEPT).exists() else "a way back is left"
        said = f"in {seen!r}, {len(at)} files differed"
        how = "done before" if seen.startswith(LAST) else "killed"
        return Row(
            name,
            "",
            how,
            "",
            "identical freeze" if not fault else "NO",
            fault or kept,
            said,
            round(time.monotonic() - began, 1),
        )
    except Exception as error:
        return Row(name, fault=f"{type(error).__name__}: {error}")


def _kill(patient: Patient, argv: tuple[str, ...], moment: Moment) -> str:
    """Run until that moment; return the last line that was printed before."""
    last = ""
    site = patient.room.at(patient.room.layout.site)
    with patient.room.started(*argv) as process:

        def watch() -> None:
            if moment.change in _changes(site, lambda: process.poll() is None):
                _end(process.pid)

        assert process.stderr is not None
        timer: threading.Timer | None = None
        for line in process.stderr:
            last = line.strip() or last
            if line.startswith("Keeping") and timer is None:
                timer = threading.Timer(
                    moment.seconds, watch if moment.change else _end, () if moment.change else (process.pid,)
                )
                timer.start()
        process.wait()
        if timer is not None:
            timer.cancel()
    return last[:60]


def _end(box: int) -> None:
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(box).children(recursive=True):
            if "xpu_doctor" in child.cmdline():
                child.kill()
                return


def run(
    cases: list[Case],
    *,
    kills: int = 0,
    jobs: int = 2,
    work: str = "",
    tools: str = "",
    loud: bool = False,
) -> list[Row]:
    """Make the trials and return what became of them, in their order."""
    base = Path(work).resolve() if work else Path(tempfile.mkdtemp(prefix="try-fixes-"))
    base.mkdir(parents=True, exist_ok=True)
    place = Path(tools).resolve() if tools else base / "tools"
    place.mkdir(exist_ok=True)
    try:
        with serve(base / "index", WORKING) as urls, concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            templates = Templates(base, urls, place)
            tasks: list[Callable[[Path], Row]] = [functools.partial(_attempt, case, templates) for case in cases]
            found = [spans(case, base / "trials" / "whole", templates) for case in KILLED] if kills else []
            tasks += [functools.partial(_killed, case, templates, moment) for case, moment in _moments(kills, found)]

            def one(number: int) -> Row:
                folder = base / "trials" / str(number)
                result = tasks[number](folder)
                if loud:
                    print(asdict(result), file=sys.stderr, flush=True)
                shutil.rmtree(folder, ignore_errors=True)
                return result

            return list(pool.map(one, range(len(tasks))))
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _moments(kills: int, found: list[tuple[float, int]]) -> Iterator[tuple[Case, Moment]]:
    """Yield who is killed when: each in turn."""
    for number in range(kills):
        (seconds, count), case = found[number % len(KILLED)], KILLED[number % len(KILLED)]
        part = (number + 0.5) / kills
        late = (part - EARLY) / (1 - EARLY)
        yield case, Moment(seconds * part / EARLY) if part < EARLY else Moment(change=max(1, round(count * late)))


def _on_windows() -> list[Row]:
    from try_fixes_on_windows import rows as rows_on_windows

    with tempfile.TemporaryDirectory(prefix="try-fixes-") as folder:
        found = []
        for row in rows_on_windows(Path(folder)):
            print(asdict(row), file=sys.stderr, flush=True)
            found.append(Row(**asdict(row)))
        return found


def _attempt(case: Case, templates: Templates, folder: Path) -> Row:
    return attempt(case, folder, templates)


def _killed(case: Case, templates: Templates, moment: Moment, folder: Path) -> Row:
    return killed(case, folder, templates, moment)


def table(rows: list[Row]) -> str:
    """Return the rows as a table, with totals and faults below it."""
    cells = [(row.case, row.plan, row.applied, row.verified, row.undone, "FAULT" if row.fault else "") for row in rows]
    text = tabulate(cells, headers=("state", "plan", "applied", "verified", "undone", ""), tablefmt="plain")
    counts = collections.Counter("FAULT" if row.fault else row.applied or row.plan for row in rows)
    lines = [f"{row.case}: {row.fault or row.said}" for row in rows if row.fault or row.said]
    total = ", ".join(f"{count} {word}" for word, count in counts.most_common())
    return "\n".join([str(text), "", *lines, "", f"{len(rows)} trials: {total}"])


def main() -> int:
    """Run what the command line asks for; 1 where something is a fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--match", default="", help="only cases in whose name this regular expression is found")
    parser.add_argument("--every", type=int, default=1, help="only each N-th of them")
    parser.add_argument("--kills", type=int, default=0, help="and so many times end the doctor in the middle")
    parser.add_argument(
        "--windows", action="store_true", help="rows of a Python for Windows besides; under Wine each takes minutes"
    )
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--work", default="", help="where to build; a new folder of the system's for temporary files else"
    )
    parser.add_argument("--tools", default="", help="where poetry, pdm, pipenv and hatch are, or are to be installed")
    parser.add_argument("--json", default="", help="write the rows there")
    given = parser.parse_args()
    chosen = [case for case in CASES if re.search(given.match, case.name)][:: given.every]
    rows = run(chosen, kills=given.kills, jobs=given.jobs, work=given.work, tools=given.tools, loud=True)
    if given.windows:
        rows += _on_windows()
    print(table(rows))
    if given.json:
        Path(given.json).write_text(
            json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=1), encoding="utf-8"
        )
    return 1 if any(row.fault for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())

"""A torch of stubs on the real Intel runtime for Linux, the real loader's answers, and the walk's."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from xpu_doctor.shared_libraries.files import Files
from xpu_doctor.shared_libraries.linux import ABORTS, LinuxLoader
from xpu_doctor.shared_libraries.linux_env import linux_system
from xpu_doctor.shared_libraries.model import Fault, Opening

SOURCES = Path(__file__).parent / "src"
SITE = "lib/python3.11/site-packages"
TORCH_RPATH = "$ORIGIN/../../../..:$ORIGIN"
"""The search path that the build scripts of the XPU wheels force as DT_RPATH."""


def gcc(
    output: Path, *options: str, needed: tuple[Path, ...] = (), soname: str = "", rpath: str = "", runpath: bool = False
) -> Path:
    """Build a shared object without code that needs others."""
    command = [
        "gcc",
        "-shared",
        "-nostdlib",
        "-x",
        "c",
        "/dev/null",
        "-x",
        "none",
        "-o",
        str(output),
        "-Wl,--no-as-needed",
    ]
    command += ["-Wl,--allow-shlib-undefined", *(str(path) for path in needed), *options]
    command += [f"-Wl,-soname,{soname or output.name}"]
    if rpath:
        command += [f"-Wl,-rpath,{rpath}", "-Wl,--enable-new-dtags" if runpath else "-Wl,--disable-new-dtags"]
    subprocess.run(command, check=True, capture_output=True)
    return output


def stub_of(output: Path, users: list[Path], prefix: str) -> Path:
    """Build a library that defines whatever `users` want under a prefix (a graphics driver's loader, without the driver)."""
    listing = subprocess.run(
        ["nm", "-D", "--undefined-only", *map(str, users)], check=True, capture_output=True, text=True
    ).stdout
    wanted = {word for line in listing.splitlines() for word in line.split()[-1:] if word.startswith(prefix)}
    nodes: dict[str, list[str]] = {}
    for name, _, version in (word.partition("@") for word in sorted(wanted)):
        nodes.setdefault(version.lstrip("@"), []).append(name)
    source, script = output.with_suffix(".c"), output.with_suffix(".map")
    source.write_text(
        "".join(f"int {name}(void) {{ return 1; }}\n" for names in nodes.values() for name in names), encoding="ascii"
    )
    script.write_text(
        "\n".join(f"{node} {{ global: {'; '.join(names)}; }};" for node, names in nodes.items()), encoding="ascii"
    )
    command = ["gcc", "-shared", "-fPIC", "-nostdlib", "-o", str(output), str(source), f"-Wl,-soname,{output.name}"]
    subprocess.run([*command, f"-Wl,--version-script={script}"], check=True, capture_output=True)
    source.unlink()
    script.unlink()
    return output


def opener(folder: Path) -> Path:
    """Build the program that asks the real loader."""
    program = folder / "open_each"
    subprocess.run(
        ["gcc", "-O1", "-o", str(program), str(SOURCES / "open_each.c"), "-Wl,--no-as-needed", "-ldl", "-lm"],
        check=True,
        capture_output=True,
    )
    return program


def copy_tree(source: Path, target: Path) -> None:
    """Lay out the same files by hard links where the file systems allow it."""

    def link(here: str, there: str) -> None:
        try:
            os.link(here, there)
        except OSError:
            shutil.copyfile(here, there)

    shutil.copytree(source, target, copy_function=link, dirs_exist_ok=True)


@dataclass(frozen=True)
class Answer:
    """What opening one library came to."""

    name: str
    error: str
    """Empty where it loaded; `crash` where the process died."""


@dataclass(frozen=True)
class Outcome:
    """What opening several libraries in one process came to."""

    answers: tuple[Answer, ...]
    loaded: frozenset[str]
    """Real paths of what was in the process at the end; empty after a crash."""


def truth(program: Path, names: list[str], variables: dict[str, str], folder: Path) -> Outcome:
    """Ask the real loader."""
    environ = {"PATH": os.environ.get("PATH", ""), **variables}
    run = subprocess.run(
        [str(program), *names], env=environ, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    answers: list[Answer] = []
    loaded: set[str] = set()
    for line in run.stdout.splitlines():
        word, _, rest = line.partition(" ")
        if word == "OPEN":
            answers.append(Answer(rest, "crash"))
        elif word in ("OK", "ERROR"):
            relative = "/" in rest.split(": ")[0] and not rest.startswith(
                "/"
            )  # found through a relative element of a path
            answers[-1] = Answer(answers[-1].name, f"{folder}/{rest}" if relative else rest)
        elif word == "LOADED":
            loaded.add(os.path.realpath(os.path.join(folder, rest)))
    if not answers:  # it died before main
        answers = [Answer(name, "crash") for name in names[:1]]
    return Outcome(tuple(answers), frozenset(loaded) if run.returncode == 0 else frozenset())


def prediction(
    program: Path, names: list[str], variables: dict[str, str], folder: Path, all_symbols: bool = False
) -> Outcome:
    """Ask the walk."""
    files = Files()
    system = linux_system(files, variables, str(program), str(folder))
    loader = LinuxLoader(files, system, symbols=lambda item: "" if all_symbols or item.elf.binds_now else None)
    if not loader.start(
        str(program)
    ).succeeds:  # what LD_PRELOAD names exists and lacks something: the program does not start
        return Outcome((Answer(names[0], "crash"),), frozenset())
    answers: list[Answer] = []
    for name in names:
        opening = loader.open(name)
        answers.append(Answer(name, message(opening)))
        if answers[-1].error == "crash":
            return Outcome(tuple(answers), frozenset())
    return Outcome(
        tuple(answers), frozenset(os.path.realpath(item.path) for item in loader.loaded if item is not loader.main)
    )


def message(opening: Opening) -> str:
    """Return what dlerror would say of an opening, or `crash`."""
    if opening.succeeds:
        return ""
    fault: Fault = opening.faults[0]
    if fault.kind == "truncated" or ABORTS in fault.detail:
        return "crash"
    if fault.kind == "version":
        return fault.detail
    if fault.kind == "missing" or (fault.kind == "foreign" and "wrong ELF class" not in fault.detail):
        return f"{fault.name}: cannot open shared object file: No such file or directory"
    return f"{fault.name if fault.kind == 'foreign' else fault.path}: {fault.detail}"


def agree(truth: Outcome, predicted: Outcome) -> str:
    """Return nothing where both say the same, else the difference in one line."""
    for real, ours in zip(truth.answers, predicted.answers, strict=False):
        if real.error == ours.error:
            continue
        if ours.error == "crash" and re.search(
            "cannot read file data|too short|truncated|not properly|invalid", real.error
        ):
            return ""  # a cut file: dead or refused, by where the cut is; the rest of the process differs from here
        if real.error.split(": ")[1:] == ours.error.split(": ")[1:] and same(
            real.error.split(": ")[0], ours.error.split(": ")[0]
        ):
            continue
        return f"{real.name}: the loader says {real.error!r}, the walk {ours.error!r}"
    if len(truth.answers) != len(predicted.answers):
        return f"{len(truth.answers)} answers, {len(predicted.answers)} predicted"
    # ld.so itself is in the process whether anything needs it or not.
    real, ours = ({path for path in outcome.loaded if "/ld-linux" not in path} for outcome in (truth, predicted))
    return "" if real == ours else f"loaded differs: {sorted(real ^ ours)}"


def same(one: str, other: str) -> bool:
    """Return whether two paths or names mean one file."""
    return os.path.realpath(one) == os.path.realpath(other) or one == other

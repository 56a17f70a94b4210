"""The walk against the real ld.so on random graphs of small libraries: search paths, copies, versions, levels."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from tests.closure import linux_world as world

NAMES = ("libroot.so", "libfirst.so.1", "libsecond.so.2", "libthird.so.0", "libfourth.so", "libfifth.so.5")
GRAPHS, ENVIRONMENTS = 14, 6


def graph(root: Path, chance: random.Random) -> list[Path]:
    """Build a random graph: copies of libraries in several folders, each with a search path of its own."""
    folders = [root / name for name in ("site/torch/lib", "lib", "oneapi/lib", "extra")]
    for folder in folders:
        folder.mkdir(parents=True)
    built: dict[str, Path] = {}
    for index in reversed(range(len(NAMES))):
        name = NAMES[index]
        wanted = tuple(built[other] for other in NAMES[index + 1 :] if chance.random() < 0.5)
        for folder in folders[:1] if index == 0 else chance.sample(folders, chance.choice((1, 1, 2))):
            offers = [
                "$ORIGIN",
                "${ORIGIN}/../../../lib",
                "$ORIGIN/../lib",
                str(folders[2]),
                str(folders[3]),
                "",
                "extra",
                "$LIB",
            ]
            rpath = ":".join(chance.sample(offers, 2)) if chance.random() < 0.8 else ""
            soname = name if chance.random() < 0.8 else f"{name}.other"
            flags = ["-Wl,-z,nodefaultlib"] if chance.random() < 0.1 else []
            path = world.gcc(
                folder / name, *flags, needed=wanted, soname=soname, rpath=rpath, runpath=chance.random() < 0.5
            )
            built.setdefault(name, path)
    for folder in folders:
        for name in NAMES[1:]:
            if (folder / name).exists() and chance.random() < 0.15:
                (folder / name).unlink()
            elif (folder / name).exists() and chance.random() < 0.1:
                level = folder / "glibc-hwcaps" / chance.choice(("x86-64-v2", "x86-64-v3", "x86-64-v4"))
                level.mkdir(parents=True, exist_ok=True)
                (folder / name).rename(level / name)
    return folders


@pytest.mark.parametrize("seed", range(GRAPHS))
def test_random_graph(seed: int, program: Path, tmp_path: Path) -> None:
    """The outcome, the words and the files are the same under several environments."""
    chance = random.Random(seed)
    folders = graph(tmp_path, chance)
    names = [str(folders[0] / NAMES[0]), *NAMES[1:3], str(folders[1] / NAMES[3])]
    for _ in range(ENVIRONMENTS):
        environ = {"LD_LIBRARY_PATH": ":".join(map(str, chance.sample(folders[1:], chance.choice((0, 1, 2)))))}
        if chance.random() < 0.3:
            environ["LD_PRELOAD"] = chance.choice((NAMES[1], str(folders[2] / NAMES[2]), "libnone.so"))
        real = world.truth(program, names, environ, tmp_path)
        ours = world.prediction(program, names, environ, tmp_path)
        assert world.agree(real, ours) == "", environ


def version_library(output: Path, versions: str, functions: str, *options: str) -> Path:
    """Build a library whose symbols carry versions."""
    script = output.with_suffix(".map")
    script.write_text(versions, encoding="ascii")
    source = output.with_suffix(".c")
    source.write_text(functions, encoding="ascii")
    command = ["gcc", "-shared", "-fPIC", "-nostdlib", "-o", str(output), str(source), f"-Wl,-soname,{output.name}"]
    subprocess.run([*command, f"-Wl,--version-script={script}", *options], check=True, capture_output=True)
    return output


@pytest.mark.parametrize("kept", ["both", "old", "none", "bare", "other"])
def test_symbol_versions(kept: str, program: Path, tmp_path: Path) -> None:
    """A version that is not defined is an error; a library that defines none satisfies all; one without any numbers kills the process."""
    both = "V_1 { global: one; }; V_2 { global: two; } V_1;"
    functions = "int one(void) { return 1; } int two(void) { return 2; }"
    giver = version_library(tmp_path / "libgiver.so.1", both, functions)
    user = tmp_path / "libuser.so"
    (tmp_path / "user.c").write_text(
        "int one(void); int two(void); int start(void) { return one() + two(); }", encoding="ascii"
    )
    options = ["-Wl,-rpath,$ORIGIN", "-Wl,-z,lazy", f"-Wl,-soname,{user.name}"]
    command = ["gcc", "-shared", "-fPIC", "-nostdlib", "-o", str(user), str(tmp_path / "user.c"), str(giver), *options]
    subprocess.run(command, check=True, capture_output=True)
    if kept == "old":
        version_library(giver, "V_1 { global: one; two; };", functions)
    elif kept == "other":
        version_library(giver, "V_9 { global: one; two; };", functions)
    elif kept == "none":
        (tmp_path / "none.c").write_text(
            functions + 'int puts(const char *); int three(void) { return puts(""); }', encoding="ascii"
        )
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(giver), str(tmp_path / "none.c")], check=True)
    elif kept == "bare":
        subprocess.run(
            ["gcc", "-shared", "-fPIC", "-nostdlib", "-o", str(giver), str(giver.with_suffix(".c"))], check=True
        )
    real = world.truth(program, [str(user)], {}, tmp_path)
    ours = world.prediction(program, [str(user)], {}, tmp_path)
    assert bool(ours.answers[0].error) == (kept in ("old", "other", "bare"))
    assert world.agree(real, ours) == ""


@pytest.mark.parametrize("lazy", [True, False])
def test_missing_symbol(lazy: bool, program: Path, tmp_path: Path) -> None:
    """All symbols are bound at once by this caller: one that nobody defines is an error, whatever the library prefers."""
    giver = tmp_path / "libgiver.so"
    (tmp_path / "giver.c").write_text("int one(void) { return 1; } int two(void) { return 2; }", encoding="ascii")
    (tmp_path / "user.c").write_text(
        "int one(void); int two(void); int start(void) { return one() + two(); }", encoding="ascii"
    )
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(giver), str(tmp_path / "giver.c")], check=True)
    flags = ["-Wl,-rpath,$ORIGIN", f"-Wl,-z,{'lazy' if lazy else 'now'}"]
    user = tmp_path / "libuser.so"
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-o", str(user), str(tmp_path / "user.c"), str(giver), *flags], check=True
    )
    assert (
        world.agree(
            world.truth(program, [str(user)], {}, tmp_path), world.prediction(program, [str(user)], {}, tmp_path, True)
        )
        == ""
    )
    (tmp_path / "giver.c").write_text("int one(void) { return 1; }", encoding="ascii")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(giver), str(tmp_path / "giver.c")], check=True)
    real = world.truth(program, [str(user)], {}, tmp_path)
    ours = world.prediction(program, [str(user)], {}, tmp_path, True)
    assert "undefined symbol: two" in real.answers[0].error and real.answers[0].error == ours.answers[0].error
    seen = world.prediction(program, [str(user)], {}, tmp_path)
    assert bool(seen.answers[0].error) is not lazy

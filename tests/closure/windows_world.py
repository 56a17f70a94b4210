"""A torch of stub DLLs on the real Intel runtime for Windows, Wine's answers, and the walk's."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.closure.breakages import Breakage, Change, mixed, single
from xpu_doctor.shared_libraries.files import Files
from xpu_doctor.shared_libraries.pe import read_imported, read_pe
from xpu_doctor.shared_libraries.windows import WindowsLoader, WindowsSystem
from xpu_doctor.shared_libraries.windows_torch import Prefixes, dll_folders, load

MINGW = "x86_64-w64-mingw32-gcc"
SOURCES = Path(__file__).parent / "src"
LIB, BIN = "Lib/site-packages/torch/lib", "Library/bin"
ROOTS = (
    *(f"{LIB}/{name}.dll" for name in ("c10", "c10_xpu", "torch_cpu", "torch_xpu")),
    *(f"{BIN}/{name}.dll" for name in ("ur_adapter_level_zero", "ur_adapter_opencl", "tcm")),
    "bin/umf.dll",
)
VICTIMS = (
    *(f"{LIB}/{name}.dll" for name in ("c10", "c10_xpu")),
    *(
        f"{BIN}/{name}.dll"
        for name in (
            "sycl8",
            "ur_win_proxy_loader",
            "libmmd",
            "svml_dispmd",
            "xptifw",
            "libhwloc-15",
            "ze_loader",
            "OpenCL",
        )
    ),
)
KINDS = (("remove", 0), ("cut", 0), ("cut", 512), ("cut", 5000), ("cut", -2), ("pe-machine", 0), ("text", 0))
NATIVE_ONLY = "opencl=n"
"""Wine brings an OpenCL.dll of its own, which would stand in for a damaged one; on Windows only a graphics driver installs one."""


def mingw(output: Path, source: str, *options: str) -> Path:
    """Build a Windows program or DLL from a source of this folder."""
    command = [MINGW, "-O1", "-s", "-o", str(output), str(SOURCES / source), *options]
    subprocess.run(command, check=True, capture_output=True)
    return output


def import_library(folder: Path, dll: str, names: list[str]) -> Path:
    """Build what the linker needs to import these names from a DLL."""
    definition = folder / f"{dll}.def"
    definition.write_text(f'LIBRARY "{dll}"\nEXPORTS\n' + "".join(f"  {name}\n" for name in names), encoding="ascii")
    library = folder / f"lib{dll}.a"
    subprocess.run(
        ["x86_64-w64-mingw32-dlltool", "-d", str(definition), "-l", str(library)], check=True, capture_output=True
    )
    return library


def stub(output: Path, export: str, imports: dict[str, str], work: Path) -> Path:
    """Build a DLL that exports one function and imports one from each DLL named."""
    libraries = [str(import_library(work, dll, [name])) for dll, name in imports.items()]
    listed = " ".join(f"X({name})" for name in imports.values())
    return mingw(output, "stub_dll.c", "-shared", f"-DEXPORT={export}", f"-DIMPORTS={listed}", *libraries)


def stand_in(output: Path, user: Path, work: Path) -> Path:
    """Build a DLL that exports all that `user` imports from one of this name (a driver's DLL, without the driver)."""
    wanted = next(
        names for dll, names in read_imported(Files(), str(user)).items() if dll.lower() == output.name.lower()
    )
    source = work / f"{output.stem}.c"
    source.write_text(
        "".join(f"__declspec(dllexport) int {name}(void) {{ return 1; }}\n" for name in wanted), encoding="ascii"
    )
    subprocess.run(
        [MINGW, "-O1", "-s", "-shared", "-fno-builtin", "-o", str(output), str(source)], check=True, capture_output=True
    )
    return output


def build(runtime: Path, root: Path) -> Path:
    """Lay out an environment below `root`: the runtime's files, torch's stubs, and a program that loads them as torch does."""
    env, work = root / "env", root / "work"
    work.mkdir(parents=True)
    (env / LIB).mkdir(parents=True)
    for folder in ("Library/bin", "bin"):
        (env / folder).mkdir(parents=True, exist_ok=True)
        for path in (runtime / folder).glob("*.dll"):
            shutil.copyfile(path, env / folder / path.name)
    stub(env / LIB / "c10.dll", "c10_start", {"msvcp140.dll": "_Thrd_yield"}, work)
    stub(env / LIB / "c10_xpu.dll", "c10_xpu_start", {"c10.dll": "c10_start", "sycl8.dll": "__sycl_register_lib"}, work)
    stub(env / LIB / "torch_cpu.dll", "torch_cpu_start", {"c10.dll": "c10_start"}, work)
    xpu = {
        "c10_xpu.dll": "c10_xpu_start",
        "torch_cpu.dll": "torch_cpu_start",
        "libmmd.dll": "cos",
        "svml_dispmd.dll": "__svml_cosf4",
    }
    stub(env / LIB / "torch_xpu.dll", "torch_xpu_start", {**xpu, "xptifw.dll": "xptiInitialize"}, work)
    stand_in(env / BIN / "ze_loader.dll", env / BIN / "ur_adapter_level_zero.dll", work)
    stand_in(env / BIN / "OpenCL.dll", env / BIN / "ur_adapter_opencl.dll", work)
    (root / "app").mkdir()
    mingw(root / "app" / "load_as_torch.exe", "load_as_torch.c", "-municode", "-lpsapi")
    other = root / "other"
    other.mkdir()
    for name in ("sycl8.dll", "libmmd.dll", "ur_win_proxy_loader.dll", "xptifw.dll"):
        shutil.copyfile(env / BIN / name, other / name)
    return env


def cases() -> list[Breakage]:
    """Return the breakages that are examined: each damage alone, then mixtures with a second copy on PATH."""
    whole = [Breakage("whole"), Breakage("copy on PATH", variables={"PATH": "other"})]
    wrong = [Breakage("wrong major", (Change("rename", f"{BIN}/sycl8.dll", to="sycl9.dll"),))]
    redistributable = [
        Breakage(f"without {name}", variables={"missing": name})
        for name in ("msvcp140", "vcruntime140", "vcruntime140_1")
    ]
    variables: tuple[dict[str, str], ...] = ({}, {}, {"PATH": "other"}, {"missing": "msvcp140"})
    return [*whole, *wrong, *redistributable, *single(VICTIMS, KINDS), *mixed(VICTIMS, KINDS, variables, 150, 11)]


@dataclass(frozen=True)
class Result:
    """How each root ended (empty: loaded; else the error of the first and second attempt), and what was loaded from the environment."""

    answers: dict[str, str] = field(default_factory=dict)
    loaded: tuple[str, ...] = ()


class Wine:
    """Wine's loader, kept warm by one server."""

    def __init__(self, prefix: Path) -> None:
        self.prefix = prefix
        self.wine = next(
            (
                str(path)
                for path in (Path("/usr/lib/wine/wine64"), Path(shutil.which("wine64") or "/nowhere"))
                if path.exists()
            ),
            "",
        )
        self.environ = {**os.environ, "WINEPREFIX": str(prefix), "WINEDEBUG": "-all", "DISPLAY": ""}

    def start(self) -> None:
        """Make the prefix, and start the server."""
        self.prefix.mkdir(
            parents=True, exist_ok=True
        )  # without it the server ends at once, and each call starts another one
        self._server("-p600")
        boot = [self.wine, "wineboot", "-i"]
        subprocess.run(
            boot, env=self.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300, check=True
        )

    def stop(self) -> None:
        """End the server of this prefix."""
        self._server("-k")

    def _server(self, option: str) -> None:
        server = "/usr/lib/wine/wineserver64"
        command = [server if os.path.exists(server) else "wineserver", option]
        # It stays in the background, and would hold a pipe open.
        subprocess.run(
            command, env=self.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=False
        )

    def version(self) -> str:
        """Return Wine's own name for its version."""
        return subprocess.run(
            [self.wine, "--version"], capture_output=True, text=True, env=self.environ, timeout=60, check=True
        ).stdout.strip()

    def system_names(self) -> frozenset[str]:
        """Return the libraries that this Wine provides as System32."""
        return frozenset(name.lower() for name in os.listdir(self.prefix / "drive_c/windows/system32"))

    def redistributable(self) -> dict[str, tuple[str, ...]]:
        """Return what the Visual C++ runtime of this Wine imports."""
        folder = self.prefix / "drive_c/windows/system32"
        names = ("msvcp140.dll", "vcruntime140.dll", "vcruntime140_1.dll", "msvcp140_atomic_wait.dll")
        return {name: read_pe(Files(), str(folder / name)).imports for name in names if (folder / name).exists()}

    def ask(self, root: Path, breakage: Breakage) -> Result:
        """Load the roots as torch does, in one process."""
        env = root / "env"
        folders = [word for folder in added(env) for word in ("-d", windows(folder))]
        roots = [path for path in ROOTS if (env / path).exists()]
        command = [
            self.wine,
            str(root / "app" / "load_as_torch.exe"),
            *folders,
            *(windows(env / path) for path in roots),
        ]
        environ = dict(self.environ)
        if "PATH" in breakage.variables:
            environ["WINEPATH"] = windows(root / breakage.variables["PATH"])
        environ["WINEDLLOVERRIDES"] = ";".join(
            [NATIVE_ONLY, *(f"{name}=" for name in [breakage.variables.get("missing")] if name)]
        )
        run = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)
        answers: dict[str, str] = {}
        loaded: list[str] = []
        for line in run.stdout.splitlines():
            word, _, rest = line.strip().partition(" ")
            if word == "OPEN":
                current = relative(rest, root)
                answers[current] = "died"
            elif word in ("OK", "ERROR"):
                answers[current] = rest
            elif word == "LOADED" and relative(rest, root) != rest:
                loaded.append(relative(rest, root))
        return Result(answers, tuple(sorted(set(loaded) - {"app/load_as_torch.exe"})))


def windows(path: Path) -> str:
    """Return a path as Wine shows it."""
    return "Z:" + str(path).replace("/", "\\")


def relative(path: str, root: Path) -> str:
    """Return a Wine path below `root` as a relative one; others as they are."""
    plain = path.replace("\\", "/").removeprefix("Z:").removeprefix("z:")
    return plain[len(str(root)) + 1 :] if plain.lower().startswith(str(root).lower() + "/") else path


def added(env: Path) -> tuple[Path, ...]:
    """Return the folders that torch adds, without <prefix>/bin, as a torch before 2.8 does."""
    files, prefixes = Files(), Prefixes(str(env), str(env))
    return tuple(Path(folder) for folder in dll_folders(files, str(env / LIB), prefixes, (2, 7)))


def imported_names(env: Path) -> frozenset[str]:
    """Return every DLL name that the environment's own files import, in lower case."""
    return frozenset(name.lower() for path in env.rglob("*.dll") for name in read_pe(Files(), str(path)).imports)


def predict(
    root: Path, breakage: Breakage, system_names: frozenset[str], imports: dict[str, tuple[str, ...]]
) -> Result:
    """Ask the walk."""
    env, files = root / "env", Files()
    hidden = {"opencl.dll", *(f"{name}.dll" for name in [breakage.variables.get("missing", "")] if name)}
    extra = (str(root / breakage.variables["PATH"]),) if "PATH" in breakage.variables else ()
    folders = tuple(str(folder) for folder in added(env))
    system = WindowsSystem(
        system_names=system_names - hidden,
        system_imports=imports,
        application=str(root / "app"),
        user_folders=folders,
        path=extra,
        folder=str(root),
    )
    loader = WindowsLoader(files, system)
    answers: dict[str, str] = {}
    for path in ROOTS:
        if files.identity(str(env / path)) is not None:
            opening = load(loader, str(env / path), folders)
            answers[f"env/{path}"] = "" if opening.succeeds else str(opening.faults[0].error)
    loaded = sorted(os.path.relpath(path, root) for path in loader.loaded.values() if path)
    return Result(answers, tuple(loaded))


def differences(real: Result, ours: Result) -> list[str]:
    """Return what the two do not agree on: loaded or not, from where; and error 126 where only files are missing."""
    found = []
    for name in {**real.answers, **ours.answers}:
        one, other = real.answers.get(name, "?"), ours.answers.get(name, "?")
        if bool(one) != bool(other):
            found.append(f"{name}: Wine {one or 'loads it'}, the walk {other or 'loads it'}")
        elif other == "126" and not one.startswith("126"):
            found.append(f"{name}: Wine {one}, the walk {other}")
    places = {name.rsplit("/", 1)[-1].lower(): name for name in real.loaded}
    for name in ours.loaded:  # Wine keeps more: what DllMain opened by name, and the dependencies of a failed load
        if places.get(name.rsplit("/", 1)[-1].lower(), "").lower() != name.lower() and not found:
            found.append(f"{name}: Wine has {places.get(name.rsplit('/', 1)[-1].lower())}")
    return found

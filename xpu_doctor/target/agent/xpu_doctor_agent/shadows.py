"""Files that hide torch, a companion or a standard module, found by looking; nothing is imported."""

from __future__ import annotations

import os
import sys
from importlib.machinery import FrozenImporter, PathFinder

from .facts import attempt
from .importable import is_package, suffixes
from .metadata import normalised
from .search_path import folders_of_pythonpath, working_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator

    from .facts import Facts
    from .request import Request

COMPANIONS = ("torch", "torchvision", "torchaudio", "triton", "numpy", "intel_extension_for_pytorch")
MAX_FOUND = 50


def examine(request: Request) -> Facts:
    """Return the files that win over what was meant; the keys are the fields of facts.Shadows."""
    found: list[Facts] = []
    for folder, where in _places(request):
        try:
            names = set(os.listdir(folder))
        except OSError:
            continue
        for module, path in _importable(folder, names):
            fact: Facts = {"module": module, "path": os.path.join(folder, path), "where": where}
            fact["installed"] = _has_metadata(module, names)
            fact["hides"] = attempt(_hidden, module, folder, request.users_path)
            found.append(fact)
    path = _module_before_torch(request.users_path)
    if path:
        hides = attempt(_hidden, "torch", os.path.dirname(path), request.users_path)
        found.append({"module": "torch", "path": path, "where": "site folder", "installed": False, "hides": hides})
    return {"found": found[:MAX_FOUND]}


def _module_before_torch(users_path: list[str]) -> str:
    """Return a file that is imported as torch because no package of that name comes before it, or empty; PYTHONPATH is looked at by itself."""
    named = {os.path.normcase(os.path.abspath(entry)) for entry in folders_of_pythonpath()}
    for entry in users_path:
        folder = os.path.abspath(entry)
        if not entry or os.path.normcase(folder) in named:
            continue
        if is_package(os.path.join(folder, "torch")):
            return ""
        for suffix in suffixes():
            if os.path.isfile(os.path.join(folder, "torch" + suffix)):
                return os.path.join(folder, "torch" + suffix)
    return ""


def _places(request: Request) -> list[tuple[str, str]]:
    """Return the folders that come before the installed packages, each with its name."""
    site = {os.path.normcase(os.path.realpath(entry)) for entry in sys.path if entry}
    working = request.folder or working_folder()
    places = [(working, "working folder")] if working else []
    places += [(entry, "PYTHONPATH") for entry in folders_of_pythonpath()]
    return [(folder, where) for folder, where in places if os.path.normcase(os.path.realpath(folder)) not in site]


def _importable(folder: str, names: set[str]) -> Iterator[tuple[str, str]]:
    """Yield modules in a folder that would win over torch, a companion or a standard module: (module, file)."""
    for module in sorted(set(COMPANIONS) | _standard_modules()):
        if module in names and os.path.exists(os.path.join(folder, module, "__init__.py")):
            path = os.path.join(module, "__init__.py")
        elif module + ".py" in names:
            path = module + ".py"
        else:
            continue
        if module in COMPANIONS or _comes_from_a_file(module):
            yield module, path


def _comes_from_a_file(module: str) -> bool:
    """Return whether a standard module is looked for in folders here: one that is built in wins over all of them, one of another system is nowhere."""
    if module in sys.builtin_module_names or FrozenImporter.find_spec(module) is not None:
        return False
    folder = os.path.dirname(os.path.abspath(os.__file__))
    archives = [entry for entry in sys.path if entry.endswith((".zip", "DLLs"))]
    return PathFinder.find_spec(module, [folder, os.path.join(folder, "lib-dynload"), *archives]) is not None


def _has_metadata(module: str, names: set[str]) -> bool:
    """Return whether a folder holds the metadata of the distribution that brings a module."""
    stems = [
        normalised(name.rsplit(".", 1)[0].split("-")[0]) for name in names if name.endswith((".dist-info", ".egg-info"))
    ]
    return any(stem == normalised(module) or (module == "triton" and "triton" in stem) for stem in stems)


def _hidden(module: str, folder: str, users_path: list[str]) -> str:
    """Return the file that a module would be imported from if a folder were not searched, or empty."""
    if module not in COMPANIONS:
        return "the standard library"
    own = os.path.normcase(os.path.realpath(folder))
    for entry in users_path:
        if entry and os.path.normcase(os.path.realpath(entry)) != own:
            for name in (os.path.join(module, "__init__.py"), module + ".py"):
                if os.path.exists(os.path.join(entry, name)):
                    return os.path.join(os.path.abspath(entry), name)
    return ""


def _standard_modules() -> set[str]:
    """Names of the standard library's modules."""
    names = getattr(sys, "stdlib_module_names", None)
    if names is None:
        folder = os.path.dirname(os.path.abspath(os.__file__))
        names = [
            name.split(".")[0]
            for name in os.listdir(folder)
            if name.endswith(".py") or os.path.isdir(os.path.join(folder, name))
        ]
    return {name for name in names if not name.startswith("_") and name not in ("site-packages", "test")}

"""The build of the torch that `import torch` would load, read as files."""

from __future__ import annotations

import os
import sys

from .facts import MAX_FILE, attempt, unknown
from .importable import is_package
from .metadata import metadata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .facts import Facts
    from .request import Request

    Place = tuple[str | None, str | None]

VERSION_FIELDS = (
    ("xpu_version", "xpu"),
    ("cuda_version", "cuda"),
    ("hip_version", "hip"),
    ("git_version", "git_version"),
)
"""Fields of facts.Torch, and the names in torch/version.py that fill them."""
BUILD_LIBRARIES = (
    ("xpu", ("torch_xpu", "c10_xpu")),
    ("rocm", ("torch_hip", "c10_hip")),
    ("cuda", ("torch_cuda", "c10_cuda")),
)
BUILD_NAMES = (("xpu", "xpu"), ("rocm", "hip"), ("cuda", "cuda"))


def examine(request: Request) -> Facts:
    """Return the torch that would be imported; the keys are the fields of facts.Torch."""
    package, location = _torch_folder(request.users_path)
    if package is None:
        return {"installed": False}
    declared = _version_file(os.path.join(package, "version.py"))
    libraries = _library_names(os.path.join(package, "lib"))
    fact: Facts = {
        "installed": True,
        "path": package,
        "real_path": os.path.realpath(package),
        "libraries": libraries,
        "package": is_package(package),
    }
    version = declared.get("__version__")
    fact["version"] = (
        version if isinstance(version, str) else unknown(declared.get("fault", "torch/version.py names no version"))
    )
    for field, name in VERSION_FIELDS:
        fact[field] = unknown(declared["fault"]) if "fault" in declared else str(declared.get(name) or "")
    fact["debug"] = (
        declared["debug"] if isinstance(declared.get("debug"), bool) else unknown("torch/version.py does not say")
    )
    fact["build"], fact["build_source"] = _build(libraries, declared)
    fact["metadata_version"] = attempt(_metadata_version, location)
    fact["package_owner"] = attempt(_owner, location)
    return fact


def _torch_folder(users_path: list[str]) -> Place:
    """Return the folder of the torch that `import torch` takes, and the entry that holds it; else what is left of one."""
    remains: Place = (None, None)
    for entry in users_path:
        if not entry:
            continue
        folder = os.path.join(entry, "torch")
        if is_package(folder):
            return os.path.abspath(folder), os.path.abspath(entry)
        if remains[0] is None and any(os.path.exists(os.path.join(folder, name)) for name in ("version.py", "lib")):
            remains = os.path.abspath(folder), os.path.abspath(entry)
    found = attempt(_by_finders, "torch") if remains[0] is None else None
    return (found, os.path.dirname(found)) if isinstance(found, str) else remains


def _by_finders(module: str) -> str | None:
    """Return the folder of a package that no entry of the path holds: an editable install has a finder of its own; None where there is none."""
    for finder in sys.meta_path:
        spec = finder.find_spec(module, None) if hasattr(finder, "find_spec") else None
        origin = getattr(spec, "origin", None)
        if spec is not None and spec.submodule_search_locations is not None and origin and os.path.isfile(origin):
            return os.path.dirname(os.path.abspath(str(origin)))
    return None


def _version_file(path: str) -> dict[str, Any]:
    """Return the plain assignments of torch/version.py, without running it."""
    import ast

    try:
        with open(path, "rb") as stream:
            tree = ast.parse(stream.read(MAX_FILE))
    except OSError as error:
        return {"fault": f"torch/version.py: {error.strerror or error}"}
    except (SyntaxError, ValueError):
        return {"fault": "torch/version.py is damaged"}
    values: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        else:
            continue
        for target in targets:
            if isinstance(target, ast.Name) and node.value:
                try:
                    values[target.id] = ast.literal_eval(node.value)
                except ValueError:
                    pass
    return values


def _library_names(folder: str) -> list[str] | Facts:
    """Return the file names in torch/lib that are libraries, none where there is no such folder; unknown where it may not be read."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        return unknown(error.strerror or str(error))
    return sorted(name for name in names if ".so" in name or name.endswith((".dll", ".dylib", ".pyd")))


def _build(libraries: Any, declared: dict[str, Any]) -> tuple[str | Facts, str]:
    """Return the build variant and what told it: the libraries on the disk first, then version.py."""
    if isinstance(libraries, list):
        for build, marks in BUILD_LIBRARIES:
            held = [name for name in libraries if any(mark in name for mark in marks)]
            if held:
                return build, f"torch/lib holds {', '.join(held[:2])}"
    if "fault" not in declared:
        for build, name in BUILD_NAMES:
            if declared.get(name):
                return build, f"torch/version.py says {name} = {declared[name]!r}"
    if not isinstance(libraries, list):
        return unknown(f"torch/lib cannot be listed: {libraries['reason']}"), ""
    if not any("torch_cpu" in name or "c10" in name for name in libraries):
        return unknown("torch/lib holds none of torch's own libraries"), ""
    return "cpu", "torch/lib holds no library of XPU, CUDA or ROCm"


def _metadata_version(location: str) -> str:
    """Return the version in the metadata of the torch distribution beside the package, or empty."""
    for name in sorted(os.listdir(location)):
        if name.startswith("torch-") and name.endswith(".dist-info"):
            return metadata(os.path.join(location, name)).version
    return ""


def _owner(location: str) -> str:
    """Return who installed the folder: `torch` (a wheel), `conda`, or empty."""
    if any(name.startswith("torch-") and name.endswith((".dist-info", ".egg-info")) for name in os.listdir(location)):
        return "torch"
    conda = os.path.join(sys.prefix, "conda-meta")
    if os.path.isdir(conda) and any(name.startswith("pytorch-") for name in os.listdir(conda)):
        return "conda"
    return ""

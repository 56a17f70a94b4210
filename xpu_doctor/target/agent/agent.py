# -*- coding: utf-8 -*-
"""The agent: asks the target interpreter for facts, stage by stage, from harmless to dangerous.

    agent.py TRANSCRIPT REQUEST STAGE [STAGE ...]

TRANSCRIPT is a path or `fd:N`; REQUEST is one JSON object. Each stage writes JSON lines to the transcript, each in one
write: `begin`, `mark` (which call comes next), `part` (facts so far), then `end` with the stage's facts or `error` with the exception. A
`begin` with nothing after it says where the interpreter died.

The transcript begins with a key, which is read and erased before anything of the user's is imported. Each line is `NUMBER SEAL JSON`;
the seal is made with the key, so that what anything else in this interpreter writes there is told apart.

Constraints, and why: standard library only and one file, because it runs in interpreters that know nothing of the
doctor; no f-strings and no annotated variables, so that an interpreter that is too old still parses it and gets to the
version gate; nothing is imported before the path is cleaned, so that a stray module of the user cannot kill it.
"""

import sys

OLDEST = (3, 8)
REFUSED = 79


def _clean_path():
    """Return sys.path as the user has it; leave on it, for now, only what comes with the interpreter."""
    os = sys.modules.get("os") or __import__("os")
    users = sys.path[:]
    own = os.path.dirname(os.path.abspath(__file__))
    held = os.path.dirname(
        os.path.realpath(__file__)
    )  # where this file is one in memory, Python put its folder there first
    foreign = set(os.path.abspath(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry)
    foreign.update((own, held))
    foreign.add(os.getcwd() if _folder_exists(os) else "")
    sys.path[:] = [entry for entry in users if entry and os.path.abspath(entry) not in foreign]
    return [
        entry
        for number, entry in enumerate(users)
        if os.path.abspath(entry or ".") != own and (number or entry != held)
    ]


def _folder_exists(os):
    """Return whether the working folder still exists."""
    try:
        os.getcwd()
    except OSError:
        return False
    return True


_USERS_PATH = _clean_path()

import json  # noqa: E402
import os  # noqa: E402
import time  # noqa: E402

try:  # the bare modules load in a tenth of the time of hashlib, which loads OpenSSL
    from _sha2 import sha256  # noqa: E402
except ImportError:
    try:
        from _sha256 import sha256  # noqa: E402
    except ImportError:
        from hashlib import sha256  # noqa: E402

MAX_TEXT = 8192
KEY_LENGTH = 32
SEAL_LENGTH = 16
_MARKED = [""]


class Transcript(object):
    """Sealed JSON lines, each written at once, so that a death loses nothing that was said before it."""

    def __init__(self, where):
        binary = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOINHERIT", 0)
        self.handle = (
            int(where[3:]) if where.startswith("fd:") else os.open(where, os.O_RDWR | os.O_CREAT | binary, 0o600)
        )
        self._sealed_with = sha256(self._taken_key())
        self._count = 0
        self._process = os.getpid()
        if where.startswith("fd:"):
            _keep_to_this_process(self.handle)
            _append_only(self.handle)
        else:
            os.close(self.handle)
            self.handle = os.open(where, os.O_WRONLY | os.O_APPEND | binary)

    def _taken_key(self):
        """Read the key that stands first, and erase it; what others have written after it stays."""
        os.lseek(self.handle, 0, os.SEEK_SET)
        key = os.read(self.handle, KEY_LENGTH)
        os.lseek(self.handle, 0, os.SEEK_SET)
        os.write(self.handle, b"\0" * len(key))
        os.lseek(self.handle, 0, os.SEEK_END)
        return key

    def write(self, kind, stage, **values):
        """Append one line of a kind (`begin`, `mark`, `end`, `error`) for a stage; a forked copy of this process, which gets here by mistake, ends."""
        if os.getpid() != self._process:
            os._exit(1)
        values.update(kind=kind, stage=stage)
        self._count += 1
        number = ("%d " % self._count).encode("ascii")
        text = json.dumps(values, ensure_ascii=True, default=str).encode("ascii")
        made = self._sealed_with.copy()
        made.update(number + text)
        # It begins with a line break of its own: what somebody else wrote without one must not spoil it.
        data = b"\n" + number + made.hexdigest()[:SEAL_LENGTH].encode("ascii") + b" " + text + b"\n"
        while data:
            data = data[os.write(self.handle, data) :]


def _keep_to_this_process(handle):
    """Close a descriptor in every program that this process starts."""
    if hasattr(os, "set_inheritable"):
        os.set_inheritable(handle, False)


def _append_only(handle):
    """Have every write go to the end, wherever somebody has set the position."""
    try:
        import fcntl

        fcntl.fcntl(handle, fcntl.F_SETFL, fcntl.fcntl(handle, fcntl.F_GETFL) | os.O_APPEND)
    except (ImportError, OSError):
        pass


def unknown(reason):
    """Return the JSON form of a fact that could not be had."""
    return {"reason": str(reason)[:500]}


def attempt(function, *arguments):
    """Return a call's result, or unknown with the exception as the reason."""
    try:
        return function(*arguments)
    except Exception as error:
        return unknown("%s: %s" % (type(error).__name__, error))


def cut(text, limit=MAX_TEXT):
    """Return a text cut to a number of characters, keeping its beginning and its end."""
    text = str(text)
    if len(text) <= limit:
        return text
    return text[: limit // 2] + "\n[... %d characters cut ...]\n" % (len(text) - limit) + text[-(limit // 2) :]


def mark(stage, call):
    """Say which call of a stage comes next."""
    TRANSCRIPT.write("mark", stage, call=call)
    _MARKED[0] = call


# ---------------------------------------------------------------------------------------------- interpreter


def stage_interpreter(request):
    """Return the interpreter itself; the keys are the fields of facts.Python."""
    return {
        "executable": sys.executable or unknown("sys.executable is empty"),
        "version": "%d.%d.%d" % sys.version_info[:3],
        "implementation": sys.implementation.name,
        "free_threaded": "free-threading" in sys.version or "t" in getattr(sys, "abiflags", ""),
        "bits": 64 if sys.maxsize > 2**32 else 32,
        "os": {"linux": "linux", "win32": "windows", "darwin": "macos"}.get(sys.platform, sys.platform),
        "architecture": attempt(_architecture),
        "libc": attempt(_libc),
        "prefix": sys.prefix,
        "base_prefix": getattr(sys, "base_prefix", sys.prefix),
        "real_prefix": os.path.realpath(sys.prefix),
        "virtual_environment": sys.prefix != getattr(sys, "base_prefix", sys.prefix),
        "embedded": attempt(_embedded),
        "sys_path": _USERS_PATH,
        "user_site": attempt(_user_site),
        "own_site": attempt(_own_site),
        "writable": attempt(_writable),
        "ensurepip": attempt(_has_ensurepip),
        "encoding": sys.getfilesystemencoding(),
    }


def _read_path():
    """Set the search path and the prefix as Python's start-up would, from files alone: `-I -S` keeps it from running anything of the user's."""
    import site

    prefix, outside = _virtual_environment()
    sys.prefix = prefix or sys.prefix
    places = [sys.prefix] if prefix else []
    if not prefix or outside:
        places.append(sys.base_prefix)
    given = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    found = given + [entry for entry in _USERS_PATH if entry not in given]
    for folder in site.getsitepackages(places):
        if os.path.isdir(folder):
            found.append(folder)
            found.extend(_pth_entries(folder))
    _USERS_PATH[:] = list(dict.fromkeys(found))


def _virtual_environment():
    """Return the folder of the virtual environment and whether it sees the packages outside; None where there is none."""
    for folder in (os.path.dirname(sys.executable), os.path.dirname(os.path.dirname(sys.executable))):
        text = _small_text(os.path.join(folder, "pyvenv.cfg"))
        if text:
            rows = dict(
                (key.strip().lower(), value.strip().lower())
                for key, _, value in (line.partition("=") for line in text.splitlines())
            )
            return folder, rows.get("include-system-site-packages", "true") == "true"
    return None, True


def _pth_entries(folder):
    """Yield the folders that .pth files add; their lines of code are left alone."""
    for name in sorted(attempt(os.listdir, folder)):
        if name.endswith(".pth") and not name.startswith("."):
            for line in _small_text(os.path.join(folder, name)).splitlines():
                entry = os.path.join(folder, line.strip())
                if line.strip() and not line.startswith(("#", "import ", "import\t")) and os.path.exists(entry):
                    yield entry


def _architecture():
    """Return the processor architecture that this interpreter was built for."""
    if hasattr(os, "uname"):
        return os.uname().machine
    return os.environ.get("PROCESSOR_ARCHITECTURE", "") or __import__("platform").machine()


def _libc():
    """Return the C library by name and version, `musl`, or empty where neither is known."""
    if sys.platform != "linux":
        return ""
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError, AttributeError):
        return "musl" if any(name.startswith("ld-musl") for name in os.listdir("/lib")) else ""


def _embedded():
    """Return whether a ._pth file beside the interpreter fixes sys.path."""
    folder, name = os.path.split(sys.executable)
    stems = ["python%d%d" % sys.version_info[:2], os.path.splitext(name)[0]]
    return any(os.path.exists(os.path.join(folder, stem + "._pth")) for stem in stems)


def _own_site():
    """Return the folder into which this interpreter's own pip installs, with links followed."""
    return os.path.realpath(__import__("sysconfig").get_paths()["purelib"])


def _writable():
    """Return whether this user may add packages there; Windows does not tell."""
    if sys.platform == "win32":
        return unknown("Windows does not tell before it is tried")
    folder = _own_site()
    while not os.path.isdir(folder) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    return os.access(folder, os.W_OK)


def _has_ensurepip():
    """Return whether the standard library can bring pip; Debian keeps that part in a package of its own."""
    return os.path.isfile(os.path.join(os.path.dirname(os.path.abspath(os.__file__)), "ensurepip", "__init__.py"))


def _user_site():
    """Return the user's site folder where it is searched, else empty."""
    site = sys.modules.get("site")
    folder = getattr(site, "USER_SITE", None) if site and getattr(site, "ENABLE_USER_SITE", None) else None
    return folder if folder and folder in _USERS_PATH else ""


# ---------------------------------------------------------------------------------------------- distributions

INTERESTING = frozenset(
    """torch torchvision torchaudio triton pytorch-triton triton-xpu pytorch-triton-xpu pytorch-triton-rocm triton-windows
    intel-extension-for-pytorch oneccl-bind-pt intel-extension-for-tensorflow ipex-llm bigdl-core-xe
    mkl tbb tcmlib umf dpcpp-cpp-rt oneccl oneccl-devel impi-rt pyzes numpy dpctl dpnp openvino
    torchao torchtune accelerate transformers diffusers vllm xformers bitsandbytes deepspeed lightning pytorch-lightning
    """.split()
)
INTERESTING_PREFIXES = ("intel-", "onemkl-", "nvidia-", "torch-", "pytorch", "amd-", "rocm")
RECORD_CHECKED = (
    "torch",
    "triton",
    "pytorch-triton",
    "intel-",
    "onemkl-",
    "mkl",
    "tbb",
    "tcmlib",
    "umf",
    "dpcpp",
    "oneccl",
    "impi",
    "pyzes",
)
MAX_FAULTS = 20
RECORD_SECONDS = 8.0
HASHED = ("torch/version.py", "torch/__init__.py", "torch/xpu/__init__.py")


def stage_distributions(request):
    """Return what is installed; the keys are the fields of facts.Distributions."""
    installed, leftovers, total = [], [], 0
    seen = set()
    until = time.perf_counter() + min(
        RECORD_SECONDS, (request.get("deadlines") or {}).get("distributions", RECORD_SECONDS) / 2.0
    )
    for entry in _USERS_PATH:
        folder = os.path.abspath(entry or ".")
        key = os.path.normcase(os.path.realpath(folder))
        if key in seen:
            continue
        seen.add(key)
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            continue
        leftovers.extend(os.path.join(folder, name) for name in names if name.startswith("~") and len(name) > 2)
        for name in names:
            if name.endswith((".dist-info", ".egg-info")) and not name.startswith("~"):
                total += 1
                found = attempt(_distribution, folder, name, until)
                if found is not None and "name" in found:
                    installed.append(found)
    return {"installed": installed, "leftovers": leftovers, "total": total}


def normalised(name):
    """Return a distribution's name in lower case with single hyphens."""
    result = []
    for character in name.lower():
        character = "-" if character in "_." else character
        if not (character == "-" and result and result[-1] == "-"):
            result.append(character)
    return "".join(result)


def _distribution(folder, info, until):
    """Read one dist-info or egg-info; None where it does not matter to torch on XPU."""
    stem = info.rsplit(".", 1)[0]
    name = normalised(stem.split("-")[0])
    if not (name in INTERESTING or name.startswith(INTERESTING_PREFIXES)):
        return None
    path = os.path.join(folder, info)
    metadata = _metadata(path)
    version = metadata.get("version") or unknown("METADATA has no version (%s)" % metadata.get("fault", "damaged"))
    fact = {
        "name": normalised(metadata["name"]) if metadata.get("name") else name,
        "version": version,
        "metadata": bool(metadata.get("version")),
        "location": folder,
        "metadata_path": path,
        "real_path": os.path.realpath(path),
        "installer": _small_text(os.path.join(path, "INSTALLER")).strip(),
        "direct_url": _direct_url(path),
        "editable": _editable(path),
        "tags": [
            line[5:].strip()
            for line in _small_text(os.path.join(path, "WHEEL")).splitlines()
            if line.startswith("Tag: ")
        ],
    }
    if "fault" not in metadata:
        fact["requires"] = metadata["requires"]
    if fact["name"].startswith(RECORD_CHECKED):
        fact.update(_record(folder, path, until))
    return fact


def _metadata(path):
    """Name, version and requirements of METADATA (or PKG-INFO), headers only."""
    values = {"requires": []}
    for name in ("METADATA", "PKG-INFO", ""):
        candidate = os.path.join(path, name) if name else path
        if os.path.isfile(candidate):
            break
    else:
        values["fault"] = "METADATA is missing"
        return values
    with open(candidate, "rb") as stream:
        header = stream.read(1 << 20).replace(b"\r\n", b"\n").split(b"\n\n")[0].decode("utf-8", "replace")
    for line in header.split("\n"):
        key, _, value = line.partition(":")
        if key in ("Name", "Version"):
            values.setdefault(key.lower(), value.strip())
        elif key == "Requires-Dist":
            values["requires"].append(value.strip())
    if "version" not in values:
        values["fault"] = "METADATA is empty or damaged"
    return values


def _small_text(path):
    """Return the text of a small file, empty where it cannot be read."""
    try:
        with open(path, "rb") as stream:
            return stream.read(65536).decode("utf-8", "replace")
    except OSError:
        return ""


def _direct_url(path):
    """URL of direct_url.json, or empty."""
    text = _small_text(os.path.join(path, "direct_url.json"))
    try:
        return str(json.loads(text).get("url", "")) if text else ""
    except (ValueError, AttributeError):
        return unknown("direct_url.json is damaged")


def _editable(path):
    """Return whether the distribution is installed in editable mode."""
    if '"editable": true' in _small_text(os.path.join(path, "direct_url.json")):
        return True
    return (
        path.endswith(".egg-info")
        and os.path.isdir(path)
        and not os.path.exists(os.path.join(path, "installed-files.txt"))
    )


def _record(folder, path, until):
    """Compare RECORD with the disk: sizes of all files, contents of a few; what a slow disk leaves no time for is unknown."""
    try:
        with open(os.path.join(path, "RECORD"), "rb") as stream:
            rows = stream.read().decode("utf-8", "replace").splitlines()
    except OSError as error:
        return {"record": False, "file_faults": unknown("no RECORD: %s" % error.strerror)}
    faults, count, listings = [], 0, {}
    for row in rows:
        name, digest, size = _record_row(row)
        if not name or name.endswith(".pyc") or not size:
            continue
        if time.perf_counter() > until and not faults:
            return {
                "record": True,
                "file_faults": unknown(
                    "the disk is slow: only %d of %d files could be looked at in time" % (count, len(rows))
                ),
                "file_count": count,
            }
        count += 1
        fault = _file_fault(folder, name, digest, size, listings)
        if fault:
            faults.append({"path": name, "fault": fault[0], "detail": fault[1]})
    return {"record": True, "file_faults": faults[:MAX_FAULTS], "file_fault_count": len(faults), "file_count": count}


def _record_row(row):
    """Split a RECORD row into name, digest and size; quoted names are unquoted."""
    if row.startswith('"'):
        name, _, rest = row[1:].rpartition('",')
        name = name.replace('""', '"')
    else:
        name, _, rest = row.partition(",")
    digest, _, size = rest.partition(",")
    return name, digest, size.strip()


def _file_fault(folder, name, digest, size, listings):
    """Return what is wrong with a file of RECORD, as (fault, detail), or None."""
    parent, _, leaf = name.rpartition("/")
    if parent not in listings:
        listings[parent] = _listing(os.path.join(folder, *parent.split("/")) if parent else folder)
    entries = listings[parent]
    key = os.path.normcase(leaf)
    if isinstance(entries, str):
        return ("unreadable", entries) if entries != "missing" else ("missing", "")
    if key not in entries:
        return ("missing", "")
    found = entries[key]
    if size.isdigit() and found != int(size):
        # Windows keeps a stale size in the folder for hard links, which uv makes: ask the file itself.
        found = _size(os.path.join(folder, *name.split("/")), found)
    if size.isdigit() and found != int(size):
        return (
            ("empty", "0 bytes, RECORD says %s" % size)
            if found == 0
            else ("size", "%d bytes, RECORD says %s" % (found, size))
        )
    if (
        name in HASHED
        and digest.startswith("sha256=")
        and not _digest_holds(os.path.join(folder, *name.split("/")), digest[7:])
    ):
        return ("content", "its SHA-256 is not the one in RECORD")
    return None


def _size(path, default):
    """Size of a file in bytes, or `default` where it cannot be asked."""
    try:
        return os.stat(path).st_size
    except OSError:
        return default


def _listing(folder):
    """Sizes of a folder's files by name, `missing`, or why it cannot be listed."""
    try:
        with os.scandir(folder) as entries:
            return dict(
                (os.path.normcase(entry.name), entry.stat().st_size)
                for entry in entries
                if not entry.is_dir() and _exists(entry)
            )
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    except OSError as error:
        return str(error.strerror)


def _exists(entry):
    """Return whether a directory entry leads to a file (a link may lead nowhere)."""
    try:
        entry.stat()
    except OSError:
        return False
    return True


def _digest_holds(path, digest):
    """Return whether a file has the urlsafe base64 SHA-256 of RECORD."""
    import base64
    import hashlib

    try:
        with open(path, "rb") as stream:
            found = base64.urlsafe_b64encode(hashlib.sha256(stream.read()).digest()).rstrip(b"=").decode("ascii")
    except OSError:
        return True
    return found == digest


# ---------------------------------------------------------------------------------------------- torch's build, as files


def stage_build(request):
    """Return the torch that `import torch` would load, read as files; the keys are the fields of facts.Torch."""
    package, location = _torch_folder()
    if package is None:
        return {"installed": False}
    declared = _version_file(os.path.join(package, "version.py"))
    libraries = attempt(_library_names, os.path.join(package, "lib"))
    fact = {
        "installed": True,
        "path": package,
        "real_path": os.path.realpath(package),
        "libraries": libraries,
        "package": _is_package(package),
    }
    version = declared.get("__version__")
    fact["version"] = (
        version if isinstance(version, str) else unknown(declared.get("fault", "torch/version.py names no version"))
    )
    for field, name in (
        ("xpu_version", "xpu"),
        ("cuda_version", "cuda"),
        ("hip_version", "hip"),
        ("git_version", "git_version"),
    ):
        fact[field] = unknown(declared["fault"]) if "fault" in declared else str(declared.get(name) or "")
    fact["debug"] = (
        declared["debug"] if isinstance(declared.get("debug"), bool) else unknown("torch/version.py does not say")
    )
    fact["build"], fact["build_source"] = _build(libraries, declared)
    fact["metadata_version"] = attempt(_metadata_version, location)
    fact["package_owner"] = attempt(_owner, location)
    return fact


def _torch_folder():
    """Return the folder of the torch that `import torch` takes, and the entry that holds it; else what is left of one."""
    remains = None, None
    for entry in _USERS_PATH:
        if not entry:
            continue
        folder = os.path.join(entry, "torch")
        if _is_package(folder):
            return os.path.abspath(folder), os.path.abspath(entry)
        if remains[0] is None and any(os.path.exists(os.path.join(folder, name)) for name in ("version.py", "lib")):
            remains = os.path.abspath(folder), os.path.abspath(entry)
    found = attempt(_by_finders, "torch") if remains[0] is None else None
    return (found, os.path.dirname(found)) if isinstance(found, str) else remains


def _by_finders(module):
    """Return the folder of a package that no entry of the path holds: an editable install has a finder of its own; None where there is none."""
    for finder in sys.meta_path:
        spec = finder.find_spec(module, None) if hasattr(finder, "find_spec") else None
        origin = getattr(spec, "origin", None)
        if spec is not None and spec.submodule_search_locations is not None and origin and os.path.isfile(origin):
            return os.path.dirname(os.path.abspath(origin))
    return None


def _is_package(folder):
    """Return whether a folder is a package that wins over a module of its name: without an __init__ file it is a namespace at best."""
    return any(os.path.isfile(os.path.join(folder, "__init__" + suffix)) for suffix in _suffixes())


def _suffixes():
    """Return the endings of files that Python imports, as this interpreter has them."""
    machinery = sys.modules.get("_frozen_importlib_external") or sys.modules.get("importlib._bootstrap_external")
    suffixes = getattr(machinery, "SOURCE_SUFFIXES", [".py"]) + getattr(machinery, "BYTECODE_SUFFIXES", [".pyc"])
    return suffixes + list(sys.modules["_imp"].extension_suffixes() if "_imp" in sys.modules else [".so", ".pyd"])


def _version_file(path):
    """Return the plain assignments of torch/version.py, without running it."""
    import ast

    try:
        with open(path, "rb") as stream:
            tree = ast.parse(stream.read(65536))
    except OSError as error:
        return {"fault": "torch/version.py: %s" % (error.strerror or error)}
    except (SyntaxError, ValueError):
        return {"fault": "torch/version.py is damaged"}
    values = {}
    for node in tree.body:
        targets = (
            node.targets
            if isinstance(node, ast.Assign)
            else [node.target]
            if isinstance(node, ast.AnnAssign) and node.value
            else []
        )
        for target in targets:
            if isinstance(target, ast.Name):
                try:
                    values[target.id] = ast.literal_eval(node.value)
                except ValueError:
                    pass
    return values


def _library_names(folder):
    """File names in torch/lib that are libraries."""
    return sorted(name for name in os.listdir(folder) if ".so" in name or name.endswith((".dll", ".dylib", ".pyd")))


def _build(libraries, declared):
    """Return the build variant and what told it: the libraries on the disk first, then version.py."""
    if isinstance(libraries, list):
        for build, marks in (
            ("xpu", ("torch_xpu", "c10_xpu")),
            ("rocm", ("torch_hip", "c10_hip")),
            ("cuda", ("torch_cuda", "c10_cuda")),
        ):
            held = [name for name in libraries if any(mark in name for mark in marks)]
            if held:
                return build, "torch/lib holds %s" % ", ".join(held[:2])
    if "fault" not in declared:
        for build, name in (("xpu", "xpu"), ("rocm", "hip"), ("cuda", "cuda")):
            if declared.get(name):
                return build, "torch/version.py says %s = %r" % (name, declared[name])
    if not isinstance(libraries, list):
        return unknown("torch/lib cannot be listed: %s" % libraries["reason"]), ""
    if not any("torch_cpu" in name or "c10" in name for name in libraries):
        return unknown("torch/lib holds none of torch's own libraries"), ""
    return "cpu", "torch/lib holds no library of XPU, CUDA or ROCm"


def _metadata_version(location):
    """Version in the metadata of the torch distribution beside the package, or empty."""
    for name in sorted(os.listdir(location)):
        if name.startswith("torch-") and name.endswith(".dist-info"):
            return _metadata(os.path.join(location, name)).get("version", "")
    return ""


def _owner(location):
    """Who installed the folder: `torch` (a wheel), `conda`, or empty."""
    if any(name.startswith("torch-") and name.endswith((".dist-info", ".egg-info")) for name in os.listdir(location)):
        return "torch"
    conda = os.path.join(sys.prefix, "conda-meta")
    if os.path.isdir(conda) and any(name.startswith("pytorch-") for name in os.listdir(conda)):
        return "conda"
    return ""


# ---------------------------------------------------------------------------------------------- shadows

COMPANIONS = ("torch", "torchvision", "torchaudio", "triton", "numpy", "intel_extension_for_pytorch")


def stage_shadows(request):
    """Files that hide torch, a companion or a standard module, found by looking; nothing is imported."""
    found = []
    for folder, where in _places(request):
        try:
            names = set(os.listdir(folder))
        except OSError:
            continue
        for module, path in _importable(folder, names):
            fact = {"module": module, "path": os.path.join(folder, path), "where": where}
            fact.update(installed=_has_metadata(module, names), hides=attempt(_hidden, module, folder))
            found.append(fact)
    module = _module_before_torch()
    if module:
        hides = attempt(_hidden, "torch", os.path.dirname(module))
        found.append({"module": "torch", "path": module, "where": "site folder", "installed": False, "hides": hides})
    return {"found": found[:50]}


def _module_before_torch():
    """Return a file that is imported as torch because no package of that name comes before it, or empty; PYTHONPATH is looked at by itself."""
    named = _from_pythonpath()
    for entry in _USERS_PATH:
        folder = os.path.abspath(entry)
        if not entry or os.path.normcase(folder) in named:
            continue
        if _is_package(os.path.join(folder, "torch")):
            return ""
        for suffix in _suffixes():
            if os.path.isfile(os.path.join(folder, "torch" + suffix)):
                return os.path.join(folder, "torch" + suffix)
    return ""


def _from_pythonpath():
    """Return the folders that PYTHONPATH names."""
    return set(
        os.path.normcase(os.path.abspath(entry))
        for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep)
        if entry
    )


def _places(request):
    """Return the folders that come before the installed packages, each with its name."""
    site = set(os.path.normcase(os.path.realpath(entry)) for entry in sys.path if entry)
    places = (
        [(request.get("folder") or os.getcwd(), "working folder")]
        if _folder_exists(os) or request.get("folder")
        else []
    )
    places += [(entry, "PYTHONPATH") for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    return [(folder, where) for folder, where in places if os.path.normcase(os.path.realpath(folder)) not in site]


def _importable(folder, names):
    """Modules in a folder that would win over torch, a companion or a standard module: (module, file)."""
    for module in sorted(set(COMPANIONS) | _standard_modules()):
        package = os.path.join(folder, module)
        if module in names and os.path.exists(os.path.join(package, "__init__.py")):
            yield module, os.path.join(module, "__init__.py")
        elif module + ".py" in names:
            yield module, module + ".py"


def _has_metadata(module, names):
    """Return whether a folder holds the metadata of the distribution that brings a module."""
    stems = [
        normalised(name.rsplit(".", 1)[0].split("-")[0]) for name in names if name.endswith((".dist-info", ".egg-info"))
    ]
    return any(stem == normalised(module) or (module == "triton" and "triton" in stem) for stem in stems)


def _hidden(module, folder):
    """Return the file that a module would be imported from if a folder were not searched, or empty."""
    if module not in COMPANIONS:
        return "the standard library"
    own = os.path.normcase(os.path.realpath(folder))
    for entry in _USERS_PATH:
        if entry and os.path.normcase(os.path.realpath(entry)) != own:
            for name in (os.path.join(module, "__init__.py"), module + ".py"):
                if os.path.exists(os.path.join(entry, name)):
                    return os.path.join(os.path.abspath(entry), name)
    return ""


def _standard_modules():
    """Names of the standard library's modules."""
    names = getattr(sys, "stdlib_module_names", None)
    if names is None:
        folder = os.path.dirname(os.path.abspath(os.__file__))
        names = [
            name.split(".")[0]
            for name in os.listdir(folder)
            if name.endswith(".py") or os.path.isdir(os.path.join(folder, name))
        ]
    return set(name for name in names if not name.startswith("_") and name not in ("site-packages", "test"))


# ---------------------------------------------------------------------------------------------- import


def stage_import(request):
    """`import torch` with the path that the user's own script would have; keys are the fields of facts.Import."""
    import warnings

    sys.path[:] = _USERS_PATH
    if not _isolated():
        sys.path.insert(0, request.get("folder") or (os.getcwd() if _folder_exists(os) else ""))
    with warnings.catch_warnings(record=True) as caught:
        started = time.perf_counter()
        import torch

        seconds = time.perf_counter() - started
    version, path = getattr(torch, "__version__", None), getattr(torch, "__file__", None)
    return {
        "succeeded": bool(version and path),
        "seconds": seconds,
        "version": str(version or "") or unknown("the module that was imported has no __version__"),
        "file": str(path or "") or unknown("the module that was imported has no file"),
        "folders": attempt(_namespace, torch) if not path else [],
        "warnings": _texts(caught),
    }


def _namespace(module):
    """Return the folders of a package without an __init__ file."""
    return [str(folder) for folder in list(module.__path__)[:8]]


def _isolated():
    """Return whether this interpreter never puts the script's folder on its path (-I, -P, ._pth)."""
    return bool(sys.flags.isolated or getattr(sys.flags, "safe_path", False) or attempt(_embedded) is True)


def _texts(caught):
    """Return the first warnings as text, each cut."""
    return [cut("%s: %s" % (item.category.__name__, item.message), 600) for item in caught[:20]]


# ---------------------------------------------------------------------------------------------- torch.xpu


def stage_xpu(request):
    """Return what torch.xpu says of itself; the keys are the fields of facts.Xpu."""
    import warnings

    import torch

    fact = {"error": ""}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            _query_xpu(torch, fact)
        except Exception as error:
            fact["error"] = cut("%s: %s" % (type(error).__name__, error), 2000)
    fact["warnings"] = _texts(caught)
    return fact


def _query_xpu(torch, fact):
    """Fill in what torch.xpu answers, call by call."""
    xpu = getattr(torch, "xpu", None)
    if xpu is None:
        fact.update(compiled=False, available=False, device_count=0, devices=[])
        return
    mark("xpu", "torch.xpu._is_compiled")
    fact["compiled"] = bool(xpu._is_compiled()) if hasattr(xpu, "_is_compiled") else unknown("this torch does not tell")
    mark("xpu", "torch.xpu.is_available")
    fact["available"] = bool(xpu.is_available())
    mark("xpu", "torch.xpu.device_count")
    fact["device_count"] = int(xpu.device_count())
    fact["devices"] = [_xpu_device(xpu, index) for index in range(min(fact["device_count"], 64))]


def _xpu_device(xpu, index):
    """One device's properties; keys are the fields of facts.XpuDevice."""
    mark("xpu", "torch.xpu.get_device_properties(%d)" % index)
    device = {"index": index}
    try:
        properties = xpu.get_device_properties(index)
    except Exception as error:
        device["error"] = cut("%s: %s" % (type(error).__name__, error), 1000)
        return device
    device["name"] = str(getattr(properties, "name", ""))
    for field, name in (
        ("device_id", "device_id"),
        ("driver_version", "driver_version"),
        ("total_memory", "total_memory"),
        ("has_fp64", "has_fp64"),
    ):
        if hasattr(properties, name):
            device[field] = attempt(getattr, properties, name)
    return device


def stage_allocate(request):
    """Allocate a small tensor on each device and read it back: since torch 2.13 a count proves nothing."""
    import torch

    results = []
    count = int(torch.xpu.device_count()) if hasattr(torch, "xpu") else 0
    for index in range(min(count, 64)):
        mark("allocate", "torch.ones on xpu:%d" % index)
        try:
            total = float(torch.ones(16, device="xpu:%d" % index).sum().cpu())
            results.append(
                {
                    "index": index,
                    "allocated": total == 16.0,
                    "error": "" if total == 16.0 else "the sum of 16 ones read back as %r" % total,
                }
            )
        except Exception as error:
            results.append(
                {"index": index, "allocated": False, "error": cut("%s: %s" % (type(error).__name__, error), 2000)}
            )
    return {"allocations": results}


# ---------------------------------------------------------------------------------------------- Level Zero
#
# Four stages in one process: load the loader, zeInit, the drivers, their devices. Nothing calls Level Zero after a
# failed zeInit: loaders up to 1.8 die of it. Run them in a process of their own, never in the one that imports torch.

_ZE = {}
_ZE_GPU = 1
_ZE_RESULTS = {
    0x0: "ZE_RESULT_SUCCESS",
    0x1: "ZE_RESULT_NOT_READY",
    0x70000001: "ZE_RESULT_ERROR_DEVICE_LOST",
    0x70000002: "ZE_RESULT_ERROR_OUT_OF_HOST_MEMORY",
    0x70000003: "ZE_RESULT_ERROR_OUT_OF_DEVICE_MEMORY",
    0x70000004: "ZE_RESULT_ERROR_MODULE_BUILD_FAILURE",
    0x70000006: "ZE_RESULT_ERROR_DEVICE_REQUIRES_RESET",
    0x70000007: "ZE_RESULT_ERROR_DEVICE_IN_LOW_POWER_STATE",
    0x7FF00001: "ZE_RESULT_EXP_ERROR_DEVICE_IS_NOT_VERTEX",
    0x70010000: "ZE_RESULT_ERROR_INSUFFICIENT_PERMISSIONS",
    0x70010001: "ZE_RESULT_ERROR_NOT_AVAILABLE",
    0x70020000: "ZE_RESULT_ERROR_DEPENDENCY_UNAVAILABLE",
    0x70020001: "ZE_RESULT_WARNING_DROPPED_DATA",
    0x78000001: "ZE_RESULT_ERROR_UNINITIALIZED",
    0x78000002: "ZE_RESULT_ERROR_UNSUPPORTED_VERSION",
    0x78000003: "ZE_RESULT_ERROR_UNSUPPORTED_FEATURE",
    0x78000004: "ZE_RESULT_ERROR_INVALID_ARGUMENT",
    0x78000005: "ZE_RESULT_ERROR_INVALID_NULL_HANDLE",
    0x78000006: "ZE_RESULT_ERROR_HANDLE_OBJECT_IN_USE",
    0x78000007: "ZE_RESULT_ERROR_INVALID_NULL_POINTER",
    0x7FFFFFFE: "ZE_RESULT_ERROR_UNKNOWN",
}
_ZE_LIBRARIES = ("libze_intel_gpu.so.1", "libze_intel_gpu_legacy1.so.1")


def _ze_code(value):
    """Return a result code as an unsigned number."""
    return value & 0xFFFFFFFF


def _ze_name(value):
    """Return a result code by name, or in hex where it has none here."""
    return _ZE_RESULTS.get(_ze_code(value), "0x%08x" % _ze_code(value))


def _ze_mapped(part):
    """Path of the first mapped file whose name begins with `part`, or empty (Linux alone)."""
    try:
        with open("/proc/self/maps", "rb") as stream:
            for line in stream:
                path = line.decode("utf-8", "replace").rstrip("\n").partition("/")[2]
                if path.rpartition("/")[2].startswith(part):
                    return "/" + path
    except OSError:
        pass
    return ""


def _ze_module_path(library):
    """Path of a loaded DLL, or empty."""
    import ctypes

    buffer = ctypes.create_unicode_buffer(4096)
    ctypes.windll.kernel32.GetModuleFileNameW(ctypes.c_void_p(library._handle), buffer, 4096)
    return buffer.value


def _ze_dll_version(path):
    """File version of a DLL, e.g. `1.20.2.0`, or empty."""
    import ctypes

    api = ctypes.windll.version
    size = api.GetFileVersionInfoSizeW(path, None)
    data = ctypes.create_string_buffer(size)
    pointer, length = ctypes.c_void_p(), ctypes.c_uint()
    if (
        not size
        or not api.GetFileVersionInfoW(path, 0, size, data)
        or not api.VerQueryValueW(data, "\\", ctypes.byref(pointer), ctypes.byref(length))
    ):
        return ""
    words = ctypes.cast(pointer, ctypes.POINTER(ctypes.c_uint32))
    return "%d.%d.%d.%d" % (words[2] >> 16, words[2] & 0xFFFF, words[3] >> 16, words[3] & 0xFFFF)


def _ze_version_in(path, stem):
    """Return the version that a library's file name ends with, e.g. `1.20.6`, or empty."""
    name = os.path.basename(os.path.realpath(path)) if path else ""
    version = name[len(stem) :].lstrip(".") if name.startswith(stem) else ""
    return version if version.count(".") >= 1 and version.replace(".", "").isdigit() else ""


def stage_ze_load(request):
    """Load the Level Zero loader as the runtime does, by name; the keys are the fields of facts.LevelZero."""
    import ctypes

    windows = sys.platform == "win32"
    name = "ze_loader.dll" if windows else "libze_loader.so.1"
    mark("ze_load", "load " + name)
    try:
        library = ctypes.WinDLL(name) if windows else ctypes.CDLL(name)
    except OSError as error:
        return {
            "loader_loaded": False,
            "loader_error": cut(error, 1000),
            "loader_path": "",
            "loader_version": unknown("the loader was not loaded"),
        }
    _ZE["library"] = library
    path = attempt(_ze_module_path, library) if windows else _ze_mapped("libze_loader.so")
    version = attempt(_ze_dll_version, path) if windows else _ze_version_in(path, "libze_loader.so")
    return {
        "loader_loaded": True,
        "loader_error": "",
        "loader_path": path or unknown("the system does not tell where it was found"),
        "loader_version": version or unknown("the file's name holds no version"),
        "loader_has_init_drivers": hasattr(library, "zeInitDrivers"),
        "loader_has_root_device": hasattr(library, "zeDeviceGetRootDevice"),
    }


def stage_ze_init(request):
    """zeInit for GPUs; only a success lets the later stages call Level Zero again."""
    library = _ZE.get("library")
    if library is None:
        return {}
    mark("ze_init", "zeInit")
    code = library.zeInit(1)
    facts = {"init_code": _ze_code(code), "init_result": _ze_name(code)}
    if _ze_code(code) == 0:
        _ZE["initialised"] = True
        version = attempt(_ze_loader_version, library)
        if isinstance(version, str) and version:
            facts["loader_version"] = version
    if sys.platform != "win32":
        facts["driver_library"] = _ze_mapped("libze_intel_gpu")
        facts["compiler_library"] = _ze_mapped("libigc.so") or _ze_mapped("libigc_")
        facts["memory_library"] = _ze_mapped("libigdgmm")
    return facts


def _ze_loader_version(library):
    """Version that the loader tells of itself, or empty; asked after a successful zeInit alone."""
    import ctypes

    class Component(ctypes.Structure):
        _fields_ = [
            ("name", ctypes.c_char * 64),
            ("spec", ctypes.c_uint32),
            ("major", ctypes.c_int),
            ("minor", ctypes.c_int),
            ("patch", ctypes.c_int),
        ]

    if not hasattr(library, "zelLoaderGetVersions"):
        return ""
    mark("ze_init", "zelLoaderGetVersions")
    count = ctypes.c_size_t(0)
    if library.zelLoaderGetVersions(ctypes.byref(count), None) or not 0 < count.value < 32:
        return ""
    components = (Component * count.value)()
    library.zelLoaderGetVersions(ctypes.byref(count), components)
    for component in components:
        if component.name == b"loader":
            return "%d.%d.%d" % (component.major, component.minor, component.patch)
    return ""


def _ze_handles(function, parent):
    """Return the handles that a zeXGet function lists, or an unknown with the failed call."""
    import ctypes

    count = ctypes.c_uint32(0)
    code = function(*(parent + (ctypes.byref(count), None)))
    if code:
        return unknown("%s returned %s" % (function.__name__, _ze_name(code)))
    handles = (ctypes.c_void_p * count.value)()
    code = function(*(parent + (ctypes.byref(count), handles))) if count.value else 0
    if code:
        return unknown("%s returned %s" % (function.__name__, _ze_name(code)))
    return [ctypes.c_void_p(handle) for handle in handles[: count.value]]


def stage_ze_driver(request):
    """Return the drivers behind the loader with their versions; the keys are fields of facts.ZeDriver."""
    import ctypes

    class Properties(ctypes.Structure):
        _fields_ = [
            ("stype", ctypes.c_int),
            ("pNext", ctypes.c_void_p),
            ("uuid", ctypes.c_uint8 * 16),
            ("version", ctypes.c_uint32),
        ]

    if not _ZE.get("initialised"):
        return {}
    library = _ZE["library"]
    mark("ze_driver", "zeDriverGet")
    handles = _ze_handles(library.zeDriverGet, ())
    if isinstance(handles, dict):
        return {"drivers": handles}
    _ZE["drivers"] = handles
    drivers = []
    for index, handle in enumerate(handles):
        driver = {"index": index}
        version = ctypes.c_uint32(0)
        mark("ze_driver", "zeDriverGetApiVersion(%d)" % index)
        if library.zeDriverGetApiVersion(handle, ctypes.byref(version)) == 0:
            driver["api_version"] = "%d.%d" % (version.value >> 16, version.value & 0xFFFF)
        properties = Properties(stype=1)
        mark("ze_driver", "zeDriverGetProperties(%d)" % index)
        code = library.zeDriverGetProperties(handle, ctypes.byref(properties))
        number = properties.version
        driver["build"] = number & 0xFFFF if code == 0 else unknown("zeDriverGetProperties returned " + _ze_name(code))
        driver["version"] = (
            "%d.%d.%d" % (number >> 24, number >> 16 & 0xFF, number & 0xFFFF) if code == 0 else driver["build"]
        )
        text = attempt(_ze_version_text, library, handle, index)
        if isinstance(text, str) and text:
            driver["version"] = text
        drivers.append(driver)
    return {"drivers": drivers}


def _ze_version_text(library, handle, index):
    """Version text of Intel's driver (an extension), e.g. `1.15.39122+14`, or empty."""
    import ctypes

    mark("ze_driver", "zeIntelGetDriverVersionString(%d)" % index)
    address = ctypes.c_void_p()
    if (
        library.zeDriverGetExtensionFunctionAddress(handle, b"zeIntelGetDriverVersionString", ctypes.byref(address))
        or not address.value
    ):
        return ""
    function = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_size_t))(
        address.value
    )
    buffer, size = ctypes.create_string_buffer(256), ctypes.c_size_t(256)
    return (
        buffer.value.decode("ascii", "replace")
        if function(handle, ctypes.cast(buffer, ctypes.c_char_p), ctypes.byref(size)) == 0
        else ""
    )


def _ze_structures():
    """Return the structures that describe a device, made when they are needed."""
    import ctypes

    u8, u32, u64 = ctypes.c_uint8, ctypes.c_uint32, ctypes.c_uint64
    head = [("stype", ctypes.c_int), ("pNext", ctypes.c_void_p)]

    class Device(ctypes.Structure):
        _fields_ = (
            head
            + [("type", ctypes.c_int)]
            + [(name, u32) for name in ("vendor", "device", "flags", "subdevice", "clock")]
        )
        _fields_ += [("max_alloc", u64)] + [
            (name, u32) for name in ("contexts", "priority", "threads", "simd", "eus", "subslices", "slices")
        ]
        _fields_ += [
            ("resolution", u64),
            ("valid", u32),
            ("kernel_valid", u32),
            ("uuid", u8 * 16),
            ("name", ctypes.c_char * 256),
        ]

    class Memory(ctypes.Structure):
        _fields_ = head + [("flags", u32), ("clock", u32), ("width", u32), ("size", u64), ("name", ctypes.c_char * 256)]

    class Module(ctypes.Structure):
        _fields_ = (
            head
            + [(name, u32) for name in ("spirv", "flags", "fp16", "fp32", "fp64", "arguments", "printf")]
            + [("uuid", u8 * 16)]
        )

    class Pci(ctypes.Structure):
        _fields_ = head + [(name, u32) for name in ("domain", "bus", "slot", "function")]
        _fields_ += [("generation", ctypes.c_int32), ("lanes", ctypes.c_int32), ("bandwidth", ctypes.c_int64)]

    return Device, Memory, Module, Pci


def stage_ze_devices(request):
    """Return the GPUs of each driver; the keys are fields of facts.ZeDevice."""
    if not _ZE.get("initialised"):
        return {}
    library, devices, kinds = _ZE["library"], [], _ze_structures()
    for number, driver in enumerate(_ZE.get("drivers", [])):
        mark("ze_devices", "zeDeviceGet(driver %d)" % number)
        handles = _ze_handles(library.zeDeviceGet, (driver,))
        if isinstance(handles, dict):
            if "ZE_RESULT_ERROR_UNINITIALIZED" in handles["reason"] or number + 1 < len(_ZE["drivers"]):
                continue
            return {"devices": handles}
        for index, handle in enumerate(handles[:64]):
            found = _ze_device(library, handle, number, index, kinds)
            if found is not None:
                devices.append(found)
    return {"devices": devices}


def _ze_device(library, handle, number, index, kinds):
    """One device, None where it is no GPU."""
    import ctypes

    device_kind, memory_kind, module_kind, pci_kind = kinds
    where = "driver %d, device %d" % (number, index)
    properties = device_kind(stype=3)
    mark("ze_devices", "zeDeviceGetProperties(%s)" % where)
    code = library.zeDeviceGetProperties(handle, ctypes.byref(properties))
    if code:
        return {"driver": number, "index": index, "error": "zeDeviceGetProperties returned " + _ze_name(code)}
    if properties.type != _ZE_GPU:
        return None
    device = {
        "driver": number,
        "index": index,
        "name": properties.name.decode("utf-8", "replace"),
        "vendor_id": properties.vendor,
        "device_id": properties.device,
        "integrated": bool(properties.flags & 1),
        "max_allocation": properties.max_alloc,
    }
    mark("ze_devices", "zeDeviceGetModuleProperties(%s)" % where)
    module = module_kind(stype=5)
    code = library.zeDeviceGetModuleProperties(handle, ctypes.byref(module))
    device["fp64"] = bool(module.flags & 2) if code == 0 else unknown(_ze_name(code))
    mark("ze_devices", "zeDeviceGetMemoryProperties(%s)" % where)
    device["memory_bytes"] = _ze_memory(library, handle, memory_kind)
    mark("ze_devices", "zeDevicePciGetPropertiesExt(%s)" % where)
    device["address"] = _ze_address(library, handle, pci_kind)
    return device


def _ze_memory(library, handle, memory_kind):
    """Total size of a device's memories in bytes."""
    import ctypes

    count = ctypes.c_uint32(0)
    code = library.zeDeviceGetMemoryProperties(handle, ctypes.byref(count), None)
    rows = (memory_kind * min(count.value, 16))()
    for row in rows:
        row.stype = 9
    code = code or library.zeDeviceGetMemoryProperties(handle, ctypes.byref(count), rows)
    return sum(row.size for row in rows) if code == 0 else unknown(_ze_name(code))


def _ze_address(library, handle, pci_kind):
    """PCI address as the kernel writes it."""
    import ctypes

    if not hasattr(library, "zeDevicePciGetPropertiesExt"):
        return unknown("this loader does not tell")
    pci = pci_kind(stype=0x10008)
    code = library.zeDevicePciGetPropertiesExt(handle, ctypes.byref(pci))
    return "%04x:%02x:%02x.%x" % (pci.domain, pci.bus, pci.slot, pci.function) if code == 0 else unknown(_ze_name(code))


def stage_ze_library(request):
    """Load the GPU driver's own libraries without the loader, to tell "not installed" from "does not load"."""
    import ctypes

    rows = []
    for name in _ZE_LIBRARIES if sys.platform != "win32" else ("ze_intel_gpu64.dll",):
        mark("ze_library", "load " + name)
        try:
            ctypes.CDLL(name)
            rows.append({"name": name, "path": _ze_mapped(name) if sys.platform != "win32" else "", "error": ""})
        except OSError as error:
            rows.append({"name": name, "path": "", "error": cut(error, 500)})
    return {"libraries": rows}


# ---------------------------------------------------------------------------------------------- compute

COMPUTE_LIMITS = {
    "dtypes": ["float32", "bfloat16", "float16"],
    "device_seconds": 3.0,  # measuring on one device; warm-up and compilation are bounded apart
    "warm_up_seconds": 30.0,
    "batch_seconds": 0.2,
    "batches": 3,
    "cpu_seconds": 0.3,
    "largest": 8192,
    "fewest": 2,
    "most": 400,
}
COMPUTE_VARIABLES = ("PYTORCH_ENABLE_XPU_FALLBACK", "PYTORCH_XPU_FALLBACK_OP", "PYTORCH_DEBUG_XPU_FALLBACK")
COMPUTE_SIGNALS = "profiler and dispatcher on"
_BLOCK_ROWS = 256


def stage_compute(request):
    """Matmuls on each device, then on the CPU; the keys are the fields of facts.Compute.

    The request holds "compute": {"devices": ["xpu:0", ...], "limits": {...}}. Devices are torch.device strings; none
    means every XPU device. Limits override COMPUTE_LIMITS. The stage imports torch itself, in a process of its own:
    torch's fallback warnings must be on before the import, and a CPU matmul before would leave spinning threads.
    After each step a `part` line repeats what is known so far, so that a device that kills or hangs loses nothing.
    """
    options = request.get("compute") or {}
    variables = [{"name": name, "value": os.environ[name]} for name in COMPUTE_VARIABLES if name in os.environ]
    if "torch" not in sys.modules:
        os.environ["PYTORCH_DEBUG_XPU_FALLBACK"] = "1"
        mark("compute", "import torch")
        stage_import(request)
    import torch

    names = options.get("devices") or ["xpu:%d" % index for index in range(_xpu_count(torch))]

    def tell(call, facts):
        mark("compute", call)
        TRANSCRIPT.write("part", "compute", facts=dict(facts, fallback_variables=variables))

    facts = measure_compute(torch, names, options.get("limits") or {}, tell)
    facts["fallback_variables"] = variables
    return facts


def _xpu_count(torch):
    """Return the number of XPU devices that can be used."""
    xpu = getattr(torch, "xpu", None)
    return min(int(xpu.device_count()), 64) if xpu is not None and xpu.is_available() else 0


def measure_compute(torch, device_strings, limits, tell=lambda call, facts: None):
    """Time and check matmuls on each device and then on the CPU; nothing of this judges where they ran."""
    limits = dict(COMPUTE_LIMITS, **limits)
    started = time.perf_counter()
    devices = []
    facts = {"devices": devices}
    threads = torch.get_num_threads()
    for name in device_strings:
        device = {"device": name, "step": "", "error": "", "exception": ""}
        devices.append(device)

        def step(call, device=device):
            device["step"] = call
            tell(call, facts)

        try:
            with torch.no_grad():
                _compute_device(torch, device, limits, threads, step)
            device["step"] = ""
        except Exception as error:
            device["error"] = cut("%s: %s" % (type(error).__name__, error), 2000)
            device["exception"] = type(error).__name__
        finally:
            torch.set_num_threads(threads)
    if devices:
        tell("matmul on the CPU for comparison", facts)
        with torch.no_grad():
            facts["cpu"] = attempt(_compute_cpu, torch, limits, threads)
        if "reason" in facts["cpu"]:
            facts["cpu"] = {"timing_error": facts["cpu"]["reason"]}
    for device in devices:
        if not device["error"]:  # last, because a profiler that kills the process must cost nothing but its own word
            device["step"] = "%s %s" % (COMPUTE_SIGNALS, device["device"])
            tell(device["step"], facts)
            device.update(_compute_signals(torch, torch.device(device["device"])))
            device["step"] = ""
    facts["seconds"] = time.perf_counter() - started
    return facts


def _compute_device(torch, result, limits, threads, step):
    """Everything that is timed and checked on one device."""
    import warnings

    device = torch.device(result["device"])
    if device.index is None and device.type != "cpu":
        device = torch.device(device.type, 0)
    result["type"] = device.type
    module = _compute_module(torch, device)
    step("properties of %s" % device)
    if device.type != "cpu" and hasattr(module, "set_device"):
        module.set_device(device.index)  # events are recorded on the current device
    result.update(_compute_properties(module, device))
    products = result["products"] = []
    began = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for name in limits["dtypes"]:
            spent = time.perf_counter() - began - result.get("warm_up_seconds", 0.0)
            if products and (
                spent > limits["device_seconds"] * 0.75
                or result.get("warm_up_seconds", 0.0) > limits["warm_up_seconds"]
            ):
                products.append({"dtype": name, "error": "not measured: the time for this device was used up"})
                continue
            _compute_dtype(torch, module, device, name, result, limits, threads, step)
        result["measuring_seconds"] = time.perf_counter() - began - result.get("warm_up_seconds", 0.0)
    texts = [cut(item.message, 300) for item in caught]
    result["fallback_warnings"] = [text for text in texts if "CPU" in text and "fall" in text.lower()][:10]


def _compute_module(torch, device):
    """Return the module of a device's type (torch.xpu, torch.cuda ...), or None."""
    try:
        return torch.get_device_module(device)
    except (AttributeError, RuntimeError):
        return getattr(torch, device.type, None)


def _compute_properties(module, device):
    """Name, PCI id and memory of a device, each unknown where the module does not tell."""
    index = device.index or 0
    found = {"name": attempt(lambda: str(module.get_device_name(index)))}
    properties = attempt(lambda: module.get_device_properties(index))
    for field, name in (
        ("device_id", "device_id"),
        ("total_memory", "total_memory"),
        ("integrated", "is_integrated_gpu"),
    ):
        value = getattr(properties, name, None)
        found[field] = value if isinstance(value, (int, bool)) else unknown("this torch does not tell")
    found["free_memory"] = attempt(lambda: int(module.mem_get_info(index)[0]))
    return found


def _compute_dtype(torch, module, device, name, result, limits, threads, step):
    """Warm up, find a size, time batches and check the result in one data type."""
    product = {"dtype": name, "error": ""}
    first = not result["products"]
    result["products"].append(product)
    bench = _ComputeBench(torch, module, device, getattr(torch, name), threads)
    batch_seconds = limits["batch_seconds"]
    try:
        step("%s matmul on %s: warm-up" % (name, device))
        warming = time.perf_counter()
        size, seconds = _compute_size(bench, batch_seconds, limits, result)
        result["warm_up_seconds"] = result.get("warm_up_seconds", 0.0) + time.perf_counter() - warming
        if first:
            result["first_run_seconds"] = bench.first_seconds
            result.update(bench.memory)
        step("%s matmul on %s: size %d" % (name, device, size))
        count = int(min(limits["most"], max(limits["fewest"], batch_seconds / max(seconds, 1e-6))))
        product["size"] = size
        product.update(_compute_timing(bench, count, limits))
        step("%s matmul on %s: result" % (name, device))
        product.update(bench.check())
        product["result_device"] = str(bench.c.device.type)
    except Exception as error:
        product["error"] = cut("%s: %s" % (type(error).__name__, error), 2000)
        if first:
            raise
    finally:
        bench.release()


class _ComputeBench(object):
    """Square matrices of one data type on one device, and the ways to multiply them, to wait, and to check."""

    def __init__(self, torch, module, device, dtype, threads):
        self.torch, self.module, self.device, self.dtype, self.threads = torch, module, device, dtype, threads
        self.size, self.a, self.b, self.c = 0, None, None, None
        self.blocks, self.memory, self.first_seconds = (), {}, 0.0
        self.event = self._event(timing=True)
        self.timed = self.event is not None
        if self.event is None:
            self.event = self._event(timing=False)

    def _event(self, timing):
        """Return a working event of the device, or None where it has none."""
        maker = getattr(self.module, "Event", None)
        if maker is None or self.device.type == "cpu":
            return None
        try:
            events = [maker(enable_timing=True) if timing else maker() for _ in range(2)]
            for event in events:
                event.record()
            while not events[1].query():
                time.sleep(0.0005)
            if timing:  # some releases have events that record and cannot tell the time
                events[0].elapsed_time(events[1])
            return events[0]
        except Exception:
            return None

    def prepare(self, size):
        """Make two random matrices of a size on the device, from a block of rows that the host keeps.

        One thread: worker threads that spin on afterwards would be counted as work of the device's matmul.
        """
        torch = self.torch
        self.release()
        torch.set_num_threads(1)
        rows = min(size, _BLOCK_ROWS)
        generator = torch.Generator().manual_seed(size)
        self.blocks = tuple(torch.randn(rows, size, generator=generator).to(self.dtype) for _ in range(2))
        held, resident = self._allocated(), _resident_bytes()
        self.a, self.b = (self._uploaded(block, size) for block in self.blocks)
        self.memory = {
            "allocated_bytes": _difference(self._allocated(), held),
            "host_growth_bytes": _difference(_resident_bytes(), resident),
        }
        self.memory["input_bytes"] = 2 * size * size * self.blocks[0].element_size()
        self.size = size
        self.synchronize()
        torch.set_num_threads(self.threads)

    def _uploaded(self, block, size):
        """Return a square matrix on the device that repeats the block."""
        whole = self.torch.empty((size, size), dtype=self.dtype, device=self.device)
        for row in range(0, size, block.shape[0]):
            whole[row : row + block.shape[0]].copy_(block)
        return whole

    def _allocated(self):
        """Bytes that torch says it holds on the device."""
        return attempt(lambda: int(self.module.memory_allocated(self.device)))

    def release(self):
        """Let go of the matrices."""
        self.a = self.b = self.c = None

    def synchronize(self):
        """Wait for the device, and read one element back: a synchronize that does not wait cannot deceive that."""
        waits = getattr(self.module, "synchronize", None)
        if waits is not None:
            waits(self.device)
        last = self.c if self.c is not None else self.b
        return last[-1:, -1:].cpu()

    def once(self):
        """Seconds of one product, waited for."""
        started = time.perf_counter()
        self.c = self.torch.mm(self.a, self.b)
        self.synchronize()
        return time.perf_counter() - started

    def batch(self, count, quiet_for=0.0):
        """Queue a number of products, then wait: seconds and CPU seconds of each part.

        Where the device has events, they are asked between sleeps; else `quiet_for` says how long to sleep before the
        wait. Sleeping matters: a driver that spins while it waits would look like work on the CPU.
        """
        before = self.module.Event(enable_timing=True) if self.timed else None
        wall, process, thread = time.perf_counter(), time.process_time(), time.thread_time()
        if before is not None:
            before.record()
        for _ in range(count):
            self.c = self.torch.mm(self.a, self.b)
        if self.event is not None:
            self.event.record()
        queued = time.perf_counter() - wall
        if self.event is not None:
            while not self.event.query():
                time.sleep(0.0005)
        elif quiet_for > queued:
            time.sleep(quiet_for - queued)
        self.synchronize()
        seconds = time.perf_counter() - wall
        process, thread = time.process_time() - process, time.thread_time() - thread
        return {
            "queue_seconds": queued,
            "seconds": seconds,
            "device_seconds": before.elapsed_time(self.event) / 1000.0 if before is not None else None,
            "cpu_seconds": process,
            "thread_seconds": thread,
        }

    def check(self):
        """Compare sampled rows of the last product with float64 on the CPU."""
        torch, size = self.torch, self.size
        torch.set_num_threads(1)
        a, b = (block.to(torch.float64) for block in self.blocks)
        rows = a.shape[0]
        sampled = sorted(set([0, 1, size // 3, size // 2, size - 2, size - 1]))
        got = torch.stack([self.c[row].cpu().to(torch.float64) for row in sampled])
        folded = torch.stack([a[row % rows].reshape(size // rows, rows).sum(0) for row in sampled])
        wanted = torch.mm(folded, b)
        good = torch.isfinite(got)
        bad = int(got.numel() - int(good.sum()))
        difference = torch.where(good, got - wanted, torch.zeros_like(got))
        scale = float(wanted.pow(2).mean().sqrt())
        torch.set_num_threads(self.threads)
        return {
            "checked_elements": int(got.numel()),
            "nonfinite_elements": bad,
            "all_zero": bool((got == 0).all()),
            "mean_error": float(difference.pow(2).mean().sqrt()) / scale,
            "worst_error": float(difference.abs().max()) / scale,
        }


def _compute_size(bench, batch_seconds, limits, result):
    """Find a size whose product takes about a sixteenth of a batch: (size, seconds of one product)."""
    bench.prepare(128)
    bench.first_seconds = bench.once()
    size, seconds = 128, min(bench.once() for _ in range(3))
    largest = _compute_largest(bench, limits, result)
    for _ in range(5):
        wanted = min(largest, _compute_next(size, seconds, batch_seconds))
        if wanted <= size:
            break
        try:
            bench.prepare(wanted)
            bench.once()
            size, seconds = wanted, min(bench.once() for _ in range(2))
        except Exception as error:
            if "memory" not in str(error).lower() or size < 512:
                raise
            bench.prepare(size)
            bench.once()
            break
    return size, seconds


def _compute_next(size, seconds, batch_seconds):
    """Return the next size to try, by the time of the last: twice the size is eight times the work, or less where it waits for other things."""
    if size == 128:
        return 512 if seconds < batch_seconds / 2 else 256 if seconds < batch_seconds * 2 else 128
    if seconds > batch_seconds / 64:
        return size * 2 if seconds * 8 < batch_seconds / 2 else size
    wanted = size
    while wanted < size * 8 and seconds * (wanted * 2.0 / size) ** 3 < batch_seconds / 8:
        wanted *= 2
    return max(wanted, size * 2)


def _compute_largest(bench, limits, result):
    """Return the largest size whose matrices take at most half of the free memory, as far as it is known."""
    free, total = result.get("free_memory"), result.get("total_memory")
    if isinstance(free, int) and free > 0:
        room = free // 2
    elif isinstance(total, int) and total > 0:
        room = total // 4
    else:
        room = 512 << 20
    size = 128
    while size < limits["largest"] and 5 * (2 * size) ** 2 * bench.blocks[0].element_size() <= room:
        size *= 2
    return size


def _compute_count(bench, count, limits):
    """Products in a batch, and the first batch: on a busy machine a first guess can be far off, and a short batch a matter of luck."""
    began = time.perf_counter()
    for _ in range(4):
        run = bench.batch(count)
        late = time.perf_counter() - began > limits["device_seconds"] / 3
        if late or run["seconds"] >= limits["batch_seconds"] / 2 or count >= limits["most"]:
            break
        count = int(min(limits["most"], max(count + 1, count * limits["batch_seconds"] / max(run["seconds"], 1e-6))))
    return count, [run]


def _compute_timing(bench, count, limits):
    """Time batches one after the other.

    By the device's events, the last one: a GPU lowers its clock in the first tenths of a second of full power. By the
    host's clock, the best one: other load can only add; there, the CPU time is that of one more batch, slept through.
    """
    began = time.perf_counter()
    count, runs = _compute_count(bench, count, limits)
    batches = limits["batches"] if bench.timed else limits["batches"] - 1
    while len(runs) < batches and time.perf_counter() - began < limits["device_seconds"] / 3:
        runs.append(bench.batch(count))
    if bench.timed:
        wall, quiet = runs[-1]["device_seconds"], runs
    else:
        wall = min(run["seconds"] for run in runs)
        quiet = runs if bench.event is not None else [bench.batch(count, 0.97 * wall)]
    work = 2.0 * bench.size**3 * count / 1e12
    cpu = sum(run["cpu_seconds"] for run in quiet)
    whole, thread = (sum(run[key] for run in runs) for key in ("cpu_seconds", "thread_seconds"))
    return {
        "count": count,
        "batches": len(runs),
        "seconds": wall,
        "timed_by": "events" if bench.timed else "clock",
        "tflops": work / wall,
        "cpu_seconds": cpu,
        "cpu_seconds_per_tflop": cpu / (work * len(quiet)),
        "queue_share": sum(run["queue_seconds"] for run in runs) / sum(run["seconds"] for run in runs),
        "main_thread_share": min(1.0, thread / whole) if whole > 0 else unknown("no CPU time was counted"),
    }


def _compute_signals(torch, device):
    """Return what the profiler and the dispatcher say of a small product; they support a verdict and never make it."""
    return {
        "to_cpu_copies": attempt(_compute_profiled, torch, device),
        "kernel_registered": attempt(_compute_registered, torch, device),
    }


def _compute_profiled(torch, device):
    """Return whether copies to the CPU happen inside a matmul."""
    from torch.autograd import profiler

    a = torch.ones((64, 64)).to(device)
    with profiler.profile(use_kineto=False) as profile:
        torch.mm(a, a)
    names = set(event.name for event in profile.function_events)
    if "aten::mm" not in names:
        raise RuntimeError("the profiler recorded no matmul")
    return "aten::_to_cpu" in names


def _compute_registered(torch, device):
    """Return whether the dispatcher holds a matmul kernel of the device's own."""
    key = torch._C._dispatch_key_for_device(device.type)
    return bool(torch._C._dispatch_has_kernel_for_dispatch_key("aten::mm", key))


def _compute_cpu(torch, limits, threads):
    """Return the same work on the CPU, a part of a second of it: on one thread for its CPU time, on all for its speed.

    One thread, because threads that wait for each other on a busy machine spin, up to fifty times the CPU time of the
    work. The least of several times and sizes is taken: other load can only add, and small matrices fit the caches.
    """
    bench = _ComputeBench(torch, None, torch.device("cpu"), torch.float32, 1)
    share = limits["cpu_seconds"] / 8
    size, best = 256, _compute_alone(bench, 256, share)
    for larger in (1024, 512):
        if best["cpu_seconds_per_tflop"] * 2.0 * larger**3 / 1e12 < share * 1.5:
            size, second = larger, _compute_alone(bench, larger, share)
            best = dict((key, min(best[key], second[key])) for key in best)
            break
    torch.set_num_threads(threads)
    bench.batch(1)
    work = 2.0 * size**3 / 1e12
    count = int(max(1, min(limits["most"], share / max(best["seconds_per_tflop"] * work / threads, 1e-4))))
    together = [bench.batch(count) for _ in range(3)]
    per_tflop = min([best["seconds_per_tflop"]] + [run["seconds"] / (work * count) for run in together])
    cpu, thread = (sum(run[key] for run in together) for key in ("cpu_seconds", "thread_seconds"))
    return {
        "size": size,
        "count": count,
        "threads": threads,
        "logical_cpus": _usable_cpus(),
        "seconds": per_tflop * work * count,
        "tflops": 1.0 / per_tflop,
        "cpu_seconds_per_tflop": best["cpu_seconds_per_tflop"],
        "main_thread_share": min(1.0, thread / cpu) if cpu > 0 else unknown("no CPU time was counted"),
    }


def _compute_alone(bench, size, seconds):
    """Seconds and CPU seconds of 10**12 operations on one thread, from batches of about some seconds each."""
    bench.prepare(size)
    bench.batch(1)
    once = min(bench.batch(1)["seconds"] for _ in range(2))
    count = int(max(1, seconds / max(once, 1e-5)))
    runs = [bench.batch(count) for _ in range(2)]
    work = 2.0 * size**3 * count / 1e12
    spent = [run["cpu_seconds"] for run in runs]
    # Windows counts CPU time in ticks of 1/64 s: there only the sum of all is long enough
    least = sum(spent) / len(spent) if sys.platform == "win32" else min(spent)
    return {"cpu_seconds_per_tflop": least / work, "seconds_per_tflop": min(run["seconds"] for run in runs) / work}


def _usable_cpus():
    """Logical processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _resident_bytes():
    """Resident memory of this process (Linux)."""
    try:
        with open("/proc/self/statm", "rb") as stream:
            return int(stream.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError, AttributeError):
        return unknown("only /proc tells it")


def _difference(after, before):
    """Return the difference of two numbers, or unknown where either is."""
    for value in (after, before):
        if isinstance(value, dict):
            return value
    return after - before


# ---------------------------------------------------------------------------------------------- running stages

STAGES = {
    "interpreter": stage_interpreter,
    "distributions": stage_distributions,
    "build": stage_build,
    "shadows": stage_shadows,
    "import": stage_import,
    "xpu": stage_xpu,
    "allocate": stage_allocate,
    "ze_load": stage_ze_load,
    "ze_init": stage_ze_init,
    "ze_driver": stage_ze_driver,
    "ze_devices": stage_ze_devices,
    "ze_library": stage_ze_library,
    "compute": stage_compute,
}


def _failure(error):
    """Return an exception as JSON: type, message, winerror and traceback with its causes."""
    import traceback

    lines = traceback.format_exception(type(error), error, error.__traceback__)
    return {
        "exception": type(error).__name__,
        "message": cut(error, 4000),
        "winerror": getattr(error, "winerror", None) or 0,
        "name": str(getattr(error, "name", None) or ""),
        "traceback": cut("".join(lines[-60:])),
    }


def _watch(stacks, deadline):
    """Have the stack written before the parent's deadline ends a stage that hangs."""
    import faulthandler

    if deadline:
        faulthandler.dump_traceback_later(max(deadline * 0.9, deadline - 1.0), file=stacks)


def _end_with_the_doctor(deadline):
    """Have the kernel end this process a moment after its deadline: the doctor may have been killed before it could do so."""
    import signal

    if deadline and hasattr(signal, "alarm"):
        signal.alarm(int(deadline) + 5)


def _run_stage(name, request, stacks):
    """Run one stage between its `begin` and its `end` or `error`; return whether the later ones have something to work with."""
    TRANSCRIPT.write("begin", name)
    deadline = (request.get("deadlines") or {}).get(name)
    if stacks is not None:
        _watch(stacks, deadline)
    _end_with_the_doctor(deadline)
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        facts = STAGES[name](request)
    except BaseException as error:  # sys.exit() in a library must not end the agent without a word
        try:
            failure = _failure(error)
        except Exception as second:
            failure = {
                "exception": type(error).__name__,
                "message": "",
                "traceback": "no traceback: %s" % type(second).__name__,
            }
        failure.update(seconds=time.perf_counter() - wall, cpu_seconds=time.process_time() - cpu)
        TRANSCRIPT.write("error", name, **failure)
        return False
    TRANSCRIPT.write(
        "end", name, facts=facts, seconds=time.perf_counter() - wall, cpu_seconds=time.process_time() - cpu
    )
    return facts.get("succeeded") is not False


NEEDS_IMPORT = ("xpu", "allocate")


def _stacks(where):
    """Return the open file that faulthandler writes to, or None where there is none."""
    if not where:
        return None
    import faulthandler

    stream = int(where[3:]) if where.startswith("fd:") else open(where, "wb", 0)
    if isinstance(stream, int):
        _keep_to_this_process(stream)
    faulthandler.enable(file=stream)
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.kernel32.SetErrorMode(0x0001 | 0x0002 | 0x8000)  # a crash ends the process without a dialog
    return stream


def main(arguments):
    """Run the stages that were asked for; the exit code is 0, or 79 where the interpreter is too old."""
    if sys.version_info < OLDEST:
        TRANSCRIPT.write("refused", "interpreter", version="%d.%d.%d" % sys.version_info[:3])
        return REFUSED
    request = json.loads(arguments[0])
    if request.get("bare"):
        attempt(_read_path)
    stacks = _stacks(request.get("stacks", ""))
    imported = True
    for name in arguments[1:]:
        if name in NEEDS_IMPORT and not imported:
            continue
        succeeded = _run_stage(name, request, stacks)
        imported = imported and (succeeded or name != "import")
    if stacks is not None:
        import faulthandler

        faulthandler.cancel_dump_traceback_later()
    TRANSCRIPT.write("done", "")
    return 0


def leave(code):
    """End at once: all is said, and the destructors of a torch take a third of its import, when they do not crash."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # closed, or replaced by something that is no stream
            pass
    os._exit(code)


if __name__ == "__main__":
    _ARGUMENTS = sys.argv[1:]
    del sys.argv[1:]  # a program under examination has no business with them
    TRANSCRIPT = Transcript(_ARGUMENTS[0])
    leave(main(_ARGUMENTS[1:]))

"""Unpacks the one file: into the user's cache, whole or not at all, else into a folder that goes with the process."""

from __future__ import annotations

import atexit
import compileall
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from importlib.machinery import EXTENSION_SUFFIXES

BEGUN = ".new-"
"""Begins the name of a folder that is being unpacked."""
FOR_ONE_RUN = "xpu-doctor-one-run-"
"""Begins the name of a folder that goes with its process."""
ABANDONED_SECONDS = 24 * 3600.0
"""After so long, nobody is unpacking into a folder any more, or runs from it."""
OWN = ("__main__.py", "unpack_one_file.py")
TRIAL = "import sys; sys.path.insert(0, sys.argv[1]); import msgspec, psutil"
TRIAL_SECONDS = 60.0
RENAME_SECONDS = 3.0


class NoPlace(Exception):
    """The file can be unpacked nowhere; the text says why, and the way out."""


def unpacked(archive: str, wanted: str, is_private: Callable[[str], bool]) -> str:
    """Return a folder that holds the package: the wanted one of the cache, else one that is deleted in the end.

    Raises:
        NoPlace: there is no folder in which one may write and run programs, or the file is damaged.
    """
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    refusals = []
    for place in _places(os.path.dirname(wanted)):
        cached = bool(wanted) and place == os.path.dirname(wanted)
        try:
            if cached:
                return _in_cache(archive, wanted, is_private)
            return _for_one_run(archive, place)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise NoPlace(f"{archive} is damaged ({error}): copy it here again") from error
        except OSError as error:
            refusals.append(f"{place}: {error.strerror or error}")
    raise NoPlace(
        f"{os.path.basename(archive)} found no folder to unpack itself to. {'. '.join(refusals)}. "
        "Set TMPDIR to a folder in which you may write and run programs"
    )


def _places(cache: str) -> Iterator[str]:
    """Yield the folders to try: the cache, then those for temporary files."""
    names = [os.environ.get(name, "") for name in ("TMPDIR", "TEMP", "TMP")]
    names += ["/tmp", "/var/tmp", os.environ.get("XDG_RUNTIME_DIR", ""), "/dev/shm"] if os.name == "posix" else []
    yield from dict.fromkeys(filter(None, (cache, *names)))


def _in_cache(archive: str, wanted: str, is_private: Callable[[str], bool]) -> str:
    """Unpack into the cache, and give the folder its name when it is whole; who else does the same may be quicker."""
    cache = os.path.dirname(wanted)
    os.makedirs(cache, 0o700, exist_ok=True)
    if not is_private(cache):
        raise PermissionError(0, "others may write there, so nothing is run from it")
    _sweep(cache, BEGUN)

    def fill(folder: str) -> None:
        _extract(archive, folder)
        _try_out(folder)
        if sys.dont_write_bytecode:  # images of containers set that, and each start would compile everything again
            compileall.compile_dir(folder, quiet=2, stripdir=folder, prependdir=wanted)
        if not _renamed(folder, wanted):
            if not is_private(wanted):
                raise PermissionError(0, f"{wanted} cannot be made")
            with _Held():  # another run was quicker
                shutil.rmtree(folder, ignore_errors=True)

    _filled(cache, BEGUN, fill)
    return wanted


def _for_one_run(archive: str, place: str) -> str:
    """Unpack into a folder that is deleted when this process ends."""
    _sweep(place, FOR_ONE_RUN)

    def fill(folder: str) -> None:
        _extract(archive, folder)
        _try_out(folder)

    folder = _filled(place, FOR_ONE_RUN, fill)
    # Windows keeps the libraries that are in use; the next run that comes here sweeps them up.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return os.path.realpath(folder)


def _filled(place: str, prefix: str, fill: Callable[[str], None]) -> str:
    """Return a new folder, filled; where that fails, or a signal ends it, the folder is deleted.

    No context manager does this: a signal that comes just when one is entered never reaches it.
    """
    folder = ""
    try:
        with _Held():
            folder = tempfile.mkdtemp(prefix=prefix, dir=place)
        fill(folder)
        return folder
    except BaseException:
        with _Held():
            shutil.rmtree(folder, ignore_errors=True)
        raise


class _Held:
    """Holds back the signals that end this process, where the system can: there is a folder then before one of them is heard."""

    ENDING = ("SIGINT", "SIGTERM", "SIGHUP")

    def __init__(self) -> None:
        self._before: set[int | signal.Signals] | None = None

    def __enter__(self) -> None:
        if hasattr(signal, "pthread_sigmask"):
            numbers = [getattr(signal, name) for name in self.ENDING]
            self._before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)

    def __exit__(self, *raised: object) -> None:
        if self._before is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, self._before)


def _extract(archive: str, folder: str) -> None:
    """Unpack what this interpreter needs: of the compiled modules, its own only."""
    with zipfile.ZipFile(archive) as content:
        content.extractall(folder, [name for name in content.namelist() if _is_needed(name)])


def _is_needed(name: str) -> bool:
    suffix = "." + os.path.basename(name).partition(".")[2]
    return name not in OWN and (not suffix.endswith((".so", ".pyd")) or suffix in EXTENSION_SUFFIXES)


def _try_out(folder: str) -> None:
    """Load the compiled modules in another process: a disk may forbid to run programs, and a C library be too old.

    Raises:
        OSError: they cannot be loaded from there.
    """
    if not sys.executable:
        return
    # -B: a signal may end this process before it knows its child, and that would write on into a folder being deleted.
    command = [sys.executable, "-I", "-S", "-B", "-c", TRIAL, folder]
    try:
        run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=TRIAL_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise OSError(0, "loading a compiled module there does not end") from error
    if run.returncode:
        last = (run.stderr.decode("utf-8", "replace").strip().splitlines() or [f"exit code {run.returncode}"])[-1]
        raise OSError(0, f"compiled modules cannot be loaded from there ({last})")


def _renamed(folder: str, wanted: str) -> bool:
    """Give a folder its name; Windows refuses that while a virus scanner looks into it, so it is tried for some seconds."""
    until = time.monotonic() + RENAME_SECONDS
    while True:
        try:
            os.rename(folder, wanted)
            return True
        except OSError:
            if os.path.isdir(wanted) or os.name != "nt" or time.monotonic() > until:
                return False
            time.sleep(0.1)


def _sweep(place: str, prefix: str) -> None:
    """Delete folders that processes left which were ended in the middle."""
    try:
        names = [name for name in os.listdir(place) if name.startswith(prefix)]
    except OSError:
        return
    for name in names:
        path = os.path.join(place, name)
        try:
            mine = os.name == "nt" or os.lstat(path).st_uid == os.geteuid()
            if mine and time.time() - os.lstat(path).st_mtime > ABANDONED_SECONDS:
                shutil.rmtree(path, ignore_errors=True)
        except OSError:
            continue

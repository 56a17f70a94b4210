"""Starts xpu-doctor from its one file: finds what was unpacked before, or has it unpacked, and hands over.

Every Python must be able to parse this, so that one that the file does not serve is refused in words: no f-strings and no
annotations here. Whatever runs each time stays in this module; what runs once is in `unpack_one_file.py` beside it.
"""

import os
import stat
import sys

DIGEST = ""
"""SHA-256 of the content; the build writes it here."""
SERVED = ()
"""Tags of compiled modules that the file holds, one for each interpreter and system that it serves; the build writes them."""
WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def own_tag():
    """Return how this interpreter calls its compiled modules, such as `cpython-312-x86_64-linux-gnu`."""
    try:
        from importlib.machinery import EXTENSION_SUFFIXES
    except ImportError:
        return "Python %d" % sys.version_info[0]
    return EXTENSION_SUFFIXES[0].strip(".").rpartition(".")[0]


def refused(tag, archive):
    """Say which interpreters the file serves; return the exit code of a wrong call."""
    sys.stderr.write(
        "Error: %s runs with CPython 3.10 to 3.14 on Linux (x86_64, glibc) and on Windows (64 bit), "
        "and this is Python %d.%d (%s).\n"
        "Start it with one of those, and name the Python to examine: python3.12 %s check --python %s\n"
        % (os.path.basename(archive), sys.version_info[0], sys.version_info[1], tag, archive, sys.executable)
    )
    return 2


def put_strangers_last(archive):
    """Let the standard library win over PYTHONPATH, as the doctor's own start does later."""
    strangers = [os.path.abspath(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    late = [entry for entry in sys.path if entry != archive and os.path.abspath(entry) in strangers]
    sys.path[:] = [entry for entry in sys.path if entry not in late] + late


def cache_folder():
    """Return the folder of this user's cache that is the doctor's, or empty where none is known."""
    if os.name == "nt":
        base = os.environ.get("LOCALAPPDATA", "")
    else:
        base = os.environ.get("XDG_CACHE_HOME", "")
        base = base if os.path.isabs(base) else os.path.join(os.path.expanduser("~"), ".cache")
    # The real path: the Python of Microsoft's Store is shown a folder of its own there, which the examined one does not see.
    return os.path.realpath(os.path.join(base, "xpu-doctor")) if os.path.isabs(base) else ""


def is_private(folder):
    """Return whether a folder is there, and nobody but this account and root can put other files in its place."""
    if os.name == "nt":
        return os.path.isdir(folder)
    path = folder
    while True:
        try:
            found = os.lstat(path)
        except OSError:
            return False
        if found.st_uid not in (os.geteuid(), 0) or not stat.S_ISDIR(found.st_mode):
            return False
        others = found.st_mode & WRITABLE_BY_OTHERS
        own_group = others == stat.S_IWGRP and found.st_gid == os.getegid()
        if others and not own_group and (path == folder or not found.st_mode & stat.S_ISVTX):
            return False
        if path == os.path.dirname(path):
            return True
        path = os.path.dirname(path)


def main():
    """Put the folder of the unpacked package in the place of this file, and run the command line."""
    archive = os.path.dirname(os.path.abspath(__file__))
    tag = own_tag()
    if tag not in SERVED:
        return refused(tag, archive)
    put_strangers_last(archive)
    cache = cache_folder()
    folder = os.path.join(cache, "%s-%s" % (DIGEST[:16], tag)) if cache else ""
    if not (folder and is_private(folder)):
        from unpack_one_file import NoPlace, unpacked

        try:
            folder = unpacked(archive, folder, is_private)
        except NoPlace as error:
            sys.stderr.write("Error: %s\n" % error)
            return 4
        except KeyboardInterrupt:
            sys.stderr.write("Interrupted.\n")
            return 130
    sys.path[:] = [folder] + [entry for entry in sys.path if os.path.abspath(entry or ".") != archive]
    from xpu_doctor.cli.main import main as command_line

    return command_line()


if __name__ == "__main__":
    sys.exit(main())

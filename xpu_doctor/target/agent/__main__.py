# -*- coding: utf-8 -*-
"""The gate of the agent, the one file that is started in the interpreter under examination.

    __main__.py TRANSCRIPT REQUEST STAGE [STAGE ...]

TRANSCRIPT is a path or `fd:N`; REQUEST is one JSON object. The parts, in `xpu_doctor_agent` beside this file, do the work.

It is started as a file, not as its folder: for a folder Python imports `runpy` and what that needs, and takes those from
PYTHONPATH before a line of ours has run. No f-strings and no annotations here: an interpreter that is too old must still
parse this to be refused in words. Nothing is imported before the path is cleaned: a stray module of the user must not kill it.
"""

import sys

OLDEST = (3, 8)
REFUSED = 79
KEY_LENGTH = 32
SEAL_LENGTH = 16


def _clean_path(os):
    """Return sys.path as the user has it; leave on it, for now, only what comes with the interpreter."""
    users = sys.path[:]
    own = os.path.dirname(os.path.abspath(__file__))
    # Where this file is a copy in memory, Python put the folder of that first.
    held = os.path.dirname(os.path.realpath(__file__))
    foreign = set(os.path.abspath(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry)
    foreign.update((own, held, _working_folder(os)))
    sys.path[:] = [entry for entry in users if entry and os.path.abspath(entry) not in foreign]
    return [
        entry
        for number, entry in enumerate(users)
        if os.path.abspath(entry or ".") != own and (number or entry != held)
    ]


def _working_folder(os):
    """Return the working folder, empty where it was deleted."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def _refuse(os, where):
    """Say in one sealed line that this interpreter is too old; the parts, which write all other lines, would not parse in it."""
    import json
    from hashlib import sha256

    handle = (
        int(where[3:])
        if where.startswith("fd:")
        else os.open(where, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
    )
    os.lseek(handle, 0, os.SEEK_SET)
    key = os.read(handle, KEY_LENGTH)
    os.lseek(handle, 0, os.SEEK_SET)
    os.write(handle, b"\0" * len(key))
    os.lseek(handle, 0, os.SEEK_END)
    said = {"kind": "refused", "stage": "interpreter", "version": "%d.%d.%d" % sys.version_info[:3]}
    text = b"1 " + json.dumps(said).encode("ascii")
    seal = sha256(key + text).hexdigest()[:SEAL_LENGTH].encode("ascii")
    os.write(handle, b"\n1 " + seal + text[1:] + b"\n")
    return REFUSED


def _parts(os):
    """Import the part that runs the stages; the parts are on the path for this moment alone."""
    # A copy in memory begins with a line that names the archive of the parts.
    sys.path.insert(0, globals().get("PARTS") or os.path.dirname(os.path.abspath(__file__)))
    try:
        from xpu_doctor_agent import stages
    finally:
        del sys.path[0]
    return stages


def main():
    """Run the stages that were asked for; the exit code is 0, or 79 where the interpreter is too old."""
    os = sys.modules.get("os") or __import__("os")
    users_path = _clean_path(os)
    arguments = sys.argv[1:]
    del sys.argv[1:]  # a program under examination has no business with them
    if sys.version_info < OLDEST:
        code = _refuse(os, arguments[0])
    else:
        code = _parts(os).run(arguments[0], arguments[1], arguments[2:], users_path)
    _leave(os, code)


def _leave(os, code):
    """End at once: all is said, and the destructors of a torch take a third of its import, when they do not crash."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # closed, or replaced by something that is no stream
            pass
    os._exit(code)


if __name__ == "__main__":
    main()

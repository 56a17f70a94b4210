"""The process between a watched program's stderr and the real one: passes every byte on, and counts fallback lines; standard library only.

It is a process of its own so that the program's stderr outlives the watch: where the watch is killed, or the program leaves children behind
that hold the pipe, it goes on passing until the last of them is gone. Descriptor 0 is what the program writes to, 1 takes the tally,
2 is the real stderr; the end of the descriptor whose number is the first argument asks for the tally. The second argument is the folder of
the records, which a watch that was killed cannot remove.
"""

from __future__ import annotations

import errno
import json
import os
import select
import signal
import sys
import time

from xpu_doctor.watching.stderr_tally import Tally

PIECE = 1 << 20
PARENT = os.getppid()
DRAIN_SECONDS = 2.0
"""How long what children left behind still write is read before the tally is given."""
PASSED_ON = ("SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP", "SIGTSTP", "SIGTTOU", "SIGUSR1", "SIGUSR2", "SIGPIPE", "SIGALRM")
"""Signals that are meant for the program: its last words must get through."""


def main() -> None:
    """Pass bytes on until nobody can write any more, or nobody reads."""
    asking = int(sys.argv[1])
    for name in PASSED_ON:
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    signal.signal(signal.SIGWINCH, lambda number, frame: same_size(2, 0))
    same_size(2, 0)
    tally = Tally()
    if _passed_until_asked(asking, tally):
        _drain(tally)
        _tell(tally)
        while _passed(None):
            pass
    else:
        _tell(tally)
    _remove(sys.argv[2])


def _remove(folder: str) -> None:
    """Remove the folder of the records once nobody asks for them any more: where the watch lives, it does so itself."""
    if not folder or not os.path.isdir(folder) or _is_asked_for():
        return
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def _is_asked_for() -> bool:
    """Return whether the watch, this process's parent, still lives."""
    return os.getppid() == PARENT


def _passed_until_asked(asking: int, tally: Tally) -> bool:
    """Pass on; return True where the tally is asked for, False where nothing comes any more."""
    waiting = select.poll()
    waiting.register(0, select.POLLIN)
    waiting.register(asking, select.POLLIN)
    while True:
        ready = [descriptor for descriptor, _ in waiting.poll()]
        if 0 in ready:
            if not _passed(tally):
                return False
        elif asking in ready:
            return True


def _drain(tally: Tally) -> None:
    """Pass on what was written before the tally was asked for."""
    waiting = select.poll()
    waiting.register(0, select.POLLIN)
    deadline = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < deadline and waiting.poll(0):
        if not _passed(tally):
            return


def _passed(tally: Tally | None) -> bool:
    """Pass one piece on; return False at the end of the stream, or where nobody reads any more."""
    try:
        data = os.read(0, PIECE)
    except OSError as error:
        # Any other one says that the last process that held a pseudo-terminal is gone.
        return error.errno in (errno.EAGAIN, errno.EINTR)
    if not data:
        return False
    if tally is not None:
        tally.feed(data)
    return _written(data)


def _written(data: bytes) -> bool:
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(2, rest) :]
        except BlockingIOError:  # another program set this for the terminal or pipe that they share
            ready = select.poll()
            ready.register(2, select.POLLOUT)
            ready.poll()
        except OSError:
            return False
    return True


def _tell(tally: Tally) -> None:
    said = json.dumps({"fell": tally.fell, "forced": tally.forced, "unnamed": tally.unnamed}).encode()
    try:
        os.write(1, said)
        os.dup2(2, 1)
    except OSError:  # the watch was killed
        pass


def same_size(real: int, other: int) -> None:
    """Give a pseudo-terminal the size of the real one; does nothing to a pipe."""
    try:
        import fcntl
        import termios

        size = fcntl.ioctl(real, termios.TIOCGWINSZ, b"\0" * 8)
        fcntl.ioctl(other, termios.TIOCSWINSZ, size)
    except OSError:
        pass


if __name__ == "__main__":
    main()

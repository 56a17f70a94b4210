"""What a driver prints for a client that the doctor opens itself: it tells the rate of a GPU's clock where no program was there long enough."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from xpu_doctor.process.run import run

SECONDS = 5.0
"""How long opening the device may take; a wedged driver can block it forever."""

READER = """
import os, sys, time
descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_CLOEXEC)
for number in range(2):
    before = time.monotonic()
    text = open("/proc/self/fdinfo/%d" % descriptor).read()
    print("read %r" % ((before + time.monotonic()) / 2))
    print(text)
    time.sleep(0.1)
"""
"""What the child runs: it prints the same file twice, each time after the moment at which it was read."""


def own_client(node: str) -> Sequence[tuple[float, str]]:
    """Return two readings of a client of the device file, each with its time in seconds; fewer where it cannot be opened."""
    environment = {name: value for name, value in os.environ.items() if name not in ("LD_PRELOAD", "PYTHONHOME")}
    try:
        ended = run([sys.executable, "-I", "-S", "-c", READER, node], SECONDS, environment)
    except OSError:
        return ()
    return parsed(ended.stdout)


def parsed(output: str) -> Sequence[tuple[float, str]]:
    """Return the readings in what the child printed."""
    found: list[tuple[float, str]] = []
    for part in output.split("read ")[1:]:
        said, _, text = part.partition("\n")
        try:
            found.append((float(said), text))
        except ValueError:
            continue
    return found

"""Torches that die, hang, lie or flood: each ends in a report that names the code and the stage, in time, with nothing left."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass

import pytest

from tests.support.cli import Ran, doctor, environment, flat, processes_with
from tests.support.environments import WORKING_INIT, StubEnvironment

TIMEOUT = 2.0
SLACK = 2.0
"""Seconds over the deadline of the stage that hung."""

CRASH, FAIL, HANG = "torch-import-crashed", "torch-import-failed", "torch-import-hung"


@dataclass(frozen=True)
class Death:
    """What torch/__init__.py (or torch/xpu) does, and how the report must speak of it."""

    name: str
    code: str
    stage: str
    init: str = WORKING_INIT
    xpu: str | None = None
    says: str = ""
    hangs: bool = False


DEATHS = (
    Death("segfault", CRASH, "import", "import ctypes; ctypes.string_at(0)", says="SIGSEGV"),
    Death("abort", CRASH, "import", "import os; os.abort()", says="SIGABRT"),
    Death("bus error", CRASH, "import", "import os, signal; os.kill(os.getpid(), signal.SIGBUS)", says="SIGBUS"),
    Death("os._exit", FAIL, "import", "import os; os._exit(3)", says="exit code 3"),
    Death("sys.exit", FAIL, "import", "import sys; sys.exit(7)", says="SystemExit"),
    Death("hang idle", HANG, "import", "import time; time.sleep(600)", says="it was waiting, not computing", hangs=True),
    Death("hang busy", HANG, "import", "while True: pass", says="s of CPU time used", hangs=True),
    Death("ignores SIGTERM", HANG, "import", "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)", hangs=True),
    Death("flood", HANG, "import", "import os\nwhile True: os.write(1, b'x' * 65536)", hangs=True),
    Death("binary noise", FAIL, "import", "import os\nos.write(1, bytes(range(256)) * 99)\nos.write(2, b'\\xff\\x1b[2J' * 99)\nraise OSError('noise')"),
    Death(
        "child stays, then segfault", CRASH, "import",
        "import ctypes, os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(600)\nctypes.string_at(0)", says="SIGSEGV",
    ),
    Death("child holds the pipe, then exits", FAIL, "import", "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(600)\nraise ImportError('x')"),
    Death("endless recursion", FAIL, "import", "def f(): return f()\nf()", says="RecursionError"),
    Death("stack overflow in C", CRASH, "import", "import sys\nsys.setrecursionlimit(10**8)\nclass A: pass\na = A()\nfor _ in range(10**6): a = (a,)\nhash(a)"),
    Death(
        "memory exhaustion", FAIL, "import",
        "import resource\nresource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))\nx = bytearray(1 << 30)", says="MemoryError",
    ),
    Death("raises SystemError", FAIL, "import", "raise SystemError('initialization of _C raised unreported exception')", says="SystemError"),
    Death("writes into every descriptor", CRASH, "import", "import os\nfor n in range(3, 20):\n    try: os.write(n, b'{\"kind\": 5}\\n\\x00\\xff')\n    except OSError: pass\nos.abort()"),
    Death("closes every descriptor", FAIL, "import", "import os\nos.closerange(0, 100)\nos._exit(0)"),
    Death("is_available dies", "xpu-query-crashed", "xpu", xpu="def is_available():\n    import ctypes; ctypes.string_at(0)", says="torch.xpu.is_available"),
    Death("is_available hangs", "xpu-query-hung", "xpu", xpu="def is_available():\n    import time; time.sleep(600)", says="torch.xpu.is_available", hangs=True),
    Death("device_count aborts", "xpu-query-crashed", "xpu", xpu="def is_available(): return True\ndef device_count():\n    import os; os.abort()", says="device_count"),
)  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="the deaths are POSIX ones")
@pytest.mark.parametrize("death", DEATHS, ids=lambda death: death.name)
def test_every_death_is_a_report(stub: StubEnvironment, death: Death) -> None:
    stub.add_torch(init=death.init, xpu_module=death.xpu)
    run = uuid.uuid4().hex
    ran = doctor(
        "check", "--python", str(stub.python), "--json", "--timeout", str(TIMEOUT), env=environment(RUN_OF_THE_TEST=run)
    )
    document = ran.json()
    found = [finding for finding in flat(document["root_causes"]) if finding["code"] == death.code]
    assert found, f"{death.code} not in {[item['code'] for item in flat(document['root_causes'])]}"
    told = " ".join([found[0]["summary"], *(f"{item['fact']} {item['value']}" for item in found[0]["evidence"])])
    assert death.stage in told
    assert death.says in told
    assert ran.code == 1
    assert not processes_with("RUN_OF_THE_TEST", run), "a process of the run survived it"
    if death.hangs:
        assert ran.seconds < _budget(ran, TIMEOUT)


def _budget(ran: Ran, deadline: float) -> float:
    """Seconds that a run with one hanging stage may take; a busy machine's start-up is measured by the run itself."""
    startup = sum(seconds for name, seconds in ran.json()["timings"].items() if name not in ("import", "xpu"))
    return deadline + SLACK + startup


def test_a_hang_shows_the_stack(stub: StubEnvironment) -> None:
    stub.add_torch(init="import time\ndef waits_for_the_driver():\n    time.sleep(600)\nwaits_for_the_driver()")
    document = doctor("check", "--python", str(stub.python), "--json", "--timeout", "1.5").json()
    stages = {stage["name"]: stage for stage in document["snapshot"]["run"]["stages"]}
    assert "waits_for_the_driver" in stages["import"]["traceback"]


def test_a_crash_shows_the_stack(stub: StubEnvironment) -> None:
    stub.add_torch(init="import ctypes\ndef loads_the_library():\n    ctypes.string_at(0)\nloads_the_library()")
    document = doctor("check", "--python", str(stub.python), "--json").json()
    stages = {stage["name"]: stage for stage in document["snapshot"]["run"]["stages"]}
    assert "loads_the_library" in stages["import"]["traceback"]


def test_static_facts_survive_a_death(stub: StubEnvironment) -> None:
    stub.add_torch(version="2.9.1+xpu", init="import os; os.abort()")
    document = doctor("check", "--python", str(stub.python), "--json").json()
    assert document["snapshot"]["torch"]["build"] == "xpu"
    assert document["snapshot"]["torch"]["version"] == "2.9.1+xpu"

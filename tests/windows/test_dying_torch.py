"""Torches that die on Windows, hang, flood or leave children: each ends in a report that names it, in time, with nothing left."""

from __future__ import annotations

import json
import os
import signal
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import flat
from tests.support.environments import WORKING_INIT, StubEnvironment
from tests.support.windows_bench import WindowsBench
from tests.support.windows_machine import NATIVE, gone, marked
from xpu_doctor.process.status import NT_STATUS

RUN = "RUN_OF_THE_TEST"
TIMEOUT = 8.0
"""Seconds for each stage of a run in which one hangs; the others keep their own deadlines."""
SLACK = 3.0
"""Seconds over its deadline after which a stage that hangs must have been ended."""
MOST = 60.0
"""Seconds for a whole run with such a stage, on a machine that is busy with other tests."""
CRASH, FAIL, HANG = "torch-import-crashed", "torch-import-failed", "torch-import-hung"
RAISE = "import faulthandler\nfaulthandler._raise_exception({status:#x}, 1)"
CHILD = "import subprocess, sys, time\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
DETACHED = (
    "import subprocess, sys, time\n"
    "flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP\n"
    'code = \'import subprocess, sys, time; subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]); time.sleep(600)\'\n'
    "subprocess.Popen([sys.executable, '-c', code], creationflags=flags, close_fds=True)\n"
    "time.sleep(1)\n"
)


@dataclass(frozen=True)
class Death:
    """What torch does, and how the report must speak of it; one of `says` is in its words."""

    name: str
    code: str
    says: tuple[str, ...]
    init: str = WORKING_INIT
    xpu: str | None = None
    hangs: bool = False


ALWAYS = frozenset(
    ("sys.exit", "idle hang", "flood", "noise", "access violation", "stack overflow", "detached grandchildren stay", "delay-loaded DLL that is missing")
)  # fmt: skip
"""One death of each kind, which every run of the suite tries; the others are heavy tests."""
DEATHS = (
    Death("access violation", CRASH, ("0xC0000005 STATUS_ACCESS_VIOLATION",), "import faulthandler; faulthandler._read_null()"),
    Death("access violation that ctypes catches", FAIL, ("access violation",), "import ctypes; ctypes.string_at(0)"),
    Death("fail-fast", CRASH, ("0xC0000602 STATUS_FAIL_FAST_EXCEPTION",), "import ctypes; ctypes.windll.kernel32.RaiseFailFastException(None, None, 0)"),
    Death("stack overflow", CRASH, ("0xC00000FD STATUS_STACK_OVERFLOW",), RAISE.format(status=0xC00000FD)),
    Death("heap corruption", CRASH, ("0xC0000374 STATUS_HEAP_CORRUPTION",), RAISE.format(status=0xC0000374)),
    Death("C++ exception that nobody catches", CRASH, ("0xE06D7363 unhandled C++ exception",), RAISE.format(status=0xE06D7363)),
    Death("delay-loaded DLL that is missing", CRASH, ("0xC06D007E delay-loaded module not found",), RAISE.format(status=0xC06D007E)),
    Death("status that nobody knows", CRASH, ("0xC0FFEE00",), "import ctypes; ctypes.windll.kernel32.ExitProcess(0xC0FFEE00)"),
    # Wine's C library leaves abort() with 3; that of Windows fails fast.
    Death("abort", "torch-import-", ("exit code 3", "0xC0000409 STATUS_STACK_BUFFER_OVERRUN"), "import os; os.abort()"),
    Death("os._exit", FAIL, ("exit code 3",), "import os; os._exit(3)"),
    Death("sys.exit", FAIL, ("SystemExit",), "import sys; sys.exit(7)"),
    Death("endless recursion", FAIL, ("RecursionError",), "def f(): return f()\nf()"),
    Death("lone surrogates in its message", FAIL, (r"\ud800",), "raise ImportError('c10 \\ud800 \\udcff \\udfff')"),
    Death("noise", FAIL, ("noise",), "import os\nos.write(1, bytes(range(256)) * 99)\nos.write(2, b'\\xff\\x1b[2J' * 99)\nraise OSError('noise')"),
    Death("idle hang", HANG, ("no answer in 8 s",), "import time; time.sleep(600)", hangs=True),
    Death("busy hang", HANG, ("no answer in 8 s",), "while True: pass", hangs=True),
    Death("flood", HANG, ("no answer in 8 s",), "import os\nwhile True: os.write(1, b'x' * 65536)", hangs=True),
    Death("child stays, then crash", CRASH, ("STATUS_ACCESS_VIOLATION",), CHILD + "import faulthandler; faulthandler._read_null()"),
    Death("detached grandchildren stay", FAIL, ("ImportError",), DETACHED + "raise ImportError('x')"),
    Death("child stays, then hang", HANG, ("no answer in 8 s",), CHILD + "time.sleep(600)", hangs=True),
    Death("is_available crashes", "xpu-query-crashed", ("0xC0000005 STATUS_ACCESS_VIOLATION in torch.xpu.is_available",), xpu="def is_available():\n    import faulthandler; faulthandler._read_null()"),
    Death("device_count hangs", "xpu-query-hung", ("in torch.xpu.device_count",), xpu="def is_available(): return True\ndef device_count():\n    import time; time.sleep(600)", hangs=True),
)  # fmt: skip


@pytest.mark.parametrize(
    "death",
    [pytest.param(death, id=death.name, marks=() if death.name in ALWAYS else pytest.mark.heavy) for death in DEATHS],
)
def test_every_death_is_a_report(
    windows_bench: WindowsBench, new_patient: Callable[..., StubEnvironment], temporary: Path, death: Death
) -> None:
    patient = new_patient()
    patient.add_torch(init=death.init, xpu_module=death.xpu, libraries=("c10_xpu.dll", "torch_xpu.dll"))
    run, began = uuid.uuid4().hex, time.monotonic()
    limit = ("--timeout", str(TIMEOUT)) if death.hangs else ()
    ran = windows_bench.doctor("check", "--python", patient.python, "--json", *limit, env={RUN: run})
    seconds = time.monotonic() - began
    document = json.loads(ran.stdout)
    found = [item for item in flat(document["root_causes"]) if item["code"].startswith(death.code)]
    assert found, f"{death.code} not in {[item['code'] for item in flat(document['root_causes'])]}"
    told = _told(found[0])
    assert any(words in told for words in death.says), told
    assert ran.returncode == 1
    assert not marked(run, RUN), "a process of the run survived it"
    assert not _left(temporary)
    if death.hangs:
        stages = {stage["name"]: stage for stage in document["snapshot"]["run"]["stages"]}
        assert max(stage["seconds"] for stage in stages.values()) < TIMEOUT + SLACK
        assert seconds < MOST


def _told(finding: dict[str, Any]) -> str:
    return " ".join([finding["summary"], *(f"{item['fact']} {item['value']}" for item in finding["evidence"])])


@pytest.fixture(scope="session")
def temporary(windows_bench: WindowsBench) -> Path:
    """The folder for temporary files of the programs of this bench."""
    code = "import tempfile; print(tempfile.gettempdir())"
    run = windows_bench.machine.win([windows_bench.patient, "-c", code])
    return windows_bench.machine.here(run.stdout.decode().strip())


def _left(temporary: Path) -> list[str]:
    """Files that no doctor of this run needs any more: those of other workers are younger."""
    old = time.time() - 60
    return [path.name for path in temporary.glob("xpu-doctor-*") if path.stat().st_mtime < old]


def test_stack_of_a_hang_is_shown(windows_bench: WindowsBench, new_patient: Callable[..., StubEnvironment]) -> None:
    patient = new_patient()
    patient.add_torch(
        init="import time\ndef waits_for_the_driver():\n    time.sleep(600)\nwaits_for_the_driver()",
        libraries=("c10_xpu.dll",),
    )
    ran = windows_bench.doctor("check", "--python", patient.python, "--json", "--timeout", str(TIMEOUT))
    stages = {stage["name"]: stage for stage in json.loads(ran.stdout)["snapshot"]["run"]["stages"]}
    assert "waits_for_the_driver" in stages["import"]["traceback"]
    assert b"waiting for the stage import" in ran.stderr


INTERRUPTED = """
import signal, sys, threading, time
from xpu_doctor.cli import main, progress
say = progress.to_stderr
def heard(text, *rest, **more):
    say(text, *rest, **more)
    if "waiting for the stage import" in text:
        began.append(time.monotonic())
        threading.Thread(target=signal.raise_signal, args=(getattr(signal, sys.argv[2]),)).start()
began = []
progress.to_stderr = heard
try:
    main.main(["check", "--python", sys.argv[1], "--timeout", "40"])
finally:
    print(time.monotonic() - began[0])
"""
"""What a console does at Ctrl-C and Ctrl-Break: the signal comes in another thread, while the main one waits for torch."""


@pytest.mark.parametrize("name", ["SIGINT", "SIGBREAK"])
def test_interrupt_is_heard_while_torch_hangs(
    windows_bench: WindowsBench, new_patient: Callable[..., StubEnvironment], name: str
) -> None:
    patient = new_patient()
    patient.add_torch(init=CHILD + "time.sleep(600)", libraries=("c10_xpu.dll",))
    run = uuid.uuid4().hex
    ran = windows_bench.machine.win(
        [windows_bench.doctor_python, "-c", INTERRUPTED, patient.python, name], env={RUN: run}, timeout=60
    )
    assert ran.returncode == 130, ran.stderr
    assert b"Interrupted." in ran.stderr
    assert float(ran.stdout) < 10
    assert not marked(run, RUN)


@pytest.mark.skipif(not NATIVE, reason="Wine 8 sends Ctrl-C and Ctrl-Break to no program without a terminal")
@pytest.mark.parametrize("event", ["CTRL_C_EVENT", "CTRL_BREAK_EVENT"])
def test_console_interrupts_the_doctor(
    windows_bench: WindowsBench, new_patient: Callable[..., StubEnvironment], event: str
) -> None:
    """Seen on Windows alone: the doctor is the head of its process group, as it is when a console starts it."""
    patient = new_patient()
    patient.add_torch(init=CHILD + "time.sleep(600)", libraries=("c10_xpu.dll",))
    run = uuid.uuid4().hex
    # A new group ignores Ctrl-C until it says otherwise.
    code = "import ctypes; ctypes.windll.kernel32.SetConsoleCtrlHandler(None, False); from xpu_doctor.cli.main import main; main()"
    argv = [windows_bench.doctor_python, "-c", code, "check", "--python", patient.python, "--timeout", "60"]
    with windows_bench.machine.start(argv, env={RUN: run}) as doctor:
        assert doctor.stderr
        try:
            while b"stage import" not in doctor.stderr.readline():
                assert doctor.poll() is None
            os.kill(doctor.pid, getattr(signal, event))
            assert doctor.wait(20) == 130
        finally:
            doctor.kill()
    assert gone(marked(run, RUN), seconds=10)


KILLED = """
import os, subprocess, sys
os.environ["TEMP"] = os.environ["TMP"] = sys.argv[2]
doctor = subprocess.Popen([sys.executable, "-m", "xpu_doctor", "check", "--python", sys.argv[1], "--timeout", "60"],
    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
while b"stage import" not in doctor.stderr.readline(): pass
doctor.kill()
doctor.wait()
"""
NEXT = """
import os, sys
os.environ["TEMP"] = os.environ["TMP"] = sys.argv[2]
from xpu_doctor.cli.main import main
main(["check", "--python", sys.argv[1], "--only", "wheel", "--json"])
"""
"""Wine takes TEMP from its registry, so it is set inside."""


def test_killed_doctor_leaves_no_process_and_the_next_one_tidies_up(
    windows_bench: WindowsBench, new_patient: Callable[..., StubEnvironment]
) -> None:
    patient = new_patient()
    patient.add_torch(init=CHILD + "time.sleep(600)", libraries=("c10_xpu.dll",))
    run, machine = uuid.uuid4().hex, windows_bench.machine
    temp = patient.folder / "temp"
    temp.mkdir()
    (temp / "xpu-doctor-of-somebody-else.txt").write_text("not a channel", encoding="utf-8")
    ran = machine.win([windows_bench.doctor_python, "-c", KILLED, patient.python, temp], env={RUN: run}, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert gone(marked(run, RUN), seconds=10), "what the killed doctor had started outlived it"
    assert list(temp.glob("xpu-doctor-*.channel"))
    machine.win([windows_bench.doctor_python, "-c", NEXT, windows_bench.patient, temp])
    assert [path.name for path in temp.iterdir()] == ["xpu-doctor-of-somebody-else.txt"]


def test_exit_status_of_the_agent_is_the_one_of_windows(windows_bench: WindowsBench) -> None:
    """The names of the table, each given by a process that really left with that number."""
    code = (
        "import json, subprocess, sys\n"
        "from xpu_doctor.process.status import NT_STATUS, death\n"
        "def left(status): return subprocess.run([sys.executable, '-ISc', f'import _winapi; _winapi.ExitProcess({status})']).returncode\n"
        "print(json.dumps([[status, death(left(status))] for status in list(NT_STATUS)[::4]]))"
    )
    ran = windows_bench.machine.win([windows_bench.doctor_python, "-c", code])
    for status, said in json.loads(ran.stdout):
        assert said == f"0x{status:08X} {NT_STATUS[status]}"

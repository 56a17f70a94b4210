"""Plug-ins never cost the report: each way to break becomes `plugin-failed`, naming the distribution and the reason."""

from __future__ import annotations

import os
import subprocess
import time
import uuid

import pytest

from tests.cli.test_plugins import check, home, install  # noqa: F401
from tests.support.clean_output import clean_json, clean_text
from tests.support.cli import environment, flat, processes_with
from tests.support.environments import StubEnvironment

RULE = """from xpu_doctor.model.findings import *
from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.unknown import Undecided, Unknown
class R(Rule):
    code = '{name}'
    layer = Layer.WHEEL
"""
CHECK = "    def check(self, snapshot):\n        {body}\n        yield\n"
PROBE = """from xpu_doctor.model.findings import Layer
from xpu_doctor.probes.runner import probe
@probe('{name}', layer=Layer.WHEEL, fills='')
def thing(host):
    {body}
"""
RULES = {
    "never ends": ("while True: pass", "no answer in"),
    "sleeps": ("import time; time.sleep(1000)", "no answer in"),
    "leaves": ("raise SystemExit(0)", "SystemExit"),
    "interrupts": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "ends the generator": ("raise GeneratorExit", "GeneratorExit"),
    "recurses": ("f = lambda f: f(f); f(f)", "RecursionError"),
    "summary is a number": ("yield self.found('s', 5)", "summary"),
    "summary is none": ("yield self.found('s', None)", "summary"),
    "evidence of a wrong type": ("yield self.found('s', 't', evidence=[Evidence('a', {1: 2}, 'b')])", "no text"),
    "evidence is an object": (
        "yield Finding(self.code, self.layer, self.severity, self.confidence, 's', 't', (object(),))",
        "damaged",
    ),
    "remedies are texts": ("yield self.found('s', 't', remedies='abc')", "damaged"),
    "commands are a text": ("yield self.found('s', 't', remedies=[Remedy('t', 'w', commands=5)])", "damaged"),
    "severity is a text": ("yield self.found('s', 't', severity='fatal')", "damaged"),
    "no finding": ("yield 5", "no finding"),
    "another code": (
        "yield Finding('torch-cpu-wheel', self.layer, self.severity, self.confidence, 's', 't')",
        "another code",
    ),
    "huge": ("yield self.found('s', 'x' * 10_000_000)", "KiB"),
    "without end": ("\n        while True: yield self.found('s', 't')", "more than"),
    "a message that raises": (
        "\n        class E(Exception):\n            def __str__(self): raise E\n        raise E",
        "E",
    ),
    "odd undecided": ("raise Undecided(type('U', (), {'reason': 5, 'fact': []})())", "Undecided"),
    "leaves at once": ("import os; os._exit(5)", "exit code 5"),
    "leaves at once and well": ("import os; os._exit(0)", "ended the process"),
    "crashes": ("import ctypes; ctypes.string_at(0)", "SIGSEGV" if os.name == "posix" else "0xC0000005"),
    "loops in c": ("sum(range(10 ** 12))", "no answer in"),
    "recurses to death": (
        "a = object()\n        for _ in range(10 ** 6): a = (a,)\n        hash(a)",
        "ended the process",
    ),
    "closes all": ("import os; os.closerange(0, 64)", "ended the process"),
    "kills its group": (
        "import os, signal; os.killpg(0, signal.SIGKILL)"
        if os.name == "posix"
        else "import os; os.kill(os.getpid(), 9)",
        "ended the process",
    ),
    "steers": ("raise RuntimeError('\\x1b[2J\\u202e\\udc80')", "\\x1b[2J"),
}
PROBES = {
    "circular": ("value = {}; value['me'] = value; return value", "holds itself"),
    "object": ("return {'a': [object()]}", "object at .a[0]"),
    "set": ("return {'a': {1}}", "set at .a"),
    "not a number": ("return {'a': float('nan')}", "nan at .a"),
    "infinite": ("return {'a': {'b': float('-inf')}}", "-inf at .a.b"),
    "keys": ("return {5: 1}", "a key"),
    "wide number": ("return {'a': 2 ** 70}", "64 bits"),
    "probe huge": ("return {'a': 'x' * 10_000_000}", "KiB"),
    "probe leaves": ("raise SystemExit(3)", "SystemExit"),
    "probe interrupts": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "probe leaves at once": ("import os; os._exit(6)", "exit code 6"),
    "probe loops in c": ("sum(range(10 ** 12))", "no answer in"),
    "probe never ends": ("while True: pass", "no answer in"),
}
OTHERS = {
    "raises when made": (
        RULE + "    def __init__(self): raise ValueError('not today')\n" + CHECK.format(body="return"),
        "not today",
    ),
    "leaves at once on import": ("import os\nos._exit(7)\n", "exit code 7"),
    "never loads": ("import time\ntime.sleep(1000)\n", "no answer in"),
    "interrupts on import": ("raise KeyboardInterrupt\n", "KeyboardInterrupt"),
    "no layer": (RULE.replace("Layer.WHEEL", "'wheel'") + CHECK.format(body="return"), "no Layer"),
    "code is a number": (RULE.replace("'{name}'", "5") + CHECK.format(body="return"), "no text"),
    "explains is a text": (RULE + "    explains = 'torch-cpu-wheel'\n" + CHECK.format(body="return"), "explains"),
    "no check": (RULE, "check"),
}
FILLS = {"fills omitted": ("", "fills must be"), "fills a group": (", fills='torch'", "fills must be")}
PRINTS = """import ctypes, os, subprocess, sys
{rule}
    def check(self, snapshot):
        print('printed')
        sys.__stdout__.write('printed below'); sys.__stdout__.flush()
        os.write(1, b'written')
        subprocess.run(['echo', 'from a child'])
        snapshot.plugins['late'] = object()
        yield self.found('s', 'it printed')
"""


def everything(home: StubEnvironment) -> dict[str, str]:  # noqa: F811
    """Install a distribution for each way to fail; return what each must say."""
    says = {}
    made = [(text, RULE + CHECK.format(body=body), "rules", "R", reason) for text, (body, reason) in RULES.items()]
    made += [
        (text, PROBE.replace("{body}", body), "probes", "thing", reason) for text, (body, reason) in PROBES.items()
    ]
    made += [(text, source, "rules", "R", reason) for text, (source, reason) in OTHERS.items()]
    made += [
        (text, PROBE.replace(", fills=''", fills).replace("{body}", "return {}"), "probes", "thing", reason)
        for text, (fills, reason) in FILLS.items()
    ]
    for number, (text, source, group, value, reason) in enumerate(made):
        name, module = f"bad-{text.replace(' ', '-')}", f"bad{number}"
        install(
            home,
            name,
            {f"{module}.py": source.replace("{name}", name)},
            f"xpu_doctor.{group}",
            name,
            f"{module}:{value}",
        )
        says[name] = reason
    return says


def test_every_way_to_break_is_named(home: StubEnvironment, stub: StubEnvironment) -> None:  # noqa: F811
    stub.add_torch("2.9.1+cpu", libraries=("libc10.so",))
    says = everything(home)
    install(
        home,
        "dist-of-printer",
        {"printer.py": PRINTS.format(rule=RULE.replace("{name}", "printer"))},
        "xpu_doctor.rules",
        "printer",
        "printer:R",
    )
    run = subprocess.run(
        [str(home.python), "-m", "xpu_doctor", "check", "--python", str(stub.python), "--json", "--only", "wheel", "--timeout", "10"],
        capture_output=True, env=environment(), timeout=300, check=False,
    )  # fmt: skip
    document = clean_json(run.stdout)
    assert run.returncode == 1 and document["exit_code"] == 1, run.stderr
    codes = [finding["code"] for finding in flat(document["root_causes"])]
    assert "torch-cpu-wheel" in codes, "the doctor's own judgement was lost"
    failed = {crash["name"].partition(": ")[2]: crash for crash in document["crashed"]}
    for name, reason in says.items():
        assert name in failed, f"{name} is not named"
        assert failed[name]["part"] == "plugin"
        assert reason in failed[name]["error"], failed[name]
    assert codes.count("plugin-failed") == len(says)
    assert "printer" in codes
    if os.name == "posix":
        for text in (b"printed", b"printed below", b"written", b"from a child"):
            assert text in run.stderr
    assert b"Traceback" not in run.stderr and b"Exception ignored" not in run.stderr
    clean_text(run.stderr)


@pytest.mark.parametrize("name", ["on-nothing"])
def test_a_plugin_without_a_page(home: StubEnvironment, name: str) -> None:  # noqa: F811
    install(
        home,
        "dist",
        {"nopage.py": RULE.replace("{name}", name) + CHECK.format(body="return")},
        "xpu_doctor.rules",
        name,
        "nopage:R",
    )
    run = subprocess.run(
        [str(home.python), "-m", "xpu_doctor", "explain", name],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert run.returncode == 2 and "brings no page" in run.stderr


QUIET = """import sys, threading
{rule}
    def check(self, snapshot):
        thread = threading.Thread(target=sys.exit)
        thread.start(); thread.join()
        yield self.found('s', 'a thread of it left')
"""


def test_a_thread_that_leaves_costs_nothing(home: StubEnvironment, stub: StubEnvironment) -> None:  # noqa: F811
    stub.add_torch()
    install(
        home,
        "dist-of-quiet",
        {"quiet.py": QUIET.format(rule=RULE.replace("{name}", "quiet"))},
        "xpu_doctor.rules",
        "quiet",
        "quiet:R",
    )
    assert "a thread of it left" in str(check(home, stub, "--only", "wheel")["root_causes"])


@pytest.mark.skipif(os.name == "nt", reason="POSIX processes")
def test_nothing_of_a_plugin_outlives_the_run(home: StubEnvironment, stub: StubEnvironment) -> None:  # noqa: F811
    """Neither its process, nor one that it started in a session of its own, nor one that is stuck."""
    stub.add_torch()
    source = PROBE.replace("{name}", "stays").replace(
        "{body}", "import subprocess; subprocess.Popen(['sleep', '600'], start_new_session=True); sum(range(10 ** 12))"
    )
    install(home, "dist-of-stays", {"stays.py": source}, "xpu_doctor.probes", "stays", "stays:thing")
    run = uuid.uuid4().hex
    made = subprocess.run(
        [str(home.python), "-m", "xpu_doctor", "check", "--python", str(stub.python), "--json", "--only", "wheel", "--timeout", "2"],
        capture_output=True, env=environment(RUN_OF_THE_TEST=run), timeout=120, check=False,
    )  # fmt: skip
    assert "no answer in 2 s" in str(clean_json(made.stdout)["crashed"])
    assert not processes_with("RUN_OF_THE_TEST", run)


def test_without_plugins_no_process_is_started(home: StubEnvironment) -> None:  # noqa: F811
    code = "import sys; from xpu_doctor.catalogue.names import all_rules; all_rules(); print('xpu_doctor.catalogue.plugin_process' in sys.modules)"
    run = subprocess.run(
        [str(home.python), "-c", code], capture_output=True, text=True, env=environment(), timeout=60, check=True
    )
    assert run.stdout == "False\n"


@pytest.mark.skipif(os.name == "nt", reason="POSIX processes")
def test_a_plugin_at_work_ends_with_a_doctor_that_was_killed(home: StubEnvironment, stub: StubEnvironment) -> None:  # noqa: F811
    stub.add_torch()
    began = home.site / "began"
    source = PROBE.replace("{name}", "loops").replace("{body}", f"open({str(began)!r}, 'w'); sum(range(10 ** 12))")
    install(home, "dist-of-loops", {"loops.py": source}, "xpu_doctor.probes", "loops", "loops:thing")
    run = uuid.uuid4().hex
    doctor = subprocess.Popen(
        [str(home.python), "-m", "xpu_doctor", "check", "--python", str(stub.python), "--json", "--only", "wheel"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(RUN_OF_THE_TEST=run),
    )
    try:
        until = time.monotonic() + 60
        while not began.exists() and time.monotonic() < until:
            time.sleep(0.05)
        assert began.exists()
    finally:
        doctor.kill()
        doctor.wait()
    until = time.monotonic() + 20
    while (left := processes_with("RUN_OF_THE_TEST", run)) and time.monotonic() < until:
        time.sleep(0.1)
    for pid in left:
        os.kill(pid, 9)
    assert not left

"""The command as a user or a CI job calls it: options, exit codes, streams, one JSON document."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from tests.support.cli import codes, doctor, environment, processes_with, rung, schema
from tests.support.environments import CPU_LIBRARIES, StubEnvironment
from xpu_doctor.target.stages import LIVE_STAGES, STATIC_STAGES

LAYERS = ["device", "kernel", "access", "driver", "runtime", "wheel", "import", "enumeration", "compute"]


def cpu(stub: StubEnvironment) -> str:
    """Install a stub CPU wheel; return the interpreter."""
    stub.add_torch("2.9.1+cpu", libraries=CPU_LIBRARIES)
    return str(stub.python)


def test_the_document(stub: StubEnvironment) -> None:
    ran = doctor("check", "--python", cpu(stub), "--json")
    document = ran.json()
    assert [item["layer"] for item in document["ladder"]] == LAYERS
    assert document["schema"] == 1
    assert document["origin"] == "live"
    assert document["exit_code"] == ran.code
    assert document["target"]["why"] == "named by --python"
    assert document["tool"]["peak_memory_bytes"] > 1 << 20
    assert not document["crashed"]


def test_nothing_but_json_on_stdout(stub: StubEnvironment) -> None:
    stub.add_torch(init="print('a banner on stdout')\nimport sys; print('noise', file=sys.stderr)\n")
    ran = doctor("check", "--python", str(stub.python), "--json")
    assert ran.stdout.startswith("{")
    assert ran.stdout.rstrip().endswith("}")
    json.loads(ran.stdout)


def test_only_wheel_judges_the_wheel_alone(stub: StubEnvironment) -> None:
    ran = doctor("check", "--python", cpu(stub), "--json", "--only", "wheel")
    document = ran.json()
    assert ran.code == 1
    assert document["root_causes"][0]["code"] == "torch-cpu-wheel"
    assert document["root_causes"][0]["severity"] == "error"
    assert {item["state"] for item in document["ladder"] if item["layer"] != "wheel"} == {"skipped"}
    assert "import" not in document["timings"]


@pytest.mark.parametrize(("probe", "stages", "layer", "state"), [
    ("distributions", {"distributions"}, "wheel", ""),
    ("build", {"build"}, "wheel", "unknown"),
    ("shadows", {"shadows"}, "wheel", ""),
    ("torch-import", {"import", "xpu", "allocate"}, "import", "skipped"),
    ("torch-xpu", {"xpu", "allocate"}, "enumeration", "unknown"),
    ("torch-allocate", {"allocate"}, "enumeration", "unknown"),
])  # fmt: skip
def test_a_skipped_probe_does_not_run(
    stub: StubEnvironment, probe: str, stages: set[str], layer: str, state: str
) -> None:
    """What was left out by name is not asked, and never passes for what was seen to work."""
    stub.add_torch(
        xpu_module="def _is_compiled(): return True\ndef is_available(): return True\ndef device_count(): return 1\n"
    )
    document = doctor(
        "check", "--python", str(stub.python), "--json", "--only", "wheel,import,enumeration", "--skip", probe
    ).json()
    ran = {stage["name"] for stage in document["snapshot"]["run"]["stages"]}
    assert not ran & stages and ran | stages == {*STATIC_STAGES, *LIVE_STAGES}
    assert rung(document, layer)["state"] != "ok" or not state
    assert not state or rung(document, layer)["state"] == state


def test_skip_import_skips_what_needs_it(stub: StubEnvironment) -> None:
    marker = stub.folder / "imported"
    stub.add_torch(init=f"open({str(marker)!r}, 'w').close()")
    document = doctor("check", "--python", str(stub.python), "--json", "--skip", "import").json()
    assert not marker.exists()
    for layer in ("import", "enumeration", "compute"):
        assert rung(document, layer)["state"] == "skipped"
    assert rung(document, "wheel")["state"] != "skipped"


def test_an_expectation_holds_or_fails(stub: StubEnvironment) -> None:
    python = cpu(stub)
    unmet = doctor("check", "--python", python, "--json", "--expect", "xpu-wheel", "--fail-on", "never")
    assert unmet.code == 1
    assert unmet.json()["expectations"][0]["state"] == "unmet"
    stub.add_torch("2.9.1+xpu")
    met = doctor(
        "check", "--python", python, "--json", "--expect", "xpu-wheel", "--only", "wheel", "--fail-on", "never"
    )
    assert met.json()["expectations"] == [
        {"expect": "xpu-wheel", "state": "met", "reason": "the installed torch is an XPU build"}
    ]


def test_expecting_devices(stub: StubEnvironment) -> None:
    ran = doctor("check", "--python", cpu(stub), "--json", "--expect", "devices>=1", "--fail-on", "never")
    assert ran.code == 1
    assert ran.json()["verdict"] == "findings"


def test_an_expectation_that_cannot_be_told_is_not_met(stub: StubEnvironment) -> None:
    ran = doctor(
        "check", "--python", cpu(stub), "--json", "--expect", "devices>=1", "--fail-on", "never", "--skip", "import"
    )
    assert ran.code == 3
    assert ran.json()["expectations"][0]["state"] == "unknown"


def test_ignored_findings_are_counted(stub: StubEnvironment) -> None:
    document = doctor("check", "--python", cpu(stub), "--json", "--only", "wheel", "--ignore", "torch-cpu-wheel").json()
    assert "torch-cpu-wheel" not in codes(document)
    assert document["ignored"] == [{"code": "torch-cpu-wheel", "count": 1}]


def test_fail_on_never(stub: StubEnvironment) -> None:
    ran = doctor("check", "--python", cpu(stub), "--only", "wheel", "--fail-on", "never")
    assert ran.code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--only", "weel"), "Did you mean 'wheel'?"),
        (("--skip", "imprt"), "Did you mean 'import'?"),
        (("--ignore", "torch-cpu-whel"), "Did you mean 'torch-cpu-wheel'?"),
        (("--expect", "xpu-weel"), "Did you mean 'xpu-wheel'?"),
        (("--expect", "devices>>1"), "devices>=N"),
        (("--timeout", "0"), "0.1"),
        (("--format", "yaml"), "yaml"),
        (("--python", "/nowhere"), "/nowhere"),
        (("--nonsense",), "--nonsense"),
        (("--skip", "allocate"), "Layers: device, kernel, access"),
        (("--skip", "interpreter"), "nothing can be examined"),
        (("--expect", ""), "--expect is empty"),
        (("--only", ""), "--only is empty"),
        (("--only", "wheel", "--only", " , "), "--only is empty"),
        (("--skip", ""), "--skip is empty"),
        (("--ignore", ""), "--ignore is empty"),
        (("--device", ""), "--device is empty"),
        (("--device", "foo"), "--device foo: not a device to time: name xpu, xpu:N"),
        (("--device", "cuda"), "--device cuda: not a device"),
        (("--device", "xpu:"), "--device xpu:: not a device"),
        (("--device", "xpu:0,xpu:1"), "repeat the option for more"),
        (("--ignore", "nope"), "`xpu-doctor codes` lists the findings"),
        (("--ignore", "TORCH-CPU-WHEEL"), "Did you mean 'torch-cpu-wheel'?"),
        (("--fail-on", ""), "--fail-on"),
    ],
)
def test_usage_errors_are_plain_text_on_stderr(arguments: tuple[str, ...], says: str) -> None:
    ran = doctor("check", "--json", *arguments)
    assert ran.code == 2
    assert ran.stdout == ""
    assert says in ran.stderr
    assert "Traceback" not in ran.stderr


def test_an_unknown_command_suggests_the_nearest() -> None:
    ran = doctor("chek")
    assert ran.code == 2
    assert "Did you mean 'check'?" in ran.stderr


def test_a_code_is_explained_or_the_list_of_codes_is_named() -> None:
    assert doctor("explain", "TORCH-CPU-WHEEL").code == 0
    ran = doctor("explain", "TORCH-CPU-WHEL")
    assert ran.code == 2
    assert "Did you mean 'torch-cpu-wheel'? `xpu-doctor codes` lists the findings." in ran.stderr


@pytest.mark.parametrize("device", ["xpu", "xpu:0", "xpu:12", "cpu"])
def test_devices_of_torch_are_taken(stub: StubEnvironment, device: str) -> None:
    assert doctor("check", "--python", cpu(stub), "--only", "wheel", "--device", device).code != 2


def test_output_is_written_whole(stub: StubEnvironment, tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    ran = doctor("check", "--python", cpu(stub), "--json", "-o", str(target))
    assert ran.stdout == ""
    assert json.loads(target.read_text(encoding="utf-8"))["schema"] == 1
    assert list(tmp_path.glob(".report*")) == []


def test_output_that_cannot_be_written(stub: StubEnvironment, tmp_path: Path) -> None:
    ran = doctor("check", "--python", cpu(stub), "--only", "wheel", "-o", str(tmp_path / "no" / "such" / "folder.txt"))
    assert ran.code == 2
    assert "cannot write" in ran.stderr
    assert "Traceback" not in ran.stderr


def _listen_to_signals() -> None:
    """Undo what `nohup` and `&` of a script do to the suite: a child inherits signals that are ignored."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_leaves_nothing_behind(stub: StubEnvironment, number: int, code: int) -> None:
    stub.add_torch(init="import os, time\nif os.fork() == 0: os.setsid()\ntime.sleep(600)")
    run = uuid.uuid4().hex
    process = subprocess.Popen(
        [sys.executable, "-m", "xpu_doctor", "check", "--python", str(stub.python)],
        env=environment(RUN_OF_THE_TEST=run), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=_listen_to_signals,
    )  # fmt: skip
    deadline = time.monotonic() + 30
    while len(processes_with("RUN_OF_THE_TEST", run)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == code
    assert "Traceback" not in stderr
    assert not processes_with("RUN_OF_THE_TEST", run)


def test_an_interrupt_inside_an_import_ends_with_our_code(tmp_path: Path) -> None:
    """Modules that make dataclasses run texts; an interrupt there must not end the doctor by the signal."""
    program = (
        "from xpu_doctor.cli import main\n"
        "main.cli.main = lambda *given, **named: exec('raise KeyboardInterrupt')\n"
        "main.main(['check'])\n"
    )
    (tmp_path / "interrupted.py").write_text(program, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "interrupted"],
        cwd=tmp_path,
        capture_output=True,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert (run.returncode, run.stderr) == (130, b"Interrupted.\n")


def test_a_closed_pipe_is_no_crash(stub: StubEnvironment) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    run = subprocess.run(
        [sys.executable, "-m", "xpu_doctor", "check", "--python", cpu(stub), "-v"], stdout=writing, stderr=subprocess.PIPE, text=True, env=environment(), timeout=60, check=False
    )  # fmt: skip
    os.close(writing)
    assert "Traceback" not in run.stderr


def test_a_crash_of_the_doctor_is_a_document_and_a_log(stub: StubEnvironment) -> None:
    script = (
        "import sys, xpu_doctor.diagnosis.diagnose as d\n"
        "def broken(*a, **k): raise ZeroDivisionError('the doctor fell ill')\n"
        "d.diagnose = broken\n"
        f"from xpu_doctor.cli.main import main; main(['check', '--python', {cpu(stub)!r}, '--json'])"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment(), timeout=60, check=False
    )
    assert run.returncode == 4
    document = json.loads(run.stdout)
    import jsonschema

    jsonschema.validate(document, schema())
    assert document["verdict"] == "tool-failed"
    assert "crash log" in run.stderr


def test_names_do_not_leave_the_machine(stub: StubEnvironment) -> None:
    stub.add_torch(
        init="raise OSError('cannot open /home/qwertzuiop/secret, token hf_abcdefghijklmnopqrstuv, mail a.b@example.org')"
    )
    env = environment(USER="qwertzuiop", HOME="/home/qwertzuiop", PYTORCH_ALLOC_CONF="x", MY_SECRET="s3cr3tvalue")
    document = doctor("check", "--python", str(stub.python), "--json", env=env).json()
    text = json.dumps(document["snapshot"])
    for private in ("qwertzuiop", "hf_abcdefghijklmnop", "a.b@example.org", "s3cr3tvalue"):
        assert private not in text, private
    assert document["target"]["python"] == str(stub.python), "commands need the real path"


def test_help_and_version() -> None:
    assert "check" in doctor("--help").stdout
    assert doctor("--version").stdout.startswith("xpu-doctor, version")
    assert "Exit codes" in doctor("check", "--help").stdout


def test_the_lists() -> None:
    assert "torch-cpu-wheel" in doctor("codes").stdout
    assert "torch-import" in doctor("probes").stdout
    assert json.loads(doctor("schema").stdout) == schema()
    assert "What it means" in doctor("explain", "torch-cpu-wheel").stdout
    assert "Did you mean 'torch-cpu-wheel'?" in doctor("explain", "torch-cpu-weel").stderr


def test_progress_names_the_slow_stage(stub: StubEnvironment) -> None:
    stub.add_torch(init="import time; time.sleep(2.6)")
    ran = doctor("check", "--python", str(stub.python), "--json")
    assert "waiting for the stage import" in ran.stderr
    json.loads(ran.stdout)


def test_many_environments_at_once(stub: StubEnvironment) -> None:
    """Ten doctors side by side examine one environment without meeting each other."""
    python = cpu(stub)
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "xpu_doctor", "check", "--python", python, "--json"],
            stdout=subprocess.PIPE,
            env=environment(),
        )
        for _ in range(10)
    ]
    for process in running:
        stdout, _ = process.communicate(timeout=120)
        assert json.loads(stdout)["snapshot"]["torch"]["version"] == "2.9.1+cpu"


def test_a_killed_doctor_leaves_nothing_for_long(stub: StubEnvironment) -> None:
    """Nobody can answer SIGKILL; then the kernel ends the interpreter a few seconds after its deadline."""
    stub.add_torch(init="import time\nwhile True:\n    time.sleep(600)")
    run = uuid.uuid4().hex
    process = subprocess.Popen(
        [sys.executable, "-m", "xpu_doctor", "check", "--python", str(stub.python), "--timeout", "1"], env=environment(RUN_OF_THE_TEST=run), stdout=subprocess.DEVNULL
    )  # fmt: skip
    deadline = time.monotonic() + 30
    while len(processes_with("RUN_OF_THE_TEST", run)) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.wait()
    while processes_with("RUN_OF_THE_TEST", run) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not processes_with("RUN_OF_THE_TEST", run)


@pytest.mark.parametrize("redirect", ["<&-", "2>&-", "<&- 2>&-", ">&-"])
def test_closed_standard_streams(stub: StubEnvironment, tmp_path: Path, redirect: str) -> None:
    target = tmp_path / "report.json"
    command = (
        f"{sys.executable} -m xpu_doctor check --python '{cpu(stub)}' --only wheel --json -o '{target}' {redirect}"
    )
    subprocess.run(
        ["sh", "-c", command],
        env=environment(),
        capture_output=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert json.loads(target.read_text(encoding="utf-8"))["root_causes"][0]["code"] == "torch-cpu-wheel"


def test_a_full_disk_is_no_fault_of_the_doctor(stub: StubEnvironment) -> None:
    if not Path("/dev/full").is_char_device():
        pytest.skip("no /dev/full")
    with open("/dev/full", "w", encoding="utf-8") as full:
        run = subprocess.run(
            [sys.executable, "-m", "xpu_doctor", "check", "--python", cpu(stub), "--only", "wheel", "--json"],
            stdout=full, stderr=subprocess.PIPE, text=True, env=environment(), timeout=60, check=False,
        )  # fmt: skip
    assert "cannot write to stdout" in run.stderr
    assert "Traceback" not in run.stderr


def test_an_error_text_cannot_steer_the_terminal(stub: StubEnvironment) -> None:
    stub.add_torch(init="raise RuntimeError('\\x1b[2J\\x1b[31mevil\\x00\\u202e ' + 'long ' * 5000)")
    ran = doctor("check", "--python", str(stub.python), "-v")
    assert "evil" in ran.stdout
    assert not {"\x1b", "\x00", "\u202e"} & set(ran.stdout)
    assert (
        max(len(line) for line in ran.stdout.splitlines() if " && " not in line) < 400
    )  # a chain of commands is never broken


def test_nothing_left_to_examine_is_refused(stub: StubEnvironment) -> None:
    ran = doctor("check", "--python", cpu(stub), "--only", "wheel", "--skip", "wheel")
    assert ran.code == 2
    assert "nothing is left" in ran.stderr


@pytest.mark.parametrize("value", ["inf", "nan", "-1", "1e9"])
def test_deadlines_are_finite(value: str) -> None:
    assert doctor("check", "--timeout", value).code == 2


@pytest.mark.parametrize(
    "module", ["random", "json", "platform", "subprocess", "click", "typing", "dataclasses", "msgspec"]
)
def test_strangers_on_pythonpath_do_not_end_the_doctor(stub: StubEnvironment, tmp_path: Path, module: str) -> None:
    stub.add_torch()
    (tmp_path / f"{module}.py").write_text("raise RuntimeError('a stranger')\n", encoding="utf-8")
    script = Path(sys.executable).with_name("xpu-doctor")
    root = str(Path(__file__).parents[2])
    start = (
        [str(script)]
        if script.exists()
        else [
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, {root!r}); from xpu_doctor.cli.main import main; main()",
        ]
    )
    run = subprocess.run(
        [*start, "check", "--python", str(stub.python), "--json", "--skip", "import"],
        capture_output=True, text=True, env=environment(PYTHONPATH=str(tmp_path)), timeout=60, check=False, cwd="/",
    )  # fmt: skip
    assert json.loads(run.stdout)["verdict"] != "tool-failed", run.stderr


@pytest.mark.parametrize(
    ("stage", "probe"), [("xpu", "torch-xpu"), ("allocate", "torch-allocate"), ("ze_init", "level-zero")]
)
@pytest.mark.parametrize("option", ["--skip", "--only"])
def test_a_stage_is_no_probe_and_leads_to_its_probe(option: str, stage: str, probe: str) -> None:
    """A name of the agent's own is refused, with the name that the user can type; it is never ignored."""
    ran = doctor("check", "--python", sys.executable, option, stage)
    assert ran.code == 2 and f"The stage {stage} is the probe {probe}." in ran.stderr

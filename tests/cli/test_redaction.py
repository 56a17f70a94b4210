"""What the command shows of the person and the machine that it runs on, in every stream and file."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.clean_output import clean_text
from tests.support.cli import doctor, environment
from tests.support.environments import CPU_LIBRARIES, StubEnvironment

STRANGERS = {
    "NEO4J_PASSWORD": "zqplanted-1", "UR_TOKEN": "zqplanted-2", "ONEAPI_SECRET_KEY": "zqplanted-3", "ZE_FOO": "zqplanted-4", "SYCL_LICENCE": "zqplanted-5",
    "TORCH_HUB_TOKEN": "zqplanted-6", "CCL_AUTH": "zqplanted-7", "LEVEL_ZERO_CREDENTIALS": "zqplanted-8", "PYTORCH_PASS": "zqplanted-9", "DB_PWD": "zqplanted-0",
}  # fmt: skip
STEERING = "\x1b[31mred\x1b]0;title\x07\u202ereversed\u200b"
"""Colours, a title, a direction mark and a letter of no width."""


@pytest.mark.parametrize("options", [("--json",), ("-v",), ("--json", "--no-redact")], ids=" ".join)
def test_no_strangers_variable_reaches_an_output(stub: StubEnvironment, options: tuple[str, ...]) -> None:
    """Not even where nothing is to be redacted: other products' variables are never looked at."""
    stub.add_torch("2.9.1+cpu", libraries=CPU_LIBRARIES)
    ran = doctor("check", "--python", str(stub.python), *options, env=environment(**STRANGERS))
    assert "zqplanted" not in ran.stdout + ran.stderr
    assert not any(name in ran.stdout for name in STRANGERS)


def test_the_whole_report_is_redacted(stub: StubEnvironment, tmp_path: Path) -> None:
    """An error of torch names a home, a token and a customer; so do summaries, proof and facts."""
    stub.add_torch(
        init="raise OSError('/home/zqmueller/zqcustomer/libsycl.so.8: cannot open shared object file; token hf_abcdefghijklmnopqrstuv')"
    )
    env = environment(USER="zqmueller", HOME="/home/zqmueller", HOSTNAME="zqtower")
    for options in (("--json",), ("-v",), ()):
        ran = doctor("check", "--python", str(stub.python), "--redact", "zqcustomer", *options, env=env)
        assert not any(
            word in ran.stdout + ran.stderr for word in ("zqmueller", "zqtower", "zqcustomer", "hf_abcdef")
        ), options
        assert "libsycl.so.8" in ran.stdout
    assert "Hidden: 1 token, 1 user, 1 own word; --no-redact shows them" in " ".join(ran.stdout.split())
    target = tmp_path / "report.json"
    doctor("check", "--python", str(stub.python), "--no-redact", "--json", "-o", str(target), env=env)
    document = json.loads(target.read_text(encoding="utf-8"))
    assert "zqmueller" in json.dumps(document) and document["redacted"] is None
    assert "not redacted" in document["notes"][-1]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


@pytest.mark.parametrize("path", ["simple", "whl"])
def test_the_host_of_a_private_index_is_hidden(stub: StubEnvironment, path: str) -> None:
    """It tells where somebody works; the index of PyTorch tells nothing."""
    stub.add_torch("2.9.1+cpu", libraries=CPU_LIBRARIES)
    env = environment(
        PIP_INDEX_URL=f"https://zqkim:zqpw@zqpypi.firma.example/{path}",
        PIP_EXTRA_INDEX_URL="https://download.pytorch.org/whl/xpu",
    )
    report = json.loads(doctor("check", "--python", str(stub.python), "--json", env=env).stdout)
    shown = json.dumps([report[part] for part in ("ladder", "undecided", "snapshot", "notes")])
    assert "zqpypi" not in shown and "zqpw" not in shown
    assert f"https://<credentials>@<host1>/{path}" in shown
    assert "https://download.pytorch.org/whl/xpu" in shown


@pytest.mark.parametrize("command", ["check", "triage"])
@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--redact", ""), "--redact is empty"),
        (("--redact", "x"), "too short"),
        (("--redact", "acme", "--no-redact"), "leave one of the two out"),
        (("--redact", "zqcustomer", "--redact", "Torch"), "--redact Torch: a word that reports are made of"),
        (("--redact", "torch-not-installed"), "a word that reports are made of"),
        (("--redact", "enumeration"), "a word that reports are made of"),
        (("--redact", "onemkl-sycl-blas"), "a word that reports are made of"),
        (("--redact", "intel"), "a word that reports are made of"),
    ],
)
def test_words_that_cannot_be_hidden_are_refused(command: str, options: tuple[str, ...], says: str) -> None:
    ran = doctor(command, *options, *(("-",) if command == "triage" else ()))
    assert ran.code == 2
    assert says in ran.stderr


@pytest.mark.parametrize(
    "options", [(), ("-v",), ("--json",), ("--reply",)], ids=lambda options: "".join(options) or "text"
)
def test_triage_hides_own_words(tmp_path: Path, options: tuple[str, ...]) -> None:
    text = tmp_path / "paste.txt"
    text.write_text(
        "zqcustomer@box:~$ python\nAssertionError: Torch not compiled with XPU enabled on ZQCustomer\ntorch 2.9.1+cpu\n",
        encoding="utf-8",
    )
    ran = doctor("triage", "--redact", "zqcustomer", *options, str(text))
    assert "zqcustomer" not in (ran.stdout + ran.stderr).lower()
    assert "torch-cpu-wheel" in ran.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "--python", f"/nowhere/{STEERING}"),
        ("check", "--only", STEERING),
        ("check", "--expect", STEERING),
        ("check", "--ignore", STEERING),
        ("check", "--format", STEERING),
        ("check", f"--{STEERING}"),
        ("check", "--redact", STEERING, "--no-redact"),
        ("check", "-o", f"/nowhere/{STEERING}/file"),
        ("triage", f"/nowhere/{STEERING}"),
        ("triage", "-", "-o", f"/nowhere/{STEERING}/file"),
        ("explain", STEERING),
        (STEERING,),
    ],
    ids=lambda arguments: " ".join(arguments).encode("unicode_escape").decode(),
)
def test_no_error_about_the_command_line_steers_a_terminal(arguments: tuple[str, ...]) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "xpu_doctor", *arguments],
        input=b"",
        capture_output=True,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert ran.returncode == 2
    assert "red" in clean_text(ran.stderr) and clean_text(ran.stdout) == ""


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such names")
@pytest.mark.parametrize("options", [(), ("-v",), ("--json",)], ids=lambda options: "".join(options) or "text")
def test_no_place_of_the_environment_steers_a_terminal(tmp_path: Path, options: tuple[str, ...]) -> None:
    """Nor does an error of torch, its output, a slow stage, or a write that fails."""
    from tests.support.environments import make_environment

    stub = make_environment(tmp_path / f"env{STEERING}")
    stub.add_torch(init=f"import time; print({STEERING!r}); time.sleep(2); raise OSError({STEERING!r})")
    with open("/dev/full", "wb") as full:
        for stdout in (subprocess.PIPE, full):
            ran = subprocess.run(
                [sys.executable, "-m", "xpu_doctor", "check", "--python", str(stub.python), *options],
                stdout=stdout, stderr=subprocess.PIPE, env=environment(), timeout=120, check=False,
            )  # fmt: skip
            clean_text(ran.stderr)
            clean_text(ran.stdout or b"")


def test_a_crash_log_does_not_steer_a_terminal(stub: StubEnvironment) -> None:
    script = (
        "import xpu_doctor.diagnosis.diagnose as d\n"
        f"def broken(*a, **k): raise ZeroDivisionError({STEERING!r})\n"
        "d.diagnose = broken\n"
        f"from xpu_doctor.cli.main import main; main(['check', '--python', {str(stub.python)!r}, '--json', '--only', 'wheel'])"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, env=environment(), timeout=60, check=False
    )
    assert run.returncode == 4
    assert "\\x1b[31mred" in clean_text(run.stderr)
    clean_text(run.stdout)

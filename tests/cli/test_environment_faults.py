"""What the environment does is never a fault of the doctor: a valid document, or one line with the way out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.clean_output import clean_json, clean_text
from tests.support.cli import ROOT, doctor, environment
from tests.support.environments import StubEnvironment
from xpu_doctor.cli.main import main

posix = pytest.mark.skipif(os.name != "posix", reason="bytes in names and descriptors are POSIX's")
HOSTILE = "bad \\udc80 \\ud800 \\x1b]0;title\\x07 \\x1b[31m \\x9b31m \\u202e \\u200b \\u2028 \\x00 end"


def raw(*arguments: str | bytes, cwd: str | Path | None = None, **extra: str) -> subprocess.CompletedProcess[bytes]:
    """Run the doctor and return what it wrote, as bytes."""
    return subprocess.run(
        [sys.executable, "-m", "xpu_doctor", *arguments],
        capture_output=True, timeout=120, check=False, cwd=cwd, env=environment(PYTHONPATH=str(ROOT), **extra), stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.parametrize("format_", ["json", "text"])
def test_messages_that_are_no_unicode(stub: StubEnvironment, format_: str) -> None:
    stub.add_torch(init=f"raise RuntimeError('{HOSTILE}')\n")
    run = raw("check", "--python", str(stub.python), "--only", "wheel,import", "--format", format_)
    assert run.returncode == 1, run.stderr.decode("utf-8", "replace")
    text = clean_text(run.stdout)
    clean_text(run.stderr)
    if format_ == "json":
        clean_json(text)
    assert "\\x80" in text and "\\u202e" in text and "end" in text


@posix
@pytest.mark.parametrize("format_", ["json", "text"])
def test_paths_that_are_no_unicode(stub: StubEnvironment, tmp_path: Path, format_: str) -> None:
    stub.add_torch("2.9.1+cpu", libraries=("libc10.so",))
    folder = os.fsencode(tmp_path) + b"/caf\xe9 \x1b[31m\xe2\x80\x8b"
    try:
        os.rename(stub.folder, folder)
    except OSError as error:
        pytest.skip(f"this file system takes no such names: {error}")
    run = raw(b"check", b"--python", folder, b"--skip", "import,driver", "--format", format_)
    assert run.returncode in (1, 3), run.stderr.decode("utf-8", "replace")
    text = clean_text(run.stdout)
    assert "\\xe9" in text and "\\u200b" in text
    for command in _commands(clean_json(text)) if format_ == "json" else ():
        assert command.isprintable()
        assert str(tmp_path) not in command or "\\" in command, "a path is shown that is not the path"


def _commands(document: dict[str, object]) -> list[str]:
    from tests.support.cli import flat

    return [
        line
        for finding in flat(document["root_causes"])
        for remedy in finding["remedies"]
        for line in (*remedy["commands"], *remedy["verify"])
    ]  # type: ignore[arg-type]


@posix
def test_variables_that_are_no_unicode(stub: StubEnvironment) -> None:
    stub.add_torch()
    run = raw(
        "check",
        "--python",
        str(stub.python),
        "--skip",
        "driver",
        "--json",
        ONEAPI_DEVICE_SELECTOR=os.fsdecode(b"level\xff\x1b[2J:zero"),
        PATH=os.fsdecode(b"/usr/bin:/bin:/\xe9"),
    )
    assert run.returncode in (1, 3)
    clean_json(run.stdout)


@pytest.mark.parametrize(
    "settings",
    [
        {"LC_ALL": "C", "LANG": "C"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=["C", "ascii", "latin-1", "no-utf8"],
)
def test_other_encodings(stub: StubEnvironment, settings: dict[str, str]) -> None:
    stub.add_torch(init="raise RuntimeError('Grüße 中文 \U0001f600')\n")
    document = clean_json(
        raw("check", "--python", str(stub.python), "--only", "wheel,import", "--json", **settings).stdout
    )
    assert "Grüße 中文 \U0001f600" in json.dumps(document, ensure_ascii=False)
    text = raw("check", "--python", str(stub.python), "--only", "wheel,import", **settings)
    assert text.returncode in (1, 3) and b"Traceback" not in text.stderr


@posix
@pytest.mark.parametrize(
    "arguments",
    [("codes",), ("--help",), ("--version",), ("schema",), ("explain", "torch-cpu-wheel"), ("check", "--help")],
    ids=" ".join,
)
def test_a_full_disk(arguments: tuple[str, ...]) -> None:
    if not Path("/dev/full").is_char_device():
        pytest.skip("no /dev/full")
    with open("/dev/full", "wb") as full:
        run = subprocess.run(
            [sys.executable, "-m", "xpu_doctor", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(PYTHONPATH=str(ROOT)),
            timeout=60,
            check=False,
        )
    assert run.returncode == 2
    assert run.stderr.decode().splitlines() == ["Error: cannot write to stdout: No space left on device"]


@posix
def test_full_and_closed_descriptors_do_not_change_the_verdict(stub: StubEnvironment) -> None:
    stub.add_torch("2.9.1+cpu", libraries=("libc10.so",))
    command = f"{sys.executable} -m xpu_doctor check --python '{stub.python}' --only wheel --json"
    for redirect in ("2>/dev/full", ">&- 2>&-"):
        run = subprocess.run(
            ["sh", "-c", f"{command} {redirect}"],
            env=environment(PYTHONPATH=str(ROOT)),
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert run.returncode == 1, (redirect, run.stderr)
    usage = subprocess.run(
        ["sh", "-c", f"{command} --nonsense 2>/dev/full"],
        env=environment(PYTHONPATH=str(ROOT)),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert usage.returncode == 2


@posix
@pytest.mark.parametrize(
    "arguments", [("--json",), (), ("-o", "relative.json"), ("-o", "-", "--json")], ids=["json", "text", "file", "dash"]
)
def test_a_deleted_working_folder(stub: StubEnvironment, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    stub.add_torch("2.9.1+cpu", libraries=("libc10.so",))
    gone = tmp_path / "gone"
    gone.mkdir()
    line = " ".join(
        [sys.executable, "-m", "xpu_doctor", "check", "--python", str(stub.python), "--only", "wheel", *arguments]
    )
    run = subprocess.run(
        ["sh", "-c", f"cd '{gone}' && rmdir '{gone}' && {line}"],
        env=environment(PYTHONPATH=str(ROOT)),
        capture_output=True,
        timeout=60,
        check=False,
    )
    if "relative.json" in arguments:
        assert run.returncode == 2 and b"cannot write relative.json" in run.stderr and b"Traceback" not in run.stderr
        return
    assert run.returncode == 1, run.stderr
    if "--json" in arguments:
        clean_json(run.stdout)


@posix
def test_a_deleted_working_folder_and_a_relative_interpreter(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    for python in ("python3", "./env", "env/bin/python"):
        line = f"{sys.executable} -m xpu_doctor check --only wheel --python {python}"
        run = subprocess.run(
            ["sh", "-c", f"cd '{gone}' && rmdir '{gone}' && {line}"],
            env=environment(PYTHONPATH=str(ROOT)),
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert run.returncode != 4, run.stderr
        gone.mkdir()


@posix
@pytest.mark.parametrize(
    ("python", "says"), [("~nosuchuser", "no user nosuchuser"), ("~nosuchuser/env/bin/python", "no user nosuchuser")]
)
def test_a_user_that_is_not(python: str, says: str) -> None:
    ran = doctor("check", "--python", python)
    assert ran.code == 2 and says in ran.stderr and "Traceback" not in ran.stderr


@posix
@pytest.mark.parametrize("argument", ["\x1b]0;owned\x07", "\u202egpj", os.fsdecode(b"\xff\xfe")])
def test_usage_errors_cannot_steer(argument: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    for arguments in (("check", "--python", argument), ("check", argument), (argument,), ("check", "--only", argument),
                      ("explain", argument), ("triage", argument), ("check", "-o", f"/nowhere/{argument}")):  # fmt: skip
        with pytest.raises(SystemExit) as end:
            main(list(arguments))
        said = capfdbinary.readouterr()
        assert end.value.code == 2
        assert not said.out
        assert clean_text(said.err)


def test_no_more_threads_is_one_line(stub: StubEnvironment) -> None:
    stub.add_torch()
    code = (
        "import sys, threading\n"
        'def start(self): raise RuntimeError("can\'t start new thread")\n'
        "threading.Thread.start = start\n"
        "from xpu_doctor.cli.main import main\n"
        f"main(['check', '--json', '--python', {str(stub.python)!r}])\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        timeout=60,
        check=False,
        env=environment(PYTHONPATH=str(ROOT)),
    )
    assert run.returncode == 3
    assert "ulimit -u" in run.stderr.decode() and len(run.stderr.decode().splitlines()) == 1
    document = clean_json(run.stdout)
    assert document["verdict"] == "undiagnosed" and "ulimit -u" in document["notes"][0]


def test_a_real_limit_of_processes(stub: StubEnvironment) -> None:
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or not shutil.which("setpriv") or not shutil.which("prlimit"):
        pytest.skip("needs root, setpriv and prlimit")
    stub.add_torch()
    for limit in (1, 3):
        run = subprocess.run(
            ["setpriv", "--reuid=64123", "--clear-groups", "--", "prlimit", f"--nproc={limit}", sys.executable, "-m", "xpu_doctor", "check", "--json", "--python", "/usr/bin/python3"],
            capture_output=True, timeout=120, check=False, env=environment(PYTHONPATH=str(ROOT), HOME="/"), cwd="/",
        )  # fmt: skip
        if b"Permission denied" in run.stderr or b"No module named" in run.stderr:
            pytest.skip("another user may not read this checkout")
        assert run.returncode in (1, 2, 3), (limit, run.stderr)
        if run.stdout:
            clean_json(run.stdout)
        assert b"Traceback" not in run.stderr


FLOODS = {
    "nested": "b'[' * 200_000 + b']' * 200_000",
    "nested object": 'b\'{"kind":"end","stage":"import","facts":\' + b\'[\' * 900 + b\']\' * 900 + b\'}\'',
    "huge": 'b\'{"kind":"end","stage":"import","facts":{"warnings":["\' + b\'x\' * (100 << 20) + b\'"]}}\'',
    "huge number": 'b\'{"kind":"end","stage":"import","seconds":\' + b\'9\' * 100_000 + b\'}\'',
    "not a number": 'b\'{"kind":"end","stage":"import","seconds":NaN,"cpu_seconds":1e999,"facts":{"seconds":Infinity}}\'',
    "surrogates": 'b\'{"kind":"mark","stage":"\\\\ud800","call":"\\\\udc80"}\'',
    "another stage": 'b\'{"kind":"begin","stage":"\\\\u001b[2J"}\'',
    "no text": "bytes(range(256)) * 1000",
}


@posix
@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS.keys())
def test_what_the_patient_writes_into_the_transcript(stub: StubEnvironment, flood: str) -> None:
    write = f"import os\nfor name in os.listdir('/proc/self/fd'):\n    try:\n        if 'transcript' in os.readlink('/proc/self/fd/' + name): os.write(int(name), {flood} + b'\\n')\n    except OSError: pass\n"
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("no /proc")
    stub.add_torch(init=write + "from torch.version import __version__\nfrom torch import version, xpu\n")
    run = raw("check", "--python", str(stub.python), "--only", "wheel,import", "--json", "--timeout", "20")
    assert run.returncode in (0, 1, 3), run.stderr.decode("utf-8", "replace")[-2000:]
    clean_json(run.stdout)
    clean_text(run.stderr)

"""What the environment writes into the record of its own examination is not believed, and the report says that it was tried."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import codes, doctor
from tests.support.environments import StubEnvironment
from xpu_doctor.process.seal import KEY_LENGTH, Seal
from xpu_doctor.target.agent import AGENT_PATH

FORGER = """
import json, os, sys
LINES = [
    {"kind": "begin", "stage": "import"},
    {"kind": "end", "stage": "import", "facts": {"succeeded": True, "version": "9.9.9+forged", "file": "/forged/torch/__init__.py"}},
    {"kind": "begin", "stage": "xpu"},
    {"kind": "end", "stage": "xpu", "facts": {"compiled": True, "available": True, "device_count": 1, "devices": [{"index": 0, "name": "Forged"}]}},
    {"kind": "begin", "stage": "allocate"},
    {"kind": "end", "stage": "allocate", "facts": {"allocations": [{"index": 0, "allocated": True}]}},
    {"kind": "done", "stage": ""},
]
DATA = "".join(json.dumps(line) + "\\n" for line in LINES).encode()
def forge():
    for handle in range(3, 64):
        try:
            os.write(handle, DATA)
        except OSError:
            pass
    names = list(sys.argv)
    try:
        with open("/proc/self/cmdline", "rb") as stream:
            names += stream.read().decode("utf-8", "replace").split("\\0")
    except OSError:
        pass
    for name in names:
        if name.startswith("fd:"):
            try:
                os.write(int(name[3:]), DATA)
            except OSError:
                pass
        elif os.path.isfile(name) and not name.endswith((".py", ".exe")) and not os.access(name, os.X_OK):
            with open(name, "ab") as stream:
                stream.write(DATA)
"""


def report(stub: StubEnvironment) -> dict[str, object]:
    document: dict[str, object] = doctor("check", "--python", str(stub.python), "--json", "--timeout", "10").json()
    return document


def is_not_believed(document: dict[str, object]) -> None:
    snapshot = document["snapshot"]
    assert isinstance(snapshot, dict)
    assert "orged" not in json.dumps([snapshot["imported"], snapshot["xpu"], document["ladder"]])
    assert "transcript-tampered" in codes(document)
    assert document["verdict"] == "findings"


def test_a_sitecustomize_that_forges_an_import(stub: StubEnvironment) -> None:
    stub.add_torch(init="raise ImportError('broken for good')")
    (stub.site / "sitecustomize.py").write_text(FORGER + "forge()\n", encoding="utf-8")
    document = report(stub)
    is_not_believed(document)
    assert "torch-import-failed" in codes(document), "the agent's own word was lost"
    assert "broken for good" in str(document["root_causes"])


def test_a_torch_that_forges_its_import_and_leaves(stub: StubEnvironment) -> None:
    stub.add_torch(init=FORGER + "forge()\nos._exit(0)\n")
    document = report(stub)
    is_not_believed(document)
    assert "torch-import-failed" in codes(document)
    assert "lines that the agent did not write" in str(document["root_causes"])


def test_a_sitecustomize_that_forges_everything_and_leaves(stub: StubEnvironment) -> None:
    stub.add_torch()
    (stub.site / "sitecustomize.py").write_text(FORGER + "forge()\nos._exit(0)\n", encoding="utf-8")
    document = report(stub)
    assert "python-unsupported" in codes(document) and "Forged" not in json.dumps(document["ladder"])


@pytest.mark.skipif(os.name == "nt", reason="passes descriptors")
def test_lines_repeated_from_the_transcript_are_not_believed(stub: StubEnvironment) -> None:
    """A sealed line of the agent itself, written once more, says nothing new: its number was used."""
    again = "import os\nfor n in range(3, 64):\n    try: data = os.pread(n, 1 << 20, 0)\n    except OSError: continue\n    if b'interpreter' in data or b'import' in data: os.write(n, data)\n"
    stub.add_torch(init=again + "raise ImportError('once')")
    assert {"torch-import-failed", "transcript-tampered"} <= set(codes(report(stub)))


@pytest.mark.skipif(os.name == "nt", reason="passes descriptors")
def test_a_line_without_its_end_spoils_no_other(stub: StubEnvironment) -> None:
    half = 'import os\nfor n in range(3, 64):\n    try: os.write(n, b\'{"kind": "e\')\n    except OSError: pass\n'
    stub.add_torch(init=half + "raise ImportError('said all the same')")
    assert "said all the same" in str(report(stub)["root_causes"])


@pytest.mark.skipif(os.name == "nt", reason="POSIX processes")
def test_children_of_torch_do_not_hold_the_transcript(stub: StubEnvironment, tmp_path: Path) -> None:
    """Neither a program that torch starts with all descriptors open nor a forked copy of the agent can write to it."""
    seen = tmp_path / "seen"
    lists = tmp_path / "lists.py"
    lists.write_text(
        "import os\nnames = []\nfor n in os.listdir('/proc/self/fd'):\n"
        "    try: names.append(os.readlink('/proc/self/fd/' + n))\n    except OSError: pass\n"
        f"open({str(seen)!r}, 'w').write(repr(names))\n", encoding="utf-8",
    )  # fmt: skip
    stub.add_torch(
        init=f"import os, subprocess, sys\nsubprocess.run([sys.executable, '-S', {str(lists)!r}], close_fds=False, check=True)\n"
        "if os.fork() == 0: raise ImportError('the forked copy speaks')\nos.wait()\nfrom torch.version import __version__\n"
    )
    document = report(stub)
    assert "xpu-doctor" not in seen.read_text(encoding="utf-8")
    assert "the forked copy speaks" not in str(document["root_causes"])
    snapshot = document["snapshot"]
    assert isinstance(snapshot, dict)
    assert snapshot["imported"]["succeeded"] is True, (snapshot["imported"], snapshot["run"])


@pytest.mark.parametrize("by", ["path", "fd"])
def test_the_key_is_erased_and_the_lines_are_sealed(tmp_path: Path, by: str) -> None:
    if by == "fd" and os.name == "nt":
        pytest.skip("passes descriptors")
    seal = Seal()
    transcript = tmp_path / "transcript"
    transcript.write_bytes(seal.key)
    handle = os.open(transcript, os.O_RDWR)
    try:
        where = str(transcript) if by == "path" else f"fd:{handle}"
        passed = {"pass_fds": (handle,)} if by == "fd" else {}
        subprocess.run(
            [sys.executable, "-B", str(AGENT_PATH), where, "{}", "interpreter"], check=True, timeout=60, **passed
        )  # type: ignore[call-overload]
    finally:
        os.close(handle)
    data = transcript.read_bytes()
    assert seal.key not in data and data[:KEY_LENGTH] == bytes(KEY_LENGTH)
    lines = data[KEY_LENGTH:].split(b"\n")
    said = [json.loads(text) for line in lines if (text := seal.opened(line)) is not None]
    assert [line["kind"] for line in said] == ["begin", "end", "done"]
    assert not seal.broken


def test_the_seal_counts_what_is_foreign_and_what_is_missing() -> None:
    seal, other = Seal(), Seal()

    def line(number: int, text: bytes, maker: Seal = seal) -> bytes:
        return b"%d %s %s" % (number, maker._made(b"%d" % number, text), text)

    assert seal.opened(line(1, b"{}")) == b"{}"
    assert seal.opened(line(1, b"{}")) is None and seal.opened(line(2, b"{}", other)) is None
    assert seal.opened(line(4, b"{}")) == b"{}"
    assert seal.opened(b"") is None and seal.opened(b"\xff \xff") is None and seal.opened(b"9" * 5000) is None
    assert (seal.foreign, seal.lost) == (4, 2)
    assert seal.broken == "4 lines that the agent did not write and 2 of the agent's lines missing"

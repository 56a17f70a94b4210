"""The command: files, standard input, formats, privacy, refusals, two subjects, and what it asks next."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from xpu_doctor.cli.triage import triage
from xpu_doctor.text.private_names import redactor_for
from xpu_doctor.text.safe import HEAD, TAIL, NotText, cleaned, from_bytes, read_safely
from xpu_doctor.text.word_index import IndexedText

PERMISSION = """\
maria@atlas:~$ ls -l /dev/dri
crw-rw---- 1 root render 226, 128 Nov 21 09:25 renderD128
maria@atlas:~$ id
uid=1001(maria) gid=1001(maria) groups=1001(maria),27(sudo)
maria@atlas:~$ /home/maria/venv/bin/python -c 'import torch; print(torch.xpu.is_available())'
False
"""


def run(*arguments: str, data: bytes | str = b"") -> Result:
    """Run the command as the command line does."""
    return CliRunner().invoke(triage, list(arguments), input=data, standalone_mode=False)


def report(*arguments: str, data: bytes | str = b"") -> dict[str, object]:
    """The JSON document of a run."""
    result = run("--json", *arguments, data=data)
    assert result.exception is None, result.exception
    document: dict[str, object] = json.loads(result.stdout)
    return document


def codes(document: dict[str, object]) -> list[str]:
    """The root causes of a document."""
    roots = document["root_causes"]
    assert isinstance(roots, list)
    return [root["code"] for root in roots]


def test_standard_input() -> None:
    """`-` is standard input."""
    assert (
        codes(report("-", data="RuntimeError: Required aspect fp64 is not supported on the device"))[0]
        == "fp64-unsupported"
    )


def test_several_files_are_one_machine(tmp_path: Path) -> None:
    """The listing is in one file, the failure in another."""
    head, tail = PERMISSION.split("maria@atlas:~$ /home")
    (tmp_path / "a.txt").write_text(head, encoding="utf-8")
    (tmp_path / "b.txt").write_text("maria@atlas:~$ /home" + tail, encoding="utf-8")
    document = report(str(tmp_path / "a.txt"), str(tmp_path / "b.txt"))
    assert codes(document)[0] == "device-permission"


def test_evidence_names_the_line() -> None:
    """Who reads the report finds the line."""
    document = report("-", data="one\ntwo\nImportError: libze_loader.so.1: cannot open shared object file\n")
    assert "line 3" in json.dumps(document["root_causes"])


def test_saved_report_is_judged_again(tmp_path: Path) -> None:
    """A saved `--json` is as good as a text."""
    saved = tmp_path / "report.json"
    saved.write_text(
        json.dumps(
            {
                "schema": 1,
                "tool": {},
                "root_causes": [],
                "snapshot": {"schema": 1, "torch": {"installed": True, "version": "2.9.1+cpu", "build": "cpu"}},
            }
        )
    )
    document = report(str(saved))
    assert document["origin"] == "saved"
    assert codes(document)[0] == "torch-cpu-wheel"
    saved.write_text("Here it is:\n> ```json\n> " + saved.read_text() + "\n> ```\n")
    assert report(str(saved))["origin"] == "saved"


def test_cut_report_is_refused_in_words(tmp_path: Path) -> None:
    """Half of a report is not read as prose."""
    saved = tmp_path / "report.json"
    whole = json.dumps({"schema": 1, "tool": {}, "root_causes": [], "snapshot": {"schema": 1}, "timings": {"a": 1}})
    saved.write_text(whole[:-8])
    result = run("--json", str(saved))
    assert isinstance(result.exception, click.UsageError)
    assert "cut off" in str(result.exception)


def test_newer_saved_report_is_refused_in_words(tmp_path: Path) -> None:
    """A number that this version does not know is one clear line."""
    saved = tmp_path / "report.json"
    saved.write_text(
        json.dumps({"schema": 1, "tool": {}, "root_causes": [], "snapshot": {"schema": 99}}), encoding="utf-8"
    )
    result = run("--json", str(saved))
    assert isinstance(result.exception, click.UsageError)
    assert "99" in str(result.exception)


def test_names_never_leave() -> None:
    """User, host, address, mail and token are nowhere in any output."""
    secret = (
        PERMISSION
        + "\nmail maria@example.org from 10.20.30.40, token=hf_abcdefghijklmnopqrstuvwx, C:\\Users\\Maria\\x\n"
    )
    for options in (["--json"], ["-v"], ["--reply"], []):
        result = run(*options, "-", data=secret)
        assert result.exception is None
        for name in ("maria", "Maria", "atlas", "10.20.30.40", "hf_abcdef"):
            assert name not in result.stdout, (options, name)


def test_windows_names_never_leave() -> None:
    """Names with blanks are gone whole, from prompts, variables and quotes; so are the names that Windows gives to machines."""
    text = (
        "C:\\Users\\Jürgen Müller> pip install torch\n"
        'cd "C:\\Users\\Anna Maria"\n'
        "USERPROFILE=C:\\Users\\Kai O Berg\n"
        "USERNAME=Li Wei\n"
        "the machine is DESKTOP-4K7Q2PA\n"
    )
    redacted = redactor_for([IndexedText(text)]).text(text)
    for name in ("Jürgen", "Müller", "Anna", "Maria", "Kai", "Berg", "Li Wei", "4K7Q2PA"):
        assert name not in redacted, redacted
    assert "pip install torch" in redacted


@pytest.mark.parametrize(
    "row",
    [
        "nvidia-cublas-cu12                 12.8.4.1",
        "| nvidia-curand-cu12 | 10.3.9.90 |",
        "libcublas  12.8.4.1  0  nvidia",
    ],
)
def test_versions_of_four_numbers_are_no_addresses(row: str) -> None:
    """A row of a listing stays as it is; the address of a machine does not."""
    redacted = redactor_for([IndexedText(row)]).text(row + "\nssh 10.3.9.90\nintel-gpu-node: reached at 12.8.4.1\n")
    assert redacted == row + "\nssh <ip1>\nintel-gpu-node: reached at <ip2>\n"


def test_cuda_wheel_is_told_by_its_companions() -> None:
    """PyPI's wheel for Linux has no label; the libraries that it brings tell it."""
    listing = "$ pip list\nPackage Version\n------- -------\nnvidia-cublas-cu12 12.8.4.1\ntorch 2.9.1\ntriton 3.5.1\n>>> torch.xpu.is_available()\nFalse\n"
    assert codes(report("-", data=listing))[0] == "torch-cuda-wheel"


@pytest.mark.parametrize(
    "line",
    [
        "[host:0] HOST: SYCL host platform 1.2 [1.2]", "- Host: dedicated inference machine", "Host: Proxmox", "Linux Kernel: 6.8.0",
        "model, tokenizer = AutoTokenizer.from_pretrained(name)",
    ],
)  # fmt: skip
def test_prose_beside_names_stays(line: str) -> None:
    """What only looks like a name or a secret is evidence, and is kept."""
    assert redactor_for([IndexedText(line)]).text(line) == line


@pytest.mark.parametrize(
    "line",
    [
        "Hostname: tower7 (in the lab)",
        "System: Host: tower7 Kernel: 6.8.0 arch: x86_64",
        'host="tower7" size=79',
        "Linux tower7 6.8.0-63-generic #66",
        "hf_token=abcd1234tower7",
    ],
)
def test_names_beside_words_go(line: str) -> None:
    """Names and secrets in the same places are replaced."""
    assert "tower7" not in redactor_for([IndexedText(line)]).text(line)


@pytest.mark.parametrize("name", ["ubuntu", "Intel", "torch"])
def test_home_folders_of_nobody_blank_nothing_out(name: str) -> None:
    """A home folder that is called as a product is does not take the product's name out of the rest of the text."""
    text = f"/home/{name}/venv C:\\Users\\{name}\\x\n{name} 24.04\n"
    redacted = redactor_for([IndexedText(text)]).text(text)
    assert f"/{name}/" not in redacted
    assert f"{name} 24.04" in redacted


def test_no_redact_keeps_them() -> None:
    """Who asks for it gets the input as it is."""
    text = PERMISSION.replace("False", 'openat("/dev/dri/renderD128") = -1 EACCES /home/maria/x')
    assert "maria" in run("--json", "--no-redact", "-", data=text).stdout
    assert "maria" not in run("--json", "-", data=text).stdout


def test_names_are_replaced_as_whole_words_only() -> None:
    """A user called al does not turn global into glob***."""
    text = "al@pc7x:~$ python -c 'global x'  # al is here, terminal, /home/al/al/x\n"
    redacted = redactor_for([IndexedText(text)]).text(text)
    assert "global" in redacted
    assert "terminal" in redacted
    assert "/home/al/" not in redacted
    assert "al@" not in redacted


def test_same_name_same_replacement() -> None:
    """Two users stay two users."""
    text = "/home/anna/a /home/bert/b /home/anna/c"
    one, two, three = (part.split("/")[2] for part in redactor_for([IndexedText(text)]).text(text).split())
    assert one == three != two


@pytest.mark.parametrize("word", ["torch", "intel", "xpu", "root"])
def test_words_of_the_trade_are_no_names(word: str) -> None:
    """A user who is called as a product is does not blank the product out of the text."""
    text = f"{word}@box77:~$ echo {word} {word}-thing\n"
    assert text.count(word) - redactor_for([IndexedText(text)]).text(text).count(word) <= 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (gzip.compress(b"x", mtime=0), "gzip"),
        (b"PK\x03\x04rest", "ZIP"),
        (b"\x7fELF" + bytes(60), "program"),
        (bytes(range(256)) * 8, "binary"),
        (b"%PDF-1.7", "PDF"),
    ],
)
def test_binary_files_are_refused(data: bytes, words: str) -> None:
    """One line that says what it is."""
    result = run("-", data=data)
    assert isinstance(result.exception, click.UsageError)
    assert words in str(result.exception)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig", "cp1252", "utf-32"])
def test_encodings(encoding: str) -> None:
    """What PowerShell and old editors write is read."""
    text = 'OSError: [WinError 126] Das angegebene Modul wurde nicht gefunden. Error loading "C:\\x\\torch\\lib\\c10.dll" or one of its dependencies. äöü'
    assert codes(report("-", data=text.encode(encoding)))[0] == "msvc-redist-missing"


def test_missing_file_is_one_line() -> None:
    """No traceback for a wrong path."""
    result = run("no-such-file.txt")
    assert isinstance(result.exception, click.UsageError)


def test_empty_input_says_what_to_ask() -> None:
    """Nothing is no diagnosis, and the reply asks for something."""
    result = run("--reply", "-", data=b"")
    assert result.exception is None
    assert "collect_env" in result.stdout


def test_escapes_never_reach_the_terminal() -> None:
    """Colours, titles, direction marks and links of the input are gone."""
    text = cleaned(
        "\x1b[31mRuntimeError: UR error\x1b[0m \x1b]0;title\x07 \x1b]8;;http://x\x1b\\link \u202etxt \x9b31m\x00\r\nnext\rlast"
    )
    assert text == "RuntimeError: UR error  link txt \nnext\nlast"


class Endless:
    """A stream of 100 MB with something at its beginning and its end."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.first = True
        self.most = 0

    def read(self, size: int = -1) -> bytes:
        """Return the next piece."""
        self.most = max(self.most, size)
        size = min(size, self.left)
        self.left -= size
        if self.first:
            self.first = False
            return b"BEGIN\n" + b"x" * (size - 7) + b"\n"
        if self.left == 0 and size:
            return b"y" * (size - 4) + b"\nEND"
        return (b"noise\n" * (size // 6 + 1))[:size]


def test_long_input_is_read_at_both_ends() -> None:
    """Only the first and the last part are kept, and a note says so."""
    stream = Endless(100_000_000)
    safe = read_safely(stream, "log")  # type: ignore[arg-type]
    assert safe.cut
    assert "not read" in safe.notes[0]
    assert safe.text.startswith("BEGIN")
    assert safe.text.endswith("END")
    assert len(safe.text) <= HEAD + TAIL + 2
    assert 0 < stream.most <= HEAD + TAIL


def test_long_input_is_told_in_the_report() -> None:
    """The reader of the report knows that something is missing."""
    data = b"RuntimeError: UR error\n" + b"noise\n" * 400_000
    document = report("-", data=data)
    assert document["notes"]


def test_archive_that_is_only_long_is_refused_too() -> None:
    """The kind is seen from the first bytes."""
    with pytest.raises(NotText):
        from_bytes(b"7z\xbc\xaf\x27\x1c" + bytes(10), "x")


def test_container_and_host_are_two_subjects() -> None:
    """The host sees the GPU, the image has no driver: the finding is the container's."""
    text = """\
ops@node7:~$ sycl-ls
[level_zero:gpu][level_zero:0] Intel(R) oneAPI Unified Runtime over Level-Zero, Intel(R) Arc(TM) A380 Graphics 12.56.5 [1.6.33578]
ops@node7:~$ docker run --rm -it --device /dev/dri img bash
root@5f0c1d2e3a4b:/# ls /dev/dri
card0  renderD128
root@5f0c1d2e3a4b:/# sycl-ls
[opencl:cpu][opencl:0] Intel(R) OpenCL, Core(TM) i5 OpenCL 3.0 (Build 0) [2025.20.6.0.04_224945]
"""
    document = report("-", data=text)
    roots = document["root_causes"]
    assert isinstance(roots, list)
    assert (roots[0]["code"], roots[0]["subject"]) == ("gpu-driver-missing", "container")


def test_reply_is_markdown_without_the_input_in_it() -> None:
    """What a text says cannot format the reply."""
    result = run(
        "--reply",
        "-",
        data="ImportError: lib<b>x*.so.1: cannot open shared object file\nImportError: libmkl_sycl<i>_[x](http://e).so.5: cannot open",
    )
    assert "<b>" not in result.stdout
    assert "<i>" not in result.stdout


def test_reply_of_a_certain_cause_asks_nothing() -> None:
    """What is known needs no question."""
    result = run("--reply", "-", data="RuntimeError: Cannot re-initialize XPU in forked subprocess.")
    assert "fork" in result.stdout
    assert "1." not in result.stdout


def test_unknown_code_to_ignore() -> None:
    """A typing error is said."""
    assert isinstance(run("--ignore", "no-such-code", "-", data="x").exception, click.UsageError)


def test_ignore_hides_and_counts() -> None:
    """A finding that is not wanted is counted."""
    document = report(
        "--ignore", "fp64-unsupported", "-", data="RuntimeError: Required aspect fp64 is not supported on the device"
    )
    assert "fp64-unsupported" not in codes(document)
    assert document["ignored"] == [{"code": "fp64-unsupported", "count": 1}]


def test_exit_codes() -> None:
    """1 where a fault is likely, 3 where nothing is known."""
    assert (
        run("--json", "-", data="RuntimeError: Required aspect fp64 is not supported on the device").return_value == 1
    )
    assert run("--json", "-", data="hello").return_value == 3


NO_DEVICE = ">>> torch.xpu.is_available()\nFalse\n"
CERTAIN = "RuntimeError: Required aspect fp64 is not supported on the device"


@pytest.mark.parametrize(
    "text",
    [
        "Segmentation fault (core dumped)",
        f"{NO_DEVICE}torch 2.8.0+xpu, Intel Arc A770, Ubuntu 24.04",
        f"torch 2.9.0+xpu on Windows 11 with an Arc B580\n{NO_DEVICE}",
    ],
)
def test_what_is_only_possible_is_undiagnosed(text: str) -> None:
    """Guesses are no findings, whether or not one of them would explain what was seen."""
    document = report("-", data=text)
    assert document["root_causes"] and {root["confidence"] for root in document["root_causes"]} == {"possible"}
    assert (document["verdict"], document["exit_code"]) == ("undiagnosed", 3)


def test_fail_on_never_lets_a_known_cause_pass() -> None:
    """As check: 0 where the cause is known, 3 where it is not."""
    assert run("--json", "--fail-on", "never", "-", data=CERTAIN).return_value == 0
    assert run("--json", "--fail-on", "never", "-", data="Segmentation fault (core dumped)").return_value == 3


def test_public_function_stays_a_function() -> None:
    """`xpu_doctor.triage` is the function before and after it was used: no module of that name takes its place."""
    import xpu_doctor

    for _ in range(2):
        assert (
            xpu_doctor.triage("RuntimeError: Required aspect fp64 is not supported on the device").root_causes[0].code
            == "fp64-unsupported"
        )


def saved_report(path: Path, snapshot: dict[str, object]) -> str:
    """A file as `check --json -o FILE` writes it, around facts."""
    document = {"schema": 1, "tool": {"name": "xpu-doctor"}, "root_causes": [], "ladder": [], "snapshot": snapshot}
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)


VM_WITHOUT_TORCH: dict[str, object] = {
    "schema": 1,
    "origin": "live",
    "machine": {"os": "linux", "hypervisor": "VMware", "container": "", "wsl": False},
    "gpus": [],
    "torch": {"installed": False},
    "python": {"executable": "/home/maria/venv/bin/python3", "version": "3.12.3", "os": "linux"},
}


@pytest.mark.parametrize(
    ("hypervisor", "words"), [("VMware", "The hypervisor (VMware) shows"), ("Acme Box 3", "The hypervisor shows")]
)
def test_a_reply_has_no_placeholder_in_its_sentences(tmp_path: Path, hypervisor: str, words: str) -> None:
    """A name that nobody knows is left out with its brackets, and a known one stays."""
    facts = {**VM_WITHOUT_TORCH, "machine": {**VM_WITHOUT_TORCH["machine"], "hypervisor": hypervisor}}  # type: ignore[dict-item]
    result = run("--reply", saved_report(tmp_path / "out.json", facts))
    assert words in result.stdout
    assert "SOMETHING" not in result.stdout


def test_a_reply_names_every_independent_error(tmp_path: Path) -> None:
    """The report counts two faults: the reply tells both, each with what helps."""
    file = saved_report(tmp_path / "out.json", VM_WITHOUT_TORCH)
    assert report(file)["independent_faults"] == 2
    text = run("--reply", file).stdout
    assert "Independent of that: " in text
    assert text.count("What helps: ") == 2
    assert "[`torch-not-installed`]" in text


def test_a_reply_without_commands_asks_for_no_output_of_them(tmp_path: Path) -> None:
    """Only where a command stands in the reply can its output be sent."""
    file = saved_report(tmp_path / "out.json", {**VM_WITHOUT_TORCH, "torch": {"installed": True, "build": "xpu"}})
    text = run("--reply", file).stdout
    assert "What helps: " in text
    assert text.count("```") == 2, "the lines that verify"
    assert "commands above" not in text
    assert "commands above" in run("--reply", saved_report(tmp_path / "two.json", VM_WITHOUT_TORCH)).stdout


def test_commands_name_the_doctor() -> None:
    text = "AssertionError: Torch not compiled with XPU enabled\n2.9.1+cpu\n"
    document = json.loads(run("--json", "-", data=text).stdout)
    assert document["tool"]["command"] == "xpu-doctor"
    remedies = [remedy for root in document["root_causes"] for remedy in root["remedies"]]
    lines = [line for remedy in remedies for line in (*remedy["commands"], *remedy["verify"])]
    assert lines and all(line == line.lstrip() for line in lines)
    assert "xpu-doctor explain torch-cpu-wheel" in run("-", data=text).stdout

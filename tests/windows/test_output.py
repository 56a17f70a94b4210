"""What the doctor writes on Windows: to a pipe in each code page, to a file, and what it says of names that lead nowhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.clean_output import clean_json, clean_text
from tests.support.cli import codes
from tests.support.environments import StubEnvironment
from tests.support.windows_bench import WindowsBench
from xpu_doctor.text.output_file import OutputError, Place

CODE_PAGES = ("cp437", "cp850", "cp1252", "utf-8")
"""Of a console in the United States, of one in Western Europe, of its programs, and of `chcp 65001`."""
PASTED = """Überprüfung für größere Bücher, übermäßig gründlich
Python 3.12.4
PyTorch version: 2.13.0+cpu
Traceback (most recent call last):
  File "C:\\Users\\Jürgen Müßig\\東京 ☃\\run.py", line 3, in <module>
    x = torch.ones(1, device='xpu')
AssertionError: Torch not compiled with XPU enabled
"""


@pytest.mark.parametrize("page", CODE_PAGES)
def test_json_is_the_same_document_in_each_code_page(windows_bench: WindowsBench, page: str) -> None:
    argv = ("check", "--python", windows_bench.odd, "--only", "wheel", "--json")
    ran = windows_bench.doctor(*argv, env={"PYTHONIOENCODING": page})
    assert (ran.returncode, ran.stderr) == (1, b"")
    assert ran.stdout.isascii() or page == "utf-8"
    document = clean_json(ran.stdout)
    assert windows_bench.machine.here(document["target"]["python"]).samefile(windows_bench.odd)


@pytest.mark.parametrize("page", CODE_PAGES)
def test_text_loses_no_letter_in_any_code_page(windows_bench: WindowsBench, page: str) -> None:
    """A letter that the code page lacks stands there as its number, never as `?`, and stderr says so."""
    argv = ("check", "--python", windows_bench.odd, "--only", "wheel")
    ran = windows_bench.doctor(*argv, env={"PYTHONIOENCODING": page})
    text = ran.stdout.decode(page)
    name = "Grüße an 東京 & Co" if page == "utf-8" else r"Grüße an \u6771\u4eac & Co"
    command = next(line for line in text.splitlines() if "-m pip install" in line)
    assert name in command
    assert "?" not in command
    assert (b"-o FILE writes them" in ran.stderr) == (page != "utf-8")


def test_utf8_mode_is_heard(windows_bench: WindowsBench) -> None:
    ran = windows_bench.doctor("check", "--python", windows_bench.odd, "--only", "wheel", env={"PYTHONUTF8": "1"})
    assert "Grüße an 東京 & Co" in clean_text(ran.stdout)
    assert not ran.stderr


WRITTEN = {
    "PowerShell 5, >": ("utf-16", "\r\n"),
    "PowerShell 5, Out-File -Encoding utf8": ("utf-8-sig", "\r\n"),
    "PowerShell 7, >": ("utf-8", "\r\n"),
    "Out-File -Encoding bigendianunicode": ("utf-16-be", "\r\n"),
    "cmd in the United States": ("cp437", "\r\n"),
    "cmd in Western Europe": ("cp850", "\r\n"),
    "Notepad, ANSI": ("cp1252", "\r\n"),
    "copied from Linux": ("utf-8", "\n"),
}


@pytest.mark.parametrize("how", WRITTEN)
def test_file_is_read_however_it_was_written(windows_bench: WindowsBench, tmp_path: Path, how: str) -> None:
    encoding, end = WRITTEN[how]
    text = PASTED.replace("東京 ☃", "x" if encoding.startswith("cp") else "東京 ☃").replace("\n", end)
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    file = tmp_path / "Bericht für 東京.txt"
    file.write_bytes(mark + text.encode(encoding))
    ran = windows_bench.doctor("triage", file, "--json")
    document = clean_json(ran.stdout)
    assert ran.returncode == 1
    assert codes(document)[0] == "torch-cpu-wheel"
    said = [note for note in document["notes"] if "not UTF-8" in note]
    assert bool(said) == encoding.startswith("cp")


def test_report_in_a_file_is_utf8_and_read_back(windows_bench: WindowsBench, tmp_path: Path) -> None:
    """Text and JSON, in a folder and under a name that no code page of the West has; the JSON is triaged again."""
    folder = tmp_path / "отчёт 東京"
    folder.mkdir()
    argv = ("check", "--python", windows_bench.odd, "--only", "wheel")
    for name, more in (("a b.txt", ()), ("a b.json", ("--json",))):
        ran = windows_bench.doctor(*argv, *more, "-o", folder / name)
        assert (ran.returncode, ran.stdout) == (1, b"")
        assert b"wrote " in ran.stderr and name.encode() in ran.stderr
    assert "Grüße an 東京 & Co" in clean_text((folder / "a b.txt").read_bytes())
    document = clean_json((folder / "a b.json").read_bytes())
    assert "Grüße an 東京 & Co" in document["target"]["python"]
    again = clean_json(windows_bench.doctor("triage", folder / "a b.json", "--json").stdout)
    assert codes(again) == codes(document)
    assert sorted(path.name for path in folder.iterdir()) == ["a b.json", "a b.txt"]


def test_colours_come_only_where_they_are_asked_for(windows_bench: WindowsBench) -> None:
    argv = ("check", "--python", windows_bench.patient, "--only", "wheel")
    assert b"\x1b" not in windows_bench.doctor(*argv).stdout
    coloured = windows_bench.doctor(*argv, env={"FORCE_COLOR": "1"}).stdout
    assert b"\x1b[" in coloured
    clean_text(coloured.decode("cp1252"), colour=True)
    assert b"\x1b" not in windows_bench.doctor(*argv, env={"FORCE_COLOR": "1", "NO_COLOR": "1"}).stdout


@pytest.mark.parametrize(
    ("argv", "begins"),
    [
        (("explain", "torch-cpu-wheel"), "# torch-cpu-wheel"),
        (("schema",), "{"),
        (("facts", "gpu", "e20b"), "Intel(R) Arc(TM) B580"),
        (("codes",), "code"),
        (("probes",), "probe"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_reference_commands_write_to_a_pipe(windows_bench: WindowsBench, argv: tuple[str, ...], begins: str) -> None:
    ran = windows_bench.doctor(*argv, env={"PYTHONIOENCODING": "cp437"})
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert ran.stdout.decode("cp437").lstrip().startswith(begins)


WRONG = (
    (("triage", "{folder}"), "is a folder: name the files in it"),
    (("triage", "{folder}\\none.txt"), "none.txt"),
    (("triage", "{folder}\\a<b>|.txt"), "a<b>|.txt"),
    (("check", "--python", "{folder}"), "this folder holds no interpreter"),
    (("check", "--python", "{folder}\\python.exe"), "no such file, folder or command"),
    (("check", "--python", "Q:\\python.exe"), "no such file, folder or command"),
    (("check", "-o", "{folder}"), "it is a folder"),
    (("check", "-o", "{folder}\\none\\x.txt"), "there is no folder"),
    (("check", "-o", "NUL"), "this is a device of Windows and no file"),
    (("check", "-o", "{folder}\\com1.txt"), "this is a device of Windows and no file"),
    (("check", "--python", "{patient}", "-o", "{patient}"), "this belongs to the environment that is examined"),
)


@pytest.mark.parametrize(("argv", "says"), WRONG, ids=[" ".join(argv) for argv, _ in WRONG])
def test_wrong_path_is_one_clear_line(
    windows_bench: WindowsBench, tmp_path: Path, argv: tuple[str, ...], says: str
) -> None:
    folder = tmp_path / "Ordner für 東京"
    folder.mkdir()
    spelled = windows_bench.machine.spelled
    words = [word.format(folder=spelled(folder), patient=spelled(windows_bench.patient)) for word in argv]
    ran = windows_bench.doctor(*words)
    last = ran.stderr.decode("cp1252").strip().splitlines()[-1]
    assert ran.returncode == 2
    assert last.startswith("Error: ") and says in last, ran.stderr
    assert b"Traceback" not in ran.stderr
    assert ran.stdout == b""
    assert not list(folder.iterdir())


DEVICES = (
    "CON", "con", "Con.txt", "PRN", "AUX", "NUL", "nul.json", "COM1", "com9.txt", "COM0", "LPT1", "lpt9.a.b", "COM\u00b9", "LPT\u00b3.txt",
    "CONIN$", "CONOUT$", "conout$.txt", "NUL ", "NUL.", "NUL:", "con .txt", "C:\\x\\nul", "C:/x/aux.txt", "x\\y\\prn", "\\\\.\\COM1", "\\\\.\\NUL",
    "file.txt:stream", "CLOCK$",
)  # fmt: skip
FILES = ("CONSOLE", "nullable.txt", "com.txt", "com10", "lpt.json", "auxiliary.txt", "my.con", "x.nul", "COM", "a nul")


@pytest.mark.parametrize("name", DEVICES)
def test_no_name_of_a_device_is_taken_for_a_file(name: str) -> None:
    """On every system: the names are told by rule."""
    with pytest.raises(OutputError, match="device of Windows"):
        Place.of(name, windows=True)


@pytest.mark.parametrize("name", FILES)
def test_names_that_resemble_devices_are_files(name: str, tmp_path: Path) -> None:
    assert Place.of(str(tmp_path / name), windows=True)


def test_windows_itself_agrees_about_its_devices(windows_bench: WindowsBench, tmp_path: Path) -> None:
    """What GetFullPathNameW makes a device, the doctor refuses."""
    code = (
        "import json, ntpath, sys\n"
        "from xpu_doctor.text.output_file import OutputError, Place\n"
        "def refused(name):\n"
        "    try: Place.of(name)\n"
        "    except OutputError as error: return 'device of Windows' in str(error)\n"
        "    return False\n"
        "names = json.loads(sys.argv[1])\n"
        "print(json.dumps([[name, ntpath.abspath(name).startswith('\\\\\\\\.\\\\'), refused(name)] for name in names]))"
    )
    argv = [windows_bench.doctor_python, "-c", code, json.dumps([*DEVICES, *FILES])]
    ran = windows_bench.machine.win(argv, cwd=tmp_path)
    for name, is_device, refused in json.loads(ran.stdout):
        assert refused or not is_device, name
        assert refused == (name in DEVICES), name


def test_lone_surrogates_of_a_torch_are_shown(
    windows_bench: WindowsBench, new_patient: Callable[..., StubEnvironment]
) -> None:
    patient = new_patient("venv", "für 東京")
    patient.add_torch(init="raise ImportError('bad \\udcff \\ud800 end ü ☃')", libraries=("c10_xpu.dll",))
    plain = windows_bench.doctor("check", "--python", patient.python)
    assert plain.returncode == 1
    assert r"bad \xff \ud800" in " ".join(plain.stdout.decode("cp1252").split())
    document = clean_json(windows_bench.doctor("check", "--python", patient.python, "--json").stdout)
    assert r"bad \xff \ud800 end ü ☃" in json.dumps(document, ensure_ascii=False).replace("\\\\", "\\")


@pytest.mark.parametrize("kind", ["patient", "embedded", "odd", "venv"])
def test_each_kind_of_python_is_examined_whole(windows_bench: WindowsBench, kind: str) -> None:
    """All four are read to the end: what lacks is torch alone."""
    ran = windows_bench.doctor("check", "--python", getattr(windows_bench, kind), "--json")
    document = clean_json(ran.stdout)
    assert "torch-not-installed" in codes(document)
    assert document["crashed"] == []
    outcomes = {stage["name"]: stage["outcome"] for stage in document["snapshot"]["run"]["stages"]}
    assert {name for name, outcome in outcomes.items() if outcome != "ok"} <= {"import"}
    assert windows_bench.machine.here(document["target"]["python"]).samefile(getattr(windows_bench, kind))

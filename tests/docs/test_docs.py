"""The documentation is true: commands parse and run, links lead somewhere, every finding has its page, the site builds without a warning."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import click
import pytest

import xpu_doctor
from tests.support.cli import environment
from tests.support.powershell import commands_of
from xpu_doctor.catalogue.addresses import SITE, page_address
from xpu_doctor.catalogue.names import all_codes, probe_layers
from xpu_doctor.catalogue.pages import codes, rules_by_code
from xpu_doctor.cli.main import cli
from xpu_doctor.model.exit_codes import ExitCode

ROOT = Path(__file__).parents[2]
PACKAGE = Path(xpu_doctor.__file__).parent
TEXTS = [
    *sorted((ROOT / "docs").rglob("*.md")),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
]
FENCE = re.compile(
    r"^(?P<indent> *)(?:<!-- (?P<mark>test[^>]*) -->\n *)?```(?P<kind>\w*)\n(?P<body>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)?(?:#([\w-]+))?\)")
PLACEHOLDER = {"PATH", "FILE", "FILE...", "CODE", "IMAGE"}
MADE = re.compile(r"^File `(\S+)`:$", re.MULTILINE)
"""A file that a guide tells its reader to make."""
OF_GUIDES = ("on-battery", "driver-mixed-generations")
"""Codes that the guides make."""


@dataclass(frozen=True)
class Block:
    """A block of code in a page."""

    page: str
    kind: str
    mark: str
    body: str

    def __str__(self) -> str:
        return f"{self.page}: {self.body.splitlines()[0][:60]}"


@cache
def blocks() -> tuple[Block, ...]:
    """All blocks of code of all pages."""
    return tuple(
        Block(
            str(path.relative_to(ROOT)),
            match["kind"],
            match["mark"] or "",
            re.sub(rf"^{match['indent']}", "", match["body"], flags=re.MULTILINE),
        )
        for path in TEXTS
        for match in FENCE.finditer(path.read_text(encoding="utf-8"))
    )


def command_lines() -> list[tuple[str, str]]:
    """Every command line of xpu-doctor in code, in blocks and in running text, with its page."""
    found = []
    for path in TEXTS:
        text = path.read_text(encoding="utf-8").replace("\\\n", " ")
        spans = [
            *(match[1] for match in re.finditer(r"`([^`\n]+)`", text)),
            *(match["body"] for match in FENCE.finditer(text)),
        ]
        for line in "\n".join(spans).splitlines():
            for call in re.finditer(
                r"""(?:^|[\s;'(/\\])xpu-doctor ((?:check|triage|snapshot|probes|codes|explain|schema|--)(?:'[^']*'|"[^"]*"|[^;&|>'"}])*)""",
                line,
            ):
                found.append((str(path.relative_to(ROOT)), call[1].split(" #")[0].strip()))
    return list(dict.fromkeys(found))


def words(text: str) -> list[str]:
    """The arguments of a command line; a quote that belongs to what stands around it is left out."""
    try:
        return shlex.split(text)
    except ValueError:
        return shlex.split(text.rstrip("'\" ")) if text.rstrip("'\" ") != text else []


@pytest.mark.parametrize(("page", "line"), command_lines(), ids=lambda value: value)
def test_every_command_line_parses(page: str, line: str) -> None:
    """Options, choices, layers, probes and codes exist."""
    arguments = words(line)
    assert arguments, line
    if arguments[0].startswith("--"):
        assert arguments[0] in ("--version", "--help", "--json")
        return
    command = cli.get_command(click.Context(cli), arguments[0])
    assert command is not None
    if arguments[0] in ("triage", "explain") and len(arguments) == 1:
        return  # the command is named, not called
    given = arguments[1:]
    if arguments[0] == "triage" and not any(not word.startswith("-") for word in given):
        given.append("FILE")
    made = command.make_context(arguments[0], given)
    names = {
        word.strip()
        for value in (*made.params.get("only", ()), *made.params.get("skip", ()))
        for word in value.split(",")
    }
    layers = {"device", "kernel", "access", "driver", "runtime", "wheel", "import", "enumeration", "compute"}
    assert names <= layers | set(probe_layers())
    for code in (*made.params.get("ignore", ()), *filter(None, [made.params.get("code")])):
        assert code in (*all_codes(), *PLACEHOLDER, *OF_GUIDES), code


MARKED = [block for block in blocks() if block.mark]


@pytest.mark.skipif(os.name == "nt" or shutil.which("sh") is None, reason="the blocks are for a POSIX shell")
@pytest.mark.parametrize("block", MARKED, ids=str)
def test_marked_blocks_run(block: Block, tmp_path: Path) -> None:
    """A block under `<!-- test -->` runs as it stands; `<!-- test: exit 0 1 -->` allows further exit codes."""
    program = tmp_path / "bin" / "xpu-doctor"
    program.parent.mkdir()
    # For the doctor only: a `python3` of the block may be of another version, which must not get our library.
    paths = os.pathsep.join(dict.fromkeys((str(PACKAGE.parent), str(ROOT))))
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH="{paths}" exec "{sys.executable}" -m xpu_doctor "$@"\n', encoding="utf-8"
    )
    program.chmod(0o755)
    given = environment(PATH=f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    run = subprocess.run(
        ["sh", "-e", "-c", block.body],
        cwd=tmp_path,
        env=given,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    allowed = {int(code) for code in re.findall(r"\d+", block.mark)} or {0}
    assert run.returncode in allowed, run.stdout + run.stderr
    assert "Traceback" not in run.stderr


def test_some_blocks_are_marked() -> None:
    """An empty list would pass every test."""
    assert len(MARKED) >= 4
    assert len(command_lines()) > 30


@pytest.mark.parametrize("block", [block for block in blocks() if block.kind == "sh"], ids=str)
def test_shell_blocks_are_shell(block: Block, tmp_path: Path) -> None:
    """`sh -n` accepts every block, and each tool of the repository that it starts exists."""
    if shutil.which("sh") is None:
        pytest.skip("no sh")
    run = subprocess.run(["sh", "-n", "-c", block.body], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    for name in re.findall(r"\b((?:tools|tests|requirements)/[\w./]+)", block.body):
        assert (ROOT / name).exists() or name in MADE.findall((ROOT / block.page).read_text(encoding="utf-8")), name


@pytest.mark.parametrize("block", [block for block in blocks() if block.kind == "powershell"], ids=str)
def test_powershell_blocks_are_powershell(block: Block) -> None:
    """PowerShell's grammar takes every line, and each has its program as its first word."""
    for line in block.body.strip().splitlines():
        assert all(command[0] for command in commands_of(line)), line


def test_readme_has_a_line_for_powershell() -> None:
    """It makes an environment, installs the doctor there and runs it, and stops at the first step that fails."""
    [line] = [block.body.strip() for block in blocks() if block.page == "README.md" and block.kind == "powershell"]
    doctor = "xpu-doctor"
    assert commands_of(line) == [
        ("python", "-m", "venv", ".venv"),
        (r".venv\Scripts\pip", "install", "--quiet", "."),
        (rf".venv\Scripts\{doctor}", "check", "--python", "python"),
    ]
    assert line.count("if ($?)") == 2


@pytest.mark.parametrize("block", [block for block in blocks() if block.kind == "python"], ids=str)
def test_python_blocks_compile(block: Block) -> None:
    compile(block.body, block.page, "exec")


NAMED = re.compile(
    r"(?<![\w/.-])(?:xpu_doctor|tests|tools|fixtures|benchmarks|examples|docs|requirements)/[\w./-]*[\w/]"
)


def is_there(name: str) -> bool:
    """Whether a path of the repository exists; the package may be installed elsewhere."""
    inside = name.removeprefix("xpu_doctor/")
    return (PACKAGE / inside if name != inside else ROOT / name).exists()


def file_names() -> set[str]:
    """The names of all Python files of the repository, and of some that a plug-in has."""
    folders = (PACKAGE, *(ROOT / name for name in ("tests", "tools", "examples", "benchmarks")))
    return {path.name for folder in folders for path in folder.rglob("*.py")} | {"sitecustomize.py", "runpy.py"}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_named_files_exist(path: Path) -> None:
    """A page names files by their whole path, and they exist; so a moved file is noticed."""
    text = path.read_text(encoding="utf-8")
    made = {*MADE.findall(text), *(name for name in NAMED.findall(text) if "driver-mixed-generations" in name)}
    assert [
        name for name in NAMED.findall(text) if name not in made and not is_there(name) and "CODE" not in name
    ] == []
    bare = set(re.findall(r"`(\w+\.py)`", text))
    assert bare - file_names() - {Path(name).name for name in made} == set()


@pytest.mark.parametrize("kind", ["*.py", "*.toml"])
def test_files_that_the_package_names_exist(kind: str) -> None:
    """Docstrings, comments and tables name modules that there are."""
    known = file_names()
    wrong = []
    for path in sorted(PACKAGE.rglob(kind)):
        if path.name == "signatures.toml":
            continue  # messages of other programs name their own files
        text = path.read_text(encoding="utf-8")
        wrong += [f"{path.name}: {name}" for name in NAMED.findall(text) if name.endswith(".py") and not is_there(name)]
        wrong += [f"{path.name}: {name}" for name in re.findall(r"`([a-z_]+\.py)`", text) if name not in known]
    assert wrong == []


@pytest.mark.parametrize(
    "path", [path for path in TEXTS if "docs" not in path.relative_to(ROOT).parts], ids=lambda path: path.name
)
def test_links_of_pages_outside_the_site(path: Path) -> None:
    """README and its like are read in the repository; the build checks those of the site."""
    targets = [
        match[1] for match in LINK.finditer(path.read_text(encoding="utf-8")) if match[1] and "://" not in match[1]
    ]
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_the_exit_codes_are_those_of_the_program() -> None:
    text = (ROOT / "docs" / "reference" / "exit-codes.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| (\d+) \| `(\w+)`", text, re.MULTILINE) == [
        (str(code.value), code.name) for code in ExitCode
    ]


def test_every_page_is_in_english_that_people_use() -> None:
    """Words that crept in and that no reader expects: in the site, in the pages of findings, and in what reports say from tables."""
    odd = re.compile(
        r"\bfor ever\b|\bspeaks? for\b|\bbrought home\b|\bmend(?:s|ed|ing)?\b|\bcorpse\b|\bwhose matter\b|\bdoes not bear\b",
        re.IGNORECASE,
    )
    pages = [*TEXTS, *PACKAGE.glob("rules/**/*.md")]
    tables = [PACKAGE / "data" / f"{name}.toml" for name in ("first_aid", "questions", "implications", "known_faults")]
    found = [
        f"{path.name}: {match[0]}"
        for path in (*pages, *tables)
        if path.name != "CHANGELOG.md"
        for match in odd.finditer(
            re.sub(r"`[^`\n]{1,80}`|\bpasted\.\w+", "", path.read_text(encoding="utf-8"))
        )  # names of facts are code
    ]
    assert found == []


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the site is made of."""
    pytest.importorskip("material", reason="the extra 'docs' is not installed")
    folder = tmp_path_factory.mktemp("docs")
    shutil.copytree(ROOT / "docs", folder / "docs")
    (folder / "tools").mkdir()
    shutil.copy2(ROOT / "tools" / "docs.py", folder / "tools")
    shutil.copy2(ROOT / "mkdocs.yml", folder)
    return folder


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """Build the site of a copy."""
    given = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.run(
        [sys.executable, "tools/docs.py", "build"],
        cwd=folder,
        env=given,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_site(copy: Path) -> None:
    """It builds without a warning, every finding has its address, it loads nothing from elsewhere, and a broken link is an error."""
    run = build(copy)
    assert run.returncode == 0, run.stdout + run.stderr
    site = copy / ".cache" / "site"
    assert [code for code in codes() if not (site / "findings" / code / "index.html").exists()] == []
    addresses = {code: page_address(code, rule.layer) for code, rule in rules_by_code().items()}
    assert [code for code, address in addresses.items() if address != f"{SITE}/findings/{code}/"] == []
    assert f"site_url: {SITE}/" in (copy / "mkdocs.yml").read_text(encoding="utf-8")
    assert "--expect" in (site / "reference" / "cli" / "index.html").read_text(encoding="utf-8")
    home = copy / "docs" / "index.md"
    home.write_text(home.read_text(encoding="utf-8") + "\n[nowhere](findings/no-such-code.md)\n", encoding="utf-8")
    assert build(copy).returncode != 0


def test_the_readme_leads_only_to_files_of_the_repository() -> None:
    """In a bare clone there is no page that tools/docs.py makes."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    paths = {path for path, _ in LINK.findall(text) if path and not path.startswith("http")}
    made = {"docs/findings", *(f"docs/reference/{name}.md" for name in ("cli", "facts", "schema", "tables"))}
    assert len(paths) > 20 and [path for path in sorted(paths) if not (ROOT / path).exists()] == []
    assert not any(path.startswith(tuple(made)) for path in paths)

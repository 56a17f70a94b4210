"""What people expect of the project around the code: licence, types, changelog, workflows, a lock, and one module for plug-ins."""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import typing
from importlib import metadata
from pathlib import Path

import pytest

import xpu_doctor
from xpu_doctor import plugin
from xpu_doctor.catalogue.names import all_codes
from xpu_doctor.model import facts
from xpu_doctor.model.facts.combined import COMBINED

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "xpu-doctor-battery"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PROGRAM = """
from xpu_doctor import Document, SnapshotError, TargetError, __version__, check, triage

try:
    report: Document = check("/usr/bin/python3", only=["wheel"])
except (SnapshotError, TargetError) as error:
    raise SystemExit(str(error)) from error
diagnosis: Document = triage("text", "another")
print(__version__.upper(), report.exit_code + 1, [cause.code.upper() for cause in diagnosis.root_causes])
"""


def _distribution() -> metadata.Distribution:
    try:
        found = metadata.distribution("xpu-doctor")
    except metadata.PackageNotFoundError:
        pytest.skip("xpu-doctor runs from a checkout here, not installed")
    if json.loads(found.read_text("direct_url.json") or "{}").get("dir_info", {}).get("editable"):
        pytest.skip("xpu-doctor is installed for editing here, not from a wheel")
    return found


def test_the_wheel_holds_licence_notice_and_types() -> None:
    """The name of a licence is no licence: the text has to come with the package."""
    files = {str(path): path for path in _distribution().files or ()}
    by_name = {path.name: str(path.locate()) for path in files.values()}
    assert "Apache License" in Path(by_name["LICENSE"]).read_text(encoding="utf-8")
    assert "Copyright 2013 Intel Corporation" in Path(by_name["NOTICE"]).read_text(encoding="utf-8")
    assert "xpu_doctor/py.typed" in files
    facts = _distribution().metadata
    assert facts["License-Expression"] == "Apache-2.0"
    assert {line.split(",")[0] for line in facts.get_all("Project-URL")} == {
        "Homepage",
        "Documentation",
        "Source",
        "Issues",
        "Changelog",
    }


def test_the_notice_holds_the_kernels_licence_word_for_word() -> None:
    words = (ROOT / "NOTICE").read_text(encoding="utf-8").split()
    head = (ROOT / "fixtures" / "pciids" / "pciids.h").read_text(encoding="utf-8").partition("*/")[0]
    licence = re.sub(r"^[ /]*\*", "", head, flags=re.MULTILINE).split()
    assert " ".join(licence) in " ".join(words)


@pytest.fixture(scope="module")
def mypy_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mypy-cache")


@pytest.mark.parametrize("subject", ["a program", "the example plug-in"])
def test_strict_types_for_those_who_import_us(tmp_path: Path, mypy_cache: Path, subject: str) -> None:
    """mypy --strict finds our types (py.typed) and nothing to complain of."""
    pytest.importorskip("mypy")
    if subject == "a program":
        (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    else:
        shutil.copytree(EXAMPLE / "src", tmp_path, dirs_exist_ok=True)
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={mypy_cache}", "."],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr


def test_our_types_are_really_seen(tmp_path: Path, mypy_cache: Path) -> None:
    """Where mypy took everything for Any, the tests above would pass as well."""
    pytest.importorskip("mypy")
    (tmp_path / "wrong.py").write_text("from xpu_doctor import check\n\ncheck(5)\n", encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={mypy_cache}", "wrong.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert run.returncode == 1 and "[arg-type]" in run.stdout, run.stdout + run.stderr


@pytest.mark.parametrize("path", sorted(EXAMPLE.rglob("*.py")), ids=lambda path: path.name)
def test_the_example_imports_the_plugin_module_alone(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert {name for name in imported if name.split(".")[0] == "xpu_doctor"} <= {"xpu_doctor.plugin"}


def test_the_examples_own_tests_pass() -> None:
    """They are what the guide for plug-ins tells an author to write."""
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(EXAMPLE), "-o", "addopts=", str(EXAMPLE / "tests")],
        env={**os.environ, "PYTHONPATH": f"{EXAMPLE / 'src'}{os.pathsep}{Path(xpu_doctor.__file__).parents[1]}"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_plugin_module_names_all_that_it_holds() -> None:
    """`__all__` is the promise: complete, and described in the reference; facts have a page of their own."""
    public = {name for name in vars(plugin) if not name.startswith("_") and name != "annotations"}
    assert public == set(plugin.__all__)
    assert len(plugin.__all__) == len(public)
    described = (ROOT / "docs" / "reference" / "plugin-api.md").read_text(encoding="utf-8")
    assert [name for name in public - set(facts.__all__) if f"`{name}" not in described] == []


def test_what_a_plugin_is_given_and_gives_can_be_imported() -> None:
    """A type that a fact, a finding or a host has, and that a plug-in cannot name, keeps its author from annotating a helper."""
    found: set[type] = set()

    def walk(item: object) -> None:
        for part in typing.get_args(item):
            walk(part)
        if not isinstance(item, type) or not item.__module__.startswith("xpu_doctor") or item in found:
            return
        found.add(item)
        members = [member.fget if isinstance(member, property) else member for member in vars(item).values()]
        for owner in [item, *filter(inspect.isfunction, members)]:
            for hint in typing.get_type_hints(owner).values():
                walk(hint)

    for start in (plugin.Snapshot, plugin.Finding, plugin.Host, plugin.Probe, plugin.Rule, *COMBINED.values()):
        walk(start)
    internal = {"Confinement"}  # what a property of Access makes of a fact that is a text
    assert {item.__name__ for item in found} - set(plugin.__all__) == internal
    assert {"EvidenceKind", "Shell", "Package"} <= {item.__name__ for item in found}


def test_the_changelog_lists_this_version_and_every_code() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{xpu_doctor.__version__}]" in text
    assert [code for code in all_codes() if not re.search(rf"(?<![\w-]){code}(?![\w-])", text)] == []


def test_the_lock_holds_neither_torch_nor_an_address() -> None:
    """The tests take the build of torch that the machine's index has, and no address of anybody's index may get into the lock."""
    text = (ROOT / "requirements" / "test.txt").read_text(encoding="utf-8")
    names = {line.partition("==")[0] for line in text.splitlines() if line and not line.startswith("#")}
    assert {"pytest", "hypothesis", "ruff", "mypy", "click", "mkdocs-material"} <= names
    assert "torch" not in names
    assert not re.search(r"://|--(?:extra-)?index-url|--find-links[ =]|file:", text)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned(path: Path) -> None:
    """Each action by commit, with its version behind it for the reader and for dependabot."""
    uses = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))
    assert uses
    assert [line for line in uses if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []


@pytest.mark.skipif(os.name == "nt" or shutil.which("sh") is None, reason="the step is for a POSIX shell")
@pytest.mark.parametrize(("tag", "code"), [(f"v{xpu_doctor.__version__}", 0), ("v99.0.0", 1)])
def test_the_release_compares_tag_and_version(tmp_path: Path, tag: str, code: int) -> None:
    """The step of the workflow, run as it stands: it finds the version in the source, and refuses another tag."""
    workflow = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    step = re.search(r"TAG: .*\n +run: \|\n((?: {10}.*\n)+)", workflow)
    assert step is not None
    caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(xpu_doctor.__file__).parent / "model", tmp_path / "xpu_doctor" / "model", ignore=caches)
    shutil.copy2(ROOT / "CHANGELOG.md", tmp_path)
    run = subprocess.run(
        ["sh", "-e", "-c", step[1]], cwd=tmp_path, env={**os.environ, "TAG": tag}, capture_output=True, check=False
    )
    assert run.returncode == code, run.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_files_that_workflows_name_exist(path: Path) -> None:
    """So a moved file is noticed."""
    text = path.read_text(encoding="utf-8")
    named = re.findall(r"(?<![\w/.-])((?:xpu_doctor|tests|tools|requirements|\.ci)/[\w./-]+\w)", text)
    package = Path(xpu_doctor.__file__).parents[1]
    assert [name for name in named if not ((package if name.startswith("xpu_doctor/") else ROOT) / name).exists()] == []


@pytest.mark.parametrize(
    ("schema", "paths"),
    [
        ("vendor.github-workflows", WORKFLOWS),
        ("vendor.dependabot", [ROOT / ".github" / "dependabot.yml"]),
        (
            "vendor.github-issue-forms",
            [path for path in sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")) if path.name != "config.yml"],
        ),
        ("vendor.github-issue-config", [ROOT / ".github" / "ISSUE_TEMPLATE" / "config.yml"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_files_for_github_are_valid(schema: str, paths: list[Path]) -> None:
    pytest.importorskip("check_jsonschema")
    run = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, paths)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_bug_form_asks_for_the_report() -> None:
    assert "xpu-doctor check --json" in (ROOT / ".github" / "ISSUE_TEMPLATE" / "bug.yml").read_text(encoding="utf-8")

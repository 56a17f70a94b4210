"""The rooms of the package: few modules in the root, no circle between modules, an order that import-linter holds."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import grimp

import xpu_doctor
from xpu_doctor.tables import parse_toml

PACKAGE = Path(xpu_doctor.__file__).parent


def circles(graph: grimp.ImportGraph) -> list[list[str]]:
    """Return the sets of modules that import each other, directly or through others."""
    left = set(graph.modules)
    found = []
    while left:
        module = left.pop()
        below = graph.find_upstream_modules(module)
        circle = sorted({module, *(other for other in below if module in graph.find_upstream_modules(other))})
        left -= set(circle)
        if len(circle) > 1:
            found.append(circle)
    return found


def test_no_module_imports_itself_through_others() -> None:
    graph = grimp.build_graph("xpu_doctor", cache_dir=None)
    assert len(graph.modules) > 200
    # The root offers its public names, imported when they are first used: that is no import of a module by another.
    for public in ("xpu_doctor.api", "xpu_doctor.diagnosis.diagnose", "xpu_doctor.report.document"):
        graph.remove_import(importer="xpu_doctor", imported=public)
    assert circles(graph) == []


def test_the_search_finds_circles() -> None:
    graph = grimp.ImportGraph()
    for importer, imported in (("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")):
        graph.add_import(importer=importer, imported=imported)
    assert circles(graph) == [["a", "b", "c"]]


def test_the_root_holds_few_modules() -> None:
    assert sorted(path.name for path in PACKAGE.glob("*.py")) == [
        "__init__.py",
        "__main__.py",
        "api.py",
        "plugin.py",
        "testing.py",
    ]


def test_every_room_says_what_it_is_for() -> None:
    for room in PACKAGE.rglob("__init__.py"):
        text = room.read_text(encoding="utf-8")
        assert text.startswith('"""') and len(text.split('"""')[1].strip()) > 15, f"{room} has no docstring"


def late_imports(path: Path) -> set[str]:
    """Modules that are imported inside functions of a module."""
    found: set[str] = set()
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for node in ast.walk(function):
                if isinstance(node, ast.ImportFrom):
                    found.add(str(node.module))
                elif isinstance(node, ast.Import):
                    found.update(alias.name for alias in node.names)
    return found


def test_every_import_inside_a_function_is_listed_with_its_reason() -> None:
    """The list is late_imports.toml beside this file; move the import to the top of its module, or say there why not."""
    rows = parse_toml((Path(__file__).with_name("late_imports.toml")).read_text(encoding="utf-8"))["module"]
    assert all(len(row["why"]) > 10 for row in rows)
    listed = {row["name"]: set(row["imports"]) for row in rows}
    found = {
        path.relative_to(PACKAGE).as_posix(): late
        for path in PACKAGE.rglob("*.py")
        if not path.relative_to(PACKAGE).as_posix().startswith(("target/agent/", "watching/inside/"))
        and (late := late_imports(path))
    }
    assert found == listed


def test_the_page_about_the_rooms_lists_them_all() -> None:
    """In the order of the layers contract."""
    root = Path(__file__).parents[2]
    page = (root / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `xpu_doctor/(\w+)(?:/|\.py)` \|", page, re.MULTILINE)
    contract = (root / "pyproject.toml").read_text(encoding="utf-8").partition("layers = [")[2].partition("]\n")[0]
    layers = [name for line in re.findall(r'^  "(.*?)"', contract, re.MULTILINE) for name in line.split(" | ")]
    assert listed == layers
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == set(layers) - {"api"}

"""Measures the shape of Python packages side by side: sizes, complexity, documentation, and which way their imports go.

    python tools/house_measures.py xpu_doctor                       # this package
    python tools/house_measures.py xpu_doctor SITE/pip_audit ...    # beside others, one column each

Files are parsed, never imported. A function's complexity is one more than its branches: `if`, `for`, `while`, `except`, `case`, each
`and` or `or`, each conditional expression, and each loop or condition of a comprehension.
"""

from __future__ import annotations

import argparse
import ast
import io
import statistics
import tokenize
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

LONG = 50
"""Lines from which on a function is called long."""
COMPLEX = 10
"""Branches above which a function is called complex."""
Function = ast.FunctionDef | ast.AsyncFunctionDef
_BRANCHES = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.IfExp, ast.match_case)


@dataclass(frozen=True)
class Module:
    """One file of a package."""

    name: str
    is_package: bool
    text: str
    tree: ast.Module

    @cached_property
    def functions(self) -> list[Function]:
        """All functions and methods, nested ones included."""
        return [node for node in ast.walk(self.tree) if isinstance(node, Function)]

    @cached_property
    def public(self) -> list[ast.Module | ast.ClassDef | Function]:
        """The module itself, and its public classes, functions and methods of public classes."""
        return [self.tree, *_public(self.tree)]

    @cached_property
    def comments(self) -> tuple[int, int]:
        """How many comments stand on a line of their own, and how many behind code."""
        tokens = [token for token in _tokens(self.text) if token.type == tokenize.COMMENT]
        own = sum(1 for token in tokens if token.line.lstrip().startswith("#"))
        return own, len(tokens) - own

    @cached_property
    def reasons(self) -> int:
        """How many constants and fields have a sentence under them."""
        return sum(
            1
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Module | ast.ClassDef)
            for before, after in zip(node.body, node.body[1:], strict=False)
            if isinstance(before, ast.Assign | ast.AnnAssign)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
            and isinstance(after.value.value, str)
        )

    @cached_property
    def code_lines(self) -> int:
        """How many lines hold code, docstrings included."""
        return sum(1 for line in self.text.splitlines() if line.strip() and not line.lstrip().startswith("#"))

    def imported(self) -> Iterator[str]:
        """Yield the full names of what it imports, wherever in it that is done."""
        parts = self.name.split(".") if self.is_package else self.name.split(".")[:-1]
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = parts[: len(parts) - node.level + 1] if node.level else []
                source = ".".join([*base, *filter(None, [node.module])])
                yield from (f"{source}.{alias.name}" for alias in node.names)


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    return tokenize.generate_tokens(io.StringIO(text).readline)


def _public(node: ast.Module | ast.ClassDef) -> Iterator[ast.ClassDef | Function]:
    for item in node.body:
        if isinstance(item, ast.ClassDef | Function) and not item.name.startswith("_"):
            yield item
            if isinstance(item, ast.ClassDef):
                yield from _public(item)


def modules(folder: Path) -> dict[str, Module]:
    """Return the modules of a package by their full names."""
    found: dict[str, Module] = {}
    for path in sorted(folder.rglob("*.py")):
        parts = (package_name(folder), *path.relative_to(folder).with_suffix("").parts)
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        text = path.read_text(encoding="utf-8")
        found[name] = Module(name, is_package, text, ast.parse(text))
    return found


def package_name(folder: Path) -> str:
    """Return the full name of the package in a folder, which may lie within others."""
    above = folder.parent
    return f"{package_name(above)}.{folder.name}" if (above / "__init__.py").exists() else folder.name


def complexity(function: Function) -> int:
    """Return one more than the branches of a function; functions inside it count for themselves."""
    total, waiting = 1, list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        if isinstance(node, Function):
            continue
        waiting += ast.iter_child_nodes(node)
        if isinstance(node, _BRANCHES):
            total += 1
        elif isinstance(node, ast.BoolOp):
            total += len(node.values) - 1
        elif isinstance(node, ast.comprehension):
            total += 1 + len(node.ifs)
    return total


def imports(held: Mapping[str, Module]) -> dict[str, set[str]]:
    """Return which modules of a package each of its modules imports."""
    return {
        name: {target for full in module.imported() if (target := _longest(full, held)) and target != name}
        for name, module in held.items()
    }


def _longest(full: str, held: Mapping[str, Module]) -> str:
    """Return the module that an imported name is, or is in; empty for one of another package."""
    while full and full not in held:
        full = full.rpartition(".")[0]
    return full


def circles(graph: Mapping[str, set[str]]) -> list[set[str]]:
    """Return the groups of modules that import each other, directly or through others."""
    reached = {name: _reached(name, graph) for name in graph}
    groups = {frozenset(other for other in reached[name] if name in reached[other]) for name in graph}
    return [set(group) for group in groups if len(group) > 1]


def _reached(start: str, graph: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for name in graph[waiting.pop()] - seen:
            seen.add(name)
            waiting.append(name)
    return seen


def room(name: str, package: str) -> str:
    """Return the part of a package that a module belongs to: the folder or the module directly under its root."""
    return name[len(package) :].lstrip(".").partition(".")[0]


def measures(folder: Path) -> dict[str, str]:
    """Return each measure of a package as text."""
    held = modules(folder)
    functions = [function for module in held.values() for function in module.functions]
    lengths = sorted((function.end_lineno or 0) - function.lineno + 1 for function in functions)
    branches = sorted(map(complexity, functions))
    public = [node for module in held.values() for node in module.public]
    code = sum(module.code_lines for module in held.values()) or 1
    own, behind = (sum(module.comments[place] for module in held.values()) for place in (0, 1))
    graph = imports(held)
    package = package_name(folder)
    arrows = {
        arrow
        for name, targets in graph.items()
        for target in targets
        if (arrow := (room(name, package), room(target, package)))[0] != arrow[1]
    }
    sizes = sorted(len(module.text.splitlines()) for module in held.values())
    root = list(folder.glob("*.py"))
    return {
        "modules / lines": f"{len(held)} / {sum(sizes):,}",
        "modules in the root": str(len(root)),
        "median / p90 / longest module": _spread(sizes),
        "functions": f"{len(functions):,}",
        "median / p90 / longest function": _spread(lengths),
        f"functions over {LONG} lines": str(sum(length > LONG for length in lengths)),
        "complexity, mean / max": f"{statistics.mean(branches):.1f} / {max(branches)}",
        f"functions above {COMPLEX}": f"{_share(branches, lambda value: value > COMPLEX)}",
        "annotated returns": _share(functions, lambda item: item.returns is not None),
        "docstrings, public": _share(public, lambda item: ast.get_docstring(item) is not None),
        "comments on their own line per 100 lines of code": f"{100 * own / code:.1f}",
        "comments behind code per 100": f"{100 * behind / code:.1f}",
        "constants and fields with a sentence per 100": f"{100 * sum(m.reasons for m in held.values()) / code:.1f}",
        "import circles": str(len(circles(graph))),
        "arrows between parts of the root": str(len(arrows)),
    }


def _spread(values: Sequence[int]) -> str:
    return f"{statistics.median(values):g} / {values[int(len(values) * 0.9)]:,} / {values[-1]:,}"


def _share(items: Sequence[T], test: Callable[[T], bool]) -> str:
    return f"{100 * sum(map(test, items)) / (len(items) or 1):.1f} %"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("package", nargs="+", type=Path, help="folder of a package")
    folders: list[Path] = parser.parse_args().package
    columns = [measures(folder.resolve()) for folder in folders]
    print("| |", " | ".join(folder.resolve().name for folder in folders), "|")
    print("|--|" + "--:|" * len(folders))
    for name in columns[0]:
        print("|", name, "|", " | ".join(column[name] for column in columns), "|")


if __name__ == "__main__":
    main()

"""Makes the files of a new finding code: the rule, its page, its cases, and the entry in its layer's RULES.

    python tools/new_rule.py CODE LAYER [--facts torch,driver] [--symptom]

A code that docs/reference/codes.md does not list yet is added there and to CHANGELOG.md. --facts names the fact groups that the
rule judges, as fields of Snapshot. Every file holds words in angle brackets where something has to be written; the contract
tests fail while any is left.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEADINGS = ("What it means", "How we know", "Fix", "Why it happens", "If that was not it", "References")
TODO = "<to be written>"

RULE = '''"""{todo}."""

from __future__ import annotations

from collections.abc import Iterator

{imports}


class {name}(Rule):
    """{todo}."""

    code = "{code}"
    layer = Layer.{layer}
{symptom}    explains = dict[str, str]()

    def check(self, {parameters}) -> Iterator[Finding]:
        """{todo}."""
        if {condition}:
            yield self.found("{todo}", "{todo}", evidence=("{path}",))
'''

IMPORTS = (
    "from xpu_doctor.diagnosis.rule import Rule",
    "from xpu_doctor.model.facts import {types}",
    "from xpu_doctor.model.findings import Finding, Layer",
    "from xpu_doctor.model.unknown import {unknown}",
)

CASES = """# Cases of {code}.

[[found]]
name = "{todo}"
[found.snapshot]
{found}

[[clear]]
name = "{todo}"
[clear.snapshot]
{clear}

[[undecided]]
name = "nobody looked"
[undecided.snapshot]
"""

NO_GROUPS = ("failures", "sources", "plugins")
PLAIN = {"str": (f'"{TODO}"', '"another value"'), "bool": ("true", "false"), "int": ("1", "0"), "float": ("1.0", "0.0")}
"""TOML values of the found and the clear case by the type of a fact."""


def groups(root: Path) -> dict[str, str]:
    """Return the type of each fact group, as it is written in Snapshot."""
    tree = ast.parse((root / "xpu_doctor/model/snapshot.py").read_text(encoding="utf-8"))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Snapshot")
    fields = {
        ast.unparse(node.target): ast.unparse(node.annotation) for node in body if isinstance(node, ast.AnnAssign)
    }
    return {
        name: kind
        for name, kind in fields.items()
        if re.search(r"\b[A-Z]\w+", kind.removeprefix("Maybe")) and name not in NO_GROUPS
    }


def first_fact(root: Path, group: str, kind: str) -> tuple[str, str]:
    """Return path and type of a group's first plain fact, else of its first fact; the group itself where it is a tuple."""
    for path in sorted((root / "xpu_doctor/model/facts").glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.name == kind:
                fields = [
                    (ast.unparse(item.target), ast.unparse(item.annotation))
                    for item in node.body
                    if isinstance(item, ast.AnnAssign)
                ]
                facts = [
                    (name, held[1])
                    for name, annotation in fields
                    if (held := re.fullmatch(r"Maybe\[(.*)\]", annotation))
                ]
                name, type_ = next((fact for fact in facts if fact[1] in PLAIN), facts[0])
                return f"{group}.{name}", type_
    return group, ""


def filled(root: Path, facts: tuple[str, ...]) -> dict[str, str]:
    """Return the parts of the templates that depend on the fact groups.

    Raises:
        ValueError: there is no such fact group.
    """
    known = groups(root)
    for name in facts:
        if name not in known:
            raise ValueError(f"{name} is no fact group; there are {', '.join(sorted(known))}")
    path, type_ = first_fact(root, facts[0], known[facts[0]])
    found, clear = PLAIN.get(type_, ("[]", "[]"))
    types = sorted(
        {word for name in facts for word in re.findall(r"\b[A-Z]\w+", known[name]) if word != "Maybe"}, key=str.lower
    )
    maybe = "Maybe, " if any("Maybe" in known[name] for name in facts) else ""
    group, _, field = path.partition(".")
    return {
        "imports": "\n".join(IMPORTS).format(types=", ".join(types), unknown=f"{maybe}known"),
        "parameters": ", ".join(f"{name}: {known[name]}" for name in facts),
        "condition": f"known({path})" if type_ == "bool" else f"known({path}) == {found if type_ in PLAIN else '()'}",
        "path": path,
        "found": f"{group} = {{ {field} = {found} }}" if field else f"{group} = []",
        "clear": f"{group} = {{ {field} = {clear} }}" if field else f"{group} = []",
    }


def layers(root: Path) -> dict[str, str]:
    """Return the layer of each code in docs/reference/codes.md."""
    text = (root / "docs" / "reference" / "codes.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z]+) \| (.+) \|$", text, re.MULTILINE)
    return {code.strip(" `"): layer for layer, codes in rows if layer != "layer" for code in codes.split(",")}


def list_code(root: Path, code: str, layer: str) -> None:
    """Add a code to the row of its layer in docs/reference/codes.md and to CHANGELOG.md, unless it is listed.

    Raises:
        ValueError: it is no name of a code, there is no such layer, it stands under another one, or it was retired.
    """
    path = root / "docs" / "reference" / "codes.md"
    text = path.read_text(encoding="utf-8")
    held = layers(root)
    if held.get(code) == layer:
        return
    row = re.search(rf"^\| {re.escape(layer)} \| .+(?= \|$)", text, re.MULTILINE)
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code):
        raise ValueError(f"{code} is no name of a code: use lower-case words and hyphens, such as torch-cpu-wheel")
    if row is None:
        raise ValueError(f"{layer} is no layer; there are {', '.join(dict.fromkeys(held.values()))}")
    if code in held:
        raise ValueError(
            f"{code} is no code of the layer {layer} in docs/reference/codes.md: it stands under {held[code]}"
        )
    if f"`{code}`" in text.partition("## Retired")[2]:
        raise ValueError(f"{code} was retired, and a retired code is never used again")
    path.write_text(text[: row.end()] + f", {code}" + text[row.end() :], encoding="utf-8")
    changelog = root / "CHANGELOG.md"
    if changelog.exists():
        changelog.write_text(with_change(changelog.read_text(encoding="utf-8"), code), encoding="utf-8")


def with_change(text: str, code: str) -> str:
    """Return the changelog with a code as the first item of what was added since the last release."""
    line = f"- The finding code {code}: {TODO}.\n"
    head, mark, body = text.partition("## [Unreleased]\n")
    unreleased, next_release, rest = body.partition("\n## [")
    added = "\n### Added\n\n"
    unreleased = unreleased.replace(added, added + line, 1) if added in unreleased else added + line + unreleased
    return head + mark + unreleased + next_release + rest


def class_name(code: str) -> str:
    """Return the rule's class name: torch-cpu-wheel is TorchCpuWheel."""
    return "".join(part.capitalize() for part in code.split("-"))


def new_rule(
    root: Path, code: str, layer: str, symptom: bool = False, facts: tuple[str, ...] = ("torch",)
) -> tuple[Path, ...]:
    """Write the files of a code, list it, and return the files, the changed RULES last.

    Raises:
        ValueError: the code cannot be listed under that layer, has its files already, or a fact group does not exist.
    """
    folder = root / "xpu_doctor" / "rules" / ("import_" if layer == "import" else layer)
    module = code.replace("-", "_")
    rule, page, cases = folder / f"{module}.py", folder / f"{module}.md", root / "fixtures" / "rules" / f"{code}.toml"
    there = [path for path in (rule, page, cases) if path.exists()]
    if there:
        raise ValueError(f"{there[0].relative_to(root)} exists already")
    values = {"code": code, "name": class_name(code), "layer": layer.upper(), "todo": TODO, **filled(root, facts)}
    list_code(root, code, layer)
    values["symptom"] = "    symptom = True\n" if symptom else ""
    rule.write_text(RULE.format(**values), encoding="utf-8")
    page.write_text(f"# {code}\n" + "".join(f"\n## {heading}\n\n{TODO}\n" for heading in HEADINGS), encoding="utf-8")
    cases.write_text(CASES.format(**values), encoding="utf-8")
    package = folder / "__init__.py"
    package.write_text(
        with_entry(package.read_text(encoding="utf-8"), folder.name, module, class_name(code)), encoding="utf-8"
    )
    return rule, page, cases, package


def with_entry(text: str, package: str, module: str, name: str) -> str:
    """Return the text of a layer's __init__ with one more rule: imports in alphabetical order, the rule last in RULES, whose order has a meaning."""
    line = f"from xpu_doctor.rules.{package}.{module} import {name}"
    imports = sorted({*re.findall(r"^from xpu_doctor\.rules\..*$", text, re.MULTILINE), line})
    held = re.search(r"^RULES: tuple\[type\[Rule\], \.\.\.\] = \((.*?)\)$", text, re.MULTILINE | re.DOTALL)
    if held is None:
        raise ValueError(f"rules/{package}/__init__.py has no RULES")
    names = list(dict.fromkeys([*(word for word in re.split(r"[\s,]+", held[1]) if word), name]))
    head = re.sub(r"^from xpu_doctor\.rules\..*\n", "", text[: held.start()], flags=re.MULTILINE).rstrip()
    body = "RULES: tuple[type[Rule], ...] = (\n" + "".join(f"    {item},\n" for item in names) + ")"
    return head + "\n" + "\n".join(imports) + "\n\n" + body + text[held.end() :]


def main(arguments: list[str] | None = None) -> int:
    """Make the files that the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("code", help="kebab-case; it is never renamed")
    parser.add_argument("layer", help="its layer, as docs/reference/codes.md names it")
    parser.add_argument(
        "--facts", default="torch", help="fact groups that the rule judges, separated by commas (default: torch)"
    )
    parser.add_argument("--symptom", action="store_true", help="the finding tells how something failed, not why")
    asked = parser.parse_args(arguments)
    try:
        made = new_rule(
            ROOT,
            asked.code,
            asked.layer,
            asked.symptom,
            tuple(name.strip() for name in asked.facts.split(",") if name.strip()) or ("torch",),
        )
    except ValueError as error:
        print(f"new_rule: {error}", file=sys.stderr)
        return 2
    print("\n".join(str(path.relative_to(ROOT)) for path in made))
    return 0


if __name__ == "__main__":
    sys.exit(main())

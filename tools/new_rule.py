"""Makes the files of a new finding code: the rule, its page, its cases, and the entry in its layer's RULES.

    python tools/new_rule.py CODE LAYER [--symptom]

The code must already stand in docs/reference/codes.md under that layer: the name is a promise, the files are not.
Every file holds words in angle brackets where something has to be written; the contract tests fail while any is left.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEADINGS = ("What it means", "How we know", "Fix", "Why it happens", "If that was not it", "References")
TODO = "<to be written>"

RULE = '''"""{todo}."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.facts import Torch
from xpu_doctor.findings import Finding, Layer
from xpu_doctor.rule import Rule
from xpu_doctor.unknown import known


class {name}(Rule):
    """{todo}."""

    code = "{code}"
    layer = Layer.{layer}
{symptom}    explains = frozenset[str]()

    def check(self, torch: Torch) -> Iterator[Finding]:
        """{todo}."""
        if known(torch.version) == "{todo}":
            yield self.found("torch", "{todo}", evidence=("torch.version",))
'''

CASES = """# Cases of {code}.

[[found]]
name = "{todo}"
[found.snapshot]
torch = {{ version = "{todo}" }}

[[clear]]
name = "{todo}"
[clear.snapshot]
torch = {{ version = "2.14.0+xpu" }}

[[undecided]]
name = "nobody looked"
[undecided.snapshot]
machine = {{ os = "linux" }}
"""


def layers(root: Path) -> dict[str, str]:
    """Return the layer of each code in docs/reference/codes.md."""
    text = (root / "docs" / "reference" / "codes.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z]+) \| (.+) \|$", text, re.MULTILINE)
    return {code.strip(" `"): layer for layer, codes in rows if layer != "layer" for code in codes.split(",")}


def class_name(code: str) -> str:
    """Return the rule's class name: torch-cpu-wheel is TorchCpuWheel."""
    return "".join(part.capitalize() for part in code.split("-"))


def new_rule(root: Path, code: str, layer: str, symptom: bool = False) -> tuple[Path, ...]:
    """Write the files of a code and return them, the changed RULES last.

    Raises:
        ValueError: the code is not listed under that layer, or has its files already.
    """
    listed = layers(root)
    if listed.get(code) != layer:
        where = f"it stands under {listed[code]}" if code in listed else "it is not listed"
        raise ValueError(f"{code} is no code of the layer {layer} in docs/reference/codes.md: {where}")
    folder = root / "xpu_doctor" / "rules" / ("import_" if layer == "import" else layer)
    module = code.replace("-", "_")
    rule, page, cases = folder / f"{module}.py", folder / f"{module}.md", root / "fixtures" / "rules" / f"{code}.toml"
    there = [path for path in (rule, page, cases) if path.exists()]
    if there:
        raise ValueError(f"{there[0].relative_to(root)} exists already")
    values = {"code": code, "name": class_name(code), "layer": layer.upper(), "todo": TODO, "symptom": "    symptom = True\n" if symptom else ""}
    rule.write_text(RULE.format(**values), encoding="utf-8")
    page.write_text(f"# {code}\n" + "".join(f"\n## {heading}\n\n{TODO}\n" for heading in HEADINGS), encoding="utf-8")
    cases.write_text(CASES.format(**values), encoding="utf-8")
    package = folder / "__init__.py"
    package.write_text(with_entry(package.read_text(encoding="utf-8"), folder.name, module, class_name(code)), encoding="utf-8")
    return rule, page, cases, package


def with_entry(text: str, package: str, module: str, name: str) -> str:
    """Return the text of a layer's __init__ with one more rule: imports and RULES in alphabetical order."""
    line = f"from xpu_doctor.rules.{package}.{module} import {name}"
    imports = sorted({*re.findall(r"^from xpu_doctor\.rules\..*$", text, re.MULTILINE), line})
    held = re.search(r"^RULES: tuple\[type\[Rule\], \.\.\.\] = \((.*?)\)$", text, re.MULTILINE | re.DOTALL)
    if held is None:
        raise ValueError(f"rules/{package}/__init__.py has no RULES")
    names = sorted({*(word for word in re.split(r"[\s,]+", held[1]) if word), name})
    head = re.sub(r"^from xpu_doctor\.rules\..*\n", "", text[: held.start()], flags=re.MULTILINE).rstrip()
    body = "RULES: tuple[type[Rule], ...] = (\n" + "".join(f"    {item},\n" for item in names) + ")"
    return head + "\n" + "\n".join(imports) + "\n\n" + body + text[held.end() :]


def main(arguments: list[str] | None = None) -> int:
    """Make the files that the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("code", help="kebab-case, as docs/reference/codes.md lists it")
    parser.add_argument("layer", help="its layer there")
    parser.add_argument("--symptom", action="store_true", help="it tells how something failed, not why")
    asked = parser.parse_args(arguments)
    try:
        made = new_rule(ROOT, asked.code, asked.layer, asked.symptom)
    except ValueError as error:
        print(f"new_rule: {error}", file=sys.stderr)
        return 2
    print("\n".join(str(path.relative_to(ROOT)) for path in made))
    return 0


if __name__ == "__main__":
    sys.exit(main())

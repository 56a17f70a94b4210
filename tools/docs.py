"""Builds the documentation site, and generates the pages that come from the code.

    python tools/docs.py build          # .cache/site; fails on any warning, broken link or asset of another site
    python tools/docs.py serve          # the same with live reload, for writing
    python tools/docs.py page NAME      # print one generated page, e.g. reference/cli.md

mkdocs.yml names this file as a hook, so that `mkdocs build` and `mkdocs serve` have the generated pages too. The page of a finding
is `findings/CODE/`; these addresses are part of the API as the codes are.
"""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / ".cache" / "site"
GENERATED = "This page is generated from the code of xpu-doctor {version}."
LAYERS = {
    "device": "The GPU on the bus",
    "kernel": "The kernel and its driver",
    "access": "The right to open the device",
    "driver": "Intel's user-space driver and the Level Zero loader",
    "runtime": "Shared libraries, and what the environment puts before them",
    "wheel": "The installed torch and its companions",
    "import": "`import torch`",
    "enumeration": "What `torch.xpu` sees",
    "compute": "Work on the device",
    "application": "The program on top: in pasted texts, and where one was watched",
    "doctor": "xpu-doctor about itself",
}


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; bars outside of code and line breaks in cells are escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(escaped(cell) for cell in line) + " |" for line in lines) + "\n"


def escaped(cell: str) -> str:
    """Return the text of a cell on one line."""
    parts = re.split(r"(`[^`]*`)", " ".join(cell.split()))
    return "".join(part if part.startswith("`") else part.replace("|", "\\|") for part in parts)


def summary(rule: Any) -> str:
    """Return what a rule finds, in one sentence."""
    return (type(rule).__doc__ or "").strip().split("\n")[0]


def rules() -> tuple[Any, ...]:
    """Return our own rules, bottom layer first and by code."""
    from xpu_doctor.catalogue.names import all_rules
    from xpu_doctor.catalogue.pages import codes

    return tuple(
        sorted((rule for rule in all_rules() if rule.code in codes()), key=lambda rule: (rule.layer.rank, rule.code))
    )


def finding_pages() -> dict[str, str]:
    """Return the page of each finding by its path in the documentation."""
    from xpu_doctor.catalogue.pages import page

    explained: dict[str, list[str]] = {}
    for rule in rules():
        for symptom in rule.explains:
            explained.setdefault(symptom, []).append(rule.code)
    return {f"findings/{rule.code}.md": finding(rule, page(rule), explained.get(rule.code, [])) for rule in rules()}


def finding(rule: Any, text: str, causes: list[str]) -> str:
    """Return a finding's page with what the rule says about itself under the title."""
    title, _, body = text.partition("\n")
    layer = rule.layer.value
    facts = [
        ("Layer", f"[{layer}](index.md#{layer})"),
        ("Severity", rule.severity.value),
        ("Kind", "symptom" if rule.symptom else "cause"),
    ]
    if rule.explains:
        facts.append(
            ("Explains", "<br>".join(f"{links([code])}: {why}" for code, why in sorted(rule.explains.items())))
        )
    if causes:
        facts.append(("Explained by", links(sorted(causes))))
    return f"{title}\n\n{summary(rule)}\n\n{table(facts[0], facts[1:])}{body}"


def links(codes: list[str]) -> str:
    """Return links between findings."""
    return ", ".join(f"[{code}]({code}.md)" for code in codes)


def findings_index() -> str:
    """Return the list of all findings by layer."""
    parts = [
        "# Findings\n\nEverything that xpu-doctor can find, from the hardware up. `xpu-doctor explain CODE` prints the same pages offline.\n"
    ]
    for layer, about in LAYERS.items():
        rows = [(f"[{rule.code}]({rule.code}.md)", summary(rule)) for rule in rules() if rule.layer.value == layer]
        parts.append(f"## {layer}\n\n{about}.\n\n{table(('finding', 'meaning'), rows)}")
    return "\n".join(parts)


def command_line() -> str:
    """Return every command with its options, from Click's own objects."""
    import click

    from xpu_doctor.cli.main import cli

    context = click.Context(cli, info_name="xpu-doctor")
    parts = [f"# Command line\n\n{cli.help}\n\n{generated()}\n"]
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        if command is None:
            continue
        usage = command.get_usage(click.Context(command, info_name=name, parent=context)).removeprefix("Usage: ")
        parts.append(
            f"## xpu-doctor {name}\n\n```text\n{' '.join(usage.split())}\n```\n\n{inspect.cleandoc(command.help or '')}\n"
        )
        options = [item for item in command.params if isinstance(item, click.Option)]
        rows = [
            (f"`{', '.join((*item.opts, *item.secondary_opts))}{value(item)}`", described(item)) for item in options
        ]
        if rows:
            parts.append(table(("option", "meaning"), rows))
    return "\n".join(parts)


def value(option: Any) -> str:
    """Return the placeholder of an option's value."""
    import click

    if option.is_flag:
        return ""
    return " " + (
        option.metavar
        or ("|".join(option.type.choices) if isinstance(option.type, click.Choice) else option.type.name.upper())
    )


def described(option: Any) -> str:
    """Return an option's help with its default and whether it repeats."""
    default = f" Default: `{option.default}`." if option.show_default is True and option.default is not None else ""
    return (
        (option.help or "")
        + default
        + (" May be repeated." if option.multiple and "repeat" not in (option.help or "") else "")
    )


def probes() -> str:
    """Return the list of probes."""
    from xpu_doctor.catalogue.names import probe_rows

    rows = [(f"`{name}`", layer.value, about) for name, layer, about in probe_rows()]
    head = "# Probes\n\nA probe gathers facts for one layer. `--only` and `--skip` take layers and probes by name.\n"
    return f"{head}\n{generated()}\n\n{table(('probe', 'layer', 'gathers'), rows)}"


def facts() -> str:
    """Return every fact group with its fields and their descriptions, read from the source."""
    import xpu_doctor.model.facts
    import xpu_doctor.model.snapshot

    head = (
        "# Facts\n\nA snapshot holds every fact that was gathered. A fact of type `Maybe[T]` is a `T`, or unknown with a reason. Rules and plug-ins take "
        "the groups as parameters by the names in the first table. Facts make no promise between releases yet.\n"
    )
    snapshot = dict(classes(Path(str(xpu_doctor.model.snapshot.__file__))))
    parts = [head, generated() + "\n", "## Snapshot\n", snapshot["Snapshot"], "## Who gathers them\n", gatherers()]
    for path in sorted(Path(str(xpu_doctor.model.facts.__file__)).parent.glob("*.py")):
        parts += [f"## {name}\n\n{body}" for name, body in classes(path)]
    return "\n".join(parts)


def gatherers() -> str:
    """Return which probes fill each group of facts, and what a report asks a person for where the facts are missing."""
    import xpu_doctor.probes
    from xpu_doctor.diagnosis.missing_facts import ASKS
    from xpu_doctor.target.stages import STAGES

    by_group: dict[str, list[str]] = {}
    gathering = [(probe.fills, probe.name) for probe in xpu_doctor.probes.PROBES]
    gathering += [(stage.fills, stage.probe) for stage in STAGES if stage.fills]
    gathering += [("installer", "installer"), ("libraries", "closure"), ("level_zero", "level-zero")]
    for group, probe in gathering:
        names = by_group.setdefault(group, [])
        names += [probe] * (probe not in names)
    rows = [
        (f"`{group}`", ", ".join(f"`{name}`" for name in names), f"`{ASKS[group]}`" if group in ASKS else "")
        for group, names in by_group.items()
    ]
    return (
        "[Probes](probes.md) describes the probes. Where facts are missing, a report asks for the output of the command. The other groups are "
        "gathered on the way: `target` while the interpreter is chosen, `run` by the stages of the agent, `errors` from what they print, and "
        "`pasted` from pasted texts only.\n\n" + table(("group", "probes", "asked for"), rows)
    )


def classes(path: Path) -> Iterator[tuple[str, str]]:
    """Yield name and description of each dataclass of a module, with its fields."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.ClassDef):
            continue
        rows: list[tuple[str, ...]] = []
        for item, after in zip(node.body, [*node.body[1:], None], strict=True):
            if isinstance(item, ast.AnnAssign):
                about = (
                    after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else ""
                )
                rows.append((f"`{ast.unparse(item.target)}`", f"`{ast.unparse(item.annotation)}`", str(about)))
        if rows:
            yield node.name, f"{ast.get_docstring(node) or ''}\n\n{table(('field', 'type', 'meaning'), rows)}"


def tables() -> str:
    """Return what each data table holds: the comment at its head, its sections, how many rows, and which columns."""
    tomllib = toml()
    parts = [
        "# Tables\n\nVersions, names and messages are data, not code. Each row has a source and the day on which it was checked. "
        "[Refresh the tables](../how-to/refresh-the-tables.md) says what happens to old rows. "
        f"[Add a table row](../how-to/add-a-table-row.md) shows how to extend them.\n\n{generated()}\n"
    ]
    folder = resources.files("xpu_doctor").joinpath("data")
    for path in sorted(folder.iterdir(), key=lambda item: item.name):
        if not path.name.endswith(".toml"):
            continue
        text = path.read_text(encoding="utf-8")
        comment = re.match(r"(?:#[^\n]*\n)*", text)
        head = "\n".join(line[2:] for line in comment[0].splitlines()) if comment else ""
        sections = {
            name: held
            for name, held in tomllib.loads(text).items()
            if isinstance(held, list) and held and isinstance(held[0], dict)
        }
        rows = [(f"`{name}`", str(len(held)), columns(held)) for name, held in sections.items()]
        parts.append(
            f"## {path.name}\n\n```text\n{head}\n```\n\n{table(('section', 'rows', 'columns'), rows) if rows else ''}"
            f"{shelf_life(path.name.removesuffix('.toml'))}"
        )
    return "\n".join(parts)


def shelf_life(name: str) -> str:
    """Return how long the rows of a file's sections stay good, and how they are refreshed."""
    from xpu_doctor.tables.ageing import shelf_lives

    rows = [
        (
            f"`{row.name.partition('.')[2]}`",
            f"{row.days} days" if row.days else "for good",
            f"{row.why[0].upper()}{row.why[1:]}.",
            f"{row.refresh}{f' `{row.tool}`' if row.tool else ''}",
        )
        for row in shelf_lives().values()
        if row.name.partition(".")[0] == name
    ]
    return f"\n{table(('section', 'stays good', 'why', 'refresh'), rows)}" if rows else ""


def toml() -> Any:
    """Return the reader of TOML files that this Python has."""
    from importlib import import_module

    return import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")


def columns(rows: list[dict[str, Any]]) -> str:
    """Return the columns that rows use, in the order in which they appear."""
    return ", ".join(f"`{name}`" for name in dict.fromkeys(name for row in rows for name in row))


def schema() -> str:
    """Return the types of the JSON documents, one table each."""
    parts = [
        "# JSON Schema\n\n`xpu-doctor schema` prints that of a report, `xpu-doctor schema compare` that of a comparison, "
        "`xpu-doctor schema fleet` that of a fleet. "
        f"[The JSON document](json.md) explains the fields.\n\n{generated()}\n"
    ]
    types: dict[str, Any] = {}
    for name in ("report-1", "comparison-1", "fleet-1"):
        file = resources.files("xpu_doctor").joinpath("schemas").joinpath(f"{name}.schema.json")
        types = {**types, **json.loads(file.read_text(encoding="utf-8"))["$defs"]}
    for name, held in types.items():
        rows = [
            (f"`{field}`", of_type(kind), "yes" if field in held.get("required", ()) else "no")
            for field, kind in held.get("properties", {}).items()
        ]
        parts.append(f"## {name}\n\n{held.get('description', '')}\n\n{table(('field', 'type', 'always there'), rows)}")
    return "\n".join(parts)


def of_type(kind: dict[str, Any]) -> str:
    """Return a type of the schema in words."""
    if "$ref" in kind:
        name = str(kind["$ref"]).rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in kind:
        return " or ".join(of_type(item) for item in kind["anyOf"])
    if "enum" in kind:
        return ", ".join(f"`{item}`" for item in kind["enum"])
    if "const" in kind:
        return f"`{kind['const']}`"
    return (
        f"list of {of_type(kind['items'])}"
        if kind.get("type") == "array" and "items" in kind
        else str(kind.get("type", "anything"))
    )


def generated() -> str:
    """Return the note that a page is generated."""
    from xpu_doctor import __version__

    return GENERATED.format(version=__version__)


PAGES: dict[str, Callable[[], str]] = {
    "findings/index.md": findings_index,
    "reference/cli.md": command_line,
    "reference/probes.md": probes,
    "reference/facts.md": facts,
    "reference/tables.md": tables,
    "reference/schema.md": schema,
}


def all_pages() -> dict[str, str]:
    """Return every generated page by its path in the documentation."""
    return {**{path: make() for path, make in PAGES.items()}, **finding_pages()}


def on_config(config: Any) -> Any:
    """List the findings in the navigation, by layer (called by MkDocs)."""
    held = [(rule.layer.value, rule.code) for rule in rules()]
    sections: list[Any] = ["findings/index.md"]
    sections += [{layer: [{code: f"findings/{code}.md"} for place, code in held if place == layer]} for layer in LAYERS]
    config.nav = [{"Findings": sections} if "Findings" in item else item for item in config.nav]
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the generated pages (called by MkDocs)."""
    from mkdocs.structure.files import File

    for path, text in all_pages().items():
        files.append(File.generated(config, path, content=text))
    return files


def strangers(site: Path) -> list[str]:
    """Return what pages of a site would load from other sites."""
    source = r"""<(?:script|img|iframe|source)\b[^>]*\bsrc=["']?(?:https?:)?//"""
    sheet = r"""<link\b[^>]*\brel=["']?(?:stylesheet|preconnect|preload)[^>]*(?:https?:)?//"""
    asking = r"""data-md-component=["']?source\b"""  # for these the theme's script asks the site of the repository
    wanted = re.compile(f"{source}|{sheet}|{asking}")
    return [
        f"{path.relative_to(site)}: {match[0]}"
        for path in sorted(site.rglob("*.html"))
        for match in wanted.finditer(path.read_text(encoding="utf-8"))
    ]


def build() -> None:
    """Build the site, or leave with a reason."""
    import subprocess

    # Not --quiet: MkDocs would hide the warnings from --strict too.
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--clean"]
    run = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False
    )
    if run.returncode:
        sys.exit(run.stdout + run.stderr)
    loaded = strangers(SITE)
    if loaded:
        sys.exit("pages load something from other sites:\n" + "\n".join(loaded))
    print(f"{sum(1 for _ in SITE.rglob('*.html'))} pages in {SITE}")


def main() -> None:
    """Do what the command line asks for."""
    match sys.argv[1:]:
        case ["build"]:
            build()
        case ["serve", *more]:
            import subprocess

            sys.exit(subprocess.run([sys.executable, "-m", "mkdocs", "serve", *more], cwd=ROOT, check=False).returncode)
        case ["page", name] if name in all_pages():
            print(all_pages()[name])
        case _:
            sys.exit((__doc__ or "").strip())


if __name__ == "__main__":
    main()

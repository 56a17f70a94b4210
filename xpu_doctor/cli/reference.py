"""`probes`, `codes`, `explain` and `schema`: what the doctor knows, printed offline."""

from __future__ import annotations

import click

from xpu_doctor.cli.options import CODES, nearest
from xpu_doctor.text.output import to_stdout


@click.command()
def probes() -> None:
    """List the probes, with the layer of each.

    `--only` and `--skip` of check take their names, and those of layers.
    """
    from xpu_doctor.catalogue.names import probe_rows
    from xpu_doctor.report.reference_text import list_text
    from xpu_doctor.report.terminal import own_terminal

    rows = [(name, layer.value, about) for name, layer, about in probe_rows()]
    to_stdout(list_text(("probe", "layer", "gathers"), rows, own_terminal()), own_sequences=True)


@click.command()
def codes() -> None:
    """List the finding codes, with the layer of each."""
    from xpu_doctor.catalogue.names import all_rules
    from xpu_doctor.report.reference_text import list_text
    from xpu_doctor.report.terminal import own_terminal

    rows = [(rule.code, rule.layer.value, (type(rule).__doc__ or "").strip().split("\n")[0]) for rule in all_rules()]
    to_stdout(list_text(("code", "layer", "means"), rows, own_terminal()), own_sequences=True)


@click.command()
@click.argument("code")
def explain(code: str) -> None:
    """Print the page of a finding: meaning, proof, remedy."""
    from xpu_doctor.catalogue.names import all_rules
    from xpu_doctor.catalogue.pages import page
    from xpu_doctor.report.reference_text import page_text
    from xpu_doctor.report.terminal import own_terminal

    rules = {rule.code: rule for rule in all_rules()}
    code = code.strip().lower()
    if code not in rules:
        raise click.UsageError(f"no finding is called {code!r}." + nearest(code, rules) + CODES)
    try:
        text = page(rules[code])
    except FileNotFoundError as error:
        raise click.UsageError(str(error)) from error
    to_stdout(page_text(text, own_terminal()), own_sequences=True)


SCHEMAS = {"report": "report-1.schema.json", "compare": "comparison-1.schema.json", "fleet": "fleet-1.schema.json"}
"""What prints a document to the file of its schema."""


@click.command()
@click.argument("document", type=click.Choice(list(SCHEMAS)), default="report")
def schema(document: str) -> None:
    """Print the JSON Schema of a document.

    `report` is what `check --json` prints, `compare` what `compare --json` prints.
    """
    from xpu_doctor.text.packaged import packaged_text

    to_stdout(packaged_text("schemas", SCHEMAS[document]).rstrip() + "\n")

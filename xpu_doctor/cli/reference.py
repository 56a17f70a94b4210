"""`probes`, `codes`, `explain` and `schema`: what the doctor knows, printed offline."""

from __future__ import annotations

import click

from xpu_doctor.cli.options import CODES, nearest
from xpu_doctor.text.output import to_stdout


@click.command()
def probes() -> None:
    """List the probes that `--only` and `--skip` take, with the layer of each."""
    from tabulate import tabulate

    from xpu_doctor.catalogue.names import probe_rows

    rows = [(name, layer.value, about) for name, layer, about in probe_rows()]
    to_stdout(tabulate(rows, headers=["probe", "layer", "gathers"], maxcolwidths=[None, None, 60]) + "\n")


@click.command()
def codes() -> None:
    """List the finding codes, with the layer of each."""
    from tabulate import tabulate

    from xpu_doctor.catalogue.names import all_rules

    rows = [(rule.code, rule.layer.value, (type(rule).__doc__ or "").strip().split("\n")[0]) for rule in all_rules()]
    to_stdout(tabulate(rows, headers=["code", "layer", "means"], maxcolwidths=[None, None, 70]) + "\n")


@click.command()
@click.argument("code")
def explain(code: str) -> None:
    """Print a finding's page: what it means, how we know, how to fix it."""
    from xpu_doctor.catalogue.names import all_rules
    from xpu_doctor.catalogue.pages import page

    rules = {rule.code: rule for rule in all_rules()}
    code = code.strip().lower()
    if code not in rules:
        raise click.UsageError(f"no finding is called {code!r}." + nearest(code, rules) + CODES)
    try:
        text = page(rules[code])
    except FileNotFoundError as error:
        raise click.UsageError(str(error)) from error
    to_stdout(text + "\n")


SCHEMAS = {"report": "report-1.schema.json", "compare": "comparison-1.schema.json"}
"""What prints a document to the file of its schema."""


@click.command()
@click.argument("document", type=click.Choice(list(SCHEMAS)), default="report")
def schema(document: str) -> None:
    """Print the JSON Schema of the document that `check --json` prints, or `compare --json`."""
    from xpu_doctor.text.packaged import packaged_text

    to_stdout(packaged_text("schemas", SCHEMAS[document]).rstrip() + "\n")

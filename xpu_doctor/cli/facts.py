"""`xpu-doctor facts`: what the tables know of a torch release, a GPU, a driver build or a software stack."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from xpu_doctor.cli.options import FORMATS, nearest
from xpu_doctor.model.exit_codes import ExitCode
from xpu_doctor.text.output import to_stdout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from xpu_doctor.catalogue.knowledge.entry import Knowledge

EXAMPLES = {
    "torch": "xpu-doctor facts torch 2.14",
    "gpu": "xpu-doctor facts gpu e20b, or a name: xpu-doctor facts gpu Arc B580",
    "driver": "xpu-doctor facts driver 26.05.37020",
    "stack": "xpu-doctor facts stack vllm",
}
"""What is told to somebody who does not say of what."""
KINDS = tuple(EXAMPLES)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("asked", metavar="WHAT...", nargs=-1)
@click.option(
    "--format", "format_", type=click.Choice(FORMATS), default="text", show_default=True, help="What to print."
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def facts(kind: str, asked: tuple[str, ...], format_: str, as_json: bool) -> int:
    """Print what is known of a torch, GPU, driver or stack.

    Every fact comes with its source.

    \b
    xpu-doctor facts torch 2.14
    xpu-doctor facts gpu e20b                 also 8086:e20b, or a name: Arc B580
    xpu-doctor facts driver 26.05.37020       also 1.6.37020, or of Windows 32.0.101.6130
    xpu-doctor facts stack vllm               also ipex, ipex-llm, llm-scaler, AI Playground, bitsandbytes

    Exit code 0 where something is known, 3 where nothing is.
    """
    from xpu_doctor.catalogue.knowledge.entry import NotUnderstood
    from xpu_doctor.examination.run import now
    from xpu_doctor.report.knowledge import knowledge_json, knowledge_text
    from xpu_doctor.report.terminal import own_terminal

    if not any(word.strip() for word in asked):
        raise click.UsageError(f"say of what: {EXAMPLES[kind]}")
    today = now()[:10]
    try:
        found = _question(kind)(" ".join(asked), today)
    except NotUnderstood as error:
        raise click.UsageError(str(error)) from error
    if not found.entries and (hint := nearest(" ".join(asked), _names(kind, " ".join(asked)))):
        found = replace(found, note=f"{hint.strip()} {found.note[0].upper()}{found.note[1:]}")
    if as_json or format_ == "json":
        to_stdout(knowledge_json(found, today))
    else:
        to_stdout(knowledge_text(found, own_terminal()), own_sequences=True)
    return int(ExitCode.OK if found.entries else ExitCode.UNDIAGNOSED)


def _names(kind: str, asked: str) -> Iterable[str]:
    """Return names that somebody may have meant: of GPUs by their last word too, such as `b580`."""
    if kind == "stack":
        from xpu_doctor.tables.rows import rows
        from xpu_doctor.tables.stacks import Stack

        return [name for row in rows(Stack) for name in (row.name, *row.also)]
    if kind != "gpu":
        return ()
    from xpu_doctor.catalogue.knowledge.gpu import near_names

    return near_names(asked)


def _question(kind: str) -> Callable[[str, str], Knowledge]:
    from xpu_doctor.catalogue.knowledge.driver import driver_knowledge
    from xpu_doctor.catalogue.knowledge.gpu import gpu_knowledge
    from xpu_doctor.catalogue.knowledge.stack import stack_knowledge
    from xpu_doctor.catalogue.knowledge.torch_release import torch_knowledge

    return {"torch": torch_knowledge, "gpu": gpu_knowledge, "driver": driver_knowledge, "stack": stack_knowledge}[kind]

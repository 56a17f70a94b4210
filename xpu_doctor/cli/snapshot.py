"""`xpu-doctor snapshot`: the facts of an examination in a file, to be judged later or elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from xpu_doctor.cli.examine import (
    AS_OWNER,
    NO_REDACT,
    ONLY,
    PYTHON,
    SKIP,
    TIMEOUT,
    Order,
    chosen,
    deadlines_of,
    examine,
    rights_of,
    selection_of,
)
from xpu_doctor.cli.node import OneOfMany, one_of_many
from xpu_doctor.cli.options import REDACT, check_endings, check_words, refuse_empty, split

if TYPE_CHECKING:
    from xpu_doctor.examination.run import Running


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-o", "--output", "output", metavar="FILE", default="-", help="Write to a file, whole or not at all.")
@PYTHON
@ONLY
@SKIP
@TIMEOUT
@REDACT
@NO_REDACT
@AS_OWNER
@one_of_many
def snapshot(
    output: str,
    python: str | None,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    timeout: float | None,
    words: tuple[str, ...],
    no_redact: bool,
    as_owner: bool,
    many: OneOfMany,
) -> int:
    """Save the facts of a check, to be judged elsewhere or later.

    They are written as JSON, without a verdict; `xpu-doctor triage FILE` judges them.

    Names, addresses and secrets are hidden as in reports. The file may be judged elsewhere, and again by a later xpu-doctor.

    Of many machines, each writes its own file: -o 'reports/{host}.json'; {rank} and {time} are known, too.

    Exit codes: 0 the facts are saved, whatever they are, 2 usage, 4 xpu-doctor failed, 130 interrupted.
    """
    from xpu_doctor.text.output import to_stderr, write
    from xpu_doctor.text.output_file import is_stdout

    for option, values in (("--only", only), ("--skip", skip)):
        refuse_empty(option, values)
    check_words(words, no_redact)
    (file,) = many.files((output,))
    node = many.node(no_redact)
    check_endings((file,), ("json",), "a snapshot")
    selection = selection_of(split(only), split(skip))
    if not many.begins():
        return 0
    limit = many.limit()
    choice = chosen(python)
    many.check_files((output,), (file,), choice.python)
    rights = rights_of(choice.python, as_owner, quiet=many.quiet)
    order = Order(choice, selection, deadlines_of(timeout), rights, python, limit=limit, quiet=many.quiet)

    def facts(running: Running) -> str:
        from xpu_doctor.api import facts_of
        from xpu_doctor.report.snapshot_file import render_snapshot

        return render_snapshot(facts_of(running, redact=not no_redact, words=words, node=node))

    write(examine(order, facts), file, python=choice.python, private=no_redact)
    if not is_stdout(file) and not many.quiet:
        from xpu_doctor.report.typed import line_to_type

        to_stderr(f"The facts are saved. This judges them, here or elsewhere:\n    {line_to_type('triage', file)}\n")
    return 0

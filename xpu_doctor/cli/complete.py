"""What a shell offers after TAB: finding codes, layers and probes, expectations, devices, files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import partial

import click
from click.shell_completion import CompletionItem, get_completion_class

from xpu_doctor.catalogue.addresses import RULES
from xpu_doctor.model.selection import ALWAYS, CHECKED
from xpu_doctor.text.output import to_stdout

VARIABLE = "_XPU_DOCTOR_COMPLETE"
"""By which the script of a shell asks this program; Click makes the name from the program's."""
EXPECTED = ("xpu-wheel",)
"""Not `devices>=1`, whose mark a shell takes for a redirection."""
DEVICES = ("xpu", "xpu:0", "xpu:1", "cpu")


def answer(cli: click.Command, asked: str) -> int:
    """Answer a shell as Click's own main would, which writes bytes past the one place that all output goes through."""
    shell, _, instruction = asked.partition("_")
    made = get_completion_class(shell)
    if made is None or instruction not in ("source", "complete"):
        return 1
    asker = made(cli, {}, "xpu-doctor", VARIABLE)
    if shell == "bash":
        setattr(asker, "get_completion_args", partial(_in_words, asker.get_completion_args))  # noqa: B010
    to_stdout(asker.source() if instruction == "source" else asker.complete() + "\n")
    return 0


def _in_words(asked: Callable[[], tuple[list[str], str]]) -> tuple[list[str], str]:
    """Return the words before the cursor, and the one that is begun; Bash makes three words of `--format=json`, which are two."""
    words, incomplete = asked()
    behind_option = zip(["", *words], words, strict=False)
    return [word for before, word in behind_option if word != "=" or not before.startswith("--")], incomplete


def with_offers(command: click.Command) -> click.Command:
    """Give the options and arguments of a command what they offer, by the name of their value in the help."""
    for param in command.params:
        value = str(param.name) if param.name in ("expect", "skip") else param.metavar or str(param.name)
        offer = OFFERS.get(value.removesuffix("...").upper())
        if offer is not None and not isinstance(param.type, click.Choice):
            setattr(param, "shell_complete", partial(_called, offer))  # noqa: B010
    return command


def _called(offer: Offer, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    return list(offer(incomplete))


def codes(incomplete: str) -> Iterable[CompletionItem]:
    """Offer the finding codes: the names of their pages, since loading every rule would take as long as a check."""
    pages = [name for _, _, names in os.walk(RULES) for name in names if name.endswith(".md")]
    return _offered(sorted(name.removesuffix(".md").replace("_", "-") for name in pages), incomplete)


def layers_and_probes(incomplete: str) -> Iterable[CompletionItem]:
    """Offer the layers and probes that `--only` takes, also behind a comma."""
    from xpu_doctor.catalogue.names import probe_layers

    before, comma, last = incomplete.rpartition(",")
    names = dict.fromkeys((*(layer.value for layer in CHECKED), *probe_layers()))
    return _offered((name for name in names if name not in before.split(",")), last, before + comma)


def what_can_be_left_out(incomplete: str) -> Iterable[CompletionItem]:
    """Offer the layers and probes that `--skip` takes."""
    return (item for item in layers_and_probes(incomplete) if item.value.rpartition(",")[2] not in ALWAYS)


def files(incomplete: str) -> Iterable[CompletionItem]:
    """Let the shell offer files and folders."""
    return [CompletionItem(incomplete, type="file")]


def _offered(words: Iterable[str], incomplete: str, before: str = "") -> Iterable[CompletionItem]:
    return [CompletionItem(before + word) for word in words if word.startswith(incomplete)]


Offer = Callable[[str], Iterable[CompletionItem]]
OFFERS: dict[str, Offer] = {
    "CODE": codes,
    "NAME": layers_and_probes,
    "SKIP": what_can_be_left_out,
    "EXPECT": partial(_offered, EXPECTED),
    "DEVICE": partial(_offered, DEVICES),
    "FILE": files,
    "REPORTS": files,
    "LIST|FILE": files,
    "PATH": files,
    "DIR": files,
}
"""What is offered for each kind of value."""

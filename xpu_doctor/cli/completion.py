"""`xpu-doctor completion`: the script by which a shell completes the command line."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from xpu_doctor.cli.complete import VARIABLE
from xpu_doctor.text.output import to_stdout

SHELLS = ("bash", "zsh", "fish", "powershell")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> int:
    """Print the script by which a shell completes commands.

    Options, finding codes, layers and files are completed, too.

    \b
    Bash         echo 'eval "$(xpu-doctor completion bash)"' >> ~/.bashrc
    Zsh          echo 'eval "$(xpu-doctor completion zsh)"' >> ~/.zshrc
    fish         xpu-doctor completion fish > ~/.config/fish/completions/xpu-doctor.fish
    PowerShell   xpu-doctor completion powershell | Out-String | Invoke-Expression

    The script calls `xpu-doctor` by its name, which must be on PATH.
    """
    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(
            f"the installed Click is too old to complete for {shell}: update it with `pip install --upgrade click`"
        )
    to_stdout(made(ctx.find_root().command, {}, "xpu-doctor", VARIABLE).source())
    return 0

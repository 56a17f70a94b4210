"""Windows' embeddable Python: it has neither ensurepip nor venv, and its ._pth file hides what pip installs until it is told otherwise."""

from __future__ import annotations

from xpu_doctor.model.commands import Command

GET_PIP = "https://bootstrap.pypa.io/get-pip.py"
READ_SITE = (
    "import pathlib, sys; p = next(pathlib.Path(sys.prefix).glob('python*._pth')); "
    "p.write_text(p.read_text().replace('#import site', 'import site'))"
)
"""Takes the mark of a comment from the line `import site`; its quotes are those that every shell leaves alone."""
WHY = (
    "This is Python's embeddable package, which has no ensurepip: the first command lets it see installed packages (the line `import site` "
    "of its ._pth file), the next two bring pip. Where an application brought this Python, prefer the application's own way."
)


def pip_for_embedded(python: str) -> list[Command]:
    """Return the commands that bring pip into an embeddable Python; curl.exe is a part of Windows."""
    return [
        Command((python, "-c", READ_SITE)),
        Command(("curl.exe", "-L", "-o", "get-pip.py", GET_PIP)),
        Command((python, "get-pip.py", "--no-warn-script-location")),
    ]

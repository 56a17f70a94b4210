"""Splits a text that shows a container and its host into the lines of each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from xpu_doctor.pasted.readers.collected import MARGIN, Text
from xpu_doctor.text.late_pattern import late_pattern

LONGEST = 400
"""Characters of a line that can be a prompt or a heading."""

_PROMPT = late_pattern(
    r"^"
    + MARGIN
    + r"""
    (?:\([\w.-]{1,60}\)\s{0,8})?\[?(?P<user>(?!>)[\w.<>-]{1,64})@(?P<host>[\w.<>-]{1,80})(?P<mark>[: ])(?P<path>[^\n\#$%>]{0,120}?)\]?
    (?P<sign>[\#$%])(?:\s{1,4}(?P<typed>[^\n]{0,300}))?$
    """,
    re.VERBOSE,
)
"""A prompt of bash: `(env) user@host:path$ command`, `[user@host folder]$ command`."""
_BARE_PROMPT = late_pattern(
    MARGIN + r"(?:\$|(?:ba)?sh-\d\.\d{1,2}[#$]|/[\w./-]{0,60} #)(?:\s{1,4}(?P<typed>[^\n]{0,300}))?$"
)
_WINDOWS_PROMPT = late_pattern(MARGIN + r"PS [A-Z]:")
_CONTAINER_ID = late_pattern(r"[0-9a-f]{12}")
_CONTAINER_PATH = late_pattern(
    r"/(?:workspace|llm|app|comfyui|vllm-workspace|opt/(?:ml|app|program)|usr/src|data|models|code)?(?:/|$)",
    re.IGNORECASE,
)
"""Where prompts of images begin: a folder that a home, or a disk of the host, rarely is."""
_ENTERS = late_pattern(
    r"""
    (?:sudo[ ])?(?:
      (?:docker|podman|nerdctl)(?:[ -]compose)?[ ](?:container[ ])?(?P<how>exec|run|attach|start[ ]-\w{0,2}i)\b
      | kubectl[ ](?:-n[ ]\S{1,60}[ ])?(?P<pod>exec)\b | (?:lxc|incus)[ ](?P<lxc>exec|shell)\b | pct[ ](?P<pct>enter|exec)\b
      | distrobox[ ](?P<box>enter)\b | toolbox[ ](?P<tool>enter|run)\b
    )(?P<rest>[^\n]{0,300})
    """,
    re.VERBOSE,
)
"""A command that works in a container, or opens a shell there."""
_DETACHED = late_pattern(r"\s(?:--detach\b|-(?!-)\w{0,4}d\w{0,3}\b)")
_SHELL_LAST = late_pattern(r"(?:^|\s)(?:/(?:usr/)?bin/)?(?:ba|z|da|a)?sh(?:\s-(?:l|i|il|li))?\s{0,4}$")
_ALWAYS_SHELL = late_pattern(r"attach|shell|enter|start")
_LEAVES = late_pattern(r"(?:exit|logout)\b")
_INSIDE = late_pattern(
    r"(?i)^[^\n]{0,80}\b(?:inside|in|within|from) (?:the |my |a |this )?(?:\w+ ){0,2}container\b.{0,40}:[*\s]*$"
)
_OUTSIDE = late_pattern(r"(?i)^[^\n]{0,80}\b(?:on|from) (?:the |my )?(?:\w+ )?host\b.{0,40}:[*\s]*$")
_BOTH_IN_A_LINE = late_pattern(
    r"(?i)\b(?:on|from) (?:the |my )?(?:\w{1,12} )?host\b[^\n]{0,100}\d\.\d{1,2}\.\d{1,2}[^\n]{0,80}?"
    r"(?P<container>\b(?:in|inside|within|from) (?:the |my |a )?(?:\w{1,12} )?container\b|\broot@[0-9a-f]{12}\b)"
)
"""A line that tells the version of the host's torch, and goes on with the container."""
_OF_CONTAINERS = ("docker", "podman", "container", "kubectl", "nerdctl", "lxc", "pct ", "distrobox", "toolbox")


@dataclass
class _Reading:
    """Where the lines of a text come from, as far as it was read."""

    headed: bool
    """Whether headings tell the host's lines, so that such of the container count, too."""
    hosts: frozenset[tuple[str, str]]
    """Users and machines of the prompts at which the host is worked on."""
    subject: str = "host"
    opened: bool = False
    """Whether a shell was opened in the container, and not left."""
    answer: bool = False
    """Whether the lines are the answer of one command that works in the container."""
    continued: bool = False
    """Whether the command goes on in the next line."""
    path: str = ""
    """The folder of the last prompt of the host."""
    told: bool = False
    """Whether a container's id, or a heading, tells its lines."""
    worked: bool = False
    """Whether something was typed on the host apart from what opens a container."""

    def take(self, line: str) -> str:
        """Read a line, and return whose it is."""
        if self.continued:
            self.continued = line.rstrip().endswith("\\")
            return "host"
        prompt = _PROMPT.match(line)
        if prompt:
            return self._prompt(prompt, line)
        bare = _BARE_PROMPT.match(line)
        if bare:
            return self._typed(bare["typed"] or "", line)
        if _OUTSIDE.match(line) or _WINDOWS_PROMPT.match(line):
            self._switch("host")
        elif self.headed and _INSIDE.match(line):
            self.told = True
            self._switch("container")
        elif line.lstrip().startswith("```") and self.answer:
            self._switch("host")
        return self.subject

    def _prompt(self, prompt: re.Match[str], line: str) -> str:
        who = (prompt["user"], prompt["host"])
        named = _CONTAINER_ID.fullmatch(prompt["host"]) is not None
        strange = who not in self.hosts or (self.opened and prompt["path"] != self.path)
        inside = named or (strange and (self.opened or _in_image(prompt)))
        opened = self.opened and inside
        self.told = self.told or named
        self.path = self.path if inside else prompt["path"]
        self._switch("container" if inside else "host")
        self.opened = opened
        return self._typed(prompt["typed"] or "", line)

    def _typed(self, command: str, line: str) -> str:
        """Read a command; what opens a container is typed on its host, and what follows is the container's."""
        if self.answer:
            self._switch("host")
        if self.subject == "container" and _LEAVES.match(command):
            self._switch("host")
            return "container"
        enters = _ENTERS.match(command)
        if enters is None or self.opened or _DETACHED.search(enters["rest"]):
            self.worked = self.worked or (self.subject == "host" and command != "" and enters is None)
            return self.subject
        self.subject = "container"
        self.continued = line.rstrip().endswith("\\")
        self.opened = _opens_a_shell(enters)
        self.answer = not self.opened
        return "host"

    def _switch(self, subject: str) -> None:
        self.subject = subject
        self.opened = self.answer = False


def split(text: Text) -> tuple[tuple[str, Text], ...]:
    """Return the parts of a text by subject: `machine` alone, or `host` and `container` where it shows both."""
    if not text.has("@", "container", *_OF_CONTAINERS):
        return (("machine", text),)
    all_lines = text.body.split("\n")
    prompts = [found for line in all_lines if len(line) <= LONGEST and "@" in line and (found := _PROMPT.match(line))]
    headed = any(_OUTSIDE.match(line) for _, line in text.lines_with("host") if len(line) <= LONGEST)
    reading = _Reading(headed, _hosts(prompts, text))
    lines: dict[str, list[str]] = {"host": [], "container": []}
    for line in all_lines:
        if len(line) <= LONGEST and _tells_both(line):
            for subject, clause in _clauses(line):
                lines[subject].append(clause)
            reading.told = True
            reading.subject = "container"
            continue
        whose = reading.take(line) if len(line) <= LONGEST else reading.subject
        for subject, kept in lines.items():
            kept.append(line if subject == whose else "")  # the line numbers stay true
    bodies = {subject: "\n".join(kept) for subject, kept in lines.items()}
    both = bool(bodies["container"].strip() and bodies["host"].strip())
    if not both or not (reading.told or reading.worked):
        return (("machine", text),)
    return tuple((subject, Text(body, text.name, text.first_line)) for subject, body in bodies.items())


def _tells_both(line: str) -> bool:
    """Return whether one line tells first of the host's torch, then of the container's."""
    return "host" in line and _BOTH_IN_A_LINE.search(line) is not None


def _clauses(line: str) -> tuple[tuple[str, str], ...]:
    """Return what such a line says of each, in its place."""
    found = _BOTH_IN_A_LINE.search(line)
    middle = found.start("container") if found else len(line)
    return ("host", line[:middle]), ("container", " " * middle + line[middle:])


def host_names(text: Text) -> tuple[str, ...]:
    """Return the names of the machines that the prompts of a text show, those of containers left out, each once."""
    parts = dict(split(text))
    host = parts.get("host") or parts["machine"]
    found = (_PROMPT.match(line) for _, line in host.lines_with("@") if len(line) <= LONGEST)
    prompts = [prompt for prompt in found if prompt and not _CONTAINER_ID.fullmatch(prompt["host"])]
    entered = text.has(*_OF_CONTAINERS)
    return tuple(dict.fromkeys(prompt["host"].lower() for prompt in prompts if not (entered and _in_image(prompt))))


def _hosts(prompts: Iterable[re.Match[str]], text: Text) -> frozenset[tuple[str, str]]:
    """Return user and machine of the prompts of the host: those of ordinary users, those at which containers are opened, else all."""
    found = list(prompts)
    plain = {
        (prompt["user"], prompt["host"])
        for prompt in found
        if not _CONTAINER_ID.fullmatch(prompt["host"])
        and ((prompt["sign"] == "$" and not _in_image(prompt)) or _ENTERS.match(prompt["typed"] or ""))
    }
    if plain and text.has(*_OF_CONTAINERS):
        return frozenset(plain)
    return frozenset((prompt["user"], prompt["host"]) for prompt in found)


def _in_image(prompt: re.Match[str]) -> bool:
    """Return whether a root's prompt stands in a folder of an image."""
    return prompt["sign"] == "#" and prompt["mark"] == ":" and _CONTAINER_PATH.match(prompt["path"]) is not None


def _opens_a_shell(enters: re.Match[str]) -> bool:
    """Return whether a command opens a shell in the container, and does not answer at once."""
    how = next(group for group in (enters[name] for name in ("how", "pod", "lxc", "pct", "box", "tool")) if group)
    if _ALWAYS_SHELL.match(how):
        return True
    asked = re.search(r"\s-(?!-)\w{0,3}[it]\w{0,3}\b|\s--(?:interactive|tty)\b", enters["rest"]) is not None
    return asked and (_SHELL_LAST.search(enters["rest"]) is not None or how == "run")

"""What a report tells to type fits the place that its text shows: the system, the package tool, the container, the other findings."""

from __future__ import annotations

import re
import sys
from functools import cache
from pathlib import Path

import pytest

from xpu_doctor.catalogue.names import all_rules
from xpu_doctor.catalogue.pages import rules_by_code
from xpu_doctor.diagnosis.ranking import flat
from xpu_doctor.model.findings import Confidence, Finding, Remedy, Severity
from xpu_doctor.model.unknown import holds, known_or
from xpu_doctor.pasted.run import Triaged, triage_texts
from xpu_doctor.report.build import Report
from xpu_doctor.report.reply import next_questions, reply
from xpu_doctor.text.safe import from_bytes

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER = Path(__file__).parents[2] / "fixtures" / "cases"
OF_POSIX = re.compile(
    r"(?:^|[;&|(] ?)(?:sudo |apt|dnf |zypper |pacman |export |unset |env -u|chmod |usermod |dpkg |rpm |lspci|dmesg|ldd |ls -|stat |source |\. /)"
    r"|/dev/|\bpython3 | && (?!powershell)|/bin/python"
)
OF_WINDOWS = re.compile(
    r"\$env:|if \(\$\?\)|Remove-Item|Get-CimInstance|winget |Scripts\\|\.exe\b|\.bat\b|(?i:powershell)"
)
TOOL = re.compile(
    r"(?:^|[;&|] ?)(?:sudo )?(?P<tool>apt-get|apt|add-apt-repository|dpkg|dnf|yum|rpm|zypper|pacman|emerge|rpm-ostree) "
)
PLACES = {
    "": "",
    "windows": "OS: Microsoft Windows 11 Pro\n",
    "ubuntu": "OS: Ubuntu 24.04.3 LTS (x86_64)\n",
    "arch": "OS: Arch Linux (x86_64)\n",
    "gentoo": "OS: Gentoo Linux (x86_64)\n",
    "nixos": "OS: NixOS 25.11 (x86_64)\n",
    "haos": "Home Assistant OS 17, kernel 6.12.67-haos\n",
    "unraid": "Unraid 7.1, Linux\n",
    "yocto": "an image of Yocto (poky) on Linux\n",
    "container": "inside the docker container (Debian 13):\n",
}
TOOLS = {"ubuntu": {"apt-get", "apt", "add-apt-repository", "dpkg"}, "arch": {"pacman"}, "gentoo": {"emerge"}}


@cache
def texts() -> tuple[str, ...]:
    """Every text of the project's own cases."""
    return tuple(
        row["text"]
        for path in sorted(FOLDER.glob("*.toml"))
        for row in tomllib.loads(path.read_text(encoding="utf-8"))["case"]
    )


@cache
def triaged(place: str, number: int) -> Triaged:
    """What a text comes to in a place."""
    return triage_texts([("text", from_bytes((PLACES[place] + texts()[number]).encode(), "text"))], rules=all_rules())


def every(place: str) -> list[tuple[Triaged, Finding, Remedy]]:
    """Every remedy of every text in a place."""
    return [
        (found, finding, remedy)
        for number in range(len(texts()))
        for found in (triaged(place, number),)
        for finding in flat(found.diagnosis.root_causes)
        for remedy in finding.remedies
    ]


def lines(remedy: Remedy) -> tuple[str, ...]:
    """What a remedy tells to type."""
    return (*remedy.commands, *remedy.verify)


def asked(found: Triaged) -> list[str]:
    """What a report asks to type."""
    questions = next_questions(found.diagnosis, found.snapshot, found.snapshots)
    undecided = [item.ask for item in found.diagnosis.undecided if known_or(found.snapshot.machine.os, "")]
    return [*undecided, *(ask for question in questions if not question.in_words for ask in question.asks)]


def system(found: Triaged) -> str:
    """The system of a text, empty where none or two take part."""
    machine = found.snapshot.machine
    two = holds(machine.wsl) or len(found.snapshots) > 1 or holds(found.snapshot.pasted.in_container)
    return "" if two and known_or(machine.os, "") == "windows" else known_or(machine.os, "")


@pytest.mark.parametrize("place", PLACES)
def test_lines_are_of_the_system(place: str) -> None:
    """No sh on Windows, and no PowerShell on Linux."""
    for found, finding, remedy in every(place):
        for line in lines(remedy):
            if system(found) == "windows":
                of_linux = remedy.os == "linux" and remedy.title.startswith(
                    "On Linux: "
                )  # a cause that Linux alone has
                assert not OF_POSIX.search(line) or remedy.shell or of_linux, (finding.code, line)
            elif system(found) == "linux" and remedy.side != "windows" and remedy.os != "windows":
                assert not OF_WINDOWS.search(line), (finding.code, line)


@pytest.mark.parametrize("place", PLACES)
def test_questions_are_of_the_system(place: str) -> None:
    """What is asked can be typed there; where no system is told, each line says for which."""
    for number in range(len(texts())):
        found = triaged(place, number)
        block = ""
        for ask in asked(found):
            block = ask if ask.startswith("# on ") else block
            if system(found) == "windows":
                assert not OF_POSIX.search(ask), ask
            elif system(found) == "linux" and not holds(found.snapshot.machine.wsl):
                assert not OF_WINDOWS.search(ask), ask
            elif not known_or(found.snapshot.machine.os, "") and OF_POSIX.search(ask):
                assert block == "# on Linux:", ask


def test_both_systems_where_none_is_told() -> None:
    """A line that one system alone takes says which; of a finding that both can have, the other system's way is there as well."""
    for found, finding, remedy in every(""):
        if known_or(found.snapshot.machine.os, ""):
            continue
        of_linux = any(OF_POSIX.search(line) for line in lines(remedy)) and not remedy.shell
        of_windows = any(OF_WINDOWS.search(line) for line in lines(remedy))
        if of_linux or of_windows:
            wanted = "windows" if of_linux else "linux"
            other = [each for each in finding.remedies if each.os == wanted or wanted.capitalize() in each.title]
            alone = rules_by_code()[finding.code].systems
            assert other or wanted not in (alone or (wanted,)) or finding.code == "wsl-setup", (
                finding.code,
                remedy.title,
            )


@pytest.mark.parametrize("place", ["ubuntu", "arch", "gentoo", "nixos", "haos", "unraid", "yocto"])
def test_the_package_tool_is_that_of_the_distribution(place: str) -> None:
    """What a distribution has no program for is not told to be typed there."""
    for number in range(len(texts())):
        found = triaged(place, number)
        if found.snapshot.machine.distribution != {"yocto": "poky"}.get(place, place) or len(found.snapshots) > 1:
            continue
        typed = [
            line
            for finding in flat(found.diagnosis.root_causes)
            for remedy in finding.remedies
            for line in lines(remedy)
        ]
        for line in (*typed, *asked(found)):
            for called in TOOL.finditer(line.partition("   # ")[0]):
                assert called["tool"] in TOOLS.get(place, set()), line


def test_no_sudo_inside_a_container() -> None:
    """One is root there, and sudo is seldom there."""
    for found, finding, remedy in every("container"):
        if len(found.snapshots) == 1 and holds(found.snapshot.pasted.in_container):
            outside = remedy.side or finding.layer.value in (
                "device",
                "kernel",
            )
            assert outside or not any("sudo " in line for line in lines(remedy)), (finding.code, remedy)


@pytest.mark.parametrize("place", PLACES)
def test_what_is_referred_to_is_there(place: str) -> None:
    """A remedy that refers to another finding's names one of the same report that tells it."""
    for found, finding, remedy in every(place):
        named = re.match(r"Do what is said (?:above )?of ([\w-]+)", remedy.title)
        if named:
            others = [root for root in found.diagnosis.root_causes if root.code == named[1] and root is not finding]
            assert any(
                "download.pytorch.org" in line for root in others for other in root.remedies for line in other.commands
            )
            if finding.confidence is not Confidence.POSSIBLE:
                assert any(root.confidence is not Confidence.POSSIBLE for root in others), finding.code


@pytest.mark.parametrize("place", ["", "windows", "ubuntu"])
def test_every_fault_has_a_remedy_and_a_sentence_of_its_own(place: str) -> None:
    """What is more than possible says what to do; no two causes have one sentence, and none explains its own."""
    for number in range(len(texts())):
        roots = triaged(place, number).diagnosis.root_causes
        sure = [root for root in roots if root.confidence is not Confidence.POSSIBLE]
        assert len({root.summary for root in sure}) == len(sure), [root.summary for root in sure]
        for root in roots:
            assert root.summary not in {child.summary for child in flat(root.explains)}, root.summary
            symptom = rules_by_code()[root.code].symptom
            if root in sure and root.severity is not Severity.INFO and not symptom:
                assert root.remedies, (root.code, root.summary)


def replied(found: Triaged) -> str:
    """The message to the customer."""
    document = Report().of_texts(found.diagnosis, found.snapshot, None, (), found.snapshots)
    return reply(document, found.diagnosis, found.snapshot, found.snapshots)


@pytest.mark.parametrize("place", ["", "windows"])
def test_a_reply_points_to_nothing_that_is_not_there(place: str) -> None:
    """Who is told no cause is not told what follows."""
    for number in range(len(texts())):
        said = replied(triaged(place, number))
        causes = ("Most likely", "The cause is", "It is possible that this is the cause")
        assert "what follows" not in said or any(cause in said for cause in causes), said


def test_a_reply_has_the_lines_of_both_systems() -> None:
    """Where no system is told, the customer gets those of either, once."""
    text = "torch 2.9.1+xpu\nNotImplementedError: The operator 'aten::foo' is not currently implemented for the XPU device."
    said = replied(triage_texts([("text", from_bytes(text.encode(), "text"))], rules=all_rules()))
    assert said.count("export PYTORCH_ENABLE_XPU_FALLBACK=1") == 1
    assert said.count('$env:PYTORCH_ENABLE_XPU_FALLBACK = "1"') == 1


@pytest.mark.parametrize(
    "text",
    [
        "Windows 11, WSL 2 with Ubuntu 24.04: XPU device count is zero! torch 2.9.1+xpu",
        "WSL2: XPU device count is zero!",
    ],
)
def test_a_reply_repeats_no_step(text: str) -> None:
    """A step that follows another is told with that one alone."""
    said = replied(triage_texts([("text", from_bytes(text.encode(), "text"))], rules=all_rules()))
    steps = re.findall(r"(?m)^(?:What helps|Then): .+$", said)
    assert len(set(steps)) == len(steps)

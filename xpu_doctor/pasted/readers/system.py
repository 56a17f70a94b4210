"""Reads what texts tell of the system: operating system, distribution, WSL, architecture, hypervisor."""

from __future__ import annotations

import re
from itertools import islice

from xpu_doctor.model.terms import UNNAMED_HYPERVISOR
from xpu_doctor.pasted.readers.collected import Collected, Text
from xpu_doctor.text.late_pattern import late_pattern

_OS_WORDS = {
    "windows": (
        "windows 1", "windows1", "windows-1", "ai playground",
        "windows server", "win10", "win11", "[winerror", "\\venv\\",
        "\\site-packages\\",
    ),
    "linux": (
        "ubuntu", "debian", "fedora", "arch linux", "archlinux", "opensuse", "rhel", "centos", "rocky", "linux", "proxmox", "gentoo", "nixos",
        "haos", "home assistant", "unraid", "truenas", "yocto", "bazzite", "steamos", "cachyos", "manjaro", "/nix/store/", "/usr/",
        "/home/", ".so.", "/dev/dri", "/opt/", "/lib/python", "apt-get", "sudo ",
    ),
    "macos": ("mac os", "macos", "darwin"),
}  # fmt: skip
"""Words that stand in texts from a system, in lower case; the system with the most of them wins."""
_OS_SIGNS = {
    "windows": (
        late_pattern(r"(?i)(?<![\w/.-])[c-z]:\\{1,2}(?=[\w.$(-])|\w\.(?:dll|bat|exe)\b"),
        (":\\", ".dll", ".bat", ".exe"),
    ),
    "linux": (
        late_pattern(
            r"(?i)\bkernels?(?: version| release)?(?:[:=]| is|,)?\W{0,3}v?\d|\b(?:linux|hwe|lts|xanmod|zen) kernel"
            r"|\bkernel (?:log|module|driver|param|update|upgrade)"
            r"|\d kernel\b|\bapt (?:install|update|upgrade|list|search|remove|policy|show|-)"
        ),
        ("kernel", "apt "),
    ),
}
"""What tells a system besides: words that are parts of others (`loader.exec_module`, `tensor.batch`, a kernel of the GPU) are none. A drive's letter
is one letter: a line end that is written as an escape follows whole words."""
MAX_LOOKED_AT = 20_000
"""Characters of a text in which small signs are looked for."""
_SMALL_SIGNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "windows",
        late_pattern(
            r"""
            \b(?:on|in|under|for|my|using|runs?|running|native|natively|latest|with|use)[ ](?:\w{1,20}[ ])?(?<!\w)windows\b(?![ ]of\b)
            | \bwindows[ ](?:native|natively|user|machine|pc|laptop|build|driver|nightly|support|version|install\w{0,5}|desktop|arc)\b
            | \b\w{1,30}-windows\b
            | \bpowershell\b | \bcmd\.exe\b | \w\.ps1\b | \b(?:task|device)[ ]manager\b | \b3[0-2]\.0\.101\.\d{4}\b
            """,
            re.VERBOSE | re.IGNORECASE,
        ),
    ),
    (
        "linux",
        late_pattern(
            r"""
            \b[\w.<>-]{1,40}@[\w.<>-]{1,60}:[~/][^\n$#]{0,120}[$#]
            | ^[ >\t]{0,8}\$[ ][\w./]
            | \(core[ ]dumped\) | \bterminate[ ]called[ ]after\b
            | \blib[\w+-]{1,60}\.so\b | \bpython3?\.\d{1,2}/site-packages\b | \bLD_LIBRARY_PATH\b
            | (?<![\w.:/])/(?:proc|sys|tmp|root|workspace)/\w | (?<![\w/.-])\.{1,2}/(?:\w{1,40}/)?bin/\w | /bin/python
            | \bdmesg\b | \bsystemd\b | \bu(?:20|22|24|26)\.04\b | \bintel-opencl-icd\b | \blibze[-\d] | \bintel-level-zero-gpu\b
            | \bdocker[ ](?:run|compose|exec|logs|image|container)\b | \bpodman\b | \b(?:docker|the|a|my)[ ]container\b
            | \bvllm\b | \bllm-scaler\b | \btorch-ccl\b | \boneccl_bindings\w{0,20}
            | \bMax[ ]1[15][05]0\b | \bPVC\b | \b2[0-9]\.\d\d\.\d{5,6}\b
            """,
            re.VERBOSE | re.IGNORECASE | re.MULTILINE,
        ),
    ),
)
"""Signs of a system that decide only where no word above stands in a text, and only where those of one system alone do."""
_DISTRIBUTIONS = (
    ("ubuntu", late_pattern(r"(?i)\b[kxl]?ubuntu(?:[ -]?(?:server |desktop )?v?(\d\d\.\d\d))?")),
    (
        "debian",
        late_pattern(r"(?i)\bdebian(?: (?:gnu/linux )?(\d\d))?|(?<![\w.])(?:bookworm|trixie|forky)\b(?!-backports)"),
    ),
    ("fedora", late_pattern(r"(?i)\bfedora(?: (?:linux )?(\d\d))?")),
    ("manjaro", late_pattern(r"(?i)\bmanjaro\b")),
    ("cachyos", late_pattern(r"(?i)\bcachyos\b")),
    ("endeavouros", late_pattern(r"(?i)\bendeavouros\b")),
    ("arch", late_pattern(r"(?i)\barch ?linux\b|\barch btw\b|\d-arch\d")),
    ("opensuse-tumbleweed", late_pattern(r"(?i)\btumbleweed\b")),
    ("opensuse-leap", late_pattern(r"(?i)\bopensuse leap(?: (\d\d\.\d))?")),
    ("opensuse", late_pattern(r"(?i)\bopensuse\b")),
    ("linuxmint", late_pattern(r"(?i)\blinux ?mint(?: (\d\d(?:\.\d)?))?")),
    ("pop", late_pattern(r"(?i)\bpop!?_os(?:!)?(?: (\d\d\.\d\d))?")),
    ("bazzite", late_pattern(r"(?i)\bbazzite\b")),
    ("steamos", late_pattern(r"(?i)\bsteamos\b")),
    ("nixos", late_pattern(r"(?i)\bnixos(?: (\d\d\.\d\d))?|/nix/store/")),
    ("gentoo", late_pattern(r"(?i)\bgentoo\b")),
    ("haos", late_pattern(r"(?i)\bhaos\b|\bhome ?assistant (?:os|operating system)\b")),
    ("unraid", late_pattern(r"(?i)\bunraid\b")),
    ("truenas", late_pattern(r"(?i)\btruenas\b")),
    ("poky", late_pattern(r"(?i)\byocto\b|\bpoky\b|\bbitbake\b")),
    ("alpine", late_pattern(r"(?i)\balpine linux\b|\balpine:\d")),
    ("proxmox", late_pattern(r"(?i)\d-pve\b|\bpveversion\b|\bproxmox-kernel\b")),
    (
        "rhel",
        late_pattern(
            r"""
    \b(?:red[ ]hat(?![ ]\d+\.\d+\.\d)(?:[ ]enterprise[ ]linux)?|rhel|rocky[ ]linux
        | almalinux|centos(?:[ ]linux)?)
    (?:[ ]server)?(?:[ ]release)?(?:[ -]?(?P<release>\d{1,3}(?:\.\d{1,3})?))?
    """,
            re.VERBOSE | re.IGNORECASE,
        ),
    ),  # a compiler of Red Hat's, which Fedora has as well, names three numbers
)
_CODENAMES = {"bookworm": "12", "trixie": "13", "forky": "14"}
"""Debian's releases by the names that tags of images have."""
_CODENAME = late_pattern(r"(?<![\w.])(?:bookworm|trixie|forky)\b(?!-backports)")
_DISTRIBUTION_WORDS = {
    "ubuntu": ("ubuntu",), "debian": ("debian", "bookworm", "trixie", "forky"), "fedora": ("fedora",), "manjaro": ("manjaro",), "cachyos": ("cachyos",),
    "endeavouros": ("endeavouros",), "arch": ("arch linux", "archlinux", "arch btw", "-arch"), "opensuse-tumbleweed": ("tumbleweed",),
    "opensuse-leap": ("opensuse leap",), "opensuse": ("opensuse",), "linuxmint": ("linux mint", "linuxmint"), "pop": ("pop!_os", "pop_os"),
    "bazzite": ("bazzite",), "steamos": ("steamos",), "nixos": ("nixos", "/nix/store/"), "gentoo": ("gentoo",),
    "haos": ("haos", "home assistant o", "homeassistant o"), "unraid": ("unraid",), "truenas": ("truenas",),
    "poky": ("yocto", "poky", "bitbake"), "alpine": ("alpine linux", "alpine:"), "proxmox": ("-pve", "pveversion", "proxmox-kernel"),
    "rhel": ("rhel", "red hat", "rocky linux", "almalinux", "centos"),
}  # fmt: skip
_HOST = late_pattern(r"(?i)[\w. ()]{0,24}\bhost\b")
_WSL = late_pattern(
    r"(?i)(?<![-\w.])wsl ?2?\b(?![-\w/])|\bwindows subsystem for linux\b|microsoft-standard|/dev/dxg|/usr/lib/wsl|\bdxgkrnl\b"
)
_DOCKER_DESKTOP = late_pattern(r"(?i)\bdocker desktop\b|\bfrom (?:a |my )?windows host\b|\bdocker for windows\b")
"""Containers on Windows run in WSL."""
_VM = late_pattern(r"(?i)\b(?:proxmox|qemu|kvm|vmware|virtualbox|hyper-?v|esxi|virtual machine|\bVM\b|guest)\b")
_ARM = late_pattern(r"(?i)\b(?:aarch64|arm64|win_arm64)\b")


_CMD_PROMPT = late_pattern(
    r"^[> \t]{0,20}(?:\([\w .-]{1,40}\) ?)?[A-Z]:\\(?:[^<>|\n]|<\w{1,20}>){0,200}>\s?\w", re.MULTILINE
)
_POWERSHELL_PROMPT = late_pattern(r"^[> \t]{0,20}(?:\([\w .-]{1,40}\) ?)?PS [A-Z]:\\", re.MULTILINE)


def _shell(text: Text, facts: Collected) -> None:
    """Note whose prompts the text shows, where they are of one shell of Windows alone."""
    powershell = text.first(_POWERSHELL_PROMPT, "ps c:", "ps d:", "ps e:")
    cmd = text.first(_CMD_PROMPT, ":\\")
    if (cmd is None) is not (powershell is None):
        found = cmd or powershell
        facts.put("pasted.shell", "cmd" if cmd else "powershell", text.place(found.start()))  # type: ignore[union-attr]


def parse(text: Text, facts: Collected) -> None:
    """Read the operating system, its distribution, the architecture and what it runs under from a text."""
    _shell(text, facts)
    name = facts.get("machine.os_name")
    source = str(name) if name else text.body
    lowered = source.lower() if name else text.lowered
    said = (lambda word: word in lowered) if name else text.searched.has
    counts = {
        system: sum(min(lowered.count(word), 20) for word in words if said(word)) for system, words in _OS_WORDS.items()
    }
    if not name:
        for system, (pattern, words) in _OS_SIGNS.items():
            counts[system] += sum(1 for _ in islice(text.matches(pattern, *words), 20)) if text.has(*words) else 0
    best = max(counts, key=lambda system: counts[system])
    if counts[best]:
        facts.put("machine.os", best, text.name)
    else:
        small = [system for system, sign in _SMALL_SIGNS if sign.search(text.body, 0, MAX_LOOKED_AT)]
        if len(small) == 1:
            facts.put("machine.os", small[0], text.name)
    for label, pattern in _DISTRIBUTIONS:
        found = pattern.search(source) if any(word in lowered for word in _DISTRIBUTION_WORDS[label]) else None
        if found and _HOST.match(source, found.end()) and text.has("image", "container"):
            break  # what is in the image is another distribution's
        if found and facts.get("machine.os") == "linux":
            facts.put("machine.distribution", label, text.name)
            if found.groups() and found[1]:
                facts.put("machine.distribution_version", found[1], text.name)
            elif label == "debian" and (named := _CODENAME.search(lowered)):
                facts.put("machine.distribution_version", _CODENAMES[named[0]], text.name)
            break
    found = text.first(_WSL, "wsl", "microsoft-standard", "dxg", "windows subsystem")
    if found:
        facts.put("machine.wsl", True, text.place(found.start()))
        both = not name and counts["linux"] >= counts["windows"]
        inside = text.has("microsoft-standard") or (both and (counts[best] or not facts.get("machine.os")))
        facts.force("machine.os", "linux", text.place(found.start())) if inside else None
    found = text.first(_DOCKER_DESKTOP, "docker desktop", "windows host", "docker for windows")
    if found and text.has("windows"):
        facts.put("machine.wsl", True, text.place(found.start()))
    found = text.first(_ARM, "aarch64", "arm64")
    if found:
        facts.put("machine.architecture", "aarch64", text.place(found.start()))
    found = text.first(
        _VM, "proxmox", "qemu", "kvm", "vmware", "virtualbox", "hyper", "esxi", "virtual machine", "vm", "guest"
    )
    if found:
        word = found[0].lower()
        facts.put(
            "machine.hypervisor",
            UNNAMED_HYPERVISOR if word in ("guest", "vm", "virtual machine") else word,
            text.place(found.start()),
        )

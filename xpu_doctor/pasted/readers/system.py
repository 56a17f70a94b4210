"""Reads what texts tell of the machine: operating system, kernel, WSL, containers, /dev/dri, groups and variables."""

from __future__ import annotations

import re
from functools import cache
from itertools import islice

from xpu_doctor.model.facts import LogLine, Node, Variable
from xpu_doctor.model.terms import UNNAMED_HYPERVISOR
from xpu_doctor.pasted.readers.collected import MARGIN, Collected, Text
from xpu_doctor.pasted.readers.excerpts import is_elided, is_elided_around
from xpu_doctor.tables.variables import pasted_variables
from xpu_doctor.text.word_index import WordTable

_KERNEL = re.compile(
    r"""
    \b(?:linux[ ])?kernel(?:[ ]version|:|=|[ ]release)?\W{0,4}
    (?:is[ ]|ist[ ]|est[ ]|linux[ ])?v?(?P<after>\d\.\d{1,2}(?:\.\d{1,3})?(?:-[\w.]{1,40}){0,8})
    \b
    | \b(?P<before>[456]\.\d{1,2}(?:\.\d{1,3})?(?:-[\w.-]{1,60})?)
    [ ]kernel\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_UNAME_WORDS = (
    "linux ",
    "#",
    "smp",
    "-generic",
    "-arch",
    "-pve",
    "-microsoft",
    ".fc",
    "-amd64",
    "-zen",
    "-lts",
    "-default",
    ".el",
    "-cachyos",
    "-oem",
    "-hwe",
)
_UNAME = re.compile(
    r"(?m)^" + MARGIN + r"(?:Linux \S{1,80} )?(\d\.\d{1,2}\.\d{1,3}-[\w.+-]{2,60})(?: #\d| SMP|\s{0,200}$)"
)
_FLAVOURED = re.compile(
    r"""
    (?<![\w.-])(?P<named>[3-7]\.\d{1,2}\.\d{1,3}-(?:\d{1,4}[.-]){0,3}
    (?:amd64|generic|lowlatency|pve|azure|aws|gcp|oem|hwe|zen\d|arch\d|lts|cachyos|xanmod\d|default)(?:-\d{1,3})?)(?!\w|\.\w)
    """,
    re.VERBOSE,
)
"""A release as only a kernel has it, wherever it stands."""
_FLAVOURS = (
    "-amd64",
    "-generic",
    "-lowlatency",
    "-pve",
    "-azure",
    "-aws",
    "-gcp",
    "-oem",
    "-hwe",
    "-zen",
    "-arch",
    "-lts",
    "-cachyos",
    "-xanmod",
    "-default",
)
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
        re.compile(r"(?i)(?<![\w/.-])[c-z]:\\{1,2}(?=[\w.$(-])|\w\.(?:dll|bat|exe)\b"),
        (":\\", ".dll", ".bat", ".exe"),
    ),
    "linux": (
        re.compile(
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
        re.compile(
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
        re.compile(
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
    ("ubuntu", re.compile(r"(?i)\b[kxl]?ubuntu(?:[ -]?(?:server |desktop )?v?(\d\d\.\d\d))?")),
    (
        "debian",
        re.compile(r"(?i)\bdebian(?: (?:gnu/linux )?(\d\d))?|(?<![\w.])(?:bookworm|trixie|forky)\b(?!-backports)"),
    ),
    ("fedora", re.compile(r"(?i)\bfedora(?: (?:linux )?(\d\d))?")),
    ("manjaro", re.compile(r"(?i)\bmanjaro\b")),
    ("cachyos", re.compile(r"(?i)\bcachyos\b")),
    ("endeavouros", re.compile(r"(?i)\bendeavouros\b")),
    ("arch", re.compile(r"(?i)\barch ?linux\b|\barch btw\b|\d-arch\d")),
    ("opensuse-tumbleweed", re.compile(r"(?i)\btumbleweed\b")),
    ("opensuse-leap", re.compile(r"(?i)\bopensuse leap(?: (\d\d\.\d))?")),
    ("opensuse", re.compile(r"(?i)\bopensuse\b")),
    ("linuxmint", re.compile(r"(?i)\blinux ?mint(?: (\d\d(?:\.\d)?))?")),
    ("pop", re.compile(r"(?i)\bpop!?_os(?:!)?(?: (\d\d\.\d\d))?")),
    ("bazzite", re.compile(r"(?i)\bbazzite\b")),
    ("steamos", re.compile(r"(?i)\bsteamos\b")),
    ("nixos", re.compile(r"(?i)\bnixos(?: (\d\d\.\d\d))?|/nix/store/")),
    ("gentoo", re.compile(r"(?i)\bgentoo\b")),
    ("haos", re.compile(r"(?i)\bhaos\b|\bhome ?assistant (?:os|operating system)\b")),
    ("unraid", re.compile(r"(?i)\bunraid\b")),
    ("truenas", re.compile(r"(?i)\btruenas\b")),
    ("poky", re.compile(r"(?i)\byocto\b|\bpoky\b|\bbitbake\b")),
    ("alpine", re.compile(r"(?i)\balpine linux\b|\balpine:\d")),
    ("proxmox", re.compile(r"(?i)\d-pve\b|\bpveversion\b|\bproxmox-kernel\b")),
    (
        "rhel",
        re.compile(
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
_CODENAME = re.compile(r"(?<![\w.])(?:bookworm|trixie|forky)\b(?!-backports)")
_DISTRIBUTION_WORDS = {
    "ubuntu": ("ubuntu",), "debian": ("debian", "bookworm", "trixie", "forky"), "fedora": ("fedora",), "manjaro": ("manjaro",), "cachyos": ("cachyos",),
    "endeavouros": ("endeavouros",), "arch": ("arch linux", "archlinux", "arch btw", "-arch"), "opensuse-tumbleweed": ("tumbleweed",),
    "opensuse-leap": ("opensuse leap",), "opensuse": ("opensuse",), "linuxmint": ("linux mint", "linuxmint"), "pop": ("pop!_os", "pop_os"),
    "bazzite": ("bazzite",), "steamos": ("steamos",), "nixos": ("nixos", "/nix/store/"), "gentoo": ("gentoo",),
    "haos": ("haos", "home assistant o", "homeassistant o"), "unraid": ("unraid",), "truenas": ("truenas",),
    "poky": ("yocto", "poky", "bitbake"), "alpine": ("alpine linux", "alpine:"), "proxmox": ("-pve", "pveversion", "proxmox-kernel"),
    "rhel": ("rhel", "red hat", "rocky linux", "almalinux", "centos"),
}  # fmt: skip
_HOST = re.compile(r"(?i)[\w. ()]{0,24}\bhost\b")
_WSL = re.compile(
    r"(?i)(?<![-\w.])wsl ?2?\b(?![-\w/])|\bwindows subsystem for linux\b|microsoft-standard|/dev/dxg|/usr/lib/wsl|\bdxgkrnl\b"
)
_DOCKER_DESKTOP = re.compile(r"(?i)\bdocker desktop\b|\bfrom (?:a |my )?windows host\b|\bdocker for windows\b")
"""Containers on Windows run in WSL."""
_CONTAINER = re.compile(
    r"""
    \bdocker[ ](?:run|compose|start|exec|pull|build)\b
    | \bdocker-compose\b
    | \bpodman\b
    | \bin(?:side)?[ ]docker\b
    | \bin(?:side)?[ ](?:a[ ]|the[ ]|my[ ]|an[ ])?
    (?:\w{1,40}[ ])?(?:docker[ ]|OCI[ ])?
    (?:container|image|pod)\b
    | \bkubernetes\b | \bk[38]s[ ]pod | \b(?:singularity|apptainer)[ ](?:container|image|exec|run|shell)
    | \bkubectl\b
    | (?-i:^FROM[ ][\w./:-])
    | \bdocker[ ](?:container|image)
    | \bLXC\b
    | root@[0-9a-f]{12}:
    | /\.dockerenv(?!['"`\u2019]{0,2}:?[ ](?:no[ ]such|cannot|not[ ]found))
    | ^\s{0,20}File[ ]"/(?:vllm-)?workspace/ | ^\s{0,20}(?:\([\w.-]{1,40}\)[ ])?root@[\w.<>-]{1,64}:/(?:vllm-)?workspace\b
    | \b[a-z]{3,20}:[\w.-]{2,40}[ ](?:docker[ ])?(?:container|image)\b
    | \bDockerfile
    | ghcr\.io/
    | docker\.io/
    | container_name:
    | Error[ ]response[ ]from[ ]daemon
    | ^\s{0,200}image:[ ][\w./-]{1,200}:
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
_KINDS: tuple[tuple[str, tuple[str, ...], re.Pattern[str]], ...] = (
    (
        "kubernetes",
        ("kubectl", "kubernetes", "k8s", "k3s", "gpu.intel.com/", "kind: "),
        re.compile(
            r"(?i)\bkubectl\b|\bkubernetes\b|\bk[38]s\b|\bgpu\.intel\.com/|^\s{0,40}kind: (?:Pod|Deployment|DaemonSet|StatefulSet)\b"
        ),
    ),
    (
        "proxmox",
        ("/pve/", "pct ", "dev0: ", "proxmox", "-pve"),
        re.compile(
            r"(?i)/etc/pve/lxc\b|\bpct (?:set|enter|start|exec|reboot|config)\b|^\s{0,40}dev\d: ?/dev/dri|\bproxmox\b|-pve\b"
        ),
    ),
    ("lxc", ("lxc", "incus", "lxd"), re.compile(r"(?i)(?<![\w/.-])(?:lxc|incus|lxd)\b")),
    ("podman", ("podman",), re.compile(r"(?i)\bpodman\b")),
    (
        "compose",
        ("compose", "container_name:", "services:", "group_add:"),
        re.compile(
            r"(?i)\bdocker[- ]compose\b|\bcompose\.ya?ml\b|^\s{0,40}(?:container_name:|group_add:)|^\s{0,4}services:\s{0,4}$"
        ),
    ),
    ("docker", ("docker", "from daemon"), re.compile(r"(?i)\bdocker\b|\bresponse from daemon\b")),
)
"""What runs containers, the outermost first: words, and the pattern of a line that names it."""
_NODE = re.compile(
    r"""
    ^[^\n]{0,12}?(?P<kind>[cb-])(?P<mode>[rwxsStT-]{9})
    (?P<acl>[.+]?)\s{1,20}\d{1,6}\s{1,20}
    (?P<owner>\S{1,64})\s{1,20}(?P<group>\S{1,64})\s{1,20}
    (?P<major>226)\s{0,20},\s{0,20}
    (?P<minor>\d{1,6})[^\n]{0,120}?[\s/]
    (?P<name>(?:renderD|card)\d{1,4})\s{0,200}$
    """,
    re.VERBOSE | re.MULTILINE,
)
_DRI_LIST = re.compile(
    r"(?m)^" + MARGIN + r"(?:[^\n]{0,60}[$#] )?ls (?:-\w{1,12} ){0,4}/dev/dri/?\S{0,4}[ \t]*\n((?:[^\n]*\n?){1,8})"
)
_TOTAL = re.compile(
    MARGIN + r"(?:total|insgesamt|totale|totaal|totalt|razem|celkem|toplam|итого|загалом|总计|总用量|總計|合計|합계)"
    r" \d{1,9}\s{0,20}$"
)
_ID_WORDS = ("uid=", "用户id=", "用戶id=", "使用者id=", "識別碼=", "идентификатор=", "ид=")
"""Words that `id` puts before a user's number, in the languages that translate them; those before the groups' are many more."""
_ID = re.compile(
    r"""
    (?:uid|用户id|用戶id|使用者id|\w{0,8}識別碼|\w{0,20}идентификатор|ид)=
    (?P<user>\d{1,10})\(?[\w.<>-]{0,64}\)?\s{1,20}
    [^\s=\d]{1,24}=\d{1,10}\S{0,80}\s{1,20}
    (?!euid=|egid=)[^\s=\d]{1,24}=(?P<groups>\d{1,10}(?![\w.])[^\n]{0,600})
    """,
    re.VERBOSE | re.IGNORECASE,
)
_GROUPS = re.compile(r"(?m)^" + MARGIN + r"(?:[^\n]{0,60}[$#] )?groups[ \t]*\n([a-z][^\n]{0,300})$")
_PASSED = re.compile(
    r"""
    --devices?[= ]\S{0,4}/dev/dri
    | ^\s{0,200}-\s{1,20}[\"']?/dev/dri
    (?::|[\"']?\s{0,200}$)
    | \bdevices?:\s{0,200}\[?[\"']?/dev/dri
    | --privileged
    """,
    re.VERBOSE | re.MULTILINE,
)
_DMESG = re.compile(
    r"""
    ^[^\n]{0,80}\b(?:i915|xe)\b[ ](?:0000:)?[0-9a-f]{2}:[0-9a-f]{2}\.\d[^\n]{1,240}$
    | ^[^\n]{0,60}\b(?:i915|xe):[ ][^\n]{1,200}$
    """,
    re.VERBOSE | re.MULTILINE,
)
_CMDLINE = re.compile(
    r"""
    \b(?P<parameter>(?:i915|xe)\.(?:force_probe|enable_guc|modeset|enable_hangcheck)=\S{1,40}
        | nomodeset|module_blacklist=\S{1,80}|modprobe\.blacklist=\S{1,80})
    """,
    re.VERBOSE,
)
_ONEAPI = re.compile(
    r"""
    \b(?:one[ ]?api|basekit|base[- ]?(?:tool)?kit|oneapi-basekit|dpcpp|DLE)
    \b[^\n]{0,40}?\b(?P<named>202[2-9](?:\.\d{1,4}){0,2})\b
    | /oneapi/(?:\w{1,40}/)?(?P<folder>202\d\.\d)\b
    | IGC[ ]version:[ ](?P<igc>202\d\.\d)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SONAME = re.compile(r"libsycl\.so\.(\d)(?:\.\d+)*(?=\s|$)|sycl(\d)\.dll\s*$", re.MULTILINE)
_VM = re.compile(r"(?i)\b(?:proxmox|qemu|kvm|vmware|virtualbox|hyper-?v|esxi|virtual machine|\bVM\b|guest)\b")
_ALPINE = re.compile(r"(?i)\balpine\b|musl")
_ARM = re.compile(r"(?i)\b(?:aarch64|arm64|win_arm64)\b")


def parse(text: Text, facts: Collected) -> None:
    """Read the machine from a text."""
    _system(text, facts)
    _containers(text, facts)
    _nodes(text, facts)
    _variables(text, facts)
    _kernel(text, facts)
    release = text.first(
        _ONEAPI, "oneapi", "one api", "basekit", "toolkit", "base kit", "base-kit", "dpcpp", "igc version", "dle"
    )
    if release:
        facts.put("pasted.oneapi", next(group for group in release.groups() if group), text.place(release.start()))
    if text.has("libsycl.so.", "sycl7", "sycl8", "sycl9"):
        for match in text.matches(_SONAME, "libsycl.so.", "sycl7", "sycl8", "sycl9"):
            line_end = text.body.find("\n", match.end())
            if "cannot open" not in text.body[match.start() : line_end if line_end > 0 else None]:
                facts.put("pasted.linked_soname", int(match[1] or match[2]), text.place(match.start()))


def _system(text: Text, facts: Collected) -> None:
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


def _containers(text: Text, facts: Collected) -> None:
    found = text.first(
        _CONTAINER,
        "docker",
        "podman",
        "container",
        "image",
        "kube",
        "pod",
        "singularity",
        "apptainer",
        "k8s",
        "k3s",
        "lxc",
        "root@",
        "ghcr.io",
        "from ",
        "from daemon",
        "workspace",
    )
    if found:
        facts.put("pasted.in_container", True, text.place(found.start()))
    kinds = [kind for kind, words, pattern in _KINDS if text.has(*words) and text.first(pattern, *words)]
    if kinds:
        facts.force("pasted.container_kinds", _kinds({*(facts.get("pasted.container_kinds") or ()), *kinds}), text.name)
    passed = text.first(_PASSED, "/dev/dri", "--privileged")
    if passed:
        facts.put("pasted.dri_passed", True, text.place(passed.start()))


def _kinds(named: set[str]) -> tuple[str, ...]:
    """Return the kinds of containers, the outermost first, without those that others say more of."""
    if "proxmox" in named and "lxc" not in named:
        named = named - {"proxmox"}  # the guest may be a virtual machine
    if "proxmox" in named:
        named = named - {"lxc"}
    if "kubernetes" in named:
        return ("kubernetes",)
    if "podman" in named or "compose" in named:
        named = named - {"docker"}
    if "podman" in named:
        named = named - {"compose"}
    return tuple(kind for kind, _, _ in _KINDS if kind in named)


def _nodes(text: Text, facts: Collected) -> None:
    """Read `ls -l /dev/dri`, `id` and `groups`."""
    nodes = []
    if "226" in text.body:
        for offset, line in text.lines_with("renderd", "card"):
            match = _NODE.search(line[:1000])
            if match:
                _, bits, mark, _, group, _, _, name = match.groups()
                mode = sum(1 << (8 - place) for place, bit in enumerate(bits) if bit != "-")
                nodes.append(Node(f"/dev/dri/{name}", mode=mode, group=group, acl=mark == "+"))
                facts.sources.setdefault("access.nodes", text.place(offset))
    if nodes:
        group = next((_kind_of_group(str(node.group)) for node in nodes if "render" in node.path), None)
        if group is not None:
            facts.put("pasted.node_group", group, facts.sources["access.nodes"])
        facts.block("dev-dri")
        facts.put("access.nodes", tuple(nodes), facts.sources["access.nodes"])
        facts.put("pasted.dri_missing", False, facts.sources["access.nodes"])
        renders = any("render" in node.path for node in nodes)
        if renders or _is_whole_folder(text):
            facts.put("pasted.no_render_node", not renders, facts.sources["access.nodes"])
    for offset, _ in text.lines_with("/dev/dri"):
        listing = _DRI_LIST.match(text.body, offset, offset + 4096)
        if listing and re.search(r"renderD\d+", listing[1]):
            facts.block("dev-dri")
            facts.put("pasted.dri_missing", False, text.place(offset))
            break
        if listing and re.search(r"\bcard\d", listing[1]) and not any(map(is_elided, listing[1].split("\n"))):
            facts.put("pasted.no_render_node", True, text.place(offset))
    identity = text.first(_ID, *_ID_WORDS)
    if identity:
        facts.block("id")
        groups_of = re.findall(r"(?:^|,)(\d{1,10})\b(?:\(([\w.<>-]+)\))?", identity["groups"])[:200]
        facts.put(
            "access.account_groups", tuple(name or number for number, name in groups_of), text.place(identity.start())
        )
        facts.put("access.session_groups", tuple(int(number) for number, _ in groups_of), text.place(identity.start()))
        facts.put("access.is_root", identity["user"] == "0", text.place(identity.start()))
    for offset, line in text.lines_with("groups"):
        groups = _GROUPS.match(text.body, offset, text.end_of_next(offset + len(line)))
        if groups:
            facts.put("access.account_groups", tuple(groups[1].split()), text.place(offset))
            break


def _kind_of_group(group: str) -> str:
    """Return `nobody`, `number` or `strange` for a render node's group that is none for GPUs: ids of another system look like that."""
    if group in ("render", "video", "root", "plugdev", "users"):
        return ""
    if group in ("nobody", "nogroup", "65534"):
        return "nobody"
    return "number" if group.isdigit() else "strange"


def _is_whole_folder(text: Text) -> bool:
    """Return whether what `ls -l` lists is a whole folder: it begins with a total, and no line of it was left out."""
    rows = [
        number
        for number in text.searched.numbers_with_any(("card",))
        if _NODE.search(text.searched.line(number)[:1000])
    ]
    if not rows:
        return False
    above = (text.searched.line(number)[:200] for number in range(max(rows[0] - 5, 1), rows[0]))
    return any(_TOTAL.match(line) for line in above) and not is_elided_around(text, rows[0], rows[-1])


def _variables(text: Text, facts: Collected) -> None:
    """Read what the known variables are set to."""
    table, assignment, printed = _variable_words()
    for offset, line in text.lines_with(*sorted(table.present(text.searched))):
        shown = printed.findall(text.body[offset : text.end_of_next(offset + len(line))][:4096])
        for name, value in (*assignment.findall(line[:4096]), *shown):
            if name not in facts.variables:
                facts.variables[name] = Variable(name, value.strip("\"'"))
                facts.sources.setdefault("environment.variables", text.place(offset))


@cache
def _variable_words() -> tuple[WordTable, re.Pattern[str], re.Pattern[str]]:
    """Return the names of the known variables as words, and the patterns of an assignment to one of them and of its printed value."""
    names = pasted_variables()
    every = "|".join(sorted(names, key=len, reverse=True))
    assignment = re.compile(rf"(?:^|[\s;`'\"(-]|set |export |ENV |-e |\$env:)({every}) ?= ?([^\s;`]{{0,400}})")
    printed = re.compile(
        rf"(?:echo|printenv) +[\"']?\$?\{{?(?:env:)?({every})\}}?[\"']?[ \t]*(?:(?:->|=>|prints?|gives?|shows?|says?):?[ \t]*|\n[ \t>]{{0,40}})"
        r"([A-Za-z0-9_*!][\w:;,.*!/-]{0,200})"
    )
    return WordTable(name.lower() for name in names), assignment, printed


def _kernel(text: Text, facts: Collected) -> None:
    for pattern, words in ((_UNAME, _UNAME_WORDS), (_KERNEL, ("kernel",)), (_FLAVOURED, _FLAVOURS)):
        found = text.first(pattern, *words)
        if found and (pattern is _KERNEL or facts.get("machine.os") != "windows"):
            facts.put("kernel.version", next(group for group in found.groups() if group), text.place(found.start()))
            break
    logged = islice(text.matches(_DMESG, "i915 ", "i915:", "xe ", "xe:"), 64)
    lines = [LogLine(match[0].strip()[:300], text.place(match.start())) for match in logged]
    if lines:
        facts.block("dmesg")
        facts.put("kernel.gpu_log", tuple(lines), lines[0].source)
    found_words = tuple(
        dict.fromkeys(match[1] for match in text.matches(_CMDLINE, "i915.", "xe.", "nomodeset", "blacklist"))
    )
    if found_words:
        facts.put("kernel.command_line", found_words, text.name)

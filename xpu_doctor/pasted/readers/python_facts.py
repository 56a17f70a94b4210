"""Reads what texts tell of Python, torch and other packages: collect_env, pip, conda and uv listings, and loose mentions."""

from __future__ import annotations

import re

from xpu_doctor.model.facts import Distribution
from xpu_doctor.pasted.readers.collected import MARGIN, Collected, Text
from xpu_doctor.text.late_pattern import late_pattern

_TORCH_VERSION = late_pattern(
    r"""
    ^[^\n]{0,80}?(?:PyTorch[ ]version|pytorch[ ]version|torch[ ]version|torch\.__version__
        | ^[^\w\n]{0,80}PyTorch|\btorch)\b\W{0,3}\s{0,8}
    (?:[:=]|is)?\s{0,8}[`*'\"v]{0,3}
    (?P<version>\d{1,4}\.\d{1,4}(?:\.\d{1,4})?[\w.+-]{0,80})
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
_REQUIREMENT = late_pattern(r"(?<![\w.-])([A-Za-z][A-Za-z0-9_.-]{1,50})(?:\[[\w,-]{1,80}\])?==(\d[\w.+!-]{0,80})")
_LISTED = late_pattern(
    r"""
    ^[>| \t\xa0\u3000]{0,200}(?P<name>(?:pytorch[-_])?(?:torch(?:vision|audio)?
        | triton(?:[-_]xpu)?|intel[-_][\w-]{1,60}|onemkl[-_][\w-]{1,60}|dpcpp[-_][\w-]{1,60}
        | mkl[\w-]{0,60}|tcmlib|umf|pyzes|tbb|impi[-_]rt|oneccl[\w-]{0,60}|nvidia-[\w-]{1,60}
        | ipex[-_]llm|transformers|numpy|vllm|pytorch(?:-cuda)?))
    (?:\s{1,40}|:[ ]{0,4})(?P<version>\d[\w.+!-]{0,80})
    (?:\s{1,200}\S{1,300}){0,3}\s{0,200}$
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
_PREFIXED = late_pattern(
    r"(?im)^[>| \t\xa0\u3000]{0,200}\[(?:pip3?|conda|uv)\]\s{1,80}([A-Za-z][\w.-]{1,60})(?:==|\s{1,80})(\d[\w.+!-]{0,80})"
)
_CONDA_BUILD = late_pattern(
    r"(?i)^[>| \t\xa0\u3000]{0,200}(?:pytorch|libtorch)\s{1,80}\d[\w.]{0,60}\s{1,80}(\w{0,60}?(?:cpu|cuda)\w{0,60})"
)
_PLAIN_WHEEL = late_pattern(
    r"\btorch-(\d+\.\d+\.\d+)-cp\d{2,3}-\w{1,20}-((?:manylinux|linux|win|macosx)[\w.]{0,80})\.whl"
)
LABELS = ("+xpu", "+cpu", "+cu", "+rocm", "+cxx11.abi")
_PREFIXES = ("[pip]", "[pip3]", "[conda]", "[uv]")
_LISTED_WORDS = (
    "torch", "triton", "intel-", "intel_", "onemkl", "dpcpp", "mkl", "tcmlib", "umf", "pyzes", "tbb", "impi", "oneccl", "nvidia-", "ipex", "transformers",
    "numpy", "vllm",
)  # fmt: skip
LABELLED = late_pattern(
    r"(?<![\w.])(\d{1,4}\.\d{1,4}(?:\.\d{1,4})?\w{0,20}\+(?:xpu|XPU|cpu|cu\d{2,3}|rocm[\d.]{0,12}|cxx11\.abi))(?![\w])"
)
_PYTHON = late_pattern(
    r"(?im)(?:^|[^\w.])python(?: version)?\s{0,6}[:=]?\s{0,6}(?:version=)?\(?v?(3\.\d{1,2}(?:\.\d{1,2})?)\b"
)
_CONDA = late_pattern(
    r"""
    (?:ana|mini|mamba)?(?:conda3?|forge3?)[/\\]
    | packaged[ ]by[ ](?:Anaconda|conda-forge)
    | ^\s{0,200}\[conda\]\s{1,20}(?!Could[ ]not|N/A)[A-Za-z_]
    | conda[ ]activate
    | \bconda[ ](?:env|install)
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
_KEYS = late_pattern(r"(?m)^" + MARGIN + r"([A-Z][A-Za-z .]{1,44}?)\s{0,40}:[ \t]{1,80}([^\n]{0,300})$")
_ROW = late_pattern(r"[>| \t\xa0\u3000]{0,200}([A-Za-z][\w.-]{0,60})(?:==| @ |\s{1,60})\S[^\n]{0,300}$")
_RULE = late_pattern(MARGIN + r"(?:-[- ]{0,300}|#.*|Package\s{1,80}Version.*|```\w*|)$")
_KEY_WORDS = ("version", "available", "used to build", "platform", "os:", "os ")
"""Words of the keys that are read."""
_IPEX = late_pattern(r"(?i)\b(?:intel[_ -]extension[_ -]for[_ -]pytorch|ipex(?:[-_]llm)?|use-ipex)\b")
_IPEX_WORDS = ("ipex", "intel_extension", "intel-extension", "intel extension")
_IPEX_VERSION = late_pattern(
    r"(?i)(?:\bIPEX(?: version)?|intel[_-]extension[_-]for[_-]pytorch)\s{0,8}[:= ]{1,3}\s{0,8}v?(\d{1,4}\.\d{1,4}[\w.+]{0,60})"
)
_SITE = late_pattern(
    r"""
    (?:^|[\s\"'])(?P<prefix>(?:[A-Za-z]:)?[\w./\\~+-]{2,200}?)[/\\]
    (?:lib[/\\]python(?P<python>\d\.\d{1,2})[/\\])?site-packages[/\\]torch[/\\]
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)

NOT_INSTALLED = (
    "install",
    "requires",
    "required",
    "needs",
    "satisf",
    "collecting",
    "upgrade",
    "works",
    "matching",
    "found for",
)
"""Words before a version that somebody wants, and need not have."""
XPU_RUNTIME = (
    "intel-sycl-rt",
    "dpcpp-cpp-rt",
    "intel-cmplr-lib-rt",
    "triton-xpu",
    "pytorch-triton-xpu",
    "intel-extension-for-pytorch",
)
"""Packages that an XPU wheel brings, and Intel's extension, whose torch has labels of its own."""
_PIP_LISTINGS = ("pip list", "pip3 list", "pip freeze", "pip3 freeze")
WANTED = ("install", "satisfies the", "found for", "from versions")
"""Words before a local version that an installer was asked for, or that an index offers."""
_DONE = late_pattern(r"install(?:ed|ers?|s)\b")
"""What tells who installs, or that it is done, which is no wish."""
MAX_LISTED = 5000
"""Lines of a listing that are read."""
NOT_A_VERSION = {"N/A", "", "None", "Could not collect"}


def parse(text: Text, facts: Collected) -> None:
    """Read Python, torch and packages from a text."""
    _collect_env(text, facts)
    _packages(text, facts)
    _torch(text, facts)
    python = text.first(_PYTHON, "python")
    if python:
        facts.put("python.version", python[1], text.place(python.start()))
    found = text.first(_CONDA, "conda", "forge")
    if found:
        facts.put("pasted.conda", True, text.place(found.start()))
    found = text.first(_IPEX, *_IPEX_WORDS)
    if found:
        facts.put("pasted.ipex", True, text.place(found.start()))
        version = text.first(_IPEX_VERSION, *_IPEX_WORDS)
        if version:
            facts.put("pasted.ipex_version", version[1], text.place(version.start()))
            facts.distributions.setdefault(
                "intel-extension-for-pytorch", Distribution("intel-extension-for-pytorch", version[1])
            )


def _collect_env(text: Text, facts: Collected) -> None:
    """Read the `Key: value` lines of collect_env in PyTorch's, IPEX's and vLLM's spelling."""
    if not text.has(
        "is cuda available",
        "is xpu available",
        "libc version",
        "collecting environment",
        "cuda used to build",
        "python platform",
    ):
        return
    facts.block("collect_env")
    rows: dict[str, tuple[str, str]] = {}
    for match in text.matches(_KEYS, *_KEY_WORDS):
        rows.setdefault(match[1].strip().lower(), (match[2].strip(), text.place(match.start())))
    for key, path in (
        ("pytorch version", "torch.version"),
        ("os", "machine.os_name"),
        ("is xpu available", "xpu.available"),
    ):
        if key in rows and rows[key][0] not in NOT_A_VERSION:
            value, place = rows[key]
            if key == "is xpu available":
                facts.put(path, value.lower().startswith("true"), place)
            else:
                facts.put(path, value.split()[0] if key == "pytorch version" else value, place)
    _build(rows, facts)
    if "libc version" in rows and rows["libc version"][0].startswith("glibc-"):
        facts.put("machine.glibc", rows["libc version"][0][6:], rows["libc version"][1])
    if "python version" in rows:
        number = re.match(r"3\.\d{1,2}(?:\.\d{1,2})?", rows["python version"][0])
        if number:
            facts.put("python.version", number[0], rows["python version"][1])
        bits = re.search(r"\((\d\d)-bit runtime\)", rows["python version"][0])
        if bits:
            facts.put("python.bits", int(bits[1]), rows["python version"][1])
    if "python platform" in rows:
        _platform(*rows["python platform"], facts)


def _build(rows: dict[str, tuple[str, str]], facts: Collected) -> None:
    """Tell the build from what collect_env says of CUDA, ROCm and XPU."""

    def value(key: str) -> str:
        return rows.get(key, ("", ""))[0]

    xpu, cuda, rocm = (
        value("xpu used to build pytorch"),
        value("cuda used to build pytorch"),
        value("rocm used to build pytorch"),
    )
    if xpu and xpu not in NOT_A_VERSION:
        facts.put("torch.build", "xpu", rows["xpu used to build pytorch"][1])
        facts.put("torch.xpu_version", xpu, rows["xpu used to build pytorch"][1])
    elif cuda and cuda not in NOT_A_VERSION and cuda[:1].isdigit():
        facts.put("torch.build", "cuda", rows["cuda used to build pytorch"][1])
        facts.put("torch.cuda_version", cuda, rows["cuda used to build pytorch"][1])
    elif rocm and rocm not in NOT_A_VERSION and rocm[:1].isdigit():
        facts.put("torch.build", "rocm", rows["rocm used to build pytorch"][1])
        facts.put("torch.hip_version", rocm, rows["rocm used to build pytorch"][1])


def _platform(platform: str, place: str, facts: Collected) -> None:
    """Read `Linux-6.14.0-15-generic-x86_64-with-glibc2.41` and its like."""
    lowered = platform.lower()
    name = next((name for name in ("linux", "windows", "macos", "darwin") if lowered.startswith(name)), "")
    if name:
        facts.put("machine.os", "macos" if name == "darwin" else name, place)
        facts.put("python.os", "macos" if name == "darwin" else name, place)
    kernel = re.match(r"Linux-(\d[\w.+~-]{0,80}?)-(x86_64|aarch64|arm64)\b", platform)
    if kernel:
        facts.put("kernel.version", kernel[1], place)
        facts.put("machine.architecture", kernel[2], place)
        facts.put("python.architecture", kernel[2], place)
    if "microsoft" in lowered:
        facts.put("machine.wsl", True, place)


def _packages(text: Text, facts: Collected) -> None:
    """Read installed packages from listings; what a command asks for is no package that is installed."""
    for pattern, words in ((_PREFIXED, _PREFIXES), (_LISTED, _LISTED_WORDS), (_REQUIREMENT, ("==",))):
        for match in text.matches(pattern, *words):
            before = text.body[max(0, text.body.rfind("\n", 0, match.start()) + 1) : match.start()].lower()
            if any(
                word in before
                for word in (
                    "install",
                    "requires",
                    "depends on",
                    "satisfies the",
                    "found for",
                    "collecting",
                    "need",
                    "uninstall",
                    "want",
                )
            ):
                continue
            name = re.sub(r"[-_.]+", "-", match[1]).lower()
            name = "torch" if name == "pytorch" else name
            if name not in facts.distributions:
                place = text.place(match.start())
                facts.block("pip")
                facts.distributions[name] = Distribution(name, match[2])
                facts.sources[f"distributions.{name}"] = place
                if name == "torch":
                    facts.put("torch.version", match[2], place)
    _whole_listing(text, facts)
    if "intel-extension-for-pytorch" in facts.distributions:
        version = facts.distributions["intel-extension-for-pytorch"].version
        facts.put("pasted.ipex_version", version, facts.sources["distributions.intel-extension-for-pytorch"])


def _whole_listing(text: Text, facts: Collected) -> None:
    """Note a whole listing of packages that does not name torch: one under its command, which nothing filtered."""
    read_to = 0
    for offset, line in text.lines_with("pip freeze", "pip list", "uv pip", "conda list"):
        number = text.searched.number_at(offset)
        if number < read_to or "|" in line or "grep" in line or "findstr" in line:
            continue  # a command inside a listing that was read has no other packages below it
        names, read_to = _listed_below(text, number)
        if len(names) >= 2 and ({"pip", "setuptools", "numpy"} & set(names)):
            facts.put(
                "pasted.listing_without_torch",
                not any(name.startswith(("torch", "pytorch")) for name in names),
                text.place(offset),
            )
            return


def _listed_below(text: Text, command: int) -> tuple[list[str], int]:
    """Return the packages that are listed below the line of a command, and the number of the line where they end."""
    names: list[str] = []
    last = min(command + MAX_LISTED, len(text.searched.starts))
    for number in range(command + 1, last + 1):
        row = text.searched.line(number)
        listed = _ROW.match(row)
        if listed is None and not _RULE.match(row):
            return names, number
        if listed:
            names.append(listed[1].lower())
    return names, last


_SHOWN = late_pattern(
    r"__version__|\b(?:prints?|printed|shows?|showed|reports?|reported|returns?|returned|gives?|gave|says?)\b"
)
"""What comes before a version that somebody saw."""


def _torch(text: Text, facts: Collected) -> None:
    """Read torch's version and build from loose mentions."""
    if facts.get("torch.version") is None:
        for offset, line in text.lines_with("torch"):
            match = _TORCH_VERSION.match(text.body, offset, text.end_of_next(offset + len(line)))
            if match and not any(word in _DONE.sub("", match[0].lower()) for word in NOT_INSTALLED):
                facts.put("torch.version", match[1].rstrip(".,"), text.place(match.start()))
                break
    if facts.get("torch.version") is None:
        for match in text.matches(LABELLED, *LABELS):
            if not is_wanted(text, match.start()) and int(match[1].split(".")[0]) >= 1:
                facts.put("torch.version", match[1].lower(), text.place(match.start()))
                break
    builds = {
        build_of_label(match[1]): match.start()
        for match in text.matches(LABELLED, *LABELS)
        if not is_wanted(text, match.start())
    }
    builds.pop("", None)
    if builds:
        facts.put("pasted.torch_builds", tuple(builds), text.place(max(builds.values())))
    _labelled(text, facts)
    _unlabelled(text, facts)
    version = facts.get("torch.version")
    if version:
        facts.put("torch.installed", True, facts.sources["torch.version"])
        label = build_of_label(str(version))
        if label:
            facts.put("torch.build", label, facts.sources["torch.version"])
    site = text.first(_SITE, "site-packages")
    if site:
        facts.put(
            "torch.path", text.body[site.start() : site.end()].strip(" \"'").rstrip("/\\"), text.place(site.start())
        )


def _labelled(text: Text, facts: Collected) -> None:
    """Prefer a version with a build's label to the same one without: listings of some tools leave the label out."""
    version = str(facts.get("torch.version") or "")
    if not version or "+" in version:
        return
    for match in text.matches(LABELLED, *LABELS):
        if match[1].partition("+")[0] == version and not is_wanted(text, match.start()):
            facts.force("torch.version", match[1].lower(), text.place(match.start()))
            return


def _unlabelled(text: Text, facts: Collected) -> None:
    """Tell the build of a torch without a label: by what is installed beside it, by conda's build string, or by the name of its wheel.

    PyPI's wheels carry no label: those for Linux on x86-64 are CUDA builds, the others are for processors.
    """
    if "+" in str(facts.get("torch.version") or "") or facts.get("torch.build"):
        return
    _listed_by_pip(text, facts)
    conda = text.first(_CONDA_BUILD, "pytorch", "libtorch")
    wheel = text.first(_PLAIN_WHEEL, "torch-")
    if conda:
        facts.put("torch.build", "cuda" if "cuda" in conda[1].lower() else "cpu", text.place(conda.start()))
    elif any(name.startswith("nvidia-cu") for name in facts.distributions) and "torch" in facts.distributions:
        place = next(source for path, source in facts.sources.items() if path.startswith("distributions.nvidia-cu"))
        facts.put("torch.build", "cuda", place)
    elif wheel:
        facts.put("torch.version", wheel[1], text.place(wheel.start()))
        facts.put(
            "torch.build",
            "cuda" if "manylinux" in wheel[2] and "x86_64" in wheel[2] else "cpu",
            text.place(wheel.start()),
        )


def _listed_by_pip(text: Text, facts: Collected) -> None:
    """Note a torch without a label in pip's own listing, which shows the label of every wheel of the XPU index."""
    listed = facts.distributions.get("torch")
    plain = listed is not None and re.fullmatch(r"\d{1,4}\.\d{1,4}\.\d{1,4}", str(listed.version))
    if (
        not plain
        or facts.get("pasted.conda")
        or not text.has(*_PIP_LISTINGS)
        or set(XPU_RUNTIME) & set(facts.distributions)
    ):
        return
    extent = "whole" if facts.get("pasted.listing_without_torch") is False else "part"
    facts.put("pasted.unlabelled_torch", extent, facts.sources["distributions.torch"])


def is_wanted(text: Text, offset: int) -> bool:
    """Return whether the words before a version say that somebody wants it, and need not have it, or that it is of a companion."""
    before = text.body[max(0, text.body.rfind("\n", 0, offset) + 1, offset - 300) : offset].lower()
    before = _DONE.sub("", _SHOWN.split(before)[-1])
    return any(word in before for word in WANTED) or before.rstrip("= \t").endswith(
        ("vision", "audio", "ipex", "pytorch-gpu")
    )


def build_of_label(version: str) -> str:
    """Return the build that a version's local label names, or empty."""
    _, plus, label = version.lower().partition("+")
    if not plus:
        return ""
    return next(
        (
            build
            for start, build in (("xpu", "xpu"), ("cpu", "cpu"), ("cu", "cuda"), ("rocm", "rocm"))
            if label.startswith(start)
        ),
        "",
    )

"""What addresses, identifiers and home folders look like, and the form of all rows that say what a private value looks like.

The rows are this project's own. What the plug-ins of detect-secrets, gitleaks and the documents of the issuers say about the forms of keys
went into `secret_patterns.py` as facts; importing such a detector would cost a second of every start.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from xpu_doctor.text.late_pattern import late_pattern

UNNUMBERED = frozenset({"secret", "token", "credentials"})
"""Kinds of which no two values need to be told apart."""
NAMES = frozenset({"user", "host"})
"""Kinds whose values are replaced wherever they stand in a text."""
KIND = late_pattern("[a-z]+")
"""A group of an expression is named by the kind of its value, and a number where it has several."""


@dataclass(frozen=True)
class Pattern:
    """A place of private values in one line: its named groups are the values and tell their kind; without them the whole is of `kind`.

    A group called `name` is no value: it holds the name of the variable or the option whose value is private.
    """

    id: str
    expression: str
    """In any case, unless `exact`; every repeat is bounded, and none stands in another unbounded one."""
    marks: tuple[str, ...] = ()
    """Words in lower case, of which every line that matches holds one."""
    kind: str = ""
    look: str = ""
    """The name of another quick look, where no word is common to all matches."""
    keeps: Callable[[re.Match[str], str], bool] | None = None
    """Says which values are not private after all."""
    exact: bool = False
    learns: bool = True
    """Whether a name that stands here is replaced elsewhere, too."""
    sure: bool = False
    """Whether a name stands here, even where it is a word by which texts are diagnosed."""
    previous: str = ""
    """What the line before holds, whose lines then are those that hold a mark."""
    within: str = ""
    """What the line holds besides."""

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The expression, compiled when a text first needs it."""
        return re.compile(self.expression, 0 if self.exact else re.IGNORECASE)

    @cached_property
    def groups(self) -> tuple[tuple[str, int], ...]:
        """The kinds and the numbers of the groups that are replaced; one of number 0 is the whole."""
        named = [(_kind(name), number) for name, number in self.compiled.groupindex.items() if name != "name"]
        return tuple(sorted(named, key=lambda pair: pair[1])) or ((self.kind, 0),)

    @property
    def names(self) -> bool:
        """Return whether it tells names of people or machines."""
        return any(kind in NAMES for kind, _ in self.groups)


def _kind(name: str) -> str:
    found = KIND.match(name)
    return found[0] if found else name


_DOTS = late_pattern(r"\.\d{1,3}\.\d{1,3}\.\d")
_COLONS = late_pattern(r":[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{1,4}:")
_DASHES = late_pattern(r"-[0-9A-Fa-f]{2}-[0-9A-Fa-f]{2}-")
_GROUPS = late_pattern(r"-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-")
_PRODUCT = late_pattern(r"-[0-9A-Z]{5}-[0-9A-Z]{5}-")


def _may_hold_colons(text: str) -> bool:
    return "::" in text or bool(_COLONS.search(text) or _DASHES.search(text))


MAY_HOLD: Mapping[str, Callable[[str], bool]] = {
    "dots": lambda text: bool(_DOTS.search(text)),
    "colons": _may_hold_colons,
    "groups": lambda text: bool(_GROUPS.search(text)),
    "product": lambda text: bool(_PRODUCT.search(text)),
}
"""Quick looks for what every IPv4 address, IPv6 or hardware address, UUID, and Windows product id holds."""
BLIND = frozenset({"dots", "colons", "groups"})
"""Those that see no difference between texts which differ in their digits and in case alone."""

_NEVER_PRIVATE = ("127.", "0.", "255.", "169.254.169.254")
_ALWAYS_PRIVATE = late_pattern(
    r"192\.168\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\."
)
_VERSION_BEFORE = late_pattern(
    r"(?i)(?:version|driver|release|==|>=|<=|~=|\bv|build|wsl|kernel|runtime)[\s:=\"'(]{0,4}$"
)
_SURELY_VERSION_BEFORE = late_pattern(r"(?:==|>=|<=|~=|!=)\s{0,2}[\"']?$")
_PACKAGE_ROW = late_pattern(
    r"(?i)(?:^|[\s|])(?:nvidia|intel|onemkl|mkl|dpcpp|oneccl|torch|triton|lib\w{1,40}|cuda|level-zero)[\w.-]{0,60}(?:[\s|]{1,60}|[ (]{1,4})$"
)
"""A package's name in a listing, alone before its version."""
_REACHED_BEFORE = late_pattern(
    r"(?i)(?:\b(?:from|by|to|at|via|inet|addr|address|ip|ips|host|hosts|src|dst|ssh|ping|server|gateway|dns|nameserver|peer|client|remote|proxy|node|connect"
    r"|reach\w{0,3}|listen\w{0,3}|bind\w{0,3}|url|https?)|://|@|\[|::ffff:)[\s:=\"'(\[]{0,4}(?:https?://)?$"
)
_REACHED_AFTER = late_pattern(r":\d{2,5}\b|/(?:[12]?\d|3[0-2])\b|\s{1,20}port \d")


def _is_no_address(match: re.Match[str], value: str) -> bool:
    """Keep loopback, and what is a version: a driver's version has four numbers, too, of which the first is small."""
    if value.startswith(_NEVER_PRIVATE):
        return True
    before = match.string[max(0, match.start() - 100) : match.start()]
    if _ALWAYS_PRIVATE.match(value):
        return False
    if _SURELY_VERSION_BEFORE.search(before[-8:]) or _PACKAGE_ROW.search(before):
        return True
    first = int(value.split(".")[0])
    if first == 10 or first >= 40:
        return False
    if _VERSION_BEFORE.search(before[-24:]):
        return True
    return not (_REACHED_BEFORE.search(before[-40:]) or _REACHED_AFTER.match(match.string, match.end()))


def _is_no_hardware(match: re.Match[str], value: str) -> bool:
    return value[:17].lower().replace("-", ":") in ("ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00")


_GPU_UUID = late_pattern(r"(?i)0{8}-|8680|GPU-|.{0,40}0{10}")
_GPU_LINE = late_pattern(r"(?i)(?:device|driver|gpu)[ _]uuid|\bgpu-|class\\\{|gfx|level.?zero|sycl")


def _tells_a_gpu(match: re.Match[str], value: str) -> bool:
    """Keep the UUID of a GPU or a driver, which tells nothing but its model and its place, and the class of a Windows device."""
    before = match.string[max(0, match.start() - 100) : match.start()]
    return bool(_GPU_UUID.match(value) or _GPU_LINE.search(before)) or value.lower().endswith("-11ce-bfc1-08002be10318")


def _in_an_address(match: re.Match[str], value: str) -> bool:
    """Keep `/home/` of an address on the web, which is nobody's folder."""
    before = match.string[max(0, match.start() - 200) : match.start()].rsplit(None, 1)
    return (
        bool(before)
        and "://" in before[-1]
        and not before[-1].lower().rsplit("://", 1)[0].endswith("file")
        and "://" in before[-1]
    )


def _is_no_serial(match: re.Match[str], value: str) -> bool:
    return not any(letter.isdigit() for letter in value) or not value.strip("0")


_WINDOWS_NAME = r"[^\\/\s:*?\"<>|]{1,40}(?: [^\\/\s:*?\"<>|]{1,20}){0,3}"
"""Names of Windows may hold blanks and apostrophes."""
_HOME_NAME = r"[^\\/\s\"':;<>|*?,()\[\]{}`]{1,64}"

FIRST: tuple[Pattern, ...] = (
    Pattern(
        "windows-home",
        rf"\b[a-z]:(?:\\{{1,4}}|/)users(?:\\{{1,4}}|/)(?P<user>{_WINDOWS_NAME})(?=\\|/|\"|$|(?<![ =-])>)",
        ("\\users", "/users"),
        sure=True,
    ),
    Pattern(
        "windows-home-in-unix",
        rf"(?<![\w.])/(?:mnt/)?[a-z]/users/(?P<user>{_WINDOWS_NAME})(?=/|\"|$)",
        ("/users/",),
        sure=True,
    ),
    Pattern(
        "home-with-domain",
        rf"[\\/]home[\\/](?P<domain>[A-Z][A-Z0-9-]{{1,14}}|[\w-]{{1,40}}(?:\.[\w-]{{1,40}}){{1,4}})[\\/](?P<user>{_HOME_NAME})(?=[\\/])",
        ("/home",),
        exact=True,
        sure=True,
    ),
    Pattern(
        "home-with-backslash",
        rf"/home/(?P<domain>[\w.-]{{1,30}})\\{{1,2}}(?P<user>{_HOME_NAME})",
        ("/home",),
        sure=True,
    ),
    Pattern(
        "home",
        rf"(?:[a-z]:)?[\\/]{{1,4}}(?:home|users)[\\/]{{1,4}}(?P<user>{_HOME_NAME})",
        ("home", "users"),
        keeps=_in_an_address,
        sure=True,
    ),
    Pattern(
        "media",
        rf"(?<![\w.])/(?:run/)?media/(?P<user>(?!cdrom|usb|disk|data|floppy|sd[a-z]|nvme|models?\b){_HOME_NAME})(?=/)",
        ("/media/",),
    ),
    Pattern("mail-spool", rf"/var/(?:spool/)?mail/(?P<user>{_HOME_NAME})", ("mail/",)),
    Pattern("tilde", r"(?<![\w./~-])~(?P<user>[a-z_][\w.-]{1,31})(?=/)", ("~",)),
    Pattern("share", r"(?<![\\\w:])\\\\(?P<host>(?!wsl\b)[A-Za-z][\w.-]{1,62})(?=\\[\w$])", ("\\\\",), sure=True),
)
"""Home folders and shares: looked for before the addresses that a name may look like."""

PRIVATE: tuple[Pattern, ...] = (
    Pattern(
        "email",
        r"(?<![\w.+/-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,3}\.[a-z][\w-]{1,62}(?![\w@])",
        ("@",),
        kind="email",
    ),
    Pattern(
        "uuid",
        r"(?<![\w-])(?:luks-|GPU-)?(?P<uuid>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?![\w-])",
        look="groups",
        keeps=_tells_a_gpu,
    ),
    Pattern(
        "serial-of-a-part",
        r"\bdevice serial number (?P<serial>(?:[0-9a-f]{2}-){7}[0-9a-f]{2})|\bwwn device id: (?P<serial2>[0-9a-f][0-9a-f ]{9,30})",
        ("device serial number", "wwn device id"),
    ),
    Pattern("machine-id", r"\b(?:machine|boot)[ _-]?id\b\W{1,20}(?P<uuid>[0-9a-f]{32})\b", ("machine", "boot")),
    Pattern("machine-id-file", r"^\s{0,8}(?P<uuid>[0-9a-f]{32})\s{0,8}$", ("machine-id",), previous=r"machine-id"),
    Pattern(
        "serial",
        r"\b(?:(?:chassis |board |system |disk )?serial(?:[ _-]?(?:number|num|no\.?|short))?|id_serial(?:_short)?|(?:service|asset) ?tag)[\"']?"
        r"\s{0,40}[:=]\s{0,40}[\"']?(?P<serial>[A-Za-z0-9][\w.-]{3,40})(?=[\s\"',|}]|$)",
        ("serial", "service tag", "servicetag", "asset tag", "assettag"),
        keeps=_is_no_serial,
    ),
    Pattern(
        "serial-below",
        r"^\s{0,8}(?P<serial>[A-Za-z0-9][\w.-]{3,40})\s{0,40}$",
        ("serialnumber",),
        previous=r"^\s*SerialNumber\s*$",
        keeps=_is_no_serial,
    ),
    Pattern("disk-by-id", r"/by-id/[\w.:-]{1,80}_(?P<serial>[A-Za-z0-9]{6,40})(?=\b|-)", ("/by-id/",)),
    Pattern("product-id", r"\b\d{5}-\d{5}-\d{5}-[A-Z0-9]{5}\b", kind="serial", look="product"),
    Pattern("product-key", r"\b[A-Z0-9]{5}(?:-[A-Z0-9]{5}){4}\b", kind="secret", look="product"),
    Pattern(
        "mac",
        r"(?<![\w:-])(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}(?:(?::[0-9a-f]{2}){8})?(?![\w-]|:[0-9a-f]{2}:[0-9a-f]{2}:)",
        kind="mac",
        look="colons",
        keeps=_is_no_hardware,
    ),
    Pattern(
        "mac-of-a-switch",
        r"\b(?P<mac>(?=[0-9.]{0,13}[a-f])[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4})\b",
        ("arp", "mac", "address"),
    ),
    Pattern(
        "ipv6",
        r"(?<![\w:.])(?:(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}|(?:[23][0-9a-f]{3}|f[cd][0-9a-f]{2}|fe[89ab][0-9a-f])(?::[0-9a-f]{1,4}){0,6}::(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6})?)"
        r"(?![\w:])",
        kind="ip",
        look="colons",
    ),
    Pattern(
        "ipv4",
        r"(?<![\w.-])(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}(?!\.?\w|\+|-\w)",
        kind="ip",
        look="dots",
        keeps=_is_no_address,
    ),
    Pattern(
        "account",
        r"(?:\b(?:slurm_(?:job_)?account|sbatch_account|pbs_account|account)=|--account[ =]"
        r"|#(?:SBATCH|PBS)\s{1,4}-A\s{0,4}|\b(?:srun|salloc|sbatch|qsub)\b[^\n]{0,200}?\s-A\s{0,4})"
        r"[\"']?(?P<account>[\w.-]{2,64})",
        ("account", "-a"),
    ),
    Pattern(
        "cloud-account",
        r"\barn:aws[\w-]{0,10}:[\w-]{1,20}:[\w-]{0,20}:(?P<account>\d{12}):|\b(?P<account2>\d{12})\.dkr\.ecr\.|\"account(?:_?id)?\"\s{0,3}:\s{0,3}\"(?P<account3>\d{12})\"",
        ("arn:aws", ".dkr.ecr.", "account"),
    ),
    Pattern("cloud-machine", r"(?<![\w-])i-[0-9a-f]{8}(?:[0-9a-f]{9})?(?![\w-])", ("i-",), kind="account"),
    Pattern(
        "cloud-project",
        r"\bgcloud\b[^\n]{0,200}?--project[ =](?P<account>[a-z][a-z0-9-]{4,40})"
        r"|\b(?:google_cloud_project|gcp_project|cloudsdk_core_project)=(?P<account2>[\w-]{4,40})",
        ("gcloud", "_project"),
    ),
)
"""Addresses and identifiers."""

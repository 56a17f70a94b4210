"""What credentials look like: keys by the form that their issuer gives them, and values by the name before them."""

from __future__ import annotations

import re
from itertools import pairwise

from xpu_doctor.text.late_pattern import late_pattern
from xpu_doctor.text.private_patterns import Pattern

KNOWN_KEYS = (
    ("hf_", r"[A-Za-z0-9]{16,200}"),
    ("api_org_", r"[A-Za-z0-9]{20,100}"),
    ("ghp_", r"[A-Za-z0-9]{20,255}"),
    ("gho_", r"[A-Za-z0-9]{20,255}"),
    ("ghu_", r"[A-Za-z0-9]{20,255}"),
    ("ghs_", r"[A-Za-z0-9]{20,255}"),
    ("ghr_", r"[A-Za-z0-9]{20,255}"),
    ("github_pat_", r"\w{20,255}"),
    ("glpat-", r"[\w.-]{16,255}"),
    ("glcbt-", r"[\w-]{16,255}"),
    ("gldt-", r"[\w-]{16,255}"),
    ("glrt-", r"[\w.-]{16,255}"),
    ("sk-", r"[\w-]{16,255}"),
    ("sk_live_", r"[A-Za-z0-9]{16,255}"),
    ("sk_test_", r"[A-Za-z0-9]{16,255}"),
    ("rk_live_", r"[A-Za-z0-9]{16,255}"),
    ("gsk_", r"[A-Za-z0-9]{32,255}"),
    ("xai-", r"[A-Za-z0-9]{32,255}"),
    ("pplx-", r"[A-Za-z0-9]{32,255}"),
    ("r8_", r"[A-Za-z0-9]{30,60}"),
    ("rpa_", r"[A-Za-z0-9]{30,60}"),
    ("nvapi-", r"[\w-]{20,255}"),
    ("npm_", r"[A-Za-z0-9]{20,255}"),
    ("pypi-", r"[\w-]{16,512}"),
    ("dckr_pat_", r"[\w-]{16,100}"),
    ("AKIA", r"[0-9A-Z]{12,32}"),
    ("ASIA", r"[0-9A-Z]{16}"),
    ("AIza", r"[\w-]{30,60}"),
    ("ya29.", r"[\w.-]{20,2048}"),
    ("GOCSPX-", r"[\w-]{20,60}"),
    ("xox", r"[abeoprs]-[\w-]{10,255}"),
    ("xapp-", r"[\w-]{10,255}"),
    ("SG.", r"[\w-]{16,32}\.[\w-]{30,60}"),
    ("hvs.", r"[\w-]{20,255}"),
    ("dop_v1_", r"[0-9a-f]{32,80}"),
    ("AGE-SECRET-KEY-1", r"[A-Z0-9]{20,80}"),
    ("shpat_", r"[0-9a-fA-F]{32}"),
    ("lin_api_", r"\w{30,60}"),
    ("eyJ", r"[\w-]{10,4096}\.[\w-]{10,8192}\.[\w-]{5,2048}"),
)
"""How the keys of an issuer begin, and what follows."""

_STRONG = frozenset(
    {
        "password", "passwd", "passphrase", "passcode", "secret", "apikey", "pwd", "psk", "credential", "credentials", "creds", "pgpassword", "authtoken",
        "accesstoken", "privatekey", "secretkey", "accesskey", "passwort",
    }
)  # fmt: skip
"""Parts of a name whose value is hidden whatever it is."""
_WEAK = frozenset({"pass", "pw", "token", "key", "auth", "cred", "pat"})
"""Parts of a name that is a secret's where it is a variable's, or where the value looks like a key."""
_OTHER = frozenset(
    {
        "file", "path", "dir", "folder", "size", "len", "length", "type", "sock", "url", "uri", "name", "names", "method", "mode", "ttl", "timeout", "expiry",
        "expires", "count", "limit", "version", "host", "port", "user", "enabled", "required", "provider", "scheme", "format", "algorithm", "id", "ids",
        "policy", "prompt", "store", "helper", "error", "errors", "field", "index", "hint", "hash_type", "dim", "weight", "bias", "proj", "mask", "parallelism",
        "per", "rate", "manager", "class", "map", "bits",
    }
)  # fmt: skip
"""Last parts of a name that say that the value is something else about a secret."""
_ORDINARY = frozenset(
    {
        "bos", "eos", "pad", "unk", "sep", "cls", "image", "next", "prev", "special", "cache", "primary", "foreign", "sort", "registry", "missing",
        "unexpected", "dict", "state", "max", "new", "num", "public", "host", "kv", "query", "value", "attn", "first", "last", "start", "end", "stop",
    }
)  # fmt: skip
"""Parts of a name that say that a weak one is about a model or a table."""
_NOTHING = frozenset(
    {
        "none", "null", "true", "false", "yes", "no", "is", "are", "was", "and", "or", "the", "a", "to", "for", "with", "of", "in", "on", "not", "set", "unset",
        "empty", "required", "incorrect", "invalid", "missing", "optional", "str", "string", "value", "undefined", "0", "1", "''", '""', "*", "x", "must",
        "file", "environment", "error", "expired", "wrong", "needed", "login", "authentication", "you", "your", "please", "default", "int", "bool", "type",
    }
)  # fmt: skip
"""Values, and words of prose after a name, that are no secret."""
_FOLDERS = frozenset({"PWD", "OLDPWD", "XAUTHORITY", "SSH_AUTH_SOCK"})
"""Variables that hold a folder or a socket, whatever their names say."""
_FOLDER = late_pattern(r"[/~]|[A-Za-z]:\\")
_PARTS = late_pattern(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_KEY_FORM = late_pattern(r"(?=[^\n]{0,200}\d)(?=[^\n]{0,200}[A-Za-z])[A-Za-z0-9+/=_~-]{12,}$")
_PLACEHOLDER = late_pattern(r"[*•x.]{2,400}$|[$%{<\[]|your[_-]|\.\.\.|\(|/run/secrets/|None\b|torch\.|0x")


def _is_no_secret(match: re.Match[str], value: str) -> bool:
    """Decide by the parts of the name and by the form of the value."""
    if value.lower().strip("\"'.,;") in _NOTHING or _PLACEHOLDER.match(value):
        return True
    name = match["name"]
    parts = [part.lower() for part in _PARTS.findall(name)]
    if parts[-1:] == ["id"] and {"private", "access"} & set(parts):
        return False  # tells whose key it is
    if not parts or parts[-1] in _OTHER or name in _FOLDERS or (parts[-1] == "pwd" and _FOLDER.match(value)):
        return True
    pairs = {first + second for first, second in pairwise(parts)}
    if _STRONG & (pairs | set(parts)) or any(
        part.endswith(("password", "passwd", "secret", "apikey", "passphrase")) for part in parts
    ):
        return False
    if not _WEAK & set(parts):
        return True
    # Names such as API_TOKEN are variables, whose values have no form of their own; a short number is a limit, not a token.
    if name.isupper() and len(parts) > 1:
        return value.isdigit() and len(value) < 5
    return bool(_ORDINARY & set(parts)) or not _KEY_FORM.match(value)


def _is_no_option(match: re.Match[str], value: str) -> bool:
    """Return an option is a variable's name with dashes; `-pass` in the middle of a word is none."""
    parts = [part.lower() for part in _PARTS.findall(match["name"])]
    if value.lower().strip("\"'.,;") in _NOTHING or _PLACEHOLDER.match(value) or not parts or parts[-1] in _OTHER:
        return True
    return not (parts[-1] in _WEAK - {"pat", "pw"} or parts[-1] in _STRONG) or bool(_ORDINARY & set(parts))


_NAME = r"(?<![\w$.-])(?P<name>[\w.-]{0,60}?(?:pass|pwd|token|secret|key|cred|auth|psk|_pat|_pw)[\w.-]{0,40})"
_IS = r"(?:\\{0,3}[\"'])?\]?\s{0,40}(?:=>|:=|[:=])\s{0,40}"
_QUOTED = (
    r"\\{1,3}\"(?P<secret>[^\"\\\n]{1,2000})\\{1,3}\"|\"(?P<secret2>(?:[^\"\\\n]|\\.){1,2000})\""
    r"|'(?P<secret3>(?:[^'\\\n]|\\.){1,2000})'|[\"'](?P<secret5>[^\"'\n]{1,2000})$"
)
_BARE = r"(?P<secret4>(?:[^\s,;&\"'<>|)}\]]|&(?![\s&]|$)){1,2000})"
_UNQUOTED = r"(?:[^\s;&|\"'`]|&(?![\s&]|$))"
"""A letter of a value in a shell: it ends where the next command begins, not at an `&` between two letters."""
_NAME_MARKS = ("pass", "pwd", "token", "secret", "key", "cred", "auth", "psk", "_pat", "_pw")
_COMMANDS = (
    r"(?:python|pip|uv\b|vllm|docker|podman|bash|sh\b|\./|/|sudo|env\b|-|&&|\|\|"
    r"|curl|wget|git\b|conda|npm|node\b|ollama|torchrun|mpirun|accelerate|[A-Z_]{2,40}=)"
)
_ADDRESS_PARAMETERS = (
    "sig", "signature", "x-amz-signature", "x-amz-credential", "x-amz-security-token", "x-goog-signature", "x-goog-credential", "policy",
    "key-pair-id", "token", "access_token", "auth_token", "api_key", "apikey", "api-key", "key", "auth", "password", "passwd", "pwd", "secret", "client_secret",
    "awsaccesskeyid", "jwt", "sessionid", "session", "sid",
)  # fmt: skip

SECRETS: tuple[Pattern, ...] = (
    Pattern(
        "address-credentials",
        r"\b[a-z][a-z0-9+.-]{0,30}://(?P<credentials>(?!(?:git|hg|svn)@)[^\s/<\"']{1,500})@(?=[\w.\[-])",
        ("://",),
    ),
    Pattern(
        "proxy-credentials",
        r"(?<![\w/:@.<])(?P<credentials>[\w.%+-]{1,64}:[^\s@/:'\"<]{2,100})@(?=[\w.-]{1,100}:\d{2,5}\b)",
        ("@",),
    ),
    Pattern(
        "known-key",
        r"(?<![A-Za-z0-9])(?:" + "|".join(re.escape(mark) + form for mark, form in KNOWN_KEYS) + ")",
        tuple(mark.lower() for mark, _ in KNOWN_KEYS),
        kind="token",
        exact=True,
    ),
    Pattern(
        "password-hash",
        r"\$(?:apr1|[156y]|2[abxy]|argon2\w{1,2})\$[\w./$=,+-]{12,200}",
        ("$apr1$", "$1$", "$5$", "$6$", "$y$", "$2", "$argon2"),
        kind="credentials",
    ),
    Pattern(
        "web-hook",
        r"\bhooks\.slack\.com/(?:services|workflows|triggers)/(?P<token>[\w/-]{10,200})|\bdiscord(?:app)?\.com/api/(?:v\d{1,2}/)?webhooks/(?P<token2>\d{5,25}/[\w-]{10,200})"
        r"|\bapi\.telegram\.org/bot(?P<token3>\d{5,15}:[\w-]{20,60})|\.webhook\.office\.com/\w{1,20}/(?P<token4>[\w@/-]{20,300})",
        ("hooks.slack.com", "/webhooks/", "api.telegram.org", "webhook.office"),
    ),
    Pattern("telegram", r"(?<!\d)(?P<token>\d{8,10}:AA[\w-]{32,36})(?![\w-])", (":aa",), exact=True),
    Pattern(
        "address-parameter",
        rf"[?&;](?:{'|'.join(_ADDRESS_PARAMETERS)})=(?P<token>[^&\s\"'<>`)\]]{{4,4096}})",
        tuple(f"{mark}{name}=" for mark in "?&" for name in _ADDRESS_PARAMETERS),
    ),
    Pattern(
        "header",
        r"\b(?:proxy-)?authorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:(?:basic|bearer|token|digest|negotiate|apikey)\s{1,9}|(?=[^\s]{0,100}\d))(?P<token>[\w.~+/=-]{6,8192})",
        ("authorization",),
    ),
    Pattern("bearer", r"\bbearer\s{1,9}(?P<token>(?=[\w.~+/-]{0,200}[\d=])[\w.~+/=-]{8,8192})", ("bearer ",)),
    Pattern(
        "cookie",
        r"\b(?:set-)?cookie[\"']?\s{0,3}:\s{0,3}[\"']?(?P<credentials>[^\s\"'=<]{1,100}=[^\n\"']{1,8192})",
        ("cookie",),
    ),
    Pattern(
        "variable-to-its-end",
        rf"^[>\s│|-]{{0,60}}(?:\d{{1,6}}\s{{1,4}})?(?:export\s{{1,3}}|set\s{{1,3}}|setx\s{{1,3}}|declare -x\s{{1,3}})?"
        rf"(?P<name>[A-Z][A-Z0-9_]{{0,60}}(?:PASS|PASSWD|PASSWORD|PASSPHRASE|PWD|SECRET))="
        rf"(?P<secret>{_UNQUOTED}{{1,200}}(?:(?:[ ](?!{_COMMANDS})[a-z]{{2,20}}(?![^\s])){{1,11}}(?=\s{{0,8}}$))?)",
        ("pass", "pwd", "secret"),
        keeps=_is_no_secret,
        exact=True,
    ),
    Pattern("named-secret", rf"{_NAME}{_IS}(?=(?:{_QUOTED}|{_BARE}))", _NAME_MARKS, keeps=_is_no_secret),
    Pattern(
        "secret-in-xml",
        r"<(?P<name>[\w-]{0,30}(?:password|passwd|secret|token|apikey|api-key))>(?P<secret>[^<\n]{1,2000})</",
        ("</",),
        keeps=_is_no_secret,
    ),
    Pattern(
        "secret-in-a-table",
        r"\|\s{0,40}(?P<name>[A-Za-z][\w.-]{1,60})\s{0,40}\|\s{0,40}(?P<secret>[^\s|<]{1,400})\s{0,40}\|",
        _NAME_MARKS,
        keeps=_is_no_secret,
    ),
    Pattern(
        "option",
        r"(?<![\w-])(?:--|-(?=passw|secret|token))(?P<name>[a-z][\w-]{0,30})(?:\s{1,4}|=)[\"']?(?P<secret>(?!-)[^\s\"'<>|;&]{1,2000})",
        ("-pass", "-token", "-secret", "-key", "-auth", "-api-key", "-apikey", "passw", "passphrase", "-pwd"),
        keeps=_is_no_option,
    ),
    Pattern(
        "curl-user",
        r"\b(?:curl|wget|https?|xh)\b[^\n]{0,400}?\s(?:-u|--user|-a|--auth)[\s=]{0,2}[\"']?[^\s:'\"<]{1,64}:(?P<secret>[^\s'\"<]{1,400})",
        ("curl", "wget", "http", "xh "),
    ),
    Pattern(
        "mysql-password",
        r"\b(?:mysql|mariadb|mysqldump|mysqladmin)\b[^\n]{0,400}?\s-p(?P<secret>[^\s'\"<]{2,200})",
        ("mysql", "mariadb"),
    ),
    Pattern(
        "login-password",
        r"\b(?:docker|podman|helm|oras|az|nerdctl|skopeo|crane)\b[^\n]{0,60}?\blogin\b[^\n]{0,120}?\s-p[\s=]{1,2}[\"']?(?P<secret>[^\s'\"<]{1,2000})",
        ("login",),
    ),
    Pattern(
        "shell-variable",
        r"\b(?:setx|setenv|set\s{1,3}-\w{1,3}|ENV|ARG)\s{1,4}(?P<name>[A-Za-z]\w{1,60})\s{1,4}[\"']?(?P<secret>[^\s\"'<=][^\s\"'<]{0,2000})",
        ("setx ", "setenv ", "set -", "env ", "arg "),
        keeps=_is_no_secret,
    ),
    Pattern(
        "pair",
        r"\b(?:name|key)[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?P<name>[A-Za-z]\w{1,60})[\"']?\s{0,4},\s{0,4}[\"']?value[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?P<secret>[^\s\"'<][^\"'<\n]{0,2000})",
        ("value",),
        keeps=_is_no_secret,
    ),
    Pattern(
        "value-below-its-name",
        r"^[>\s]{0,60}[\"']?value[\"']?\s{0,4}:\s{0,4}[\"']?(?P<secret>[^\s\"'<][^\"'<\n]{0,2000}?)[\"',]{0,2}\s{0,8}$",
        ("name: ", 'name": '),
        previous=r"\bname[\"']?: [\"']?\w{0,60}(?:password|passwd|passphrase|secret|token|_pass|_key|_pwd|_auth)[\"']?,?\s{0,8}$",
    ),
    Pattern(
        "redis-password", r"\bredis-cli\b[^\n]{0,200}?\s-a\s{1,3}[\"']?(?P<secret>[^\s'\"<]{1,200})", ("redis-cli",)
    ),
    Pattern(
        "capital-password",
        r"\b(?:ipmitool|sqlcmd|bcp|zip|unzip|snmpwalk)\b[^\n]{0,300}?\s-P\s{0,3}[\"']?(?P<secret>[^\s'\"<]{1,200})",
        ("ipmitool", "sqlcmd", "bcp", "zip -", "snmpwalk"),
        exact=True,
    ),
    Pattern(
        "share-password",
        r"\bsmbclient\b[^\n]{0,300}?\s-U\s{0,3}[\"']?[^\s%'\"]{1,64}%(?P<secret>[^\s'\"<]{1,200})",
        ("smbclient",),
    ),
    Pattern(
        "net-use", r"\bnet\s{1,3}use\b[^\n]{0,300}?/user:\S{1,64}\s{1,3}(?P<secret>[^\s/<]\S{0,200})", ("net use",)
    ),
    Pattern(
        "slash-password",
        r"(?<=\s)/(?:p|pass|password):[\"']?(?P<secret>[^\s'\"<]{1,200})",
        ("/p:", "/pass:", "/password:"),
    ),
    Pattern(
        "network-password", r"\bnmcli\b[^\n]{0,300}?\bpassword\s{1,3}[\"']?(?P<secret>[^\s'\"<]{1,200})", ("nmcli",)
    ),
    Pattern("sshpass", r"\bsshpass\s{1,3}-p\s{0,2}[\"']?(?P<secret>[^\s'\"<]{1,200})", ("sshpass",)),
    Pattern(
        "login-key",
        r"\b(?:wandb|comet|clearml|neptune|kaggle) login\s{1,3}(?:--relogin\s{1,3})?(?P<token>[A-Za-z0-9]{20,100})\b",
        (" login",),
    ),
    Pattern(
        "piped-password",
        r"\becho\s{1,3}[\"']?(?P<secret>[^\s'\"|$<]{1,200})[\"']?\s{0,3}\|\s{0,3}(?:sudo\s[^\n|]{0,60}-S|docker login|podman login|passwd|chpasswd)",
        ("echo",),
    ),
    Pattern("netrc", r"(?:^[>\s]{0,20}|\blogin \S{1,64} )password (?P<secret>\S{4,400})\s{0,8}$", ("password ",)),
    Pattern("product-key-of-windows", r"/ipk\s{1,3}(?P<secret>[A-Z0-9-]{20,40})", ("/ipk",)),
)
"""The most certain first; they are looked for before names, which a password may hold."""


_BEGIN = late_pattern(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_END = late_pattern(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_BODY = late_pattern(
    r"(?P<lead>[>\s│|]{0,60}[\"']?)(?P<body>[A-Za-z0-9+/]{16,120}={0,2}|[A-Za-z0-9+/]{1,24}={1,2})(?P<rest>[\"',\s\\rn]{0,8})$"
)
_HEADING = late_pattern(r"[>\s│|]{0,60}(?:$|(?:Proc-Type|DEK-Info|Version|Comment|Hash):)")
_INLINE = late_pattern(r"(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)(?P<body>[^<\n-][^\n-]{0,20000})")
MOST_LINES = 400
"""Lines of a key."""


def without_keys(lines: list[str]) -> int:
    """Replace the bodies of private keys in these lines, cut ones too, line by line so that the lines keep their numbers; return how many there were."""
    found = 0
    for number, line in enumerate(lines):
        if "-----" not in line:
            continue
        if _BEGIN.search(line):
            lines[number], inline = _INLINE.subn(lambda match: f"{match[1]}<secret>", line)
            found += 1 if inline else _hide(lines, range(number + 1, min(len(lines), number + 1 + MOST_LINES)))
        elif _END.search(line):
            lines[number] = re.sub(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/=]{16,20000}(?:\\n)?(?=-----END)", "<secret>", line)
            found += _hide(lines, range(number - 1, max(-1, number - 1 - MOST_LINES), -1))
    return found


def _hide(lines: list[str], numbers: range) -> int:
    """Replace what can be the body of a key, up to the first line that cannot; return whether there was any."""
    hidden = 0
    for number in numbers:
        if _END.search(lines[number]) or _BEGIN.search(lines[number]):
            break
        body = _BODY.match(lines[number])
        if body:
            lines[number] = f"{body['lead']}<secret>{body['rest']}"
            hidden = 1
        elif not _HEADING.match(lines[number]) and "<secret>" not in lines[number]:
            break
    return hidden

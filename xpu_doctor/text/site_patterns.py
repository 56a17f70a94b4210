"""Machines by their full names: of indexes of packages, and after words such as `host`; public sites are nobody's machines."""

from __future__ import annotations

import re
from collections.abc import Iterable

from xpu_doctor.text.late_pattern import late_pattern
from xpu_doctor.text.private_patterns import Pattern

PUBLIC_SITES = (
    "pytorch.org", "pypi.org", "python.org", "pythonhosted.org", "intel.com", "github.com", "github.io", "githubusercontent.com", "gitlab.com",
    "huggingface.co", "hf.co", "hf-mirror.com", "ubuntu.com", "launchpad.net", "launchpadcontent.net", "debian.org", "anaconda.org", "anaconda.com",
    "conda.io", "conda-forge.org", "prefix.dev", "docker.io", "docker.com", "quay.io", "ghcr.io", "gcr.io", "nvidia.com", "amd.com", "microsoft.com",
    "fedoraproject.org", "archlinux.org", "opensuse.org", "suse.com", "redhat.com", "centos.org", "rockylinux.org", "almalinux.org", "kernel.org",
    "freedesktop.org", "gnome.org", "kde.org", "google.com", "googleapis.com", "astral.sh", "vllm.ai", "ollama.com", "ollama.ai", "modelscope.cn",
    "openai.com", "civitai.com", "cloudflare.com", "amazonaws.com", "azureedge.net", "npmjs.org", "sourceforge.net", "readthedocs.io", "stackoverflow.com",
    "reddit.com", "discord.com", "discord.gg", "tsinghua.edu.cn", "ustc.edu.cn", "sjtu.edu.cn", "nju.edu.cn", "bfsu.edu.cn", "zju.edu.cn", "aliyun.com",
    "huaweicloud.com", "tencent.com", "tencentyun.com", "douban.com", "baidu.com", "w3.org", "gnu.org", "llvm.org", "apache.org", "khronos.org",
)  # fmt: skip
"""Sites whose names tell nothing of who names them: packages, models, drivers, mirrors, documents."""
_PUBLIC = late_pattern(r"(?i)(?:[\w-]{1,63}\.){0,6}(?:" + "|".join(map(re.escape, PUBLIC_SITES)) + r")\.?$")


def _is_public(_: re.Match[str], value: str) -> bool:
    return bool(_PUBLIC.match(value))


_END = (
    r"(?:com|net|org|edu|gov|mil|biz|info|io|ai|cloud|tech|dev|eu|local|lan|home|internal|intern|intra|corp|localdomain|test|example"
    r"|(?:ac|co|edu|gov|com|net|org)\.[a-z]{2}|ac|at|au|be|br|ca|ch|cn|cz|de|dk|es|fi|fr|gr|hu|ie|il|it|jp|kr|mx|nl|no|pl|pt|ru|se|sg|sk|tr|tw|ua|uk|us|za)"
)
_FULL_NAME = rf"[a-z0-9][\w-]{{0,62}}(?:\.[a-z0-9][a-z0-9-]{{0,62}}){{0,5}}\.{_END}(?![\w-]|\.\w)"
_SITE = r"(?![\d.]{7,15}(?![\w.-]))[a-z0-9][\w-]{0,62}(?:\.[\w-]{1,63}){0,6}"
_LOGIN = r"(?:<credentials>@|[^\s/@<\"']{1,200}@)"

INDEX_HOSTS: tuple[Pattern, ...] = (
    Pattern(
        "site-with-credentials",
        rf"\bhttps?://{_LOGIN}(?P<host>{_SITE})",
        ("://",),
        keeps=_is_public,
    ),
    Pattern(
        "index-of-packages",
        rf"\bhttps?://{_LOGIN}?(?P<host>{_SITE})(?::\d{{1,5}})?/(?:[\w.~%+-]{{1,60}}/){{0,6}}\+?simple(?=[/\s\"',;)\]}}]|$)",
        ("simple",),
        keeps=_is_public,
    ),
    Pattern(
        "index-by-its-option",
        rf"(?:\bindex(?:[_-]url)?|\bfind[_-]links|_(?:index|find_links)(?:_url)?|[\s]-[if])[\"']?(?:\s{{0,3}}[=:]\s{{0,3}}|\s{{1,3}})[\"']?"
        rf"https?://{_LOGIN}?(?P<host>{_SITE})"
        rf"|\btrusted[_-]host[\"']?[\s=:]{{1,5}}[\"']?(?P<host2>{_FULL_NAME})",
        ("index", "find-links", "find_links", "trusted-host", "trusted_host", " -i", " -f"),
        keeps=_is_public,
    ),
)
"""Hosts of indexes of packages, which tell where somebody works."""
NAMED_HOSTS: tuple[Pattern, ...] = (
    Pattern(
        "host-by-its-full-name",
        rf"\b(?:host|hostname|server|node|machine|rechner|maschine|serveur|servidor)(?:\s{{0,3}}[:=]\s{{0,3}}|\s{{1,3}}(?:(?:is|named|called)\s{{1,3}})?)[\"'`]?"
        rf"(?P<host>{_FULL_NAME})",
        ("host", "server", "node", "machine", "rechner", "maschine", "serveur", "servidor"),
        keeps=_is_public,
    ),
)
"""Full names of machines in sentences and listings."""


_ADDRESS = late_pattern(rf"(?i)https?://{_LOGIN}?(?P<host>{_SITE})")


def private_hosts(addresses: Iterable[str]) -> tuple[str, ...]:
    """Return the hosts of addresses of package indexes that are no public sites."""
    found = {match["host"].lower() for address in addresses for match in _ADDRESS.finditer(address)}
    return tuple(sorted(host for host in found if not _PUBLIC.match(host)))

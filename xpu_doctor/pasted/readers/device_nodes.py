"""Reads `ls -l /dev/dri`, `id` and `groups`."""

from __future__ import annotations

import re

from xpu_doctor.model.facts import Node
from xpu_doctor.pasted.readers.collected import MARGIN, Collected, Text
from xpu_doctor.pasted.readers.excerpts import is_elided, is_elided_around
from xpu_doctor.text.late_pattern import late_pattern

_NODE = late_pattern(
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
_DRI_LIST = late_pattern(
    r"(?m)^" + MARGIN + r"(?:[^\n]{0,60}[$#] )?ls (?:-\w{1,12} ){0,4}/dev/dri/?\S{0,4}[ \t]*\n((?:[^\n]*\n?){1,8})"
)
_TOTAL = late_pattern(
    MARGIN + r"(?:total|insgesamt|totale|totaal|totalt|razem|celkem|toplam|итого|загалом|总计|总用量|總計|合計|합계)"
    r" \d{1,9}\s{0,20}$"
)
_ID_WORDS = ("uid=", "用户id=", "用戶id=", "使用者id=", "識別碼=", "идентификатор=", "ид=")
"""Words that `id` puts before a user's number, in the languages that translate them; those before the groups' are many more."""
_ID = late_pattern(
    r"""
    (?:uid|用户id|用戶id|使用者id|\w{0,8}識別碼|\w{0,20}идентификатор|ид)=
    (?P<user>\d{1,10})\(?[\w.<>-]{0,64}\)?\s{1,20}
    [^\s=\d]{1,24}=\d{1,10}\S{0,80}\s{1,20}
    (?!euid=|egid=)[^\s=\d]{1,24}=(?P<groups>\d{1,10}(?![\w.])[^\n]{0,600})
    """,
    re.VERBOSE | re.IGNORECASE,
)
_GROUPS = late_pattern(r"(?m)^" + MARGIN + r"(?:[^\n]{0,60}[$#] )?groups[ \t]*\n([a-z][^\n]{0,300})$")


def parse(text: Text, facts: Collected) -> None:
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

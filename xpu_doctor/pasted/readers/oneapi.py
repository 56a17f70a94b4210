"""Reads the release of oneAPI, and which libsycl a program was linked with."""

from __future__ import annotations

import re

from xpu_doctor.pasted.readers.collected import Collected, Text
from xpu_doctor.text.late_pattern import late_pattern

_ONEAPI = late_pattern(
    r"""
    \b(?:one[ ]?api|basekit|base[- ]?(?:tool)?kit|oneapi-basekit|dpcpp|DLE)
    \b[^\n]{0,40}?\b(?P<named>202[2-9](?:\.\d{1,4}){0,2})\b
    | /oneapi/(?:\w{1,40}/)?(?P<folder>202\d\.\d)\b
    | IGC[ ]version:[ ](?P<igc>202\d\.\d)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SONAME = late_pattern(r"libsycl\.so\.(\d)(?:\.\d+)*(?=\s|$)|sycl(\d)\.dll\s*$", re.MULTILINE)


def parse(text: Text, facts: Collected) -> None:
    """Read oneAPI from a text."""
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

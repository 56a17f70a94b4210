"""A report, or a comparison of reports, as the JSON document that docs/reference/json.md describes."""

from __future__ import annotations

import msgspec

from xpu_doctor.text.visible import visible_values


def render_json(report: object) -> str:
    """Return the document, indented, with everything that a terminal would obey made visible."""
    return (
        msgspec.json.format(msgspec.json.encode(visible_values(msgspec.to_builtins(report))), indent=2).decode() + "\n"
    )

"""Writes the JSON Schema of the report from its types; run after a field was added to document.py."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from xpu_doctor.report.document import DOCUMENT_SCHEMA, Document

PATH = Path(__file__).parents[1] / "xpu_doctor" / "schemas" / f"report-{DOCUMENT_SCHEMA}.schema.json"
ENUMS = {
    "RungDocument": {"state": ["ok", "fault", "blocked", "unknown", "skipped"]},
    "FindingDocument": {"severity": ["error", "warning", "info"], "confidence": ["certain", "likely", "possible"]},
    "EvidenceDocument": {"kind": ["fact", "message", "variable", "table", "case"]},
    "RemedyDocument": {"risk": ["none", "reinstall", "re-login", "reboot", "admin"]},
    "CrashDocument": {"part": ["probe", "rule", "plugin", "tool"]},
    "ExpectationDocument": {"state": ["met", "unmet", "unknown"]},
    "SpeedDocument": {"place": ["device", "cpu", "unknown"]},
    "Document": {
        "origin": ["live", "saved", "pasted"],
        "verdict": ["findings", "undiagnosed", "healthy", "tool-failed"],
        "fail_on": ["error", "warning", "never"],
    },
}
"""Closed sets of values, by type and field."""


def schema() -> dict[str, object]:
    """Return the JSON Schema (2020-12) of the document."""
    made = msgspec.json.schema(Document)
    for type_name, fields in ENUMS.items():
        for field, values in fields.items():
            made["$defs"][type_name]["properties"][field]["enum"] = values
    made["$defs"]["Document"]["properties"]["schema"]["const"] = DOCUMENT_SCHEMA
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "xpu-doctor report", **made}


if __name__ == "__main__":
    PATH.write_text(json.dumps(schema(), indent=2) + "\n", encoding="utf-8")

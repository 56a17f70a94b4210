"""Writes the JSON Schemas of the report, of the comparison and of the fleet from their types; run after a field was added to a document.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

import xpu_doctor
from xpu_doctor.report.comparison.document import COMPARISON_SCHEMA, ComparisonDocument
from xpu_doctor.report.document import DOCUMENT_SCHEMA, Document
from xpu_doctor.report.fleet.document import FAIL_ON, FLEET_SCHEMA, FleetDocument

FOLDER = Path(xpu_doctor.__file__).parent / "schemas"
PATH = FOLDER / f"report-{DOCUMENT_SCHEMA}.schema.json"
FLEET_PATH = FOLDER / f"fleet-{FLEET_SCHEMA}.schema.json"
COMPARISON_PATH = FOLDER / f"comparison-{COMPARISON_SCHEMA}.schema.json"
ENUMS = {
    "RungDocument": {"state": ["ok", "fault", "blocked", "unknown", "skipped"]},
    "FindingDocument": {"severity": ["error", "warning", "info"], "confidence": ["certain", "likely", "possible"]},
    "EvidenceDocument": {"kind": ["fact", "message", "variable", "table", "case"]},
    "RemedyDocument": {"risk": ["none", "reinstall", "re-login", "reboot", "admin"]},
    "CrashDocument": {"part": ["probe", "rule", "plugin", "tool"]},
    "ExpectationDocument": {"state": ["met", "unmet", "unknown"]},
    "ProgramDocument": {"use": ["never", "mostly-cpu", "starved", "used", "unknown"]},
    "ProgramRankDocument": {"use": ["never", "used", "unknown"]},
    "SpeedDocument": {"place": ["device", "cpu", "unknown"]},
    "Document": {
        "origin": ["live", "saved", "pasted"],
        "verdict": ["findings", "undiagnosed", "healthy", "tool-failed"],
        "fail_on": ["error", "warning", "never"],
    },
}
"""Closed sets of values, by type and field."""
COMPARISON_ENUMS = {
    "SideDocument": {"origin": ENUMS["Document"]["origin"], "verdict": ENUMS["Document"]["verdict"]},
    "SideCause": {
        "severity": ENUMS["FindingDocument"]["severity"],
        "confidence": ENUMS["FindingDocument"]["confidence"],
    },
    "ValueDocument": {"state": ["known", "absent", "unknown"]},
    "DifferenceDocument": {
        "kind": ["verdict", "finding", "layer", "fact"],
        "weight": ["judgement", "proof", "read", "other"],
    },
}


FLEET_ENUMS = {
    "GroupDocument": {"state": ["error", "warning", "unknown", "healthy"]},
    "FleetCause": {"severity": ["error", "warning"], "confidence": ENUMS["FindingDocument"]["confidence"]},
    "NotRead": {"kind": ["damaged", "cut", "foreign", "facts", "newer", "large", "link", "unreadable", "late"]},
}


def schema() -> dict[str, object]:
    """Return the JSON Schema (2020-12) of the report."""
    return _schema(Document, ENUMS, DOCUMENT_SCHEMA, "xpu-doctor report")


def comparison_schema() -> dict[str, object]:
    """Return the JSON Schema (2020-12) of the comparison."""
    return _schema(ComparisonDocument, COMPARISON_ENUMS, COMPARISON_SCHEMA, "xpu-doctor comparison")


def fleet_schema() -> dict[str, object]:
    """Return the JSON Schema (2020-12) of the fleet."""
    made = _schema(FleetDocument, FLEET_ENUMS, FLEET_SCHEMA, "xpu-doctor fleet")
    definitions: Any = made["$defs"]
    definitions["FleetDocument"]["properties"]["fail_on"]["items"]["enum"] = list(FAIL_ON)
    return made


def _schema(document: type, enums: dict[str, dict[str, list[str]]], number: int, title: str) -> dict[str, object]:
    made = msgspec.json.schema(document)
    for type_name, fields in enums.items():
        for field, values in fields.items():
            made["$defs"][type_name]["properties"][field]["enum"] = values
    made["$defs"][document.__name__]["properties"]["schema"]["const"] = number
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **made}


if __name__ == "__main__":
    PATH.write_text(json.dumps(schema(), indent=2) + "\n", encoding="utf-8")
    COMPARISON_PATH.write_text(json.dumps(comparison_schema(), indent=2) + "\n", encoding="utf-8")
    FLEET_PATH.write_text(json.dumps(fleet_schema(), indent=2) + "\n", encoding="utf-8")

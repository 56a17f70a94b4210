"""The fleet in the text format of Prometheus, for node_exporter's textfile collector or a push gateway: counts, outliers by name, no node that is well."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone

from xpu_doctor.fleet.model import ProblemKind
from xpu_doctor.report.fleet.document import FleetDocument, GroupDocument
from xpu_doctor.report.fleet.words import what_separates
from xpu_doctor.text.visible import visible

PREFIX = "xpu_doctor_fleet_"
MAX_NODES = 5000
"""Nodes that are named, the worst first: each of them is a time series."""
MAX_LABEL = 200

Sample = tuple[Mapping[str, str], float]


def fleet_metrics(document: FleetDocument) -> str:
    """Return the whole fleet as metrics; the text ends with a newline."""
    return "".join(line for name, about, samples in _families(document) for line in _family(name, about, samples))


def _families(document: FleetDocument) -> Iterator[tuple[str, str, Iterable[Sample]]]:
    states = {**document.states, "missing": len(document.missing)}
    yield (
        "nodes",
        "Nodes by what their newest report comes to.",
        [({"state": name}, value) for name, value in states.items()],
    )
    yield "outlier_nodes", "Nodes that are not as most of their kind are.", [({}, document.outliers)]
    yield "reports", "Reports that were read.", [({}, document.reports)]
    kinds = {str(kind): 0 for kind in ProblemKind} | {row.kind: row.count for row in document.not_read}
    yield (
        "files_without_node",
        "Files that gave no node, by why.",
        [({"reason": name}, value) for name, value in kinds.items()],
    )
    yield (
        "group_nodes",
        "Nodes of each group that is not as most are.",
        [_group(group) for group in document.groups if not group.majority],
    )
    yield "node", "Nodes that are not well or not as most are, and those that are missing; always 1.", _nodes(document)
    yield "slow_card_ratio", "Speed of a slow card as a part of the median of its model.", [
        ({"node": card.node, "device": card.device, "model": card.model, "dtype": card.dtype}, round(1 - card.below, 4))
        for card in document.slow_cards
    ]  # fmt: skip
    yield "matmul_median_tflops", "Median speed of a model and data type.", [
        ({"model": row.model, "dtype": row.dtype}, row.median_tflops) for row in document.speeds if row.median_tflops is not None
    ]  # fmt: skip
    times = (("oldest", _seconds(document.oldest)), ("newest", _seconds(document.newest)))
    yield "report_timestamp_seconds", "When the first and the last of the reports that count were made.", [
        ({"which": which}, value) for which, value in times if value is not None
    ]  # fmt: skip
    made = _seconds(document.created)
    yield "timestamp_seconds", "When the reports were looked at.", [({}, made)] if made is not None else []


def _group(group: GroupDocument) -> Sample:
    codes = ",".join(cause.code for cause in group.causes)
    return {"group": str(group.number), "state": group.state, "codes": codes, "fact": what_separates(group)}, group.size


def _nodes(document: FleetDocument) -> list[Sample]:
    named: list[Sample] = [
        ({"node": name, "state": "missing", "codes": ""}, 1) for name in document.missing[:MAX_NODES]
    ]
    for group in document.groups:
        if group.majority and group.state == "healthy":
            continue
        codes = ",".join(cause.code for cause in group.causes)
        named += (
            ({"node": name, "state": group.state, "codes": codes}, 1) for name in group.nodes[: MAX_NODES - len(named)]
        )
    return named


def _family(name: str, about: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP {PREFIX}{name} {about}\n# TYPE {PREFIX}{name} gauge\n"
    for labels, value in samples:
        inside = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"{PREFIX}{name}{{{inside}}} {value}\n" if inside else f"{PREFIX}{name} {value}\n"


def _escaped(text: str) -> str:
    """Return the value of a label: backslash, quote and line end are escaped, and it is one line."""
    line = visible(text, one_line=True)
    cut = line if len(line) <= MAX_LABEL else f"{line[: MAX_LABEL - 3]}..."
    return cut.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _seconds(moment: str) -> float | None:
    try:
        return datetime.strptime(moment, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()
    except ValueError:
        return None

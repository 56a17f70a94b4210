"""The layers, drawn as the stack that they are: the device at the bottom, what rests on it above."""

from __future__ import annotations

from collections.abc import Iterable

from xpu_doctor.report.document import FindingDocument, RungDocument
from xpu_doctor.report.html.markup import Markup, element
from xpu_doctor.report.html.pieces import mark, prose, section


def ladder(rungs: Iterable[RungDocument], places: dict[str, str]) -> Markup:
    """Return the stack; `places` leads from a layer at fault to the finding that says so."""
    slabs = (_slab(rung, places.get(rung.layer, "")) for rung in reversed(list(rungs)))
    return section(
        "layers",
        "Layers",
        element("p", "Each layer rests on those below it.", class_="hint"),
        element("ol", slabs, class_="stack", reversed=True, role="list"),
        element("p", "the hardware", class_="ground"),
        class_="layers",
    )


def _slab(rung: RungDocument, place: str) -> Markup:
    name = element("a", rung.layer, href=f"#{place}") if place and rung.state == "fault" else rung.layer
    head = element("div", element("b", name), element("span", rung.state, class_="state"), class_="slab-head")
    text = element("div", head, element("p", prose(rung.summary)) if rung.summary else None, class_="slab-text")
    return element("li", mark(rung.state), text, class_=f"slab {rung.state}")


def places_of(findings: Iterable[FindingDocument], names: Iterable[str]) -> dict[str, str]:
    """Return where the first finding of each layer stands on the page."""
    places: dict[str, str] = {}
    for finding, name in zip(findings, names, strict=True):
        places.setdefault(finding.layer, name)
    return places

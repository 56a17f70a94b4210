"""Bars: how fast each device computed, beside this machine's CPU and the published peak of the device."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from xpu_doctor.report.html.markup import Child, Markup, element, joined
from xpu_doctor.report.html.pieces import folded, mark, section
from xpu_doctor.report.speeds import SpeedDocument

PLACES = {
    "device": ("ok", "computed on the device"),
    "cpu": ("fault", "computed on the CPU"),
    "unknown": ("unknown", "where it computed is not known"),
}
SHOWN = 4
"""Devices whose bars are shown at once."""


def speeds(rows: Sequence[SpeedDocument]) -> Markup | None:
    """Return the bars of all devices that were timed."""
    if not rows:
        return None
    cpu = f" ({rows[0].cpu})" if rows[0].cpu else ""
    compared = f", and of the same on this CPU{cpu}" if any(row.cpu_tflops is not None for row in rows) else ""
    devices = [_device(list(own)) for _, own in groupby(rows, key=lambda row: row.device)]
    rest = devices[SHOWN:]
    return section(
        "speed",
        "Speed",
        element(
            "p", f"Of a product of two square matrices{compared}. Each data type has its own scale.", class_="hint"
        ),
        devices[:SHOWN],
        folded(f"{len(rest)} more devices", rest) if rest else None,
        class_="speeds",
    )


def _device(rows: list[SpeedDocument]) -> Markup:
    sign, words = PLACES[rows[0].place]
    name = element("h3", rows[0].device, element("span", rows[0].name, class_="device-name") if rows[0].name else None)
    where = element("p", mark(sign), words, class_=f"where {rows[0].place}")
    head = element("tr", (element("th", word, scope="col") for word in ("Data type", "Compared", "Bar", "Speed")))
    bodies = (element("tbody", _bars(row)) for row in rows)
    table = element("table", element("thead", head, class_="unseen"), bodies, class_="bars")
    return element("div", name, where, table, class_="device")


def _bars(row: SpeedDocument) -> Iterator[Markup]:
    """Yield the rows of a data type: the device, the CPU, the peak, where each is known."""
    values: list[tuple[str, Child, float, str]] = [("device", "device", row.tflops, _beside(row))]
    if row.cpu_tflops is not None:
        values.append(("cpu", "this CPU", row.cpu_tflops, ""))
    if row.peak_tflops is not None:
        published = joined(element("span", "published ", class_="wide"), "peak")
        values.append(("peak", published, row.peak_tflops, ""))
    longest = max(value for _, _, value, _ in values) or 1.0
    for number, (kind, label, value, beside) in enumerate(values):
        dtype = element("th", row.dtype, rowspan=len(values), scope="rowgroup", class_="dtype") if not number else None
        bar = element("td", _bar(value / longest, kind))
        figure = joined(element("b", _figure(value, kind)), " TFLOP/s", element("span", beside) if beside else None)
        yield element("tr", dtype, element("th", label, scope="row"), bar, element("td", figure))


def _beside(row: SpeedDocument) -> str:
    """Return the share of the peak, and how many times the speed of the CPU."""
    share = f"{row.tflops / row.peak_tflops:.0%} of the peak" if row.peak_tflops else ""
    times = f"{row.tflops / row.cpu_tflops:.3g} times this CPU" if row.cpu_tflops else ""
    return ", ".join(filter(None, (share, times)))


def _figure(value: float, kind: str) -> str:
    """Return a measured speed with three digits, a published one as it was published."""
    return f"{value:g}" if kind == "peak" else f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def _bar(share: float, kind: str) -> Markup:
    width = f"{max(share, 0.004) * 100:.2f}"
    parts = joined(
        element("rect", width="100", height="10", class_="track"),
        element("rect", width=width, height="10", class_=f"fill {kind}"),
    )
    return element("svg", parts, class_="bar", viewBox="0 0 100 10", preserveAspectRatio="none", aria_hidden="true")

"""The machine runs on its battery."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from xpu_doctor.plugin import Evidence, Finding, Layer, Remedy, Rule, Severity, Undecided, Unknown


class OnBattery(Rule):
    """The machine runs on its battery, so the GPU may be clocked down."""

    code = "on-battery"
    layer = Layer.COMPUTE
    severity = Severity.INFO

    def check(self, plugins: dict[str, Any]) -> Iterator[Finding]:
        """Found where there is a battery and mains is not connected; clear on a machine without a battery."""
        supply = plugins.get("power-supply")
        if supply is None:
            raise Undecided(Unknown("the probe power-supply gave no facts", "plugins.power-supply"))
        if not supply["batteries"] or supply["mains"]:
            return
        if supply["mains"] is None:
            raise Undecided(Unknown("the kernel does not say whether mains is connected", "plugins.power-supply.mains"))
        yield self.found(
            "machine",
            "the machine runs on its battery, and its GPU may be clocked down",
            evidence=(Evidence("plugins.power-supply.mains", "not connected", "probe power-supply"),),
            remedies=(
                Remedy("Connect the charger before you measure", "firmware lowers the GPU's power limit on battery"),
            ),
        )

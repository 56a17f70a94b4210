"""Which variables get into a snapshot, and with what value."""

from __future__ import annotations

from xpu_doctor.host import LiveHost
from xpu_doctor.level_zero import ze_filters
from xpu_doctor.probes.environment import HIDDEN, allowed, environment
from xpu_doctor.unknown import known

SECRETS = {"NEO4J_PASSWORD": "s3cret", "TORCH_HUB_TOKEN": "s3cret", "CCL_AUTH_KEY": "s3cret", "TRITON_API_KEY": "s3cret", "PYTORCH_PASS": "s3cret"}


def test_no_secret_is_kept() -> None:
    """A variable of another product is not looked at; one whose name says that it is a secret keeps its name only."""
    rows = known(environment.gather(LiveHost(env={**SECRETS, "ZE_AFFINITY_MASK": "0", "NEOReadDebugKeys": "1"})).variables)
    held = {row.name: row.value for row in rows}
    assert "s3cret" not in held.values()
    assert "NEO4J_PASSWORD" not in held
    assert held["TORCH_HUB_TOKEN"] == HIDDEN
    assert (held["ZE_AFFINITY_MASK"], held["NEOReadDebugKeys"]) == ("0", "1")


def test_another_product_hides_no_device() -> None:
    """Neo4j's variables are none of the driver's."""
    assert ze_filters({"NEO4J_PASSWORD": "x", "NEO_CACHE_DIR": "y", "NEOReadDebugKeys": "1"}) == ("NEOReadDebugKeys", "NEO_CACHE_DIR")
    assert not allowed("NEO4J_PASSWORD")

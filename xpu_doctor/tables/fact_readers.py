"""Which rules read which fact when they decide; `tools/update_fact_readers.py` writes the file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache

from xpu_doctor.tables import text


@cache
def fact_readers() -> Mapping[str, tuple[str, ...]]:
    """Return the codes of the rules that read a fact, by its path with empty brackets: `gpus[].kernel_driver`."""
    return {path: tuple(codes) for path, codes in json.loads(text("fact_readers.json")).items()}

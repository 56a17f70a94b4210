"""Where the page of a finding is on the documentation site. These addresses never change, as the codes do not."""

from __future__ import annotations

from pathlib import Path

import xpu_doctor.rules
from xpu_doctor.model.findings import Layer

SITE = "https://xpu-doctor.github.io/xpu-doctor"
RULES = Path(str(xpu_doctor.rules.__file__)).parent


def page_address(code: str, layer: Layer) -> str:
    """Return the address of the page of one of our own codes; empty for the code of a plug-in, which has none there."""
    folder = "import_" if layer is Layer.IMPORT else layer.value
    own = (RULES / folder / f"{code.replace('-', '_')}.md").is_file()
    return f"{SITE}/findings/{code}/" if own else ""

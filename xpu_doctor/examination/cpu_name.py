"""The name of this machine's processor, asked in the background: it takes a second, and nobody waits for it."""

from __future__ import annotations

import threading

from xpu_doctor.model.unknown import Maybe, Unknown


class CpuName:
    """A question to py-cpuinfo that is under way."""

    def __init__(self) -> None:
        self._name: Maybe[str] = Unknown("py-cpuinfo had not answered when the measurements were done")
        threading.Thread(target=self._ask, name="cpu name", daemon=True).start()

    def _ask(self) -> None:
        try:
            import cpuinfo

            brand = cpuinfo.get_cpu_info().get("brand_raw", "")
        except Exception as error:
            self._name = Unknown(f"py-cpuinfo failed: {type(error).__name__}: {error}")
            return
        self._name = str(brand).strip() or Unknown("py-cpuinfo knows no name")

    def answer(self) -> Maybe[str]:
        """Return the name, or that there is none yet."""
        return self._name

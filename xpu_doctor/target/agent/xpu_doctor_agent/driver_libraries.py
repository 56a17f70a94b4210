"""The GPU driver's own libraries, loaded without the loader."""

from __future__ import annotations

import sys

from .facts import cut
from .loaded_files import mapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .facts import Facts
    from .request import Request

LIBRARIES = ("libze_intel_gpu.so.1", "libze_intel_gpu_legacy1.so.1")
DISPLAY_ADAPTERS = r"SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}"


def load(request: Request) -> Facts:
    """Load each of them, to tell "not installed" from "does not load"."""
    import ctypes

    rows: list[Facts] = []
    if sys.platform == "win32":
        paths = registered()
    else:
        paths = LIBRARIES
    for path in paths:
        name = path.rpartition("\\")[2]
        request.transcript.mark("ze_library", f"load {name}")
        try:
            ctypes.CDLL(path)
            rows.append({"name": name, "path": path if path != name else mapped(name), "error": ""})
        except OSError as error:
            rows.append({"name": name, "path": path if path != name else "", "error": cut(error, 500)})
    return {"libraries": rows}


if sys.platform == "win32":

    def registered() -> tuple[str, ...]:
        """Return the drivers that Windows' display adapters name for Level Zero: the loader finds them there alone."""
        import winreg

        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, DISPLAY_ADAPTERS) as adapters:
                count = winreg.QueryInfoKey(adapters)[0]
                names = [winreg.EnumKey(adapters, number) for number in range(count)]
                return tuple(dict.fromkeys(path for name in names for path in _drivers_of(adapters, name)))
        except OSError:
            return ()

    def _drivers_of(adapters: object, name: str) -> Iterator[str]:
        """Yield the drivers that one adapter names."""
        import winreg

        try:
            with winreg.OpenKey(adapters, name) as adapter:  # type: ignore[arg-type]
                value = winreg.QueryValueEx(adapter, "LevelZeroDriverPath")[0]
        except OSError:
            return
        yield from [str(path) for path in (value if isinstance(value, list) else [value]) if path]

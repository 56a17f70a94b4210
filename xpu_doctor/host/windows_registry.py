"""The Windows registry through winreg: a key's values and one level of subkeys."""

from __future__ import annotations

import sys
from typing import Any

from xpu_doctor.model.unknown import Maybe, Unknown


def read_key(path: str) -> Maybe[dict[str, Any]]:
    """Return values by name and subkeys as nested tables; keys that may not be read are left out of the nested part."""
    if sys.platform != "win32":
        return Unknown("there is no registry on this system")
    import winreg

    hive_name, _, rest = path.partition("\\")
    hives = {"HKLM": winreg.HKEY_LOCAL_MACHINE, "HKCU": winreg.HKEY_CURRENT_USER}
    try:
        # Of HKLM\SOFTWARE a 32-bit interpreter would otherwise get the branch for 32-bit programs.
        with winreg.OpenKey(hives[hive_name], rest, 0, winreg.KEY_READ | winreg.KEY_WOW64_64KEY) as key:
            found = _values(winreg, key)
            for index in range(winreg.QueryInfoKey(key)[0]):
                name = winreg.EnumKey(key, index)
                try:
                    with winreg.OpenKey(key, name) as child:
                        found[name] = _values(winreg, child)
                except OSError:
                    # Some subkeys of the display class (Properties) are open to the system account only.
                    continue
            return found
    except OSError as error:
        return Unknown(f"{path}: {error.strerror or error}")


def _values(winreg: Any, key: Any) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for index in range(winreg.QueryInfoKey(key)[1]):
        name, value, _ = winreg.EnumValue(key, index)
        values[name] = list(value) if isinstance(value, tuple) else value
    return values

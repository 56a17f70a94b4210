"""The registry of a recorded host written into that of a Wine prefix of its own, for the real winreg to read."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.support.windows_machine import WindowsMachine

HIVES = {"HKLM": "HKEY_LOCAL_MACHINE", "HKCU": "HKEY_CURRENT_USER"}
REPLACED = (
    r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}",
    r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Enum\PCI",
    r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\igfxn",
)
"""Keys that hold nothing but what a recording says."""
ACTIVE = r"HARDWARE\DEVICEMAP\VIDEO"
WRITE_ACTIVE = """
import ctypes, json, sys, winreg
VOLATILE, ALL = 1, 0xF003F
key, path, values = ctypes.c_void_p(), sys.argv[1], json.loads(sys.argv[2])
create = ctypes.windll.advapi32.RegCreateKeyExW
assert not create(ctypes.c_void_p(0x80000002), path, 0, None, VOLATILE, ALL, None, ctypes.byref(key), None)
with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path, 0, winreg.KEY_ALL_ACCESS) as opened:
    for name in [winreg.EnumValue(opened, number)[0] for number in range(winreg.QueryInfoKey(opened)[1])]:
        winreg.DeleteValue(opened, name)
    for name, value in values.items():
        winreg.SetValueEx(opened, name, 0, winreg.REG_SZ, value)
"""
"""What lies below HARDWARE is made anew at each start, and takes keys of that kind alone."""


def copied(machine: WindowsMachine, folder: Path) -> WindowsMachine:
    """Return a machine with a registry of its own: files are linked, the registry's are copied."""
    target = folder / "prefix"
    shutil.copytree(machine.prefix, target, symlinks=True, copy_function=_copy_registry)
    (folder / "home").mkdir(exist_ok=True)
    return WindowsMachine(folder, machine.wine)


def _copy_registry(source: str, target: str) -> str:
    if source.endswith((".reg", "wineserver", ".update-timestamp")):
        return str(shutil.copy2(source, target))
    os.link(source, target)
    return target


def write(machine: WindowsMachine, python: Path, registry: Mapping[str, Any]) -> None:
    """Make the machine's registry say what a recording says, and nothing else of display adapters and the PCI bus."""
    lines = ["Windows Registry Editor Version 5.00", ""]
    lines += [f"[-{key}]" for key in REPLACED]
    active: Mapping[str, Any] = next((values for path, values in registry.items() if path.endswith(ACTIVE)), {})
    for path, values in _keys({path: values for path, values in registry.items() if not path.endswith(ACTIVE)}):
        hive, _, rest = path.partition("\\")
        lines += ["", f"[{HIVES[hive]}\\{rest}]"]
        lines += [f'"{_escaped(name)}"={_data(value)}' for name, value in values.items()]
    file = machine.folder / "machine.reg"
    file.write_bytes(("\r\n".join(lines) + "\r\n").encode("utf-16"))
    said, written = json.dumps(active), machine.folder / "active.json"
    steps: list[list[str | Path]] = [["reg.exe", "import", file], [python, "-c", WRITE_ACTIVE, ACTIVE, said]]
    known = written.exists() and written.read_text(encoding="utf-8") == said
    for argv in steps[:1] if known else steps:
        run = machine.win(argv)
        assert run.returncode == 0, run.stderr
    written.write_text(said, encoding="utf-8")


def _keys(registry: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each key with its values; a table within a key is a key below it."""
    for name, values in registry.items():
        path = f"{above}\\{name}" if above else name
        yield path, {key: value for key, value in values.items() if not isinstance(value, dict)}
        yield from _keys({key: value for key, value in values.items() if isinstance(value, dict)}, path)


def _data(value: Any) -> str:
    if isinstance(value, list):
        return "hex(7):" + _hex("".join(f"{item}\0" for item in value) + "\0")
    if isinstance(value, int):
        return (
            f"dword:{value:08x}"
            if value < 1 << 32
            else "hex(b):" + ",".join(f"{b:02x}" for b in value.to_bytes(8, "little"))
        )
    return f'"{_escaped(value)}"'


def _hex(text: str) -> str:
    return ",".join(f"{byte:02x}" for byte in text.encode("utf-16-le"))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')

"""Regenerates xpu_doctor/data/devices.json from the kernel's list of Intel graphics ids (include/drm/intel/pciids.h).

    python tools/update_pci_ids.py                      # from the recorded copy under fixtures/pciids/
    python tools/update_pci_ids.py --fetch [SUITE]      # first take the newest header from Debian's linux-headers package (apt-get)
    python tools/update_pci_ids.py --names FILE         # also read marketing names from compute-runtime's devices_base.inl

Marketing names and first driver builds that devices.json already has are kept. An id whose macro belongs to no family of
devices.toml stops the run: a person decides which family it is.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from xpu_doctor.tables import toml  # noqa: E402  (the checkout's own package)
from xpu_doctor.tables.devices import Family  # noqa: E402
from xpu_doctor.tables.rows import rows  # noqa: E402

HEADER = ROOT / "fixtures" / "pciids" / "pciids.h"
TABLE = ROOT / "xpu_doctor" / "data" / "devices.json"
NAMES_SOURCE = "https://github.com/intel/compute-runtime/blob/master/shared/source/dll/devices/devices_base.inl"
HEADER_SOURCE = "https://github.com/torvalds/linux/blob/master/include/drm/intel/pciids.h"

DEFINE = re.compile(r"^#define\s+INTEL_(\w+)_IDS\(MACRO__, \.\.\.\)")
MEMBER = re.compile(r"MACRO__\((0[xX][0-9a-fA-F]{4}),")
QUANTA_USE = re.compile(r"^\s+INTEL_QUANTA_VGA_DEVICE\(")
QUANTA_ID = "016a"
"""The one id that the header writes with a subsystem of its own."""
NAMED = re.compile(r'NAMEDDEVICE\(0x([0-9A-Fa-f]{4}), \w+, "([^"]+)"\)')


def parse_header(text: str) -> dict[str, str]:
    """Return the macro that lists each id itself, by id (four lower-case hex digits)."""
    found: dict[str, str] = {}
    macro = ""
    for line in text.splitlines():
        if match := DEFINE.match(line):
            macro = match[1]
        for number in MEMBER.findall(line):
            found[f"{int(number, 16):04x}"] = macro
        if QUANTA_USE.match(line):
            found[QUANTA_ID] = macro
    return found


def family_of(macro: str, families: dict[str, str]) -> str:
    """Return the family whose macro name is the longest beginning of this macro's name."""
    fitting = [known for known in families if macro == known or macro.startswith(known + "_")]
    return families[max(fitting, key=len)] if fitting else ""


def build(header: str, old: dict[str, list[str]], names: dict[str, str]) -> tuple[dict[str, list[str]], list[str]]:
    """Return the table `id -> [family, name, first driver build]`, and the ids that no family claims."""
    families = {macro: family.key for family in rows(Family) for macro in family.macros}
    devices = dict(old)
    homeless = []
    for number, macro in parse_header(header).items():
        family = family_of(macro, families)
        if not family:
            homeless.append(f"{number} ({macro})")
        before = old.get(number, ["", "", ""])
        devices[number] = [family, names.get(number, before[1]), before[2]]
    return devices, homeless


def fetch(suite: str) -> tuple[str, str]:
    """Take the newest header out of Debian's linux-headers package, with lists of our own; return its text and package."""
    mirror = debian_mirror()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for name in ("lists/partial", "cache/archives/partial", "debs"):
            (place / name).mkdir(parents=True)
        (place / "sources.list").write_text(
            f"deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {mirror} {suite} main\n"
        )
        options = ["-o", f"Dir::Etc::sourcelist={place}/sources.list", "-o", "Dir::Etc::sourceparts=-"]
        options += [
            "-o",
            f"Dir::State::lists={place}/lists",
            "-o",
            f"Dir::Cache={place}/cache",
            "-o",
            "APT::Sandbox::User=root",
        ]
        subprocess.run(["apt-get", *options, "update", "-qq"], check=True)
        search = ["apt-cache", *options, "search", "--names-only", "^linux-headers-.*-common$"]
        said = subprocess.run(search, check=True, capture_output=True, text=True).stdout
        package = max((line.split()[0] for line in said.splitlines() if "-rt-" not in line), key=_numbers)
        subprocess.run(["apt-get", *options, "download", "-qq", package], check=True, cwd=place / "debs")
        archive = next((place / "debs").glob("*.deb"))
        subprocess.run(["dpkg-deb", "-x", str(archive), str(place / "tree")], check=True)
        header = next((place / "tree").rglob("include/drm/intel/pciids.h"))
        return header.read_text(encoding="utf-8"), archive.name


def debian_mirror() -> str:
    """Return the Debian mirror that this machine's apt uses.

    Raises:
        SystemExit: there is none.
    """
    for path in (*Path("/etc/apt/sources.list.d").glob("*.sources"), Path("/etc/apt/sources.list")):
        if path.exists():
            found = re.search(
                r"^(?:URIs:|deb\s(?:\[.*\]\s)?)\s*(http\S+)", path.read_text(encoding="utf-8"), re.MULTILINE
            )
            if found and "security" not in found[1]:
                return found[1]
    raise SystemExit("apt has no Debian mirror here: --fetch needs a Debian machine")


def _numbers(name: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", name)]


def main() -> int:
    """Write devices.json; return 1 where an id has no family."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fetch", nargs="?", const="sid", metavar="SUITE")
    parser.add_argument("--names", type=Path)
    options = parser.parse_args()
    if options.fetch:
        text, package = fetch(options.fetch)
        HEADER.write_text(text, encoding="utf-8")
        print(f"took pciids.h from {package}: write its version into {HEADER.parent / 'ORIGIN.md'}")
    names = {number.lower(): name for number, name in NAMED.findall(options.names.read_text())} if options.names else {}
    old = json.loads(TABLE.read_text())["devices"] if TABLE.exists() else {}
    devices, homeless = build(HEADER.read_text(encoding="utf-8"), old, names)
    if homeless:
        print("ids without a family in devices.toml:", ", ".join(homeless))
        return 1
    lines = ",\n".join(f"  {json.dumps(number)}: {json.dumps(devices[number])}" for number in sorted(devices))
    head = json.dumps({"source": HEADER_SOURCE, "names": NAMES_SOURCE, "checked": toml("devices")["checked"]})
    TABLE.write_text(
        f'{{"origin": {head},\n"columns": ["family", "name", "first driver build"],\n"devices": {{\n{lines}\n}}}}\n'
    )
    print(f"{len(devices)} ids, {len(parse_header(HEADER.read_text()))} of them in the kernel's list")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Debian's own torch, rebuilt from the list of its package's files, under the folder where the package puts it: no damage, and no wheel."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import codes, environment

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LIST = Path(__file__).parents[2] / "fixtures" / "distributions" / "debian12-python3-torch.toml"
PYTHON = "/usr/bin/python3"


def rebuilt(folder: Path) -> str:
    """Write the package's files and links; a library of this machine stands for its own. Return where they belong."""
    package = tomllib.loads(LIST.read_text(encoding="utf-8"))
    library = next(Path(sysconfig.get_config_var("DESTSHARED")).glob("*.so"), None)
    for name in package["files"]:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".so") and library is not None:
            shutil.copy(library, path)
        else:
            path.write_text(package["texts"].get(name, ""), encoding="utf-8")
    for name, leads_to in package["links"].items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(leads_to)
    return str(package["folder"])


def examined(folder: Path) -> dict[str, Any]:
    """The report on the system's Python with that folder in the place of its packages."""
    place = rebuilt(folder)
    if shutil.which("bwrap") is None or not os.path.isdir(place) or not os.path.exists(PYTHON):
        pytest.skip("bwrap and a Python of Debian are needed")
    box = ["bwrap", "--dev-bind", "/", "/", "--ro-bind", str(folder), place]
    if subprocess.run([*box, "true"], capture_output=True, check=False).returncode:
        pytest.skip("bwrap may not make namespaces here")
    command = [*box, sys.executable, "-m", "xpu_doctor", "check", "--python", PYTHON, "--json"]
    ran = subprocess.run(command, capture_output=True, env=environment(), timeout=120, check=False)
    assert ran.stdout, ran.stderr
    return json.loads(ran.stdout)  # type: ignore[no-any-return]


def test_debians_torch_is_its_own_build(tmp_path: Path) -> None:
    document = examined(tmp_path)
    torch = document["snapshot"]["torch"]
    assert (torch["version"], torch["build"], torch["package_owner"]) == ("1.13.0a0", "cpu", "torch")
    assert {row["kind"] for row in document["snapshot"]["libraries"]["damaged"]} == {"dangling"}
    text = json.dumps(document)
    assert (
        "torch-built-without-xpu" in codes(document) and "is the distribution's own build, without XPU support" in text
    )
    assert not {"torch-install-broken", "torch-cpu-wheel"} & set(codes(document))
    assert "uninstall -y torch" not in text and "rm -rf" not in text

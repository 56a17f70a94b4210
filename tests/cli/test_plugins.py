"""The example plug-in, installed as a distribution beside the doctor; and plug-ins that fail."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import environment, flat
from tests.support.environments import StubEnvironment, make_environment

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "xpu-doctor-battery" / "src"
BROKEN = {
    "raises on import": ("broken", "raise RuntimeError('no such table')\n", "xpu_doctor.rules", "broken-rule", "broken:Rule", "no such table"),
    "leaves on import": ("leaver", "raise SystemExit(3)\n", "xpu_doctor.rules", "leaver", "leaver:Rule", "SystemExit"),
    "is no rule": ("noise", "Thing = 5\n", "xpu_doctor.rules", "noise", "noise:Thing", "no subclass"),
    "is no probe": ("noprobe", "def thing(host): return {}\n", "xpu_doctor.probes", "noprobe", "noprobe:thing", "no probe"),
    "bad name": (
        "badname",
        "from xpu_doctor.model.findings import Layer\nfrom xpu_doctor.probes.runner import probe\n"
        "@probe('Bad Name', layer=Layer.WHEEL, fills='')\ndef thing(host): return {}\n",
        "xpu_doctor.probes", "bad", "badname:thing", "kebab-case",
    ),
    "name is taken": (
        "taken",
        "from xpu_doctor.model.findings import Layer\nfrom xpu_doctor.diagnosis.judge import Rule\n"
        "class Taken(Rule):\n    code = 'torch-cpu-wheel'\n    layer = Layer.WHEEL\n    def check(self, torch):\n        yield\n",
        "xpu_doctor.rules", "taken", "taken:Taken", "is taken",
    ),
    "rule crashes": (
        "crasher",
        "from xpu_doctor.model.findings import Layer\nfrom xpu_doctor.diagnosis.judge import Rule\n"
        "class Crasher(Rule):\n    code = 'crasher'\n    layer = Layer.WHEEL\n    def check(self, torch):\n        raise ZeroDivisionError('oops')\n        yield\n",
        "xpu_doctor.rules", "crasher", "crasher:Crasher", "oops",
    ),
    "probe crashes": (
        "probecrash",
        "from xpu_doctor.model.findings import Layer\nfrom xpu_doctor.probes.runner import probe\n"
        "@probe('probe-crash', layer=Layer.DEVICE, fills='')\ndef thing(host):\n    raise KeyError('lost')\n",
        "xpu_doctor.probes", "probe-crash", "probecrash:thing", "lost",
    ),
}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> StubEnvironment:
    """An environment in which the doctor of this checkout and its dependencies are importable."""
    made = make_environment(tmp_path / "home")
    paths = [str(ROOT), *(path for path in sys.path if path.endswith("site-packages"))]
    (made.site / "doctor.pth").write_text("\n".join(paths) + "\n", encoding="utf-8")
    return made


def install(home: StubEnvironment, name: str, files: dict[str, str], group: str, entry: str, value: str) -> None:
    """Install a plug-in distribution with one entry point."""
    info = home.add(name, "1.0", files)
    (info / "entry_points.txt").write_text(f"[{group}]\n{entry} = {value}\n", encoding="utf-8")


def check(home: StubEnvironment, target: StubEnvironment, *more: str) -> dict[str, object]:
    """Run the doctor of that environment."""
    run = subprocess.run(
        [str(home.python), "-m", "xpu_doctor", "check", "--python", str(target.python), "--json", *more],
        capture_output=True, text=True, env=environment(), timeout=120, check=False,
    )  # fmt: skip
    document: dict[str, object] = json.loads(run.stdout)
    return document


@pytest.fixture
def with_example(home: StubEnvironment) -> StubEnvironment:
    """The environment with the example plug-in installed."""
    files = {
        f"xpu_doctor_battery/{path.name}": path.read_text(encoding="utf-8")
        for path in (EXAMPLE / "xpu_doctor_battery").glob("*.*")
    }
    info = home.add("xpu-doctor-battery", "1.0", files)
    declared = "[xpu_doctor.probes]\npower-supply = xpu_doctor_battery.probe:power_supply\n"
    declared += "[xpu_doctor.rules]\non-battery = xpu_doctor_battery.on_battery:OnBattery\n"
    (info / "entry_points.txt").write_text(declared, encoding="utf-8")
    return home


def test_the_example_runs(with_example: StubEnvironment, stub: StubEnvironment) -> None:
    stub.add_torch()
    document = check(with_example, stub)
    assert document["snapshot"]["plugins"]["power-supply"]["batteries"] >= 0  # type: ignore[index]
    assert not document["crashed"]


def test_the_examples_page_is_printed(with_example: StubEnvironment) -> None:
    run = subprocess.run(
        [str(with_example.python), "-m", "xpu_doctor", "explain", "on-battery"],
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
    )
    assert "draws its power from the battery" in run.stdout
    run = subprocess.run(
        [str(with_example.python), "-m", "xpu_doctor", "probes"],
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
    )
    assert "power-supply" in run.stdout


@pytest.mark.parametrize(
    ("supply", "outcome"),
    [({"batteries": 1, "mains": False}, "found"), ({"batteries": 1, "mains": True}, "clear"), ({"batteries": 0, "mains": None}, "clear"),
     ({"batteries": 1, "mains": None}, "undecided"), (None, "undecided")],
)  # fmt: skip
def test_the_examples_rule(monkeypatch: pytest.MonkeyPatch, supply: object, outcome: str) -> None:
    from xpu_doctor.diagnosis.judge import judge
    from xpu_doctor.model.snapshot import Snapshot

    monkeypatch.syspath_prepend(str(EXAMPLE))
    from xpu_doctor_battery.on_battery import OnBattery

    judgement = judge([OnBattery()], Snapshot(plugins={} if supply is None else {"power-supply": supply}))
    assert ("found" if judgement.findings else "undecided" if judgement.undecided else "clear") == outcome


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_a_plugin_that_fails_is_a_finding(
    home: StubEnvironment, stub: StubEnvironment, broken: tuple[str, ...]
) -> None:
    module, source, group, entry, value, says = broken
    stub.add_torch()
    install(home, f"dist-of-{module}", {f"{module}.py": source}, group, entry, value)
    document = check(home, stub)
    failed = [
        finding for finding in flat(document["root_causes"]) if finding["code"] in ("plugin-failed", "probe-failed")
    ]  # type: ignore[arg-type]
    told = json.dumps(failed) + json.dumps(document["crashed"])
    assert says in told
    assert f"dist-of-{module}" in told, "the distribution is not named"
    assert any(finding["code"] == "plugin-failed" for finding in failed)

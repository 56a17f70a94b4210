"""The scaffold makes files that the doctor can load at once, and that the contracts refuse until they are written."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import xpu_doctor

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
LIST = "| layer | codes |\n| --- | --- |\n| wheel | torch-cpu-wheel, wheel-of-fortune |\n| import | import-of-goods |\n"


def tool() -> ModuleType:
    """tools/new_rule.py as a module."""
    spec = importlib.util.spec_from_file_location("new_rule", ROOT / "tools" / "new_rule.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the package with a list of codes of its own."""
    shutil.copytree(
        Path(xpu_doctor.__file__).parent, tmp_path / "xpu_doctor", ignore=shutil.ignore_patterns("__pycache__")
    )
    (tmp_path / "fixtures" / "rules").mkdir(parents=True)
    (tmp_path / "docs" / "reference").mkdir(parents=True)
    (tmp_path / "docs" / "reference" / "codes.md").write_text(LIST)
    return tmp_path


def test_new_rule_is_loaded_and_judges(checkout: Path) -> None:
    """The new rule is one of RULES, its page and its cases are found, and nothing else in RULES was lost."""
    code = (
        "from xpu_doctor.rules import RULES; from xpu_doctor.catalogue.pages import page;"
        "from xpu_doctor.diagnosis.judge import judge; from xpu_doctor.model.snapshot import Snapshot;"
        "print(len(RULES)); rule = [r for r in RULES if r.code == 'wheel-of-fortune'];"
        "print([r.__name__ for r in rule], [page(r).split()[1] for r in rule], judge([rule[0]()], Snapshot()).undecided[0].needs if rule else '')"
    )

    def state() -> list[str]:
        return subprocess.run(
            [sys.executable, "-c", code],
            cwd=checkout,
            env={"PYTHONPATH": str(checkout)},
            capture_output=True,
            text=True,
            check=False,
        ).stdout.splitlines()

    before = int(state()[0])
    made = tool().new_rule(checkout, "wheel-of-fortune", "wheel")
    after = state()
    assert int(after[0]) == before + 1 and after[1] == "['WheelOfFortune'] ['wheel-of-fortune'] torch.installed"
    assert [path.name for path in made] == [
        "wheel_of_fortune.py",
        "wheel_of_fortune.md",
        "wheel-of-fortune.toml",
        "__init__.py",
    ]
    assert "<to be written>" in made[1].read_text()


def test_entry_comes_last_and_is_made_once(checkout: Path) -> None:
    """RULES keeps its order, which is that of judging; a second run is refused."""
    before = _rules_in(checkout / "xpu_doctor" / "rules" / "import_" / "__init__.py")
    made = tool().new_rule(checkout, "import-of-goods", "import", symptom=True)
    assert _rules_in(made[3]) == [*before, "ImportOfGoods"]
    assert "symptom = True" in made[0].read_text()
    with pytest.raises(ValueError, match="exists already"):
        tool().new_rule(checkout, "import-of-goods", "import")


def _rules_in(package: Path) -> list[str]:
    return [word for word in re.split(r"[\s,()]+", package.read_text().partition("= (")[2]) if word]


def test_an_order_that_is_not_alphabetical_is_kept(checkout: Path) -> None:
    text = "from xpu_doctor.diagnosis.judge import Rule\nfrom xpu_doctor.rules.wheel.b import B\n\nRULES: tuple[type[Rule], ...] = (\n    Z,\n    B,\n)\n"
    assert "    Z,\n    B,\n    A,\n)" in tool().with_entry(text, "wheel", "a", "A")


GROUPS = sorted(tool().groups(ROOT if (ROOT / "xpu_doctor").exists() else Path(xpu_doctor.__file__).parents[1]))


@pytest.mark.parametrize("group", GROUPS)
def test_a_rule_about_any_group_of_facts(checkout: Path, group: str) -> None:
    """--facts: the template judges a real fact of that group, passes the linter, and is undecided where nothing is known."""
    made = tool().new_rule(
        checkout, "wheel-of-fortune", "wheel", facts=(group, "torch" if group != "torch" else "machine")
    )
    code = (
        "from xpu_doctor.rules.wheel.wheel_of_fortune import WheelOfFortune as R; from xpu_doctor.testing import judge_one;"
        "print(judge_one(R(), {})[0])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=checkout,
        env={"PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout == "undecided\n", run.stderr
    cases = tomllib.loads(made[2].read_text())
    assert set(cases["found"][0]["snapshot"]) == {group}
    ruff = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--config", str(ROOT / "pyproject.toml"), str(made[0])],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ruff.returncode == 0, ruff.stdout


def test_an_unknown_group_is_refused(checkout: Path) -> None:
    with pytest.raises(ValueError, match="no fact group; there are access, "):
        tool().new_rule(checkout, "wheel-of-fortune", "wheel", facts=("tourch",))
    assert not list((checkout / "fixtures" / "rules").iterdir())


@pytest.mark.parametrize(
    ("code", "layer", "said"),
    [
        ("wheel-of-fortune", "import", "it stands under wheel"),
        ("made-up", "weel", "weel is no layer; there are wheel, import"),
        ("Made_Up", "wheel", "use lower-case words and hyphens"),
        ("old-code", "wheel", "was retired"),
    ],
)
def test_a_code_that_cannot_be_listed(checkout: Path, code: str, layer: str, said: str) -> None:
    """It is refused in words, and nothing is written."""
    listed = checkout / "docs" / "reference" / "codes.md"
    listed.write_text(LIST + "\n## Retired\n\n`old-code`\n")
    with pytest.raises(ValueError, match=said):
        tool().new_rule(checkout, code, layer)
    assert not list((checkout / "fixtures" / "rules").iterdir())
    assert "made-up" not in listed.read_text()


def test_a_new_code_is_listed(checkout: Path) -> None:
    """In the reference under its layer, and in the changelog among what was added."""
    changelog = checkout / "CHANGELOG.md"
    changelog.write_text(
        "# Changelog\n\n## [Unreleased]\n\n### Changed\n\n- Much.\n\n## [0.1.0]\n\n### Added\n\n- All.\n"
    )
    tool().new_rule(checkout, "made-up", "import")
    listed = (checkout / "docs" / "reference" / "codes.md").read_text()
    assert listed == LIST.replace("import-of-goods |", "import-of-goods, made-up |")
    head = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- The finding code made-up: <to be written>.\n\n### Changed\n\n- Much.\n"
    assert changelog.read_text().startswith(head)
    assert tool().with_change(changelog.read_text(), "another").count("### Added") == 2

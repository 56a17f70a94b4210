"""The scaffold makes files that the doctor can load at once, and that the contracts refuse until they are written."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import xpu_doctor

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
    shutil.copytree(Path(xpu_doctor.__file__).parent, tmp_path / "xpu_doctor", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "fixtures" / "rules").mkdir(parents=True)
    (tmp_path / "docs" / "reference").mkdir(parents=True)
    (tmp_path / "docs" / "reference" / "codes.md").write_text(LIST)
    return tmp_path


def test_new_rule_is_loaded_and_judges(checkout: Path) -> None:
    """The new rule is one of RULES, its page and its cases are found, and nothing else in RULES was lost."""
    code = (
        "from xpu_doctor.rules import RULES; from xpu_doctor.pages import page;"
        "from xpu_doctor.rule import judge; from xpu_doctor.snapshot import Snapshot;"
        "print(len(RULES)); rule = [r for r in RULES if r.code == 'wheel-of-fortune'];"
        "print([r.__name__ for r in rule], [page(r).split()[1] for r in rule], judge([rule[0]()], Snapshot()).undecided[0].needs if rule else '')"
    )

    def state() -> list[str]:
        return subprocess.run(
            [sys.executable, "-c", code], cwd=checkout, env={"PYTHONPATH": str(checkout)}, capture_output=True, text=True, check=False
        ).stdout.splitlines()

    before = int(state()[0])
    made = tool().new_rule(checkout, "wheel-of-fortune", "wheel")
    after = state()
    assert int(after[0]) == before + 1 and after[1] == "['WheelOfFortune'] ['wheel-of-fortune'] torch.version"
    assert [path.name for path in made] == ["wheel_of_fortune.py", "wheel_of_fortune.md", "wheel-of-fortune.toml", "__init__.py"]
    assert "<to be written>" in made[1].read_text()


def test_entry_is_in_alphabetical_order_and_made_once(checkout: Path) -> None:
    """RULES stays sorted; a second run is refused."""
    made = tool().new_rule(checkout, "import-of-goods", "import", symptom=True)
    text = made[3].read_text()
    names = [line.strip(" ,") for line in text.partition("= (")[2].splitlines() if line.startswith("    ")]
    assert names == sorted(names) and "ImportOfGoods" in names
    assert "symptom = True" in made[0].read_text()
    with pytest.raises(ValueError, match="exists already"):
        tool().new_rule(checkout, "import-of-goods", "import")


@pytest.mark.parametrize(("code", "layer", "said"), [("wheel-of-fortune", "import", "it stands under wheel"), ("made-up", "wheel", "it is not listed")])
def test_only_listed_codes(checkout: Path, code: str, layer: str, said: str) -> None:
    """A name that is not in the reference is refused, and nothing is written."""
    with pytest.raises(ValueError, match=said):
        tool().new_rule(checkout, code, layer)
    assert not list((checkout / "fixtures" / "rules").iterdir())

"""What can be counted of the house, and that the counting sees what it is for."""

from __future__ import annotations

from pathlib import Path

import xpu_doctor
from tools.house_measures import circles, complexity, imports, measures, modules

PACKAGE = Path(xpu_doctor.__file__).parent


def test_the_house() -> None:
    """Few modules at the root, no circle (not even through an import inside a function), and a sentence for all that is public."""
    shown = measures(PACKAGE)
    assert int(shown["modules in the root"]) <= 6
    assert shown["import circles"] == "0"
    assert shown["docstrings, public"] == "100.0 %"


def test_a_circle_is_seen(tmp_path: Path) -> None:
    package = tmp_path / "house"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "one.py").write_text("def late() -> None:\n    from house import two\n", encoding="utf-8")
    (package / "two.py").write_text("from . import three\n", encoding="utf-8")
    (package / "three.py").write_text("from .one import late\n", encoding="utf-8")
    held = modules(package)
    assert circles(imports(held)) == [{"house.one", "house.two", "house.three"}]
    assert measures(package)["docstrings, public"] == "0.0 %"


def test_branches_are_counted(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(
        "def plain():\n    return 1\n\ndef branches(x):\n    if x and x > 1 or x < 0:\n        return [y for y in x if y]\n    return 1 if x else 2\n",
        encoding="utf-8",
    )
    found = {function.name: complexity(function) for function in modules(tmp_path)[f"{tmp_path.name}.one"].functions}
    assert found == {"plain": 1, "branches": 7}

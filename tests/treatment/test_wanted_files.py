"""Which files an install would fetch, read from pages and metadata alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fake_index import Wheel
from tests.treatment.conftest import SPECS
from tests.treatment.indexes import Indexes, serve
from xpu_doctor.model.facts import Python
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.treatment import wanted_files as module
from xpu_doctor.treatment.wanted_files import wanted_files

LINUX = Python(version="3.12.7", os="linux", architecture="x86_64", free_threaded=False)
WINDOWS = Python(version="3.10.1", os="windows", architecture="AMD64", free_threaded=False)
CIRCLE = (
    Wheel("aa", "1", requires=("bb==2", "only-windows ; sys_platform == 'win32'", "only-old ; python_version < '3.11'", "more ; extra == 'big'")),
    Wheel("bb", "2", requires=("aa", "Some_Thing>=1,<3 ; platform_machine == 'x86_64' or platform_machine == 'AMD64'")),
    Wheel("only-windows", "1"),
    Wheel("only-old", "1"),
    Wheel("more", "1"),
    Wheel("some-thing", "2.5"),
    Wheel("some-thing", "3.1"),
    Wheel("lost", "1", requires=("nowhere", "not a requirement at all !!")),
)  # fmt: skip


@pytest.fixture(scope="module")
def circle() -> Iterator[Indexes]:
    """An index whose packages require each other."""
    with serve(CIRCLE) as served:
        yield served


def versions(index: str, *specs: str, python: Python = LINUX) -> dict[str, str]:
    """Names and versions."""
    return {name: offer.version for name, offer in wanted_files(index, specs, python).offers.items()}


def test_torch(indexes: Indexes) -> None:
    """Whatever torch requires, with its version."""
    found = wanted_files(indexes["json"], SPECS, LINUX)
    assert set(found.offers) == {"torch", "torchvision", "torchaudio", "triton-xpu", "intel-sycl-rt"} and not found.gaps
    assert found.light and all(offer.size for offer in found.offers.values())


def test_markers_extras_and_circles(circle: Indexes) -> None:
    """Only what holds for this interpreter; a circle ends; the version is one that is allowed."""
    both = {"aa": "1", "bb": "2", "some-thing": "2.5"}
    assert versions(circle["metadata"], "aa") == both
    assert versions(circle["metadata"], "aa[big]") == both | {"more": "1"}
    assert versions(circle["metadata"], "aa", python=WINDOWS) == both | {"only-windows": "1", "only-old": "1"}


def test_gaps(indexes: Indexes, circle: Indexes) -> None:
    """What no page lists, and what does not say what it requires."""
    assert wanted_files(circle["metadata"], ["lost"], LINUX).gaps == ("nowhere",)
    plain = wanted_files(circle["plain"], ["aa"], LINUX)
    assert list(plain.offers) == ["aa"] and plain.gaps == ("aa",) and not plain.light
    half = wanted_files(indexes["half"], SPECS, LINUX)
    assert half.gaps == ("intel-sycl-rt",) and "intel-sycl-rt" in half.offers and not half.light
    for kind in ("denied", "rubbish", "login", "empty"):
        found = wanted_files(indexes[kind], ["torch"], LINUX)
        assert found.gaps == ("torch",) and not found.offers and not found.light


def test_an_endless_chain_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Metadata that always require one more package."""
    monkeypatch.setattr(
        module,
        "offers",
        lambda index, name, seconds: (module.Offer(f"{name}-1-py3-none-any.whl", f"http://h/{name}", 1, True),),
    )
    monkeypatch.setattr(
        module, "metadata_of", lambda offer, seconds: f"Requires-Dist: {offer.url.rpartition('/')[2]}x\n"
    )
    assert len(wanted_files("http://h", ["a"], LINUX).offers) <= module.MOST + 1


@given(st.one_of(st.text(max_size=200), st.text(max_size=60).map(lambda text: f"Requires-Dist: {text}\n")))
def test_no_metadata_break_it(text: str) -> None:
    """Whatever stands there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            module,
            "offers",
            lambda index, name, seconds: (
                Unknown("no") if name != "a" else (module.Offer("a-1-py3-none-any.whl", "http://h/a", 1, True),)
            ),
        )
        patch.setattr(module, "metadata_of", lambda offer, seconds: text)
        assert "a" in wanted_files("http://h", ["a"], LINUX).offers

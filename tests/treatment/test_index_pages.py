"""Pages of package indexes: both formats, and whatever else may answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from tests.treatment.indexes import BAD, Indexes
from xpu_doctor.model.facts import Python
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.treatment import index_pages
from xpu_doctor.treatment.index_pages import Offer, best, fits, length_of, offers

LINUX = Python(version="3.12.7", os="linux", architecture="x86_64", free_threaded=False)
WINDOWS = Python(version="3.12.7", os="windows", architecture="AMD64", free_threaded=False)
THREADED = Python(version="3.13.1", os="linux", architecture="x86_64", free_threaded=True)
ANY = SpecifierSet()


@pytest.mark.parametrize("kind", ["plain", "metadata", "json"])
def test_all_formats_say_the_same(indexes: Indexes, kind: str) -> None:
    """The files, whether their metadata stands apart, and the size in JSON alone."""
    found = offers(indexes[kind], "torch")
    assert not isinstance(found, Unknown)
    assert {offer.file for offer in found} == {name for name in indexes.files if name.startswith("torch-")}
    assert all(offer.metadata is (kind != "plain") for offer in found)
    for offer in found:
        assert offer.size == (len(indexes.files[offer.file]) if kind == "json" else None)
        assert length_of(offer.url) == len(indexes.files[offer.file])


def test_names_are_normalised(indexes: Indexes) -> None:
    """As PEP 503 asks."""
    assert offers(indexes["json"], "Intel_SYCL.rt") == offers(indexes["json"], "intel-sycl-rt") != ()


@pytest.mark.parametrize("kind", [*BAD, "down"])
def test_what_is_no_page(indexes: Indexes, kind: str) -> None:
    """Unknown with the address and the reason; a page of something else lists nothing."""
    index = "http://127.0.0.1:1/simple" if kind == "down" else indexes[kind]
    found = offers(index, "torch")
    if kind == "login":
        assert found == ()
    else:
        assert (
            isinstance(found, Unknown)
            and found.reason.startswith(f"{index}/torch/: ")
            and len(found.reason) > len(index) + 12
        )


@pytest.mark.parametrize(
    "index",
    [
        "file:///etc",
        "ftp://host/x",
        "/simple",
        "",
        "http://",
        "http://[::1",
        "https://kim:secret@host/simple",
        "http://host:port",
    ],
)
def test_other_addresses_are_not_asked(index: str) -> None:
    """Only http and https, and no credentials, which are never repeated."""
    found = offers(index, "torch")
    assert isinstance(found, Unknown) and "secret" not in found.reason


def test_sizes_of_files_on_this_machine(tmp_path: Path) -> None:
    """Wheels that were brought along."""
    file = tmp_path / "my torch+xpu.whl"
    file.write_bytes(b"x" * 321)
    assert length_of(file.as_uri()) == 321
    assert isinstance(length_of((tmp_path / "none.whl").as_uri()), Unknown)
    assert isinstance(length_of("file://\x00"), Unknown)


def test_a_server_without_length(indexes: Indexes) -> None:
    """Nothing is guessed."""
    found = length_of(f"{indexes.url}/unsized/files/torch-2.14.0+xpu-py3-none-any.whl")
    assert isinstance(found, Unknown) and "no size" in found.reason


@pytest.mark.parametrize(
    ("tag", "right"),
    [
        ("cp312-cp312-linux_x86_64", (LINUX,)),
        ("cp312-cp312-manylinux_2_28_x86_64", (LINUX,)),
        ("cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64", (LINUX,)),
        ("cp312-cp312-win_amd64", (WINDOWS,)),
        ("cp312-cp312-manylinux_2_28_aarch64", ()),
        ("cp311-cp311-linux_x86_64", ()),
        ("cp313-cp313-linux_x86_64", ()),
        ("cp313-cp313t-linux_x86_64", (THREADED,)),
        ("py3-none-any", (LINUX, WINDOWS, THREADED)),
        ("py2.py3-none-manylinux1_x86_64", (LINUX, THREADED)),
        ("cp39-abi3-win_amd64", (WINDOWS,)),
        ("cp313-abi3-linux_x86_64", ()),
        ("cp312-cp312-musllinux_1_2_x86_64", ()),
        ("py312-none-any", (LINUX, WINDOWS, THREADED)),
        ("py313-none-any", (THREADED,)),
        ("cp312-none-win_amd64", (WINDOWS,)),
        ("py3-none-macosx_11_0_arm64", ()),
        ("pp310-pypy310_pp73-linux_x86_64", ()),
    ],
)
def test_which_wheel_fits(tag: str, right: tuple[Python, ...]) -> None:
    """Python, ABI, system and machine."""
    file = f"torch-2.14.0+xpu-{tag}.whl"
    for python in (LINUX, WINDOWS, THREADED):
        assert (fits(file, SpecifierSet("==2.14.0+xpu"), python) is not None) is (python in right), python
        assert fits(file, SpecifierSet("==2.13.0"), python) is None


def test_the_best_wheel() -> None:
    """The newest that is wanted; the largest of several builds of it."""
    rows = [
        ("torch-2.14.0+xpu-py3-none-any.whl", 5),
        ("torch-2.14.0+xpu-cp312-cp312-linux_x86_64.whl", 9),
        ("torch-2.13.0+xpu-py3-none-any.whl", 99),
    ]
    found = tuple(Offer(file, file, size) for file, size in (*rows, ("torch-2.99.0.tar.gz", 999)))
    chosen = best(found, ANY, LINUX)
    assert chosen is not None and chosen.size == 9 and chosen.version == "2.14.0+xpu"
    chosen = best(found, SpecifierSet("==2.13.0"), LINUX)
    assert chosen is not None and chosen.size == 99 and best(found, SpecifierSet("==3"), LINUX) is None


@given(st.text(max_size=200))
def test_no_name_of_a_file_breaks_it(name: str) -> None:
    """Whatever a page lists."""
    assert fits(name, ANY, LINUX) is None or name.endswith(".whl")
    assert Offer(name, "").version is not None


@given(
    st.one_of(
        st.text(max_size=300),
        st.binary(max_size=300).map(lambda data: data.decode("latin-1")),
        st.from_regex(r"<a href=[^>]{0,40}>"),
    )
)
def test_no_page_breaks_it(text: str) -> None:
    """HTML of any kind lists links or nothing."""
    with_fixed_answer("text/html", text.encode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["files", "filename", "url", "size", "core-metadata"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
def test_no_json_breaks_it(value: object) -> None:
    """JSON of any shape."""
    with_fixed_answer("application/vnd.pypi.simple.v1+json", json.dumps(value).encode())


def with_fixed_answer(kind: str, body: bytes) -> None:
    """Read a page that answers so."""
    with pytest.MonkeyPatch.context() as patch:
        answer: Callable[..., object] = lambda *rest: ("http://host/simple/torch/", kind, body)  # noqa: E731
        patch.setattr(index_pages, "_ask", answer)
        found = offers("http://host/simple", "torch")
    assert isinstance(found, Unknown) or all(
        isinstance(offer.file, str) and offer.url.startswith(("http", "")) for offer in found
    )


def test_a_python_of_musl() -> None:
    """It takes wheels for musl, and none for glibc; a plain `linux` tag is glibc's by custom."""
    alpine = replace(LINUX, libc="musl 1.2.5")
    assert fits("a-1-cp312-cp312-musllinux_1_2_x86_64.whl", ANY, alpine) is not None
    assert fits("a-1-cp312-cp312-manylinux_2_28_x86_64.whl", ANY, alpine) is None
    assert fits("a-1-py3-none-any.whl", ANY, alpine) is not None

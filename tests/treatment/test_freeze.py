"""What is installed, as an interpreter sees it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from tests.support.environments import StubEnvironment, make_environment
from tests.support.fake_index import package, serve
from xpu_doctor.treatment.errors import TreatmentError
from xpu_doctor.treatment.freeze import Frozen, changed, freeze

DIRECT = {
    "archive": ({"url": "https://example.org/a.whl", "archive_info": {"hash": "sha256=aa", "hashes": {"sha256": "aa"}}}, "https://example.org/a.whl sha256=aa"),
    "vcs": ({"url": "https://example.org/a", "vcs_info": {"vcs": "git", "commit_id": "abc"}}, "git https://example.org/a abc"),
    "editable": ({"url": "file:///home/a", "dir_info": {"editable": True}}, "file:///home/a editable"),
    "folder": ({"url": "file:///home/a", "dir_info": {}}, "file:///home/a"),
}  # fmt: skip


def of(stub: StubEnvironment) -> tuple[Frozen, ...]:
    return freeze(str(stub.python), os.environ)


def test_name_version_record_and_installer(stub: StubEnvironment) -> None:
    info = stub.add("Torch_Vision.x", "1.0+xpu", {"a.py": ""}, installer="uv")
    (only,) = of(stub)
    assert (only.name, only.version, only.source, only.installer) == ("torch-vision-x", "1.0+xpu", "", "uv")
    (info / "RECORD").write_text("other\n")
    (other,) = of(stub)
    assert other.record != only.record and len(only.record) == 64
    assert changed((only,), (other,)) == ((only, other),)
    assert changed((only,), (only,)) == ()


@pytest.mark.parametrize("kind", DIRECT)
def test_where_it_came_from(stub: StubEnvironment, kind: str) -> None:
    said, words = DIRECT[kind]
    (stub.add("a", "1", {}) / "direct_url.json").write_text(json.dumps(said))
    assert [item.source for item in of(stub)] == [words]


@pytest.mark.parametrize("text", ["{", "[]", '{"vcs_info": 5}', "null", '{"url": {"a": 1}}'])
def test_a_damaged_source_is_no_failure(stub: StubEnvironment, text: str) -> None:
    (stub.add("a", "1", {}) / "direct_url.json").write_text(text)
    assert [item.name for item in of(stub)] == ["a"]


def test_half_an_installation_is_seen(stub: StubEnvironment) -> None:
    """Two copies, a dist-info without METADATA or RECORD, and what pip leaves behind when it is killed."""
    stub.add("torch", "1", {})
    (stub.add("torch", "2", {}) / "RECORD").unlink()
    (stub.site / "half-3.dist-info").mkdir()
    (stub.site / "~orch-1.dist-info").mkdir()
    (stub.site / "old.egg-info").write_text("Metadata-Version: 1.0\nName: Old\nVersion: 4\n\nName: no field\n")
    found = [(item.name, item.version, bool(item.record)) for item in of(stub)]
    assert found == [
        ("half", "3", False),
        ("old", "4", False),
        ("torch", "1", True),
        ("torch", "2", False),
        ("~orch", "1", False),
    ]


@pytest.mark.skipif(os.name == "nt", reason="names of POSIX")
def test_a_name_that_is_no_utf_8(stub: StubEnvironment) -> None:
    os.mkdir(os.path.join(os.fsencode(stub.site), b"\xff-1.dist-info"))
    assert len(of(stub)) == 1


def test_more_packages_than_an_output_usually_holds(stub: StubEnvironment) -> None:
    for number in range(1500):
        info = stub.site / f"package{number}-1.dist-info"
        info.mkdir()
        (info / "RECORD").write_text(str(number))
        (info / "direct_url.json").write_text(json.dumps({"url": "file:///" + "x" * 100}))
    assert len(of(stub)) == 1500


def test_packages_of_others_do_not_count(tmp_path: Path) -> None:
    """Those of the base interpreter, of the user and of PYTHONPATH: undo changes none of them."""
    folder = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--system-site-packages", str(folder)], check=True)
    (tmp_path / "path" / "b-1.dist-info").mkdir(parents=True)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    assert freeze(str(python), {**os.environ, "PYTHONPATH": str(tmp_path / "path")}) == ()


def test_start_up_code_that_prints_does_not_disturb(stub: StubEnvironment) -> None:
    stub.add("a", "1", {"noise.pth": "import sys; sys.stdout.write('hello'); sys.stderr.write('[]')\n"})
    assert [item.name for item in of(stub)] == ["a"]


def test_an_interpreter_that_does_not_answer_is_one_line(stub: StubEnvironment) -> None:
    (stub.site / "sitecustomize.py").write_text(
        "import os, sys\nsys.stderr.write('bad\\x1b[1m thing\\n')\nsys.stderr.flush()\nos._exit(3)\n"
    )
    with pytest.raises(
        TreatmentError, match=r"does not say what is installed in it: it ended with code 3: bad\\x1b\[1m thing"
    ) as caught:
        of(stub)
    assert "\n" not in str(caught.value)
    with pytest.raises(TreatmentError, match="cannot be started: No such file or directory"):
        freeze(str(stub.folder / "gone"), os.environ)


def test_it_agrees_with_importlib_metadata(tmp_path: Path) -> None:
    """For the environment of this suite, in which real installers have worked."""
    own = Path(os.path.realpath(sys.prefix))
    seen = {
        (dist.metadata["Name"].lower().replace("_", "-").replace(".", "-"), dist.version)
        for dist in metadata.distributions()
        if Path(os.path.realpath(str(dist.locate_file("")))).is_relative_to(own)
    }
    assert {(item.name, item.version) for item in freeze(sys.executable, os.environ)} == seen


def test_a_real_installation(tmp_path: Path) -> None:
    env = make_environment(tmp_path / "env")
    with serve(tmp_path / "index", {"cpu": [package("one-two", "1.0")]}) as urls:
        file = tmp_path / "index" / "files" / "cpu" / "one_two-1.0-py3-none-any.whl"
        argv = [
            sys.executable,
            "-m",
            "pip",
            "--python",
            str(env.python),
            "install",
            "--isolated",
            "--no-index",
            str(file),
        ]
        assert urls
        subprocess.run(argv, check=True, capture_output=True)
    (only,) = of(env)
    assert (only.name, only.version, only.installer) == ("one-two", "1.0", "pip")
    assert only.source.startswith(file.as_uri()) and "sha256=" in only.source

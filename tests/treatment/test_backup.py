"""The way back: what is kept and how, and what is said where that cannot be."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.trees import changes, pictured, place_in, quiet
from xpu_doctor.treatment import backup as backup_module
from xpu_doctor.treatment.backup import SMALL, Backup, discard, opened, take
from xpu_doctor.treatment.comparison import Change, differences
from xpu_doctor.treatment.errors import TreatmentError
from xpu_doctor.treatment.place import KEPT, Place
from xpu_doctor.treatment.restoration import restore
from xpu_doctor.treatment.scope import Scope, scope_of
from xpu_doctor.treatment.tree import PART

NOBODY = 65534
posix_only = pytest.mark.skipif(os.name == "nt", reason="permissions and links of POSIX")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return place_in(tmp_path / "env")


def kept(place: Place) -> Backup:
    return take(place, place.kept / "one", quiet)


def large(place: Place, name: str = "libtorch.so") -> Path:
    path = place.sites[0] / name
    path.write_bytes(os.urandom(SMALL + 1))
    return path


def test_a_large_file_gets_a_second_name_and_a_small_one_is_copied(place: Place) -> None:
    (place.sites[0] / "small.py").write_text("one = 1\n")
    big, record = large(place), place.sites[0] / "torch-1.dist-info" / "RECORD"
    record.parent.mkdir()
    record.write_bytes(b"x" * (SMALL + 1))
    kept(place)
    assert (os.stat(big).st_nlink, os.stat(record).st_nlink) == (2, 1)


def test_what_tools_write_in_place_comes_back(place: Place) -> None:
    small, record = place.sites[0] / "easy-install.pth", place.sites[0] / "torch-1.dist-info" / "RECORD"
    record.parent.mkdir()
    record.write_bytes(b"x" * (SMALL + 1))
    small.write_text("one\n")
    before = pictured(place.prefix)
    backup = kept(place)
    for path in (small, record):
        with open(path, "r+b") as file:
            file.write(b"y")
    assert {item.change for item in differences(backup)} == {Change.CONTENT}
    assert restore(backup, quiet) == ()
    assert changes(before, pictured(place.prefix)) == {}


def test_a_file_with_the_same_size_and_time_is_compared_by_content(place: Place) -> None:
    small = place.sites[0] / "a.py"
    small.write_text("one = 1\n")
    backup = kept(place)
    time = os.stat(small).st_mtime_ns
    small.write_text("one = 2\n")
    os.utime(small, ns=(time, time))
    assert [(item.path, item.change) for item in differences(backup)] == [
        ("lib/python3.12/site-packages/a.py", Change.CONTENT)
    ]
    assert restore(backup, quiet) == ()
    assert small.read_text() == "one = 1\n"


def test_another_time_alone_is_a_difference(place: Place) -> None:
    """Python compares it with the time in the compiled file."""
    small = place.sites[0] / "a.py"
    small.write_text("one = 1\n")
    before = pictured(place.prefix)
    backup = kept(place)
    os.utime(small, (5, 5))
    assert [item.change for item in differences(backup)] == [Change.TIME]
    assert restore(backup, quiet) == ()
    assert changes(before, pictured(place.prefix)) == {}


@posix_only
def test_a_link_that_leads_elsewhere_comes_back(place: Place) -> None:
    link = place.prefix / "bin" / "python"
    link.symlink_to("/usr/bin/python3")
    before = pictured(place.prefix)
    backup = kept(place)
    link.unlink()
    link.symlink_to("/usr/bin/python4")
    assert [(item.path, item.change) for item in differences(backup)] == [("bin/python", Change.CONTENT)]
    assert restore(backup, quiet) == ()
    assert changes(before, pictured(place.prefix)) == {}


def test_what_a_killed_doctor_was_writing_is_no_part_of_a_tree(place: Place) -> None:
    small, part = place.sites[0] / "a.py", place.sites[0] / PART
    small.write_text("one = 1\n")
    part.write_text("half a fi")
    backup = kept(place)
    assert not any(entry.key.endswith(PART) for entry in backup.entries)
    small.unlink()
    assert restore(backup, quiet) == ()
    assert not part.exists()


def test_a_large_file_that_was_written_in_place_is_named_and_the_rest_comes_back(place: Place) -> None:
    big, other = large(place), large(place, "other.so")
    backup = kept(place)
    with open(big, "r+b") as file:
        file.write(b"xxxx")
    other.unlink()
    left = restore(backup, quiet)
    assert [(item.path.rpartition("/")[2], item.change) for item in left] == [("libtorch.so", Change.LOST)]
    assert other.exists()


def test_without_hard_links_large_files_are_copied(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*names: object) -> None:
        raise OSError(95, "Operation not supported")

    big = large(place)
    before = pictured(place.prefix)
    monkeypatch.setattr(os, "link", refuse)
    backup = kept(place)
    assert os.stat(big).st_nlink == 1
    assert differences(backup) == ()
    with open(big, "r+b") as file:
        file.write(b"xxxx")
    assert restore(backup, quiet) == ()
    assert changes(before, pictured(place.prefix)) == {}


def test_a_large_file_that_was_replaced_by_the_same_is_no_other_content(place: Place) -> None:
    big = large(place)
    backup = kept(place)
    time = os.stat(big).st_mtime_ns
    content = big.read_bytes()
    big.unlink()
    big.write_bytes(content)
    os.utime(big, ns=(time, time))
    assert differences(backup) == ()


def test_what_the_way_back_is_about(place: Place, tmp_path: Path) -> None:
    """A virtual environment may be made in a project's own folder: what is not the environment's stays as it is."""
    for name in ("include", "share", "models", "src", ".git"):
        (place.prefix / name).mkdir()
        (place.prefix / name / "file").write_text("one")
    (place.prefix / "pyvenv.cfg").write_text("home = /usr/bin\n")
    backup = kept(place)
    assert {entry.key for entry in backup.entries if "/" not in entry.key} == {
        "bin",
        "include",
        "lib",
        "pyvenv.cfg",
        "share",
    }
    (place.prefix / "models" / "file").write_text("two")
    (place.prefix / "models" / "new").write_text("new")
    (place.prefix / "etc").mkdir()
    assert [(item.path, item.change) for item in differences(backup)] == [("etc", Change.ADDED)]
    assert restore(backup, quiet) == ()
    assert (place.prefix / "models" / "file").read_text() == "two" and not (place.prefix / "etc").exists()


def test_a_conda_environment_is_kept_whole_but_for_other_environments_and_the_cache(place: Place) -> None:
    for name in ("conda-meta", "envs", "pkgs", "ssl"):
        (place.prefix / name).mkdir()
        (place.prefix / name / "file").write_text("one")
    tops = {entry.key for entry in kept(place).entries if "/" not in entry.key}
    assert tops == {"bin", "lib", "conda-meta", "ssl"}


def test_packages_beside_the_interpreter(tmp_path: Path) -> None:
    """As in Windows' embeddable Python."""
    prefix = tmp_path / "python_embeded"
    (prefix / "torch").mkdir(parents=True)
    (prefix / "torch" / "__init__.py").write_text("one")
    place = Place(prefix / "python.exe", prefix, (prefix,), prefix / "Scripts")
    backup = kept(place)
    shutil.rmtree(prefix / "torch")
    (prefix / "new.py").write_text("new")
    assert restore(backup, quiet) == ()
    assert sorted(path.name for path in prefix.iterdir()) == [KEPT, "torch"]


def test_the_data_of_wheels_comes_back_wherever_it_lies_in_the_prefix(place: Place) -> None:
    info = place.sites[0] / "one-1.dist-info"
    info.mkdir()
    outside = place.prefix.parent / "outside"
    outside.write_text("not of the environment")
    (place.prefix / "opt" / "one").mkdir(parents=True)
    (place.prefix / "opt" / "one" / "a, b.dll").write_text("data")
    (place.prefix / "opt" / "mine").write_text("mine")
    (info / "RECORD").write_text('"../../../opt/one/a, b.dll",,\n../../../../outside,,\n../../../opt/gone,,\n')
    assert scope_of(place).further == ("opt/one/a, b.dll", "opt/gone")
    backup = kept(place)
    shutil.rmtree(place.prefix / "opt")
    assert [item.path for item in differences(backup)] == ["opt/one/a, b.dll"]
    assert restore(backup, quiet) == ()
    assert (place.prefix / "opt" / "one" / "a, b.dll").read_text() == "data"
    assert not (place.prefix / "opt" / "mine").exists()


def test_a_projects_own_files_come_back_and_new_ones_go(tmp_path: Path) -> None:
    project = tmp_path / "project"
    plain = place_in(project / ".venv")
    files = (project / "pyproject.toml", project / "uv.lock")
    place = Place(plain.python, plain.prefix, plain.sites, plain.scripts, files)
    files[0].write_text("[project]\n")
    backup = kept(place)
    files[0].write_text("[project]\nname = 'x'\n")
    files[1].write_text("version = 1\n")
    (project / "main.py").write_text("print()\n")
    assert restore(opened(backup.folder), quiet) == ()
    assert files[0].read_text() == "[project]\n"
    assert sorted(path.name for path in project.iterdir()) == [".venv", "main.py", "pyproject.toml"]


@posix_only
def test_nothing_is_written_through_a_link_that_stands_in_a_folders_place(place: Place, tmp_path: Path) -> None:
    package = place.sites[0] / "package"
    package.mkdir()
    (package / "a.py").write_text("one = 1\n")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.py").write_text("mine\n")
    backup = kept(place)
    shutil.rmtree(package)
    package.symlink_to(outside)
    assert restore(backup, quiet) == ()
    assert (outside / "a.py").read_text() == "mine\n" and (package / "a.py").read_text() == "one = 1\n"
    assert not package.is_symlink()


@posix_only
def test_where_that_link_cannot_be_removed_nothing_is_written_behind_it(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = place.sites[0] / "package"
    (package / "deep").mkdir(parents=True)
    (package / "deep" / "a.py").write_text("one = 1\n")
    outside = tmp_path / "outside"
    (outside / "deep").mkdir(parents=True)
    backup = kept(place)
    shutil.rmtree(package)
    package.symlink_to(outside)
    unlink = os.unlink

    def stuck(path: str) -> None:
        if path.endswith("package"):
            raise OSError(16, "Device or resource busy")
        unlink(path)

    monkeypatch.setattr(os, "unlink", stuck)
    left = restore(backup, quiet)
    assert {item.path.rpartition("site-packages/")[2]: item.reason for item in left} == {
        "package": "Device or resource busy",
        "package/deep": "its folder could not be made",
        "package/deep/a.py": "its folder could not be made",
    }
    assert list((outside / "deep").iterdir()) == []


@posix_only
def test_sockets_and_pipes_are_let_alone(place: Place) -> None:
    os.mkfifo(place.sites[0] / "pipe")
    backup = kept(place)
    os.mkfifo(place.prefix / "bin" / "pipe")
    assert restore(backup, quiet) == ()
    assert (place.prefix / "bin" / "pipe").exists()


@contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """Be a user without rights, to whom a folder belongs; where this is none of root's, it is one already."""
    if os.geteuid() != 0:
        yield
        return
    if not hasattr(os, "setresuid"):
        pytest.skip("this system cannot give rights away for a while")
    for path in [
        *(
            parent
            for parent in folder.parents
            if os.stat(parent).st_uid == 0 and parent.name.startswith(("pytest-", "test_", "popen-"))
        )
    ]:
        path.chmod(0o755)
    for top, _, names in os.walk(folder):
        for path in (top, *(os.path.join(top, name) for name in names)):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    os.setresgid(NOBODY, NOBODY, 0)
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)


@posix_only
def test_folders_that_may_not_be_written_or_searched(place: Place) -> None:
    package = place.sites[0] / "package"
    (package / "deep").mkdir(parents=True)
    (package / "deep" / "a.py").write_text("one = 1\n")
    (package / "deep").chmod(0o555)
    package.chmod(0o555)
    before = pictured(place.prefix)
    with as_nobody(place.prefix):
        backup = kept(place)
        for mode in (0o000, 0o600, 0o311):
            package.chmod(0o755)
            (package / "deep").chmod(0o755)
            (package / "deep" / "a.py").unlink()
            (package / "new").mkdir(exist_ok=True)
            (package / "new" / "file").write_text("new")
            for folder in (package / "new", package / "deep", package):
                folder.chmod(mode)
            assert differences(backup) != ()
            assert restore(backup, quiet) == ()
            assert changes(before, pictured(place.prefix)) == {}


@posix_only
def test_an_unreadable_file_is_named_and_nothing_stays(place: Place) -> None:
    secret = place.sites[0] / "secret.py"
    secret.write_text("one = 1\n")
    secret.chmod(0)
    with as_nobody(place.prefix):
        if os.access(secret, os.R_OK):
            pytest.skip("this user may read all files")
        with pytest.raises(TreatmentError, match=r"secret\.py: Permission denied; nothing was changed") as caught:
            kept(place)
    assert "\n" not in str(caught.value)
    assert not place.kept.exists()


@pytest.mark.skipif(
    os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away"
)
def test_root_gives_files_back_to_their_owner(place: Place) -> None:
    small, big = place.sites[0] / "a.py", large(place)
    small.write_text("one = 1\n")
    for path in (small, big):
        os.chown(path, 1234, 2345)
    backup = kept(place)
    small.write_text("two = 2\n")
    os.chown(small, 0, 0)
    big.unlink()
    os.chown(place.sites[0], 1, 1)
    assert restore(backup, quiet) == ()
    assert [(os.stat(path).st_uid, os.stat(path).st_gid) for path in (small, big, place.sites[0])] == [
        (1234, 2345),
        (1234, 2345),
        (0, 0),
    ]


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if os.name == "nt" or mount is None or os.geteuid() != 0:
        pytest.skip("only root mounts a small file system")
    if subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True, check=False
    ).returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def filled(folder: Path) -> Path:
    """Fill a disk to its last byte."""
    path = folder / "filler"
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return path


def test_a_disk_that_is_too_small_is_found_before_it_is_filled(tiny_disk: Path) -> None:
    place = place_in(tiny_disk / "env")
    for number in range(3):
        (place.sites[0] / f"a{number}.py").write_bytes(b"#" * 500_000)
    before = pictured(place.prefix)
    with pytest.raises(
        TreatmentError, match=r"the way back needs 2 MB in .*, and .* are free: make room there first; nothing"
    ):
        kept(place)
    assert changes(before, pictured(place.prefix)) == {} and not place.kept.exists()


def test_a_disk_that_fills_up_meanwhile(tiny_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = place_in(tiny_disk / "env")
    for number in range(3):
        (place.sites[0] / f"a{number}.py").write_bytes(b"#" * 500_000)
    monkeypatch.setattr(backup_module, "_check_space", lambda prefix, needed: None)
    with pytest.raises(
        TreatmentError, match=r"no way back could be made: .*No space left on device; nothing was changed"
    ):
        kept(place)
    assert not place.kept.exists()
    assert shutil.disk_usage(tiny_disk).free > 400_000


def test_a_full_disk_when_it_goes_back(tiny_disk: Path) -> None:
    place = place_in(tiny_disk / "env")
    for name in ("a.py", "b.py"):
        (place.sites[0] / name).write_bytes(os.urandom(200_000))
    big = large(place)
    before = pictured(place.prefix)
    backup = kept(place)
    (place.sites[0] / "a.py").unlink()
    (place.sites[0] / "b.py").write_text("changed")
    big.unlink()
    filler = filled(tiny_disk)
    left = restore(backup, quiet)
    assert {(item.path.rpartition("/")[2], item.change, item.reason) for item in left} == {
        ("a.py", Change.MISSING, "No space left on device"),
        ("b.py", Change.CONTENT, "No space left on device"),
    }
    filler.unlink()
    assert restore(backup, quiet) == ()
    assert changes(before, pictured(place.prefix)) == {}


def test_what_was_added_makes_room_for_what_comes_back(tiny_disk: Path) -> None:
    place = place_in(tiny_disk / "env")
    (place.sites[0] / "a.py").write_bytes(os.urandom(200_000))
    before = pictured(place.prefix)
    backup = kept(place)
    (place.sites[0] / "a.py").unlink()
    filled(place.sites[0])
    assert restore(backup, quiet) == ()
    assert changes(before, pictured(place.prefix)) == {}


@pytest.mark.parametrize("stuck", ["read-only", "in use"])
def test_a_file_that_cannot_be_replaced_is_moved_aside(
    place: Place, monkeypatch: pytest.MonkeyPatch, stuck: str
) -> None:
    """Windows deletes and replaces no file that a program has loaded, but renames it."""
    library, added = place.sites[0] / "c10.dll", place.sites[0] / "new.dll"
    library.write_text("old")
    backup = kept(place)
    library.write_text("new")
    added.write_text("new")
    held = {str(library), str(added)}
    replace, unlink, chmod = os.replace, os.unlink, os.chmod

    def stuck_replace(source: str, target: str) -> None:
        if target in held and os.path.lexists(target):
            raise PermissionError(13, "Access is denied")
        replace(source, target)

    def stuck_unlink(path: str) -> None:
        if path in held:
            raise PermissionError(13, "Access is denied")
        unlink(path)

    def released(path: str, mode: int) -> None:
        if stuck == "read-only":
            held.discard(path)
        chmod(path, mode)

    monkeypatch.setattr(os, "replace", stuck_replace)
    monkeypatch.setattr(os, "unlink", stuck_unlink)
    monkeypatch.setattr(os, "chmod", released)
    assert restore(backup, quiet) == ()
    assert library.read_text() == "old" and not added.exists()


def test_a_second_one_in_the_same_folder_is_refused_and_a_broken_one_replaced(place: Place) -> None:
    backup = kept(place)
    with pytest.raises(TreatmentError, match="holds a way back already"):
        kept(place)
    (backup.folder / "manifest.jsonl").unlink()
    assert kept(place) == backup
    discard(backup.folder)
    assert not place.kept.exists()


def test_two_ways_back_do_not_keep_each_other(place: Place) -> None:
    (place.sites[0] / "a.py").write_text("one = 1\n")
    first = kept(place)
    second = take(place, place.kept / "two", quiet)
    assert first.entries == second.entries
    assert not any(KEPT in entry.key for entry in second.entries)


@pytest.mark.parametrize(
    "entry",
    [
        {"key": "../../outside", "kind": "file"},
        {"key": "lib/../../outside", "kind": "file"},
        {"key": "/etc/outside", "kind": "file"},
        {"key": "models/file", "kind": "file"},
        {"key": "lib/gone/file", "kind": "file"},
        {"key": f"{KEPT}/one/packed", "kind": "file"},
        {"key": "lib/a\0b", "kind": "file"},
        {"key": "", "kind": "folder"},
        {"key": 5, "kind": "file"},
        ["lib"],
    ],
)
def test_a_list_that_leads_outside_is_refused(place: Place, entry: object) -> None:
    backup = kept(place)
    listed = backup.folder / "manifest.jsonl"
    lines = listed.read_text().splitlines()
    lines[-1:] = [json.dumps(entry), json.dumps({"end": len(backup.entries) + 1})]
    listed.write_text("\n".join(lines) + "\n")
    with pytest.raises(TreatmentError, match=r"the list of the way back in .* is damaged"):
        opened(backup.folder)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[" * 100_000, b'{"end": 0}\n', b"null\nnull\n"])
def test_a_damaged_list_is_refused(place: Place, content: bytes) -> None:
    backup = kept(place)
    (backup.folder / "manifest.jsonl").write_bytes(content)
    with pytest.raises(TreatmentError, match="is damaged"):
        opened(backup.folder)


def test_a_list_that_somebody_has_changed_is_not_trusted(place: Place) -> None:
    (place.sites[0] / "a.py").write_text("one = 1\n")
    backup = kept(place)
    listed = backup.folder / "manifest.jsonl"
    listed.write_text(listed.read_text().replace("a.py", "b.py"))
    with pytest.raises(TreatmentError, match="cannot be trusted"):
        opened(backup.folder, backup.seal)
    assert opened(backup.folder).seal != backup.seal


def test_content_that_was_damaged_is_not_put_back(place: Place) -> None:
    (place.sites[0] / "a.py").write_text("one = 1\n")
    backup = kept(place)
    with open(backup.folder / "packed", "r+b") as file:
        file.write(b"XXX")
    (place.sites[0] / "a.py").unlink()
    left = restore(backup, quiet)
    assert [(item.change, item.reason) for item in left] == [(Change.MISSING, "what was kept of it is damaged")]
    assert list(place.sites[0].iterdir()) == []


def test_an_environment_that_was_moved_is_said_so(place: Place, tmp_path: Path) -> None:
    backup = kept(place)
    place.prefix.rename(tmp_path / "moved")
    with pytest.raises(TreatmentError, match="is gone: its way back leads to that folder alone"):
        opened(tmp_path / "moved" / KEPT / backup.folder.name)


def test_the_prefix_itself_and_its_ways_back_are_never_in_scope(tmp_path: Path) -> None:
    scope = Scope(str(tmp_path), None)
    assert not scope.allows("") and not scope.allows(KEPT) and not scope.allows("envs/a")
    assert scope.allows("ssl/cert.pem")

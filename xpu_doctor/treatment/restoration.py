"""Puts an environment back as it was, file by file.

Each step may be done twice, and each file is written beside its place and then renamed: wherever this is ended, the next call goes on.
"""

from __future__ import annotations

import os
import shutil
import stat
import uuid
from collections.abc import Callable
from dataclasses import replace

from xpu_doctor.treatment.backup import Backup
from xpu_doctor.treatment.comparison import Change, Difference, differences, folders, is_lost, may_give_away
from xpu_doctor.treatment.errors import reason_of
from xpu_doctor.treatment.scope import extended
from xpu_doctor.treatment.tree import FOLDER, LINK, PART, Entry, Tell, copied, same_mode, walk

ASIDE = "aside"
"""The folder, in that of the way back, of files that a program holds open: Windows renames such a file, but does not delete it."""
OUTSIDE_ALONE = frozenset({Change.TIME, Change.MODE, Change.OWNER})
"""Changes that leave the content as it was."""


def restore(backup: Backup, tell: Tell) -> tuple[Difference, ...]:
    """Put back what was kept and remove what was added; return what is not as it was after that, with the reason: nothing, as a rule."""
    work = _Restoration(backup)
    work.open_up()
    changed = differences(backup)
    # What was added goes first: it is what fills the disk.
    steps = [item for item in reversed(changed) if item.kept is None] + [item for item in changed if item.kept]
    for number, item in enumerate(steps):
        if number % 64 == 0:
            tell(number, len(steps))
        work.repair(item)
    work.close_folders()
    tell(len(steps), len(steps))
    return tuple(replace(item, reason=work.reasons.get(item.path, item.reason)) for item in differences(backup))


class _Restoration:
    """One attempt to go back."""

    def __init__(self, backup: Backup) -> None:
        self.backup = backup
        self.reasons: dict[str, str] = {}
        self._blocked: set[str] = set()
        """Folders that could not be made: nothing may be written through what stands in their place."""

    def open_up(self) -> None:
        """Give the owner access to each folder that cannot be searched; their permissions of before are set at the end."""
        tried: set[str] = set()
        while True:
            shut: dict[str, OSError] = {}
            for _ in walk(self.backup.scope, shut.__setitem__):
                pass
            places = {place for key in shut for place in (key, key.rpartition("/")[0]) if place} - tried
            if not places:
                return
            tried |= places
            for key in sorted(places):
                _make_accessible(self.backup.scope.located(key))

    def repair(self, item: Difference) -> None:
        """Make one difference good, or note why that cannot be."""
        key = item.path
        try:
            if key.rpartition("/")[0] in self._blocked:
                raise OSError(0, "its folder could not be made")
            path = self.backup.scope.located(key)
            if item.change not in OUTSIDE_ALONE:
                _make_accessible(os.path.dirname(path))
            if item.kept is None:
                self._remove(path)
            elif item.change in OUTSIDE_ALONE:
                _dress(path, item.kept)
            else:
                self._put(path, item.kept)
        except OSError as error:
            self.reasons[key] = reason_of(error)
            if item.kept is not None and item.kept.kind == FOLDER and item.change not in OUTSIDE_ALONE:
                self._blocked.add(key)

    def close_folders(self) -> None:
        """Set permissions and times of all folders, the deepest ones first: what was written into them has changed their time."""
        for entry in folders(self.backup):
            path = self.backup.scope.located(entry.key)
            try:
                status = os.lstat(path)
                wrong = status.st_mtime_ns != entry.mtime_ns or not same_mode(stat.S_IMODE(status.st_mode), entry.mode)
                if stat.S_ISDIR(status.st_mode) and (wrong or may_give_away()):
                    _dress(path, entry)
            except OSError as error:
                self.reasons.setdefault(entry.key, reason_of(error))

    def _put(self, path: str, kept: Entry) -> None:
        if kept.kind == FOLDER:
            if not _is_folder(path):
                self._remove(path)
                os.makedirs(path)
            return
        parent = os.path.dirname(path)
        if not _is_folder(parent):
            os.makedirs(parent)
        part = os.path.join(parent, PART)
        self._remove(part)
        try:
            if kept.kind == LINK:
                os.symlink(kept.target, part)
            else:
                self._fill(part, kept)
            _dress(part, kept)
            self._rename(part, path)
        except BaseException:
            self._remove(part)
            raise

    def _fill(self, part: str, kept: Entry) -> None:
        """Write the content that was kept of a file under another name."""
        if kept.offset >= 0:
            _unpack(self.backup.packed, kept.offset, part, kept)
        elif kept.sha256:
            _unpack(self.backup.large(kept), 0, part, kept)
        elif is_lost(self.backup, kept):
            raise OSError(0, Change.LOST.value)
        else:
            try:
                os.link(self.backup.large(kept), part)
            except OSError:  # as when it was kept
                shutil.copyfile(self.backup.large(kept), part)

    def _rename(self, part: str, path: str) -> None:
        if _is_folder(path):
            self._remove(path)
        try:
            os.replace(part, path)
        except PermissionError:  # Windows: read-only, or a program holds it open
            self._remove(path)
            os.replace(part, path)

    def _remove(self, path: str) -> None:
        """Remove a file, a link, or a folder with all that is in it."""
        if not os.path.lexists(path):
            return
        if _is_folder(path):
            with os.scandir(path) as entries:
                inside = [entry.path for entry in entries]
            if inside:
                _make_accessible(path)
            for each in inside:
                self._remove(each)
            os.rmdir(path)
            return
        try:
            os.unlink(path)
        except PermissionError:
            self._set_aside(path)

    def _set_aside(self, path: str) -> None:
        """Move a file away that cannot be deleted: under Windows a read-only one, or one that a program has loaded."""
        if os.name == "nt":
            try:
                os.chmod(path, stat.S_IWRITE)
                os.unlink(path)
                return
            except PermissionError:
                pass
        aside = extended(str(self.backup.folder / ASIDE))
        os.makedirs(aside, exist_ok=True)
        os.replace(path, os.path.join(aside, uuid.uuid4().hex))


def _unpack(source: str, offset: int, part: str, kept: Entry) -> None:
    """Write a part of a file into a new one."""
    left = kept.size

    def read(most: int) -> bytes:
        nonlocal left
        piece = file.read(min(most, left))
        left -= len(piece)
        return piece

    with open(source, "rb") as file, open(part, "xb") as new:
        file.seek(offset)
        if copied(read, new.write) != kept.sha256:
            raise OSError(0, "what was kept of it is damaged")


def _dress(path: str, kept: Entry) -> None:
    """Set owner, permissions and time."""
    follow = kept.kind != LINK
    if hasattr(os, "chown"):
        status = os.lstat(path)
        if (status.st_uid, status.st_gid) != (kept.uid, kept.gid):
            _tolerated(lambda: os.chown(path, kept.uid, kept.gid, follow_symlinks=follow))
    if not follow:
        return
    # Time before permissions: Windows sets no time of a read-only file.
    if not os.access(path, os.W_OK):
        os.chmod(path, kept.mode | stat.S_IWRITE)
    os.utime(path, ns=(kept.mtime_ns, kept.mtime_ns))
    if not same_mode(stat.S_IMODE(os.lstat(path).st_mode), kept.mode):
        os.chmod(path, kept.mode)


def _tolerated(action: Callable[[], None]) -> None:
    """Do something that only root may, where this is root."""
    try:
        action()
    except OSError:
        if may_give_away():
            raise


def _make_accessible(folder: str) -> None:
    """Let the owner of a folder work in it."""
    try:
        if _is_folder(folder) and not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            os.chmod(folder, stat.S_IMODE(os.lstat(folder).st_mode) | 0o700)
    except OSError:
        pass  # what is done in it next tells why


def _is_folder(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)

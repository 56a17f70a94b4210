"""Which processes belong to a watched program on Linux, and what they use; reads `/proc` itself, for speed."""

from __future__ import annotations

import errno
import os
import time

from xpu_doctor.host.interface import os_reason
from xpu_doctor.model.unknown import NOT_EXAMINED, Maybe, Unknown
from xpu_doctor.watching.members import Identity, Member, Members
from xpu_doctor.watching.process_stat import TICKS, ProcessStat, parse_cpu, parse_stat

RANK_VARIABLES = (b"RANK", b"OMPI_COMM_WORLD_RANK", b"PMI_RANK", b"PMIX_RANK", b"SLURM_PROCID")
"""Environment variables that hold the rank of a process of a distributed program; the first that is set counts."""
ENVIRONMENT_LIMIT = 1 << 20
STAT_LIMIT = 4096
LEAVING = (errno.ESRCH, errno.ENOENT)
"""What reading says of a process whose memory is gone: it is about to end, or in the midst of an execve."""
TOLERANCE = 0.5
"""Seconds that a start may lie ahead of our clock for want of precision."""


class ProcessTree:
    """The processes below `root_pid`, followed by their start times: also those that were adopted by another parent.

    A process that is first seen when its parent is gone still belongs where its process group or session is one that the
    program made, or where its environment holds `marker` (`NAME=value`).
    """

    def __init__(self, root_pid: int, *, proc: str = "/proc", attached: bool = False, marker: str = "") -> None:
        self.members = Members()
        self.failure = ""
        """Why no process can be seen; empty where they can."""
        self._root_pid = root_pid
        self._proc = proc.rstrip("/")
        self._attached = attached
        self._marker = marker.encode()
        self._looked_at: set[str] = set()
        """Names in the folder of processes that were looked at: whatever is new there may be a process of the program."""
        self._last_pid = 0
        self._root_start = 0
        self._boot = 0.0
        """Seconds from the start of the machine to that of the watch."""
        self._last = 0.0
        """When all processes were looked at last."""
        self._io_counted = _io_counted(self._proc)

    def update(self, now: float) -> None:
        """Read all processes of the program anew; `now` is in seconds after the start of the watch."""
        try:
            present = set(os.listdir(self._proc))
        except OSError as error:
            present = set()
            self.failure = f"{self._proc} cannot be read: {os_reason(error)}"
        if not self.members.numbers:
            present.add(str(self._root_pid))
        for member in tuple(self.members.alive.values()):
            self._follow(member, now)
        self._find_new(present, now)
        for member in self.members.alive.values():
            member.settle()
            if not member.identified and not member.zombie:
                self._identify(member)
        self._last = now

    def _follow(self, member: Member, now: float) -> None:
        stat = self._stat(member.pid)
        if stat is None or stat.started != member.identity.started:
            self.members.end(member)
            self._looked_at.discard(str(member.pid))
        else:
            self._take(member, stat, now)

    def _take(self, member: Member, stat: ProcessStat, now: float) -> None:
        member.last_seen = now if not stat.ended or not member.zombie else member.last_seen
        member.parent = stat.parent if stat.parent in self.members.numbers else member.parent
        member.cpu = max(member.cpu, stat.cpu)
        member.children_cpu = max(member.children_cpu, stat.children_cpu)
        member.peak_memory = max(stat.memory, member.peak_memory if isinstance(member.peak_memory, int) else 0)
        member.io_wait = self._waited(member, stat)
        member.zombie = stat.ended
        main = parse_cpu(_read(f"{self._proc}/{member.pid}/task/{member.pid}/stat", STAT_LIMIT))
        if main is not None:
            member.main = max(main, member.main if isinstance(member.main, float) else 0.0)
        if stat.image != member.image and not stat.ended:
            member.image, member.identified = stat.image, False

    def _waited(self, member: Member, stat: ProcessStat) -> Maybe[float]:
        if self._io_counted is True or (stat.io_wait and not isinstance(self._io_counted, bool)):
            return max(stat.io_wait, member.io_wait if isinstance(member.io_wait, float) else 0.0)
        return member.io_wait if isinstance(member.io_wait, float) else _not_counted(self._io_counted)

    def _find_new(self, present: set[str], now: float) -> None:
        self._forget_reused()
        self._looked_at &= present
        unseen = present - self._looked_at
        pids = {int(name) for name in unseen if name.isdigit() and name.isascii()} - self.members.alive.keys()
        stats = {pid: stat for pid in pids if (stat := self._stat(pid)) is not None}
        # Names that are no numbers are seen once, too. A process that cannot be read yet is looked at again.
        self._looked_at |= unseen - {str(pid) for pid in pids - stats.keys()}
        if not self.members.numbers and self._root_pid not in stats:
            self._looked_at.clear()
            return
        found = True
        while found:
            found = False
            for pid, stat in tuple(stats.items()):
                if self._belongs(pid, stat):
                    del stats[pid]
                    self._add(pid, stat, now)
                    found = True
        for pid, stat in stats.items():
            if self._marked(pid, stat):
                self._add(pid, stat, now)

    def _belongs(self, pid: int, stat: ProcessStat) -> bool:
        if not self.members.numbers:
            return pid == self._root_pid
        if stat.started < self._root_start:
            return False
        numbers = self.members.numbers
        return stat.parent in self.members.alive or stat.group in numbers or stat.session in numbers

    def _marked(self, pid: int, stat: ProcessStat) -> bool:
        if not self._marker or not self.members.numbers or stat.started < self._root_start:
            return False
        try:
            return self._marker in _read_whole(f"{self._proc}/{pid}/environ", ENVIRONMENT_LIMIT).split(b"\0")
        except OSError:
            return False

    def _add(self, pid: int, stat: ProcessStat, now: float) -> None:
        first = not self.members.numbers
        if first:
            self._root_start = stat.started
            self._boot = _since_boot() - now
        member = Member(Identity(pid, stat.started), stat.parent, stat.name, now, self._began(stat, now))
        self.members.add(member)
        self._take(member, stat, now)
        if self._attached and (first or stat.started / TICKS < self._boot):
            member.base_cpu, member.base_children, member.base_io_wait = stat.cpu, stat.children_cpu, stat.io_wait
            member.base_main = member.main if isinstance(member.main, float) else 0.0

    def _began(self, stat: ProcessStat, now: float) -> float:
        """Return when a process started; where its start lies in the future of our clock, when it was looked for last."""
        began = stat.started / TICKS - self._boot
        return min(now, max(0.0, began if began < now + TOLERANCE else self._last))

    def _identify(self, member: Member) -> None:
        """Read name and rank; anew after an execve, since a launcher gives them to its child only then."""
        member.identified = True
        try:
            member.name = os.path.basename(os.readlink(f"{self._proc}/{member.pid}/exe").removesuffix(" (deleted)"))
        except OSError as error:
            if error.errno in LEAVING and member.rank is not NOT_EXAMINED:
                return  # its memory is gone, and what was known of it stays true
            member.name = member.image[1:].rpartition(b")")[0].decode("utf-8", "replace") or member.name
        try:
            member.rank = rank_of(_read_whole(f"{self._proc}/{member.pid}/environ", ENVIRONMENT_LIMIT))
        except OSError as error:
            if error.errno in LEAVING and isinstance(member.rank, int):
                return
            member.rank = Unknown(f"the environment of process {member.pid} cannot be read: {os_reason(error)}")
            # In the midst of an execve it cannot be read for a moment; what may not be read never can.
            member.identified = error.errno not in LEAVING

    def _stat(self, pid: int) -> ProcessStat | None:
        return parse_stat(_read(f"{self._proc}/{pid}/stat", STAT_LIMIT))

    def _forget_reused(self) -> None:
        """Look at all processes again once pids begin from the lowest: a number seen before may be another process now."""
        last = _read(f"{self._proc}/loadavg", 128).split()[-1:]
        last_pid = int(last[0]) if last and last[0].isdigit() else self._last_pid
        if last_pid < self._last_pid:
            self._looked_at.clear()
        self._last_pid = last_pid


def rank_of(environment: bytes) -> Maybe[int]:
    """Return the rank that the environment of a process names (`NAME=value`, each ended by a zero byte)."""
    values = dict(entry.partition(b"=")[::2] for entry in environment.split(b"\0"))
    for name in RANK_VARIABLES:
        said = values.get(name, b"")
        if said.isdigit() and len(said) < 10:
            return int(said)
    return Unknown("its environment names no rank")


def _io_counted(proc: str) -> Maybe[bool]:
    said = _read(f"{proc}/sys/kernel/task_delayacct", 16).strip()
    return said != b"0" if said.isdigit() else NOT_EXAMINED


def _not_counted(counted: Maybe[bool]) -> Unknown:
    if counted is False:
        return Unknown("the kernel does not count it: kernel.task_delayacct is 0")
    return Unknown("the kernel does not say whether it counts it")


def _since_boot() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _read(path: str, limit: int) -> bytes:
    """Return what one read of a small file gives; empty where it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(descriptor, limit)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def _read_whole(path: str, limit: int) -> bytes:
    """Return the first bytes of a file; raises OSError."""
    with open(path, "rb", buffering=0) as file:
        data = part = file.read(limit) or b""
        while part and len(data) < limit:
            part = file.read(limit - len(data)) or b""
            data += part
        return data

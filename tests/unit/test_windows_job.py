"""The Job Object's calls in their order, against a kernel32 that records them; not run on Windows here."""

from __future__ import annotations

import ctypes
from typing import Any

from xpu_doctor.process.status import death
from xpu_doctor.process.windows_job import _KILL_ON_JOB_CLOSE, Job, _ExtendedLimits


class Kernel32:
    """Records calls, and answers as Windows does."""

    def __init__(self, nested: bool = True) -> None:
        self.calls: list[str] = []
        self.flags = 0
        self.nested = nested
        self.CreateJobObjectW = self._creating()

    def _creating(self) -> Any:
        def create(*arguments: Any) -> int:
            self.calls.append("create")
            return 77

        return create

    def SetInformationJobObject(self, handle: Any, kind: int, pointer: Any, size: int) -> int:
        limits = ctypes.cast(pointer, ctypes.POINTER(_ExtendedLimits)).contents
        self.flags = limits.BasicLimitInformation.LimitFlags
        self.calls.append(f"limits {kind} {size == ctypes.sizeof(_ExtendedLimits)}")
        return 1

    def AssignProcessToJobObject(self, job: Any, process: Any) -> int:
        self.calls.append(f"assign {process.value}")
        return int(self.nested)

    def TerminateJobObject(self, job: Any, code: int) -> int:
        self.calls.append("terminate")
        return 1

    def CloseHandle(self, job: Any) -> int:
        self.calls.append("close")
        return 1


def test_the_job_ends_all_that_was_put_in_it() -> None:
    kernel = Kernel32()
    job = Job(kernel)
    assert job.add(42)
    job.close()
    job.close()
    assert kernel.calls == ["create", "limits 9 True", "assign 42", "terminate", "close"]
    assert kernel.flags == _KILL_ON_JOB_CLOSE


def test_a_refusal_is_told() -> None:
    assert not Job(Kernel32(nested=False)).add(42)


def test_the_structures_have_windows_sizes() -> None:
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION is 144 bytes on 64-bit Windows."""
    assert ctypes.sizeof(_ExtendedLimits) == 144


def test_deaths_have_names() -> None:
    assert death(-11) == "SIGSEGV"
    assert death(0xC0000005) == "0xC0000005 STATUS_ACCESS_VIOLATION"
    assert death(-1073741819) == "0xC0000005 STATUS_ACCESS_VIOLATION"
    assert death(3) == ""
    assert death(0) == ""

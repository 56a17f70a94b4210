"""How a process ended, in the words of its platform."""

from __future__ import annotations

import signal

NT_STATUS = {
    0x40000015: "STATUS_FATAL_APP_EXIT",
    0x80000003: "STATUS_BREAKPOINT",
    0xC0000005: "STATUS_ACCESS_VIOLATION",
    0xC0000006: "STATUS_IN_PAGE_ERROR",
    0xC0000017: "STATUS_NO_MEMORY",
    0xC000001D: "STATUS_ILLEGAL_INSTRUCTION",
    0xC0000025: "STATUS_NONCONTINUABLE_EXCEPTION",
    0xC000007B: "STATUS_INVALID_IMAGE_FORMAT",
    0xC0000094: "STATUS_INTEGER_DIVIDE_BY_ZERO",
    0xC0000096: "STATUS_PRIVILEGED_INSTRUCTION",
    0xC000009A: "STATUS_INSUFFICIENT_RESOURCES",
    0xC00000FD: "STATUS_STACK_OVERFLOW",
    0xC000012D: "STATUS_COMMITMENT_LIMIT",
    0xC0000135: "STATUS_DLL_NOT_FOUND",
    0xC0000138: "STATUS_ORDINAL_NOT_FOUND",
    0xC0000139: "STATUS_ENTRYPOINT_NOT_FOUND",
    0xC000013A: "STATUS_CONTROL_C_EXIT",
    0xC0000142: "STATUS_DLL_INIT_FAILED",
    0xC0000374: "STATUS_HEAP_CORRUPTION",
    0xC0000409: "STATUS_STACK_BUFFER_OVERRUN",
    0xC0000417: "STATUS_INVALID_CRUNTIME_PARAMETER",
    0xC0000420: "STATUS_ASSERTION_FAILURE",
    0xC0000428: "STATUS_INVALID_IMAGE_HASH",
    0xC0000602: "STATUS_FAIL_FAST_EXCEPTION",
    0xC0000906: "STATUS_VIRUS_INFECTED",
    0xC06D007E: "delay-loaded module not found",
    0xC06D007F: "delay-loaded procedure not found",
    0xE06D7363: "unhandled C++ exception",
}
"""NTSTATUS values that a dying Windows process returns (Microsoft [MS-ERREF] 2.3.1, checked 2026-11-26)."""


def death(returncode: int) -> str:
    """Return the name of the signal or NTSTATUS that ended a process, or empty where it left by itself.

    `returncode` is that of `subprocess`: negative for a signal on POSIX, unsigned 32 bits on Windows.
    """
    if returncode < 0 and returncode > -128:
        try:
            return signal.Signals(-returncode).name
        except ValueError:
            return f"signal {-returncode}"
    status = returncode & 0xFFFFFFFF
    if status >= 0x40000000:
        name = NT_STATUS.get(status, "")
        return f"0x{status:08X} {name}".strip()
    return ""

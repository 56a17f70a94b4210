"""What the numbers of a memory error say of the block that was asked for."""

from __future__ import annotations

import pytest

from xpu_doctor.model.unknown import known_or
from xpu_doctor.pasted.readers.collected import Text
from xpu_doctor.pasted.snapshots import read


def new(asked: str, total: str, used: str) -> str:
    """A message as torch of today words it."""
    return (
        f"torch.OutOfMemoryError: XPU out of memory. Tried to allocate {asked}. GPU 0 has a total capacity of {total}. "
        f"Of the allocated memory {used} is allocated by PyTorch, and 1.00 MiB is reserved by PyTorch but unallocated."
    )


def old(asked: str, total: str, used: str) -> str:
    """A message as the extension worded it."""
    return f"RuntimeError: XPU out of memory. Tried to allocate {asked} (GPU 0; {total} total capacity; {used} already allocated; 1 GiB reserved)"


@pytest.mark.parametrize(
    ("line", "judged"),
    [
        (new("128.00 GiB", "15.56 GiB", "2.50 GiB"), "above-total"),
        (old("20.00 GiB", "15.56 GiB", "2.50 GiB"), "above-total"),
        (new("20480.00 MiB", "15.56 GiB", "0 bytes"), "above-total"),
        (new("4.00 GiB", "15.11 GiB", "0 bytes"), "above-single"),
        (new("8.00 GiB", "15.11 GiB", "512.00 MiB"), "above-single"),
        (old("4.50 GiB", "15.56 GiB", "487.30 MiB"), "above-single"),
        (new("8.00 GiB", "15.11 GiB", "10.00 GiB"), "full"),
        (old("512.00 MiB", "11.60 GiB", "11.40 GiB"), "full"),
        (new("3.90 GiB", "15.11 GiB", "1.00 GiB"), "room"),
        (new("20.00 MiB", "15.11 GiB", "1.00 GiB"), "room"),
        ("Tried to allocate 2.25 GiB. GPU 1 has a total capacity of 11.60 GiB of which 0 bytes is free.", "full"),
        ("Tried to allocate 2.25 GiB. GPU 1 has a total capacity of 11.60 GiB of which 9.00 GiB is free.", "room"),
        (
            "Tried to allocate 6.00 GiB. GPU 1 has a total capacity of 11.60 GiB of which 9.00 GiB is free.",
            "above-single",
        ),
        ("Tried to allocate 2.25 GiB. GPU 0 has a total capacity of 11.60 GiB.", "full"),
        ("XPU out of memory", ""),
        ("Tried to allocate 2.25 GiB", ""),
        ("the GPU has a total capacity of 11.60 GiB", ""),
        ("it tried to allocate too much; GPU 0 has 16 GB", ""),
    ],
)
def test_the_block_and_the_memory(line: str, judged: str) -> None:
    """A block above all memory, above a single block's limit, above what is left, or none of that."""
    assert known_or(read([Text(line)])[0].pasted.memory, "") == judged

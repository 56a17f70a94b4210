"""The line that tells how a watched program is doing while it runs."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from xpu_doctor.model.unknown import Unknown
from xpu_doctor.text.output import to_stderr

if TYPE_CHECKING:
    from xpu_doctor.watching.sampler import LiveFigures

PLAIN_SECONDS = 60.0
"""Time between two lines where stderr is no terminal."""
WIDTH = 79


class LiveLine:
    """One line on stderr: rewritten in place on a terminal, elsewhere a plain one now and then."""

    def __init__(self) -> None:
        self._terminal = sys.stderr is not None and sys.stderr.isatty()
        self._told = time.monotonic()
        self._shown = False

    def tell(self, figures: LiveFigures) -> None:
        """Show the figures of a sample."""
        if self._terminal:
            # The cursor goes back to the first column, so that what the program prints next takes the line's place.
            to_stderr(f"\r\x1b[K{in_words(figures)[:WIDTH]}\r", own_sequences=True)
            self._shown = True
        elif time.monotonic() - self._told >= PLAIN_SECONDS:
            self._told = time.monotonic()
            to_stderr(f"{in_words(figures)}\n")

    def close(self) -> None:
        """Clear the line."""
        if self._shown:
            to_stderr("\r\x1b[K", own_sequences=True)


def in_words(figures: LiveFigures) -> str:
    """Return the figures in one line."""
    live = () if isinstance(figures.gpus, Unknown) else figures.gpus
    shares = ", ".join(f"GPU {gpu.address} {gpu.share:.0%}" for gpu in live)
    gpus = shares or ("GPU not known" if isinstance(figures.gpus, Unknown) else "no GPU")
    minutes, seconds = divmod(int(figures.seconds), 60)
    hours, minutes = divmod(minutes, 60)
    count = f"{figures.processes} process{'' if figures.processes == 1 else 'es'}"
    return f"xpu-doctor: {hours}:{minutes:02}:{seconds:02}  {gpus}  CPU {figures.cpus:.1f} cores  {figures.memory_bytes / 2**30:.1f} GiB  {count}"

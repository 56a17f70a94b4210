"""`xpu-doctor watch` as it is, but for where processes and GPUs are read: in the folder and of the GPUs of a simulated machine.

The first argument is JSON, `{"proc": FOLDER, "gpus": [...]}`; what follows are arguments of `xpu-doctor`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.watching.truth.machine import SimulatedGpu, recorded
from xpu_doctor.cli.main import main
from xpu_doctor.watching import sampler


def sampler_on(machine: dict[str, Any]) -> Any:
    """Return what makes samplers of the machine's processes and GPUs."""
    host = recorded(tuple(SimulatedGpu(**gpu) for gpu in machine["gpus"]))
    original = sampler.Sampler

    def made(root_pid: int, **options: Any) -> sampler.Sampler:
        deadline = time.monotonic() + 2
        while not os.path.exists(f"{machine['proc']}/{root_pid}/stat") and time.monotonic() < deadline:
            time.sleep(0.005)  # a real /proc shows a process at once
        return original(root_pid, **options, proc=machine["proc"], host=host)

    return made


if __name__ == "__main__":
    sampler.Sampler = sampler_on(json.loads(sys.argv.pop(1)))  # type: ignore[misc,assignment]
    sys.exit(main())

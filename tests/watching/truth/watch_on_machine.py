"""`xpu-doctor watch` as it is, but for where processes and GPUs are read: in the folder and of the GPUs of a simulated machine.

The first argument is JSON, `{"proc": FOLDER, "gpus": [...]}`; what follows are arguments of `xpu-doctor`.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.watching.truth.machine import SimulatedGpu, recorded
from xpu_doctor.cli.main import main
from xpu_doctor.watching import sampler

if __name__ == "__main__":
    machine = json.loads(sys.argv.pop(1))
    host = recorded(tuple(SimulatedGpu(**gpu) for gpu in machine["gpus"]))
    sampler.Sampler = partial(sampler.Sampler, proc=machine["proc"], host=host)  # type: ignore[misc,assignment]
    sys.exit(main())

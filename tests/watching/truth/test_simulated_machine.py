"""The simulated machine itself: a test of `watch` can be no truer than what it is compared with."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.watching.truth.machine import A770, B580, METEOR_LAKE, Client, SimulatedMachine, i915_text, xe_text

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the simulated machine is a Linux")

TRAINS_ALIKE = """
import os, sys
sys.path.insert(0, sys.argv[1])
import torch
from training import batch, gpu_work, model, step
torch.manual_seed(1)
network, data = model(), batch()
losses = {}
state = {name: weight.clone() for name, weight in network.state_dict().items()}
for device in ("cpu", "xpu"):
    network.load_state_dict(state)
    network.to(device)
    if device == "xpu":
        gpu_work(0.05)
    losses[device] = [step(network, *(part.to(device) for part in data)) for _ in range(6)]
assert max(abs(a - b) for a, b in zip(*losses.values())) < 1e-5, losses
assert losses["xpu"][-1] < losses["xpu"][0]
print(torch.xpu.is_initialized(), torch.xpu.get_device_name(0), torch.xpu.max_memory_allocated() > 0, flush=True)
if os.fork() == 0:
    import time; time.sleep(2); os._exit(0)
os.wait()
"""


def test_the_device_computes_what_the_processor_does_and_its_work_is_shown(
    torch_env: Path, device: Path, tmp_path: Path
) -> None:
    with SimulatedMachine(tmp_path / "machine", (A770, B580)) as machine:
        python = str(torch_env / "bin" / "python")
        programs = str(Path(__file__).with_name("programs"))
        environment = {**os.environ, **machine.environment(device)}
        command = [python, "-c", TRAINS_ALIKE, programs]
        run = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert run.stdout is not None
        assert run.stdout.readline() == "True Intel(R) Arc(TM) A770 Graphics True\n"
        time.sleep(0.5)
        holders = [folder for folder in Path(machine.proc).iterdir() if _texts(folder)]
        busy = machine.busy_seconds()
        assert len(holders) == 2, "the program, and its child that inherited the open file"
        assert {text for folder in holders for text in _texts(folder) if "03:00" in text} == {
            i915_text(machine.clients()[0], A770)
        }
        assert run.wait() == 0
        run.stdout.close()
        time.sleep(0.2)
        assert not [folder for folder in Path(machine.proc).iterdir() if _texts(folder)]
    assert busy["0000:07:00.0"] == 0
    assert 0.3 <= busy["0000:03:00.0"] < 3, "six steps of 0.05 s; a busy machine wakes late"


def _texts(folder: Path) -> list[str]:
    if not folder.name.isdigit() or folder.is_symlink():
        return []
    found = []
    try:
        for link in (folder / "fd").iterdir():
            if os.readlink(link).startswith("/dev/dri/"):
                found.append((folder / "fdinfo" / link.name).read_text())
    except FileNotFoundError:  # it ended meanwhile
        pass
    return found


def test_texts_have_the_keys_of_the_drivers() -> None:
    client = Client(3, 0, busy_seconds=2.5, local_bytes=3 << 20, system_bytes=5000, operators=9)
    discrete = i915_text(client, A770)
    assert "drm-engine-compute:\t2500000000 ns\n" in discrete and "drm-resident-local0:\t3 MiB\n" in discrete
    assert "drm-resident-system0:\t5 KiB\n" in discrete and "drm-client-id:\t3\n" in discrete
    shared = i915_text(client, METEOR_LAKE)
    assert "local0" not in shared and "drm-engine-render:\t2500000000 ns\n" in shared
    xe = xe_text(client, B580)
    assert "drm-cycles-ccs:\t48000000\n" in xe and "drm-engine-capacity-vcs:\t2\n" in xe and "drm-engine-r" not in xe

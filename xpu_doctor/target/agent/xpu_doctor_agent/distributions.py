"""What is installed, as far as it matters to torch on XPU."""

from __future__ import annotations

import os
import time

from .facts import attempt, small_text, unknown
from .metadata import direct_url, is_editable, metadata, normalised
from .record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .facts import Facts
    from .request import Request

INTERESTING = frozenset(
    """torch torchvision torchaudio triton pytorch-triton triton-xpu pytorch-triton-xpu pytorch-triton-rocm triton-windows
    intel-extension-for-pytorch oneccl-bind-pt intel-extension-for-tensorflow ipex-llm bigdl-core-xe
    mkl tbb tcmlib umf dpcpp-cpp-rt oneccl oneccl-devel impi-rt pyzes numpy dpctl dpnp openvino
    torchao torchtune accelerate transformers diffusers vllm xformers bitsandbytes deepspeed lightning pytorch-lightning
    """.split()  # noqa: SIM905
)
INTERESTING_PREFIXES = ("intel-", "onemkl-", "nvidia-", "torch-", "pytorch", "amd-", "rocm")
RECORD_CHECKED = (
    "torch",
    "triton",
    "pytorch-triton",
    "intel-",
    "onemkl-",
    "mkl",
    "tbb",
    "tcmlib",
    "umf",
    "dpcpp",
    "oneccl",
    "impi",
    "pyzes",
)
RECORD_SECONDS = 8.0


def examine(request: Request) -> Facts:
    """Return what is installed; the keys are the fields of facts.Distributions."""
    installed: list[Facts] = []
    leftovers: list[str] = []
    total = 0
    seen: set[str] = set()
    until = time.perf_counter() + min(RECORD_SECONDS, request.deadlines.get("distributions", RECORD_SECONDS) / 2.0)
    for entry in request.users_path:
        folder = os.path.abspath(entry or ".")
        key = os.path.normcase(os.path.realpath(folder))
        if key in seen:
            continue
        seen.add(key)
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            continue
        leftovers.extend(os.path.join(folder, name) for name in names if name.startswith("~") and len(name) > 2)
        for name in names:
            if name.endswith((".dist-info", ".egg-info")) and not name.startswith("~"):
                total += 1
                found = attempt(_distribution, folder, name, until)
                if found is not None and "name" in found:
                    installed.append(found)
    return {"installed": installed, "leftovers": leftovers, "total": total}


def _distribution(folder: str, info: str, until: float) -> Facts | None:
    """Read one dist-info or egg-info; None where it does not matter to torch on XPU."""
    name = normalised(info.rsplit(".", 1)[0].split("-")[0])
    if not (name in INTERESTING or name.startswith(INTERESTING_PREFIXES)):
        return None
    path = os.path.join(folder, info)
    headers = metadata(path)
    fact: Facts = {
        "name": normalised(headers.name) if headers.name else name,
        "version": headers.version or unknown(f"METADATA has no version ({headers.fault or 'damaged'})"),
        "metadata": bool(headers.version),
        "location": folder,
        "metadata_path": path,
        "real_path": os.path.realpath(path),
        "installer": small_text(os.path.join(path, "INSTALLER")).strip(),
        "direct_url": direct_url(path),
        "editable": is_editable(path),
        "tags": _tags(path),
    }
    if not headers.fault:
        fact["requires"] = headers.requires
    if fact["name"].startswith(RECORD_CHECKED):
        fact.update(record(folder, path, until))
    return fact


def _tags(path: str) -> list[str]:
    """Return the tags of the wheel from which it was installed."""
    lines = small_text(os.path.join(path, "WHEEL")).splitlines()
    return [line[5:].strip() for line in lines if line.startswith("Tag: ")]

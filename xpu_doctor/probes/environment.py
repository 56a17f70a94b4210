"""The environment variables that matter to PyTorch on XPU, as the target interpreter gets them."""

from __future__ import annotations

import re

from xpu_doctor.facts import Environment, Variable
from xpu_doctor.findings import Layer
from xpu_doctor.host import Host
from xpu_doctor.probe import probe

PREFIXES = (
    "ONEAPI_",
    "SYCL_",
    "ZE_",
    "ZES_",
    "ZET_",
    "ZEX_",
    "ZEL_",
    "NEO_",
    "UR_",
    "IGC_",
    "OCL_ICD_",
    "PYTORCH_",
    "TORCH_",
    "TORCHINDUCTOR_",
    "TRITON_",
    "IPEX_",
    "CCL_",
    "PTI_",
    "LEVEL_ZERO_",
    "I_MPI_OFFLOAD",
)
"""Beginnings of names of the allow-list."""

NAMES = frozenset(
    [
        "LD_LIBRARY_PATH",
        "LD_PRELOAD",
        "PATH",
        "PYTHONPATH",
        "VIRTUAL_ENV",
        "CONDA_PREFIX",
        "CONDA_DEFAULT_ENV",
        "CUDA_VISIBLE_DEVICES",
        "SETVARS_COMPLETED",
        "CMPLR_ROOT",
        "MKLROOT",
        "TBBROOT",
        "NEOReadDebugKeys",
        "EnableDebugBreak",
        "OverrideDefaultFP64Settings",
        "OverrideGpuAddressSpace",
        "ProductFamilyOverride",
        "SetCommandStreamReceiver",
        "ForceDeviceId",
        "HardwareInfoOverride",
        "WSL_DISTRO_NAME",
        "SNAP",
        "container",
        "KUBERNETES_SERVICE_HOST",
        "LANG",
        "LC_ALL",
        "OMP_NUM_THREADS",
    ]
)
"""Whole names of the allow-list."""

HIDDEN = "(hidden)"
"""Stands for the value of a variable whose name says that it is a secret."""
_SECRET_NAME = re.compile(r"(?i)(?:^|_)(?:PASS|PASSWD|PASSWORD|PWD|TOKEN|SECRET|KEY|APIKEY|CREDENTIALS?|AUTH)(?:_|$)")


@probe("environment", layer=Layer.DOCTOR)
def environment(host: Host) -> Environment:
    """The variables of the allow-list; no other one is ever looked at."""
    rows = [Variable(name, HIDDEN if _SECRET_NAME.search(name) else value) for name, value in sorted(host.env.items()) if allowed(name)]
    return Environment(variables=tuple(rows))


def allowed(name: str) -> bool:
    """Return whether a variable may be kept in a snapshot."""
    return name in NAMES or name.startswith(PREFIXES)

"""Hostile and half-true texts for property tests."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from xpu_doctor.tables.signatures import signatures

EXAMPLES = int(os.environ.get("XPU_DOCTOR_FUZZ_EXAMPLES", "500"))
"""Examples of each property; 10000 by hand."""
hard = settings(deadline=None, max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))

PIECES = (
    "Collecting environment information...\n", "PyTorch version: 2.9.1+xpu\n", "Is XPU available: True\n", "Is XPU available: False\n",
    "XPU used to build PyTorch: 20250301\n", "CUDA used to build PyTorch: 12.8\n", "OS: Ubuntu 24.04.3 LTS (x86_64)\n",
    "Python platform: Linux-6.14.0-15-generic-x86_64-with-glibc2.41\n", "Python version: 3.12.3 (main) [GCC 13] (64-bit runtime)\n",
    "Intel GPU models detected:\n* [0] _XpuDeviceProperties(name='Intel(R) Arc(TM) B580 Graphics', driver_version='1.6.33578+15', total_memory=11605MB)\n",
    "[level_zero:gpu][level_zero:0] Intel(R) Level-Zero, Intel(R) Arc(TM) A770 Graphics 1.3 [1.3.29735]\n",
    "[opencl:gpu][opencl:1] Intel(R) OpenCL Graphics, Intel(R) UHD Graphics 770 OpenCL 3.0 NEO  [24.22.29735.27]\n", "Number of platforms   0\n",
    "03:00.0 VGA compatible controller [0300]: Intel Corporation Battlemage G21 [Arc B580] [8086:e20b]\n\tKernel driver in use: xe\n",
    "crw-rw----+ 1 root render 226, 128 Nov 21 09:25 /dev/dri/renderD128\n", "uid=1000(anna) gid=1000(anna) groups=1000(anna),27(sudo),109(render)\n",
    "root@0123456789ab:/# clinfo\n", "anna@tower:~$ ls /dev/dri\ncard0  renderD128\n", "On the host:\n", "Inside the container:\n",
    "ii  libze-intel-gpu1 25.40.35563.7 amd64\n", "torch==2.9.1+xpu\n", "torch   2.9.1+xpu\n", "[pip3] triton-xpu==3.5.0\n", "export ZE_AFFINITY_MASK=1\n",
    "torch.xpu.is_available() -> False\n", ">>> torch.xpu.is_available()\nTrue\n", "torch.xpu.device_count() -> 2\n", "docker run --device /dev/dri image\n",
    "Traceback (most recent call last):\n  File \"/v/lib/python3.12/site-packages/torch/__init__.py\", line 3, in <module>\n", "> > ```text\n",
    "xe 0000:03:00.0: [drm] *ERROR* GT0: Timedout job: seqno=42\n", "\x1b[31mred\x1b[0m", "\u202etxet", "\x00", "\r\n", "\t", "ſ", "İ", "  " * 40,
    "a" * 5000 + "\n",
)  # fmt: skip

examples = st.sampled_from([example + "\n" for row in signatures() for example in (*row.examples, *row.near_misses)])
noise = st.one_of(st.text(max_size=60), st.from_regex(r"[\w./:=+\[\]()@#$%-]{0,40}\n", fullmatch=True))
texts = st.lists(st.one_of(st.sampled_from(PIECES), examples, noise), max_size=25).map("".join)
"""Known blocks, messages and noise in any order, cut and glued anywhere."""

encoded = st.one_of(
    texts.map(str.encode),
    *(texts.map(lambda text, name=name: text.encode(name, "replace")) for name in ("utf-16", "cp1252")),
)
raw = st.one_of(st.binary(max_size=4000), encoded)
"""Bytes as they come out of a file."""

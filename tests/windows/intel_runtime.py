"""A Windows Python with Intel's real runtime wheels, and a torch whose own libraries are small DLLs on top of them."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from tests.closure.windows_world import mingw, stub

HERE = Path(__file__).parent
ONEAPI = "2026.0.0"
WHEELS = (
    *(f"{name}=={ONEAPI}" for name in ("intel-cmplr-lib-rt", "intel-cmplr-lib-ur", "intel-sycl-rt", "intel-openmp")),
    *(f"onemkl-sycl-{name}=={ONEAPI}" for name in ("blas", "dft", "lapack", "rng", "sparse")),
    f"mkl=={ONEAPI}",
    "tbb==2023.0.0",
    "tcmlib==1.5.0",
    "umf==1.1.0",
    "intel-pti==0.17.0",
)
"""What torch 2.13.0+xpu requires on Windows, less OpenCL for the processor and licences."""
C10, TORCH_CPU, C10_XPU, TORCH_XPU = "c10.dll", "torch_cpu.dll", "c10_xpu.dll", "torch_xpu.dll"
SITE = "Lib/site-packages"
LIB = f"{SITE}/torch/lib"
BIN = "Library/bin"
OWN: dict[str, tuple[str, dict[str, str]]] = {
    C10: ("c10_start", {"msvcp140.dll": "_Thrd_yield", "vcruntime140.dll": "memcpy"}),
    TORCH_CPU: ("torch_cpu_start", {C10: "c10_start", "msvcp140.dll": "_Thrd_yield"}),
    C10_XPU: ("c10_xpu_start", {C10: "c10_start", "sycl9.dll": "__sycl_register_lib", "vcruntime140.dll": "memcpy"}),
    TORCH_XPU: (
        "torch_xpu_start",
        {
            C10_XPU: "c10_xpu_start",
            TORCH_CPU: "torch_cpu_start",
            "sycl9.dll": "__sycl_register_lib",
            "mkl_sycl_blas.6.dll": "mkl_blas_caxpby_omp_offload_lp64",
            "mkl_sycl_dft.6.dll": "dfftw_execute_dft_cpu",
            "mkl_sycl_lapack.6.dll": "mkl_lapack_cgebrd_omp_offload_lp64",
            "libmmd.dll": "cos",
            "svml_dispmd.dll": "__svml_acos1",
        },
    ),
}
"""Each library of torch: what it exports, and what it imports of the others."""


def add_torch(python: Path, work: Path, version: str = "2.13.0+xpu") -> Path:
    """Install the torch of small DLLs into a Windows Python; return its folder."""
    torch = python / SITE / "torch"
    (torch / "lib").mkdir(parents=True)
    work.mkdir(exist_ok=True)
    for name, (export, imports) in OWN.items():
        stub(torch / "lib" / name, export, imports, work)
    (torch / "__init__.py").write_bytes((HERE / "src" / "torch_init.py").read_bytes())
    (torch / "xpu.py").write_bytes((HERE / "src" / "torch_xpu.py").read_bytes())
    (torch / "version.py").write_text(
        f"__version__ = {version!r}\nxpu = '20260000'\ncuda = None\nhip = None\ngit_version = ''\ndebug = False\n",
        encoding="ascii",
    )
    _register(python, torch, version)
    return torch


def _register(python: Path, torch: Path, version: str) -> None:
    """Write the dist-info folder that pip would have written."""
    info = python / SITE / f"torch-{version}.dist-info"
    info.mkdir()
    requires = "".join(f"Requires-Dist: {wheel}\n" for wheel in WHEELS)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: torch\nVersion: {version}\n{requires}\n", encoding="ascii"
    )
    (info / "WHEEL").write_text(
        "Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp313-cp313-win_amd64\n", encoding="ascii"
    )
    (info / "INSTALLER").write_text("pip\n", encoding="ascii")
    files = sorted(path for path in torch.rglob("*") if path.is_file())
    rows = [f"{path.relative_to(python / SITE).as_posix()},{_digest(path)},{path.stat().st_size}" for path in files]
    (info / "RECORD").write_text("\n".join((*rows, f"{info.name}/RECORD,,")) + "\n", encoding="ascii")


def _digest(path: Path) -> str:
    found = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=")
    return f"sha256={found.decode('ascii')}"


def thin_library(output: Path, work: Path, exports: str = "nothing") -> Path:
    """Build a DLL of some name that exports next to nothing: another version of what it stands for."""
    return stub(output, exports, {}, work)


def library_of_32_bits(output: Path) -> Path:
    """Build a DLL for 32-bit programs, where the compiler can; else write the headers of one."""
    return mingw(output, "stub_dll.c", "-shared", "-DEXPORT=nothing", "-DIMPORTS=")

"""A patient with Intel's real runtime wheels, and a torch whose own libraries are small DLLs on top of them."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

from tests.closure import real_wheels
from tests.closure.windows_world import stub
from tests.support.environments import StubEnvironment

HERE = Path(__file__).parent
ONEAPI, BEFORE = "2026.0.0", "2025.3.1"
RUNTIME = (
    *(f"intel-{name}=={ONEAPI}" for name in ("cmplr-lib-rt", "cmplr-lib-ur", "sycl-rt")),
    "tcmlib==1.5.0",
    "umf==1.1.0",
)
MKL = (*(f"onemkl-sycl-{name}=={ONEAPI}" for name in ("blas", "dft", "lapack")), f"mkl=={ONEAPI}", "tbb==2023.0.0")
"""What torch 2.13.0+xpu requires on Windows, less licences, OpenCL for the processor, and what nothing here calls."""
OLDER = (*(f"intel-{name}=={BEFORE}" for name in ("cmplr-lib-rt", "cmplr-lib-ur")), "tcmlib==1.4.1", "umf==1.0.2")
"""The set before, whose files have the same names."""
LIB, BIN = "Lib/site-packages/torch/lib", "Library/bin"
VC = {"msvcp140.dll": "_Thrd_yield", "vcruntime140.dll": "memcpy"}
BLAS, DFT, LAPACK = "mkl_blas_caxpby_omp_offload_lp64", "dfftw_execute_dft_cpu", "mkl_lapack_cgebrd_omp_offload_lp64"
MKL_IMPORTS = {"mkl_sycl_blas.6.dll": BLAS, "mkl_sycl_dft.6.dll": DFT, "mkl_sycl_lapack.6.dll": LAPACK}
SYCL = {"sycl9.dll": "__sycl_register_lib"}
XPU_IMPORTS = {
    "c10_xpu.dll": "c10_xpu_start",
    "torch_cpu.dll": "torch_cpu_start",
    **SYCL,
    "libmmd.dll": "cos",
    "svml_dispmd.dll": "__svml_acos1",
}
OWN: dict[str, tuple[str, dict[str, str]]] = {
    "c10.dll": ("c10_start", VC),
    "torch_cpu.dll": ("torch_cpu_start", {"c10.dll": "c10_start", **VC}),
    "c10_xpu.dll": ("c10_xpu_start", {"c10.dll": "c10_start", **SYCL, **VC}),
    "torch_xpu.dll": ("torch_xpu_start", XPU_IMPORTS),
}
"""Each library of torch: what it exports, and what it imports of the others.

A real torch_xpu.dll imports pti_view-0.dll, too; its start-up code ends the process under Wine.
"""
VERSION_PY = "__version__ = {!r}\nxpu = '20260000'\ncuda = None\nhip = None\ngit_version = ''\ndebug = False\n"


def install(patient: StubEnvironment, requirements: tuple[str, ...]) -> None:
    """Lay wheels out in a whole Python as pip does, RECORD included; pip itself takes a minute for it under Wine.

    Raises:
        NotAvailable: they cannot be had.
    """
    for wheel in real_wheels.downloaded("windows", requirements):
        _unpack(wheel, patient)


def _unpack(wheel: Path, patient: StubEnvironment) -> None:
    """Unpack a wheel without code: what lies in its data folder goes below the prefix."""
    name, version = wheel.name.split("-")[:2]
    data, info = f"{name}-{version}.data/data/", f"{name}-{version}.dist-info"
    with zipfile.ZipFile(wheel) as files:
        for item in files.infolist():
            inside = item.filename.removeprefix(data)
            target = (patient.folder if item.filename.startswith(data) else patient.site) / inside
            if not item.is_dir():
                target.parent.mkdir(parents=True, exist_ok=True)
                with files.open(item) as source, target.open("wb") as copy:
                    shutil.copyfileobj(source, copy, 1 << 20)
    record = patient.site / info / "RECORD"
    rows = record.read_text(encoding="utf-8").splitlines()
    record.write_text(
        "".join(f"{'../../' * row.startswith(data)}{row.removeprefix(data)}\n" for row in rows), encoding="utf-8"
    )
    (patient.site / info / "INSTALLER").write_text("pip\n", encoding="ascii")


def add_torch(patient: StubEnvironment, work: Path, mkl: bool = False, version: str = "2.13.0+xpu") -> None:
    """Install the torch of small DLLs."""
    work.mkdir(exist_ok=True)
    files: dict[str, str | bytes] = {
        "torch/__init__.py": (HERE / "src" / "torch_init.py").read_text(encoding="utf-8"),
        "torch/xpu.py": (HERE / "src" / "torch_xpu.py").read_text(encoding="utf-8"),
        "torch/version.py": VERSION_PY.format(version),
    }
    for name, (export, imports) in OWN.items():
        wanted = {**imports, **(MKL_IMPORTS if mkl and name == "torch_xpu.dll" else {})}
        files[f"torch/lib/{name}"] = stub(work / name, export, wanted, work).read_bytes()
    patient.add("torch", version, files, requires=(*RUNTIME, *MKL))


def older_copies(folder: Path) -> Path:
    """Fill a folder with the DLLs of the release before, and a sycl9.dll, as an old oneAPI on PATH has them."""
    source = real_wheels.installed("older", "windows", OLDER) / "Library" / "bin"
    folder.mkdir(parents=True)
    for path in source.glob("*.dll"):
        (folder / path.name).write_bytes(path.read_bytes())
    return folder

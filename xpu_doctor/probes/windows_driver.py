"""What is installed of the GPU's user-space driver on Windows: the loader in System32, and what the driver registered."""

from __future__ import annotations

from xpu_doctor.host.interface import Host
from xpu_doctor.model.facts import Driver, Library
from xpu_doctor.model.findings import Layer
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.probes.runner import probe
from xpu_doctor.probes.windows_adapters import adapters


@probe("windows-driver", layer=Layer.DRIVER, on=("windows",), fills="driver")
def windows_driver(host: Host) -> Driver:
    """The Level Zero loader in System32 and what the display adapters' registry keys name of the driver store."""
    root = host.env.get("SystemRoot", host.env.get("SYSTEMROOT", r"C:\Windows"))
    loader = rf"{root}\System32\ze_loader.dll"
    there = host.exists(loader)
    found = adapters(host)
    libraries: list[Library] = [Library("ze_loader.dll", loader, Unknown("not read"))] if there is True else []
    icds: list[str] = []
    for adapter in found if isinstance(found, tuple) else ():
        if adapter.is_intel:
            libraries += [
                Library("ze_intel_gpu64.dll", path, str(adapter.values.get("DriverVersion", "")))
                for path in _paths(adapter.values.get("LevelZeroDriverPath"))
            ]
            icds += _paths(adapter.values.get("OpenCLDriverName"))
    return Driver(
        libraries=there if isinstance(there, Unknown) else found if isinstance(found, Unknown) else tuple(libraries),
        packages=(),
        package_manager="",
        opencl_icds=found if isinstance(found, Unknown) else tuple(icds),
        dxg=False,
        wsl_libraries=False,
    )


def _paths(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(item) for item in value if item]
    return [str(value)] if value else []

"""What NVIDIA's management library says of one GPU, in plain values; nothing here raises because of the library."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from xpu_doctor.model.unknown import NOT_EXAMINED, Maybe, Unknown


@dataclass(frozen=True)
class NvmlReading:
    """One GPU at one time; times in seconds of the library's own clock, shares 0 to 1."""

    processes: dict[int, int] = field(default_factory=dict)
    """Memory in bytes by pid, of programs that compute or draw; 0 where it is not told."""
    busy: tuple[tuple[float, float], ...] = ()
    """Times and busy shares of the GPU since each time before."""
    share: Maybe[float] = NOT_EXAMINED
    """Busy share of the last sample period."""
    process_shares: Maybe[dict[int, float]] = NOT_EXAMINED
    """Busy share by pid, of the last sample period."""
    memory: Maybe[int] = NOT_EXAMINED
    """Bytes in use, by whomever."""


class NvmlGpu:
    """One GPU, read through the module `pynvml`."""

    def __init__(self, nvml: Any, index: int) -> None:
        self._nvml = nvml
        self._handle = nvml.nvmlDeviceGetHandleByIndex(index)
        self._busy_until = 0
        self._shares_until = 0
        pci = self._ask("nvmlDeviceGetPciInfo")
        self.address = f"gpu{index}" if isinstance(pci, Unknown) else pci_address(_text(pci.busId))
        self.device_id: Maybe[int] = pci if isinstance(pci, Unknown) else int(pci.pciDeviceId) >> 16
        name = self._ask("nvmlDeviceGetName")
        self.name: Maybe[str] = name if isinstance(name, Unknown) else _text(name)
        memory = self._ask("nvmlDeviceGetMemoryInfo")
        self.memory_bytes: Maybe[int] = memory if isinstance(memory, Unknown) else int(memory.total)

    def read(self, by_process: bool) -> NvmlReading:
        """Return what the GPU says now; the shares of processes only where they are asked for."""
        memory = self._ask("nvmlDeviceGetMemoryInfo")
        rates = self._ask("nvmlDeviceGetUtilizationRates")
        return NvmlReading(
            processes=self._processes(),
            busy=self._busy(),
            share=rates if isinstance(rates, Unknown) else rates.gpu / 100,
            process_shares=self._process_shares() if by_process else Unknown("not asked for"),
            memory=memory if isinstance(memory, Unknown) else int(memory.used),
        )

    def _processes(self) -> dict[int, int]:
        found: dict[int, int] = {}
        for call in ("nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetGraphicsRunningProcesses"):
            said = self._ask(call)
            for process in () if isinstance(said, Unknown) else said:
                found[int(process.pid)] = max(found.get(int(process.pid), 0), int(process.usedGpuMemory or 0))
        return found

    def _busy(self) -> tuple[tuple[float, float], ...]:
        """Return the samples that the driver took since they were read last: several a second."""
        said = self._ask(
            "nvmlDeviceGetSamples", getattr(self._nvml, "NVML_GPU_UTILIZATION_SAMPLES", 1), self._busy_until
        )
        if isinstance(said, Unknown):
            return ()
        samples = sorted((int(one.timeStamp), int(one.sampleValue.uiVal)) for one in said[1])
        fresh = [(time, value) for time, value in samples if time > self._busy_until and value <= 100]
        if fresh:
            self._busy_until = fresh[-1][0]
        return tuple((time / 1e6, value / 100) for time, value in fresh)

    def _process_shares(self) -> Maybe[dict[int, float]]:
        said = self._ask("nvmlDeviceGetProcessUtilization", self._shares_until)
        if isinstance(said, Unknown):
            # That no process worked in the last period is an error of its own.
            return {} if "not found" in said.reason.lower() else said
        latest: dict[int, tuple[int, float]] = {}
        for one in said:
            if 0 <= one.smUtil <= 100:
                latest[int(one.pid)] = max(latest.get(int(one.pid), (0, 0.0)), (int(one.timeStamp), one.smUtil / 100))
        self._shares_until = max((time for time, _ in latest.values()), default=self._shares_until)
        return {pid: share for pid, (_, share) in latest.items()}

    def _ask(self, call: str, *arguments: Any) -> Any:
        try:
            return getattr(self._nvml, call)(self._handle, *arguments)
        except Exception as error:  # the library has an exception of its own for each of its errors
            return Unknown(f"{call}: {str(error) or type(error).__name__}")


def pci_address(bus_id: str) -> str:
    """Return a PCI address as Linux writes it, from NVIDIA's `00000000:3B:00.0`."""
    domain, _, rest = bus_id.lower().partition(":")
    return f"{domain[-4:]}:{rest}" if rest else bus_id


def _text(said: Any) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)

"""What many rules ask of the GPUs of a snapshot: which ones torch may use, and whom a finding about some of them concerns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xpu_doctor.model.facts import Gpu, LevelZero, Machine
from xpu_doctor.model.findings import Confidence
from xpu_doctor.model.unknown import Maybe, Undecided, Unknown, known_or
from xpu_doctor.tables.gpus import device_of, title, usable


def subject(affected: Sequence[Gpu], gpus: Sequence[Gpu]) -> str:
    """Return `machine` where every GPU that torch may use is affected, else the first affected one."""
    whole = {gpu.address for gpu in usable(gpus)} <= {gpu.address for gpu in affected}
    return "machine" if whole else f"gpu {affected[0].address}"


def names(gpus: Sequence[Gpu]) -> str:
    """Return how to call some GPUs in a sentence."""
    return " and ".join(title(gpu) for gpu in gpus)


def paths(affected: Sequence[Gpu], gpus: Sequence[Gpu], field: str) -> tuple[str, ...]:
    """Return the fact paths of a field of some GPUs."""
    return tuple(f"gpus[{place}].{field}" for place, gpu in enumerate(gpus) if any(gpu is other for other in affected))


def families(gpus: Maybe[tuple[Gpu, ...]]) -> frozenset[str]:
    """Return the keys of the families of the GPUs that torch may use, as far as they are known."""
    return frozenset(device.family.key for gpu in usable(known_or(gpus, ())) if (device := device_of(gpu)))


def none_to_use(gpus: Maybe[tuple[Gpu, ...]]) -> bool:
    """Return whether it is known that the machine has no Intel GPU that torch may use: the device layer says so then."""
    return not isinstance(gpus, Unknown) and not usable(gpus)


def listed(gpu: Gpu, level_zero: LevelZero) -> Maybe[bool]:
    """Return whether Level Zero lists a GPU, by its address, else by its id."""
    devices = level_zero.unfiltered_devices if isinstance(level_zero.unfiltered_devices, tuple) else level_zero.devices
    if isinstance(devices, Unknown):
        return False if isinstance(level_zero.init_code, int) and level_zero.init_code != 0 else devices
    return any(
        device.address == gpu.address
        if isinstance(device.address, str) and gpu.address.count(":") == 2
        else device.device_id == gpu.device_id
        for device in devices
    )


def initialised(level_zero: LevelZero) -> Maybe[bool]:
    """Return whether zeInit succeeded, or why that is not known."""
    return level_zero.init_code if isinstance(level_zero.init_code, Unknown) else level_zero.init_code == 0


def told(gpu: Gpu, gpus: Sequence[Gpu], field: str) -> Any:
    """Return a field of one GPU.

    Raises:
        Undecided: it is not known; the fact's path names the GPU.
    """
    value = getattr(gpu, field)
    if isinstance(value, Unknown):
        raise Undecided(Unknown(value.reason, paths([gpu], gpus, field)[0]))
    return value


def presence(gpus: Maybe[tuple[Gpu, ...]], machine: Machine) -> Confidence:
    """Return how sure a finding may be that only matters where a usable GPU is there; WSL2 never shows its GPU on the bus."""
    if isinstance(gpus, Unknown):
        return Confidence.CERTAIN if machine.wsl is True else Confidence.LIKELY
    return Confidence.CERTAIN if any(device_of(gpu) for gpu in usable(gpus)) else Confidence.LIKELY

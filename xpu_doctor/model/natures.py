"""What each fact is to somebody who compares: a cause, an effect, a place, a size, or nothing that ever counts as a difference.

The order of the rows is the order of the differences: of two facts that are equally telling the upper one comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from xpu_doctor.model.terms import RankedTerm


class Nature(RankedTerm):
    """What a fact is to a comparison, from the most telling down."""

    CAUSE = "cause"
    """What is built in, installed, set or allowed."""
    EFFECT = "effect"
    """What came of it when it was tried."""
    SIZE = "size"
    """How much or how many, and names of parts that torch does not depend on."""
    PLACE = "place"
    """Where something lies, or what it is called there."""
    NEVER = "never"
    """Differs between two runs on one machine, or is told elsewhere."""


CAUSES = (
    "torch.build", "torch.version", "torch.installed", "torch.package", "torch", "shadows", "libraries.faults", "libraries.damaged",
    "libraries.opened", "libraries.prediction", "gpus[]", "gpus[].device_id", "gpus[].kernel_driver", "gpus[].driver_version",
    "gpus[].service", "gpus[].disabled", "gpus[].render_node", "gpus[].bar_bytes", "gpus", "access.nodes[]", "access.nodes[].error",
    "access.nodes", "access.account_groups", "access.session_groups", "access", "environment.variables", "driver.packages",
    "driver.libraries", "driver", "level_zero.loader_version", "level_zero.drivers[].build", "level_zero.drivers[].version", "kernel.version",
    "kernel.command_line", "kernel.modules", "kernel.gpu_log", "machine.container", "machine.wsl", "machine.hypervisor", "machine.os",
    "machine.architecture", "machine.glibc", "machine.distribution", "machine.distribution_version", "machine.idle_gpus", "machine",
    "libraries.msvc", "libraries.loaded", "distributions", "python.version", "python", "installer", "target.supported", "compute.fallback_variables",
    "compute.devices[].to_cpu_copies", "compute.devices[].kernel_registered", "plugins", "pasted.driver_version", "pasted.driver_build",
    "pasted.windows_driver", "pasted.loader_version", "pasted.ipex", "pasted.ipex_version", "pasted.layout", "pasted.applications",
    "pasted.in_container", "watched[].command", "watched[].device_type", "watched[].inside[].loader_workers", "watched[].inside[].pin_memory",
    "watched[].inside[].applications", "watched[].inside[].torch_version", "watched[].inside[].torch_xpu", "watched[].inside[].torch_cuda",
    "watched[].counters",
)  # fmt: skip
EFFECTS = (
    "run.stages", "imported", "level_zero", "xpu", "compute", "errors.met", "libraries", "failures",
    "watched[].end", "watched[].exit_code", "watched[].signal", "watched[].inside[].initialised", "watched[].inside[].available", "watched[].inside",
    "watched[].fallback_operators", "watched[].hot_spots", "watched",
)  # fmt: skip
SIZES = (
    "gpus[].name", "gpus[].revision", "gpus[].memory_bytes", "machine.os_name", "machine.distribution_like", "machine.distribution_codename",
    "machine.cpu", "machine.cpu_count", "machine.memory_bytes", "machine.pci_devices", "driver.package_manager", "distributions.total",
    "distributions.installed[].file_count", "distributions.installed[].tags", "distributions.installed[].requires",
    "distributions.installed[].installer", "torch.git_version", "torch.metadata_version", "torch.build_source", "torch.libraries", "libraries.count",
    "level_zero.devices[].memory_bytes", "level_zero.devices[].max_allocation", "level_zero.unfiltered_devices[].memory_bytes",
    "level_zero.unfiltered_devices[].max_allocation", "xpu.devices[].total_memory", "compute.devices[].total_memory",
    "compute.devices[].products[].tflops", "compute.devices[].products[].worst_error", "compute.devices[].products[].mean_error",
    "compute.cpu", "compute.cpu_name", "python.encoding", "python.ensurepip", "target.version", "xpu.devices[].name",
    "level_zero.devices[].name", "level_zero.unfiltered_devices[].name", "compute.devices[].name", "libraries.loaded[].versions",
    "run.stages[].traceback", "run.stages[].output", "watched[].gpus[].busy_seconds", "watched[].gpus[].memory", "watched[].gpus[].memory_bytes",
    "watched[].cpu_seconds", "watched[].logical_cpus", "watched[].fallback_operators[].count", "watched[].inside[].devices",
)  # fmt: skip
PLACES = (
    "gpus[].address", "level_zero.devices[].address", "level_zero.unfiltered_devices[].address", "level_zero.loader_path", "level_zero.driver_library",
    "level_zero.compiler_library", "level_zero.memory_library", "level_zero.libraries[].path", "level_zero.adapters[].path",
    "access.user", "access.nodes[].path", "access.nodes[].group_id", "access.session_groups[]", "driver.libraries[].path", "driver.opencl_icds",
    "python.prefix", "python.base_prefix", "python.real_prefix", "python.sys_path", "python.user_site", "python.own_site", "distributions.installed[].location",
    "distributions.installed[].metadata_path", "distributions.installed[].real_path", "distributions.installed[].direct_url",
    "installer.project", "installer.environment", "installer.why", "installer.settings[].source", "torch.path", "torch.real_path",
    "libraries.loaded[].path", "libraries.loaded[].via", "libraries.loaded[].needed_by", "libraries.env_folders", "libraries.faults[].chain",
    "libraries.faults[].path", "libraries.faults[].others", "libraries.opened[].path", "libraries.damaged[].path", "imported.file",
    "imported.folders", "shadows.found[].path", "watched[].gpus[].address", "watched[].inside[].python", "watched[].hot_spots[].file",
)  # fmt: skip
NEVERS = (
    # The folder of an environment and its version tell more than how its interpreter was named.
    "target.executable", "target.folder", "target.others", "target.why", "target.chosen_by", "python.executable",
    "watched[].pid", "watched[].seconds", "watched[].interval_seconds", "watched[].samples", "watched[].processes", "watched[].further_processes",
    "watched[].inside[].pid", "watched[].inside[].imported_at", "watched[].inside[].data_wait_seconds", "watched[].inside[].batches",
    "watched[].inside[].devices[].peak_bytes", "watched[].inside[].devices[].allocations", "watched[].gpus[].engines",
    "watched[].gpus[].memory[].peak_bytes", "watched[].gpus[].memory[].growth_bytes", "watched[].hot_spots[].share", "watched[].hot_spots[].line",
    "watched[].attached",
    "schema", "origin", "subject", "skipped", "sources", "pasted", "errors.mentioned", "errors.met[].source", "kernel.gpu_log[].source",
    "imported.seconds", "run.stages[].seconds", "run.stages[].cpu_seconds", "run.stages[].cpu_seconds_outside", "run.stages[].left_behind",
    "compute.seconds", "compute.cpu.seconds", "compute.cpu.cpu_seconds_per_tflop", "compute.cpu.main_thread_share", "compute.cpu.size",
    "compute.cpu.count", "compute.devices[].free_memory", "compute.devices[].first_run_seconds", "compute.devices[].warm_up_seconds",
    "compute.devices[].measuring_seconds", "compute.devices[].input_bytes", "compute.devices[].allocated_bytes",
    "compute.devices[].host_growth_bytes", "compute.devices[].products[].size", "compute.devices[].products[].count",
    "compute.devices[].products[].batches", "compute.devices[].products[].seconds", "compute.devices[].products[].timed_by",
    "compute.devices[].products[].cpu_seconds", "compute.devices[].products[].cpu_seconds_per_tflop",
    "compute.devices[].products[].queue_share", "compute.devices[].products[].main_thread_share",
    "compute.devices[].products[].checked_elements",
)  # fmt: skip
TABLE: tuple[tuple[Nature, tuple[str, ...]], ...] = (
    (Nature.CAUSE, CAUSES),
    (Nature.EFFECT, EFFECTS),
    (Nature.SIZE, SIZES),
    (Nature.PLACE, PLACES),
    (Nature.NEVER, NEVERS),
)
FACTORS = {
    "watched[].gpus[].busy_seconds": 1.5,
    "watched[].cpu_seconds": 2.0,
    "watched[].fallback_operators[].count": 2.0,
    "machine.memory_bytes": 1.05,
    "compute.devices[].products[].tflops": 2.0,
    "compute.cpu.tflops": 2.0,
    "compute.devices[].products[].mean_error": 100.0,
    "compute.devices[].products[].worst_error": 100.0,
}
"""Measured facts: by which factor two values differ before that says anything."""


@dataclass(frozen=True)
class Row:
    """What the table says of a fact."""

    nature: Nature
    place: int
    """Position of the row that says it."""


_ROWS = {
    pattern: Row(nature, place)
    for place, (nature, pattern) in enumerate((nature, pattern) for nature, patterns in TABLE for pattern in patterns)
}


@lru_cache(maxsize=4096)
def row_of(pattern: str) -> Row:
    """Return the row of a fact, by its path with empty brackets; what no row names has that of the longest path that covers it."""
    at = pattern
    while at:
        if at in _ROWS:
            return _ROWS[at]
        at = at[:-2] if at.endswith("[]") else at.rpartition(".")[0]
    return Row(Nature.CAUSE, len(_ROWS))


@lru_cache(maxsize=4096)
def never_counts(pattern: str) -> bool:
    """Return whether neither a fact nor any part of it counts as a difference."""
    parts = (row for at, row in _ROWS.items() if at.startswith((f"{pattern}.", f"{pattern}[")))
    return all(row.nature is Nature.NEVER for row in (row_of(pattern), *parts))

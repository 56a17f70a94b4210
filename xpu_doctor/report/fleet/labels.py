"""What the facts of a node are called in a sentence about many nodes."""

from __future__ import annotations

import re

from xpu_doctor.report.comparison.labels import label_of

SHORT = {
    "gpus": "GPUs", "gpus[].kernel_driver": "kernel driver of the GPUs", "gpus[].driver_version": "Windows driver of the GPUs",
    "gpus[].service": "Windows service of the GPUs", "gpus[].disabled": "GPUs switched off in Device Manager", "gpus[].revision": "revision of the GPUs",
    "gpus[].render_node": "render nodes", "gpus[].bar_bytes": "largest memory window (BAR) of the GPUs", "gpus[].memory_bytes": "memory of the GPUs",
    "access.nodes": "device nodes", "access.account_groups": "groups of the account, of render and video", "access.nodes[].group": "group of the device nodes",
    "access.nodes[].error": "opening the device nodes fails with", "access.nodes[].mode": "permissions of the device nodes",
    "machine.memory_bytes": "memory of the machine", "machine.glibc": "glibc", "level_zero.drivers[].version": "Level Zero driver",
    "level_zero.devices": "GPUs that Level Zero lists", "kernel.version": "kernel", "torch.build": "torch build", "torch.version": "torch",
    "python.version": "Python", "tool.version": "xpu-doctor", "machine.cpu_count": "processors", "level_zero.loader_version": "Level Zero loader",
    "kernel.command_line": "kernel parameters about graphics",
}  # fmt: skip
"""Facts of a whole node, which the labels of reports name for one GPU or at length."""
KEYED = {
    "environment.variables[]": "variable {}", "driver.packages[].version": "driver package {}", "driver.libraries[].version": "driver library {}",
    "distributions.installed[].version": "package {}", "installer.settings[]": "package setting {}", "firmware[]": "{} firmware",
    "libraries.loaded[].how": "how {} is found", "run.stages[].outcome": "stage {}",
}  # fmt: skip
_KEY = re.compile(r"\[([^\[\]]*)\]")


def label_of_fact(path: str) -> str:
    """Return what a fact of a node is called."""
    if path in SHORT:
        return SHORT[path]
    match = _KEY.search(path)
    if match and match[1] and (form := KEYED.get(f"{path[: match.start()]}[]{path[match.end() :]}")):
        return form.format(match[1])
    return label_of(path).replace(" #", "").replace("#", "")


def shown_value(path: str, value: str) -> str:
    """Return a value as a person reads it."""
    if path == "machine.memory_bytes" and value.isdecimal():
        return f"{int(value) / 2**30:.0f} GiB"
    return value

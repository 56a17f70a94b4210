"""Facts that only a pasted text shows: what it is, what it names, and what is known of a machine that nobody can ask."""

from __future__ import annotations

from xpu_doctor.model.fast_dataclass import dataclass
from xpu_doctor.model.unknown import NOT_EXAMINED, Maybe


@dataclass(frozen=True)
class Application:
    """An application that a text names."""

    name: str
    version: str = ""
    source: str = ""


@dataclass(frozen=True)
class Reported:
    """A root cause that a report of the doctor in the text names."""

    code: str
    summary: str = ""
    severity: str = ""
    """`error`, `warning`, `info`, or empty where the text does not tell."""
    confidence: str = "likely"
    source: str = ""


@dataclass(frozen=True)
class ReportedRung:
    """What the ladder of a report of the doctor in the text says of a layer."""

    layer: str
    state: str
    """`ok`, `fault`, `blocked`, `unknown` or `skipped`."""
    summary: str = ""
    source: str = ""


@dataclass(frozen=True)
class Working:
    """A line that shows a device at work."""

    what: str
    """What it shows, in words."""
    shows: str
    """`device`: torch or an application has the GPU; `running`: the application came up; `computed`: work was done."""
    line: str
    source: str = ""


@dataclass(frozen=True)
class Failure:
    """A line that shows a failure, whatever its cause."""

    kind: str
    """`exception`, `traceback` (its last line is not shown), `abort`, `exit`, `device`, `log` or `test`."""
    line: str
    source: str = ""


@dataclass(frozen=True)
class ToldVersion:
    """A version that somebody says works, or fails."""

    part: str
    """`torch`, `driver`, `kernel`, `ipex`, or the name of an application."""
    version: str
    """Empty where only "the one before" is told."""
    source: str = ""
    side: str = ""
    """`host` or `guest` where a virtual machine takes part and the text tells whose it is."""


@dataclass(frozen=True)
class Pasted:
    """What pasted texts show beyond the facts of a live examination."""

    blocks: tuple[str, ...] = ()
    """Kinds of known blocks that were found: `collect_env`, `pip`, `sycl-ls`, `traceback` ..."""
    damage: tuple[str, ...] = ()
    """What could not be read, in words."""
    cut: bool = False
    """Whether a part of the input was left out because it was too long."""
    applications: tuple[Application, ...] = ()
    layout: Maybe[str] = NOT_EXAMINED
    """How the application and its Python are laid out, as paths show: a row of layouts.toml."""
    container_kinds: tuple[str, ...] = ()
    """What runs the containers that take part, the outermost first: `kubernetes`, `proxmox`, `lxc`, `podman`, `compose`, `docker`."""
    gpu_families: tuple[str, ...] = ()
    """Families of the Intel GPUs that are named: `alchemist`, `battlemage`, `xe-lp`, `gen9` ..."""
    gpu_kinds: tuple[str, ...] = ()
    """`integrated`, `discrete`: kinds of the Intel GPUs that are named."""
    gpu_count: int = 0
    """Most Intel GPUs of one kind that one line or listing names."""
    ipex: Maybe[bool] = NOT_EXAMINED
    """Whether the Intel Extension for PyTorch takes part."""
    ipex_version: Maybe[str] = NOT_EXAMINED
    in_container: Maybe[bool] = NOT_EXAMINED
    """Whether a container takes part, whichever side the lines are from."""
    shell: Maybe[str] = NOT_EXAMINED
    """Which shell of Windows the prompts are of: `cmd` or `powershell`; unknown where there are both, or none."""
    no_driver_packages: Maybe[bool] = NOT_EXAMINED
    """Whether somebody looked for the packages of the compute driver, and none was listed."""
    dri_missing: Maybe[bool] = NOT_EXAMINED
    bus_lists_intel: Maybe[bool] = NOT_EXAMINED
    """Whether lspci, where it lists display devices, lists one of Intel's."""
    cpu_graphics: Maybe[str] = NOT_EXAMINED
    """What the processor that is named has of graphics: `intel`, `none` (an Intel processor without) or `other` (another maker's)."""
    inventory_lists_intel: Maybe[bool] = NOT_EXAMINED
    """Whether an inventory of display devices (dxdiag, Win32_VideoController, neofetch, inxi) lists one of Intel's."""
    names_intel_gpu: Maybe[bool] = NOT_EXAMINED
    """Whether the text speaks of graphics of Intel's at all, in whatever words."""
    for_other_gpu: Maybe[bool] = NOT_EXAMINED
    """Whether the text asks for a GPU of another maker to work, and is not about one of Intel's."""
    for_intel_gpu: Maybe[bool] = NOT_EXAMINED
    """Whether what is run is an application that is made for Intel's GPUs, such as AI Playground."""
    node_group: Maybe[str] = NOT_EXAMINED
    """How the group of a render node looks that is not one for GPUs: `nobody`, `number` or `strange`; empty where it is one."""
    no_render_node: Maybe[bool] = NOT_EXAMINED
    """Whether a listing of /dev/dri shows cards and no render node."""
    dri_passed: Maybe[bool] = NOT_EXAMINED
    """Whether a container's start line passes /dev/dri."""
    compiling: Maybe[bool] = NOT_EXAMINED
    """Whether torch.compile, Triton or Inductor is at work."""
    driver_version: Maybe[str] = NOT_EXAMINED
    """Version of Intel's compute driver as the text spells it."""
    driver_build: Maybe[int] = NOT_EXAMINED
    windows_driver: Maybe[str] = NOT_EXAMINED
    loader_version: Maybe[str] = NOT_EXAMINED
    """Version of the Level Zero loader package."""
    level_zero_gpus: Maybe[int] = NOT_EXAMINED
    """GPUs that sycl-ls lists under Level Zero."""
    opencl_gpus: Maybe[int] = NOT_EXAMINED
    """Intel GPUs that sycl-ls or clinfo lists under OpenCL."""
    npu_listed: Maybe[bool] = NOT_EXAMINED
    """Whether sycl-ls lists an NPU under Level Zero: the loader works, and an NPU is no GPU."""
    sysman_gpus: Maybe[int] = NOT_EXAMINED
    """GPUs that xpu-smi discovers."""
    opencl_platforms: Maybe[int] = NOT_EXAMINED
    oneapi: Maybe[str] = NOT_EXAMINED
    """Release of the oneAPI toolkit or runtime that is named, e.g. `2024.0`."""
    conda: Maybe[bool] = NOT_EXAMINED
    linked_soname: Maybe[int] = NOT_EXAMINED
    """N of the libsycl.so.N that a listing of the disk shows."""
    no_device: Maybe[bool] = NOT_EXAMINED
    """Whether torch, SYCL or OpenCL counts no Intel GPU."""
    sometimes_available: Maybe[bool] = NOT_EXAMINED
    """Whether the text shows torch finding a GPU as well as finding none."""
    about_torch: Maybe[bool] = NOT_EXAMINED
    """Whether PyTorch, or an application of it, takes part; SYCL and OpenCL programs run where PyTorch does not."""
    packages: tuple[str, ...] = ()
    """Names of the driver packages that the text shows as installed."""
    packages_filtered: Maybe[bool] = NOT_EXAMINED
    """Whether the listing of packages was filtered by a word, so that what is not in it may be installed all the same."""
    oneapi_differs: Maybe[bool] = NOT_EXAMINED
    """Whether a oneAPI release is named that is not the one of torch's runtime packages."""
    last_frame: Maybe[str] = NOT_EXAMINED
    """Whose code the last frame of a traceback lies in: `torch`, `triton`, `ipex`, `python` or `application`."""
    listing_without_torch: Maybe[bool] = NOT_EXAMINED
    """Whether a whole listing of installed packages does not name torch."""
    unlabelled_torch: Maybe[str] = NOT_EXAMINED
    """Whether pip lists torch without a build's label and without XPU runtime packages: `whole` or `part` of its listing."""
    torch_builds: tuple[str, ...] = ()
    """Builds of torch that the text names as installed: `xpu`, `cpu`, `cuda`, `rocm`."""
    two_tritons: bool = False
    """Whether builds of Triton of two names are installed."""
    not_in_group: Maybe[bool] = NOT_EXAMINED
    """Whether a listing of the user's groups lacks the group of the render node."""
    memory: Maybe[str] = NOT_EXAMINED
    """What the numbers of a memory error say of the block that was asked for: `above-total` (larger than the whole memory), `full` (larger than
    what was free), `above-single` (there was room, and it is above the 4 GiB of a single block) or `room` (there was room)."""
    kernel_below: Maybe[str] = NOT_EXAMINED
    """The first kernel release that drives the GPUs that are named, where the kernel in the text is older; empty where it is not."""
    working: tuple[Working, ...] = ()
    """Lines that show a device at work."""
    failures: tuple[Failure, ...] = ()
    """Lines that show a failure; lines that programs print although nothing is wrong are none."""
    bare_failure: bool = False
    """Whether the failure is one line alone: no traceback, no program and no complaint tell whose it is."""
    complaints: tuple[str, ...] = ()
    """Where somebody says in prose that something does not work."""
    proposes: Maybe[str] = NOT_EXAMINED
    """`change` where the text describes a change of code, `wish` where it asks for a feature: what it says of failing is why."""
    tests_of_torch: Maybe[bool] = NOT_EXAMINED
    """Whether torch's own tests are what ran."""
    idle_gpu: Maybe[bool] = NOT_EXAMINED
    """Whether somebody says that the work is done by the processor, or that the GPU has nothing to do."""
    died_asking: Maybe[bool] = NOT_EXAMINED
    """Whether the process died at a call that asks the driver for its devices."""
    driver_bound: Maybe[bool] = NOT_EXAMINED
    """Whether the text shows a kernel driver at work on an Intel GPU: its log, a render node, or a program that reaches the GPU."""
    own_output: bool = False
    """Whether the text holds output of the doctor itself."""
    reported: tuple[Reported, ...] = ()
    """The root causes that a report of the doctor in the text names, in its order."""
    reported_ladder: tuple[ReportedRung, ...] = ()
    """The ladder of that report."""
    good_versions: tuple[ToldVersion, ...] = ()
    """Versions that the text says work."""
    bad_versions: tuple[ToldVersion, ...] = ()
    """Versions that the text says fail."""
    regressed: tuple[str, ...] = ()
    """Parts of which an older version is said to work and a newer one to fail."""
    improved: tuple[str, ...] = ()
    """Parts of which an older version is said to fail and a newer one to work."""
    older_works: tuple[str, ...] = ()
    """Parts of which a version older than the one in use is said to work."""
    used_works: tuple[str, ...] = ()
    """Parts of which the version in use is said to work: what fails lies elsewhere."""
    trouble: bool = False
    """Whether something failed in the text, or somebody says so."""

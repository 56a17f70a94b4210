"""Remedies of a text fit the place that it shows: the application's Python, the system, the container, the stack."""

from __future__ import annotations

import pytest

from xpu_doctor.catalogue.names import all_rules
from xpu_doctor.model.findings import Finding, Remedy
from xpu_doctor.pasted.run import triage_texts
from xpu_doctor.remedies.place import with_python
from xpu_doctor.tables.layouts import layouts, patterns
from xpu_doctor.text.safe import from_bytes


def roots(text: str) -> tuple[Finding, ...]:
    """The root causes of a text."""
    return triage_texts([("text", from_bytes(text.encode(), "text"))], rules=all_rules()).diagnosis.root_causes


def remedies(text: str, code: str) -> tuple[Remedy, ...]:
    """What is offered against one code."""
    return next(root for root in roots(text) if root.code == code).remedies


def typed(offered: tuple[Remedy, ...]) -> str:
    """All lines to type."""
    return "\n".join(line for remedy in offered for line in remedy.commands)


CUDA = "GPU: Intel Arc B580\npytorch version: 2.9.0+cpu\n{path}\nAssertionError: Torch not compiled with CUDA enabled\n"
PATHS = [
    (
        r'File "D:\ai\ComfyUI_windows_portable\python_embeded\Lib\site-packages\torch\cuda\__init__.py", line 310',
        r"python_embeded\python.exe",
    ),
    (r"E:\Comfy>.\python_embeded\python.exe -s ComfyUI\main.py", r"python_embeded\python.exe"),
    (r"d:\portable\python_embedded\lib\site-packages\torch\__init__.py", r"python_embeded\python.exe"),
    (
        r"C:\Users\me\AppData\Local\Programs\AI Playground\resources\ai-backend-env\Lib\site-packages\torch",
        r"resources\ai-backend-env\python.exe",
    ),
    (
        r"AI Playground\resources\ComfyUI\.venv\Lib\site-packages\torch\__init__.py",
        r"resources\ComfyUI\.venv\Scripts\python.exe",
    ),
    (
        r"C:\tgw\installer_files\env\Lib\site-packages\torch\cuda\__init__.py",
        r"installer_files\env\python.exe",
    ),
    ("/srv/tgw/installer_files/env/lib/python3.11/site-packages/torch/cuda", "installer_files/env/bin/python"),
    (r"C:\forge\stable-diffusion-webui-forge\venv\lib\site-packages\torch\cuda", r"venv\Scripts\python.exe"),
    ("/data/comfy/.venv/lib/python3.12/site-packages/torch/cuda/__init__.py", ".venv/bin/python"),
    ("/home/me/invoke/venv/lib/python3.11/site-packages/torch/cuda/__init__.py", "venv/bin/python"),
    ("/opt/venv/lib/python3.12/site-packages/torch/cuda/__init__.py", "/opt/venv/bin/python"),
    ("/home/me/miniforge3/envs/arc/lib/python3.12/site-packages/torch/cuda/__init__.py", "python"),
]


@pytest.mark.parametrize(("path", "python"), PATHS)
def test_the_python_of_the_application(path: str, python: str) -> None:
    """The lines call the Python that the paths show, and say where they are typed."""
    offered = remedies(CUDA.format(path=path), "torch-cpu-wheel")
    assert offered[0].commands[0].startswith(f"{python} -m pip "), offered[0].commands
    assert "Run it " in offered[0].why


@pytest.mark.parametrize(
    "path",
    [
        "/usr/lib/python3/dist-packages/torch/cuda/__init__.py",
        "I made a venv with python -m venv and activated it",
        "environment variables: env PATH /usr/bin/env python3",
        "the embedded Python of another program",
        "conda activate arc",
    ],
)
def test_no_python_is_made_up(path: str) -> None:
    """Where no path shows one, the usual name stands."""
    assert typed(remedies(CUDA.format(path=path), "torch-cpu-wheel")).startswith("python")


@pytest.mark.parametrize("name", layouts())
def test_a_layout_has_a_python_and_a_place(name: str) -> None:
    """Each row can be typed, and is met by its own interpreter's path."""
    row = layouts()[name]
    assert row.windows or row.linux
    assert not row.where.endswith(".")
    path = row.linux or row.windows
    in_application = path.startswith("server") or path == "python"  # met by the folders above it
    assert in_application or any(pattern.search(f"/x{'/' * (path[0] != '/')}{path}/lib/") for _, pattern in patterns())


def test_the_launcher_of_sd_next() -> None:
    """SD.Next installs its own set."""
    text = (
        "SD.Next on Windows 11, Arc A770\nTorch: torch==2.8.0+cpu\nAssertionError: Torch not compiled with CUDA enabled"
    )
    assert typed(remedies(text, "torch-cpu-wheel")) == "webui.bat --use-ipex --reinstall"
    text = (
        "Ubuntu 24.04, SD.Next, Arc A770\nTorch: torch==2.8.0+cpu\nAssertionError: Torch not compiled with CUDA enabled"
    )
    assert typed(remedies(text, "torch-cpu-wheel")) == "./webui.sh --use-ipex --reinstall"


LINUX_ONLY = {
    "kernel-too-old",
    "kernel-driver-unbound",
    "kernel-regression",
    "wsl-setup",
    "device-permission",
    "container-no-device",
    "gpu-hang-logged",
    "glibc-too-old",
}
WINDOWS_TEXTS = [
    "OS: Microsoft Windows 11 Pro\nGPU: Arc A770\nAbort was called at 718 line in file:\nthe GPU hung and was reset",
    r"Windows 10, torch 2.9.1+xpu, Arc B580: RuntimeError: level_zero backend failed with error: 20 (UR_RESULT_ERROR_DEVICE_LOST) C:\comfy\main.py",
    "Windows 11 24H2, Core Ultra 7 258V: torch.xpu.is_available() is False, XPU device count is zero!",
    "OS: Windows 11\nzeInit returned 78000001\nit began after an update of the driver",
]


@pytest.mark.parametrize("text", WINDOWS_TEXTS)
def test_windows_has_no_faults_of_linux(text: str) -> None:
    """Neither a code nor a line of Linux is offered."""
    found = roots(text)
    assert found
    assert not LINUX_ONLY & {root.code for root in found}
    lines = "\n".join(line for root in found for remedy in root.remedies for line in (*remedy.commands, *remedy.verify))
    assert not any(word in lines for word in ("sudo ", "apt-get", "export ", "/dev/dri", "dmesg"))
    assert "compute-runtime/issues" not in "".join(remedy.url for root in found for remedy in root.remedies)


def test_wsl_is_not_native_windows() -> None:
    """In WSL the codes of Linux stay possible."""
    text = "Windows 11, WSL2 with Ubuntu 24.04, Arc A770, torch 2.9.1+xpu: XPU device count is zero!"
    assert "wsl-setup" in {root.code for root in roots(text)}


@pytest.mark.parametrize(
    ("where", "expected", "never"),
    [
        ("docker run --device /dev/dri -it image bash", "docker run --device", "podman"),
        (
            "docker compose up; services:\n  web:\n    image: x/y:1\n    container_name: web",
            "docker compose up -d",
            "docker run",
        ),
        ("podman run --device /dev/dri image", "keep-groups", "docker run"),
        ("an unprivileged LXC on Proxmox VE 8 (6.8.12-4-pve)", "pct set CTID --dev0", "docker run"),
        ("an LXC container made with lxc-create", "lxc-start", "docker run"),
        ("kubectl logs pod/web, a Kubernetes pod with gpu.intel.com/i915: 1", "kubectl describe node", "docker run"),
    ],
)
def test_each_container_its_own_way(where: str, expected: str, never: str) -> None:
    """The node is given by what runs the container, on the host."""
    text = (
        f"{where}\nUbuntu 24.04 container, Arc A770, torch 2.9.1+xpu: XPU device count is zero!\n"
        "crw-rw---- 1 root render 226, 128 Nov 1 10:00 renderD128\nuid=1000(app) gid=1000(app) groups=1000(app)\n"
        "PermissionError: [Errno 13] Permission denied: '/dev/dri/renderD128'\n"
    )
    offered = remedies(text, "device-permission")
    assert expected in typed(offered)
    assert never not in typed(offered)
    assert any(remedy.title.startswith(("On the ", "Ask the cluster")) for remedy in offered)
    assert "sudo usermod -aG render,video" not in typed(offered)


def test_docker_inside_lxc_has_both_steps() -> None:
    """The node passes the guest first, then the container in it."""
    text = (
        "Proxmox, unprivileged LXC, in it docker compose (container_name: web)\nXPU device count is zero!\n"
        "PermissionError: [Errno 13] Permission denied: '/dev/dri/renderD128'\n"
    )
    titles = [remedy.title for remedy in remedies(text, "device-permission")]
    assert titles[0].startswith("On the Proxmox host")
    assert any("compose file" in title for title in titles)


@pytest.mark.parametrize(
    "text",
    [
        "torch 2.1.0a0 with intel_extension_for_pytorch 2.1.10+xpu\nImportError: libmkl_sycl.so.3: cannot open shared object file: No such file or directory",
        'import intel_extension_for_pytorch as ipex\nOSError: [WinError 126] The specified module could not be found. Error loading "C:\\x\\torch\\lib\\backend_with_compiler.dll" or one of its dependencies.',
        "ipex-llm[xpu], torch 2.1: ImportError: libsycl.so.7: cannot open shared object file: No such file or directory",
    ],
)
def test_no_torch_under_the_extension(text: str) -> None:
    """A torch that is installed under the extension breaks it: the way over is an environment of its own."""
    first = roots(text)[0]
    assert "pip install --force-reinstall" not in typed(first.remedies)
    assert "-m venv torch-xpu" in typed(first.remedies)
    assert "has ended" in first.remedies[0].why


def test_a_native_torch_is_no_stack_of_the_extension() -> None:
    """Who left the extension behind is not told to leave it."""
    text = "I no longer use ipex. torch 2.10.0+xpu\nImportError: libmkl_sycl_blas.so.5: cannot open shared object file: No such file or directory"
    assert "venv torch-xpu" not in typed(roots(text)[0].remedies)


@pytest.mark.parametrize(
    "text",
    [
        "torch 2.9.1+xpu\nRuntimeError: The device (Intel(R) Arc(TM) Graphics) doesn't support querying the available free memory.",
        "torch 2.9.1+xpu\nRuntimeError: No available kernel. Aborting execution.",
        "torch 2.9.1+xpu\nRuntimeError: XPU device architecture does not support flash attention",
    ],
)
def test_no_fallback_for_what_is_no_operator(text: str) -> None:
    """The fallback to the processor is for operators."""
    assert "PYTORCH_ENABLE_XPU_FALLBACK" not in typed(remedies(text, "op-unsupported"))


def test_the_fallback_stays_for_operators() -> None:
    """A missing operator can run on the processor."""
    text = "torch 2.9.1+xpu\nNotImplementedError: The operator 'aten::foo' is not currently implemented for the XPU device."
    assert "PYTORCH_ENABLE_XPU_FALLBACK=1" in typed(remedies(text, "op-unsupported"))


def test_a_windows_driver_is_rolled_back() -> None:
    """Windows' driver has a page, a way back and a tracker of its own."""
    text = "OS: Windows 11\nArc A770\nAbort was called at 718 line in file:\nC:\\comfy\\main.py"
    offered = remedies(text, "gpu-driver-bug")
    assert "Roll Back Driver" in offered[0].why
    assert "intel.com" in offered[0].url
    assert all("compute-runtime" not in remedy.url for remedy in offered)


def test_torch_is_installed_once() -> None:
    """Of several causes the first alone brings a torch."""
    text = (
        "ipex-mismatch? torch 2.1\nImportError: libmkl_sycl.so.3: cannot open shared object file: No such file or directory\n"
        "import intel_extension_for_pytorch\nAssertionError: Torch not compiled with XPU enabled\nModuleNotFoundError: No module named 'triton'"
    )
    bringing = [root.code for root in roots(text) if "download.pytorch.org" in typed(root.remedies)]
    assert len(bringing) == 1


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("python -m pip list", "X -m pip list"),
        ("SYCL_UR_TRACE=1 python -c 'x'", "SYCL_UR_TRACE=1 X -c 'x'"),
        ("python3 -m torch.utils.collect_env", "X -m torch.utils.collect_env"),
        ("ls /usr/bin/python3", "ls /usr/bin/python3"),
        (".venv/bin/python -V", ".venv/bin/python -V"),
    ],
)
def test_the_bare_name_alone_is_replaced(line: str, expected: str) -> None:
    """A path that names a Python already stays."""
    assert with_python(line, "X") == expected
    assert with_python(line, "") == line


@pytest.mark.parametrize("system", ["Windows 11", "Windows 10, Core Ultra 9 288V"])
def test_ai_playground_installs_its_own(system: str) -> None:
    """AI Playground brings Python and torch: nothing is installed by pip there."""
    text = f"AI Playground 2.6, {system}\nOSError: [WinError 126] The specified module could not be found. Error loading backend_with_compiler.dll"
    offered = roots(text)[0].remedies
    assert "AI Playground" in offered[0].title
    assert "pip install" not in typed(offered)


@pytest.mark.parametrize(
    "text",
    [
        "llama-server: error while loading shared libraries: libsycl.so.8: cannot open shared object file: No such file or directory",
        "./llama-cli: error while loading shared libraries: libmkl_sycl_blas.so.5: cannot open shared object file: No such file or directory",
    ],
)
def test_no_torch_for_programs_without_torch(text: str) -> None:
    """A program of SYCL alone is not mended by a torch."""
    offered = roots(f"Ubuntu 24.04\n{text}")[0].remedies
    assert "torch" not in typed(offered)
    assert "setvars" in typed(offered)


def test_one_gpu_is_not_advised_to_who_uses_it() -> None:
    """A remedy does not tell to try what the text has tried."""
    text = "vLLM with tensor parallel 2: oneCCL: ze_fd_manager error, it hangs. With one GPU it works. torch 2.9.1+xpu"
    found = [root for root in roots(text) if root.code == "collectives-bug"]
    assert found
    assert all("Try one GPU" not in remedy.title for remedy in found[0].remedies)

"""Logs of applications that run well on an Intel GPU, the noise that they print all the same, and real failures that may follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from hypothesis import strategies as st

from xpu_doctor.tables.line_rows import HarmlessRow
from xpu_doctor.tables.rows import rows

APPLICATIONS: Mapping[str, tuple[str, ...]] = {
    "ComfyUI": (
        "Total VRAM 11873 MB, total RAM 65305 MB", "pytorch version: 2.9.1+xpu", "Set vram state to: NORMAL_VRAM",
        "Device: xpu:0 Intel(R) Arc(TM) B580 Graphics", "Using pytorch attention", "Python version: 3.12.10 (main, Apr 2026)",
        "ComfyUI version: 0.8.1", "ComfyUI frontend version: 1.36.4", "Import times for custom nodes:", "   0.0 seconds: /opt/ComfyUI/custom_nodes/a.py",
        "Starting server", "To see the GUI go to: http://127.0.0.1:8188", "got prompt", "Requested to load SDXL",
        "loaded completely; 95367431640625005117571072.00 MB usable, 4897.05 MB loaded, full load: True",
        "100%|██████████| 20/20 [00:09<00:00,  2.11it/s]", "Prompt executed in 14.20 seconds",
    ),
    "SD.Next": (
        "11:02:33-123456 INFO     Starting SD.Next", "11:02:33-223456 INFO     Python: version=3.12.9 platform=Linux",
        "11:02:35-323456 INFO     Torch: torch==2.9.1+xpu torchvision==0.24.1+xpu",
        "11:02:37-423456 INFO     Device: device=Intel(R) Arc(TM) A770 Graphics n=1 ipex=", "11:02:40-523456 INFO     Local URL: http://localhost:7860/",
        "11:02:41-623456 INFO     Startup time: 9.41 torch=4.1 libraries=2.3",
        "Progress  1.94it/s ███████████████████ 100% 20/20 00:10 00:00 Base",
    ),
    "vLLM": (
        "INFO 07-01 10:00:00 [__init__.py:241] Automatically detected platform xpu.",
        "(EngineCore_0 pid=211) INFO 07-01 10:00:09 [core.py:64] Initializing a V1 LLM engine (v0.11.0) with config: model='Qwen/Qwen3-8B', device_config=xpu",
        "(EngineCore_0 pid=211) INFO 07-01 10:00:40 [xpu_worker.py:101] Using device: xpu",
        "(EngineCore_0 pid=211) INFO 07-01 10:00:41 [kv_cache_utils.py:864] GPU KV cache size: 41,216 tokens",
        "(APIServer pid=1) INFO 07-01 10:01:00 [api_server.py:1912] Starting vLLM API server 0 on http://0.0.0.0:8000",
        "(APIServer pid=1) INFO:     Application startup complete.",
        "(APIServer pid=1) INFO 07-01 10:02:00 [loggers.py:127] Engine 000: Avg prompt throughput: 1.9 tokens/s, Avg generation throughput: 22.6 tokens/s,"
        " Running: 1 reqs, Waiting: 0 reqs, GPU KV cache usage: 0.4%",
    ),
    "llama.cpp": (
        "ggml_sycl_init: found 1 SYCL devices:", "|ID|        Device Type|                                   Name|Version|units  |group |",
        "| 0| [level_zero:gpu:0]|                Intel Arc A770 Graphics|  12.55|    512|    1024|",
        "llama_model_load_from_file_impl: using device SYCL0 (Intel(R) Arc(TM) A770 Graphics) - 15473 MiB free",
        "load_tensors: offloaded 33/33 layers to GPU", "load_tensors:        SYCL0 model buffer size =  4403.49 MiB",
        "llama_perf_context_print:        eval time =    6310.20 ms /   255 runs   (   24.75 ms per token,    40.41 tokens per second)",
    ),
    "Ollama": (
        "time=2026-02-03T10:00:00.000Z level=INFO source=routes.go:1298 msg=\"Listening on 127.0.0.1:11434 (version 0.9.3)\"",
        "found 1 SYCL devices:", "using device SYCL0 (Intel(R) Arc(TM) 140V GPU (16GB))", "load_tensors:        SYCL0 model buffer size =  4403.49 MiB",
        "eval rate:            21.20 tokens/s",
    ),
    "web interface": (
        "Launching Web UI with arguments: --use-ipex", "Torch detected GPU: Intel(R) Arc(TM) A770 Graphics VRAM 16225 Arch (12, 55, 8) Cores 512",
        "Loading weights [6ce0161689] from /models/v1-5.safetensors", "Running on local URL:  http://127.0.0.1:7860",
        "Startup time: 12.1s (import torch: 4.2s).", "100%|██████████| 20/20 [00:05<00:00,  3.61it/s]",
    ),
    "transformers": (
        "$ python generate.py", "torch 2.10.0+xpu", "Device set to use xpu:0", "Loading checkpoint shards: 100%|██████████| 2/2 [00:01<00:00,  1.40it/s]",
        "tensor([[1, 22172]], device='xpu:0')", "generated 128 tokens, 31.4 tokens/s",
    ),
    "a session": (
        ">>> import torch", ">>> torch.__version__", "'2.9.1+xpu'", ">>> torch.xpu.is_available()", "True", ">>> torch.xpu.get_device_name(0)",
        "'Intel(R) Arc(TM) B580 Graphics'", ">>> torch.ones(2, device='xpu') * 2", "tensor([2., 2.], device='xpu:0')",
    ),
    "collect_env": (
        "Collecting environment information...", "PyTorch version: 2.9.1+xpu", "Is debug build: False", "CUDA used to build PyTorch: None",
        "OS: Ubuntu 24.04.3 LTS (x86_64)", "Python platform: Linux-6.14.0-33-generic-x86_64-with-glibc2.39", "Is CUDA available: False",
        "CUDA runtime version: No CUDA", "GPU models and configuration: No CUDA", "Nvidia driver version: No CUDA", "Is XPU available: True",
        "XPU used to build PyTorch: 20250201", "HIP runtime version: N/A", "Is XNNPACK available: True", "[pip3] torch==2.9.1+xpu", "Intel GPU models detected:",
        "* [0] _XpuDeviceProperties(name='Intel(R) Arc(TM) B580 Graphics', platform_name='Intel(R) oneAPI Unified Runtime over Level-Zero', type='gpu',"
        " driver_version='1.6.33578+15', total_memory=11605MB, max_compute_units=160)",
    ),
    "InvokeAI": (
        "[2026-01-03 10:00:00,123]::[InvokeAI]::INFO --> Using torch device: Intel(R) Arc(TM) B580 Graphics",
        "[2026-01-03 10:00:01,200]::[InvokeAI]::INFO --> cuDNN version: 0",
        "[2026-01-03 10:00:02,200]::[uvicorn.error]::INFO --> Uvicorn running on http://127.0.0.1:9090 (Press CTRL+C to quit)",
    ),
    "SGLang": (
        "[2026-02-01 10:00:00] server_args=ServerArgs(model_path='Qwen/Qwen3-8B', device='xpu', tp_size=1)",
        "[2026-02-01 10:00:20] Load weight end. avail mem=4.21 GB", "[2026-02-01 10:00:30] The server is fired up and ready to roll!",
        "[2026-02-01 10:00:40] Decode batch. #running-req: 1, gen throughput (token/s): 31.22",
    ),
    "Lightning": (
        "GPU available: True (xpu), used: True", "TPU available: False, using: 0 TPU cores", "HPU available: False, using: 0 HPUs",
        "Epoch 0: 100%|██████████| 100/100 [00:10<00:00,  9.71it/s, v_num=0]",
    ),
    "text generation": (
        "10:00:00-123456 INFO     Starting Text generation web UI", "10:00:03-123456 INFO     Using device: xpu",
        "Running on local URL:  http://127.0.0.1:7860", "10:01:00-123456 INFO     Output generated in 9.21 seconds (21.71 tokens/s, 200 tokens)",
    ),
    "a compose file": (
        "$ docker compose up", "comfyui-1  | Device: xpu:0 Intel(R) Arc(TM) A380 Graphics", "comfyui-1  | Import times for custom nodes:",
        "comfyui-1  |    0.1 seconds (IMPORT FAILED): /comfy/custom_nodes/foo", "comfyui-1  | To see the GUI go to: http://0.0.0.0:8188",
    ),
    "an environment": (
        "- `Accelerate` version: 1.11.0", "- Platform: Linux-6.14.0-generic", "- `Accelerate` default config:", "\tNot found",
        "- PyTorch version: 2.9.1+xpu", "- PyTorch accelerator: XPU", "- XPU type: Intel(R) Arc(TM) B580 Graphics",
    ),
    "a test run": (
        "$ pytest tests -q --device xpu", "torch 2.11.0+xpu", "Using device: xpu", "====== 214 passed, 3 skipped in 61.02s ======",
    ),
    "training": (
        "Unsloth: Fast Qwen3 patching. Transformers: 4.57.", "Hardware detected: XPU — Intel(R) Arc(TM) B580 Graphics",
        "{'loss': 1.204, 'grad_norm': 0.81, 'learning_rate': 2e-05, 'epoch': 0.1}", "100%|██████████| 60/60 [02:11<00:00,  2.19s/it]",
    ),
    "a service": (
        "$ curl localhost:7860/api/system/devices", "[", "  {\"type\": \"cpu\", \"name\": \"CPU\"},",
        "  {\"type\": \"xpu\", \"name\": \"Intel(R) Arc(TM) A770 Graphics\", \"memory\": 16225243136}",
    ),
}  # fmt: skip
"""What applications print that run well, in order."""

OTHER_NOISE = (
    "Found comfy_kitchen backend eager: {'available': True, 'disabled': False, 'unavailable_reason': None}",
    "WARNING: xformers is not installed, so memory-efficient attention is off", "No module 'xformers'. Proceeding without it.",
    "sageattention not found, falling back to sdpa", "bitsandbytes is not available on this platform, 8-bit optimisers are off",
    "apex is not installed, using torch.nn.LayerNorm", "flash_attn is not installed; eager attention is used",
    "UserWarning: CUDA is not available or torch_xla is imported. Disabling autocast.",
    "/venv/lib/python3.12/site-packages/torch/cuda/__init__.py:61: FutureWarning: The pynvml package is deprecated.",
    "/venv/lib/python3.12/site-packages/timm/models/layers/__init__.py:48: FutureWarning: Importing from timm.models.layers is deprecated",
    "DeprecationWarning: invalid escape sequence '\\d'", "INFO CUDA not available on this machine", "WARNING NVIDIA driver not found, skipping NVML",
    "CLIP/text encoder model load device: xpu:0, offload device: cpu, current: cpu, dtype: torch.float16",
    "clip missing: ['text_projection.weight']", "Prestartup times for custom nodes:", "FETCH ComfyRegistry Data: 5/90",
    "[Prompt Server] web root: /opt/ComfyUI/web", "model weight dtype torch.float16, manual cast: None", "model_type EPS", "adm 2816",
    "[W802 10:11:12.000000000 OperatorEntry.cpp:155] Warning: Overriding a previously registered kernel for the same operator",
    "    registered at /pytorch/build/aten/src/ATen/RegisterSchema.cpp:6", "  dispatch key: XPU",
    "[INFO] comfy-aimdo failed to load: Could not find module 'aimdo.dll' (or one of its dependencies). NOTE: comfy-aimdo supports Nvidia only",
    "wmic is not recognized as an internal or external command, operable program or batch file.",
    "NumExpr defaulting to 8 threads.", "WARNING: The directory '/root/.cache/pip' or its parent directory is not owned by the current user.",
    "torchao is not installed, quantisation is off", "Clang version: Could not collect", "[conda] Could not collect", "oneccl==2021.16.1",
    "W0701 10:00:00.000000 12 torch/distributed/elastic/multiprocessing/redirects.py:29] NOTE: Redirects are currently not supported in Windows or MacOs.",
    "Special tokens have been added in the vocabulary, make sure the associated word embeddings are fine-tuned or trained.",
)  # fmt: skip
"""Noise in other words than those of the table's examples."""

EXAMPLES = tuple(example for row in rows(HarmlessRow) for example in row.examples)
DROPPED_CONNECTION = (
    "Exception in callback _ProactorBasePipeTransport._call_connection_lost()",
    "handle: <Handle _ProactorBasePipeTransport._call_connection_lost()>",
    "Traceback (most recent call last):",
    '  File "C:\\Python312\\Lib\\asyncio\\events.py", line 88, in _run',
    "    self._context.run(self._callback, *self._args)",
    '  File "C:\\Python312\\Lib\\asyncio\\proactor_events.py", line 165, in _call_connection_lost',
    "    self._sock.shutdown(socket.SHUT_RDWR)",
    "ConnectionResetError: [WinError 10054] An existing connection was forcibly closed by the remote host",
)


class Failure(NamedTuple):
    """A real failure, and the codes one of which it must lead to."""

    lines: tuple[str, ...]
    codes: frozenset[str]


_IN_APPLICATION = ("Traceback (most recent call last):", '  File "/opt/app/worker.py", line 31, in step')
FAILURES = (
    Failure(
        (*_IN_APPLICATION, "NotImplementedError: The operator 'aten::_linalg_eigvals' is not currently implemented for the XPU device."),
        frozenset({"op-unsupported"}),
    ),
    Failure((*_IN_APPLICATION, "torch.OutOfMemoryError: XPU out of memory. Tried to allocate 9.00 GiB."), frozenset({"out-of-memory"})),
    Failure(
        (*_IN_APPLICATION, "RuntimeError: level_zero backend failed with error: 20 (UR_RESULT_ERROR_DEVICE_LOST)"),
        frozenset({"gpu-driver-bug", "out-of-memory"}),
    ),
    Failure((*_IN_APPLICATION, "RuntimeError: Required aspect fp64 is not supported on the device"), frozenset({"fp64-unsupported"})),
    Failure(
        (*_IN_APPLICATION, "RuntimeError: Cannot re-initialize XPU in forked subprocess. To use XPU with multiprocessing, you must use 'spawn'"),
        frozenset({"fork-reinit"}),
    ),
    Failure((*_IN_APPLICATION, "RuntimeError: Failed to find C compiler. Please specify via CC environment variable."), frozenset({"compile-toolchain"})),
    Failure((*_IN_APPLICATION, "AssertionError: Torch not compiled with CUDA enabled"), frozenset({"app-requests-cuda"})),
    Failure((*_IN_APPLICATION, "KeyError: 'scheduler'"), frozenset({"app-bug"})),
    Failure(
        (*_IN_APPLICATION, "RuntimeError: Distributed package doesn't have XCCL built in"), frozenset({"xccl-unavailable"})
    ),
    Failure((*_IN_APPLICATION, "ModuleNotFoundError: No module named 'triton'"), frozenset({"triton-xpu-missing"})),
)  # fmt: skip
UNEXPLAINED = (
    ("RuntimeError: the frobnicator is jammed",),
    ("Segmentation fault (core dumped)",),
    ("Process finished with exit code 3221225477",),
    ("terminate called after throwing an instance of 'std::logic_error'", "Aborted (core dumped)"),
    ("[ERROR] An error occurred while sampling",),
    ("*** subprocess exited with code 134",),
    ("thread 'main' panicked: panic: index out of bounds",),
    ("3 failed, 211 passed in 61.02s",),
)
"""Failures whose cause their lines do not show."""


@st.composite
def healthy(draw: st.DrawFn) -> str:
    """Draw the log of one application, with noise anywhere before its last line."""
    lines = list(APPLICATIONS[draw(st.sampled_from(sorted(APPLICATIONS)))])
    blocks = st.one_of(
        st.sampled_from(EXAMPLES).map(lambda line: (line,)),
        st.sampled_from(OTHER_NOISE).map(lambda line: (line,)),
        st.just(DROPPED_CONNECTION),
    )
    for block in draw(st.lists(blocks, max_size=8)):
        place = draw(st.integers(0, len(lines) - 2))
        lines[place:place] = block
    return "\n".join(lines) + "\n"

"""Whose code a traceback ends in: the standard library's frames are those of whoever called it."""

from __future__ import annotations

import pytest

from xpu_doctor.pasted.readers.collected import Text
from xpu_doctor.pasted.snapshots import read
from xpu_doctor.text.word_index import IndexedText

LIBRARY = (
    "/usr/lib/python3.12/threading.py",
    "/root/.pyenv/versions/3.11.7/lib/python3.11/asyncio/runners.py",
    "/opt/miniconda3/envs/llm/lib/python3.10/json/decoder.py",
    "/usr/lib/python3.13t/threading.py",
    "C:\\Python312\\Lib\\threading.py",
    "C:\\Users\\u\\AppData\\Local\\Programs\\Python\\Python311\\Lib\\concurrent\\futures\\thread.py",
    "C:\\Users\\u\\miniconda3\\envs\\comfy\\Lib\\asyncio\\base_events.py",
    "C:\\Users\\u\\anaconda3\\lib\\runpy.py",
    "<frozen importlib._bootstrap>",
)
OWNERS = {
    "application": (
        "/home/u/ComfyUI/nodes.py",
        "/opt/v/lib/python3.12/site-packages/transformers/models/auto.py",
        "C:\\AI\\python_embeded\\Lib\\site-packages\\diffusers\\pipe.py",
        "/usr/lib/python3/dist-packages/app/main.py",
        "D:\\app\\lib\\model.py",
    ),
    "torch": (
        "/opt/v/lib/python3.12/site-packages/torch/nn/functional.py",
        "C:\\v\\Lib\\site-packages\\torch\\_tensor.py",
    ),
    "triton": ("/opt/v/lib/python3.12/site-packages/triton/compiler/compiler.py",),
    "ipex": ("/opt/v/lib/python3.11/site-packages/intel_extension_for_pytorch/xpu/__init__.py",),
}


def last_frame(*paths: str) -> object:
    """What is read from a traceback of these frames."""
    frames = "\n".join(f'  File "{path}", line 12, in run\n    call()' for path in paths)
    text = f"Traceback (most recent call last):\n{frames}\nValueError: bad\n"
    (snapshot,) = read([Text.of(IndexedText(text), "text")])
    return snapshot.pasted.last_frame


@pytest.mark.parametrize(("owner", "path"), [(owner, path) for owner, paths in OWNERS.items() for path in paths])
def test_the_last_frame_tells_whose_code_it_is(owner: str, path: str) -> None:
    assert last_frame(path) == owner


@pytest.mark.parametrize(("owner", "path"), [(owner, path) for owner, paths in OWNERS.items() for path in paths])
@pytest.mark.parametrize("library", LIBRARY)
def test_frames_of_the_standard_library_do_not_count(owner: str, path: str, library: str) -> None:
    assert last_frame(path, library) == owner
    assert last_frame(library, path) == owner


def test_a_traceback_of_the_standard_library_alone_tells_nothing() -> None:
    assert last_frame(*LIBRARY) not in ("application", "torch")

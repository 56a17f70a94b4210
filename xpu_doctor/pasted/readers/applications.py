"""Recognises applications by their start-up lines, paths and names."""

from __future__ import annotations

from xpu_doctor.model.facts.pasted import Application
from xpu_doctor.pasted.readers.collected import Collected, Text
from xpu_doctor.text.late_pattern import late_pattern

_KNOWN: tuple[tuple[str, str, str], ...] = (
    ("ComfyUI", "comfy", r"(?i)\bcomfyui\b|[/\\]comfy[/\\]"),
    ("SD.Next", "sd", r"(?i)\bSD\.Next\b|\bsdnext\b"),
    ("stable-diffusion-webui", "webui", r"(?i)stable-diffusion-webui|\bA1111\b|webui-user"),
    ("vLLM", "vllm", r"(?i)\bvllm\b"),
    ("SGLang", "sglang", r"(?i)\bsglang\b"),
    ("llama.cpp", "llama", r"(?i)\bllama(?:\.cpp|-cli|-server|-cpp)\b"),
    ("Ollama", "ollama", r"(?i)\bollama\b"),
    ("AI Playground", "playground", r"(?i)\bAI[- ]?Playground\b"),
    ("text-generation-webui", "oobabooga", r"(?i)text-generation-webui|oobabooga"),
    ("Krita AI Diffusion", "krita", r"(?i)\bkrita\b"),
    ("ipex-llm", "ipex", r"(?i)\b(?:ipex|bigdl)[-_]llm\b"),
    ("Transformers", "transformers", r"[/\\]transformers[/\\]"),
    ("Accelerate", "accelerate", r"[/\\]accelerate[/\\]"),
    ("Diffusers", "diffusers", r"[/\\]diffusers[/\\]"),
    ("bitsandbytes", "bitsandbytes", r"(?i)\bbitsandbytes\b"),
    ("Unsloth", "unsloth", r"(?i)\bunsloth\b"),
    ("Ultralytics", "ultralytics", r"(?i)\bultralytics\b"),
    ("Whisper", "whisper", r"(?i)\b(?:faster-)?whisper\w*\b"),
    ("Lightning", "lightning", r"(?i)[/\\](?:pytorch_)?lightning[/\\]"),
)
NAMES = frozenset(name for name, _, _ in _KNOWN)
_PATTERNS = tuple((name, word, late_pattern(pattern)) for name, word, pattern in _KNOWN)


def parse(text: Text, facts: Collected) -> None:
    """Note the applications that a text names."""
    for name, word, pattern in _PATTERNS:
        if name not in facts.applications and text.has(word):
            found = text.first(pattern, word)
            if found:
                facts.applications[name] = Application(name, "", text.place(found.start()))

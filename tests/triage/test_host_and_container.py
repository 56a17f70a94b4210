"""A container and its host in one text: each has its own torch, and the host's render node shows its kernel at work."""

from __future__ import annotations

import pytest

from xpu_doctor.catalogue.names import all_rules
from xpu_doctor.model.findings import Finding
from xpu_doctor.pasted.run import triage_texts
from xpu_doctor.text.safe import from_bytes

NODES = "crw-rw---- 1 root video 226, 0 Nov 20 09:00 card0\ncrw-rw---- 1 root render 226, 128 Nov 20 09:00 renderD128\n"


def roots(text: str) -> tuple[Finding, ...]:
    """The root causes of a text."""
    return triage_texts([("text", from_bytes(text.encode(), "text"))], rules=all_rules()).diagnosis.root_causes


@pytest.mark.parametrize(
    "text",
    [
        "on the host 2.12.1+cpu; in the container root@cd12ab34ef56# 2.12.1+xpu False\n",
        "On my host torch is 2.12.1+cpu, inside the container torch 2.12.1+xpu says False\n",
        "From the host: 2.12.1+cpu. From within the container: torch.xpu.is_available() False with 2.12.1+xpu\n",
        'On the host I have 2.12.1+cpu; in the container:\nroot@cd12ab34ef56:/app# python -c "import torch; '
        'print(torch.__version__, torch.xpu.is_available())"\n2.12.1+xpu False\n',
    ],
)
def test_the_torch_of_the_host_is_not_the_one_that_fails(text: str) -> None:
    assert all(root.code != "torch-cpu-wheel" for root in roots(text))


@pytest.mark.parametrize("image", ["ubuntu:24.04", "intel/vllm:0.14-xpu", "my/app:3"])
@pytest.mark.parametrize("missing", ["ls: cannot access '/dev/dri': No such file or directory", "/dev/dri: not found"])
def test_a_render_node_of_the_host_shows_its_kernel_at_work(image: str, missing: str) -> None:
    found = roots(
        f"On the host:\n$ ls -l /dev/dri\n{NODES}$ docker run -it {image} bash\nroot@cd12ab34ef56:/# ls /dev/dri\n{missing}\n"
    )
    assert found[0].code == "container-no-device"
    assert not {"kernel-too-old", "vm-no-passthrough"} & {root.code for root in found}


def test_a_cpu_build_in_the_container_is_its_fault() -> None:
    text = "on the host 2.12.1+cpu; in the container root@cd12ab34ef56# torch 2.12.1+cpu False\n"
    assert roots(text)[0].code == "torch-cpu-wheel"


@pytest.mark.parametrize(
    "host", ["Debian 12 host", "Ubuntu 22.04 host", "a Debian 12 (bookworm) host", "Debian 11 docker host"]
)
@pytest.mark.parametrize("number", ["104", "992"])
def test_a_group_that_is_a_number_comes_before_the_image(host: str, number: str) -> None:
    text = (
        f"{host}, image intel/vllm:0.14-xpu\nservices:\n  llm:\n    image: intel/vllm:0.14-xpu\n    devices:\n      - /dev/dri:/dev/dri\n"
        f'    group_add: ["video"]\n$ ls -ln /dev/dri\ncrw-rw---- 1 0 {number} 226, 128 Nov 20 09:00 renderD128\n'
        "torch.xpu.is_available() is False in the container.\n"
    )
    found = roots(text)
    assert found[0].code == "device-permission"
    assert not any("Upgrade to Debian" in remedy.title for root in found for remedy in root.remedies)

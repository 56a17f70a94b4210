"""Host and container in one text are told apart by prompts, by commands that open a container, and by headings; two machines are named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.parsers.strategies import hard
from xpu_doctor.api import triage
from xpu_doctor.pasted.readers.collected import Text
from xpu_doctor.pasted.readers.machines import two_machines
from xpu_doctor.pasted.readers.subjects import split

HOST = "HOST-OUTPUT"
INSIDE = "CONTAINER-OUTPUT"

BOTH = [
    f"anna@tower:~$ sycl-ls\n{HOST}\nanna@tower:~$ docker exec -it comfy bash\nroot@4f1a2b3c4d5e:/# sycl-ls\n{INSIDE}\n",
    f"anna@tower:~$ sycl-ls\n{HOST}\nanna@tower:~$ docker exec comfy clinfo\n{INSIDE}\nanna@tower:~$ uname -r\n6.8\n",
    f"(base) anna@tower:~$ docker run -it --net=host llm bash\nroot@tower:/llm# sycl-ls\n{INSIDE}\nroot@tower:/llm# exit\n(base) anna@tower:~$ clinfo\n{HOST}\n",
    f"anna@tower:~$ clinfo\n{HOST}\nanna@tower:~$ sudo docker run --rm -it \\\n  --device /dev/dri \\\n  image\nroot@inner:/workspace# clinfo\n{INSIDE}\n",
    f"[anna@box ~]$ podman exec -it c sh\n/ # clinfo\n{INSIDE}\n/ # exit\n[anna@box ~]$ clinfo\n{HOST}\n",
    f"root@pve:~# uname -r\n{HOST}\nroot@pve:~# pct enter 104\nroot@ct104:~# clinfo\n{INSIDE}\n",
    f"anna@tower:~$ ls /dev/dri\n{HOST}\nanna@tower:~$ kubectl exec -it vllm-0 -- bash\nroot@vllm-0:/vllm-workspace# clinfo\n{INSIDE}\n",
    f"$ clinfo\n{HOST}\n$ docker exec comfy clinfo\n{INSIDE}\n$ uname -r\n6.8\n",
    f"On the host:\n{HOST}\n\nInside the container:\n{INSIDE}\n",
    f"> anna@tower:~$ clinfo\n> {HOST}\n> root@0123456789ab:/app# clinfo\n> {INSIDE}\n",
    f"anna@tower:~$ lxc exec gpu -- clinfo\n{INSIDE}\nanna@tower:~$ clinfo\n{HOST}\n",
    f"anna@tower:~/llm$ distrobox enter ml\nanna@ml:~$ clinfo\n{INSIDE}\nanna@ml:~$ exit\nanna@tower:~/llm$ clinfo\n{HOST}\n",
]

ONE = [
    f"anna@tower:~$ clinfo\n{HOST}\n",
    f"anna@tower:~$ docker run -d --name x image\nabcdef\nanna@tower:~$ docker logs x\n{HOST}\n",
    f"anna@tower:~$ docker run -itd image\nabcdef\nanna@tower:~$ clinfo\n{HOST}\n",
    f"anna@tower:~$ ls /dev/dri\ncard0\nroot@tower:/home/anna# clinfo\n{HOST}\n",
    f"$ docker run -it image bash\n{INSIDE}\n",
    f"I ran docker exec -it comfy bash and then clinfo.\n{INSIDE}\n",
    f"root@tower:/# clinfo\n{HOST}\nroot@tower:/# docker ps\nCONTAINER ID\n",
    f"anna@tower:~$ docker compose up\n{INSIDE}\nanna@tower:~$ clinfo\n{HOST}\n",
]


@pytest.mark.parametrize("text", BOTH)
def test_lines_of_host_and_container_are_kept_apart(text: str) -> None:
    parts = dict(split(Text(text)))
    assert set(parts) == {"host", "container"}
    assert HOST in parts["host"].body and HOST not in parts["container"].body
    assert INSIDE in parts["container"].body and INSIDE not in parts["host"].body
    assert len(parts["host"].body.split("\n")) == len(text.split("\n"))


@pytest.mark.parametrize("text", ONE)
def test_a_text_of_one_side_is_one_machine(text: str) -> None:
    assert [subject for subject, _ in split(Text(text))] == ["machine"]


@hard
@given(st.lists(st.sampled_from([line for text in (*BOTH, *ONE) for line in text.split("\n")]), max_size=30))
def test_no_line_is_lost_and_none_is_of_both(lines: list[str]) -> None:
    text = "\n".join(lines)
    parts = [part.body.split("\n") for _, part in split(Text(text))]
    assert all(len(part) == len(text.split("\n")) for part in parts)
    for number, line in enumerate(text.split("\n")):
        if line.strip():
            assert [part[number] for part in parts].count(line) == 1


SYCL = "[level_zero:gpu][level_zero:0] Intel(R) Level-Zero, Intel(R) Arc(TM) A770 Graphics 1.3 [1.3.29735]"


@pytest.mark.parametrize(
    "opens",
    [
        "anna@tower:~$ docker exec -it comfy bash\nroot@4f1a2b3c4d5e:/# sycl-ls\n",
        "anna@tower:~$ docker run -it --net=host img bash\nroot@tower:/llm# sycl-ls\n",
        "anna@tower:~$ docker exec comfy sycl-ls\n",
    ],
)
def test_what_fails_in_the_container_is_its_own(opens: str) -> None:
    """The host's GPU works; the findings are the container's, and say so."""
    text = f"anna@tower:~$ sycl-ls\n{SYCL}\n{opens}[opencl:cpu][opencl:0] Intel(R) OpenCL, Intel(R) Core(TM) i7 OpenCL 3.0\ntorch.xpu.is_available() -> False\n"
    document = triage(text)
    assert document.root_causes
    assert {root.subject for root in document.root_causes} == {"container"}


TWO = [
    ("anna@tower:~$ clinfo\nx\nanna@laptop:~$ clinfo\ny\n", "prompts"),
    ("[anna@tower ~]$ uname -r\n6.8\n[eve@node7 ~]$ uname -r\n6.11\n", "prompts"),
    ("Model name:      Intel(R) Core(TM) i5-12400F\ntext\nModel name:      AMD Ryzen 7 5800X\n", "processors"),
    (
        "OS: Ubuntu 24.04.3 LTS (x86_64)\nPyTorch version: 2.8.0\n\nOS: Microsoft Windows 11 Pro\nPyTorch version: 2.9.0\n",
        "operating systems",
    ),
    ("Linux tower 6.8.0-45-generic #45 SMP\nLinux node7 6.11.0-9-generic #9 SMP\n", "machines"),
]


@pytest.mark.parametrize(("text", "by"), TWO)
def test_two_machines_are_named(text: str, by: str) -> None:
    assert f"shows {by} of more than one machine" in two_machines([Text(text)])


def test_two_machines_in_two_texts_are_named_too() -> None:
    assert "more than one machine" in two_machines([Text("anna@tower:~$ ls\n"), Text("anna@laptop:~$ ls\n")])


@pytest.mark.parametrize(
    "text",
    [
        "anna@tower:~$ clinfo\nx\nroot@tower:~# clinfo\ny\n",
        "anna@tower:~$ docker exec -it c bash\nroot@4f1a2b3c4d5e:/# clinfo\n",
        "anna@tower:~$ docker run -it img\nroot@inner:/workspace# clinfo\n",
        "Model name: Intel(R) Core(TM) i5-12400F\nModel name: Intel(R) Core(TM) i5-12400F\n",
        "OS: Ubuntu 24.04 LTS\nin a docker container\nOS: Debian GNU/Linux 12\n",
        "in the docker container:\nLinux 4f1a2b3c4d5e 6.8.0-45-generic #45\nLinux tower 6.8.0-45-generic #45\n",
        "anna@example.org: mail\nbob@example.com: mail\n",
        "git@github.com:intel/x.git\ngit@gitlab.com:y/z.git\n",
        "Linux version 6.8.0 (a)\nLinux version 6.11.0 (b)\n",
    ],
)
def test_one_machine_is_not_called_two(text: str) -> None:
    assert two_machines([Text(text)]) == ""


def test_the_report_says_that_two_machines_are_mixed() -> None:
    document = triage("anna@tower:~$ python -c 'import torch'\nanna@laptop:~$ clinfo\nNumber of platforms 0\n")
    (note,) = (note for note in document.notes if "more than one machine" in note)
    assert "tower" not in note and "<host1>, <host2>" in note

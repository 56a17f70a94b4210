"""`id` in other languages, and the forms in which people show that torch finds the GPU."""

from __future__ import annotations

import pytest

from xpu_doctor.api import triage
from xpu_doctor.pasted.readers import device_nodes, system, torch_output
from xpu_doctor.pasted.readers.collected import Collected, Text

NODE = "crw-rw---- 1 root render 226, 128 Nov 26 10:11 /dev/dri/renderD128"
IDS = (
    "uid=1000(a) gid=1000(a) groups={}",
    "uid=1000(a) gid=1000(a) Gruppen={}",
    "uid=1000(a) gid=1000(a) groupes={}",
    "uid=1000(a) gid=1000(a) grupos={}",
    "uid=1000(a) gid=1000(a) gruppi={}",
    "uid=1000(a) gid=1000(a) grupy={}",
    "uid=1000(a) gid=1000(a) группы={}",
    "uid=1000(a) gid=1000(a) groepen={}",
    "uid=1000(a) gid=1000(a) skupiny={}",
    "uid=1000(a) gid=1000(a) グループ={}",
    "用户id=1000(a) 组id=1000(a) 组={}",
    "用戶識別碼=1000(a) 群組識別碼=1000(a) 群組={}",
)


def _read(text: str) -> Collected:
    facts = Collected()
    system.parse(Text(text), facts)
    device_nodes.parse(Text(text), facts)
    torch_output.parse(Text(text), facts)
    return facts


@pytest.mark.parametrize("line", IDS)
def test_groups_are_read_in_every_language(line: str) -> None:
    facts = _read(line.format("1000(a),27(sudo),993(render)"))
    assert facts.get("access.account_groups") == ("a", "sudo", "render")
    assert facts.get("access.session_groups") == (1000, 27, 993)
    assert facts.get("access.is_root") is False


@pytest.mark.parametrize("line", IDS)
def test_a_user_outside_the_group_is_found_in_every_language(line: str) -> None:
    told = f"torch 2.9.0+xpu on an Arc A770, torch.xpu.is_available() is False\n{NODE}\n"
    outside = triage(told + line.format("1000(a),27(sudo)"))
    inside = triage(told + line.format("1000(a),27(sudo),993(render)"))
    assert outside.root_causes[0].code == "device-permission"
    assert "device-permission" not in [root.code for root in inside.root_causes]


@pytest.mark.parametrize(
    "line",
    [
        "uid=1000(a) gid=1000(a)",
        "uid=1000 gid=1000 umask=022",
        "mount opts uid=1000,gid=1000,fmask=0022",
        "uid=1000(a) gid=1000(a) version=2.9.0",
        "uid=1000(a) gid=1000(a) euid=0(root)",
    ],
)
def test_what_has_no_groups_tells_none(line: str) -> None:
    facts = _read(line)
    assert facts.get("access.account_groups") in (None, ("022",))


WORKS = (
    "2.14.1+xpu True Intel(R) Arc(TM) B580 Graphics",
    "2.10.0+xpu True 2 Intel(R) Arc(TM) A770 Graphics",
    "$ python -c 'import torch; print(torch.__version__, torch.xpu.is_available())'\n2.9.0+xpu True",
    "('2.12.0+xpu', True, 'Intel(R) Arc(TM) B570 Graphics')",
    "In [2]: torch.xpu.is_available()\nOut[2]: True",
    "In [2]: (torch.__version__, torch.xpu.is_available())\nOut[2]: ('2.11.0+xpu', True)",
    "torch.xpu.is_available()\n# True",
    "torch.xpu.is_available() gibt jetzt True",
    "torch.xpu.is_available() ist wieder True",
    "torch.xpu.is_available() renvoie maintenant True",
    "torch.xpu.is_available() devuelve ahora True",
    "torch.xpu.is_available() теперь возвращает True",
    "torch.xpu.is_available() 现在返回 True",
    "torch.xpu.is_available() now returns True",
)


@pytest.mark.parametrize("text", WORKS)
def test_a_device_that_torch_finds_is_no_riddle(text: str) -> None:
    report = triage(text + "\n")
    assert (report.verdict, report.root_causes) == ("healthy", [])


@pytest.mark.parametrize("text", WORKS)
def test_the_same_with_false_is_no_success(text: str) -> None:
    assert _read(text.replace("True", "False")).get("xpu.available") is not True


@pytest.mark.parametrize(
    "text",
    [
        "torch.cuda.is_available()\n2.9.0+cu128 True NVIDIA GeForce RTX 3060",
        "print(torch.__version__, torch.cuda.is_available())\n2.9.0+cu128 True",
        "torch.xpu.is_available() should return True",
        "In [2]: torch.cuda.is_available()\nOut[2]: True",
        "2.14.1+xpu True NVIDIA RTX A2000",
        "torch 2.14.1+xpu, True story",
        "2.9.0+cu128 True 1\nuse torch.xpu.is_available() instead",
    ],
)
def test_another_success_is_none_of_the_gpu(text: str) -> None:
    assert _read(text + "\n").get("xpu.available") is not True

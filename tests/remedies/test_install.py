"""Which torch a remedy installs, for which manager, and what it says of settings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from xpu_doctor.model.facts import Distribution, Distributions, Installer, Python, Setting, Torch
from xpu_doctor.model.facts.combined import Installation
from xpu_doctor.model.findings import Remedy, Risk
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.remedies.install import reinstall, remains, wanted

SITE = "/venv/lib/python3.12/site-packages"
LINUX = Python(
    executable="/venv/bin/python",
    version="3.12.1",
    os="linux",
    architecture="x86_64",
    free_threaded=False,
    prefix="/venv",
    base_prefix="/opt/python",
    virtual_environment=True,
)
WINDOWS = replace(LINUX, executable="C:\\venv\\python.exe", os="windows", architecture="AMD64")
CPU = Torch(installed=True, version="2.14.0+cpu", build="cpu")
BARE = Distributions(installed=(Distribution("torch", version="2.14.0+cpu"),))
PIP = Installer(manager="pip", settings=(), has_pip=True)


def remedy(
    python: Python = LINUX, installed: Distributions = BARE, installer: Installer = PIP, torch: Torch = CPU
) -> Remedy:
    """The first remedy."""
    return reinstall(Installation(python, installed, installer, torch))[0]


@pytest.mark.parametrize(
    ("version", "python", "specs"),
    [
        ("2.14.0+cpu", "3.12.1", ("torch==2.14.0+xpu", "torchvision==0.29.0", "torchaudio==2.11.0")),
        ("2.8.0", "3.9.18", ("torch==2.8.0+xpu", "torchvision==0.23.0", "torchaudio==2.8.0")),
        ("2.14.1+cu130", "3.12.1", ("torch==2.14.1+xpu", "torchvision==0.29.1", "torchaudio==2.11.0")),
        ("2.15.0", "3.12.1", ("torch==2.14.1+xpu", "torchvision==0.29.1", "torchaudio==2.11.0")),
        ("2.3.1+cu121", "3.9.18", ("torch==2.8.0+xpu", "torchvision==0.23.0", "torchaudio==2.8.0")),
        ("2.9.1+cpu", "3.12.1", ("torch==2.9.1+xpu", "torchvision", "torchaudio")),
        ("2.15.0+xpu", "3.12.1", ("torch==2.15.0+xpu", "torchvision==0.29.2", "torchaudio==2.11.0")),
        ("2.14.0", "3.19.0", ("torch", "torchvision", "torchaudio")),
    ],
)
def test_version_to_install(version: str, python: str, specs: tuple[str, ...]) -> None:
    """The same release where its XPU wheel is sure, else the newest sure one for this Python, else what the index has."""
    found = wanted(replace(LINUX, version=python), Torch(version=version))
    assert found.specs == specs and not found.pre and found.index.endswith("/whl/xpu")


def test_nightly() -> None:
    """A nightly cannot be pinned by the table."""
    found = wanted(LINUX, Torch(version="2.16.0.dev20261101+cpu"))
    assert (
        found.pre and found.index.endswith("/whl/nightly/xpu") and found.specs == ("torch", "torchvision", "torchaudio")
    )


def test_downgrade_is_explained() -> None:
    """A person learns why another release is installed."""
    assert "2.15.0" in remedy(torch=replace(CPU, version="2.15.0")).why


def test_every_triton_that_is_present_is_uninstalled() -> None:
    """And none that is not; where nobody looked, all of them."""
    some = Distributions(installed=(Distribution("triton"), Distribution("pytorch-triton-xpu")))
    assert "uninstall -y pytorch-triton-xpu triton && " in remedy(installed=some).commands[0]
    assert "triton-windows" in remedy(installed=Distributions()).commands[0]
    assert "triton" not in remedy().commands[0]


def test_absent_torch_is_not_uninstalled() -> None:
    """Nothing to take out."""
    assert not any(
        "uninstall" in line
        for line in remedy(torch=Torch(installed=False), installed=Distributions(installed=())).commands
    )


@pytest.mark.parametrize(
    ("manager", "steps", "named"),
    [
        (
            "pip",
            (
                "/venv/bin/python -m pip download",
                "/venv/bin/python -m pip uninstall -y torch",
                "/venv/bin/python -m pip install",
            ),
            "pip",
        ),
        ("uv", ("uv pip install --python /venv/bin/python --no-cache",), "uv"),
        (
            "conda",
            (
                "/venv/bin/python -m pip download",
                "/venv/bin/python -m pip uninstall -y torch",
                "/venv/bin/python -m pip install",
            ),
            "conda",
        ),
        (
            "poetry",
            (
                "/venv/bin/python -m pip download",
                "/venv/bin/python -m pip uninstall -y torch",
                "/venv/bin/python -m pip install",
            ),
            "pip (poetry)",
        ),
        ("uv-project", ("uv pip install --python /venv/bin/python",), "uv"),
    ],
)
def test_managers(manager: str, steps: tuple[str, ...], named: str) -> None:
    """Each manager's own commands; without a known project those of pip or uv for that interpreter. What takes away never comes first."""
    found = remedy(installer=replace(PIP, manager=manager))
    (line,) = found.commands
    assert len(line.split(" && ")) == len(steps) and all(map(str.startswith, line.split(" && "), steps))
    assert found.manager.startswith(named) and found.risk is Risk.REINSTALL


def test_other_managers_come_with_a_warning() -> None:
    """The lock file of pdm would undo it."""
    assert "pdm manages this environment and may undo this" in remedy(installer=replace(PIP, manager="pdm")).why


def test_conda_packages_are_removed_by_conda() -> None:
    """What conda installed, conda takes out; the XPU build comes by pip inside."""
    installed = Distributions(
        installed=(
            Distribution("torch", version="2.5.1", installer="conda"),
            Distribution("torchaudio", installer="conda"),
        )
    )
    found = remedy(installed=installed, installer=replace(PIP, manager="conda"))
    steps = found.commands[0].split(" && ")
    assert steps[1] == "conda remove --yes --prefix /venv pytorch torchaudio"
    assert "-m pip download" in steps[0] and "-m pip install" in steps[2]


def test_windows_shells() -> None:
    """Two remedies: a chain is written otherwise for each; a shell that cannot write a path is left out, and why is said."""
    titles = ["Replace torch with its XPU build (PowerShell)", "Replace torch with its XPU build (cmd.exe)"]
    assert [item.heading for item in reinstall(Installation(WINDOWS, BARE, PIP, CPU))] == titles
    (only,) = reinstall(Installation(replace(WINDOWS, executable="C:\\100%\\python.exe"), BARE, PIP, CPU))
    assert only.heading == titles[0] and "No commands are printed for cmd.exe" in only.why


def test_needed_settings_are_kept_and_credentials_are_not_repeated() -> None:
    """A certificate and a proxy still count when the configuration is shut out; a password is never printed."""
    rows = (
        Setting("extra-index-url", "https://mirror/simple", "/etc/pip.conf", "pip"),
        Setting("cert", "/etc/ssl/own.pem", "/etc/pip.conf", "pip"),
        Setting("trusted-host", "a b", "/etc/pip.conf", "pip"),
        Setting("PIP_PROXY", "http://***@proxy:3128", "PIP_PROXY", "pip"),
    )
    found = remedy(installer=replace(PIP, settings=rows))
    line = found.commands[-1].split(" && ")[0]
    assert line.startswith("env PIP_CONFIG_FILE=/dev/null /venv/bin/python -m pip --isolated download")
    assert line.endswith("--cert /etc/ssl/own.pem --trusted-host a --trusted-host b") and "proxy" not in line
    assert "Add PIP_PROXY yourself" in found.why


@pytest.mark.parametrize("value", ["***@proxy:8080", "u:s3cret@proxy:8080", "http://u:s3/cret@proxy"])
def test_no_proxy_with_credentials_is_printed(value: str) -> None:
    """Cut or not, as an older snapshot may hold it: the command goes without, and the text says which setting to add."""
    rows = (
        Setting("no-index", "true", "/etc/pip.conf", "pip"),
        Setting("PIP_PROXY", value, "PIP_PROXY", "pip"),
        Setting("client-cert", "/home/a@work/own.pem", "/etc/pip.conf", "pip"),
    )
    found = remedy(installer=replace(PIP, settings=rows))
    assert found.commands[-1].split(" && ")[0].endswith("--client-cert /home/a@work/own.pem")
    assert "--proxy" not in found.commands[-1] and "s3" not in " ".join((*found.commands, found.why))
    assert "Add PIP_PROXY yourself: its value holds credentials." in found.why


@pytest.mark.parametrize("value", ["", "0", "false"])
def test_switched_off_settings_are_not_hostile(value: str) -> None:
    """PIP_NO_INDEX=0 does nothing."""
    found = remedy(installer=replace(PIP, settings=(Setting("PIP_NO_INDEX", value, "PIP_NO_INDEX", "pip"),)))
    assert "--isolated" not in found.commands[-1]


def test_settings_of_the_other_tool_do_not_count() -> None:
    """uv does not read pip's files."""
    rows = (Setting("find-links", "/w", "/etc/pip.conf", "pip"),)
    found = remedy(installer=Installer(manager="uv", settings=rows))
    assert found.commands[-1].startswith("uv pip install --python /venv/bin/python --no-cache --default-index")


def test_only_folders_of_torch_in_site_packages_are_deleted() -> None:
    """Never the sources of somebody who works on PyTorch, nor a system's folder."""
    torch = replace(CPU, path="/venv/lib/python3.12/site-packages/torch")
    info = "/venv/lib/python3.12/site-packages/torch-2.14.0.dist-info"
    dist = Distribution("torch", location="/venv/lib/python3.12/site-packages", metadata_path=info)
    assert remains(Distributions(installed=(dist,)), torch, LINUX) == (torch.path, info)
    assert remains(Distributions(installed=(dist,)), torch, replace(LINUX, prefix="/another")) == ()
    for path in ("/src/pytorch/torch", "/torch", "/usr/lib/python3.12/torch", Unknown("not seen")):
        assert remains(Distributions(installed=(dist,)), replace(torch, path=path), LINUX) == ()


def test_a_torch_on_pythonpath_would_win() -> None:
    """It is none of the environment's packages: nothing is uninstalled, and all commands leave PYTHONPATH out."""
    python = replace(
        LINUX,
        sys_path=("/target", "/usr/lib/python312.zip", "/usr/lib/python3.12", "/venv/lib/python3.12/site-packages"),
    )
    torch = replace(CPU, path="/target/torch")
    found = remedy(
        python, Distributions(installed=(Distribution("torch", version="2.14.0+cpu", location="/target"),)), torch=torch
    )
    assert not any("uninstall" in line for line in found.commands) and found.risk is Risk.NONE
    assert all(
        step.startswith("env -u PYTHONPATH ")
        for line in (*found.commands, *found.verify)
        for step in line.split(" && ")
    )
    assert "PYTHONPATH names /target" in found.why
    both = (
        Distribution("torch", location="/target"),
        Distribution("torch", location="/venv/lib/python3.12/site-packages"),
    )
    assert "uninstall -y torch " in remedy(python, Distributions(installed=both), torch=torch).commands[0]


def test_a_foreign_folder_is_never_deleted() -> None:
    """PYTHONPATH may name the packages of another environment."""
    python = replace(LINUX, sys_path=("/other/site-packages", "/usr/lib/python312.zip"))
    torch = replace(CPU, path="/other/site-packages/torch")
    installed = Distributions(installed=(Distribution("torch", location="/other/site-packages"),))
    assert not any(
        "rm -rf" in line
        for line in reinstall(Installation(python, installed, PIP, torch), folders=(torch.path,))[0].commands
    )  # type: ignore[arg-type]


def test_nothing_is_at_risk_where_nothing_is_installed() -> None:
    """An install into an environment without torch removes no package."""
    for manager in ("pip", "uv", "conda"):
        bare = Distributions(installed=())
        assert (
            remedy(torch=Torch(installed=False), installed=bare, installer=replace(PIP, manager=manager)).risk
            is Risk.NONE
        )


@pytest.mark.parametrize(
    ("how", "starts", "says"),
    [("command", "uv pip", False), ("module", "/venv/bin/python -m uv pip", False), ("", "uv pip", True)],
)
def test_uv_is_called_as_it_can_be(how: str, starts: str, says: bool) -> None:
    """By name, as a module, or with a word on where to get it."""
    found = remedy(installer=Installer(manager="uv", settings=(), uv=how))
    assert found.commands[0].startswith(starts) and ("not on PATH" in found.why) is says


def test_runtime_packages_bring_pip_first_where_it_is_missing() -> None:
    """An environment without pip gets it before the command that needs it; one managed by uv does not."""
    from xpu_doctor.remedies.runtime import reinstall_packages

    python = Python(executable="/e/bin/python", os="linux")
    bare = reinstall_packages(python, Installer(manager="pip", has_pip=False), ("intel-sycl-rt==2025.2.1",), "")
    assert bare.commands[0].startswith("/e/bin/python -m ensurepip --upgrade && ")
    assert (
        len(
            reinstall_packages(
                python, Installer(manager="pip", has_pip=True), ("intel-sycl-rt==2025.2.1",), ""
            ).commands
        )
        == 1
    )
    assert (
        len(
            reinstall_packages(
                python, Installer(manager="uv", has_pip=False, uv="uv"), ("intel-sycl-rt==2025.2.1",), ""
            ).commands
        )
        == 1
    )


EMBEDDED = replace(WINDOWS, executable=r"C:\ComfyUI\python_embeded\python.exe", embedded=True, ensurepip=False)


def test_embeddable_python_gets_pip_otherwise() -> None:
    """It has no ensurepip: its ._pth is told to read site, then get-pip brings pip; one that has pip needs neither."""
    shown, for_cmd = reinstall(
        Installation(EMBEDDED, Distributions(installed=()), replace(PIP, has_pip=False), Torch(installed=False))
    )
    assert "ensurepip" not in "".join((*shown.commands, *for_cmd.commands)) and "embeddable" in shown.why
    steps = for_cmd.commands[-1].split(" && ")
    assert [" ".join(step.split(" ")[1:3]) for step in steps[1:]] == [
        "-L -o",
        "get-pip.py --no-warn-script-location",
        "-m pip",
    ]
    assert "'#import site', 'import site'" in steps[0]
    with_pip = reinstall(
        Installation(EMBEDDED, Distributions(installed=()), replace(PIP, has_pip=True), Torch(installed=False))
    )[0]
    assert "get-pip" not in "".join(with_pip.commands)


def test_embeddable_python_makes_no_environment() -> None:
    """It has no venv: where its own packages must stay as they are, the `py` launcher makes the new environment."""
    apart = replace(PIP, has_pip=False, externally_managed=True)
    made = reinstall(Installation(EMBEDDED, Distributions(installed=()), apart, Torch(installed=False)))[0]
    assert made.commands[-1].startswith("py -m venv torch-xpu; if ($?) { torch-xpu\\Scripts\\python.exe -m pip ")


def test_a_runtime_package_for_an_embeddable_python() -> None:
    """It is told the same where one package alone is missing."""
    from xpu_doctor.remedies.packages import requirement

    shown = requirement(EMBEDDED, replace(PIP, has_pip=False), "intel-sycl-rt==2025.2.1")
    assert "get-pip.py" in shown.commands[-1] and "ensurepip" not in shown.commands[-1]

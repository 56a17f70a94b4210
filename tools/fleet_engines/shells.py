"""ClusterShell, pdsh and Ansible: four nodes that ssh reaches."""

from __future__ import annotations

import json

from fleet_engines.bench import (
    NODES,
    RECIPES,
    Bench,
    Tried,
    environment_with,
    first_line,
    judged,
    needed,
    start_ssh_nodes,
)

RECIPE = str(RECIPES / "ssh" / "check-nodes.sh")
FOLDED = "node[1-4]"


def try_clush(bench: Bench) -> list[Tried]:
    """Run examples/fleet/ssh/check-nodes.sh with clush."""
    needed("clush", package="clustershell")
    client = start_ssh_nodes(bench)
    told = bench.run([RECIPE, FOLDED, "reports", bench.python, "-o", f"-F {client}"]).stdout
    return [
        judged(
            bench,
            "ClusterShell",
            first_line(["clush", "--version"]),
            "check-nodes.sh 'node[1-4]' reports ENV",
            NODES,
            told,
        )
    ]


def try_pdsh(bench: Bench) -> list[Tried]:
    """Run examples/fleet/ssh/check-nodes.sh with pdsh."""
    needed("pdsh", package="pdsh")
    client = start_ssh_nodes(bench)
    env = bench.environment(PARALLEL_SHELL="pdsh", PDSH_SSH_ARGS_APPEND=f"-F {client}")
    told = bench.run([RECIPE, FOLDED, "reports", bench.python, "-R", "ssh"], env).stdout
    return [
        judged(
            bench,
            "pdsh",
            first_line(["pdsh", "-V"]),
            "PARALLEL_SHELL=pdsh check-nodes.sh 'node[1-4]' reports ENV -R ssh",
            NODES,
            told,
        )
    ]


def try_ansible(bench: Bench) -> list[Tried]:
    """Run examples/fleet/ansible/check.yml over ssh."""
    environment = environment_with(bench, "XPU_DOCTOR_TEST_ANSIBLE", "ansible-core")
    client = start_ssh_nodes(bench)
    inventory = bench.folder / "inventory"
    inventory.write_text("[gpu]\n" + "".join(f"{node}\n" for node in NODES))
    program = str(environment / "bin" / "ansible-playbook")
    env = bench.environment(
        ANSIBLE_SSH_ARGS=f"-F {client}",
        ANSIBLE_HOME=str(bench.folder / "home"),
        ANSIBLE_LOCALHOST_WARNING="False",
        LC_ALL="C.UTF-8",
    )
    given = {
        "xpu_doctor_program": [bench.doctor],
        "xpu_doctor_here": bench.doctor,
        "xpu_doctor_python": bench.python,
        "xpu_doctor_reports": f"{bench.folder}/reports",
        "xpu_doctor_jitter": 1,
        "ansible_python_interpreter": "/usr/bin/python3",
    }
    told = bench.run(
        [program, "-i", str(inventory), str(RECIPES / "ansible" / "check.yml"), "-e", json.dumps(given)], env
    ).stdout
    return [
        judged(
            bench, "Ansible", first_line([program, "--version"]), "ansible-playbook -i inventory check.yml", NODES, told
        )
    ]

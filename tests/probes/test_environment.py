"""Which variables get into a snapshot, and with what value."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import xpu_doctor
from xpu_doctor.examination.level_zero import ze_filters
from xpu_doctor.host.live import LiveHost
from xpu_doctor.model.facts import Environment, Variable
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.unknown import known
from xpu_doctor.pasted.harmless import SOMETHING, offered
from xpu_doctor.pasted.readers.collected import Collected, Text
from xpu_doctor.pasted.readers.variables import parse
from xpu_doctor.probes.environment import environment
from xpu_doctor.tables.variables import hiding_variables, known_variables, pasted_variables, says_secret

STRANGERS = {
    "NEO4J_PASSWORD": "planted-value-1", "UR_TOKEN": "planted-value-2", "ONEAPI_SECRET_KEY": "planted-value-3", "ZE_FOO": "planted-value-4",
    "TORCH_HUB_TOKEN": "planted-value-5", "CCL_AUTH_KEY": "planted-value-6", "TRITON_API_KEY": "planted-value-7", "PYTORCH_PASS": "planted-value-8",
    "SYCL_SOMETHING": "planted-value-9", "IGC_X": "planted-value-10", "LEVEL_ZERO_LICENCE": "planted-value-11", "XPU_LICENCE": "planted-value-12",
}  # fmt: skip
"""Variables of other products and of people, with names that begin as ours do."""


def test_no_strangers_variable_is_looked_at() -> None:
    """Exact names alone: neither name nor value of another one is kept."""
    rows = known(
        environment.gather(LiveHost(env={**STRANGERS, "ZE_AFFINITY_MASK": "0", "NEOReadDebugKeys": "1"})).variables
    )
    assert [(row.name, row.value) for row in rows] == [("NEOReadDebugKeys", "1"), ("ZE_AFFINITY_MASK", "0")]


def test_no_strangers_variable_is_read_from_a_text() -> None:
    """A pasted `env` gives the values of the known variables and of no other one."""
    facts = Collected()
    parse(
        Text("\n".join(f"export {name}={value}" for name, value in {**STRANGERS, "ZE_AFFINITY_MASK": "0,1"}.items())),
        facts,
    )
    assert {name: row.value for name, row in facts.variables.items()} == {"ZE_AFFINITY_MASK": "0,1"}


@pytest.mark.parametrize(
    "line",
    ["{}=x", "export {}=x", "-e {}=x", "$env:{} = x", "set {}=x", 'ENV {}="x"', "`{}=x`", "env {}=x python a.py"],
)
def test_every_known_variable_is_read_from_a_text(line: str) -> None:
    facts = Collected()
    parse(Text("\n".join(line.format(name) for name in pasted_variables())), facts)
    assert {name: row.value for name, row in facts.variables.items()} == dict.fromkeys(pasted_variables(), "x")


def test_windows_spells_names_in_capitals() -> None:
    """There case means nothing, and Python hands every name out in capitals."""
    host = LiveHost(env={"NEOREADDEBUGKEYS": "1", "Path": "C:\\bin"})
    host.platform = "windows"  # type: ignore[misc]
    assert {row.name: row.value for row in known(environment.gather(host).variables)} == {
        "NEOReadDebugKeys": "1",
        "PATH": "C:\\bin",
    }


def test_another_product_hides_no_device() -> None:
    """Neo4j's variables are none of the driver's, and a folder for its cache hides nothing."""
    assert ze_filters({"NEO4J_PASSWORD": "x", "NEO_CACHE_DIR": "y", "NEOReadDebugKeys": "1"}) == ("NEOReadDebugKeys",)


def test_commands_for_a_file_name_known_variables_alone() -> None:
    variables = (Variable("ZE_AFFINITY_MASK", "7"), Variable("UR_TOKEN", "7"))
    copy = offered(Snapshot(environment=Environment(variables)))
    assert [row.name for row in known(copy.environment.variables)] == ["ZE_AFFINITY_MASK", SOMETHING]


@pytest.mark.parametrize(
    "name", ["NEO4J_PASSWORD", "DB_PWD", "UR_TOKEN", "ONEAPI_SECRET_KEY", "MY_CREDS", "HTTP_AUTH", "pgpass", "ApiKey"]
)
def test_names_that_say_secret(name: str) -> None:
    assert says_secret(name)


def test_settings_are_no_secrets() -> None:
    """The driver has a setting with keys in its name, and a working folder is no password."""
    assert not any(map(says_secret, (*known_variables(), "PWD", "OLDPWD", "LANGUAGE")))


def test_every_variable_that_the_rules_name_is_known() -> None:
    """A rule asks for exact names, so each of them is in the table."""
    root = Path(xpu_doctor.__file__).parent
    asked = re.compile(r"environment\.get\(\s*\"(\w+)\"|SETVARS = \(([^)]*)\)|PATH_LIKE = \(([^)]*)\)")
    named: set[str] = set(hiding_variables("sycl")) | set(hiding_variables("level-zero"))
    for path in (root / "rules").rglob("*.py"):
        for match in asked.finditer(path.read_text(encoding="utf-8")):
            named.update(re.findall(r"\w+", " ".join(filter(None, match.groups()))))
    assert (
        {"SETVARS_COMPLETED", "LD_PRELOAD", "ONEAPI_DEVICE_SELECTOR", "ZE_AFFINITY_MASK"} <= named <= known_variables()
    )


def test_a_name_stands_once_in_the_table() -> None:
    from xpu_doctor.tables.rows import rows
    from xpu_doctor.tables.variables import KnownVariable

    names = [name for row in rows(KnownVariable) for name in row.names]
    assert sorted(names) == sorted(set(names))


ENV_FILTER = re.compile(r"env \| grep -E '([^']+)'")


def texts_with_commands() -> list[Path]:
    """The files of the package and of the documentation from which commands reach people."""
    root = Path(xpu_doctor.__file__).parent
    found = [path for kind in ("*.py", "*.md", "*.toml") for path in root.rglob(kind)]
    here = Path(__file__).parents[2]
    return [*found, *(here / "docs").rglob("*.md"), here / "README.md"]


def test_nobody_is_asked_for_strangers_variables() -> None:
    """A command that shows the environment lets the known variables through, and none that only begins alike."""
    filters = [
        filter_ for path in texts_with_commands() for filter_ in ENV_FILTER.findall(path.read_text(encoding="utf-8"))
    ]
    assert len(filters) >= 3
    more = ("CCL_AUTH_KEY", "SYCL_LICENCE_KEY", "LD_SECRET", "ONEAPI_TOKEN", "PYTORCH_HUB_TOKEN")
    for filter_ in filters:
        shown = [name for name in (*STRANGERS, *more) if re.search(filter_, f"{name}=x")]
        assert shown == [], filter_
        assert any(re.search(filter_, f"{name}=x") for name in known_variables())

"""One check among many: names of files, writers at once, one check a node, the time limit of the whole, silence."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cli import doctor, environment
from tests.support.environments import StubEnvironment
from xpu_doctor.examination.level_zero import level_zero_facts
from xpu_doctor.host.recorded import RecordedHost
from xpu_doctor.host.turn import is_our_turn
from xpu_doctor.model.findings import Layer
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.probes.runner import Probe, run_probes
from xpu_doctor.process.time_limit import Overdue, TimeLimit, within
from xpu_doctor.tables.launchers import Launcher, local_rank, node_name, rank
from xpu_doctor.tables.rows import rows
from xpu_doctor.target.agent_run import StageResult
from xpu_doctor.text.output import UNFINISHED
from xpu_doctor.text.output_file import OutputError
from xpu_doctor.text.output_name import as_file_name, filled_in

posix = pytest.mark.skipif(os.name != "posix", reason="signals and locks of POSIX")
OF_LAUNCHERS = {name for row in rows(Launcher) for name in (row.local_rank, row.rank, row.node, row.job) if name}
HANGS = "import time\ntime.sleep(600)\n"


def alone(**extra: str) -> dict[str, str]:
    """The variables of a process that no launcher started, plus `extra`."""
    return {name: value for name, value in environment(**extra).items() if name not in OF_LAUNCHERS or name in extra}


# ------------------------------------------------------------------------------------------------ names of files


@given(st.text(st.characters(blacklist_characters="{}\0"), min_size=1))
def test_a_name_without_braces_stays(name: str) -> None:
    assert filled_in(name, {}) == name


@given(st.text(min_size=1).filter(lambda text: "/" not in text and "\\" not in text))
def test_doubled_braces_write_any_name(name: str) -> None:
    doubled = name.replace("{", "{{").replace("}", "}}")
    assert filled_in(doubled, {}) == name


@given(st.text(min_size=1))
def test_a_value_is_one_plain_part_of_a_name(value: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", as_file_name(value))


def test_an_unknown_placeholder_is_refused_in_one_line() -> None:
    with pytest.raises(OutputError) as error:
        filled_in("reports/{node}.json", {"host": lambda: "n1"})
    assert "{node}" in str(error.value) and "{host}" in str(error.value) and "\n" not in str(error.value)


def test_host_rank_and_time_are_filled_in_and_the_last_folder_is_made(stub: StubEnvironment, tmp_path: Path) -> None:
    stub.add_torch()
    ran = doctor(
        "check", "--python", str(stub.python), "--only", "wheel", "--fail-on", "never", "-q",
        "-o", str(tmp_path / "reports" / "{host}-{rank}-{time}.json"),
        env=alone(XPU_DOCTOR_NODE="node 7", PMI_RANK="12"),
    )  # fmt: skip
    assert (ran.stdout, ran.stderr) == ("", "")
    (name,) = os.listdir(tmp_path / "reports")
    assert re.fullmatch(r"node_7-12-\d{8}T\d{6}Z\.json", name)
    report = json.loads((tmp_path / "reports" / name).read_text())
    assert report["node"] is None and report["exit_code"] == ran.code


def test_each_rank_that_is_watched_has_a_file_of_its_own(tmp_path: Path) -> None:
    arguments = (
        "watch",
        "--no-inside",
        "-o",
        str(tmp_path / "ranks" / "{host}-{rank}.json"),
        "--",
        sys.executable,
        "-c",
        "",
    )
    for number in (0, 1):
        ran = doctor(*arguments, env=alone(XPU_DOCTOR_NODE="n1", OMPI_COMM_WORLD_RANK=str(number)))
        assert ran.code == 0, ran.stderr
    assert sorted(os.listdir(tmp_path / "ranks")) == ["n1-0.json", "n1-1.json"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-o", "{rank}.json"), "rank"),
        (("-o", "{x}.json"), "{x}"),
        (("-o", "no/such/{host}.json"), "no folder"),
        (("-q", "-o", "-"), "--quiet"),
        (("-q", "--json"), "--quiet"),
        (("--host-name", "alias"), "XPU_DOCTOR_NODE_KEY"),
        (("--deadline", "nan"), "--deadline"),
        (("--deadline", "0"), "--deadline"),
        (("--jitter", "-1"), "--jitter"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    stub: StubEnvironment, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    ran = doctor("check", "--python", str(stub.python), *arguments, env=alone(XPU_DOCTOR_NODE="n1"), cwd=tmp_path)
    assert ran.code == 2 and said in ran.stderr and os.listdir(tmp_path) == [stub.folder.name]


def test_a_machine_without_a_name_of_its_own_needs_one(stub: StubEnvironment) -> None:
    ran = doctor("check", "--python", str(stub.python), "-o", "{host}.json", env=alone(XPU_DOCTOR_NODE="localhost"))
    assert ran.code == 2 and "XPU_DOCTOR_NODE" in ran.stderr


# ------------------------------------------------------------------------------------------------ the name in the report


@pytest.mark.parametrize("command", ["check", "snapshot"])
def test_the_name_of_the_node_is_hidden_kept_or_the_same_alias_everywhere(
    stub: StubEnvironment, tmp_path: Path, command: str
) -> None:
    stub.add_torch()
    names = {}
    for choice, key in (("hide", ""), ("keep", ""), ("alias", "one"), ("alias", "two")):
        doctor(
            command, "--python", str(stub.python), "--only", "wheel", "-q", "--host-name", choice,
            "-o", str(tmp_path / "{host}.json"), env=alone(XPU_DOCTOR_NODE="rack3-node7", XPU_DOCTOR_NODE_KEY=key),
        )  # fmt: skip
        ((file, node),) = {path.stem: json.loads(path.read_text())["node"] for path in tmp_path.glob("*.json")}.items()
        names[choice + key] = (file, node)
        (tmp_path / f"{file}.json").unlink()
    assert names["hide"] == ("rack3-node7", None)
    assert names["keep"] == ("rack3-node7", "rack3-node7")
    one, two = names["aliasone"], names["aliastwo"]
    assert one[0] == one[1] != two[1] and re.fullmatch(r"node-[0-9a-f]{12}", one[0])


# ------------------------------------------------------------------------------------------------ one check a node


@pytest.mark.parametrize("row", [row for row in rows(Launcher) if row.local_rank], ids=lambda row: row.name)
def test_only_the_first_process_of_a_node_checks(row: Launcher) -> None:
    assert [is_our_turn({row.local_rank: str(number)}) for number in range(3)] == [True, False, False]


def test_the_inner_launcher_counts() -> None:
    assert local_rank({"SLURM_LOCALID": "0", "OMPI_COMM_WORLD_LOCAL_RANK": "3"}) == 3
    assert rank({"SLURM_PROCID": "0", "RANK": "5"}) == 5
    assert rank({"RANK": "high"}) is None and local_rank({"LOCAL_RANK": "-1"}) is None
    assert node_name({"SLURMD_NODENAME": "n4", "SLURM_LOCALID": "1"}) == "n4"
    assert node_name({"SLURMD_NODENAME": "n4"}) == "n4"


@pytest.mark.skipif(not hasattr(os, "uname"), reason="Windows names itself in a variable")
def test_a_name_that_was_inherited_from_another_node_does_not_count() -> None:
    """MPICH's mpiexec, in a batch job on n4, takes the variables of n4 to all nodes."""
    inherited = {"SLURMD_NODENAME": "n4", "SLURM_LOCALID": "0", "MPI_LOCALRANKID": "0"}
    assert node_name(inherited) == os.uname().nodename
    assert node_name({**inherited, "XPU_DOCTOR_NODE": "n5"}) == "n5"


@pytest.mark.parametrize("command", ["check", "snapshot"])
def test_the_others_say_nothing(stub: StubEnvironment, tmp_path: Path, command: str) -> None:
    file = tmp_path / "{host}.json"
    ran = doctor(
        command, "--python", str(stub.python), "--once-per-node", "-o", str(file), env=alone(SLURM_LOCALID="3")
    )
    assert (ran.code, ran.stdout, ran.stderr) == (0, "", "") and not list(tmp_path.glob("*.json"))


TURN = "import os, sys; from xpu_doctor.host.turn import is_our_turn; print(is_our_turn(os.environ), flush=True); sys.stdin.read()"


@posix
def test_without_a_count_the_first_of_a_job_has_the_turn_until_it_ends(tmp_path: Path) -> None:
    def begun(job: str) -> subprocess.Popen[str]:
        variables = alone(XDG_RUNTIME_DIR=str(tmp_path), PBS_JOBID=job)
        return subprocess.Popen(
            [sys.executable, "-c", TURN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=variables
        )

    def told(process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        return process.stdout.readline().strip()

    first = begun("17.server")
    assert told(first) == "True"
    second, other = begun("17.server"), begun("18.server")
    assert (told(second), told(other)) == ("False", "True")
    first.kill()
    first.wait()
    third = begun("17.server")
    assert told(third) == "True"
    for process in (first, second, other, third):
        process.communicate()


@posix
def test_a_link_of_somebody_in_the_place_of_the_lock_costs_no_check(tmp_path: Path) -> None:
    variables = alone(XDG_RUNTIME_DIR=str(tmp_path), PBS_JOBID="1")
    assert is_our_turn(variables)
    (lock,) = tmp_path.iterdir()
    lock.unlink()
    target = tmp_path / "precious"
    lock.symlink_to(target)
    assert is_our_turn(variables) and not target.exists()


# ------------------------------------------------------------------------------------------------ the time limit


@posix
def test_what_is_not_done_in_time_is_unknown_and_no_hang(stub: StubEnvironment, tmp_path: Path) -> None:
    stub.add_torch(init=HANGS)
    file = tmp_path / "report.json"
    ran = doctor(
        "check", "--python", str(stub.python), "--only", "import,wheel", "--deadline", "2", "-q", "-o", str(file),
        timeout=60,
    )  # fmt: skip
    report = json.loads(file.read_text())
    assert ran.stdout == ran.stderr == ""
    assert not [finding for finding in report["root_causes"] if finding["layer"] == "import"]
    stages = {stage["name"]: stage for stage in report["snapshot"]["run"]["stages"]}
    assert stages["import"]["outcome"] == "skipped" and "2 s" in stages["import"]["reason"]
    assert {rung["layer"]: rung["state"] for rung in report["ladder"]}["import"] == "unknown"
    assert any("2 s for the whole examination" in note for note in report["notes"])
    assert not _running(stub.folder)


@posix
def test_a_limit_that_is_over_at_once_still_gives_a_report(stub: StubEnvironment) -> None:
    stub.add_torch()
    ran = doctor("check", "--python", str(stub.python), "--deadline", "0.1", "--json")
    report = ran.json()
    assert ran.code in (1, 3) and report["verdict"] in ("findings", "undiagnosed")
    assert not [finding for finding in report["root_causes"] if finding["layer"] in ("import", "doctor")]


def test_a_probe_that_is_late_has_not_failed() -> None:
    probe = Probe("slow", Layer.DRIVER, (), lambda host: time.sleep(5), "driver")
    gathered = run_probes(RecordedHost({}), [probe], 30.0, limit=TimeLimit.from_now(0.1))
    assert gathered.failures == () and "0.1 s" in str(gathered.facts["driver"])
    failed = run_probes(RecordedHost({}), [probe], 0.1, limit=TimeLimit.from_now(30))
    assert [failure.name for failure in failed.failures] == ["slow"]


def test_level_zero_that_was_not_asked_in_time_did_not_die() -> None:
    skipped = {"outcome": "skipped", "reason": "the time was over"}
    facts = level_zero_facts(
        (
            StageResult({"name": "ze_load", "outcome": "ok"}, {"loader_loaded": True}),
            StageResult({"name": "ze_init", **skipped}, {}),
        )
    )
    assert facts.died == "" and facts.init_code == Unknown("ze_init: the time was over") and facts.loader_loaded is True


def test_work_within_a_limit_gives_its_result_its_error_or_is_given_up() -> None:
    limit = TimeLimit.from_now(0.2)
    assert within(limit, lambda: 7) == within(None, lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        within(limit, lambda: 1 // 0)
    with pytest.raises(Overdue, match=r"0\.2 s"):
        within(limit, lambda: time.sleep(5))


def _running(folder: Path) -> list[str]:
    """Command lines of processes that run something of a folder."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            line = Path("/proc", pid, "cmdline").read_bytes().decode("utf-8", "replace")
        except OSError:
            continue
        if str(folder) in line:
            found.append(line)
    return found


# ------------------------------------------------------------------------------------------------ writers at once

WRITERS = """
import os, signal, sys
from xpu_doctor.text.output import write
folder, count, killed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
text = '{"padding": "%s"}\\n' % ("x" * 400_000)
children = []
for number in range(count):
    pid = os.fork()
    if not pid:
        if number < killed:
            os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)
        for _ in range(3):
            write(text, f"{folder}/node{number}.json")
        os._exit(0)
    children.append(pid)
print(*(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children))
"""


def whole(folder: Path) -> Iterator[str]:
    """Names of the reports in a folder; fail where one is not whole."""
    for path in folder.glob("*.json"):
        json.loads(path.read_text())
        yield path.stem


@posix
def test_64_writers_leave_64_whole_reports_and_the_killed_ones_leave_none(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", WRITERS, str(tmp_path), "64", "8"], capture_output=True, text=True, check=True
    )
    codes = run.stdout.split()
    assert codes == [str(-signal.SIGKILL)] * 8 + ["0"] * 56
    assert sorted(whole(tmp_path)) == sorted(f"node{number}" for number in range(8, 64))
    left = [name for name in os.listdir(tmp_path) if not name.endswith(".json")]
    assert len(left) == 8 and all(name.startswith(UNFINISHED) and name.endswith(".tmp") for name in left)


@posix
@pytest.mark.heavy
def test_64_whole_checks_at_once_of_which_8_are_killed_midway(stub: StubEnvironment, tmp_path: Path) -> None:
    stub.add_torch()
    arguments = [
        sys.executable,
        "-m",
        "xpu_doctor",
        "check",
        "--python",
        str(stub.python),
        "--only",
        "wheel,import",
        "-q",
    ]
    (tmp_path / "reports").mkdir()
    for number in range(8, 16):  # reports of an earlier run, which the killed ones must not damage
        (tmp_path / "reports" / f"node{number}.json").write_text('{"earlier": true}')
    begun = [
        subprocess.Popen(
            [*arguments, "-o", "reports/{host}.json"], env=alone(XPU_DOCTOR_NODE=f"node{number}"), cwd=tmp_path
        )
        for number in range(64)
    ]
    time.sleep(3)
    for process in begun[8:16]:
        process.kill()
    codes = [process.wait() for process in begun]
    assert [code for code in codes if code < 0] == [-signal.SIGKILL] * codes.count(-signal.SIGKILL)
    names = set(whole(tmp_path / "reports"))
    assert names == {f"node{number}" for number in range(64)}
    fresh = [name for name in names if "earlier" not in json.loads((tmp_path / "reports" / f"{name}.json").read_text())]
    assert len(fresh) >= 56

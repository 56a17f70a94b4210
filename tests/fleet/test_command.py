"""`xpu-doctor fleet` as a user runs it: inputs of all kinds, forms, exit codes, redaction."""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.fleets import PLANTS, fleet, template
from xpu_doctor.api import fleet as judge
from xpu_doctor.api import triage
from xpu_doctor.model.codec import SnapshotError
from xpu_doctor.report.fleet.document import FAIL_ON, FleetDocument
from xpu_doctor.report.fleet.formats import FORMATS
from xpu_doctor.report.fleet.words import headline
from xpu_doctor.report.formats import View
from xpu_doctor.report.terminal import Terminal

NODES = 60


def run(*arguments: str, cwd: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "xpu_doctor", "fleet", *arguments],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `reports/`, in which every kind of difference is planted in one node."""
    made: Path = tmp_path_factory.mktemp("fleet")
    (made / "reports").mkdir()
    for report in fleet(NODES, seed=3, slow=2):
        (made / "reports" / f"{report.node}.json").write_bytes(report.data)
    return made


@pytest.fixture(scope="module")
def document(folder: Path) -> FleetDocument:
    return judge(str(folder / "reports"))


def test_every_plant_is_found_and_named_by_its_cause(document: FleetDocument) -> None:
    made = {report.node: report for report in fleet(NODES, seed=3, slow=2)}
    for plant in PLANTS:
        nodes = sorted(node for node, report in made.items() if report.plant == plant.name)
        found = [group for group in document.groups if set(nodes) & set(group.nodes)]
        assert [group.nodes for group in found] == [nodes], plant.name
        assert found[0].facts[0].path.startswith(plant.seen_at), (plant.name, found[0].facts)
        assert found[0].facts[0].elsewhere == 0 and not found[0].majority
    slow = sorted((node, f"xpu:{min(report.slow)}") for node, report in made.items() if report.slow)
    assert sorted((card.node, card.device) for card in document.slow_cards) == slow
    assert sum(len(group.nodes) for group in document.groups) == document.nodes == NODES


def test_text_names_outliers_first(folder: Path) -> None:
    done = run("reports", cwd=folder)
    text = done.stdout.decode()
    assert done.returncode == 1 and not done.stderr
    assert text.startswith(
        f"{NODES} nodes: 5 with an error, 55 healthy (15 of them unlike the others). 2 slow cards.".split(". ")[0]
    )
    assert text.index("Outliers") < text.index("Slow cards") < text.index("What most are")
    assert "1 of 60 nodes: torch build: cpu, the others xpu" in text and "[torch-cpu-wheel]" in text
    assert all(len(line) <= 80 or "http" in line for line in text.splitlines())


def test_where_no_group_is_more_than_half_nobody_is_as_most_are(tmp_path: Path) -> None:
    """Four nodes of four kinds of trouble: the largest group is one of them."""
    different = {report.plant: report for report in fleet(NODES, seed=3) if report.plant}
    for report in list(different.values())[:4]:
        (tmp_path / f"{report.node}.json").write_bytes(report.data)
    for arguments in ([], ["--format", "markdown"]):
        said = run(str(tmp_path), *arguments, cwd=tmp_path).stdout.decode()
        assert "Largest groups" in said and "as most are" not in said and "What most are" not in said


def test_markdown_names_a_cause_once_with_its_nodes(folder: Path) -> None:
    said = run("reports", "--format", "markdown", cwd=folder).stdout.decode()
    causes = [line for line in said.splitlines() if line.startswith("`") and "): " in line]
    assert causes and len({line.partition(" (")[0] + line.partition("): ")[2] for line in causes}) == len(causes)
    assert all("(`node" in line for line in causes)


@pytest.mark.parametrize("width", [80, 120])
def test_lines_fit(document: FleetDocument, width: int) -> None:
    from xpu_doctor.report.fleet.text import fleet_text

    text = fleet_text(document, Terminal(width=width), verbose=True)
    assert [line for line in text.splitlines() if len(line) > width and not line.startswith("      ")] == []


def test_json_is_of_its_schema(folder: Path) -> None:
    done = run("reports", "--json", "--expect-nodes", "node[001-061]", cwd=folder)
    values = json.loads(done.stdout)
    schema = json.loads(
        subprocess.run([sys.executable, "-m", "xpu_doctor", "schema", "fleet"], capture_output=True, check=True).stdout
    )
    jsonschema.validate(values, schema)
    assert values["missing"] == ["node061"] and values["expected"] == 61 and values["exit_code"] == done.returncode == 1


def test_schema_is_up_to_date() -> None:
    code = (
        "import json, sys; sys.path.insert(0, 'tools'); import update_schema as s\n"
        "assert json.loads(s.FLEET_PATH.read_text(encoding='utf-8')) == s.fleet_schema(), 'python tools/update_schema.py'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_same_from_every_kind_of_input(folder: Path, document: FleetDocument, tmp_path: Path) -> None:
    """A folder, an archive, lines, and documents one after the other on standard input are the same fleet."""
    reports = sorted((folder / "reports").iterdir())
    with tarfile.open(tmp_path / "all.tar.gz", "w:gz") as archive:
        for path in reports:
            archive.add(path, f"reports/{path.name}")
    lines = [json.dumps({"host": path.stem, "report": json.loads(path.read_bytes())}) for path in reports]
    (tmp_path / "all.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    wanted = [(group.nodes, [fact.path for fact in group.facts], group.state) for group in document.groups]
    for arguments, stdin in (
        (["all.tar.gz"], b""),
        (["all.jsonl"], b""),
        (["-"], (tmp_path / "all.tar.gz").read_bytes()),
        (["-"], b"".join(path.read_bytes() for path in reports)),
    ):
        done = run(*arguments, "--json", cwd=tmp_path, stdin=stdin)
        values = json.loads(done.stdout)
        if arguments == ["-"] and stdin.startswith(b"{"):  # nothing names these nodes
            assert values["nodes"] == NODES and len(values["groups"]) == len(wanted)
        else:
            found = [
                (group["nodes"], [fact["path"] for fact in group["facts"]], group["state"])
                for group in values["groups"]
            ]
            assert found == wanted, arguments


@pytest.mark.parametrize("ending", ["", "\n", "\r\n \n", "\n" * 3_000_000])
@pytest.mark.parametrize("packed", [False, True])
def test_a_file_that_is_named_is_called_as_in_its_folder(tmp_path: Path, ending: str, packed: bool) -> None:
    """One report in a file, with hidden host names and whatever blank behind it: the node is called as the file."""
    for number in (1, 2):
        text = template().filled("x", "2026-11-21T09:00:00Z", random.Random(0)).replace(b'"x"', b"null").rstrip()
        data = text + ending.encode()
        path = tmp_path / f"node{number}.json{'.gz' if packed else ''}"
        path.write_bytes(gzip.compress(data, 1) if packed else data)
    files = sorted(map(str, tmp_path.iterdir()))
    for paths in (files, [str(tmp_path)], [str(tmp_path), files[0]]):
        found = judge(*paths)
        assert [name for group in found.groups for name in group.nodes] == ["node1", "node2"], paths
        assert not found.not_read


def test_a_file_without_a_name_of_its_own_is_called_as_its_folder(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"node{number}").mkdir()
        data = template().filled("x", "2026-11-21T09:00:00Z", random.Random(number)).replace(b'"x"', b"null")
        (tmp_path / f"node{number}" / "report.json").write_bytes(data)
    found = judge(str(tmp_path / "node*" / "report.json"))
    assert [name for group in found.groups for name in group.nodes] == ["node1", "node2"]


def test_metrics_are_of_the_format_and_escaped(document: FleetDocument) -> None:
    import dataclasses

    odd = 'no"de\\17\n{x="1"} 5'
    first = dataclasses.replace(document.groups[0], nodes=[odd])
    changed = dataclasses.replace(document, groups=[first, *document.groups[1:]], missing=["gone", odd])
    text = next(each for each in FORMATS if each.name == "prometheus").render(changed, View())
    families = {family.name: family for family in text_string_to_metric_families(text)}
    states = {sample.labels["state"]: sample.value for sample in families["xpu_doctor_fleet_nodes"].samples}
    assert states == {"error": 5.0, "warning": 0.0, "unknown": 0.0, "healthy": 55.0, "missing": 2.0}
    names = [sample.labels["node"] for sample in families["xpu_doctor_fleet_node"].samples]
    assert names.count('no"de\\17\\n{x="1"} 5') == 2 and len(names) == 2 + 20
    assert len(families["xpu_doctor_fleet_slow_card_ratio"].samples) == 2


@pytest.mark.parametrize("name", ["markdown", "html"])
def test_hostile_texts_stay_texts(document: FleetDocument, name: str) -> None:
    import dataclasses

    evil = "<script>alert(1)</script>|[x](javascript:1) @you"
    group = document.groups[0]
    cause = dataclasses.replace(group.causes[0], summary=evil)
    fact = dataclasses.replace(group.facts[0], value=evil)
    changed = dataclasses.replace(
        document, groups=[dataclasses.replace(group, causes=[cause], facts=[fact], nodes=[evil], ranges=[evil])]
    )
    text = next(each for each in FORMATS if each.name == name).render(changed, View())
    assert (
        "<script>alert" not in text.replace("`<script>alert", "") if name == "markdown" else "<script>alert" not in text
    )
    assert text.endswith("\n")


def test_page_of_a_large_fleet_is_small(document: FleetDocument) -> None:
    import dataclasses

    names = [f"node{number:06}" for number in range(100_000)]
    group = dataclasses.replace(document.groups[-1], nodes=names, size=len(names), ranges=["node[000000-099999]"])
    changed = dataclasses.replace(document, groups=[*document.groups[:-1], group], nodes=len(names))
    html = next(each for each in FORMATS if each.name == "html").render(changed, View())
    assert len(html) < 1_500_000 and html.count('<li class="cell') <= 2000
    assert "http-equiv" in html and "src=" not in html


@pytest.mark.parametrize(
    ("plant", "arguments", "code"),
    [
        ("", [], 0),
        ("", ["--fail-on", "outlier"], 0),
        ("", ["--expect-nodes", "node001,node099"], 3),
        ("", ["--expect-nodes", "node001,node099", "--fail-on", "missing"], 1),
        ("", ["--expect-nodes", "node001,node099", "--fail-on", "never"], 0),
        ("cpu-wheel", [], 1),
        ("cpu-wheel", ["--fail-on", "warning"], 1),
        ("cpu-wheel", ["--fail-on", "missing"], 0),
        ("kernel", [], 0),
        ("kernel", ["--fail-on", "outlier"], 1),
        ("kernel", ["--fail-on", "error", "--fail-on", "outlier"], 1),
        ("cpu-wheel", ["--fail-on", "never"], 0),
    ],
)
def test_exit_codes(tmp_path: Path, plant: str, arguments: list[str], code: int) -> None:
    for number in range(1, 6):
        data = template(plant if number == 5 else "").filled(
            f"node{number:03}", "2026-11-21T09:00:00Z", random.Random(0)
        )
        (tmp_path / f"node{number:03}.json").write_bytes(data)
    assert run(".", *arguments, cwd=tmp_path).returncode == code


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("node6.json", b"", 3),
        ("node6.json", b"ssh: connect to host node6 port 22: No route to host\nlost connection\n", 3),
        ("node6.json", bytes(4096), 3),
        ("node6.json", random.Random(3).randbytes(4096), 3),
        ("node6.json", b'{\n  "schema": 1,\n  "tool": {\n', 3),
        ("node6.json", b'{"schema": 1, "to', 3),
        ("node6.json.gz", b"", 3),
        ("node6.json.gz", gzip.compress(b"", mtime=0), 3),
        ("e.tar.gz", b"", 3),
        ("e.tar.gz", random.Random(3).randbytes(4096), 3),
        ("e.jsonl", b"", 3),
        ("node6.json", b'{"of": "another program"}', 0),
        ("README.md", b"# Reports", 0),
        ("slurm.err", b"", 0),
    ],
)
def test_no_file_that_may_be_a_lost_node_passes_silently(tmp_path: Path, name: str, data: bytes, code: int) -> None:
    """Among healthy reports, in the folder that is read and by its name alike."""
    for number in range(1, 6):
        text = template().filled(f"node{number}", "2026-11-21T09:00:00Z", random.Random(0))
        (tmp_path / f"node{number}.json").write_bytes(text)
    (tmp_path / name).write_bytes(data)
    for paths in ([tmp_path], sorted(tmp_path.iterdir())):
        found = judge(*map(str, paths))
        assert (found.nodes, found.exit_code) == (5, code)
        assert name in found.not_read[0].examples[0].name
        lost = f"; {found.not_read[0].count} file" in headline(found)
        assert lost == headline(found).endswith(" could not be read.") == (code == 3)


def test_the_first_line_tells_of_files_that_were_not_read(tmp_path: Path) -> None:
    (tmp_path / "node1.json").write_bytes(b"")
    start = "No report was read: there is no node to speak of; 1 file could not be read."
    assert run(".", cwd=tmp_path).stdout.decode().replace("\n", " ").startswith(start)
    data = template().filled("node2", "2026-11-21T09:00:00Z", random.Random(0))
    (tmp_path / "node2.json").write_bytes(data)
    (tmp_path / "node3.json").write_bytes(data[:9000])
    done = run(".", "-o", "sum.md", cwd=tmp_path)
    assert done.returncode == 3 and b"1 node: 1 healthy; 2 files could not be read." in done.stderr
    assert "**1 node: 1 healthy; 2 files could not be read.**" in (tmp_path / "sum.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("size", [10, 20_000_000])
def test_a_fleet_among_the_reports_is_passed_over(tmp_path: Path, size: int) -> None:
    """What the doctor wrote itself is no damaged report, however large it is."""
    data = template().filled("node1", "2026-11-21T09:00:00Z", random.Random(0))
    (tmp_path / "node1.json").write_bytes(data)
    assert run(".", "-o", "sum.json", cwd=tmp_path).returncode == 0
    with open(tmp_path / "sum.json", "ab") as stream:
        stream.write(b" " * size)
    for paths in ([tmp_path], sorted(tmp_path.iterdir())):
        found = judge(*map(str, paths))
        assert (found.nodes, found.exit_code) == (1, 0)
        [row] = found.not_read
        assert row.kind == "foreign" and "a fleet by xpu-doctor" in row.examples[0].reason


@pytest.mark.parametrize(
    ("arguments", "output", "code"),
    [
        (["fl"], "fl/node1.json", 2),
        (["fl/"], "fl/deep/../node1.json", 2),
        (["."], "fl/node1.json", 2),
        (["fl/node?.json"], "fl/node1.json", 2),
        (["fl/node1.json"], "fl/node1.json", 2),
        (["fl"], "fl/deep/node2.json.gz", 2),
        (["fl"], "fl/empty.json", 2),
        (["fl/README.md"], "fl/README.md", 2),
        (["fl"], "fl/README.md", 3),
        (["fl"], "fl/new.json", 3),
        (["fl/deep"], "fl/node1.json", 0),
        (["fl"], "fl/.hidden.json", 3),
    ],
)
def test_a_report_that_is_read_is_not_written(tmp_path: Path, arguments: list[str], output: str, code: int) -> None:
    data = template().filled("node1", "2026-11-21T09:00:00Z", random.Random(0))
    (tmp_path / "fl" / "deep").mkdir(parents=True)
    (tmp_path / "fl" / "node1.json").write_bytes(data)
    (tmp_path / "fl" / ".hidden.json").write_bytes(data)
    (tmp_path / "fl" / "deep" / "node2.json.gz").write_bytes(gzip.compress(data))
    (tmp_path / "fl" / "empty.json").write_bytes(b"")
    (tmp_path / "fl" / "README.md").write_bytes(b"hello")
    before = (tmp_path / output).read_bytes() if (tmp_path / output).exists() else b""
    done = run(*arguments, "-o", output, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    refused = b"this file is read as input" in done.stderr and b"name another file" in done.stderr
    assert refused == ((tmp_path / output).read_bytes() == before) == (code == 2)


def test_a_command_that_writes_into_its_folder_can_be_given_again(tmp_path: Path) -> None:
    data = template().filled("node1", "2026-11-21T09:00:00Z", random.Random(0))
    (tmp_path / "node1.json").write_bytes(data)
    names = [part for name in ("f.json", "f.html", "f.prom", "f.md", "f.txt") for part in ("-o", name)]
    for inputs in ([".", *names], [".", *names], ["*.json", "-o", "f.json"], ["node1.json", "f.json", "-o", "f.json"]):
        done = run(*inputs, cwd=tmp_path)
        assert done.returncode == 0 and b"1 node: 1 healthy." in done.stderr, done.stderr


def test_nothing_to_read_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert run("empty", cwd=tmp_path).returncode == 3
    done = run("absent", cwd=tmp_path)
    assert (
        done.returncode == 2
        and done.stderr.count(b"\n") <= 4
        and b"absent: there is no such file or folder" in done.stderr
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-", "-"], "only once"),
        ([".", "--fail-on", "never", "--fail-on", "error"], "never"),
        ([".", "--expect-nodes", "node[1-"], "no list of nodes"),
        ([".", "--expect-nodes", "n[1-99999999]"], "more than"),
        ([".", "--expect-nodes", "  "], "names no node"),
        ([".", "-o", "fleet.xml"], "ends in .txt, .json, .md, .markdown, .html, .htm, .prom"),
        ([".", "-o", "{host}.json"], "{host} stands for nothing: use {time}; {{ and }} write a brace"),
        ([".", "-o", "{nodes}.json"], "{nodes} stands for nothing"),
        ([".", "--expect-nodes", "nodez.txt"], "nodez.txt: there is no such file"),
        ([".", "--expect-nodes", "lists/nodes"], "lists/nodes: there is no such file"),
        ([".", "--expect-nodes", "node1,racks.list"], "racks.list: there is no such file"),
        ([".", "--expect-nodes", "."], "this is a folder"),
        ([".", "--expect-nodes", "node1", "--expect-nodes", " "], "names no node"),
        ([".", "--format", "junit"], "junit"),
    ],
)
def test_wrong_usage_is_one_line(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2 and said in done.stderr.decode() and b"Traceback" not in done.stderr


def test_several_lists_of_nodes_are_joined(tmp_path: Path) -> None:
    data = template().filled("node1", "2026-11-21T09:00:00Z", random.Random(0))
    (tmp_path / "node1.json").write_bytes(data)
    (tmp_path / "wanted").write_text("node1\nnode3\n", encoding="utf-8")
    lists = ("--expect-nodes", "node1,node2.txt.example", "--expect-nodes", "wanted", "--expect-nodes", "rack[1-3/2]")
    done = run("node1.json", "--json", *lists, cwd=tmp_path)
    values = json.loads(done.stdout)
    assert (values["expected"], values["missing"]) == (5, ["node2.txt.example", "node3", "rack1", "rack3"])


def test_a_file_is_called_by_the_time(tmp_path: Path) -> None:
    data = template().filled("node1", "2026-11-21T09:00:00Z", random.Random(0))
    (tmp_path / "node1.json").write_bytes(data)
    assert run("node1.json", "-o", "sums/{time}.json", "-o", "a{{b}}.txt", cwd=tmp_path).returncode == 0
    [made] = (tmp_path / "sums").iterdir()
    assert made.name.startswith("20") and (tmp_path / "a{b}.txt").exists()


def test_hosts_as_numbers_are_the_same_everywhere(folder: Path) -> None:
    done = run("reports", "--hosts", "number", "--json", "--expect-nodes", "node[001-062]", cwd=folder)
    assert b"node0" not in done.stdout
    values: dict[str, Any] = json.loads(done.stdout)
    assert values["missing"] == ["<host61>", "<host62>"]
    assert sorted(name for group in values["groups"] for name in group["nodes"]) == sorted(
        f"<host{n}>" for n in range(1, 61)
    )
    assert {card["node"] for card in values["slow_cards"]} <= {
        name for group in values["groups"] for name in group["nodes"]
    }


@pytest.mark.parametrize("form", ["text", "json", "markdown", "html", "prometheus"])
def test_names_of_files_that_gave_no_node_are_numbered(tmp_path: Path, form: str) -> None:
    """A node's second report, one of a node with no other, in folders, archives and streams, with times and ranks in their names."""
    data = template().filled("rome1", "2026-11-21T09:00:00Z", random.Random(0))
    (tmp_path / "deep" / "rome2").mkdir(parents=True)
    (tmp_path / "rome1.json").write_bytes(data)
    for name in (
        "rome1-20261127T131500Z.json", "rome1.rank3.json", "rome3.json", "rome4_rank12.json.gz", "rome5.example.org.json",
        "xpu-doctor-rome6.json", "deep/rome2/report.json", "rome8.log",
    ):  # fmt: skip
        (tmp_path / name).write_bytes(data[:9000])
    (tmp_path / "rome7.jsonl").write_bytes(b"oh\nno\n")
    with tarfile.open(tmp_path / "all.tar", "w") as archive:
        archive.add(tmp_path / "rome3.json", "b/rome9.json")
    done = run(".", "--hosts", "number", "--format", form, "-v", cwd=tmp_path)
    assert b"rome" not in done.stdout and done.returncode == 3
    if form == "json":
        values = json.loads(done.stdout)
        names = {file["name"] for row in values["not_read"] for file in row["examples"]}
        assert {"<host1>-20261127T131500Z.json", "<host1>.rank3.json", "all.tar: b/<host9>.json"} <= names
        assert "<host7>.jsonl#1" in names and values["groups"][0]["nodes"] == ["<host1>"]


def test_names_that_look_like_numbers_are_numbered_once(tmp_path: Path) -> None:
    for number in (7, 8):
        data = template().filled(f"host{number}", "2026-11-21T09:00:00Z", random.Random(0))
        (tmp_path / f"host{number}.json").write_bytes(data)
        (tmp_path / f"a-host{number}.json").write_bytes(b"")
    (tmp_path / "host1").mkdir()
    (tmp_path / "host1" / "host8.json").write_bytes(b"")
    found = judge(str(tmp_path), hosts="number")
    assert [group.nodes for group in found.groups] == [["<host1>", "<host2>"]]
    assert [file.name for file in found.not_read[0].examples] == ["<host3>.json", "<host4>.json", "host1/<host2>.json"]


def test_words_and_users_are_hidden(folder: Path) -> None:
    done = run("reports", "--json", "--redact", "COMPOSITE", cwd=folder)
    assert b"COMPOSITE" not in done.stdout and b"<word" in done.stdout
    shown = run("reports", "--json", "--no-redact", cwd=folder)
    assert json.loads(shown.stdout)["redacted"] is None and "not redacted" in json.loads(shown.stdout)["notes"][0]


def test_several_outputs(folder: Path, tmp_path: Path) -> None:
    names = ("f.html", "f.prom", "f.md", "f.json", "f.txt")
    done = run("reports", *(part for name in names for part in ("-o", str(tmp_path / name))), cwd=folder)
    assert done.returncode == 1 and not done.stdout and b"60 nodes" in done.stderr
    starts = {name: (tmp_path / name).read_text(encoding="utf-8")[:12] for name in names}
    assert (
        starts["f.html"].startswith("<!DOCTYPE")
        and starts["f.prom"].startswith("# HELP")
        and starts["f.md"].startswith("## xpu")
    )
    assert starts["f.json"].startswith("{") and starts["f.txt"].startswith("60 nodes")


@pytest.mark.parametrize("name", [each.name for each in FORMATS])
def test_triage_takes_no_fleet_for_a_customers_text(document: FleetDocument, name: str) -> None:
    text = next(each for each in FORMATS if each.name == name).render(document, View())
    with pytest.raises(SnapshotError, match=r"this is a fleet by xpu-doctor.*give the reports of the nodes"):
        triage(text)


def test_runs_of_one_node_over_time(tmp_path: Path) -> None:
    for day, plant in (("01", ""), ("02", "cpu-wheel"), ("03", "")):
        (tmp_path / day).mkdir()
        for number in range(1, 5):
            data = template(plant if number == 1 else "").filled(
                f"node{number}", f"2026-11-{day}T09:00:00Z", random.Random(number)
            )
            (tmp_path / day / f"node{number}.json").write_bytes(data)
    (tmp_path / "copy.json").write_bytes((tmp_path / "03" / "node2.json").read_bytes())
    found = judge(str(tmp_path))
    assert (found.nodes, found.reports, found.duplicates) == (4, 13, 1)
    [change] = found.changes
    assert (change.node, change.flaps, change.reports) == ("node1", True, 3)
    assert [step.what for step in change.steps] == ["healthy", "torch-cpu-wheel", "healthy"]
    assert found.states["healthy"] == 4 and not found.stale


def test_old_reports_are_stale(tmp_path: Path) -> None:
    for number in range(1, 8):
        created = "2026-11-19T09:00:00Z" if number == 7 else "2026-11-21T09:00:00Z"
        (tmp_path / f"node{number}.json").write_bytes(
            template().filled(f"node{number}", created, random.Random(number))
        )
    assert [(row.node, row.created) for row in judge(str(tmp_path)).stale] == [("node7", "2026-11-19T09:00:00Z")]


def test_a_node_with_two_differences_is_in_one_group_and_told_of(tmp_path: Path) -> None:
    kinds = {1: ("kernel", ""), 2: ("kernel", ""), 3: ("kernel", "python"), 4: ("python", "")}
    for number in range(1, 16):
        data = template(*kinds.get(number, ("", ""))).filled(
            f"n{number}", "2026-11-21T09:00:00Z", random.Random(number)
        )
        (tmp_path / f"n{number}.json").write_bytes(data)
    text = run(".", cwd=tmp_path).stdout.decode()
    assert "3 of 15 nodes: kernel: 5.15.0-91-generic, the others 5.15.0-153-generic\n    n[1-3]" in text
    assert "1 of 15 nodes: Python: 3.11.2, most others 3.12.3 (1 in other groups has it," in text


def test_words_of_the_command_line_are_those_of_the_document() -> None:
    from xpu_doctor.cli.fleet import FAIL_ON as of_command

    assert of_command == FAIL_ON


@pytest.mark.heavy
@pytest.mark.parametrize("form", ["folder", "tar.gz", "jsonl"])
def test_the_benchmark_finds_every_plant_in_bounded_memory(form: str) -> None:
    command = [sys.executable, "-m", "benchmarks.fleet", "--nodes", "5000", "--seed", "7", "--as", form]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    together = int(done.stdout.partition("all processes together ")[2].partition(" MiB")[0])
    assert together < 400

"""The hook in the Pythons of a watched program: it writes down what torch did, and nothing else is as if it were not there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.agent.interpreters import INTERPRETERS
from tests.support.cli import environment
from xpu_doctor.watching.additions import Records, name_applications, new_records, with_hook
from xpu_doctor.watching.inside_records import Inside, read_records

TORCH = """
import sys
from torch import version, xpu
__version__ = "2.9.1+xpu"
def is_autocast_enabled(kind): return False
"""
XPU = """
_queued, _initialized, _cached_device_count = [], False, None
def is_initialized(): return _initialized
def _lazy_call(call): _queued.append(call)
def device_count(): return 2
def init():
    global _initialized
    for call in _queued: call()
    _initialized = True
def get_device_name(index): return "A770"
def max_memory_allocated(index): return 4096 * (1 - index)
def memory_stats(index): return {"allocation.all.allocated": 3} if not index else {}
"""
LOADER = '''
class _BaseDataLoaderIter:
    def __init__(self, rows, workers=2):
        self.rows, self._num_workers, self._pin_memory = iter(rows), workers, True
    def __iter__(self): return self
    def __next__(self):
        """Return the next one."""
        import time
        time.sleep(0.01)
        return next(self.rows)
class Mine(_BaseDataLoaderIter): pass
'''


@pytest.fixture
def records() -> Any:
    made = new_records("xpu")
    name_applications(made, [("known_app", "known-app")])
    yield made
    made.remove()


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder with a torch of this test's making, and an application."""
    folder = tmp_path / "packages"
    for name, text in {
        "torch/__init__.py": TORCH, "torch/version.py": "xpu = '20250101'\ncuda = None\n", "torch/xpu.py": XPU,
        "torch/utils/__init__.py": "", "torch/utils/data/__init__.py": "", "torch/utils/data/dataloader.py": LOADER,
        "known_app.py": "__version__ = '1.2'\n",
    }.items():  # fmt: skip
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def run(
    records: Records | None, program: str, *flags: str, paths: tuple[Path, ...] = (), python: str = sys.executable,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:  # fmt: skip
    """Run a program with the hook, or without where there are no records."""
    variables = {**environment(), "PYTHONPATH": os.pathsep.join(map(str, paths)), **(env or {})}
    if not variables["PYTHONPATH"]:
        del variables["PYTHONPATH"]
    if records is not None:
        variables = with_hook(variables, records)
    return subprocess.run(
        [python, *flags, "-c", program], capture_output=True, text=True, env=variables, timeout=60, check=False
    )


def read(records: Records) -> Inside:
    import time

    return read_records(records.folder, time.monotonic() - 3600, 3600)


def test_what_a_program_did_with_torch(records: Records, packages: Path) -> None:
    program = (
        "import torch, known_app\nfrom torch.utils.data.dataloader import Mine\ntorch.xpu.init()\n"
        "print(list(Mine('abc')), torch.__spec__.loader, vars(torch.__spec__.loader).keys())"
    )
    ran = run(records, program, paths=(packages,), env={"RANK": "1"})
    assert ran.returncode == 0 and not ran.stderr
    assert "exec_module" not in ran.stdout and "SourceFileLoader" in ran.stdout and "['a', 'b', 'c']" in ran.stdout
    (report,) = read(records).reports
    assert (report.torch_version, report.torch_xpu, report.torch_cuda) == ("2.9.1+xpu", "20250101", "")
    assert report.whole and report.initialised is True and report.available is True
    assert [(one.device, one.name, one.peak_bytes, one.allocations) for one in report.devices] == [
        ("xpu:0", "A770", 4096, 3),
        ("xpu:1", "A770", 0, 0),
    ]
    assert (report.batches, report.loader_workers, report.pin_memory, report.rank) == (3, 2, True, 1)
    assert isinstance(report.data_wait_seconds, float) and 0.03 <= report.data_wait_seconds < 5
    assert report.applications == ("known-app 1.2",)
    assert report.python == sys.executable


@pytest.mark.parametrize(
    ("end", "initialised", "whole"),
    [
        ("", False, True),
        ("import os; os._exit(0)", None, False),
        ("torch.xpu.init(); import os; os._exit(0)", True, False),
    ],
)
def test_what_is_known_of_a_process_depends_on_its_end(
    records: Records, packages: Path, end: str, initialised: bool | None, whole: bool
) -> None:
    """Never initialised is known only where the process could write at its end."""
    run(records, f"import torch\n{end}", paths=(packages,))
    (report,) = read(records).reports
    assert report.whole is whole
    assert report.initialised is initialised or (initialised is None and not isinstance(report.initialised, bool))


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_of_multiprocessing(records: Records, packages: Path, tmp_path: Path, method: str) -> None:
    main = tmp_path / "main.py"
    main.write_text(
        "import multiprocessing, torch\ndef work():\n    torch.xpu.init()\n"
        f"if __name__ == '__main__':\n    multiprocessing.set_start_method({method!r})\n"
        "    child = multiprocessing.Process(target=work)\n    child.start()\n    child.join()\n    print(child.exitcode)\n",
        encoding="utf-8",
    )
    ran = run(records, f"import runpy; runpy.run_path({str(main)!r}, run_name='__main__')", paths=(packages, tmp_path))
    assert ran.stdout == "0\n" and not ran.stderr, ran.stderr
    reports = {report.initialised: report for report in read(records).reports if report.whole}
    assert reports[True].pid != reports[False].pid


def test_a_fork_that_does_nothing_of_its_own_leaves_no_record(records: Records, packages: Path) -> None:
    run(
        records,
        "import torch, os, sys\npid = os.fork()\nif not pid: sys.exit(0)\nos.waitpid(pid, 0)",
        paths=(packages,),
    )
    found = read(records)
    assert len(found.reports) == 1 and len(found.pythons) == 2


def test_a_python_without_torch_is_noted_and_no_more(records: Records) -> None:
    assert not run(
        records, "import sys; assert 'json' not in sys.modules and 'importlib.util' not in sys.modules"
    ).stderr
    found = read(records)
    assert not found.reports and list(found.pythons.values()) == [sys.executable]


SEEN = (
    "import sys, os; print(sys.path, [name for name in sys.modules if 'custom' in name], "
    "getattr(sys.modules.get('sitecustomize'), '__file__', None), getattr(sys, 'of_the_user', None))"
)
CUSTOMS = {
    "works": "import sys\nsys.of_the_user = __name__\n",
    "fails": "raise ValueError('of the user')\n",
    "lacks": "import no_such_module\n",
    "exits": "raise SystemExit(4)\n",
    "lacks itself": "raise ImportError('odd', name='sitecustomize')\n",
    "none": None,
}


@pytest.mark.parametrize("custom", CUSTOMS)
@pytest.mark.parametrize("python", [path for path, _ in INTERPRETERS])
def test_the_users_own_sitecustomize_runs_as_without_the_hook(
    records: Records, tmp_path: Path, python: str, custom: str
) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    text = CUSTOMS[custom]
    if text is not None:
        (folder / "sitecustomize.py").write_text(text, encoding="utf-8")
    alone = run(None, SEEN, "-B", paths=(folder,), python=python)
    hooked = run(records, SEEN, "-B", paths=(folder,), python=python)
    if custom == "exits":  # Python prints its own frames then, of which there are more
        assert hooked.stderr.splitlines()[-1:] == alone.stderr.splitlines()[-1:]
    else:
        assert hooked.stderr == alone.stderr
    assert (hooked.returncode, hooked.stdout) == (alone.returncode, alone.stdout)


@pytest.mark.parametrize(("python", "version"), INTERPRETERS)
def test_every_python_writes_its_record(
    records: Records, packages: Path, python: str, version: tuple[int, ...]
) -> None:
    ran = run(
        records,
        "import sys, torch, torch.utils.data.dataloader as d; sys.version_info[0] == 2 or list(d.Mine('ab')); torch.xpu.init()",
        "-B",
        paths=(packages,),
        python=python,
    )
    assert ran.returncode == 0 and not ran.stderr
    if version < (3, 8):
        assert not read(records).pythons
    else:
        (report,) = read(records).reports
        assert report.initialised is True and report.batches == 2


@pytest.mark.parametrize("flag", ["-I", "-S", "-E"])
def test_where_the_hook_is_not_loaded(records: Records, flag: str) -> None:
    assert run(records, "print(1)", flag).stdout == "1\n"
    assert not read(records).pythons


@pytest.mark.parametrize("state", ["gone", "read-only", "full"])
def test_a_folder_that_cannot_be_written_to_costs_nothing(
    records: Records, packages: Path, state: str, tmp_path: Path
) -> None:
    folder = Path(records.folder)
    if state == "gone":
        records.remove()
    elif state == "read-only":
        (folder / "pythons").unlink()
        (folder / "settings").unlink()
        folder.chmod(0o500)
    else:
        folder = tmp_path / "full"
        folder.symlink_to("/dev/full")
    ran = run(Records(str(folder)), "import torch; torch.xpu.init(); print('fine')", paths=(packages,))
    assert (ran.stdout, ran.stderr, ran.returncode) == ("fine\n", "", 0)
    if state == "read-only":
        folder.chmod(0o700)


def test_the_loop_of_batches_is_as_without_the_hook(records: Records, packages: Path) -> None:
    """The same exceptions, names, signatures, subclasses and pickles."""
    program = (
        "import torch, pickle, inspect\nfrom torch.utils.data import dataloader as d\n"
        "class Own(d.Mine):\n    def __next__(self):\n        return super().__next__() * 2\n"
        "print(list(Own('ab')))\n"
        "it = d.Mine(x for x in [1 / 1, 0])\nprint(next(it))\n"
        "def bad():\n    yield 1\n    raise KeyError('of the user')\n"
        "it = d.Mine(bad()); next(it)\n"
        "try:\n    next(it)\nexcept KeyError as error:\n    print(repr(error), error.__cause__, error.__context__)\n"
        "print(pickle.loads(pickle.dumps(d.Mine)) is d.Mine, inspect.signature(d.Mine.__next__), d.Mine.__next__.__qualname__, d.Mine.__next__.__doc__)\n"
        "print(inspect.getsource(d._BaseDataLoaderIter.__next__).strip().splitlines()[0])"
    )
    alone = run(None, program, paths=(packages,))
    hooked = run(records, program, paths=(packages,))
    assert alone.returncode == 0, alone.stderr
    assert (hooked.stdout, hooked.stderr) == (alone.stdout, alone.stderr)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "class _BaseDataLoaderIter: pass\n",
        "class _BaseDataLoaderIter:\n    __next__ = iter\n",
        "_BaseDataLoaderIter = 3\n",
    ],
)
def test_a_loader_that_is_not_as_expected_is_left_alone(records: Records, packages: Path, text: str) -> None:
    (packages / "torch/utils/data/dataloader.py").write_text(text, encoding="utf-8")
    ran = run(records, "import torch, torch.utils.data.dataloader; print('fine')", paths=(packages,))
    assert (ran.stdout, ran.stderr) == ("fine\n", "")
    (report,) = read(records).reports
    assert not isinstance(report.batches, int)


def test_a_torch_whose_import_fails(records: Records, packages: Path) -> None:
    (packages / "torch/__init__.py").write_text(
        "raise ImportError('libze_loader.so.1: cannot open')\n", encoding="utf-8"
    )
    program = "try:\n    import torch\nexcept ImportError as error:\n    print(error)\nimport sys; print('torch' in sys.modules)"
    assert run(records, program, paths=(packages,)).stdout == "libze_loader.so.1: cannot open\nFalse\n"
    assert not read(records).reports


def test_a_search_for_torch_is_no_import(records: Records, packages: Path) -> None:
    program = "import importlib.util, sys; print(importlib.util.find_spec('torch').origin, 'torch' in sys.modules, importlib.util.find_spec('none_such'))"
    ran = run(records, program, paths=(packages,))
    assert ran.stdout == f"{packages}/torch/__init__.py False None\n"
    assert not read(records).reports


def test_a_torch_of_strange_answers(records: Records, packages: Path) -> None:
    """Whatever torch's functions raise or return, the program does not notice."""
    (packages / "torch/xpu.py").write_text(
        "def is_initialized(): return True\ndef device_count(): return 2\ndef get_device_name(index): raise SystemError\n"
        "def max_memory_allocated(index): return 'much'\ndef memory_stats(index): return 3\n_lazy_call = 5\n",
        encoding="utf-8",
    )
    ran = run(records, "import torch; print('fine')", paths=(packages,))
    assert (ran.stdout, ran.stderr) == ("fine\n", "")
    (report,) = read(records).reports
    assert report.initialised is True and len(report.devices) == 2


def test_a_program_that_replaces_itself(records: Records, packages: Path) -> None:
    program = (
        "import torch, os, sys; os.execv(sys.executable, [sys.executable, '-c', 'import torch; torch.xpu.init()'])"
    )
    run(records, program, paths=(packages,))
    reports = read(records).reports
    assert len({report.pid for report in reports}) == 1 and {report.whole for report in reports} == {True, False}


def test_json_of_records_is_small(records: Records, packages: Path) -> None:
    run(records, "import torch", paths=(packages,))
    (name,) = Path(records.folder).glob("*.json")
    assert len(name.read_bytes()) < 2000 and json.loads(name.read_bytes())["fdinfo"] == []

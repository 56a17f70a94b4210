"""The way back under Windows: a library that a program has loaded, names and paths that only Windows makes difficult."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.windows_bench import WindowsBench, unique_folder

CODE = r"""
import ctypes, json, os, shutil, stat, sys
from pathlib import Path
from xpu_doctor.treatment.backup import SMALL, discard, opened, take
from xpu_doctor.treatment.comparison import differences
from xpu_doctor.treatment.freeze import freeze
from xpu_doctor.treatment.history import begun, keep, state_folder, unfinished
from xpu_doctor.treatment.place import place_of
from xpu_doctor.treatment.restoration import restore
from xpu_doctor.treatment.scope import extended

prefix = Path(sys.argv[1])
site = prefix / "Lib" / "site-packages"
place = place_of(sys.argv[2], str(prefix), (str(site),))
quiet = lambda done, of: None
said = {}

package = site / "Größe 東京"
package.mkdir()
(package / "a.py").write_text("one = 1\n")
(package / "read only.py").write_text("two = 2\n")
os.chmod(package / "read only.py", stat.S_IREAD)
deep = extended(str(site / "\\".join(["x" * 60] * 5)))
os.makedirs(deep)
with open(deep + "\\file.py", "w") as file:
    file.write("deep")
library = package / "loaded.dll"
shutil.copyfile(sys.argv[3], library)
large = package / "large.dll"
large.write_bytes(os.urandom(SMALL + 1))

backup = take(place, place.kept / "one", quiet)
said["links"] = os.stat(large).st_nlink
said["kept"] = len(differences(backup))
content = library.read_bytes(), large.read_bytes()
times = os.stat(library).st_mtime_ns, os.stat(package / "read only.py").st_mtime_ns

large.unlink()
large.write_bytes(b"new")
os.chmod(package / "read only.py", stat.S_IWRITE)
(package / "read only.py").write_text("changed")
os.chmod(package / "read only.py", stat.S_IREAD)
(package / "new read only.py").write_text("new")
os.chmod(package / "new read only.py", stat.S_IREAD)
shutil.rmtree(extended(str(site / ("x" * 60))))
with open(library, "ab") as file:
    file.write(b"more")
shutil.copyfile(sys.argv[3], package / "new.dll")
held = ctypes.WinDLL(str(library)), ctypes.WinDLL(str(package / "new.dll"))
try:
    os.unlink(library)
    said["in use"] = False
except PermissionError:
    said["in use"] = True

said["left"] = [(item.path, item.change.name, item.reason) for item in restore(opened(backup.folder, backup.seal), quiet)]
said["same"] = content == (library.read_bytes(), large.read_bytes())
said["times"] = times == (os.stat(library).st_mtime_ns, os.stat(package / "read only.py").st_mtime_ns)
said["read only"] = not os.access(package / "read only.py", os.W_OK)
said["deep"] = open(deep + "\\file.py").read()
said["names"] = sorted(os.listdir(package))
discard(backup.folder)

frozen = freeze(sys.argv[2], os.environ)
said["frozen"] = [(item.name, item.version, len(item.record)) for item in frozen]
treatment = begun(sys.argv[2], str(prefix), (), frozen)
keep(treatment)
said["noted"] = unfinished(str(prefix).upper()) == treatment and treatment.at_work
said["state"] = str(state_folder()).startswith(os.environ["LOCALAPPDATA"])
print(json.dumps(said))
"""


def test_a_changed_environment_is_put_back(windows_bench: WindowsBench, tmp_path: Path) -> None:
    patient = windows_bench.new_patient(unique_folder(windows_bench.folder, "way back"))
    patient.add("Torch_x", "2.13.0+cpu", {"torch/__init__.py": ""})
    library = next((windows_bench.patient.parent / "DLLs").glob("libffi*.dll"))
    run = windows_bench.machine.win(
        [windows_bench.doctor_python, "-X", "utf8", "-c", CODE, patient.folder, patient.python, library], timeout=120
    )
    assert run.returncode == 0, run.stderr.decode("utf-8", "replace")
    said = json.loads(run.stdout)
    assert said == {
        "links": 2,
        "kept": 0,
        "in use": True,
        "left": [],
        "same": True,
        "times": True,
        "read only": True,
        "deep": "deep",
        "frozen": [["torch-x", "2.13.0+cpu", 64]],
        "noted": True,
        "state": True,
        "names": ["a.py", "large.dll", "loaded.dll", "read only.py"],
    }

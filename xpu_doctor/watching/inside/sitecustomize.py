"""Loaded at the start of each Python below `xpu-doctor watch`: waits for torch, and hands over to the next sitecustomize.

It runs in programs of others, so it prints nothing, takes its folder off the search path again, and lets every failure of its own pass.
"""

import os
import sys

VARIABLE = "XPU_DOCTOR_WATCH"
"""Names the folder that records go to."""
PYTHONS = "pythons"
"""A file in that folder: a line for each Python in which this was loaded."""
AWAITED = ("torch", "torch.utils.data.dataloader")
"""Modules after whose import the recorder is told."""


class Finder:
    """Stands first among the finders of modules, and has the recorder told of the awaited ones after their import."""

    def __init__(self, home, records):
        self.home = home
        self.records = records
        self.recorder = None
        self.owner = os.getpid()
        self._asking = False

    def find_spec(self, name, path=None, target=None):
        """Return what the other finders find; of an awaited module, its loader tells of the end of its work."""
        if name not in AWAITED or self._asking:
            return None
        self._asking = True
        try:
            spec = None
            for finder in list(sys.meta_path):
                if finder is self:
                    continue
                find = getattr(finder, "find_spec", None)
                if find is None:  # of old style: whatever it would find, the import system must ask it itself
                    return None
                spec = find(name, path, target)
                if spec is not None:
                    break
        finally:
            self._asking = False
        if spec is not None:
            self._await(name, spec.loader)
        return spec

    def _await(self, name, loader):
        try:
            execute = loader.exec_module

            def exec_module(module):
                try:
                    del loader.exec_module
                except Exception:
                    pass
                execute(module)
                self.imported(name)

            loader.exec_module = exec_module
        except Exception:
            pass

    def imported(self, name):
        """Tell the recorder, which is loaded by now at the latest, that a module was imported."""
        try:
            if self.recorder is None:
                from importlib.util import module_from_spec, spec_from_file_location

                # Not among sys.modules: the program shall not see it.
                spec = spec_from_file_location("xpu_doctor_recorder", os.path.join(self.home, "recorder.py"))
                module = module_from_spec(spec)
                spec.loader.exec_module(module)
                self.recorder = module.Recorder(self.records)
            self.recorder.imported(name)
            if name == AWAITED[-1] and self in sys.meta_path:
                sys.meta_path.remove(self)
        except Exception:
            pass

    def at_exit(self):
        """Have the last record written; the recorder is loaded even now where torch came in by another way."""
        try:
            if self.recorder is None and "torch" in sys.modules:
                self.imported("torch")
            if self.recorder is not None:
                self.recorder.end()
        except Exception:
            pass

    def forked(self):
        """Begin anew in a child that is a copy of this process."""
        try:
            note(self.records)
            if self.recorder is not None:
                self.recorder.forked()
            if "multiprocessing.util" in sys.modules:
                # Such a child ends without atexit, and forgets all finalizers that stood before the fork.
                sys.modules["multiprocessing.util"].register_after_fork(self, Finder.end_with_multiprocessing)
        except Exception:
            pass

    def end_with_multiprocessing(self):
        """Have the last record written when a child of multiprocessing ends."""
        try:
            sys.modules["multiprocessing.util"].Finalize(None, self.at_exit, exitpriority=-100)
        except Exception:
            pass


def note(records):
    """Add a line of this process to the list of Pythons; that it cannot be written costs nothing."""
    try:
        line = "{}\t{}\n".format(os.getpid(), sys.executable or "")
        flags = os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        descriptor = os.open(os.path.join(records, PYTHONS), flags)
        try:
            os.write(descriptor, line.encode("utf-8", "surrogateescape")[:4096])
        finally:
            os.close(descriptor)
    except Exception:
        pass


def begin():
    """Take this folder off the search path, and wait for torch where a watch goes on."""
    home = os.path.dirname(__file__)
    sys.path[:] = [entry for entry in sys.path if entry != home]
    records = os.environ.get(VARIABLE, "")
    if not records or not os.path.isdir(records) or sys.version_info < (3, 8):
        return
    import atexit

    note(records)
    finder = Finder(home, records)
    sys.meta_path.insert(0, finder)
    atexit.register(finder.at_exit)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=finder.forked)


try:
    begin()
except Exception:
    pass

# The next sitecustomize takes this one's place. Where there is none, or it fails, site says and does what it would without this one.
sys.modules.pop("sitecustomize", None)
import sitecustomize  # noqa: E402, F401

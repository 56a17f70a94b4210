"""Writes down what torch did in this process: at its import, when a device is initialised, and at the end.

It runs in programs of others: it calls nothing of torch that would start a device, and whatever fails here is left out.
"""

import json
import os
import sys
import threading
import time

LIMIT = 64 * 1024
"""Bytes of one record."""
AGAIN_SECONDS = 10.0
"""How old a record may be when the next batch comes: what was written last is all that is left of a process that is killed."""
FDINFO_LIMIT = 8
"""Texts of a process's own GPU counters in one record."""
DEVICES_LIMIT = 64


class Recorder:
    """What is known of torch in this process."""

    def __init__(self, records):
        self.records = records
        self.device_type = (_json(records, "settings") or {}).get("device_type", "xpu")
        self.imported_at = None
        self.copied = False
        self.awaits_device = False
        self.autocast = None
        self.ended = False
        self._begin()

    def _begin(self):
        self.pid = os.getpid()
        self.name = "{}-{}.json".format(self.pid, time.monotonic_ns())
        self.waits = Waits()
        self.written_at = 0.0

    def imported(self, name):
        """Note that a module was imported, torch or its data loader."""
        if name == "torch" and self.imported_at is None:
            self.imported_at = time.monotonic()
            self._call_when_initialised()
            self.write(False)
        loader = sys.modules.get("torch.utils.data.dataloader")
        if loader is not None:
            measure_waits(loader, self)

    def _call_when_initialised(self):
        """Have a record written when the device is initialised, of which a process that is killed later leaves no other trace."""
        try:
            device = getattr(sys.modules["torch"], self.device_type)
            if not device.is_initialized():
                device._lazy_call(self._initialised)
                self.awaits_device = True
        except Exception:
            pass

    def _initialised(self):
        """Write that the device is being initialised: torch says so itself only after all calls like this one."""
        try:
            self.write(False, initialised=True)
        except Exception:
            pass

    def forked(self):
        """Begin anew in a child that is a copy of this process."""
        self._begin()
        self.copied = True
        self.ended = False

    def end(self):
        """Write the last record, once; a copy of another process that did nothing of its own leaves none."""
        if self.ended or self.pid != os.getpid():
            return
        self.ended = True
        try:
            if self.copied and not self.waits.batches and not _is_initialised(self._device()):
                return
            self.write(True)
        except Exception:
            pass

    def batch(self):
        """Write a record anew from time to time while batches come."""
        try:
            now = time.monotonic()
            if now - self.written_at > AGAIN_SECONDS:
                self.write(False)
        except Exception:
            pass

    def _device(self):
        return getattr(sys.modules.get("torch"), self.device_type, None)

    def write(self, whole, initialised=None):
        """Write all that is known now, whole or not at all."""
        self.written_at = time.monotonic()
        torch = sys.modules["torch"]
        device = self._device()
        started = _is_initialised(device) if initialised is None else initialised
        wait, batches = self.waits.sums()
        facts = {
            "pid": self.pid,
            "parent": os.getppid(),
            "python": sys.executable or "",
            "torch_version": str(getattr(torch, "__version__", "")),
            "torch_xpu": _version_of(torch, "xpu"),
            "torch_cuda": _version_of(torch, "cuda"),
            "whole": whole,
            "written_at": self.written_at,
            "imported_at": self.imported_at,
            "initialised": started,
            "awaits_device": self.awaits_device,
            "available": _available(device, started),
            "devices": _devices(device, self.device_type) if started and initialised is None else [],
            "autocast": self._autocast(torch),
            "data_wait_seconds": wait,
            "batches": batches,
            "loader_workers": self.waits.workers,
            "pin_memory": self.waits.pin_memory,
            "measured": self.waits.measured,
            "applications": _applications(self.records),
            "rank": os.environ.get("RANK", ""),
            "fdinfo": _own_counters() if whole else [],
        }
        _put(self.records, self.name, facts)

    def _autocast(self, torch):
        try:
            if torch.is_autocast_enabled(self.device_type):
                self.autocast = True
        except Exception:
            pass
        return self.autocast


class Waits:
    """Time in which the program waited for its DataLoaders."""

    def __init__(self):
        self.batches = 0
        self.workers = None
        self.pin_memory = None
        self.measured = False
        self._threads = {}
        self._inside = threading.local()

    def enter(self):
        """Return whether a wait begins here, and not within that of an outer loader of this thread."""
        if getattr(self._inside, "at", False):
            return False
        self._inside.at = True
        return True

    def leave(self, iterator, seconds, gave):
        """Note one wait, and whether it gave a batch."""
        self._inside.at = False
        row = self._threads.setdefault(threading.get_ident(), [0.0, 0])
        row[0] += seconds
        if not gave:
            return
        row[1] += 1
        self.batches += 1
        workers = getattr(iterator, "_num_workers", None)
        if isinstance(workers, int) and (self.workers is None or workers > self.workers):
            self.workers = workers
        self.pin_memory = bool(self.pin_memory or getattr(iterator, "_pin_memory", False))

    def sums(self):
        """Return the seconds of the thread that waits for the program, and all batches; another thread may fetch ahead of the main one."""
        if not self.measured:
            return None, None
        main = self._threads.get(threading.main_thread().ident)
        rows = [main] if main and main[1] else list(self._threads.values())
        return max([row[0] for row in rows] or [0.0]), self.batches


def measure_waits(module, recorder):
    """Measure the waits for the next batch; where torch's class is not as expected, it is left alone."""
    try:
        owner = module._BaseDataLoaderIter
        original = owner.__dict__["__next__"]
        if type(original) is not type(measure_waits) or original.__code__.co_argcount != 1:
            return
        if getattr(original, "__wrapped__", None) is not None:
            return
    except Exception:
        return
    clock = time.perf_counter

    def __next__(self):
        waits = recorder.waits
        if not waits.enter():
            return original(self)
        began = clock()
        gave = False
        try:
            batch = original(self)
            gave = True
            return batch
        finally:
            waits.leave(self, clock() - began, gave)
            recorder.batch()

    for name in ("__module__", "__name__", "__qualname__", "__doc__", "__annotations__"):
        setattr(__next__, name, getattr(original, name))
    __next__.__wrapped__ = original
    owner.__next__ = __next__
    recorder.waits.measured = True


def _is_initialised(device):
    """Return whether torch initialised the device; None where it does not tell."""
    try:
        return bool(device.is_initialized())
    except Exception:
        return None


def _available(device, started):
    """Return whether there are devices, without asking anew: what torch remembers of a question of the program's."""
    try:
        if started:
            return device.device_count() > 0
        known = getattr(device, "_cached_device_count", None)
        count = device.device_count
        if known is None and hasattr(count, "cache_info") and count.cache_info().currsize:
            known = count()
        return None if known is None else known > 0
    except Exception:
        return None


def _devices(device, kind):
    try:
        count = min(device.device_count(), DEVICES_LIMIT)
    except Exception:
        return []
    return [_one_device(device, index, kind) for index in range(count)]


def _one_device(device, index, kind):
    facts = {"device": "{}:{}".format(kind, index), "name": "", "peak_bytes": None, "allocations": None}
    try:
        facts["name"] = str(device.get_device_name(index))
    except Exception:
        pass
    try:
        facts["peak_bytes"] = int(device.max_memory_allocated(index))
    except Exception:
        pass
    try:
        stats = device.memory_stats(index)
        facts["allocations"] = int(stats.get("allocation.all.allocated", 0)) if stats else 0
    except Exception:
        pass
    return facts


def _version_of(torch, name):
    try:
        return str(getattr(torch.version, name, None) or "")
    except Exception:
        return None


def _applications(records):
    """Return those of the named modules that were imported, with their versions."""
    found = []
    try:
        for module, distribution in _json(records, "applications") or ():
            if module in sys.modules:
                version = getattr(sys.modules[module], "__version__", "")
                found.append("{} {}".format(distribution, version if isinstance(version, str) else "").strip())
    except Exception:
        pass
    return found[:32]


def _own_counters():
    """Return what the kernel counted of this process's work on GPUs, which is gone with the process."""
    found = []
    try:
        for name in os.listdir("/proc/self/fd"):
            try:
                if not os.readlink("/proc/self/fd/" + name).startswith("/dev/dri/"):
                    continue
                with open("/proc/self/fdinfo/" + name, "rb") as stream:
                    text = stream.read(4096).decode("ascii", "replace")
            except OSError:
                continue
            if "drm-client-id" in text and text not in found:
                found.append(text)
    except Exception:
        pass
    return found[:FDINFO_LIMIT]


def _json(records, name):
    """Return what the watch wrote for the hook; None where it is not there (yet)."""
    try:
        with open(os.path.join(records, name), encoding="utf-8") as stream:
            return json.load(stream)
    except Exception:
        return None


def _put(records, name, facts):
    data = json.dumps(facts).encode("utf-8", "backslashreplace")
    if len(data) > LIMIT:
        facts["fdinfo"] = []
        data = json.dumps(facts).encode("utf-8", "backslashreplace")[:LIMIT]
    path = os.path.join(records, name)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(path + ".part", flags | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        written = os.write(descriptor, data)
    finally:
        os.close(descriptor)
    if written == len(data):
        os.replace(path + ".part", path)
    else:
        os.unlink(path + ".part")

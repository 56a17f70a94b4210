"""Says for each environment, given as a line of JSON, what the walk of the libraries predicts."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import Any

from xpu_doctor.model.facts import Python, Torch
from xpu_doctor.model.unknown import known_or
from xpu_doctor.probes.libraries import closure_facts


def predicted(request: dict[str, str]) -> dict[str, Any]:
    """Return the walk's answer in the terms in which the loader is asked."""
    before = next((value for key, value in os.environ.items() if key.upper() == "PATH"), "")
    environ = {**os.environ, "PATH": ";".join(filter(None, (request["path"], before)))}
    folder = request["folder"]
    python = Python(os="windows", executable=folder + "\\python.exe", prefix=folder, base_prefix=folder)
    torch = Torch(path=folder + "\\Lib\\site-packages\\torch", version="2.13.0+xpu")
    facts = closure_facts(python, torch, environ, folder)
    said = known_or(facts.predicted_error, "not predicted")
    number, library = re.search(r"WinError (\d+)", said), re.search(r'loading "([^"]+)"', said)
    return {
        "error": int(number[1]) if number else 0 if not said else -1,
        "library": library[1] if library else "",
        "modules": [row.path for row in known_or(facts.loaded, ())],
        "faults": [[row.kind, row.name, row.error, row.stage] for row in known_or(facts.faults, ())],
        "opened": {row.name: row.outcome for row in known_or(facts.opened, ())},
    }


for line in sys.stdin:
    print(json.dumps(predicted(json.loads(line))), flush=True)

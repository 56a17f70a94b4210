"""The program that the target interpreter runs: a gate that every Python can parse, and the parts behind it.

It is started by path and never imported by the doctor.
"""

from __future__ import annotations

from pathlib import Path

AGENT_PATH = Path(__file__).with_name("__main__.py")
"""The gate, which is what is started; it finds the parts beside itself."""
PARTS_PATH = Path(__file__).with_name("xpu_doctor_agent")
"""The package of the parts."""

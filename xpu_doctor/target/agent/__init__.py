"""The script that the target interpreter runs: `agent.py`, one file, standard library only."""

from __future__ import annotations

from pathlib import Path

AGENT_PATH = Path(__file__).with_name("agent.py")
"""The script itself; it is started by path and never imported by the doctor."""

"""What the doctor asks of one run of the agent."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .facts import Facts
    from .transcript import Transcript


class Request:
    """The doctor's request, with what every stage may need to answer it."""

    def __init__(self, values: Facts, users_path: list[str], transcript: Transcript) -> None:
        """Take the request as it came in JSON."""
        self.users_path = users_path
        """sys.path as the user has it; sys.path itself holds only the standard library until torch is imported."""
        self.transcript = transcript
        self.bare = bool(values.get("bare"))
        """The interpreter was started without its environment's start-up code."""
        self.folder: str = values.get("folder") or ""
        """The working folder that the user's script would have; empty for that of this process."""
        self.stacks: str = values.get("stacks") or ""
        """Where faulthandler writes: a path, `fd:N`, or empty for nowhere."""
        self.deadlines: dict[str, float] = values.get("deadlines") or {}
        """Seconds that each stage may take."""
        self.compute: Facts = values.get("compute") or {}
        """Devices and limits of the timed matmul."""

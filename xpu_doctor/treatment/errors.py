"""What keeps `fix` from going on, or from going back."""

from __future__ import annotations


class TreatmentError(OSError):
    """Something that has to be true is not; the message is one line with the way out."""


class IncompleteWayBack(TreatmentError):
    """The way back that is kept lacks files which a new plan changes; undo comes first."""


def reason_of(error: OSError) -> str:
    """Return why the system refused something, in a few words."""
    return error.strerror or str(error)

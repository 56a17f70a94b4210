"""The metadata of one installed distribution, read as files."""

from __future__ import annotations

import json
import os

from .facts import small_text, unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .facts import Facts

MAX_METADATA = 1 << 20


def normalised(name: str) -> str:
    """Return a distribution's name in lower case with single hyphens."""
    result: list[str] = []
    for character in name.lower():
        kept = "-" if character in "_." else character
        if not (kept == "-" and result and result[-1] == "-"):
            result.append(kept)
    return "".join(result)


class Metadata:
    """Name, version and requirements of METADATA (or PKG-INFO); `fault` says what is wrong with the file."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self.name = ""
        self.version = ""
        self.requires: list[str] = []
        self.fault = ""


def metadata(path: str) -> Metadata:
    """Read the headers of a dist-info or egg-info."""
    values = Metadata()
    candidate = _metadata_file(path)
    if candidate is None:
        values.fault = "METADATA is missing"
        return values
    with open(candidate, "rb") as stream:
        header = stream.read(MAX_METADATA).replace(b"\r\n", b"\n").split(b"\n\n")[0].decode("utf-8", "replace")
    seen = set()
    for line in header.split("\n"):
        key, _, value = line.partition(":")
        if key == "Requires-Dist":
            values.requires.append(value.strip())
        elif key in ("Name", "Version") and key not in seen:
            seen.add(key)
            setattr(values, key.lower(), value.strip())
    if "Version" not in seen:
        values.fault = "METADATA is empty or damaged"
    return values


def _metadata_file(path: str) -> str | None:
    """Return the file that holds the metadata: an egg-info may be a single file."""
    for candidate in (os.path.join(path, "METADATA"), os.path.join(path, "PKG-INFO"), path):
        if os.path.isfile(candidate):
            return candidate
    return None


def direct_url(path: str) -> str | Facts:
    """Return the URL of direct_url.json, or empty."""
    text = small_text(os.path.join(path, "direct_url.json"))
    try:
        return str(json.loads(text).get("url", "")) if text else ""
    except (ValueError, AttributeError):
        return unknown("direct_url.json is damaged")


def is_editable(path: str) -> bool:
    """Return whether the distribution is installed in editable mode."""
    if '"editable": true' in small_text(os.path.join(path, "direct_url.json")):
        return True
    return (
        path.endswith(".egg-info")
        and os.path.isdir(path)
        and not os.path.exists(os.path.join(path, "installed-files.txt"))
    )

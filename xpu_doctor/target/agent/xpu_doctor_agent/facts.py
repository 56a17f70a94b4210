"""Facts as the doctor reads them: JSON values, and `{"reason": ...}` for one that could not be had."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    Facts = dict[str, Any]

MAX_TEXT = 8192
MAX_FILE = 65536


def unknown(reason: object) -> Facts:
    """Return the JSON form of a fact that could not be had."""
    return {"reason": str(reason)[:500]}


def attempt(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return a call's result, or unknown with the exception as the reason."""
    try:
        return function(*arguments)
    except Exception as error:
        return unknown(described(error))


def described(error: BaseException) -> str:
    """Return an exception as one line: its type and its message."""
    return f"{type(error).__name__}: {error}"


def cut(text: object, limit: int = MAX_TEXT) -> str:
    """Return a text cut to a number of characters, keeping its beginning and its end."""
    text = str(text)
    if len(text) <= limit:
        return text
    return f"{text[: limit // 2]}\n[... {len(text) - limit} characters cut ...]\n{text[-(limit // 2) :]}"


def small_text(path: str) -> str:
    """Return the text of a small file, empty where it cannot be read."""
    try:
        with open(path, "rb") as stream:
            return stream.read(MAX_FILE).decode("utf-8", "replace")
    except OSError:
        return ""

"""What the settings of pip and uv do to an install, and how a command works around them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from xpu_doctor.model.facts import Installer, Setting
from xpu_doctor.model.unknown import known_or

PIP_HOSTILE = frozenset(
    {
        "abi", "constraint", "dry-run", "extra-index-url", "find-links", "implementation", "no-binary", "no-deps", "no-index",
        "only-binary", "only-final", "platform", "prefix", "python-version", "require-hashes", "requirement", "root", "target",
        "uploaded-prior-to", "user",
    }
)  # fmt: skip
"""Options that make `pip install` take packages from elsewhere, or put them elsewhere, whatever --index-url says."""

PIP_KEPT = (
    "cert",
    "client-cert",
    "default-timeout",
    "keyring-provider",
    "proxy",
    "retries",
    "timeout",
    "trusted-host",
    "use-feature",
)
"""Options that reach the network; a command that ignores the configuration must bring them itself."""

UV_HOSTILE = frozenset(
    {
        "build-constraint", "config-file", "constraint", "constraint-dependencies", "exclude", "exclude-newer",
        "extra-index-url", "find-links", "index", "index-strategy", "no-binary", "no-build", "no-index", "offline", "only-binary",
        "override", "override-dependencies", "prefix", "python-platform", "python-version", "require-hashes", "resolution", "sources",
        "target", "torch-backend",
    }
)  # fmt: skip
"""Options that make `uv pip install` take packages from elsewhere; index-url alone is overruled by the command line."""

UV_KEPT = ("allow-insecure-host", "native-tls", "system-certs")

LONG_NAME = {"f": "find-links", "i": "index-url", "c": "constraint", "t": "target"}
CREDENTIALS_CUT = "***"
PATHS = frozenset(
    {
        "build-constraint", "cert", "client-cert", "config-file", "constraint", "override", "prefix", "requirement", "root", "target",
    }
)  # fmt: skip
"""Options whose values are paths, where an @ is a plain letter unless it stands in a URL."""


@dataclass(frozen=True)
class Isolation:
    """How a command leaves the hostile settings out and brings the needed ones along."""

    hostile: tuple[Setting, ...] = ()
    options: tuple[str, ...] = ()
    """Placed before the subcommand."""
    kept: tuple[str, ...] = ()
    """Placed after the subcommand."""
    unset: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    """Needed settings whose value holds credentials and cannot be repeated."""


def option_of(setting: Setting) -> str:
    """Return the long option that a setting stands for, e.g. `find-links` for PIP_FIND_LINKS."""
    name = setting.name
    for prefix in ("PIP_", "UV_"):
        name = name.removeprefix(prefix)
    option = name.lower().replace("_", "-")
    return LONG_NAME.get(option, option)


def holds_credentials(option: str, value: str) -> bool:
    """Return whether a value holds credentials, or held them before they were cut: an address with or without a scheme, no path."""
    return CREDENTIALS_CUT in value or ("@" in value and (option not in PATHS or "://" in value))


def is_variable(setting: Setting) -> bool:
    """Return whether a setting is an environment variable."""
    return setting.name.startswith(("PIP_", "UV_"))


def of_tool(installer: Installer, tool: str) -> tuple[Setting, ...]:
    """Return the settings that pip or uv obeys; none where they are not known."""
    settings = known_or(installer.settings, ())
    return tuple(setting for setting in settings if (setting.tool or _tool_of(setting)) == tool)


def _tool_of(setting: Setting) -> str:
    return "uv" if setting.name.startswith("UV_") or setting.source.endswith(("uv.toml", "pyproject.toml")) else "pip"


def hostile(installer: Installer, tool: str) -> tuple[Setting, ...]:
    """Return the settings that can give an install another torch than the command asks for."""
    wanted = UV_HOSTILE if tool == "uv" else PIP_HOSTILE
    return tuple(
        setting for setting in of_tool(installer, tool) if option_of(setting) in wanted and not _harmless(setting)
    )


def _harmless(setting: Setting) -> bool:
    return setting.value.strip().lower() in ("", "0", "false", "no", "off") and option_of(setting) not in (
        "find-links",
        "extra-index-url",
    )


def pip_isolation(installer: Installer, os: str) -> Isolation:
    """Return how a `pip install` shuts the configuration out: --isolated ends variables and the user's file, the null file all others."""
    met = hostile(installer, "pip")
    if not met:
        return Isolation()
    kept, left_out = _kept(of_tool(installer, "pip"), PIP_KEPT)
    files = any(not is_variable(setting) for setting in met)
    variables = {"PIP_CONFIG_FILE": "nul" if os == "windows" else "/dev/null"} if files else {}
    return Isolation(hostile=met, options=("--isolated",), kept=kept, unset=(), variables=variables, left_out=left_out)


def uv_isolation(installer: Installer) -> Isolation:
    """Return how a `uv pip install` shuts variables and configuration files out."""
    met = hostile(installer, "uv")
    unset = tuple(dict.fromkeys(setting.name for setting in met if is_variable(setting)))
    files = any(not is_variable(setting) or option_of(setting) == "config-file" for setting in met)
    kept, left_out = (
        _kept((setting for setting in of_tool(installer, "uv") if not is_variable(setting)), UV_KEPT)
        if files
        else ((), ())
    )
    return Isolation(
        hostile=met,
        options=(),
        kept=("--no-config", *kept) if files else (),
        unset=unset,
        variables={},
        left_out=left_out,
    )


def _kept(settings: Iterable[Setting], names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the command-line words of the settings to keep, and the names of those that cannot be repeated."""
    words: list[str] = []
    left_out: list[str] = []
    strongest = {option_of(setting): setting for setting in settings if option_of(setting) in names}
    for option, setting in strongest.items():
        if holds_credentials(option, setting.value):
            left_out.append(setting.name)
        elif setting.value.lower() == "true":
            words.append(f"--{option}")
        elif setting.value.lower() != "false":
            words += (
                [word for value in setting.value.split() for word in (f"--{option}", value)]
                if option in _LISTS
                else [f"--{option}", setting.value]
            )
    return tuple(words), tuple(left_out)


_LISTS = frozenset({"trusted-host", "allow-insecure-host", "use-feature"})

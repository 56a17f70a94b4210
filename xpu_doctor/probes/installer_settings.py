"""Settings of pip and uv that decide where packages come from, weakest first, with credentials cut out."""

from __future__ import annotations

import configparser
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from xpu_doctor.host.interface import Host
from xpu_doctor.model.facts import Setting
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.remedies.settings import CREDENTIALS_CUT, PATHS, PIP_HOSTILE, PIP_KEPT, UV_HOSTILE, UV_KEPT, option_of

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PIP_OPTIONS = PIP_HOSTILE | frozenset(PIP_KEPT) | {"config-file", "index-url"}
UV_OPTIONS = UV_HOSTILE | frozenset(UV_KEPT) | {"default-index", "index-url", "no-config", "prerelease"}
PIP_SECTIONS = ("global", "install")
NULL = ("/dev/null", "nul", "NUL")
DAMAGED = "configuration file"
UP = 12
ONE_ADDRESS = frozenset({"default-index", "index-url", "proxy"})
"""Options with one address as their value, which may lack its scheme; a blank in it belongs to a password."""
_BEFORE_AT = re.compile(r"(?<=://)(?<!\bfile://)(?:(?!\s\S+://).)*@", re.DOTALL)
"""From the scheme to the last @ before the next URL, since a password may hold slashes and blanks that nobody encoded."""
_PLAIN_AT = re.compile(r"(?<!\S)(?!\S*://)(?!/(?!/)|\.|~|[A-Za-z]:[\\/])\S+@")
"""User name and password of a word without a scheme that is no path."""
_SECRET_PARAMETER = re.compile(r"(?i)([?&][^=\s&]*(?:token|key|secret|pass|pwd|sig|auth|cred)[^=\s&]*=)[^&\s]+")


def pip_settings(host: Host, environment: Mapping[str, str], prefix: str) -> tuple[Setting, ...]:
    """Return what pip's configuration files and PIP_ variables set: global, user, environment, PIP_CONFIG_FILE, variables."""
    found: list[Setting] = []
    for path in pip_files(host, environment, prefix):
        found += _pip_file(host, path)
    return (*found, *_variables(environment, "PIP_", PIP_OPTIONS, "pip"))


def pip_files(host: Host, environment: Mapping[str, str], prefix: str) -> tuple[str, ...]:
    """Return where pip looks for configuration files, weakest first; PIP_CONFIG_FILE replaces the user's, the null file all."""
    own = environment.get("PIP_CONFIG_FILE", "")
    if own in NULL:
        return ()
    name = "pip.ini" if host.platform == "windows" else "pip.conf"
    user = () if own and host.exists(own) is True else _user_files(host, environment, name)
    site = (f"{prefix}{_mark(host)}{name}",) if prefix else ()
    return tuple(dict.fromkeys((*_global_files(host, environment, name), *user, *site, *((own,) if own else ()))))


def _global_files(host: Host, environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    if host.platform == "windows":
        return (f"{_program_data(environment)}\\pip\\{name}",)
    if host.platform == "macos":
        return (f"/Library/Application Support/pip/{name}",)
    folders = [folder for folder in environment.get("XDG_CONFIG_DIRS", "").split(":") if folder] or ["/etc/xdg"]
    return (*(f"{folder.rstrip('/')}/pip/{name}" for folder in folders), f"/etc/{name}")


def _program_data(environment: Mapping[str, str]) -> str:
    return environment.get("PROGRAMDATA") or environment.get("ProgramData") or "C:\\ProgramData"


def _user_files(host: Host, environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    if host.platform == "windows":
        home, roaming = environment.get("USERPROFILE", ""), environment.get("APPDATA", "")
        return (*((f"{home}\\pip\\{name}",) if home else ()), *((f"{roaming}\\pip\\{name}",) if roaming else ()))
    home = environment.get("HOME", "")
    if not home:
        return ()
    folder = environment.get("XDG_CONFIG_HOME") or f"{home}/.config"
    if host.platform == "macos":
        library = f"{home}/Library/Application Support"
        folder = library if host.exists(f"{library}/pip") is True else f"{home}/.config"
    return (f"{home}/.pip/{name}", f"{folder}/pip/{name}")


def _pip_file(host: Host, path: str) -> Iterator[Setting]:
    text = host.read(path)
    if isinstance(text, Unknown):
        return
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error as error:
        yield Setting(DAMAGED, f"cannot be read: {str(error).splitlines()[0]}", path, "pip")
        return
    for section in PIP_SECTIONS:
        if parser.has_section(section):
            for name, value in parser.items(section):
                option = name.lower().replace("_", "-").removeprefix("--")
                if option in PIP_OPTIONS and value is not None:
                    yield Setting(option, without_credentials(" ".join(value.split()), option), path, "pip")


def uv_settings(host: Host, environment: Mapping[str, str], folder: str) -> tuple[Setting, ...]:
    """Return what uv's configuration files and UV_ variables set: system, user, project, variables."""
    found: list[Setting] = []
    for path in uv_files(host, environment, folder):
        found += _uv_file(host, path)
    return (*found, *_variables(environment, "UV_", UV_OPTIONS, "uv"))


def uv_files(host: Host, environment: Mapping[str, str], folder: str) -> tuple[str, ...]:
    """Return the configuration files that uv reads when it is started in a folder, weakest first."""
    own = environment.get("UV_CONFIG_FILE", "")
    if own:
        return (own,)
    if environment.get("UV_NO_CONFIG", "").lower() in ("1", "true", "yes", "on"):
        return ()
    if host.platform == "windows":
        system = [f"{_program_data(environment)}\\uv\\uv.toml"]
        user = [f"{environment['APPDATA']}\\uv\\uv.toml"] if environment.get("APPDATA") else []
    else:
        folders = [item for item in environment.get("XDG_CONFIG_DIRS", "").split(":") if item] or ["/etc/xdg"]
        system = [*(f"{item.rstrip('/')}/uv/uv.toml" for item in folders), "/etc/uv/uv.toml"]
        home = environment.get("XDG_CONFIG_HOME") or (
            f"{environment['HOME']}/.config" if environment.get("HOME") else ""
        )
        user = [f"{home}/uv/uv.toml"] if home else []
    first = next((path for path in system if host.exists(path) is True), "")
    return (*((first,) if first else ()), *user, *_uv_project(host, folder))


def _uv_project(host: Host, folder: str) -> tuple[str, ...]:
    """Return the nearest uv.toml, or pyproject.toml with a table for uv, from the working folder up."""
    mark, here = _mark(host), folder.rstrip("/\\")
    for _ in range(UP if folder else 0):
        if host.exists(f"{here}{mark}uv.toml") is True:
            return (f"{here}{mark}uv.toml",)
        text = host.read(f"{here}{mark}pyproject.toml")
        if isinstance(text, str) and "[tool.uv" in text.replace("[[tool.uv", "[tool.uv"):
            return (f"{here}{mark}pyproject.toml",)
        if mark not in here:
            break
        here = here.rpartition(mark)[0]
    return ()


def _uv_file(host: Host, path: str) -> Iterator[Setting]:
    text = host.read(path)
    if isinstance(text, Unknown):
        return
    try:
        table: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        yield Setting(DAMAGED, f"cannot be read: {error}", path, "uv")
        return
    if path.endswith("pyproject.toml"):
        tool = table.get("tool", {})
        table = tool.get("uv", {}) if isinstance(tool, dict) else {}
    for name, value in _flat(table):
        if name in UV_OPTIONS:
            yield Setting(name, without_credentials(value, name), path, "uv")


def _flat(table: Any) -> Iterator[tuple[str, str]]:
    """Option and value as text, of the table itself and of its table `pip`; an explicit index serves named packages only."""
    if not isinstance(table, dict):
        return
    for name, value in table.items():
        if name == "pip":
            yield from _flat(value)
        elif name == "index" and isinstance(value, list):
            for row in value:
                if isinstance(row, dict) and row.get("url") and not row.get("explicit"):
                    yield ("default-index" if row.get("default") else "index"), str(row["url"])
        elif isinstance(value, list):
            yield name, " ".join(str(item) for item in value if isinstance(item, (str, int)))
        elif isinstance(value, (str, int)):
            yield name, str(value).lower() if isinstance(value, bool) else str(value)


def _variables(environment: Mapping[str, str], start: str, options: frozenset[str], tool: str) -> tuple[Setting, ...]:
    named = (Setting(name, value, name, tool) for name, value in sorted(environment.items()) if name.startswith(start))
    wanted = ((setting, option_of(setting)) for setting in named)
    return tuple(
        replace(setting, value=without_credentials(setting.value, option))
        for setting, option in wanted
        if option in options
    )


def without_credentials(text: str, option: str = "") -> str:
    """Return the value of an option whose addresses have lost user names, passwords and tokens; in doubt more is cut than needed."""
    text = _BEFORE_AT.sub(f"{CREDENTIALS_CUT}@", text)
    if option in ONE_ADDRESS and "://" not in text:
        text = re.sub(r"^.*@", f"{CREDENTIALS_CUT}@", text, flags=re.DOTALL)
    elif option not in PATHS:
        text = _PLAIN_AT.sub(f"{CREDENTIALS_CUT}@", text)
    return _SECRET_PARAMETER.sub(rf"\g<1>{CREDENTIALS_CUT}", text)


def _mark(host: Host) -> str:
    return "\\" if host.platform == "windows" else "/"

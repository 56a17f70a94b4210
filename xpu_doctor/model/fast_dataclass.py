"""`dataclass(frozen=True)` without what makes a hundred of them slow to define: all methods are shared.

The standard decorator compiles six methods for each class; a report in a fraction of a second cannot wait for that. A type
checker sees the standard decorator; at run time the classes are dataclasses too, with fields, `replace` and `asdict`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(*, frozen: bool) -> Any:
        """Make a frozen dataclass with the shared methods below."""

        def made(cls: type) -> type:
            cls.__init__, cls.__eq__, cls.__hash__, cls.__repr__ = _init, _equal, _hash, _repr
            cls.__setattr__ = cls.__delattr__ = _refuse
            return dataclasses.dataclass(init=False, repr=False, eq=False)(cls)

        return made


def _init(self: Any, *arguments: Any, **named: Any) -> None:
    cls: Any = type(self)
    names, defaults, factories, required = _plan(cls)
    state = self.__dict__
    state.update(defaults)
    if arguments:
        given = dict(zip(names, arguments, strict=False))
        if len(arguments) > len(names):
            raise TypeError(f"{type(self).__name__} takes {len(names)} values, not {len(arguments)}")
        if given.keys() & named.keys():
            raise TypeError(f"{type(self).__name__}: {sorted(given.keys() & named.keys())} given twice")
        state.update(given)
    state.update(named)
    for name, factory in factories:
        if name not in state:
            state[name] = factory()
    for name in required:
        if name not in state:
            raise TypeError(f"{type(self).__name__}: {name} is missing")
    if len(state) > len(names):
        raise TypeError(f"{type(self).__name__} has no field {sorted(state.keys() - set(names))}")


@cache
def _plan(cls: type) -> tuple[tuple[str, ...], dict[str, Any], tuple[tuple[str, Any], ...], tuple[str, ...]]:
    """Names of a class's fields, their defaults, their default factories, and the names that have neither."""
    fields: dict[str, dataclasses.Field[Any]] = vars(cls)["__dataclass_fields__"]
    missing = dataclasses.MISSING
    return (
        tuple(fields),
        {name: field.default for name, field in fields.items() if field.default is not missing},
        tuple((name, field.default_factory) for name, field in fields.items() if field.default_factory is not missing),
        tuple(name for name, field in fields.items() if field.default is missing and field.default_factory is missing),
    )


def _refuse(self: Any, name: str, *value: Any) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot change {type(self).__name__}.{name}")


def _values(thing: Any) -> Any:
    """Return the values of all fields: a tuple, of a single field the value itself."""
    cls: Any = type(thing)
    return _getter(cls)(thing)


@cache
def _getter(cls: type) -> Callable[[Any], Any]:
    names = tuple(cls.__dataclass_fields__)  # type: ignore[attr-defined]
    return attrgetter(*names) if names else lambda _: ()


def _equal(self: Any, other: Any) -> Any:
    return _values(self) == _values(other) if type(self) is type(other) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_values(self))


def _repr(self: Any) -> str:
    return (
        f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__dataclass_fields__)})"
    )

"""`dataclass(frozen=True)` without what makes a hundred of them slow to define: all methods are shared.

The standard decorator compiles six methods for each class; a report in a fraction of a second cannot wait for that. A type
checker sees the standard decorator; at run time the classes are dataclasses too, with fields, `replace` and `asdict`.
"""

from __future__ import annotations

import dataclasses
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
    fields = self.__dataclass_fields__
    if len(arguments) > len(fields):
        raise TypeError(f"{type(self).__name__} takes {len(fields)} values, not {len(arguments)}")
    values = dict(zip(fields, arguments, strict=False))
    if values.keys() & named.keys():
        raise TypeError(f"{type(self).__name__}: {sorted(values.keys() & named.keys())} given twice")
    values.update(named)
    state = self.__dict__
    for name, field in fields.items():
        if name in values:
            state[name] = values.pop(name)
        elif field.default is not dataclasses.MISSING:
            state[name] = field.default
        elif field.default_factory is not dataclasses.MISSING:
            state[name] = field.default_factory()
        else:
            raise TypeError(f"{type(self).__name__}: {name} is missing")
    if values:
        raise TypeError(f"{type(self).__name__} has no field {sorted(values)}")


def _refuse(self: Any, name: str, *value: Any) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot change {type(self).__name__}.{name}")


def _values(thing: Any) -> tuple[Any, ...]:
    return tuple(getattr(thing, name) for name in thing.__dataclass_fields__)


def _equal(self: Any, other: Any) -> Any:
    return _values(self) == _values(other) if type(self) is type(other) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_values(self))


def _repr(self: Any) -> str:
    return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__dataclass_fields__)})"

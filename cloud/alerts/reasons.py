"""Reasons as JSON, and back without loss: a case shows for ever what was true when it opened.

``reason`` names the class. Decimals are strings and keep their digits, times are ISO 8601, durations are microseconds,
a mapping by unit is an object. Everything else is read from the declared types of the fields: a new kind of reason
needs no line here.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from alerting import reasons
from alerting.reasons import Reason
from alerting.regimes import RegimeLimit

KIND = "reason"
_KINDS: Mapping[str, type[Reason]] = {cls.__name__.removesuffix("Reason").lower(): cls for cls in get_args(Reason)}
_NAME_OF: Mapping[type[Any], str] = {cls: name for name, cls in _KINDS.items()}
_MICROSECOND = timedelta(microseconds=1)


def to_json(reason: Reason) -> dict[str, object]:
    """The reason as JSON values; not to be changed, since parts of it are shared."""
    return {KIND: _NAME_OF[type(reason)], **_fields_of(reason)}


def from_json(data: Mapping[str, object]) -> Reason | None:
    """The same reason again; None for what has another shape (written by something else, or by an older version)."""
    try:
        return _reason(data)
    except (KeyError, TypeError, ValueError, InvalidOperation):
        return None


def _reason(data: Any) -> Reason:
    kind: Any = _KINDS[data[KIND]]
    reason: Reason = _reader(kind)(data)
    return reason


# The limits of a programme stand in reason after reason.
_LIMITS: dict[int, tuple[RegimeLimit, dict[str, object]]] = {}
_LIMITS_KEPT = 512


def _limit(limit: RegimeLimit) -> dict[str, object]:
    kept = _LIMITS.get(id(limit))
    if kept is None:
        if len(_LIMITS) >= _LIMITS_KEPT:
            _LIMITS.clear()
        kept = _LIMITS[id(limit)] = (limit, _fields_of(limit))
    return kept[1]


@cache
def _names(cls: Any) -> tuple[str, ...]:
    return tuple(f.name for f in fields(cls))


def _fields_of(value: object) -> dict[str, object]:
    cls: Any = type(value)
    return {name: _told(getattr(value, name)) for name in _names(cls)}


def _told(value: object) -> object:
    if isinstance(value, RegimeLimit):
        return _limit(value)
    if is_dataclass(value):
        named: Any = type(value)
        return {KIND: _NAME_OF[named], **_fields_of(value)} if named in _NAME_OF else _fields_of(value)
    if isinstance(value, Mapping):
        return {str(_scalar(key)): _told(of) for key, of in value.items()}
    if isinstance(value, tuple):
        return [_told(each) for each in value]
    return _scalar(value)


def _scalar(value: object) -> object:
    match value:
        case Enum():
            return value.value
        case Decimal():
            return str(value)
        case timedelta():
            return value // _MICROSECOND
        case date():  # a datetime is one, too
            return value.isoformat()
        case _:
            return value


@cache
def _reader(declared: Any) -> Callable[[Any], Any]:
    """What makes a value of the declared type out of JSON."""
    if declared == Reason:
        return _reason
    origin, arguments = get_origin(declared), get_args(declared)
    if origin in (Union, UnionType):
        [inner] = [_reader(each) for each in arguments if each is not NoneType]
        return lambda value: None if value is None else inner(value)
    if origin is tuple:
        of = _reader(arguments[0])
        return lambda values: tuple(of(value) for value in values)
    if origin is not None and issubclass(origin, Mapping):
        key, of = _reader(arguments[0]), _reader(arguments[1])
        return lambda values: {key(name): of(value) for name, value in values.items()}
    if is_dataclass(declared):
        hints = get_type_hints(declared, vars(reasons))
        readers = {f.name: _reader(hints[f.name]) for f in fields(declared)}
        made: Any = declared
        return lambda data: made(**{name: read(data[name]) for name, read in readers.items()})
    if declared is timedelta:
        return lambda value: value * _MICROSECOND
    if declared in (datetime, date):
        read: Callable[[Any], Any] = declared.fromisoformat
        return read
    if declared in (int, str, bool):
        return _plain(declared)
    make: Callable[[Any], Any] = declared
    return make


def _plain(declared: type) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if type(value) is not declared:
            raise TypeError(f"{value!r} is no {declared.__name__}")
        return value

    return read

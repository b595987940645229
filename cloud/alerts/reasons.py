"""Reasons as JSON, and back without loss: a case shows for ever what was true when it opened.

``reason`` names the class. Decimals are strings and keep their digits, times are ISO 8601, durations are microseconds, a
mapping by unit is an object. Everything else is read from the declared types of the fields: a new kind of reason needs
no line here.
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

KIND = "reason"
_KINDS: Mapping[str, type[Reason]] = {cls.__name__.removesuffix("Reason").lower(): cls for cls in get_args(Reason)}
_NAME_OF = {cls: name for name, cls in _KINDS.items()}
_MICROSECOND = timedelta(microseconds=1)


def to_json(reason: Reason) -> dict[str, object]:
    """The reason as JSON values."""
    return {KIND: _NAME_OF[type(reason)], **{f.name: _told(getattr(reason, f.name)) for f in fields(reason)}}


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


def _told(value: object) -> object:
    if isinstance(value, get_args(Reason)):
        return to_json(value)
    if is_dataclass(value):
        return {f.name: _told(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, timedelta):
        return value // _MICROSECOND
    if isinstance(value, date):  # a datetime is one, too
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(_told(key)): _told(of) for key, of in value.items()}
    if isinstance(value, tuple):
        return [_told(each) for each in value]
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

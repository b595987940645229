"""Everything that takes octets from a device: found by its shape, so that a new codec is fuzzed from its first day."""

import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from itertools import product
from typing import Any, get_type_hints

from device_drivers import codecs
from device_drivers.codecs.record_access_control_point import Refusal
from device_drivers.errors import CodecError
from device_drivers.support.decode_command import decoded
from device_drivers.support.formats import FORMATS, Format
from device_drivers.support.rendering import as_json

# What a decoder may raise. A Refusal is how a server must answer a request: the simulators' side.
DECLARED = (CodecError, Refusal)

# A reader that has been fed this much noise may hold this much of it.
NOISE = 256 * 1024
MOST_HELD = 64 * 1024


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to feed; ``feed`` returns, or raises one of DECLARED, whatever the octets."""

    name: str
    feed: Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Reader:
    """A parser of streams: ``make`` gives a fresh one, whose ``feed`` never raises."""

    name: str
    make: Callable[[], Any]


def targets() -> list[Target]:
    """Every format of the command, and every decoder of every codec."""
    return [*_formats(), *_decoders()]


def readers() -> list[Reader]:
    """Every frame or line reader of every codec."""
    found = []
    for module in _codecs():
        for name, member in vars(module).items():
            ours = getattr(member, "__module__", "") == module.__name__ and not name.startswith("_")
            if ours and _makes_reader(name, member):
                found.append(Reader(f"{module.__name__.rpartition('.')[2]}.{name}", member))
    return found


def _formats() -> Iterator[Target]:
    for name, each in FORMATS.items():
        yield Target(f"decode {name}", partial(_decode, each))


def _decode(each: Format, octets: bytes) -> object:
    """All that the command does, up to the line that it prints."""
    return as_json(decoded(each, octets))


def _decoders() -> Iterator[Target]:
    for module in _codecs():
        for name, function in vars(module).items():
            if not inspect.isfunction(function) or function.__module__ != module.__name__:
                continue
            if not name.startswith("decode"):
                continue
            for options in _options(function):
                spelt = "".join(f" {key}={value}" for key, value in options.items())
                label = f"{module.__name__.rpartition('.')[2]}.{name}{spelt}"
                yield Target(label, _feeder(function, options))


def _feeder(function: Callable[..., object], options: dict[str, bool]) -> Callable[[bytes], object]:
    """Octets, or for a function of a line's text its characters."""
    first = next(iter(inspect.signature(function).parameters))
    if get_type_hints(function)[first] is str:
        return lambda octets: function(octets.decode("latin-1"), **options)
    return lambda octets: function(octets, **options)


def _options(function: Callable[..., object]) -> Iterator[dict[str, bool]]:
    """Every combination of its switches."""
    names = [
        parameter.name
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    ]
    for values in product((False, True), repeat=len(names)):
        yield dict(zip(names, values, strict=True))


def _codecs() -> Iterator[Any]:
    for found in pkgutil.iter_modules(codecs.__path__):
        yield import_module(f"{codecs.__name__}.{found.name}")


def _makes_reader(name: str, member: object) -> bool:
    """A class of readers that needs nothing, or a function whose name says that it gives one."""
    if inspect.isclass(member):
        return _feeds_octets(member) and _needs_nothing(member)
    return inspect.isfunction(member) and name.endswith("_reader") and _needs_nothing(member)


def _feeds_octets(member: type) -> bool:
    feed = getattr(member, "feed", None)
    return inspect.isfunction(feed) and get_type_hints(feed).get("data") is bytes


def _needs_nothing(member: Callable[..., object]) -> bool:
    parameters = inspect.signature(member).parameters.values()
    return all(parameter.default is not inspect.Parameter.empty for parameter in parameters)

"""Three lamps by Linux's LED class (``/sys/class/leds/NAME``): a lamp on a pin is a leds-gpio node of the device tree.

A lamp says by being steady or blinking what it says, and by its place which fact it tells: never by its colour. The
kernel blinks by itself (trigger ``timer``, half a second on and half a second off), so that a busy gateway's lamps do
not stutter. Files: ``trigger`` (what may be chosen; the chosen one stands in brackets), ``brightness`` and
``max_brightness``. Source: Linux, Documentation/leds/leds-class.rst, Documentation/ABI/testing/sysfs-class-led.
"""

import logging
import os
from collections.abc import Mapping
from pathlib import Path

from gateway.home.facts import Lamps, Pattern

log = logging.getLogger(__name__)

TIMER, NONE = "timer", "none"


class LampFailed(Exception):
    """A lamp cannot be set; the text says what to do."""


class Lights:
    """The lamps that are wired; ``names`` gives each fact's (due, measured, received) folder."""

    def __init__(self, folder: Path, names: Mapping[str, str]) -> None:
        self._lamps = {fact: _Lamp(folder / name) for fact, name in names.items()}

    def show(self, lamps: Lamps) -> None:
        """Set what has changed. A lamp that cannot be set is said once, and tried again each time."""
        for fact, lamp in self._lamps.items():
            lamp.show(getattr(lamps, fact))

    def off(self) -> None:
        """All dark: nobody looks after them any more."""
        self.show(Lamps(due=Pattern.OFF, measured=Pattern.OFF, received=Pattern.OFF))


class _Lamp:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shown: Pattern | None = None
        self._triggers: frozenset[str] | None = None
        self._trouble: str | None = None

    def show(self, pattern: Pattern) -> None:
        if pattern is self._shown:
            return
        try:
            self._set(pattern)
        except (LampFailed, OSError) as error:
            self._shown = None
            if str(error) != self._trouble:
                log.error("%s", error)
            self._trouble = str(error)
        else:
            self._shown = pattern
            self._trouble = None

    def _set(self, pattern: Pattern) -> None:
        if not self._folder.is_dir():
            raise LampFailed(f"there is no LED {self._folder}: {_those_there(self._folder.parent)}")
        if self._triggers is None:
            self._triggers = frozenset(self._read("trigger").replace("[", " ").replace("]", " ").split())
        if pattern is Pattern.BLINKING:
            if TIMER not in self._triggers:
                self._triggers = None  # it may be loaded by the next time
                raise LampFailed(f"{self._folder} cannot blink: load the kernel's module ledtrig-timer")
            self._write("trigger", TIMER)
        else:
            self._write("trigger", NONE)
            self._write("brightness", self._read("max_brightness") if pattern is Pattern.STEADY else "0")

    def _read(self, name: str) -> str:
        try:
            return (self._folder / name).read_text().strip()
        except OSError as error:
            raise LampFailed(f"{self._folder / name} cannot be read: {error.strerror}") from error

    def _write(self, name: str, text: str) -> None:
        try:
            # Without O_CREAT: where the kernel has no such file, none is to appear.
            with os.fdopen(os.open(self._folder / name, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC), "w") as file:
                file.write(text)
        except OSError as error:
            raise LampFailed(
                f"{self._folder / name} cannot be written: {error.strerror}; give this user the LED's files"
                " (deploy/udev)"
            ) from error


def _those_there(folder: Path) -> str:
    try:
        names = sorted(one.name for one in folder.iterdir())
    except OSError:
        return f"{folder} cannot be read"
    return f"there are {', '.join(names)}" if names else "there is none at all"

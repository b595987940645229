"""Lamps as the kernel has them: files in a folder for each."""

from pathlib import Path

import pytest

from gateway.home.facts import Lamps, Pattern
from gateway.home.lights import Lights

NAMES = {"due": "home:yellow:due", "measured": "home:blue:measured", "received": "home:green:received"}


def shown(due: Pattern, measured: Pattern = Pattern.OFF, received: Pattern = Pattern.OFF) -> Lamps:
    return Lamps(due=due, measured=measured, received=received)


class Wired:
    """A folder like /sys/class/leds."""

    def __init__(self, folder: Path, triggers: str = "[none] timer heartbeat") -> None:
        self.folder = folder
        for name in NAMES.values():
            (folder / name).mkdir(parents=True)
            self.write(name, trigger=triggers, brightness="0", max_brightness="255")

    def write(self, name: str, **files: str) -> None:
        for file, text in files.items():
            (self.folder / name / file).write_text(f"{text}\n")

    def read(self, fact: str, file: str) -> str:
        return (self.folder / NAMES[fact] / file).read_text().strip()


@pytest.fixture
def wired(tmp_path: Path) -> Wired:
    return Wired(tmp_path / "leds")


def test_a_steady_lamp_is_as_bright_as_it_can_be_and_a_dark_one_is_dark(wired: Wired) -> None:
    lights = Lights(wired.folder, NAMES)
    lights.show(shown(Pattern.STEADY))
    assert [wired.read("due", file) for file in ("trigger", "brightness")] == ["none", "255"]
    lights.show(shown(Pattern.OFF))
    assert [wired.read("due", file) for file in ("trigger", "brightness")] == ["none", "0"]


def test_the_kernel_blinks_a_blinking_lamp(wired: Wired) -> None:
    Lights(wired.folder, NAMES).show(shown(Pattern.OFF, received=Pattern.BLINKING))
    assert wired.read("received", "trigger") == "timer"
    assert wired.read("measured", "trigger") == "none"


def test_a_lamp_is_written_where_it_changes_and_else_left_alone(wired: Wired) -> None:
    lights = Lights(wired.folder, NAMES)
    lights.show(shown(Pattern.BLINKING))
    wired.write(NAMES["due"], trigger="heartbeat")
    lights.show(shown(Pattern.BLINKING))
    assert wired.read("due", "trigger") == "heartbeat"
    lights.show(shown(Pattern.STEADY))
    lights.show(shown(Pattern.BLINKING))
    assert wired.read("due", "trigger") == "timer"


def test_at_the_end_all_are_dark(wired: Wired) -> None:
    lights = Lights(wired.folder, NAMES)
    lights.show(shown(Pattern.STEADY, Pattern.STEADY, Pattern.BLINKING))
    lights.off()
    assert {wired.read(fact, "brightness") for fact in NAMES} == {"0"}
    assert {wired.read(fact, "trigger") for fact in NAMES} == {"none"}


def test_only_the_lamps_that_are_named_are_touched(wired: Wired) -> None:
    Lights(wired.folder, {"due": NAMES["due"]}).show(shown(Pattern.STEADY, Pattern.STEADY, Pattern.STEADY))
    assert (wired.read("due", "brightness"), wired.read("measured", "brightness")) == ("255", "0")


def test_a_lamp_that_is_not_there_is_said_once_with_those_that_are_and_the_others_work(
    wired: Wired, caplog: pytest.LogCaptureFixture
) -> None:
    lights = Lights(wired.folder, {**NAMES, "due": "misspelt"})
    for pattern in (Pattern.STEADY, Pattern.OFF, Pattern.STEADY):
        lights.show(shown(pattern, measured=pattern))
    [said] = [record.getMessage() for record in caplog.records]
    assert "there is no LED" in said
    assert NAMES["measured"] in said
    assert wired.read("measured", "brightness") == "255"


def test_a_lamp_that_comes_back_is_set_again(wired: Wired) -> None:
    lights = Lights(wired.folder, NAMES)
    folder = wired.folder / NAMES["due"]
    away = folder.rename(wired.folder / "away")
    lights.show(shown(Pattern.STEADY))
    away.rename(folder)
    lights.show(shown(Pattern.STEADY))
    assert wired.read("due", "brightness") == "255"


def test_a_kernel_that_cannot_blink_is_told_what_it_lacks(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    wired = Wired(tmp_path / "leds", triggers="[none] heartbeat")
    Lights(wired.folder, NAMES).show(shown(Pattern.BLINKING))
    assert "ledtrig-timer" in caplog.text


def test_where_there_is_no_such_file_none_is_made(wired: Wired, caplog: pytest.LogCaptureFixture) -> None:
    folder = wired.folder / NAMES["due"]
    for file in folder.iterdir():
        file.unlink()
    Lights(wired.folder, NAMES).show(shown(Pattern.STEADY))
    assert list(folder.iterdir()) == []
    assert "cannot be read" in caplog.text

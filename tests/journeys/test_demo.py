"""The demonstration is the README's promise: what it prints is checked here as a newcomer would see it."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event

from deploy.demo import cast

# What the devices hold, and what one of them measures again meanwhile.
EXPECTED = sum(len(device.records) for device in cast.DEVICES) + 1


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.demo", *arguments], capture_output=True, text=True, timeout=100, check=False
    )


def test_the_check_holds_and_prints_each_page_and_the_time_from_byte_to_screen_of_each_reading() -> None:
    done = demo("--check")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert len({line["reading_id"] for line in lines}) == EXPECTED
    assert all(0 < line["byte_to_screen_ms"] < 30_000 for line in lines)
    assert {line["device"] for line in lines} == {
        f"{maker}:sn:{device.serial_number}"
        for maker, device in zip(("roche", "a-d-medical", "lifescan", "taidoc"), cast.DEVICES, strict=True)
    }
    assert f"{EXPECTED} stored" in done.stdout
    paged = [line for line in done.stdout.splitlines() if line.startswith("page to ")]
    assert len(paged) == 2  # for each case the nurse on duty, once
    assert all(line.startswith("page to Nurse Ines Okafor: ") for line in paged)


def test_ctrl_c_stops_everything_that_was_started() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "deploy.demo"], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        assert running.stdout is not None
        said = list(iter(running.stdout.readline, "Ctrl-C stops everything.\n"))
        assert any("login nurse" in line for line in said)
        children = children_of(running.pid)
        assert len(children) == 6  # console, ingest, jobs, enrolment, simulators, gateway
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 0
    assert [child for child in children if child.exists()] == []


def test_ctrl_c_ends_the_check_too_and_leaves_nothing_behind() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "deploy.demo", "--check"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.readline()  # the services answer
        patience = Event()
        while not (children := children_of(running.pid)) and running.poll() is None:
            patience.wait(0.01)
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 1
        assert "it was stopped before it had seen everything" in running.stderr.read()
    assert [child for child in children if child.exists()] == []


def children_of(pid: int) -> list[Path]:
    """The /proc entries of a process's children."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [Path(f"/proc/{child}") for child in listed.split()]


def test_an_option_that_is_none_is_refused_with_the_usage() -> None:
    done = demo("--chekc")
    assert done.returncode == 2
    assert "usage: python -m deploy.demo" in done.stderr

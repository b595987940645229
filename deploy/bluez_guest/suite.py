"""The system suite: each file of tests/bluez in a boot of its own, so that nothing wedged leaks into the next one.

Three boots run at a time: a group computes for half of its time and waits (for time-outs, pauses, scans) for the rest.
"""

from __future__ import annotations

import compileall
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deploy.bluez_guest import machine, places
from deploy.bluez_guest.errors import GuestFailed

GROUPS = places.PROJECT / "tests" / "bluez"
# For a guest that hangs: each test has a limit of its own, and a busy machine emulates at a third of its speed.
LIMIT_S = 600.0
AT_A_TIME = 3
_FLOORS = ("device_drivers", "firmware_profiles", "gateway")


def run(names: list[str], say: Callable[[str], None]) -> bool:
    """Boot for each group (all where none is named: ``pairing`` is tests/bluez/test_pairing.py); whether all passed."""
    for folder in _FLOORS:  # the guest forgets what it compiles
        compileall.compile_dir(places.PROJECT / folder, quiet=2)
    groups = [_file(name) for name in names] or sorted(GROUPS.glob("test_*.py"))
    with ThreadPoolExecutor(AT_A_TIME) as boots:
        passed = [*boots.map(lambda group: _passes(group, say), groups)]
    failed = [group.stem for group, good in zip(groups, passed, strict=True) if not good]
    say(f"{len(groups) - len(failed)} of {len(groups)} groups passed; logs and btmon's records: {places.RUNS}")
    if failed:
        say(f"failed: {', '.join(failed)}")
    return not failed


def command(group: Path) -> list[str]:
    """pytest's command line in the guest: this group, and no fixture, plugin or cache of the other tests."""
    plugins = ("pytest_asyncio.plugin", "pytest_socket", "pytest_timeout")
    loaded = [word for plugin in plugins for word in ("-p", plugin)]
    only = ["-p", "no:cacheprovider", "-m", "bluez", "--confcutdir", str(GROUPS), str(group)]
    shown = ["--color=no", "--tb=short", "--durations=0", "--durations-min=1", "--timeout=180", "-v", "--no-header"]
    pytest = ["env", "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1", str(places.PROJECT / ".venv/bin/python"), "-m", "pytest"]
    return [*pytest, *loaded, *shown, *only]


def _passes(group: Path, say: Callable[[str], None]) -> bool:
    name = group.stem.removeprefix("test_")
    output = places.RUNS / f"{name}.txt"
    output.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    say(f"booting for {name}")
    try:
        code = machine.run(command(group), name, LIMIT_S, output)
    except GuestFailed as error:
        print(error, file=sys.stderr)
        code = -1
    ended = f"{'passed' if code == os.EX_OK else 'FAILED'}, {time.monotonic() - started:.0f} s"
    say(f"{name}: {ended}\n{output.read_text(errors='replace')}")
    return code == os.EX_OK


def _file(name: str) -> Path:
    group = GROUPS / f"test_{name}.py"
    if not group.is_file():
        raise GuestFailed(f"there is no group {name} in {GROUPS}")
    return group

"""Fixtures of the system suite. It runs inside the guest, where no fixture of the other tests is loaded."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from device_drivers.simulators.radio_spec import BleDeviceSpec
from tests.bluez.home import Home, home

GUEST = Path("/run/guest")

MakeHome = Callable[..., AbstractAsyncContextManager[Home]]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the tests measured."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {name}: {value}")


@pytest.fixture
def artefacts(request: pytest.FixtureRequest) -> Path:
    """The folder outside of the guest that keeps the daemons' logs and btmon's record of this test."""
    folder = GUEST / str(request.node.name)
    folder.mkdir()
    return folder


@pytest.fixture
def make_home(tmp_path: Path, artefacts: Path) -> MakeHome:
    """``make_home(*devices)``: see ``tests.bluez.home.home``."""

    def make(*devices: BleDeviceSpec, passkeys_are_typed: bool = False) -> AbstractAsyncContextManager[Home]:
        return home(tmp_path, artefacts, *devices, passkeys_are_typed=passkeys_are_typed)

    return make

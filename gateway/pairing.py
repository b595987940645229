"""Pairing from afar: somebody at the console says which model, we say what we hear, and they type what it shows.

One pairing at a time. It is a command that is under way: what is told of it are its ``state`` and what goes with it.

    searching        nobody of that model is heard yet; ``seen``: who else is
    several          more than one of that model is heard: ``seen`` with numbers, and somebody has to choose
    connecting       one was heard (or chosen), and is being connected
    passkey_wanted   it shows six digits, and somebody has to type them
    pairing          they were typed
    reading          it is paired; who it is is being read
    paired           the end: who it is
    failed           the end: ``why``, a word of ``Why``

A device that the configuration does not list is added to the home for good, under the name that the command gave it.
Nothing is paired that nobody asked for.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from device_drivers.errors import BondLost, BondMade, DeviceError
from device_drivers.identity import DeviceIdentity
from firmware_profiles.catalogue import Catalogue, UnknownProfile
from firmware_profiles.schema import ProfileFile
from gateway.commands import DONE, Answer, BadBody, Command, Commands
from gateway.config import DeviceEntry
from gateway.outbox import Outbox, OutboxError
from gateway.roster import Roster, RosteredDevice, resolve
from gateway.visit import Outcome, VisitReport
from gateway.wire.v1 import CommandStage

if TYPE_CHECKING:  # bleak is loaded only where the home has a Bluetooth device: it costs memory
    from device_drivers.links.ble import Advertisement

log = logging.getLogger(__name__)

# A device that is heard is waited with for so long: there may be a second one of the model.
SETTLE_S = 4.0
# bluetoothd gives an agent 60 s to answer.
PASSKEY_WAIT_S = 55.0
# Radios are weak: so many connections are tried before it is said that it cannot be reached.
ATTEMPTS = 3
MOST_SEEN = 12


class State(StrEnum):
    """Where a pairing stands."""

    SEARCHING = "searching"
    SEVERAL = "several"
    CONNECTING = "connecting"
    PASSKEY_WANTED = "passkey_wanted"
    PAIRING = "pairing"
    READING = "reading"
    PAIRED = "paired"
    FAILED = "failed"


class Why(StrEnum):
    """Why a pairing failed; the console has the words."""

    SILENT = "silent"  # nobody of that model was heard
    NOT_CHOSEN = "not_chosen"
    PASSKEY_WRONG = "passkey_wrong"
    NO_PASSKEY = "no_passkey"  # nobody typed it in time
    REFUSED = "refused"  # the device would not be paired
    UNREACHABLE = "unreachable"  # heard, and never connected
    CUT = "cut"  # it was paired, and hung up before it said who it is
    ANOTHER_MODEL = "another_model"
    NO_RADIO = "no_radio"
    NO_ROOM = "no_room"  # the outbox takes nothing
    STOPPED = "stopped"
    DEFECT = "defect"


class _PairBody(msgspec.Struct, frozen=True, kw_only=True):
    """``profile`` of a new device and the ``name`` it gets; or the name of one of this home, which is paired anew."""

    profile: str
    name: str


class _OfPairing(msgspec.Struct, frozen=True, kw_only=True):
    pairing: str


class _ChooseBody(_OfPairing, frozen=True, kw_only=True):
    number: int


class _PasskeyBody(_OfPairing, frozen=True, kw_only=True):
    passkey: str


class _UnpairBody(msgspec.Struct, frozen=True, kw_only=True):
    name: str


@dataclass(slots=True)
class _Session:
    """One pairing."""

    command_id: str
    device: RosteredDevice  # without its address where that is not known yet
    is_new: bool
    state: State = State.SEARCHING
    seen: "dict[str, Advertisement]" = field(default_factory=dict)  # everybody who is not of this home, by address
    settling: asyncio.TimerHandle | None = None
    chosen: str | None = None
    cleared: bool = False  # no bond of an earlier life is in the way
    attempts: int = 0
    asked: bool = False
    visiting: bool = False
    is_overdue: bool = False
    digits: "asyncio.Future[int] | None" = None
    ends: asyncio.TimerHandle | None = None


class PairingDesk:
    """Does ``pair``, ``pair_choose``, ``pair_passkey``, ``pair_stop``, ``unpair``; the radio and its agent ask it."""

    def __init__(
        self,
        commands: Commands,
        roster: Roster,
        profiles: Catalogue,
        outbox: Outbox,
        *,
        on_begin: Callable[[], None] = lambda: None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._commands = commands
        self._roster = roster
        self._profiles = profiles
        self._outbox = outbox
        self._on_begin = on_begin
        self._on_change = on_change
        self._session: _Session | None = None
        self.nudge: Callable[[Advertisement], None] = lambda _: None
        """Has the radio look again at what it heard; the radio's."""
        self.forsaken: list[str] = []
        """Addresses whose bonds are to be removed; the radio takes them off."""
        for kind, do in (
            ("pair", self._begin),
            ("pair_choose", self._choose),
            ("pair_passkey", self._type),
            ("pair_stop", self._stop),
            ("unpair", self._unpair),
        ):
            commands.add(kind, do)

    # Commands -----------------------------------------------------------------------------------------------------

    def _begin(self, command: Command) -> Answer | None:
        if self._session is not None:
            return Answer(CommandStage.REFUSED, "another device is being paired here", {"why": "busy"})
        body = _body(command.body, _PairBody)
        device, is_new = self._device(body)
        self._session = session = _Session(command.command_id, device, is_new)
        session.ends = asyncio.get_running_loop().call_later(
            max(0.0, command.seconds_left), self._time_is_over, session
        )
        log.info("pairing %s: a %s is looked for", body.name, body.profile)
        self._say(session, State.SEARCHING)
        self._on_begin()
        return None

    def _device(self, body: _PairBody) -> tuple[RosteredDevice, bool]:
        known = self._roster.ble_called(body.name)
        if known is not None:
            if known.entry.profile != body.profile:
                raise BadBody("the device of that name is another model")
            return known, False
        if self._roster.has_name(body.name):
            raise BadBody("the name is another device's")
        try:
            self._profiles.file(body.profile)
            entry = DeviceEntry(name=body.name, profile=body.profile, address=_UNKNOWN_ADDRESS)
            [device] = resolve([entry], self._profiles).ble
        except (UnknownProfile, ValueError) as error:
            raise BadBody("this gateway's release does not know that model over Bluetooth; update it") from error
        return device, True

    def _choose(self, command: Command) -> Answer:
        body = _body(command.body, _ChooseBody)
        session = self._of(body)
        if session is None or session.state is not State.SEVERAL:
            return _over()
        fitting = self._fitting(session)
        if not 1 <= body.number <= len(fitting):
            return Answer(CommandStage.REFUSED, "nobody has that number")
        self._settle_on(session, fitting[body.number - 1])
        return DONE

    def _type(self, command: Command) -> Answer:
        body = _body(command.body, _PasskeyBody)
        session = self._of(body)
        if not re.fullmatch("[0-9]{6}", body.passkey):
            return Answer(CommandStage.REFUSED, "a passkey has six digits")
        if session is None or session.digits is None or session.digits.done():
            return Answer(CommandStage.REFUSED, "no device asks for its digits now")
        session.digits.set_result(int(body.passkey))
        return DONE

    def _stop(self, command: Command) -> Answer:
        session = self._of(_body(command.body, _OfPairing))
        if session is None:
            return _over()
        self._fail(session, Why.STOPPED)
        return DONE

    def _unpair(self, command: Command) -> Answer:
        """Forget a device that was paired from afar, with its bond."""
        name = _body(command.body, _UnpairBody).name
        device = self._roster.ble_called(name)
        if device is None:
            return DONE
        if not self._outbox.is_paired(name):
            return Answer(CommandStage.REFUSED, "it stands in the gateway's configuration; take it out there")
        self._outbox.forget_paired(name)
        self._roster.remove(name)
        self.forsaken.append(device.entry.address or "")
        self._on_change()
        return DONE

    def _of(self, body: _OfPairing) -> _Session | None:
        session = self._session
        return session if session is not None and session.command_id == body.pairing else None

    # The radio ----------------------------------------------------------------------------------------------------

    def heard(self, advertisement: "Advertisement") -> RosteredDevice | None:
        """Whom to visit now because of it: the device that is to be paired, with this advertisement's address."""
        session = self._session
        if session is None or session.state not in (State.SEARCHING, State.SEVERAL, State.CONNECTING, State.READING):
            return None
        if not session.is_new:
            return session.device if advertisement.address == (session.device.entry.address or "").upper() else None
        if session.chosen is None:
            self._see(session, advertisement)
        if session.chosen != advertisement.address:
            return None
        entry = msgspec.structs.replace(session.device.entry, address=advertisement.address)
        session.device = RosteredDevice(entry, session.device.file, session.device.others)
        return session.device

    def wants_a_clean_start(self) -> bool:
        """Whether a bond of an earlier life with this device has to go first; asked once for each pairing."""
        session = self._session
        first = session is not None and not session.cleared
        if session is not None:
            session.cleared = True
        return first

    def connecting(self) -> None:
        """The device is being connected."""
        if self._session is not None:
            self._session.visiting = True
            if self._session.state is not State.READING:
                self._say(self._session, State.CONNECTING)

    def after(self, report: VisitReport) -> None:
        """How that visit went."""
        session = self._session
        if session is None:
            return  # it was stopped meanwhile
        session.visiting = False
        cause: type[DeviceError] = report.cause or DeviceError
        if report.device is not None and report.outcome in (Outcome.COMPLETE, Outcome.CUT):
            self._succeed(session, report.device, report.received)
        elif report.outcome is Outcome.NO_PROFILE:
            self._fail(session, Why.ANOTHER_MODEL, {"answered": report.identity} if report.identity else {})
        elif issubclass(cause, BondMade):
            self._say(session, State.READING)
        elif issubclass(cause, BondLost):
            asked_in_vain = Why.PASSKEY_WRONG if _typed(session) else Why.NO_PASSKEY
            self._fail(session, asked_in_vain if session.asked else Why.REFUSED)
        elif report.outcome is Outcome.OUTBOX_FAILED:
            self._fail(session, Why.NO_ROOM)
        elif report.outcome is Outcome.DEFECT:
            self._fail(session, Why.DEFECT)
        elif session.asked and not _typed(session):
            self._fail(session, Why.NO_PASSKEY)
        else:
            self._try_again(session)

    def no_radio(self, reason: str) -> None:
        """The radio cannot be used, and it lasts."""
        if self._session is not None:
            self._fail(self._session, Why.NO_RADIO, {"radio": reason})

    # Passkeys -----------------------------------------------------------------------------------------------------

    def at_hand(self, address: str) -> RosteredDevice | None:
        """The device that is being paired, where this is its address."""
        device = self._session.device if self._session is not None else None
        return device if device is not None and (device.entry.address or "").upper() == address.upper() else None

    async def passkey(self, address: str) -> int | None:
        """The six digits, once somebody at the console has typed them; None where nobody does."""
        session = self._session
        if session is None or not self.at_hand(address):
            return None
        session.asked = True
        session.digits = asyncio.get_running_loop().create_future()
        self._say(session, State.PASSKEY_WANTED)
        try:
            async with asyncio.timeout(PASSKEY_WAIT_S):
                digits = await session.digits
        except TimeoutError:
            return None
        if self._session is session:
            self._say(session, State.PAIRING)
        return digits

    # ---------------------------------------------------------------------------------------------------------------

    def _see(self, session: _Session, advertisement: "Advertisement") -> None:
        if self._roster.by_address(advertisement.address) is not None:
            return  # of this home already
        fresh = advertisement.address not in session.seen
        if fresh and len(session.seen) >= MOST_SEEN and not fits(session.device.file, advertisement):
            return
        session.seen[advertisement.address] = advertisement
        if session.settling is None and self._fitting(session):
            session.settling = asyncio.get_running_loop().call_later(SETTLE_S, self._settled, session)
        if fresh:
            self._say(session, session.state)

    def _settled(self, session: _Session) -> None:
        """Whoever is there of the model has been heard by now."""
        fitting = self._fitting(session)
        if self._session is not session or not fitting:
            return
        if len(fitting) == 1:
            self._settle_on(session, fitting[0])
        else:
            self._say(session, State.SEVERAL)

    def _settle_on(self, session: _Session, heard: "Advertisement") -> None:
        session.chosen = heard.address
        self._say(session, State.CONNECTING)
        self.nudge(heard)

    def _fitting(self, session: _Session) -> "list[Advertisement]":
        return [heard for heard in session.seen.values() if fits(session.device.file, heard)]

    def _try_again(self, session: _Session) -> None:
        session.attempts += 1
        if session.is_overdue or session.attempts >= ATTEMPTS:
            self._fail(session, Why.CUT if session.state is State.READING else Why.UNREACHABLE)

    def _succeed(self, session: _Session, identity: DeviceIdentity, received: int) -> None:
        try:
            if session.is_new:
                self._outbox.keep_paired(session.device.entry)
                self._roster.add(session.device)
        except OutboxError as error:
            log.error("%s", error)
            self._fail(session, Why.NO_ROOM)
            return
        self._end(session)
        log.info("pairing %s: paired", session.device.name)
        facts = {
            "state": State.PAIRED.value,
            "name": session.device.name,
            "device_id": identity.device_id,
            "received": received,
            **_facts(identity),
        }
        self._on_change()  # before its end is told: whoever hears that finds it in the roster
        self._commands.say(session.command_id, Answer(CommandStage.DONE, None, facts))

    def _fail(self, session: _Session, why: Why, facts: Mapping[str, Any] | None = None) -> None:
        self._end(session)
        if session.is_new and session.chosen is not None:
            self.forsaken.append(session.chosen)
            try:
                self._outbox.forget_paired(session.device.name)
            except OutboxError as error:
                log.error("%s", error)
        log.info("pairing %s: failed (%s)", session.device.name, why)
        detail = {"state": State.FAILED.value, "why": why.value, **(facts or {})}
        self._commands.say(session.command_id, Answer(CommandStage.FAILED, None, detail))

    def _end(self, session: _Session) -> None:
        self._session = None
        for timer in (session.ends, session.settling):
            if timer is not None:
                timer.cancel()
        if session.digits is not None:
            session.digits.cancel()

    def _time_is_over(self, session: _Session) -> None:
        session.is_overdue = True
        if self._session is not session or session.visiting:
            return  # a visit has an end of its own
        match session.state:
            case State.SEVERAL:
                self._fail(session, Why.NOT_CHOSEN)
            case State.SEARCHING:
                self._fail(session, Why.SILENT, {"seen": self._shown(session)})
            case State.READING:
                self._fail(session, Why.CUT)
            case _:
                self._fail(session, Why.UNREACHABLE)

    def _say(self, session: _Session, state: State) -> None:
        session.state = state
        detail: dict[str, Any] = {"state": state.value}
        if state in (State.SEARCHING, State.SEVERAL):
            detail["seen"] = self._shown(session)
        self._commands.say(session.command_id, Answer(CommandStage.UNDERWAY, None, detail))

    def _shown(self, session: _Session) -> list[dict[str, Any]]:
        """Who is heard; those of the model first, with their numbers."""
        fitting = self._fitting(session)
        others = [heard for heard in session.seen.values() if heard not in fitting]
        return [
            {"number": number, "name": heard.name, "ends_with": heard.address[-5:], "rssi": heard.rssi}
            for number, heard in enumerate(fitting, 1)
        ] + [{"name": heard.name, "rssi": heard.rssi} for heard in others if heard.name]


# Never an address of a device: a static random address begins with two ones.
_UNKNOWN_ADDRESS = "00:00:00:00:00:00"


def fits(file: ProfileFile, advertisement: "Advertisement") -> bool:
    """Whether what advertises can be of this model: its name says so; or its service, and no name speaks against it."""
    name = file.device.match.name
    if name is not None and advertisement.name is not None:
        return re.fullmatch(name, advertisement.name) is not None
    return any(table.ble is not None and advertisement.offers(table.ble.advertises) for table in file.firmware)


def _typed(session: _Session) -> bool:
    return session.digits is not None and session.digits.done() and not session.digits.cancelled()


def _over() -> Answer:
    return Answer(CommandStage.REFUSED, "that pairing is over")


def _facts(identity: DeviceIdentity) -> dict[str, str]:
    facts = {
        "manufacturer": identity.manufacturer,
        "model": identity.model,
        "serial_number": identity.serial_number,
        "system_id": identity.system_id,
        "address": identity.address,
        "firmware": identity.firmware,
    }
    return {name: fact for name, fact in facts.items() if fact}


def _body(body: Mapping[str, Any], kind: type[Any]) -> Any:
    try:
        return msgspec.convert(body, kind)
    except msgspec.ValidationError as error:
        raise BadBody("the command does not say what it needs to") from error

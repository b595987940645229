"""A batch of messages: decode, ledger, observation, alerts, cases and the live stream's notices in one transaction.

Whatever this returns is committed. psycopg.Error comes out only where the database is away, busy or not ours to use:
nothing was stored then, and the same batch may be tried again. What is wrong with a single reading ends in quarantine
and never stops the others.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
import psycopg

from cloud.alerts import service as alerts
from cloud.alerts.models import Doubted
from cloud.alerts.store import StoredEvent
from cloud.db.connect import Connection, as_rows
from cloud.devices import store as devices
from cloud.devices.models import Assignment
from cloud.devices.tallies import Tally, update_devices
from cloud.faults import placed
from cloud.ingest import doubts, ledger, quarantine, receipts
from cloud.ingest.arrivals import Arrival, Decoded, Item, ReasonCode, Refusal, Undecoded, decode, whole
from cloud.ingest.attribution import attribute_all
from cloud.ingest.quarantine import Held
from cloud.ingest.receipts import Outcome
from cloud.observations import store as observations
from cloud.observations.models import Observation
from device_drivers.readings import Reading, Sample
from gateway.wire import v1

log = logging.getLogger(__name__)

Message = Decoded | Undecoded
Now = Callable[[], datetime]

# SQLSTATE classes that blame the content: cardinality, data, integrity, unsupported, limits, internal errors.
CONTENT_CLASSES = frozenset({"21", "22", "23", "0A", "54", "XX"})
UNKNOWN_GATEWAY = Refusal(ReasonCode.UNKNOWN_GATEWAY, "the gateway of this topic is not enrolled, or was revoked")


def handle(connection: Connection, arrivals: Sequence[Arrival], now: Now) -> Sequence[Outcome]:
    """Decode and store a batch."""
    return store(connection, [decode(arrival) for arrival in arrivals], now)


def store(connection: Connection, batch: Sequence[Message], now: Now) -> Sequence[Outcome]:
    """Commit a decoded batch (on an autocommit connection) and give its receipts."""
    try:
        return _commit(connection, batch, now)
    except Exception as error:  # a bug of ours on odd content must not stop the queue either
        if not _blames_content(error):
            raise
        log.warning("%d messages together were refused (%s)", len(batch), placed(error))
    if len(batch) > 1:
        return [outcome for message in batch for outcome in store(connection, [message], now)]
    [message] = batch
    if isinstance(message, Decoded) and message.items:
        return [_one_by_one(connection, message, now)]
    return _hold_unwritable(connection, message, now)


def _hold_unwritable(connection: Connection, message: Message, now: Now) -> Sequence[Outcome]:
    # A session alone, or not even the reason for which it could not be decoded can be written down.
    what = "session" if isinstance(message, Decoded) else "reason"
    arrival, refusal = message.arrival, Refusal(ReasonCode.REFUSED_BY_DATABASE, f"the database refused its {what}")
    held = Held(
        received_at=arrival.received_at, gateway_id=arrival.gateway_id, refusal=refusal, payload=arrival.payload
    )
    quarantine.hold(connection, [held])
    outcome = receipts.of_whole(arrival, refusal, now())
    return [outcome] if outcome else []


def _one_by_one(connection: Connection, decoded: Decoded, now: Now) -> Outcome:
    """Each reading of a message in a transaction of its own; the one that is refused is held, whole."""
    fates: list[v1.Receipt] = []
    for single in decoded.split():
        try:
            fates += [f for outcome in _commit(connection, [single], now) for f in outcome.receipts.receipts]
        except Exception as error:
            if not _blames_content(error):
                raise
            fates += [_hold_refused(connection, single, item, error) for item in single.items]
    return receipts.of_readings(decoded, fates, now())


def _hold_refused(connection: Connection, decoded: Decoded, item: Item, error: Exception) -> v1.Receipt:
    # Of the reading itself only the payload is written down: any of its texts may be what was refused.
    refusal = Refusal(ReasonCode.REFUSED_BY_DATABASE, f"the database refused it ({_name(error)})")
    arrival = decoded.arrival
    quarantine.hold(
        connection,
        [
            Held(
                received_at=arrival.received_at,
                gateway_id=arrival.gateway_id,
                reading_id=item.reading.reading_id if item.reading else None,
                refusal=refusal,
                payload=whole(item, decoded),
            )
        ],
    )
    return receipts.quarantined(item.wire.reading_id, refusal.code.value)


def _blames_content(error: Exception) -> bool:
    if not isinstance(error, psycopg.Error):
        return True
    return isinstance(error, psycopg.DataError | psycopg.IntegrityError) or (
        error.sqlstate is not None and error.sqlstate[:2] in CONTENT_CLASSES
    )


def _name(error: Exception) -> str:
    """What may be logged: never the message, which may quote a patient's data."""
    return f"{type(error).__name__} {getattr(error, 'sqlstate', None) or ''}".strip()


class _Verdict(msgspec.Struct, frozen=True):
    """One reading on its way through the transaction."""

    decoded: Decoded
    item: Item
    judged: Observation | Refusal


def _commit(connection: Connection, batch: Sequence[Message], now: Now) -> Sequence[Outcome]:
    try:
        return _commit_once(connection, batch, now, ledger.register)
    except ledger.Contended:
        # Another worker has stored some of these readings meanwhile: a broker that lost its state has them sent twice.
        return _commit_once(connection, batch, now, ledger.register_contended)


def _commit_once(
    connection: Connection, batch: Sequence[Message], now: Now, register: ledger.Register
) -> Sequence[Outcome]:
    at = now()
    with connection.transaction():
        trusted = devices.trusted_gateways(connection, {m.arrival.gateway_id for m in batch})
        readable = [m for m in batch if isinstance(m, Decoded) and m.arrival.gateway_id in trusted]
        told = devices.record_sessions(connection, [decoded.session for decoded in readable])
        assigned = _assignments(connection, readable)
        verdicts = [verdict for decoded in readable for verdict in _judged(decoded, assigned)]
        # Of the same reading twice the first counts: two sessions may judge it differently.
        by_id = {v.item.reading.reading_id: v for v in reversed(verdicts) if v.item.reading}
        known = register(connection, {i: _entry(v, v.item.reading) for i, v in by_id.items() if v.item.reading})
        new = [verdict for reading_id, verdict in reversed(by_id.items()) if reading_id not in known]
        fates, held = _settle(verdicts, by_id, known)
        fresh = [verdict.judged for verdict in new if isinstance(verdict.judged, Observation)]
        doubted = doubts.doubted(connection, fresh, assigned)
        unsure = {one.observation.reading.reading_id: one for one in doubted}
        _keep_doubted(connection, unsure, by_id, at)
        counted = [o for o in fresh if o.reading.reading_id not in unsure] if unsure else fresh
        quarantine.hold(connection, [*held, *_whole_messages(batch, trusted)])
        file(connection, counted, at, doubted)
        update_devices(connection, told, _tallies(new, unsure))
    return _outcomes(batch, trusted, fates, now())


def file(connection: Connection, counted: Sequence[Observation], at: datetime, doubted: Sequence[Doubted] = ()) -> None:
    """Store observations that are new and count, assess them, and tell the live stream; of ``doubted`` what is grave.

    Every observation goes through here: those of a batch, and those that a person released. The caller commits.
    """
    observations.insert(connection, counted)
    events = alerts.evaluate(connection, counted, at, doubted)
    _notify(connection, [*counted, *(one.observation for one in doubted)], events)


def _assignments(connection: Connection, readable: Sequence[Decoded]) -> Mapping[str, Sequence[Assignment]]:
    if not readable:
        return {}
    return devices.assignments(connection, {decoded.session.device.device_id for decoded in readable})


def _keep_doubted(
    connection: Connection, unsure: Mapping[str, Doubted], by_id: Mapping[str, _Verdict], at: datetime
) -> None:
    if not unsure:
        return
    kept = [(one, by_id[i].decoded, by_id[i].item) for i, one in unsure.items()]
    doubts.keep(connection, kept, at)
    ledger.doubt(connection, [(one.observation.reading.device.device_id, i) for i, one in unsure.items()])


def _judged(decoded: Decoded, assigned: Mapping[str, Sequence[Assignment]]) -> Iterator[_Verdict]:
    """The verdicts of a message, in the order of its readings."""
    judged = iter(
        attribute_all(
            [(item.reading, item.wire.read_at) for item in decoded.items if item.reading],
            decoded.coincident,
            decoded.arrival.received_at,
            assigned.get(decoded.session.device.device_id, ()),
            decoded.evidence,
        )
    )
    for item in decoded.items:
        yield _Verdict(decoded, item, next(judged) if item.reading else _not_made_out(item))


def _not_made_out(item: Item) -> Refusal:
    return item.refusal or Refusal(ReasonCode.UNDECODABLE, "no reading could be made out")


def _entry(verdict: _Verdict, reading: Reading) -> ledger.Entry:
    refusal = verdict.judged if isinstance(verdict.judged, Refusal) else None
    session = verdict.decoded.session
    return ledger.Entry(
        reading_id=reading.reading_id,
        fate=v1.Fate.QUARANTINED if refusal else v1.Fate.STORED,
        reason=refusal.code if refusal else None,
        gateway_id=session.gateway_id,
        device_id=session.device.device_id,
        session_id=session.session_id,
        kind=reading.kind,
        reported_time=reading.reported_time.text,
        raw=reading.raw,
        read_at=verdict.item.wire.read_at,
        received_at=session.received_at,
    )


def _settle(
    verdicts: Sequence[_Verdict], first: Mapping[str, _Verdict], known: Mapping[str, ledger.Known]
) -> tuple[Sequence[v1.Receipt], Sequence[Held]]:
    """The fate of each reading in turn. ``first`` has the one that counts, of those that are in the batch twice."""
    fates: list[v1.Receipt] = []
    held: list[Held] = []
    for verdict in verdicts:
        reading_id = verdict.item.wire.reading_id
        earlier = known.get(reading_id)
        counts = verdict if verdict.item.reading is None else first[reading_id]
        if verdict.item.reading is not None and earlier is not None:
            fate, reason = earlier.fate, earlier.reason
        elif isinstance(counts.judged, Refusal):
            fate, reason = v1.Fate.QUARANTINED, counts.judged.code.value
        else:
            fate, reason = v1.Fate.STORED, None
        if fate is v1.Fate.QUARANTINED:
            held.append(_held(verdict, reason))
        elif earlier is not None or verdict is not counts:
            fate = v1.Fate.ALREADY_KNOWN
        fates.append(
            v1.Receipt(reading_id=reading_id, fate=fate, reason=reason if fate is v1.Fate.QUARANTINED else None)
        )
    return fates, held


def _tallies(new: Sequence[_Verdict], unsure: Container[str]) -> dict[str, Tally]:
    """What this batch added to the ledger, by device."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    for verdict in new:
        reading = verdict.item.reading
        if reading is None:
            continue
        tally = tallies[reading.device.device_id]
        tally.add(reading.sequence_number)
        if isinstance(verdict.judged, Refusal):
            # Whatever is nobody's (another user slot of a cuff) is no sign of the patient of whom readings are missed.
            if verdict.judged.code is not ReasonCode.UNASSIGNED_DEVICE:
                tally.held(verdict.decoded.session.received_at)
        elif reading.reading_id in unsure:
            tally.held(verdict.decoded.session.received_at)
        elif reading.sample is Sample.PATIENT:
            tally.measured(verdict.judged.effective_time)
    return tallies


def _held(verdict: _Verdict, reason: str | None) -> Held:
    # A reading that was held before keeps its row and its first reason; this one only counts as seen again.
    refusal = (
        verdict.judged
        if isinstance(verdict.judged, Refusal)
        else Refusal(ReasonCode(reason or "undecodable"), "held before")
    )
    session, reading = verdict.decoded.session, verdict.item.reading
    return Held(
        received_at=session.received_at,
        gateway_id=session.gateway_id,
        device_id=session.device.device_id,
        reading_id=reading.reading_id if reading else None,
        session_id=session.session_id,
        refusal=refusal,
        payload=whole(verdict.item, verdict.decoded),
        measured_after=verdict.decoded.evidence.drained_at,
        measured_before=session.received_at,
    )


def _whole_messages(batch: Sequence[Message], trusted: frozenset[str]) -> Sequence[Held]:
    return [
        Held(
            received_at=message.arrival.received_at,
            gateway_id=message.arrival.gateway_id,
            refusal=refusal,
            payload=message.arrival.payload,
        )
        for message in batch
        if (refusal := _whole_refusal(message, trusted))
    ]


def _whole_refusal(message: Message, trusted: frozenset[str]) -> Refusal | None:
    if message.arrival.gateway_id not in trusted:
        return UNKNOWN_GATEWAY
    return message.refusal if isinstance(message, Undecoded) else None


class _Notice(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What the console's live stream hears: ids only."""

    type: str
    patient_id: UUID
    reading_id: str | None = None
    kind: str | None = None
    case_id: UUID | None = None
    event_id: int | None = None


def _notify(connection: Connection, fresh: Sequence[Observation], events: Sequence[StoredEvent]) -> None:
    notices = [
        _Notice(type="reading", reading_id=o.reading.reading_id, patient_id=o.patient_id, kind=o.reading.kind)
        for o in fresh
    ] + [_Notice(type="case", case_id=e.case_id, patient_id=e.patient_id, event_id=e.event_id) for e in events]
    if notices:
        connection.execute(
            "SELECT pg_notify('live', notice::text) FROM json_array_elements(%s::json) AS notice", (as_rows(notices),)
        )


def _outcomes(
    batch: Sequence[Message], trusted: frozenset[str], fates: Sequence[v1.Receipt], committed_at: datetime
) -> Sequence[Outcome]:
    made: list[Outcome] = []
    turn = iter(fates)
    for message in batch:
        if isinstance(message, Undecoded):
            if outcome := receipts.of_whole(message.arrival, message.refusal, committed_at):
                made.append(outcome)
        elif message.arrival.gateway_id in trusted:
            made.append(receipts.of_readings(message, [next(turn) for _ in message.items], committed_at))
        else:
            refused = [receipts.quarantined(i.wire.reading_id, UNKNOWN_GATEWAY.code.value) for i in message.items]
            made.append(receipts.of_readings(message, refused, committed_at))
    return made

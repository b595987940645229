"""What a gateway is told after the commit. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from cloud.ingest.arrivals import Arrival, Decoded, Refusal
from gateway.wire import v1

# In one message; about 10 kB.
MAX_RECEIPTS = 100
MESSAGE_ID_OCTETS = 16  # of the correlation data
LONGEST_ID = 36  # a UUID with its hyphens


@dataclass(frozen=True, slots=True)
class Outcome:
    """The receipts of one message, for one gateway."""

    gateway_id: str
    receipts: v1.ReceiptsMessage


def of_readings(decoded: Decoded, fates: Sequence[v1.Receipt], committed_at: datetime) -> Outcome:
    """The fate of each reading of a message."""
    return Outcome(
        decoded.arrival.gateway_id,
        v1.ReceiptsMessage(
            v=v1.VERSION, message_id=decoded.message.message_id, committed_at=committed_at, receipts=tuple(fates)
        ),
    )


def of_whole(arrival: Arrival, refusal: Refusal, committed_at: datetime) -> Outcome | None:
    """The fate of a message of which no reading could be made out; None where it has no id to answer to."""
    if len(arrival.correlation) != MESSAGE_ID_OCTETS:
        return None
    return Outcome(
        arrival.gateway_id,
        v1.ReceiptsMessage(
            v=v1.VERSION,
            message_id=arrival.correlation.hex(),
            committed_at=committed_at,
            whole_message=v1.Fate.QUARANTINED,
            reason=refusal.code.value,
        ),
    )


def together(outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """Fewer messages: the receipts of one gateway's readings in one, under the id of its latest message.

    A gateway frees readings by their own ids; only the fate of a whole message, or of one without readings, needs that
    message's id and stays alone. So does a message with ids that are none: they may be as long as the broker lets a
    message be, and two of them would be a message that it refuses, and ends our connection for, each time we send it.
    """
    alone: list[Outcome] = []
    gathered: dict[str, list[_Gathered]] = {}
    for outcome in outcomes:
        receipts = outcome.receipts.receipts
        if not receipts or max([len(receipt.reading_id) for receipt in receipts]) > LONGEST_ID:
            alone.append(outcome)
            continue
        groups = gathered.setdefault(outcome.gateway_id, [])
        if groups and len(groups[-1].receipts) + len(receipts) <= MAX_RECEIPTS:
            groups[-1].receipts.extend(receipts)
            groups[-1].latest = outcome
        else:
            groups.append(_Gathered([*receipts], outcome))
    return [*(group.outcome() for groups in gathered.values() for group in groups), *alone]


@dataclass(slots=True)
class _Gathered:
    receipts: list[v1.Receipt]
    latest: Outcome

    def outcome(self) -> Outcome:
        message = msgspec.structs.replace(self.latest.receipts, receipts=tuple(self.receipts))
        return Outcome(self.latest.gateway_id, message)


def quarantined(reading_id: str, reason: str | None) -> v1.Receipt:
    """Held, and why."""
    return v1.Receipt(reading_id=reading_id, fate=v1.Fate.QUARANTINED, reason=reason)

"""The fleet as a whole: the order in which it is judged, reads top to bottom.

Level-triggered: what is in force is worked out anew from the stored state each time, so nothing is lost by a judgement
that did not take place. What cannot be judged now (nobody of ours hears the gateway; readings still travel) stays as it
was before.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from alerting.technical.conditions import Condition, Key, Name, by_key
from alerting.technical.devices import by_device, device_conditions
from alerting.technical.fleet import Fleet, Gateway, Use
from alerting.technical.gateways import away_since, gateway_conditions, standing_conditions
from alerting.technical.inhibition import inhibit
from alerting.technical.limits import DEFAULT_LIMITS, TechnicalLimits
from alerting.technical.own_side import OwnSide, own_side
from alerting.technical.reconciliation import gap, is_settled, key
from alerting.technical.silence import Silence, Watcher, cause_of_silence


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """All conditions in force, and the silence of each use that somebody expects measurements of."""

    conditions: tuple[Condition, ...]
    silences: tuple[tuple[Use, Silence], ...]


def judge(
    fleet: Fleet, earlier: Iterable[Condition], now: datetime, limits: TechnicalLimits = DEFAULT_LIMITS
) -> Judgement:
    """What is wrong with the fleet now; ``earlier`` are the conditions that were in force before."""
    before = by_key(earlier)
    ours = own_side(fleet, now, limits)
    gateways = {gateway.gateway_id: gateway for gateway in fleet.gateways}
    silences = tuple(_silences(fleet, gateways, ours, now, limits))
    found = (
        *ours.conditions,
        *_of_gateways(fleet.gateways, ours, before, now, limits),
        *device_conditions(fleet.roster, silences, limits),
        *_gaps(fleet, gateways, before, now, limits),
    )
    return Judgement(conditions=inhibit(by_key(found).values()), silences=silences)


def _of_gateways(
    gateways: Iterable[Gateway],
    ours: OwnSide,
    before: Mapping[Key, Condition],
    now: datetime,
    limits: TechnicalLimits,
) -> Iterator[Condition]:
    for gateway in gateways:
        if ours.hearing_since is not None:
            yield from gateway_conditions(gateway, ours.hearing_since, now, limits)
            continue
        yield from standing_conditions(gateway, now, limits)
        if away := before.get((Name.GATEWAY_AWAY, f"gateway:{gateway.gateway_id}")):
            yield away


def _gaps(
    fleet: Fleet,
    gateways: Mapping[str, Gateway],
    before: Mapping[Key, Condition],
    now: datetime,
    limits: TechnicalLimits,
) -> Iterator[Condition]:
    for holdings in fleet.holdings:
        known = before.get(key(holdings))
        if not is_settled(holdings, gateways.get(holdings.gateway_id), now, limits):
            if known:
                yield known
        elif found := gap(holdings, known.reason if known else {}):
            yield found


def _silences(
    fleet: Fleet,
    gateways: Mapping[str, Gateway],
    ours: OwnSide,
    now: datetime,
    limits: TechnicalLimits,
) -> Iterator[tuple[Use, Silence]]:
    entries = by_device(fleet.roster) if fleet.uses else {}
    for use in fleet.uses:
        watchers = [
            Watcher(
                entry=entry,
                is_away=ours.hearing_since is not None
                and away_since(gateway, ours.hearing_since, now, limits) is not None,
                back_at=gateway.back_at,
                outbox_depth=gateway.outbox_depth,
                storage_error=gateway.storage_error,
            )
            for entry in entries.get(use.device_id, ())
            if (gateway := gateways.get(entry.gateway_id)) is not None
        ]
        yield use, cause_of_silence(use, watchers, our_side_is_down=ours.is_down, now=now, limits=limits)

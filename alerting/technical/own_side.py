"""Our own side: which of our processes are there, and whether what gateways say could have reached us."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from alerting.limits import Priority
from alerting.technical.conditions import Condition, Name, latest
from alerting.technical.fleet import Component, Fleet
from alerting.technical.limits import TechnicalLimits
from alerting.technical.said import Said, said


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSide:
    """``hearing_since``: from when on somebody of ours hears the gateways; None: nobody does."""

    hearing_since: datetime | None
    conditions: tuple[Condition, ...]

    @property
    def is_down(self) -> bool:
        return self.hearing_since is None


def own_side(fleet: Fleet, now: datetime, limits: TechnicalLimits) -> OwnSide:
    """How our side is. A process that has just begun to judge has heard nobody yet, and blames nobody for that."""
    silent_for = now - fleet.judging_since
    kinds: dict[str, list[Component]] = defaultdict(list)
    for component in fleet.components:
        kinds[component.kind].append(component)
    workers = [c for c in kinds["ingest"] if _is_alive(c, fleet, now, limits)]
    conditions = list(_down(kinds, fleet, now, limits))
    if not workers and silent_for > limits.component_silent:
        conditions.append(_no_worker(kinds["ingest"]))
    conditions += _cut_off(workers, now, limits)
    conditions += [_behind(worker, limits) for worker in workers if worker.lag_s > limits.ingest_lag_s]
    conditions += _certificates(fleet.components, now, limits)
    hearing = [worker.since or worker.seen_at for worker in workers if worker.broker is not False]
    return OwnSide(hearing_since=min(hearing, default=None), conditions=tuple(conditions))


def _is_alive(component: Component, fleet: Fleet, now: datetime, limits: TechnicalLimits) -> bool:
    seen_at = latest(component.seen_at, fleet.judging_since) if component.kind != "ingest" else component.seen_at
    return seen_at is not None and now - seen_at <= limits.component_silent


def _down(
    kinds: dict[str, list[Component]], fleet: Fleet, now: datetime, limits: TechnicalLimits
) -> Iterator[Condition]:
    for kind, components in kinds.items():
        alive = [c for c in components if _is_alive(c, fleet, now, limits)]
        if kind == "ingest" and not alive:
            continue  # said once, for all of them
        for component in components:
            if component not in alive and now - fleet.judging_since > limits.component_silent:
                yield _one_down(component, has_others=bool(alive))


def _one_down(component: Component, *, has_others: bool) -> Condition:
    rest = said("others do its work") if has_others else said("nobody does its work")
    return Condition(
        name=Name.COMPONENT_DOWN,
        subject=f"component:{component.name}",
        priority=Priority.LOW if has_others else Priority.MEDIUM,
        sentence=said(
            "{component} ({kind}) has not been heard since {since}; {rest}.",
            component=component.name,
            kind=component.kind,
            since=component.seen_at,
            rest=rest,
        ),
        reason={"component": component.name, "kind": component.kind, "seen_at": component.seen_at.isoformat()},
    )


def _no_worker(known: Sequence[Component]) -> Condition:
    seen_at = latest(*(component.seen_at for component in known))
    if seen_at:
        sentence = said(
            "No ingest worker has been heard since {since}: readings wait in the homes, and no gateway can be judged.",
            since=seen_at,
        )
    else:
        sentence = said(
            "No ingest worker has been heard yet: readings wait in the homes, and no gateway can be judged."
        )
    return Condition(
        name=Name.COMPONENT_DOWN,
        subject="component:ingest",
        priority=Priority.HIGH,
        sentence=sentence,
        reason={"kind": "ingest", "seen_at": seen_at.isoformat() if seen_at else None},
    )


def _cut_off(workers: Sequence[Component], now: datetime, limits: TechnicalLimits) -> Iterable[Condition]:
    """Those that do not hear the broker; said once where it is all of them."""
    lost = [w for w in workers if w.broker is False and now - (w.since or w.seen_at) > limits.broker_lost]
    if lost and len(lost) == len(workers):
        since = max(worker.since or worker.seen_at for worker in lost)
        return [
            Condition(
                name=Name.BROKER_UNREACHABLE,
                subject="component:broker",
                priority=Priority.HIGH,
                sentence=said(
                    "No ingest worker has reached the broker since {since}: readings wait in the homes.", since=since
                ),
                reason={"since": since.isoformat(), "workers": sorted(worker.name for worker in lost)},
            )
        ]
    return [_one_cut_off(worker, worker.since or worker.seen_at) for worker in lost]


def _one_cut_off(worker: Component, since: datetime) -> Condition:
    return Condition(
        name=Name.BROKER_UNREACHABLE,
        subject=f"component:{worker.name}",
        priority=Priority.LOW,
        sentence=said(
            "{component} has not reached the broker since {since}; others do.", component=worker.name, since=since
        ),
        reason={"component": worker.name, "since": since.isoformat()},
    )


def _certificates(components: Iterable[Component], now: datetime, limits: TechnicalLimits) -> Iterable[Condition]:
    """Each of our own certificates that ends soon, by whoever saw it last."""
    ends: dict[str, datetime] = {}
    for component in sorted(components, key=lambda component: component.seen_at):
        ends |= component.certificates
    soon = now + limits.own_certificate_soon
    return [_ending(whose, until, now, limits) for whose, until in sorted(ends.items()) if until <= soon]


def _ending(whose: str, until: datetime, now: datetime, limits: TechnicalLimits) -> Condition:
    facts: Mapping[str, Said] = {
        "certificate": _certificate_of(whose),
        "rest": said("with another authority every gateway has to be enrolled again, so begin now")
        if whose == "authority"
        else said("have the authority sign a new one (python -m cloud ca server)"),
    }
    return Condition(
        name=Name.OWN_CERTIFICATE,
        subject=f"certificate:{whose}",
        priority=Priority.HIGH if until <= now + limits.certificate_very_soon else Priority.MEDIUM,
        sentence=said("{certificate} ends {until}; from then on no gateway connects: {rest}.", until=until, **facts)
        if until > now
        else said("{certificate} ended {until}; no gateway connects any more: {rest}.", until=until, **facts),
        reason={"certificate": whose, "until": until.isoformat()},
    )


def _certificate_of(whose: str) -> Said:
    if whose == "authority":
        return said("The certificate of our own authority")
    if whose == "broker":
        return said("The broker's certificate")
    return said("The enrolment service's certificate")


def _behind(worker: Component, limits: TechnicalLimits) -> Condition:
    return Condition(
        name=Name.INGEST_BEHIND,
        subject=f"component:{worker.name}",
        priority=Priority.MEDIUM,
        sentence=said(
            "{component} stores readings {lag} s after they arrive (limit {limit} s): start another worker, or look at "
            "the database.",
            component=worker.name,
            lag=f"{worker.lag_s:.0f}",
            limit=f"{limits.ingest_lag_s:.0f}",
        ),
        reason={"component": worker.name, "lag_s": worker.lag_s, "limit_s": limits.ingest_lag_s},
    )

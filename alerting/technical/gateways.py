"""Gateways: each condition is a function from what one gateway last told."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from alerting.limits import Priority
from alerting.technical.conditions import Condition, Name, latest, spell
from alerting.technical.fleet import Gateway
from alerting.technical.limits import TechnicalLimits

MEBIOCTET = 1024 * 1024


def gateway_conditions(
    gateway: Gateway, hearing_since: datetime, now: datetime, limits: TechnicalLimits
) -> Iterator[Condition]:
    """What is wrong with a gateway, while our side has been able to hear it since ``hearing_since``."""
    checks = (_away(gateway, hearing_since, now, limits), *standing_conditions(gateway, now, limits))
    yield from (condition for condition in checks if condition is not None)


def standing_conditions(gateway: Gateway, now: datetime, limits: TechnicalLimits) -> Iterator[Condition]:
    """What holds by what the gateway said, whether or not anything of it can reach us now."""
    checks = (
        _storage(gateway, limits),
        _clock(gateway, limits),
        _certificate(gateway, now, limits),
        _backlog(gateway, limits),
    )
    yield from (condition for condition in checks if condition is not None)


def away_since(gateway: Gateway, hearing_since: datetime, now: datetime, limits: TechnicalLimits) -> datetime | None:
    """From when on it is away; None: it is there, or has never been."""
    if gateway.state == "never_seen" or gateway.state_at is None:
        return None
    last = gateway.state_at if gateway.state == "offline" else gateway.last_seen_at or gateway.state_at
    patience = limits.gateway_said_goodbye if gateway.state == "offline" else limits.gateway_silent
    # While nobody of ours listened, its silence says nothing.
    counted_from = latest(last, hearing_since) or last
    return last if now - counted_from > patience else None


def _away(gateway: Gateway, hearing_since: datetime, now: datetime, limits: TechnicalLimits) -> Condition | None:
    since = away_since(gateway, hearing_since, now, limits)
    if since is None:
        return None
    said = "its connection broke" if gateway.state == "offline" else "it fell silent without a word"
    return _condition(
        gateway,
        Name.GATEWAY_AWAY,
        Priority.MEDIUM,
        f"The gateway is away since {spell(since)} ({said}): check its power and its network.",
        {"since": since.isoformat(), "state": gateway.state},
    )


def _storage(gateway: Gateway, limits: TechnicalLimits) -> Condition | None:
    if gateway.storage_error is not None:
        return _condition(
            gateway,
            Name.GATEWAY_STORAGE,
            Priority.MEDIUM,
            f"The gateway can keep nothing and leaves its devices unread: {gateway.storage_error}",
            {"unread": True, "storage_error": gateway.storage_error, "disk_free_octets": gateway.disk_free_octets},
        )
    if gateway.readings_damaged:
        return _condition(
            gateway,
            Name.GATEWAY_STORAGE,
            Priority.MEDIUM,
            f"The gateway's disk has damaged {gateway.readings_damaged} readings that waited there: have it replaced."
            " New ones still come.",
            {"readings_damaged": gateway.readings_damaged},
        )
    if gateway.disk_free_octets is not None and gateway.disk_free_octets < limits.disk_free_octets:
        return _condition(
            gateway,
            Name.GATEWAY_STORAGE,
            Priority.LOW,
            f"The gateway's disk has less than {limits.disk_free_octets // MEBIOCTET} MiB left.",
            {"disk_free_octets": gateway.disk_free_octets, "limit_octets": limits.disk_free_octets},
        )
    return None


def _clock(gateway: Gateway, limits: TechnicalLimits) -> Condition | None:
    offset_s = gateway.clock_offset_s
    is_off = offset_s is not None and abs(offset_s) > limits.clock_offset_s
    if not is_off and gateway.clock_synchronised is not False:
        return None
    if is_off and offset_s is not None:
        side = "ahead of" if offset_s > 0 else "behind"
        sentence = f"The gateway's clock is {_spell_span(abs(offset_s))} {side} ours"
        sentence += "." if gateway.clock_synchronised is not False else ", and nothing keeps it."
    else:
        sentence = "Nothing keeps the gateway's clock: readings from its devices' memories wait until something does."
    return _condition(
        gateway,
        Name.GATEWAY_CLOCK,
        Priority.MEDIUM if is_off else Priority.LOW,
        f"{sentence} Check that it reaches a time server.",
        {"offset_s": offset_s if is_off else None, "synchronised": gateway.clock_synchronised},
    )


def _certificate(gateway: Gateway, now: datetime, limits: TechnicalLimits) -> Condition | None:
    until = gateway.certificate_until
    if until is None or until - now > limits.certificate_soon:
        return None
    days = max(0, (until - now).days)
    is_expired = until <= now
    if is_expired:
        sentence = f"The gateway's certificate ran out on {spell(until)}: enrol the gateway again."
    else:
        sentence = (
            f"The gateway's certificate runs out in {days} days, on {spell(until)}, and has not been renewed:"
            " its log says why."
        )
    soon = until - now <= limits.certificate_very_soon
    return _condition(
        gateway,
        Name.GATEWAY_CERTIFICATE,
        Priority.MEDIUM if soon else Priority.LOW,
        sentence,
        {"until": until.isoformat(), "days_left": days, "expired": is_expired},
    )


def _backlog(gateway: Gateway, limits: TechnicalLimits) -> Condition | None:
    """Old unsent readings. A gateway whose backlog travels names an ever later reading as its oldest."""
    if gateway.oldest_unsent_s is None or gateway.oldest_unsent_s <= limits.unsent_s or gateway.last_seen_at is None:
        return None
    since = gateway.last_seen_at - timedelta(seconds=gateway.oldest_unsent_s)
    # To the hour: the sentence stays the same from one status to the next.
    hours = gateway.oldest_unsent_s // 3600
    age = f"more than {hours} h" if hours else f"more than {limits.unsent_s // 60} min"
    return _condition(
        gateway,
        Name.GATEWAY_BACKLOG,
        Priority.MEDIUM,
        f"The gateway holds readings that have had no receipt for {age}.",
        {"oldest_at": since.replace(second=0, microsecond=0).isoformat(), "limit_s": limits.unsent_s},
    )


def _condition(gateway: Gateway, name: Name, priority: Priority, sentence: str, reason: dict[str, object]) -> Condition:
    return Condition(
        name=name,
        subject=f"gateway:{gateway.gateway_id}",
        priority=priority,
        sentence=sentence,
        reason=reason,
        gateway_id=gateway.gateway_id,
    )


def _spell_span(seconds: float) -> str:
    """Roughly: a span that changes with each status would be news each time."""
    for unit, size in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"some {seconds // size:.0f} {unit}"
    return "over a minute"

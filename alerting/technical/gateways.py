"""Gateways: each condition is a function from what one gateway last told."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from alerting.limits import Priority
from alerting.technical.conditions import Condition, Name, latest
from alerting.technical.fleet import Gateway
from alerting.technical.limits import TechnicalLimits
from alerting.technical.said import Said, said, said_of

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
    how = said("its connection broke") if gateway.state == "offline" else said("it fell silent without a word")
    return _condition(
        gateway,
        Name.GATEWAY_AWAY,
        Priority.MEDIUM,
        said("The gateway is away since {since} ({how}): check its power and its network.", since=since, how=how),
        {"since": since.isoformat(), "state": gateway.state},
    )


def _storage(gateway: Gateway, limits: TechnicalLimits) -> Condition | None:
    if gateway.storage_error is not None:
        return _condition(
            gateway,
            Name.GATEWAY_STORAGE,
            Priority.MEDIUM,
            said("The gateway can keep nothing and leaves its devices unread: {error}", error=gateway.storage_error),
            {"unread": True, "storage_error": gateway.storage_error, "disk_free_octets": gateway.disk_free_octets},
        )
    if gateway.readings_damaged:
        return _condition(
            gateway,
            Name.GATEWAY_STORAGE,
            Priority.MEDIUM,
            said_of(
                "The gateway's disk has damaged {count} reading that waited there: have it replaced."
                " New ones still come.",
                "The gateway's disk has damaged {count} readings that waited there: have it replaced."
                " New ones still come.",
                gateway.readings_damaged,
            ),
            {"readings_damaged": gateway.readings_damaged},
        )
    if gateway.disk_free_octets is not None and gateway.disk_free_octets < limits.disk_free_octets:
        return _condition(
            gateway,
            Name.GATEWAY_STORAGE,
            Priority.LOW,
            said("The gateway's disk has less than {size} MiB left.", size=limits.disk_free_octets // MEBIOCTET),
            {"disk_free_octets": gateway.disk_free_octets, "limit_octets": limits.disk_free_octets},
        )
    return None


def _clock(gateway: Gateway, limits: TechnicalLimits) -> Condition | None:
    offset_s = gateway.clock_offset_s
    is_off = offset_s is not None and abs(offset_s) > limits.clock_offset_s
    if not is_off and gateway.clock_synchronised is not False:
        return None
    if is_off and offset_s is not None:
        sentence = _off(offset_s, is_kept=gateway.clock_synchronised is not False)
    else:
        sentence = said(
            "Nothing keeps the gateway's clock: readings from its devices' memories wait until something does."
        )
    return _condition(
        gateway,
        Name.GATEWAY_CLOCK,
        Priority.MEDIUM if is_off else Priority.LOW,
        said("{sentence} Check that it reaches a time server.", sentence=sentence),
        {"offset_s": offset_s if is_off else None, "synchronised": gateway.clock_synchronised},
    )


def _certificate(gateway: Gateway, now: datetime, limits: TechnicalLimits) -> Condition | None:
    until = gateway.certificate_until
    if until is None or until - now > limits.certificate_soon:
        return None
    days = max(0, (until - now).days)
    is_expired = until <= now
    if is_expired:
        sentence = said("The gateway's certificate ran out on {until}: enrol the gateway again.", until=until)
    else:
        sentence = said_of(
            "The gateway's certificate runs out in {count} day, on {until}, and has not been renewed: "
            "its log says why.",
            "The gateway's certificate runs out in {count} days, on {until}, and has not been renewed: "
            "its log says why.",
            days,
            until=until,
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
    age = said("more than {hours} h", hours=hours) if hours else said("more than {min} min", min=limits.unsent_s // 60)
    return _condition(
        gateway,
        Name.GATEWAY_BACKLOG,
        Priority.MEDIUM,
        said("The gateway holds readings that have had no receipt for {age}.", age=age),
        {"oldest_at": since.replace(second=0, microsecond=0).isoformat(), "limit_s": limits.unsent_s},
    )


def _condition(
    gateway: Gateway, name: Name, priority: Priority, sentence: Said, reason: dict[str, object]
) -> Condition:
    return Condition(
        name=name,
        subject=f"gateway:{gateway.gateway_id}",
        priority=priority,
        sentence=sentence,
        reason=reason,
        gateway_id=gateway.gateway_id,
    )


def _off(offset_s: float, *, is_kept: bool) -> Said:
    span = _spell_span(abs(offset_s))
    if offset_s > 0:
        where = said("The gateway's clock is {span} ahead of ours", span=span)
    else:
        where = said("The gateway's clock is {span} behind ours", span=span)
    return said("{where}.", where=where) if is_kept else said("{where}, and nothing keeps it.", where=where)


def _spell_span(seconds: float) -> Said:
    """Roughly: a span that changes with each status would be news each time."""
    if seconds >= 2 * 86_400:
        return said("some {days} days", days=int(seconds // 86_400))
    if seconds >= 2 * 3600:
        return said("some {hours} h", hours=int(seconds // 3600))
    if seconds >= 2 * 60:
        return said("some {min} min", min=int(seconds // 60))
    return said("over a minute")

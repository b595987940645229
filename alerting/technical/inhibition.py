"""Which condition explains which: a stronger one in force hides the weaker, which is kept and marked."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from alerting.technical.conditions import Condition, Name


class Scope(StrEnum):
    """Of whom the stronger condition hides the weaker."""

    ALL = "all"
    GATEWAY = "gateway"
    SUBJECT = "subject"


@dataclass(frozen=True, slots=True)
class Rule:
    """``holds_if``: what has to stand in the stronger one's reason; empty: nothing."""

    stronger: Name
    weaker: frozenset[Name]
    scope: Scope
    holds_if: tuple[tuple[str, object], ...] = ()


_WHAT_ONLY_A_STATUS_ENDS = frozenset({Name.GATEWAY_AWAY, Name.GATEWAY_BACKLOG, Name.GATEWAY_CLOCK})
_WHAT_COMES_THROUGH_A_GATEWAY = frozenset({Name.DEVICE_SILENT, Name.RECONCILIATION_GAP})

# The first that applies counts.
RULES: tuple[Rule, ...] = (
    Rule(
        Name.COMPONENT_DOWN,
        _WHAT_ONLY_A_STATUS_ENDS | _WHAT_COMES_THROUGH_A_GATEWAY | {Name.INGEST_BEHIND},
        Scope.ALL,
        (("kind", "ingest"), ("component", None)),
    ),
    Rule(
        Name.BROKER_UNREACHABLE,
        _WHAT_ONLY_A_STATUS_ENDS | _WHAT_COMES_THROUGH_A_GATEWAY,
        Scope.ALL,
        (("component", None),),
    ),
    # A gateway whose certificate ran out cannot come in: that is what to act on.
    Rule(Name.GATEWAY_CERTIFICATE, frozenset({Name.GATEWAY_AWAY}), Scope.GATEWAY, (("expired", True),)),
    Rule(
        Name.GATEWAY_AWAY,
        frozenset({Name.GATEWAY_BACKLOG, Name.GATEWAY_CLOCK}) | _WHAT_COMES_THROUGH_A_GATEWAY,
        Scope.GATEWAY,
    ),
    # A disk that only runs low, or has damaged a row, keeps nobody from reading devices.
    Rule(
        Name.GATEWAY_STORAGE, frozenset({Name.DEVICE_SILENT, Name.GATEWAY_BACKLOG}), Scope.GATEWAY, (("unread", True),)
    ),
    Rule(Name.DEVICE_UNKNOWN_MODEL, frozenset({Name.DEVICE_SILENT, Name.DEVICE_BATTERY}), Scope.SUBJECT),
    Rule(Name.DEVICE_SILENT, frozenset({Name.DEVICE_BATTERY}), Scope.SUBJECT),
)


def inhibit(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    """The same conditions, each marked by what hides it, if anything does."""
    listed = tuple(conditions)
    named: Mapping[str, list[Condition]] = defaultdict(list)
    for condition in listed:
        named[condition.name].append(condition)
    hiding: list[tuple[Rule, bool, frozenset[str]]] = []
    for rule in RULES:
        strong = [c for c in named.get(rule.stronger, ()) if _holds(rule, c)]
        if strong:
            scopes = frozenset(scope for c in strong if (scope := _scope(rule.scope, c)) is not None)
            hiding.append((rule, rule.scope is Scope.ALL, scopes))
    return tuple(replace(c, inhibited_by=_hidden_by(c, hiding)) for c in listed)


def _hidden_by(condition: Condition, hiding: Iterable[tuple[Rule, bool, frozenset[str]]]) -> str | None:
    for rule, everywhere, scopes in hiding:
        if condition.name in rule.weaker and (everywhere or _scope(rule.scope, condition) in scopes):
            return rule.stronger
    return None


def _holds(rule: Rule, condition: Condition) -> bool:
    return all(condition.reason.get(name) == value for name, value in rule.holds_if)


def _scope(scope: Scope, condition: Condition) -> str | None:
    return condition.subject if scope is Scope.SUBJECT else condition.gateway_id

"""What is asked of the audit, and what comes back."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from cloud.audit.models import Entry
from cloud.auth.models import Role

OVERSEEING = frozenset({Role.AUDITOR, Role.ADMINISTRATOR})


@dataclass(frozen=True, slots=True)
class Asked:
    """The filter as it was typed; what is empty asks for nothing."""

    person: str = ""
    patient: str = ""
    action: str = ""
    since: str = ""
    until: str = ""

    def typed(self) -> Mapping[str, str]:
        """By the names of the fields."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page of the audit; ``older``: the last row's audit_id where there are more."""

    entries: Sequence[Entry]
    older: int | None

"""The outbox, as the rest of the gateway knows it: see ``gateway.outbox.outbox`` for what it promises."""

from gateway.outbox.errors import DiskRefused, FileDamaged, OutboxError, SealedAway
from gateway.outbox.outbox import Outbox
from gateway.outbox.rows import Depth, Lane, Measured, Outgoing, Seen, VisitRow

__all__ = [
    "Depth",
    "DiskRefused",
    "FileDamaged",
    "Lane",
    "Measured",
    "Outbox",
    "OutboxError",
    "Outgoing",
    "SealedAway",
    "Seen",
    "VisitRow",
]

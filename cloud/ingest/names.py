"""What the ingest is called at the broker: names that no gateway can have or guess.

Mosquitto grants every subscription and looks at the ACL when a message is delivered. To a gateway that joined our
shared subscription it would deal its share of everybody's messages, deliver none of them, and tell their senders that
all is well. So the group's name is a secret, which all workers draw from the password that they share. And a session
belongs to a name, whoever comes: a gateway's has letters, digits and hyphens, hence ours has a slash.
"""

import hashlib

# A password that somebody made up is not to be found from the broker's log, where the group's name stands.
ROUNDS = 100_000


def session(worker: str) -> str:
    """The client id of a worker's connection."""
    return f"ingest/{worker}"


def shared(password: str | None, *channels: str) -> tuple[str, ...]:
    """The filters of these channels of all gateways, each message to one worker; ``password`` is the ingest's."""
    drawn = hashlib.pbkdf2_hmac("sha256", (password or "").encode(), b"pulsepost ingest", ROUNDS)
    return tuple(f"$share/ingest-{drawn.hex()[:32]}/phg/v1/+/{channel}" for channel in channels)

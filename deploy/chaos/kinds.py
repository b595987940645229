"""The faults by name."""

from enum import StrEnum


class Kind(StrEnum):
    """What can go wrong; the names stand in the result."""

    GATEWAY_KILLED = "gateway_killed"
    INGEST_1_KILLED = "ingest_1_killed"
    INGEST_2_KILLED = "ingest_2_killed"
    BROKER_KILLED = "broker_killed"
    BROKER_WIPED = "broker_wiped"
    DATABASE_KILLED = "database_killed"
    CONSOLE_KILLED = "console_killed"
    GATEWAY_LINK_CUT = "gateway_link_cut"
    INGEST_LINK_CUT = "ingest_link_cut"
    DATABASE_LINK_CUT = "database_link_cut"
    LINK_BLACK_HOLED = "link_black_holed"
    LINK_DELAYED = "link_delayed"
    DISK_FULL = "disk_full"
    CLOCK_JUMP = "clock_jump"
    DEVICE_UNPLUGGED = "device_unplugged"
    GATEWAY_RESTORED = "gateway_restored"


SENTENCES = {
    Kind.GATEWAY_KILLED: "SIGKILL of the gateway, which is started again after a while",
    Kind.INGEST_1_KILLED: "SIGKILL of the first ingest worker",
    Kind.INGEST_2_KILLED: "SIGKILL of the second ingest worker",
    Kind.BROKER_KILLED: "SIGKILL of the broker: what it had not written down is lost",
    Kind.BROKER_WIPED: "SIGKILL of the broker, and its whole state is removed: sessions, queues, retained messages",
    Kind.DATABASE_KILLED: "SIGKILL of the database server, which recovers from its log",
    Kind.CONSOLE_KILLED: "SIGKILL of the console",
    Kind.GATEWAY_LINK_CUT: "the gateway's connection to the broker is cut at a random octet, in one direction",
    Kind.INGEST_LINK_CUT: "a worker's connection to the broker is cut at a random octet",
    Kind.DATABASE_LINK_CUT: "a worker's connection to the database is cut at a random octet",
    Kind.LINK_BLACK_HOLED: "for a while nothing passes one of the three links, and nobody is told; then it is cut",
    Kind.LINK_DELAYED: "for a while everything on one of the three links comes late",
    Kind.DISK_FULL: "the file system of the gateway's data is full to the last octet, for a while",
    Kind.CLOCK_JUMP: "the gateway's clock is off by minutes to years, without NTP, and jumps back later",
    Kind.DEVICE_UNPLUGGED: "a cable is pulled, or a radio link drops, in the middle of a transfer",
    Kind.GATEWAY_RESTORED: "the gateway's data is replaced by an older backup of it",
}
"""A sentence for each."""

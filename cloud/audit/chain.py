"""The chain of the audit, computed from what is stored and from nothing that the database says of it.

``hash`` = SHA-256(hash of the place before ‖ fields), FIRST_HASH before the first. The fields are, in this order, the
place, when it was linked, and what the row says (``models.Content``); each is written as ``<octets>:<UTF-8>;``, NULL as
``-;``. cloud/db/migrations/sql/0015_audit.sql writes the same.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, replace
from hashlib import sha256
from itertools import islice

from cloud.audit.models import FIRST_HASH, Broken, Content, Fault, Head, Link, Whole

# A row that stands elsewhere is looked for so many places on.
NEAR = 200


def link_hash(before: bytes, position: int, linked_at: str, content: Content) -> bytes:
    """What the place must carry."""
    fields = (str(position), linked_at, *astuple(content))
    return sha256(before + b"".join(map(_field, fields))).digest()


def _field(value: str | None) -> bytes:
    if value is None:
        return b"-;"
    octets = value.encode()
    return b"%d:%s;" % (len(octets), octets)


def verified(
    links: Iterable[Link], heads: Iterable[Head] = (), begin: Head | None = None
) -> Iterator[int | Broken | Whole]:
    """Positions as they are found whole, and at the end Whole, or Broken as soon as one is not.

    ``links``: in the order of their positions. ``begin``: the place before the first of them, taken as it stands.
    ``heads``: what was written down before; a chain that was cut off, or written anew, does not fit them.
    """
    known = {head.position: head.hash for head in heads}
    before = begin or Head(position=0, hash=FIRST_HASH)
    walking, first = iter(links), before.position
    for link in walking:
        expected = before.position + 1
        if link.position != expected or link.content is None:
            yield _gap(link, expected)
            return
        computed = link_hash(before.hash, link.position, link.linked_at, link.content)
        if computed != link.hash:
            yield _wrong(before, link, list(islice(walking, NEAR)))
            return
        if known.get(link.position, link.hash) != link.hash:
            yield Broken(
                fault=Fault.CHANGED,
                position=link.position,
                audit_id=link.audit_id,
                said="the chain was written anew: this hash is not the one that was written down as its head",
            )
            return
        before = Head(position=link.position, hash=link.hash)
        yield link.position
    newest = max(known, default=0)
    if newest > before.position:
        yield _cut_off(before.position, newest)
        return
    yield Whole(rows=before.position - first, head=before if before.position else None)


def _gap(link: Link, expected: int) -> Broken:
    if link.position == expected:
        said = "its place in the chain is there, the row is not"
        return Broken(fault=Fault.MISSING, position=link.position, audit_id=link.audit_id, said=said)
    if link.position < expected:
        said = "it stands before the beginning of the chain"
        return Broken(fault=Fault.INSERTED, position=link.position, audit_id=link.audit_id, said=said)
    lost = str(expected) if link.position == expected + 1 else f"{expected} to {link.position - 1}"
    said = f"the chain goes on at place {link.position}; gone: {lost}"
    return Broken(fault=Fault.MISSING, position=expected, audit_id=None, said=said)


def _cut_off(last: int, newest: int) -> Broken:
    lost = str(newest) if newest == last + 1 else f"{last + 1} to {newest}"
    said = f"the chain ends at place {last}, and a head of {newest} was written down; gone: {lost} and what followed"
    return Broken(fault=Fault.MISSING, position=last + 1, audit_id=None, said=said)


def _wrong(before: Head, link: Link, following: Sequence[Link]) -> Broken:
    """A hash that does not fit: rows that changed places, or a row that says something else than it did."""
    other = next((one for one in following if _belongs(before, link, one)), None)
    if other is not None:
        said = f"what belongs here stands at place {other.position}, as row {other.audit_id}"
        return Broken(fault=Fault.REORDERED, position=link.position, audit_id=link.audit_id, said=said)
    said = "the row, or its place, does not say what it said when it was written"
    return Broken(fault=Fault.CHANGED, position=link.position, audit_id=link.audit_id, said=said)


def _belongs(before: Head, link: Link, other: Link) -> bool:
    """Whether ``other``, or its row, or what its row says, is what was written where ``link`` is."""
    if other.content is None or link.content is None:
        return False
    as_this_row = replace(other.content, audit_id=link.content.audit_id)
    return (
        link_hash(before.hash, link.position, other.linked_at, other.content) == other.hash
        or link_hash(before.hash, link.position, link.linked_at, other.content) == link.hash
        or link_hash(before.hash, link.position, link.linked_at, as_this_row) == link.hash
    )

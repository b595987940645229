"""Small damage to good octets: what lines, logs and devices do to them."""

import random
from collections.abc import Callable, Sequence

_INTERESTING = (0x00, 0x01, 0x02, 0x03, 0x0A, 0x0D, 0x20, 0x30, 0x51, 0x7F, 0x80, 0xFE, 0xFF)
_LONGEST = 64 * 1024

Mutation = Callable[[random.Random, bytearray], None]


def mutated(chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    """A seed, or two, with up to a handful of damages; sometimes nothing but noise."""
    if chance.random() < 0.05:
        return chance.randbytes(chance.randint(0, 300))
    octets = bytearray(chance.choice(seeds))
    if chance.random() < 0.15:
        octets += chance.choice(seeds)
    for _ in range(chance.randint(0, 5)):
        chance.choice(_MUTATIONS)(chance, octets)
    return bytes(octets[:_LONGEST])


def _place(chance: random.Random, octets: bytearray) -> int:
    return chance.randrange(len(octets)) if octets else 0


def _flip_a_bit(chance: random.Random, octets: bytearray) -> None:
    if octets:
        octets[_place(chance, octets)] ^= 1 << chance.randrange(8)


def _set_an_octet(chance: random.Random, octets: bytearray) -> None:
    if octets:
        octets[_place(chance, octets)] = chance.choice((*_INTERESTING, chance.randrange(256)))


def _cut(chance: random.Random, octets: bytearray) -> None:
    del octets[_place(chance, octets) :]


def _cut_out(chance: random.Random, octets: bytearray) -> None:
    start = _place(chance, octets)
    del octets[start : start + chance.randint(1, 8)]


def _insert(chance: random.Random, octets: bytearray) -> None:
    start = _place(chance, octets)
    octets[start:start] = chance.randbytes(chance.randint(1, 8))


def _repeat_a_piece(chance: random.Random, octets: bytearray) -> None:
    start = _place(chance, octets)
    octets[start:start] = octets[start : start + chance.randint(1, 16)] * chance.choice((1, 2, 50))


def _swap(chance: random.Random, octets: bytearray) -> None:
    if len(octets) > 1:
        here, there = _place(chance, octets), _place(chance, octets)
        octets[here], octets[there] = octets[there], octets[here]


def _count_digits_up(chance: random.Random, octets: bytearray) -> None:
    """Texts break at digits: 9s become 99999s, 1s become signs and blanks."""
    places = [place for place, octet in enumerate(octets) if 0x30 <= octet <= 0x39]
    if places:
        place = chance.choice(places)
        octets[place : place + 1] = chance.choice((b"99999", b"-1", b" ", b"0", b"1e9", b"\xb2"))


def _repair_sums(chance: random.Random, octets: bytearray) -> None:
    """The sums that the protocols use, so that what is behind them is reached."""
    if len(octets) < 2:
        return
    match chance.randrange(4):
        case 0:
            octets[-1] = sum(octets[:-1]) & 0xFF
        case 1:
            octets[-1] = -sum(octets[:-1]) & 0xFF
        case 2:
            octets[-1] = _xor(octets[2:-1])
        case _:
            octets[1] = min(len(octets), 0xFF)


def _xor(octets: bytes | bytearray) -> int:
    result = 0
    for octet in octets:
        result ^= octet
    return result


_MUTATIONS: tuple[Mutation, ...] = (
    _flip_a_bit, _set_an_octet, _cut, _cut_out, _insert, _repeat_a_piece, _swap, _count_digits_up, _repair_sums,
)  # fmt: skip

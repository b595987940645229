"""Whatever octets come: each decoder gives a value or a declared error, soon, and no reader grows."""

import gc
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.__main__ import held
from tests.fuzz.mutations import mutated
from tests.fuzz.seeds import seeds
from tests.fuzz.targets import DECLARED, MOST_HELD, NOISE, Reader, Target, readers, targets

OCTETS = st.binary(max_size=120) | st.randoms(use_true_random=False).map(lambda chance: mutated(chance, seeds()))


@pytest.mark.parametrize("target", targets(), ids=lambda target: target.name)
@settings(max_examples=30)
@given(octets=OCTETS)
def test_any_octets_give_a_value_or_a_declared_error(target: Target, octets: bytes) -> None:
    with suppress(*DECLARED):
        target.feed(octets)


@pytest.mark.parametrize("target", targets(), ids=lambda target: target.name)
def test_every_capture_gives_a_value_or_a_declared_error(target: Target) -> None:
    for octets in seeds():
        with suppress(*DECLARED):
            target.feed(octets)


@pytest.mark.parametrize("reader", readers(), ids=lambda reader: reader.name)
@given(octets=OCTETS, data=st.data())
def test_any_cut_of_a_stream_gives_the_same(reader: Reader, octets: bytes, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(octets)))
    pieces = reader.make()
    found = [*pieces.feed(octets[:cut]), *pieces.feed(octets[cut:])]
    assert list(map(str, found)) == list(map(str, reader.make().feed(octets)))


@pytest.mark.parametrize("start", [b"", *seeds()[:: max(1, len(seeds()) // 3)]], ids=lambda octets: octets[:8].hex())
@pytest.mark.parametrize("reader", readers(), ids=lambda reader: reader.name)
def test_a_stream_without_end_does_not_fill_a_reader(reader: Reader, start: bytes) -> None:
    one = reader.make()
    piece = start + bytes(range(256)) + b"\x02\x51\xaa\x80\x3e" * 20 + b"P" * 600
    one.feed(piece)
    with growing_by_at_most(MOST_HELD):
        for _ in range(NOISE // 8 // len(piece)):
            one.feed(piece)
    assert held(one) <= MOST_HELD


# What other threads of this process take meanwhile is not a reader's.
DRIVERS: Final = tracemalloc.Filter(inclusive=True, filename_pattern="*/device_drivers/*")


@contextmanager
def growing_by_at_most(octets: int) -> Iterator[None]:
    """Memory that the drivers still hold at the end, beyond what they held at the start."""
    tracemalloc.start()
    try:
        yield
        gc.collect()  # an error and its traceback hold each other
        held_now = tracemalloc.take_snapshot().filter_traces([DRIVERS])
    finally:
        tracemalloc.stop()
    assert sum(trace.size for trace in held_now.traces) <= octets

"""``make fuzz SECONDS=60``: mutated octets into every format, decoder and frame reader, for as long as you like.

What counts as a failure: an exception other than the declared ones, more than LIMIT_S for one input, memory that grows
without end, a reader that holds more than it may. A failure is printed with its octets and ends the run with code 1;
--seed repeats a run.
"""

import argparse
import random
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from tests.fuzz.mutations import mutated
from tests.fuzz.seeds import seeds
from tests.fuzz.targets import DECLARED, MOST_HELD, Reader, Target, readers, targets

LIMIT_S = 2.0
# What the whole run may take beyond what it has at its start.
MEMORY = 512 * 1024 * 1024
_PROGRESS_S = 5.0


class Failure(Exception):
    """What was fed, to what, and what it did."""


def main() -> int:
    """Exit code 0, or 1 after a failure."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=None, help="repeats a run (default: a new one each time)")
    args = parser.parse_args()
    seed = random.SystemRandom().randrange(2**32) if args.seed is None else args.seed
    try:
        counts = fuzz(args.seconds, random.Random(seed))  # noqa: S311 - repeatable on purpose
    except Failure as failure:
        print(f"{failure}\nrepeat with --seed {seed}", file=sys.stderr)
        return 1
    print(
        f"{sum(counts.values())} inputs, {len(counts)} targets, the least fed had {min(counts.values())}; seed {seed}"
    )
    return 0


def fuzz(seconds: float, chance: random.Random) -> Counter[str]:
    """How many inputs each target took. Failure."""
    begun = seeds()
    decoders, streams = targets(), readers()
    print(f"{len(begun)} seeds, {len(decoders)} decoders, {len(streams)} frame readers", flush=True)
    counts: Counter[str] = Counter()
    start = shown = time.monotonic()
    with _limits():
        while (now := time.monotonic()) - start < seconds:
            octets = mutated(chance, begun)
            for target in decoders:
                _feed(target, octets)
                counts[target.name] += 1
            for stream in streams:
                _stream(stream, octets, chance)
                counts[stream.name] += 1
            if now - shown >= _PROGRESS_S:
                shown = now
                print(f"{now - start:4.0f} s  {sum(counts.values()):9} inputs", flush=True)
    return counts


def _feed(target: Target, octets: bytes) -> None:
    with _watched(target.name, octets), suppress(*DECLARED):
        target.feed(octets)


def _stream(stream: Reader, octets: bytes, chance: random.Random) -> None:
    """In two pieces, and what comes out is the same as in one."""
    cut = chance.randint(0, len(octets))
    with _watched(stream.name, octets):
        whole, pieces = stream.make(), stream.make()
        at_once = whole.feed(octets)
        one_by_one = [*pieces.feed(octets[:cut]), *pieces.feed(octets[cut:])]
        if list(map(str, at_once)) != list(map(str, one_by_one)):
            raise AssertionError(f"cut at {cut}, the stream gives something else")
        if held(whole) > MOST_HELD:
            raise AssertionError(f"the reader holds {held(whole)} octets")


def held(reader: object) -> int:
    """How many octets a reader has in its buffers."""
    return sum(len(value) for value in vars(reader).values() if isinstance(value, bytes | bytearray | list | str))


@contextmanager
def _watched(name: str, octets: bytes) -> Iterator[None]:
    signal.setitimer(signal.ITIMER_REAL, LIMIT_S)
    try:
        yield
    except Exception as error:
        raise Failure(f"{name} on {octets.hex()!r}:\n{traceback.format_exc()}") from error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def _limits() -> Iterator[None]:
    """A hang and a flood become exceptions."""
    former = signal.signal(signal.SIGALRM, _too_long)
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + MEMORY, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        signal.signal(signal.SIGALRM, former)


def _address_space() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def _too_long(_signal: int, _frame: FrameType | None) -> None:
    raise TimeoutError(f"no answer within {LIMIT_S} s")


if __name__ == "__main__":
    sys.exit(main())

"""Toxics and links without sockets, in virtual time: exact figures, and properties over random input."""

import heapq
import math
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mockbot.proxy import toxics
from mockbot.proxy.link import Link, Traffic
from mockbot.proxy.toxic import Direction, Toxic
from mockbot.proxy.toxics import EFFECTS
from mockbot.proxy.toxics.bandwidth import Bandwidth
from mockbot.proxy.toxics.base import INPUT, Chunk, Effect, Pipe, Stub
from mockbot.proxy.toxics.latency import Latency
from mockbot.proxy.toxics.limit_data import LimitData
from mockbot.proxy.toxics.noop import Noop
from mockbot.proxy.toxics.reset_peer import ResetPeer
from mockbot.proxy.toxics.slicer import Slicer
from mockbot.proxy.toxics.slow_close import SlowClose
from mockbot.proxy.toxics.timeout import Timeout


class Timer:
    """A cancellable entry of the virtual clock."""

    def __init__(self, call: Callable[[], None]) -> None:
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self.call = None


@dataclass(frozen=True, slots=True)
class Broken(Noop):
    """A toxic that fails when it begins, at its first chunk or when it is interrupted."""

    at: str = ""

    def pipe(self, stub: Stub) -> Pipe:  # noqa: ARG002
        if self.at != "begin" and isinstance((yield INPUT), Chunk) and self.at != "chunk":
            yield INPUT
        raise RecursionError


class World:
    """Virtual time, and both ends of one link; `out` is what the destination got: (second, bytes), b"" for the end."""

    def __init__(self, *effects: Effect, toxicity: float = 1.0) -> None:
        self.time = 0.0
        self.timers = self
        self.out: list[tuple[float, bytes]] = []
        self.paused = False
        self.felt: set[str] = set()
        self.tired: Random | None = None  # then turns of the event loop end at random
        self._heap: list[tuple[float, int, Timer]] = []
        self._count = 0
        self.toxics = [self.placed(effect, f"t{n}", toxicity) for n, effect in enumerate(effects)]
        self.link = Link(Direction.DOWNSTREAM, self.toxics, self, self, self, Traffic())

    @staticmethod
    def placed(effect: Effect, name: str, toxicity: float = 1.0) -> Toxic:
        return Toxic(name, "downstream", Direction.DOWNSTREAM, toxicity, effect)

    # Timers
    def now(self) -> float:
        return self.time

    def after(self, seconds: float, call: Callable[[], None]) -> Timer:
        timer = Timer(call)
        self._count += 1
        heapq.heappush(self._heap, (self.time + max(0.0, seconds), self._count, timer))
        return timer

    def spent(self) -> bool:
        return self.tired is not None and self.tired.random() < 0.5

    def run(self, until: float = math.inf) -> None:
        while self._heap and self._heap[0][0] <= until:
            self.time, _, timer = heapq.heappop(self._heap)
            if timer.call is not None:
                timer.call()
        if until < math.inf:
            self.time = until

    # Context
    def stream(self, direction: Direction, toxic: str) -> Random:
        return Random(f"{direction}{toxic}")

    def touched(self, toxic: str) -> None:
        self.felt.add(toxic)

    # End, of both sides
    def write(self, data: bytes) -> None:
        self.out.append((round(self.time, 6), data))

    def close(self) -> None:
        self.out.append((round(self.time, 6), b""))

    reset = close

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    @property
    def data(self) -> bytes:
        return b"".join(data for _, data in self.out)


def test_the_registry_names_every_file() -> None:
    """One toxic, one file, and none forgotten; base holds what they share."""
    files = {info.name for info in pkgutil.iter_modules(toxics.__path__)} - {"base"}
    modules = {effect.__module__.rpartition(".")[2] for effect in EFFECTS}

    assert files == modules == {effect.type for effect in EFFECTS}
    assert all(import_module(effect.__module__).__doc__ for effect in EFFECTS)


def test_latency_keeps_the_spacing() -> None:
    """Chunks at 0 and 50 ms leave at 200 and 250 ms, and the end right behind them."""
    world = World(Latency(200))
    world.link.receive(b"a")
    world.run(0.05)
    world.link.receive(b"b")
    world.link.source_ended()
    world.run()

    assert world.out == [(0.2, b"a"), (0.25, b"b"), (0.25, b"")]


def test_two_latencies_add_for_chunks_that_waited_too() -> None:
    """The original's second latency shortens the delay of a chunk that queued in the first; here 100 + 100 is 200."""
    world = World(Latency(100), Latency(100))
    world.link.receive(b"a")
    world.run(0.05)
    world.link.receive(b"b")
    world.run()

    assert world.out == [(0.2, b"a"), (0.25, b"b")]


def test_bandwidth_takes_its_time_exactly() -> None:
    """3000 bytes at 1 KB/s: 30 pieces of 100 bytes, one each 100 ms (Toxiproxy 2.12.0)."""
    world = World(Bandwidth(1))
    world.link.receive(b"x" * 3000)
    world.run()

    assert [len(data) for _, data in world.out] == [100] * 30
    assert world.out[0][0] == 0.1
    assert world.out[-1][0] == 3.0


def test_bandwidth_does_not_bank_idle_time() -> None:
    """10 kB at 100 KB/s take 100 ms after ten idle seconds, too."""
    world = World(Bandwidth(100))
    world.link.receive(b"x" * 10_000)
    world.run(10)
    world.link.receive(b"x" * 10_000)
    world.run()

    assert [at for at, _ in world.out] == [0.1, 10.1]


@pytest.mark.parametrize(
    ("effect", "felt"),
    [
        (Latency(0), False), (Latency(1), True), (Bandwidth(1_000_000), False), (Bandwidth(1), True),
        (LimitData(1000), False), (LimitData(50), True), (Slicer(1000, 0, 0), False), (SlowClose(0), False),
        (Noop(), False), (ResetPeer(0), True),
    ],
)  # fmt: skip
def test_a_toxic_that_changes_no_byte_and_delays_none_is_not_felt(effect: Effect, felt: bool) -> None:
    """100 bytes and the end of the connection, through one toxic."""
    world = World(effect)
    world.link.receive(b"x" * 100)
    world.link.source_ended()
    world.run()

    assert bool(world.felt) is felt


def test_a_connection_that_ends_without_data_does_not_feel_a_reset() -> None:
    """Nothing was lost."""
    world = World(ResetPeer(0))
    world.link.source_ended()
    world.run()

    assert not world.felt


def test_slicer_paces_its_pieces() -> None:
    """Pieces 10 ms apart, the delay after the last one holding up the next chunk."""
    world = World(Slicer(10, 0, 10_000))
    world.link.receive(b"x" * 20)
    world.link.receive(b"y")
    world.run()

    assert [(at, len(data)) for at, data in world.out] == [(0.0, 10), (0.01, 10), (0.02, 1)]


def test_a_timeout_counts_from_the_last_dropped_chunk() -> None:
    """Chunks at 0, 0.3, 0.6 and 0.9 s under 500 ms: closed at 1.4 s."""
    world = World(Timeout(500))
    for step in range(4):
        world.run(step * 0.3)
        world.link.receive(b"x")
    world.run()

    assert world.out == [(1.4, b"")]


def test_a_slow_close_that_is_updated_waits_again() -> None:
    """100 ms into a wait of 300, updated to 500: closed at 600."""
    world = World(SlowClose(300))
    world.link.source_ended()
    world.run(0.1)
    world.toxics[0].effect = SlowClose(500)
    world.link.update(world.toxics[0])
    world.run()

    assert world.out == [(0.6, b"")]


def test_a_reset_that_is_updated_still_has_its_chunk() -> None:
    """Updated while it waits, then removed: the chunk goes on."""
    world = World(ResetPeer(300))
    world.link.receive(b"x")
    world.run(0.1)
    world.link.update(world.toxics[0])
    world.run(0.2)
    world.link.remove(world.toxics[0])

    assert world.out == [(0.2, b"x")]


def test_an_end_held_by_a_removed_toxic_reaches_the_next_one() -> None:
    """slow_close in front of slow_close: the first goes, the second holds the end for its own time."""
    world = World(SlowClose(5000), SlowClose(200))
    world.link.source_ended()
    world.run(0.1)
    world.link.remove(world.toxics[0])
    world.run()

    assert world.out == [(0.3, b"")]


@pytest.mark.parametrize("effect", [Bandwidth(0), Latency(10_000), Bandwidth(1)])
def test_a_full_stage_pauses_the_source_and_lets_it_go_on(effect: Effect) -> None:
    """Memory is bounded: after its capacity of chunks the source is paused, until the toxic goes."""
    world = World(effect)
    received = 0
    while not world.paused and received < 5000:
        world.link.receive(b"x" * 32_768)
        received += 1
    world.link.remove(world.toxics[0])

    assert received <= effect.capacity + 1
    assert not world.paused
    assert len(world.data) == received * 32_768


@pytest.mark.parametrize("chain", [(Latency(60_000),), (Slicer(1), Latency(60_000)), (Latency(60_000), Slicer(1))])
def test_a_latency_holds_a_few_megabytes_at_most(chain: tuple[Effect, ...]) -> None:
    """Toxiproxy's 1024 chunks would be 32 MB."""
    world = World(*chain)
    received = 0
    while not world.paused:
        world.link.receive(b"x" * 32_768)
        received += 32_768

    assert received <= 5_000_000


@pytest.mark.parametrize("effect", [Latency(100), Slicer(1), Bandwidth(10_000), Noop()])
def test_a_destination_that_does_not_read_gets_nothing_more(effect: Effect) -> None:
    """Not even what is due: it stays in the stage, and the source is paused. When it reads again, all of it comes."""
    world = World(effect)
    world.link.destination_full(True)
    world.link.receive(b"x" * 1000)
    world.run(10)

    assert (world.data, world.paused) == (b"" if not isinstance(effect, Slicer) else world.data[:1], True)

    world.link.destination_full(False)
    world.run()

    assert (len(world.data), world.paused) == (1000, False)


@pytest.mark.parametrize("where", [0, 1])
@pytest.mark.parametrize("event", ["begin", "chunk", "interrupt"])
def test_a_toxic_that_fails_resets_both_sides(where: int, event: str, caplog: pytest.LogCaptureFixture) -> None:
    """And says so in the log, instead of a client that waits for ever; it was felt."""
    world = World(*(Broken(event) if number == where else Noop() for number in range(2)))
    world.link.receive(b"x")
    for toxic in world.toxics:
        world.link.update(toxic)
    world.run()

    assert [part for _, part in world.out].count(b"") == 2
    assert world.felt == {f"t{where}"}
    assert f"toxic t{where} (noop) failed: its connection is reset" in caplog.text


def test_toxicity_is_rolled_again_at_an_update() -> None:
    """Over many links at 0.5, an empty update changes the fate of about half of them."""
    changed = 0
    for number in range(200):
        toxic = World.placed(LimitData(0), "limit", 0.5)
        world = World()
        world.stream = lambda _d, _t, n=number: Random(n)  # type: ignore[method-assign, misc]
        world.link = Link(Direction.DOWNSTREAM, [toxic], world, world, world, Traffic())
        first = Random(number).random() < 0.5
        world.link.update(toxic)
        world.link.receive(b"x")
        changed += first != (world.data == b"")

    assert 60 < changed < 140


effects = st.one_of(
    st.builds(Latency, st.integers(-5, 50), st.integers(0, 20)),
    st.builds(Bandwidth, st.integers(1, 500)),
    st.builds(SlowClose, st.integers(0, 50)),
    st.builds(Slicer, st.integers(1, 60), st.integers(0, 2), st.integers(0, 2000)),
    st.builds(Slicer, st.integers(30, 60), st.integers(0, 31), st.integers(0, 2000)),
    st.just(Noop()),
)
chunks = st.lists(st.binary(min_size=1, max_size=300), max_size=12)


@settings(max_examples=150, deadline=None)
@given(st.data(), st.lists(effects, max_size=4), chunks)
def test_no_byte_is_lost_or_reordered_whatever_is_added_updated_or_removed(
    data: st.DataObject, chain: list[Effect], parts: list[bytes]
) -> None:
    """For every toxic that does not drop: what went in comes out once, in order, and then the end."""
    world = World(*chain, toxicity=data.draw(st.sampled_from([0.5, 1.0])))
    world.tired = data.draw(st.one_of(st.none(), st.builds(Random, st.integers(0, 99))))
    placed = list(world.toxics)
    for number, part in enumerate(parts):
        if data.draw(st.booleans()) is not world.link.full:
            world.link.destination_full(not world.link.full)
        world.link.receive(part)
        world.run(world.time + data.draw(st.sampled_from([0.0, 0.001, 0.02, 0.2])))
        match data.draw(st.sampled_from(["nothing", "add", "remove", "update"])):
            case "add":
                placed.append(World.placed(data.draw(effects), f"added{number}"))
                world.link.add(placed[-1])
            case "remove" if placed:
                world.link.remove(placed.pop(data.draw(st.integers(0, len(placed) - 1))))
            case "update" if placed:
                world.link.update(data.draw(st.sampled_from(placed)))
    world.link.source_ended()
    if world.link.full:
        world.link.destination_full(False)
    world.run()

    assert world.data == b"".join(parts)
    assert world.out[-1][1] == b""
    assert [part for _, part in world.out].count(b"") == 1
    assert not world.paused


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 5000), st.integers(-4999, 5001), st.integers(1, 40_000), st.randoms(use_true_random=False))
def test_the_slicer_cuts_every_size_into_pieces_that_fit(average: int, variation: int, size: int, rng: Random) -> None:
    """Offsets never fall, and end at the end; no piece is larger than average + variation."""
    slicer = Slicer(average, variation)
    assume(slicer.refusal() is None)
    ends = list(slicer.cut(size, rng))
    sizes = [end - start for start, end in zip([0, *ends], ends, strict=False)]

    assert ends[-1] == size
    assert min(sizes) >= (0 if variation >= average else 1)
    assert max(sizes) <= average + variation

"""Memory laid out ahead of time: nothing overlaps, nothing is read before it is written, sharing shows nowhere."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from oracles.random_nets import random_net
from oracles.trial import Trial

from cnnspec.codegen import emit
from cnnspec.codegen.memory import ALIGN, Buffer, place
from cnnspec.words import Op

SEEDS = range(300, 315)


def trial(seed: int, **settings) -> Trial:
    graph, costs = random_net(seed)
    return Trial(graph, *costs, seed=seed, **settings)


@pytest.mark.parametrize("seed", SEEDS)
def test_buffers_that_are_alive_together_lie_apart(seed):
    program = trial(seed).engine.program("train", 3, 3)
    for k, one in enumerate(program.buffers):
        assert one.offset % ALIGN == 0 and one.offset + one.bytes <= program.arena_bytes
        for other in program.buffers[:k]:
            apart = one.offset + one.bytes <= other.offset or other.offset + other.bytes <= one.offset
            assert apart or one.last < other.first or other.last < one.first, (one, other)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_arena_is_what_was_predicted(seed):
    engine = trial(seed, shards=2, batch=5).engine
    predicted = engine.memory(5)["arena"]
    assert engine.plan("train", 5).arena_bytes == engine.arena.size == predicted


def apart(buffers, between=0) -> int:
    """Every buffer a place of its own."""
    end = 0
    for buffer in buffers:
        buffer.offset = end
        end += -(-buffer.bytes // ALIGN) * ALIGN
    return end


def ops(cls=Op):
    for child in cls.__subclasses__():
        yield child
        yield from ops(child)


def bits(found: Trial) -> list[bytes]:
    """Cost and gradients of a plan whose memory held no numbers when it began."""
    found.engine.plan("train", found.batch)
    found.engine.arena[...] = 255  # not a number, whether single or double
    cost, gradients = found.learnt
    assert np.isfinite(cost)
    return [np.float64(cost).tobytes(), *(gradient.tobytes() for gradient in gradients.values())]


@pytest.mark.parametrize("seed", SEEDS)
def test_sharing_memory_changes_no_bit(seed, monkeypatch):
    shared = bits(trial(seed))
    monkeypatch.setattr(emit, "place", apart)
    assert bits(trial(seed)) == shared
    for cls in ops():
        if cls.can_alias:
            monkeypatch.setattr(cls, "can_alias", ())
    assert bits(trial(seed)) == shared


@pytest.mark.parametrize("seed", SEEDS)
def test_bits_do_not_depend_on_the_workers(seed):
    alone, pair = trial(seed, shards=3, batch=7), trial(seed, shards=3, batch=7, workers=2)
    try:
        assert bits(pair) == bits(alone)
    finally:
        pair.engine.close()


def peak(buffers):
    """The most bytes that are alive at one step: no arena can be smaller."""
    steps = {buffer.first for buffer in buffers}
    return max(sum(b.bytes for b in buffers if b.first <= step <= b.last) for step in steps)


def test_placing_random_buffers():
    """Random lives and sizes: never an overlap, and not far above what is alive at once."""
    generator = np.random.default_rng(0)
    for _ in range(50):
        buffers = []
        for k in range(40):
            first = int(generator.integers(0, 60))
            last = first + int(generator.integers(0, 20))
            buffers.append(Buffer(f"b{k}", (int(generator.integers(1, 5000)),), "float", first, last, 4))
        size = place(buffers)
        assert peak(buffers) <= size <= 1.5 * peak(buffers) + ALIGN * len(buffers)
        for k, one in enumerate(buffers):
            for other in buffers[:k]:
                if one.overlaps(other):
                    assert one.offset + one.bytes <= other.offset or other.offset + other.bytes <= one.offset


def test_buffers_of_whole_pages_begin_at_places_of_their_own():
    """Else a row that is copied from one to the other, moved by a pixel, takes three times as long."""
    buffers = [Buffer(f"b{k}", (4096 * (1 + k % 3),), "float", 0, 9, 4) for k in range(12)]
    place(buffers, between=ALIGN)
    places = {buffer.offset % 4096 for buffer in buffers}
    assert len(places) == len(buffers) and 0 not in places  # what lies elsewhere begins with a page
    for one, other in combinations(sorted(buffers, key=lambda b: b.offset), 2):
        assert one.offset + one.bytes < other.offset

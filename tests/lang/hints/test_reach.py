"""FromPolyphase that reach no output, against following every single window forward."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cnnspec.diagnostics import Source
from cnnspec.lang import read
from cnnspec.lang.hints.reach import unreached

WINDOWS = st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(0, 2), st.integers(1, 2))


def seen_forward(size: int, windows: list[tuple[int, int, int, int]]) -> set[int]:
    """The pixels that some output sees: for each value of a layer, the set of pixels behind it."""
    behind: list[set[int]] = [{i} for i in range(size)]
    for kernel, stride, pad, dilate in windows:
        padded = [set()] * pad + behind + [set()] * pad
        extent = dilate * (kernel - 1) + 1
        starts = range(0, len(padded) - extent + 1, stride)
        behind = [set().union(*(padded[at + u * dilate] for u in range(kernel))) for at in starts]
    return set().union(*behind)


@given(st.integers(6, 40), st.lists(WINDOWS, min_size=1, max_size=4))
def test_a_chain_of_windows(size: int, windows: list[tuple[int, int, int, int]]) -> None:
    chain = " -> ".join(f"conv 2x{k} stride {s} pad {p} dilate {d}" for k, s, p, d in windows)
    reading = read(Source("a.cnn", f"input 1x{size}\n{chain} -> dense 2"), fixes=False)
    if reading.errors:
        return
    lost = list(unreached(reading.graph, "input"))
    expected = size - 1 - max(seen_forward(size, windows), default=-1)
    assert sum(part.pixels for part in lost) == expected or expected == size


def test_another_branch_may_see_them() -> None:
    text = "input 1x13\nconcat( conv 2x3 stride 3 -> gap | gap ) -> dense 2"
    assert not list(unreached(read(Source("a.cnn", text)).graph, "input"))

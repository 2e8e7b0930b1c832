"""Memory of one process, and memory that programs map by descriptor."""

import gc
import os
from pathlib import Path

import numpy as np
import pytest

from cnnspec.runtime import memory
from cnnspec.runtime.memory import HUGE, PAGE, Attached, Private, Shared

unix = pytest.mark.skipif(os.name != "posix", reason="descriptors are inherited on Unix")


@pytest.mark.parametrize("kind", [Private, pytest.param(Shared, marks=unix)])
@pytest.mark.parametrize("size", [0, 1, PAGE, PAGE + 1, 3 << 20, (5 << 20) + 7])
def test_zeroed_pages_that_nobody_else_has(kind, size):
    made = kind()
    first, second = made.take(size), made.take(size)
    assert len(first) == max(size, 1) and not first.any() and not second.any()
    assert memory.address(first) % PAGE == memory.address(second) % PAGE == 0
    first[:] = 1
    assert not second.any()


@pytest.mark.skipif(not os.path.exists("/sys/kernel/mm/transparent_hugepage"), reason="no large pages here")
def test_large_memory_asks_for_large_pages():
    """In small ones arrays of a step meet in the cache by luck, and steps of some processes last longer."""
    asked, small = Private().take((9 << 20) + 5), Private().take(1 << 20)
    assert memory.address(asked) % HUGE == 0
    assert "hg" in flags(memory.address(asked)) and "hg" not in flags(memory.address(small))
    assert "hg" not in flags(memory.address(asked) + (8 << 20))  # a whole page of its end would be held in vain


def flags(at):
    """What the system has noted of the mapping that an address lies in."""
    inside = False
    for line in Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines():
        first, *rest = line.split()
        if "-" in first and not first.endswith(":"):
            start, end = (int(part, 16) for part in first.split("-"))
            inside = start <= at < end
        elif inside and first == "VmFlags:":
            return rest
    raise AssertionError("no mapping")


@unix
def test_any_view_is_found_again_by_its_place():
    made = Shared()
    other = Attached(made.file)
    for size in (100, 5 << 20, PAGE, 9 << 20):  # more than a segment each now and then
        whole = made.take(size * 4).view("float32").reshape(-1, 4, 5) if size % 5 == 0 else made.take(size)
        whole[...] = np.arange(whole.size).reshape(whole.shape) % 200
        for view in (whole, whole[1:], whole[::-1], whole.T, whole[:0]):
            place = made.place(view)
            found = other.array(place)
            assert (found.shape, found.dtype, found.strides) == (view.shape, view.dtype, view.strides)
            np.testing.assert_array_equal(found, view)
    found = other.array(made.place(whole))
    found[3] = 7
    assert whole[3] == 7


@unix
def test_other_arrays_have_no_place():
    made = Shared()
    made.take(10)
    assert made.place(np.zeros(10)) is None


@unix
@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="this system does not list its open files")
def test_many_small_arrays_hold_few_files():
    gc.collect()  # what tests before this one hold
    before = len(os.listdir("/proc/self/fd"))
    made = Shared()
    kept = [made.take(1000) for _ in range(2000)]
    assert len(os.listdir("/proc/self/fd")) - before < 8
    del made, kept
    assert len(os.listdir("/proc/self/fd")) == before


@unix
@pytest.mark.skipif(not hasattr(memory.mmap, "MADV_REMOVE"), reason="pages are given back on Linux")
def test_released_memory_is_given_back():
    made = Shared()
    part, beside = made.take(1 << 20), made.take(PAGE)
    part[:] = beside[:] = 1
    held = os.fstat(made.file).st_blocks
    made.release(part)
    assert os.fstat(made.file).st_blocks <= held - (1 << 20) // 512
    assert beside.all()


@unix
def test_standard_streams_that_are_closed_do_not_become_the_memory(tmp_path):
    """Their numbers are given to the next files, and a program would take those for its input and output."""
    low = os.open(tmp_path / "file", os.O_CREAT | os.O_RDWR)
    saved = os.dup(0)
    try:
        os.dup2(low, 0)
        assert memory.above_standard(os.dup(low)) > 2
    finally:
        os.dup2(saved, 0)
        os.close(saved)
        os.close(low)

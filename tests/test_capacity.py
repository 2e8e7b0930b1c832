"""What is free, and the batch that would do."""

from __future__ import annotations

import errno
import struct
import subprocess
import sys
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnspec.capacity import PAGE, SPARE, ensure_fits, free_memory, largest, mebibytes, out_of_memory
from cnnspec.diagnostics import SpecError

GIB = 1 << 30


def machine(root, **contents):
    """A pretended file system; __ stands for a slash."""
    for name, text in contents.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


MEMINFO = "MemTotal:  33554432 kB\nMemFree:  1048576 kB\nMemAvailable:  8388608 kB\n"


def test_the_machine_says_what_is_available(tmp_path):
    assert free_memory(machine(tmp_path, proc__meminfo=MEMINFO)) == 8 * GIB


def test_nobody_says(tmp_path):
    assert free_memory(tmp_path) is None


def test_the_tightest_group_counts_and_its_cache_is_free(tmp_path):
    root = machine(tmp_path, proc__meminfo=MEMINFO, proc__self__cgroup="0::/slice/job\n")
    base = root / "sys/fs/cgroup/slice"
    (base / "job").mkdir(parents=True)
    (base / "job/memory.max").write_text("max\n")
    (base / "job/memory.current").write_text(f"{GIB}\n")
    (base / "memory.max").write_text(f"{4 * GIB}\n")
    (base / "memory.current").write_text(f"{3 * GIB}\n")
    (base / "memory.stat").write_text(f"anon 5\ninactive_file {GIB // 2}\n")
    assert free_memory(root) == GIB + GIB // 2


LIMITS = """Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max data size             {data:<20} unlimited            bytes
Max address space         {space:<20} unlimited            bytes
"""


@pytest.mark.parametrize(
    "data, space, free",
    [
        ("unlimited", "unlimited", 8 * GIB),
        ("unlimited", 3 * GIB, 3 * GIB - 500 * PAGE),
        (2 * GIB, 3 * GIB, 2 * GIB - 100 * PAGE),
        (2 * GIB, PAGE, 0),
    ],
)
def test_limits_of_the_process_count(tmp_path, data, space, free):
    limits = LIMITS.format(data=data, space=space)
    statm = "500 200 50 6 0 100 0\n"
    root = machine(tmp_path, proc__meminfo=MEMINFO, proc__self__limits=limits, proc__self__statm=statm)
    assert free_memory(root) == free


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells what is free")
def test_a_file_larger_than_the_limit_of_the_process_is_refused_before_it_is_read(tmp_path):
    """An npz of 300 MB, stored sparse, under `ulimit -v`: CNN407, not a MemoryError."""
    program = """if True:
        import resource, sys
        from cnnspec.data.load import load
        from cnnspec.diagnostics import SpecError
        from cnnspec.settings.data import Data, Npz
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (100 << 20),) * 2)
        try:
            load(Data(source=Npz("a.npz")))
        except SpecError as error:
            print(error.diagnostics[0].code, error.diagnostics[0].message)
    """
    shape, header = (75_000, 1000), "{'descr': '<f4', 'fortran_order': False, 'shape': (75000, 1000), }\n"
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("x.npy", "w") as file:
            file.write(b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header.encode())
            for _ in range(shape[0] // 1000):
                file.write(bytes(4_000_000))
        archive.writestr("y.npy", b"")
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.startswith("CNN407 x of a.npz would take 286 MiB, and "), done.stderr


@pytest.mark.parametrize(
    "fault",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        ImportError("libopenblas.so: failed to map segment from shared object"),
    ],
)
def test_memory_that_runs_out_is_known_by_what_it_caused(fault):
    later = RuntimeError("a worker failed")
    later.__cause__ = fault
    for told in (fault, later):
        (finding,) = out_of_memory(told).diagnostics
        assert finding.code == "CNN322" and finding.message.startswith("memory ran out")
    assert out_of_memory(OSError(errno.ENOSPC, "No space left on device")) is None
    assert out_of_memory(ImportError("No module named 'jax'")) is None


def test_an_old_group(tmp_path):
    root = machine(tmp_path, proc__meminfo=MEMINFO, proc__self__cgroup="5:cpu:/\n4:memory:/docker/1\n")
    base = root / "sys/fs/cgroup/memory"  # within a container the group is at the top
    base.mkdir(parents=True)
    (base / "memory.limit_in_bytes").write_text(f"{2 * GIB}\n")
    (base / "memory.usage_in_bytes").write_text(f"{GIB}\n")
    assert free_memory(root) == GIB


def test_a_group_over_its_limit_has_nothing(tmp_path):
    root = machine(tmp_path, proc__self__cgroup="0::/\n")
    base = root / "sys/fs/cgroup"
    base.mkdir(parents=True)
    (base / "memory.max").write_text("10\n")
    (base / "memory.current").write_text("20\n")
    assert free_memory(root) == 0


def test_this_machine_answers():
    free = free_memory()
    assert free is None or free > 0


def needs(batch):
    return 100 * (1 << 20) + batch * (10 << 20)


def test_a_batch_that_fits_passes():
    ensure_fits(needs, 64, free=needs(64) + SPARE)
    ensure_fits(needs, 1 << 40, free=None if free_memory() is None else 1 << 80)


def test_a_batch_that_does_not_is_refused_with_one_that_does():
    with pytest.raises(SpecError) as error:
        ensure_fits(needs, 512, free=4 * GIB)
    (finding,) = error.value.diagnostics
    assert finding.code == "CNN304"
    assert finding.message == "training with batch 512 needs 5.1 GiB, and 4.0 GiB are free"
    assert finding.help == "use `batch 393`, which needs 3.9 GiB"
    ensure_fits(needs, 393, free=4 * GIB)
    with pytest.raises(SpecError):
        ensure_fits(needs, 394, free=4 * GIB)


def test_not_even_one():
    with pytest.raises(SpecError) as error:
        ensure_fits(needs, 512, free=1 << 20)
    assert error.value.diagnostics[0].help == "not even `batch 1` fits: it needs 110 MiB"


@given(st.integers(0, 50), st.integers(1, 50))
def test_largest_is_the_largest(bound, below):
    assert largest(lambda n: n <= bound, below) == min(bound, below - 1)


def test_amounts_as_people_say_them():
    assert (mebibytes(412 << 20), mebibytes(3 * GIB + GIB // 10)) == ("412 MiB", "3.1 GiB")


def test_a_network_that_no_memory_holds_is_refused_before_any_is_taken():
    import cnnspec

    with pytest.raises(SpecError, match="CNN304"):
        cnnspec.compile(text="input 60000\ndense 1000000 -> dense 1000000 -> softmax")

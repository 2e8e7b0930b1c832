"""safetensors: written as the package reads them, read as it writes them, and sixty files that are neither."""

from __future__ import annotations

import json
import os
import tracemalloc

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from cnnspec.diagnostics import SpecError
from cnnspec.train import tensors

ARRAYS = {
    "conv1.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2),
    "conv1.bias": np.array([0.5, -1.5], np.float32),
    "steps": np.array(7),
    "wide": np.linspace(0, 1, 3),
    "empty": np.zeros((0, 4), np.float32),
    "ö": np.array([1, 2, 255], np.uint8),
}


def file_of(header, data=b"", length=None):
    """The bytes of a file with a header of any kind."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def entry(shape=(2,), start=0, end=8, dtype="F32", **more):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end], **more}


def refused(path):
    with pytest.raises(SpecError) as error:
        tensors.read(path)
    (finding,) = error.value.diagnostics
    assert path.name in finding.message and finding.message.isprintable()
    return finding


# ---- whole files --------------------------------------------------------------------------------------


def test_what_is_written_reads_back_here_and_in_the_package(tmp_path):
    path = tmp_path / "a.safetensors"
    tensors.write(path, ARRAYS, {"step": "3", "spec": "conv 8x3x3\n"})
    ours, theirs = tensors.read(path), safetensors.numpy.load_file(path)
    assert ours.metadata == {"step": "3", "spec": "conv 8x3x3\n"}
    for found in (ours.arrays, theirs):
        assert found.keys() == ARRAYS.keys()
        for name, values in ARRAYS.items():
            assert found[name].dtype == values.dtype and np.array_equal(found[name], values)
            assert found[name].shape == values.shape


def test_what_the_package_writes_reads_back(tmp_path):
    path = tmp_path / "a.safetensors"
    safetensors.numpy.save_file(ARRAYS, path, {"made by": "somebody"})
    found = tensors.read(path)
    assert found.metadata == {"made by": "somebody"}
    assert all(np.array_equal(found.arrays[name], values) for name, values in ARRAYS.items())


@given(arrays(st.sampled_from(["f2", "f4", "f8", "i4", "u1"]), array_shapes(min_dims=0, max_dims=5, min_side=0)))
def test_any_array_survives(tmp_path_factory, values):
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    tensors.write(path, {"a": values, "b": values.T}, {})
    found = tensors.read(path).arrays
    assert found["a"].tobytes() == values.tobytes() and found["b"].tobytes() == values.T.tobytes()
    assert found["b"].shape == values.T.shape
    assert safetensors.numpy.load_file(path)["a"].tobytes() == values.tobytes()


def test_files_of_torch_halves_included(tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch writes the file")
    from safetensors.torch import save_file

    values = torch.tensor([[1.0, -2.5, 3.0e-5], [0.0, 65504.0, float("inf")]])
    kinds = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "BOOL": torch.bool}
    save_file({name: values.to(kind) for name, kind in kinds.items()}, tmp_path / "t.safetensors")
    found = tensors.read(tmp_path / "t.safetensors").arrays
    for name, kind in kinds.items():
        wanted = values.to(kind)
        wanted = wanted.float() if name == "BF16" else wanted
        assert np.array_equal(found[name], wanted.numpy()), name


def test_equal_weights_make_equal_files(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    tensors.write(a, ARRAYS, {"x": "1", "y": "2", "z": "3"})
    tensors.write(b, ARRAYS, {"z": "3", "y": "2", "x": "1"})
    assert a.read_bytes() == b.read_bytes()


def test_arrays_lie_where_their_numbers_like_it(tmp_path):
    path = tmp_path / "a"
    tensors.write(path, ARRAYS, {"odd": "12345"})
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    for name, told in json.loads(raw[8 : 8 + length]).items():
        if name != "__metadata__":
            size = np.dtype(tensors.DTYPES[told["dtype"]]).itemsize
            assert (8 + length + told["data_offsets"][0]) % size == 0


# ---- malformed files ----------------------------------------------------------------------------------

GOOD = {"a": entry(), "b": entry((1, 2), 8, 16)}
DATA = bytes(16)
HUGE = 1 << 62

MALFORMED = {
    "empty": (b"", "CNN452"),
    "one byte": (b"\x00", "CNN452"),
    "seven bytes": (bytes(7), "CNN452"),
    "a length and nothing": ((16).to_bytes(8, "little"), "CNN452"),
    "a length beyond the file": (file_of(GOOD, DATA, 500), "CNN452"),
    "a length beyond any file": (file_of(GOOD, DATA, HUGE), "CNN451"),
    "the largest length": (b"\xff" * 8 + b"{}", "CNN451"),
    "a length just over what is read": (file_of(GOOD, DATA, tensors.MAX_HEADER + 1), "CNN451"),
    "a length that cuts the header": (file_of(GOOD, DATA, 20), "CNN451"),
    "a length that takes in data": (file_of(GOOD, b"\x01" * 16, len(json.dumps(GOOD)) + 8), "CNN451"),
    "a length of zero": (file_of(b"", DATA), "CNN451"),
    "an inflated header": (file_of(b"{" + b" " * tensors.MAX_HEADER + b"}"), "CNN451"),
    "plain text": (b"the weights of my network, in words", "CNN451"),
    "a web page": (b"<!DOCTYPE html><html><body>404</body></html>", "CNN451"),
    "a pointer of git lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "CNN451"),
    "a zip, as of torch.save": (b"PK\x03\x04" + bytes(60), "CNN451"),
    "a pickle": (b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00cos\nsystem\n", "CNN451"),
    "an old pickle": (b"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01K\x01u.", "CNN451"),
    "an npy": (b"\x93NUMPY\x01\x00v\x00{'descr': '<f4'}", "CNN451"),
    "an HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(40), "CNN451"),
    "a gzip": (b"\x1f\x8b\x08\x00" + bytes(40), "CNN451"),
    "no JSON": (file_of(b"conv1.weight"), "CNN451"),
    "JSON cut off": (file_of(json.dumps(GOOD).encode()[:-1], DATA), "CNN451"),
    "JSON and more": (file_of(json.dumps(GOOD).encode() + b"x", DATA), "CNN451"),
    "not UTF-8": (file_of(b'{"\xff": 1}'), "CNN451"),
    "a list": (file_of([GOOD], DATA), "CNN451"),
    "a number": (file_of(17, DATA), "CNN451"),
    "null": (file_of(None, DATA), "CNN451"),
    "a deep nest": (file_of(b"[" * 100_000), "CNN451"),
    "a deep object": (file_of(b'{"a":' * 100_000), "CNN451"),
    "a name twice": (file_of(b'{"a": %s, "a": %s}' % ((json.dumps(entry()).encode(),) * 2), bytes(8)), "CNN451"),
    "a key twice within": (file_of(b'{"a": {"dtype": "F32", "dtype": "F32"}}', bytes(8)), "CNN451"),
    "an endless number": (file_of(b'{"a": ' + b"9" * 5000 + b"}"), "CNN451"),
    "a NaN": (file_of(b'{"a": NaN}'), "CNN451"),
    "metadata that are a list": (file_of({"__metadata__": [], **GOOD}, DATA), "CNN451"),
    "metadata that are numbers": (file_of({"__metadata__": {"step": 3}, **GOOD}, DATA), "CNN451"),
    "an entry that is a list": (file_of({"a": ["F32", [2], [0, 8]]}, bytes(8)), "CNN451"),
    "an entry without dtype": (file_of({"a": {"shape": [2], "data_offsets": [0, 8]}}, bytes(8)), "CNN451"),
    "an entry without shape": (file_of({"a": {"dtype": "F32", "data_offsets": [0, 8]}}, bytes(8)), "CNN451"),
    "an entry without offsets": (file_of({"a": {"dtype": "F32", "shape": [2]}}, bytes(8)), "CNN451"),
    "an entry with more": (file_of({"a": entry(code="import os")}, bytes(8)), "CNN451"),
    "an unknown dtype": (file_of({"a": entry(dtype="F8_E4M3")}, bytes(8)), "CNN453"),
    "dtype of NumPy's spelling": (file_of({"a": entry(dtype="<f4")}, bytes(8)), "CNN453"),
    "an object dtype": (file_of({"a": entry(dtype="O")}, bytes(8)), "CNN453"),
    "dtype null": (file_of({"a": entry(dtype=None)}, bytes(8)), "CNN453"),
    "dtype a list": (file_of({"a": entry(dtype=["F32"])}, bytes(8)), "CNN453"),
    "a dtype wider than its piece": (file_of({"a": entry(dtype="F64")}, bytes(8)), "CNN454"),
    "a dtype narrower than its piece": (file_of({"a": entry(dtype="F16")}, bytes(8)), "CNN454"),
    "a negative size": (file_of({"a": entry((-2,))}, bytes(8)), "CNN454"),
    "a fractional size": (file_of({"a": entry((2.0,))}, bytes(8)), "CNN454"),
    "a true size": (file_of({"a": entry((True, 2))}, bytes(8)), "CNN454"),
    "a huge size": (file_of({"a": entry((HUGE,), 0, 4 * HUGE)}, bytes(8)), "CNN454"),
    "huge sizes whose product wraps": (file_of({"a": entry((1 << 32, 1 << 32), 0, 0)}), "CNN454"),
    "nothing of a huge size": (file_of({"a": entry((0, HUGE), 0, 0)}), "CNN454"),
    "too many axes": (file_of({"a": entry((1,) * 70, 0, 4)}, bytes(4)), "CNN454"),
    "a shape that is a number": (file_of({"a": {**entry(), "shape": 2}}, bytes(8)), "CNN454"),
    "one offset": (file_of({"a": {**entry(), "data_offsets": [8]}}, bytes(8)), "CNN454"),
    "offsets that run backwards": (file_of({"a": entry((2,), 8, 0)}, bytes(8)), "CNN454"),
    "offsets below zero": (file_of({"a": entry((2,), -8, 0)}, bytes(8)), "CNN454"),
    "offsets that are texts": (file_of({"a": entry((2,), "0", "8")}, bytes(8)), "CNN454"),
    "a piece beyond the file": (file_of({"a": entry((200,), 0, 800)}, bytes(8)), "CNN452"),
    "data cut off by a byte": (file_of(GOOD, DATA[:-1]), "CNN452"),
    "no data at all": (file_of(GOOD), "CNN452"),
    "a byte too many": (file_of(GOOD, DATA + b"\0"), "CNN454"),
    "data that nobody claims": (file_of({}, DATA), "CNN454"),
    "two arrays in one piece": (file_of({"a": entry(), "b": entry()}, bytes(8)), "CNN454"),
    "arrays that overlap": (file_of({"a": entry(), "b": entry((2,), 4, 12)}, bytes(12)), "CNN454"),
    "a gap": (file_of({"a": entry(), "b": entry((2,), 12, 20)}, bytes(20)), "CNN454"),
    "a gap at the start": (file_of({"a": entry((2,), 4, 12)}, bytes(12)), "CNN454"),
}


def test_there_are_sixty_of_them():
    assert len(MALFORMED) >= 60


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name, tmp_path):
    content, code = MALFORMED[name]
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    assert refused(path).code == code


def test_the_package_refuses_them_too_but_for_a_few(tmp_path):
    """An independent reader agrees on all but what it knows and we do not want, or does not mind."""
    ours_alone = {
        "an inflated header", "a name twice", "a key twice within", "an unknown dtype", "too many axes",
        "an entry with more", "nothing of a huge size", "an entry that is a list",
    }  # fmt: skip
    accepted = set()
    for name, (content, _) in MALFORMED.items():
        try:
            safetensors.deserialize(content)
            accepted.add(name)
        except safetensors.SafetensorError:
            pass
    assert accepted <= ours_alone


def test_messages_of_a_few(tmp_path):
    path = tmp_path / "bad.safetensors"

    def message(name):
        path.write_bytes(MALFORMED[name][0])
        return refused(path).message.removeprefix(f"{path} ")

    assert message("data cut off by a byte") == "holds 15 of 16 bytes of data"
    assert message("a zip, as of torch.save") == "is a zip, as torch.save and numpy.savez write, not safetensors"
    assert message("an unknown dtype") == "tells of a with dtype F8_E4M3"
    assert message("a dtype wider than its piece") == "tells of a as 2 F64, 16 bytes, and gives it 8"
    assert message("arrays that overlap") == "tells of b where it overlaps the array before it"
    assert message("a byte too many") == "has 1 bytes at its end that no array accounts for"


def test_names_that_would_talk_to_the_terminal_are_shown_as_text(tmp_path):
    path = tmp_path / "bad.safetensors"
    path.write_bytes(file_of({"\x1b[2J\x07": entry(dtype="Q")}, bytes(8)))
    assert "\\x1b[2J" in refused(path).message


def test_what_is_no_file_is_a_diagnostic(tmp_path):
    assert refused(tmp_path / "absent.safetensors").code == "CNN450"
    assert refused(tmp_path).code == "CNN450"
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert refused(pipe).code == "CNN450"  # and does not wait for a writer
    if os.geteuid():
        closed = tmp_path / "closed"
        closed.touch(0)
        assert refused(closed).code == "CNN450"


# ---- mutations ----------------------------------------------------------------------------------------


def mutated(generator, raw, length):
    """A file with some of its header, or its length, changed."""
    raw = bytearray(raw)
    for _ in range(generator.integers(1, 6)):
        kind, at = generator.integers(0, 6), int(generator.integers(0, length + 8))
        if kind == 0:
            raw[at] = generator.integers(0, 256)
        elif kind == 1:
            raw[at] = generator.choice(list(b'0123456789-[]{},:"FIU.eE'))
        elif kind == 2:
            del raw[at : at + int(generator.integers(1, 9))]
        elif kind == 3:
            raw[at:at] = bytes(generator.choice(list(b"0987654321[]{},"), int(generator.integers(1, 30))).tolist())
        elif kind == 4:
            raw[generator.integers(0, 8)] = generator.integers(0, 256)
        else:
            end = int(generator.integers(at, length + 8))
            raw[at:at] = raw[at : min(end, at + 60)]
    return bytes(raw)


def hold(tmp_path, cases, seed):
    """Read mutations: arrays or a diagnostic, and never much more memory than the file has."""
    whole = tmp_path / "whole.safetensors"
    tensors.write(whole, ARRAYS, {"spec": "conv 8x3x3"})
    raw = whole.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    generator, path, read = np.random.default_rng(seed), tmp_path / "mutated.safetensors", 0
    tracemalloc.start()
    try:
        for _ in range(cases):
            content = mutated(generator, raw, length)
            path.write_bytes(content)
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            try:
                found = tensors.read(path)
                assert sum(values.nbytes for values in found.arrays.values()) <= 2 * len(content)
                read += 1
            except SpecError as error:
                assert error.diagnostics[0].code in ("CNN451", "CNN452", "CNN453", "CNN454")
            assert tracemalloc.get_traced_memory()[1] - before < len(content) + (64 << 20)
    finally:
        tracemalloc.stop()
    assert read < cases / 2


def test_mutations_of_a_header(tmp_path):
    hold(tmp_path, 1500, seed=1)


@pytest.mark.slow
def test_two_hundred_thousand_mutations_of_a_header(tmp_path):
    hold(tmp_path, 200_000, seed=2)


@pytest.mark.parametrize("piece", [b"[],", b'{"":0},', b"0.1,", b'"a",'])
def test_the_costliest_headers_stay_within_bounds(piece, tmp_path):
    """JSON is larger in memory than as text; the largest header that is read must not matter."""
    count = tensors.MAX_HEADER // len(piece) - 4
    path = tmp_path / "dense.safetensors"
    path.write_bytes(file_of(b'{"a":[' + (piece * count)[:-1] + b"]}"))
    tracemalloc.start()
    try:
        assert refused(path).code == "CNN451"
        assert tracemalloc.get_traced_memory()[1] < path.stat().st_size + (64 << 20)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("at", [-1, -9, -24])
def test_a_bit_that_turned_is_noticed(tmp_path, at):
    tensors.write(tmp_path / "w", {"a": np.arange(6, dtype="f4"), "b": np.zeros((0, 3))}, {"step": "3"})
    assert tensors.read(tmp_path / "w").metadata == tensors.read_metadata(tmp_path / "w") == {"step": "3"}
    raw = bytearray((tmp_path / "w").read_bytes())
    raw[at] ^= 1
    (tmp_path / "w").write_bytes(raw)
    with pytest.raises(SpecError) as error:
        tensors.read(tmp_path / "w")
    (finding,) = error.value.diagnostics
    assert finding.code == "CNN454" and "holds other numbers than were written" in finding.message


def test_files_of_others_have_no_checksum(tmp_path):
    tensors.write(tmp_path / "w", {"a": np.arange(6, dtype="f4")}, {"step": "3"})
    with safetensors.safe_open(tmp_path / "w", "np") as found:
        told = found.metadata()
    assert set(told) == {"step", "crc32"}
    safetensors.numpy.save_file({"a": np.ones(3, "f4")}, tmp_path / "other", {"step": "3"})
    assert tensors.read(tmp_path / "other").arrays["a"].tolist() == [1, 1, 1]

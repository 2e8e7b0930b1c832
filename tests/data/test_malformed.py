"""Files that are not what they should be: each a diagnostic of its own code, never a traceback."""

from __future__ import annotations

import gzip
import io
import re
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from cnnspec.data import files
from cnnspec.data.formats.idx import write_idx
from cnnspec.data.known import describe
from cnnspec.data.load import load
from cnnspec.data.sources import cifar
from cnnspec.diagnostics import Fault, SpecError
from cnnspec.settings.data import Cifar10, Csv, Data, Idx, Images, Mnist, Npz

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.integers(0, 256, (12, 5, 4), dtype=np.uint8), (np.arange(12) % 3).astype(np.uint8)
CASES = {}


def case(title, code, source, told=""):
    """A function that makes the file in a folder; its source, read there, must raise the code and say `told`."""

    def register(make):
        assert title not in CASES
        CASES[title] = make, code, source, told
        return make

    return register


# ---- idx ----------------------------------------------------------------------------------------------


def idx(folder: Path, images=None, labels=None):
    """A good set, with other bytes in place of the images or labels where given."""
    write_idx(folder / "train-images-idx3-ubyte", X)
    write_idx(folder / "train-labels-idx1-ubyte", Y)
    if images is not None:
        (folder / "train-images-idx3-ubyte").write_bytes(images)
    if labels is not None:
        (folder / "train-labels-idx1-ubyte").write_bytes(labels)


def packed_idx(array=X):
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes((0, 0, 8, array.ndim)) + sizes + array.tobytes()


GOOD, LABELS = packed_idx(), packed_idx(Y)
ZIPPED = gzip.compress(GOOD, mtime=0)

for title, code, images, told in (
    ("an empty file", "CNN404", b"", "has 0 of the 4 bytes"),
    ("a file of three bytes", "CNN404", GOOD[:3], "has 3 of the 4 bytes"),
    ("a header cut short", "CNN404", GOOD[:9], "has 5 of the 12 bytes"),
    ("a header alone", "CNN404", GOOD[:16], "240 bytes, and 0 follow"),
    ("one byte too few", "CNN404", GOOD[:-1], "240 bytes, and 239 follow"),
    ("one byte too many", "CNN404", GOOD + b"\0", "goes on after"),
    ("first byte not zero", "CNN405", b"\1" + GOOD[1:], "begins with 01 00 08 03"),
    ("sizes with the lowest byte first", "CNN405", b"\3\x08\0\0" + GOOD[4:], "begins with 03 08 00 00"),
    ("an unknown type", "CNN405", b"\0\0\x0a\3" + GOOD[4:], "begins with 00 00 0a 03"),
    ("a photo", "CNN405", b"\x89PNG\r\n\x1a\n" + bytes(50), "begins with 89 50 4e 47"),
    ("a page of HTML", "CNN405", b"<!DOCTYPE html><html>log in first</html>", "not an IDX file"),
    ("no axes", "CNN408", b"\0\0\x08\0" + b"7", "has 0 axes where 2 or 3 or 4"),
    ("labels in place of images", "CNN408", LABELS, "has 1 axes where 2 or 3 or 4"),
    ("255 axes", "CNN408", b"\0\0\x08\xff" + bytes(4 * 255), "has 255 axes"),
    ("no images", "CNN414", b"\0\0\x08\3" + bytes(12), "is empty: 0x0x0"),
    ("no images of a vast size", "CNN414", b"\0\0\x08\3" + bytes(4) + b"\xff" * 8, "is empty"),
    ("four thousand million images", "CNN404", b"\0\0\x08\3" + b"\xff" * 4 + GOOD[8:], "and 240 follow"),
    ("more numbers than there are atoms", "CNN404", b"\0\0\x0e\3" + b"\xff" * 12 + bytes(99), "and 99 follow"),
    ("a gzip file cut short", "CNN404", ZIPPED[:-12], "cut short|damaged"),
    ("a gzip file without its sum", "CNN404", ZIPPED[:-8], "gzip stream has no end"),
    ("a gzip file with a wrong sum", "CNN404", ZIPPED[:-8] + bytes(4) + ZIPPED[-4:], "CRC check failed"),
    ("a gzip file with broken content", "CNN404", ZIPPED[:20] + b"\xff" * 30 + ZIPPED[50:], "damaged|at most"),
    ("a gzip file of a header alone", "CNN404", ZIPPED[:10], "gzip stream has no end"),
    ("a gzip file in an unknown method", "CNN404", b"\x1f\x8b\x07" + ZIPPED[3:], "Unknown compression method"),
    ("a gzip bomb behind a small header", "CNN404", gzip.compress(GOOD + bytes(10_000_000)), "goes on after"),
    ("a bomb's header in gzip", "CNN404", gzip.compress(b"\0\0\x08\3" + b"\0\xff\xff\xff" * 3), "at most"),
    ("one image too few", "CNN409", packed_idx(X[:-1]), "has 11 images and 12 labels"),
):  # fmt: skip
    case(f"idx: {title}", code, Idx("."), told)(lambda folder, images=images: idx(folder, images))

for title, code, labels, told in (
    ("labels with two columns", "CNN408", packed_idx(np.stack([Y, Y], 1)), "have 2 axes where 1 is wanted"),
    ("labels of images", "CNN408", GOOD, "has 3 axes where 1 or 2"),
    ("labels one too few", "CNN409", packed_idx(Y[:-1]), "has 12 images and 11 labels"),
    ("labels cut short", "CNN404", LABELS[:-2], "12 bytes, and 10 follow"),
):
    case(f"idx: {title}", code, Idx("."), told)(lambda folder, labels=labels: idx(folder, labels=labels))

case(
    "idx: a label above the classes", "CNN410", Idx(".", classes=2), "image 2 of .* has label 2, .* the 2 classes"
)(idx)


@case("idx: a label below zero", "CNN410", Idx("."), "image 5 of .* has label -1")
def _(folder):
    idx(folder)
    write_idx(folder / "train-labels-idx1-ubyte", np.where(np.arange(12) == 5, -1, 0).astype(np.int16))


@case("idx: nothing in the folder", "CNN401", Idx("."), "has no train-images")
def _(folder):
    pass


@case("idx: no folder", "CNN401", Idx("nowhere"), "there is no .*nowhere")
def _(folder):
    pass


@case("idx: images without labels", "CNN401", Idx("."), "has no train-labels")
def _(folder):
    idx(folder)
    (folder / "train-labels-idx1-ubyte").unlink()


@case("idx: test labels without images", "CNN401", Idx("."), "has no t10k-images")
def _(folder):
    idx(folder)
    write_idx(folder / "t10k-labels-idx1-ubyte", Y)


@case("idx: test images of another size", "CNN408", Idx("."), "has 1x5x4 to learn from and 1x5x3 to be tested on")
def _(folder):
    idx(folder)
    write_idx(folder / "t10k-images-idx3-ubyte", X[:, :, 1:].copy())
    write_idx(folder / "t10k-labels-idx1-ubyte", Y)


@case("idx: test images of another type", "CNN412", Idx("."), "other types in training and test")
def _(folder):
    idx(folder)
    write_idx(folder / "t10k-images-idx3-ubyte", X.astype(np.float32))
    write_idx(folder / "t10k-labels-idx1-ubyte", Y)


@case("idx: NaN among floats", "CNN411", Idx("."), r"image 7 of .* has nan at \[7, 0, 1, 2\]")
def _(folder):
    idx(folder)
    x = X.astype(np.float64)
    x[7, 1, 2] = np.nan
    write_idx(folder / "train-images-idx3-ubyte", x)


@case("mnist: vectors in place of images", "CNN408", Mnist(), "has 2 axes where 3 are wanted")
def _(folder):
    for part in ("train", "t10k"):
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", X.reshape(12, -1))
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", Y)


@case("mnist: a label ten", "CNN410", Mnist(), r"image 0 of mnist \(test\) has label 10, .* the 10 classes")
def _(folder):
    for part in ("train", "t10k"):
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", X)
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", Y if part == "train" else Y + 10)


# ---- npz ----------------------------------------------------------------------------------------------


def npy(array, header=None, version=b"\1\0"):
    """The bytes of an npy file, with another header where given."""
    if header is None:
        header = f"{{'descr': '{array.dtype.str}', 'fortran_order': False, 'shape': {array.shape}, }}"
    text = header.encode("latin1") + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text + array.tobytes()


def archive(folder, method=zipfile.ZIP_STORED, **members):
    with zipfile.ZipFile(folder / "a.npz", "w", method) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)


def header(descr, *shape):
    return f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"


def told_shape(text, descr="|u1", extra=""):
    return npy(X, f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {text}, {extra}}}")


TEXTS = np.array(["cat", "dog", "cow", "nan"] * 3)
GOOD_X, GOOD_Y = npy(X[:, None]), npy(Y)

for title, code, members, told in (
    ("no arrays", "CNN413", {}, "has no array at all"),
    ("other names", "CNN413", {"images": GOOD_X, "labels": GOOD_Y}, "has images, labels, and neither x and y"),
    ("no labels", "CNN413", {"x": GOOD_X}, "has x: x without y"),
    ("a test without labels", "CNN413", {"x": GOOD_X, "y": GOOD_Y, "x_test": GOOD_X}, "x_test without y_test"),
    ("labels without images", "CNN413", {"x": GOOD_X, "y": GOOD_Y, "y_val": GOOD_Y}, "y_val without x_val"),
    ("many other names", "CNN413", {f"a{i}": GOOD_Y for i in range(9)}, "has a0, a1, .*, a7, ..., and neither"),
    ("an empty member", "CNN405", {"x": b"", "y": GOOD_Y}, "does not begin as an npy file"),
    ("a member that is no npy", "CNN405", {"x": b"hello, world", "y": GOOD_Y}, "does not begin as an npy file"),
    ("an npy of version 9", "CNN405", {"x": npy(X, version=b"\x09\0"), "y": GOOD_Y}, "does not begin"),
    ("a header cut short", "CNN405", {"x": GOOD_X[:40], "y": GOOD_Y}, "the header of an array is"),
    ("a header that is no dict", "CNN405", {"x": npy(X, "import os"), "y": GOOD_Y}, "is 'import os'"),
    ("a header that calls a function", "CNN405",
        {"x": npy(X, "{'descr': '|u1', 'fortran_order': False, 'shape': exit(1)}"), "y": GOOD_Y}, "the header"),
    ("a header without a shape", "CNN405", {"x": npy(X, "{'descr': '|u1'}"), "y": GOOD_Y}, "the header of"),
    ("a header too long", "CNN405", {"x": npy(X, "{" + " " * 20_000), "y": GOOD_Y}, "too long"),
    ("a size below zero", "CNN405", {"x": told_shape("(-12, 1, 5, 4)"), "y": GOOD_Y}, "the header of"),
    ("a size of five thousand digits", "CNN405", {"x": told_shape("(" + "9" * 5000 + ",)"), "y": GOOD_Y}, ""),
    ("a hundred axes", "CNN405", {"x": told_shape("(" + "2, " * 100 + ")"), "y": GOOD_Y}, "tells of 100 axes"),
    ("a hundred axes of one", "CNN405",
        {"x": told_shape("(240, " + "1, " * 100 + ")"), "y": GOOD_Y}, "tells of 101 axes"),
    ("numbers cut short", "CNN404", {"x": GOOD_X[:-1], "y": GOOD_Y}, "240 bytes; 239 follow"),
    ("numbers beyond their shape", "CNN404", {"x": GOOD_X + b"\0", "y": GOOD_Y}, "240 bytes; 241 follow"),
    ("an exabyte told of", "CNN404", {"x": told_shape("(1000000000, 1000000000)"), "y": GOOD_Y}, "240 follow"),
    ("no images", "CNN414", {"x": npy(X[:0, None]), "y": npy(Y[:0])}, "is empty: 0x1x5x4"),
    ("no images of a vast size", "CNN414",
        {"x": npy(X[:0], "{'descr': '|u1', 'fortran_order': False, 'shape': (0, " + "9" * 30 + ")}"), "y": GOOD_Y},
        "is empty"),
    ("objects", "CNN412", {"x": told_shape("(30,)", "|O"), "y": GOOD_Y}, "x of a.npz is of type .O, not"),
    ("texts as images", "CNN412", {"x": npy(X.astype(str)), "y": GOOD_Y}, "x of a.npz is of type <U"),
    ("objects as labels", "CNN412", {"x": GOOD_X, "y": told_shape("(30,)", "|O")}, "y of a.npz is of type .O, not"),
    ("a label that is missing", "CNN417", {"x": GOOD_X, "y": npy(TEXTS)}, "label 3 of a.npz .training. is `nan`"),
    ("a label in Latin-1", "CNN412", {"x": GOOD_X, "y": npy(np.array([b"caf\xe9"] * 12))}, "not a text in UTF-8"),
    ("a label that is no character", "CNN405",
        {"x": GOOD_X, "y": npy(np.full(12, 2**31, np.uint32), header("<U1", 12))}, "not an npz archive that can"),
    ("a label of half a character", "CNN420", {"x": GOOD_X, "y": npy(np.array(["\ud800"] * 12))}, "is not Unicode"),
    ("a label of a page", "CNN420", {"x": GOOD_X, "y": npy(np.array(["a" * 300] * 12))}, "has 300 characters"),
    ("texts as a table", "CNN408", {"x": GOOD_X, "y": npy(Y.astype(str).reshape(6, 2))}, "have 2 axes where 1"),
    ("texts to learn from, numbers to be tested on", "CNN412",
        {"x": GOOD_X, "y": npy(Y.astype(str)), "x_test": GOOD_X, "y_test": GOOD_Y},
        r"labels of a.npz .test. are numbers"),
    ("another size for validation", "CNN408",
        {"x": GOOD_X, "y": GOOD_Y, "x_val": npy(X[:, None, 1:]), "y_val": GOOD_Y}, "1x4x4 for validation"),
    ("channels last", "CNN408", {"x": npy(np.zeros((12, 8, 9, 3), "u1")), "y": GOOD_Y}, "12x8x9x3, .* last"),
    ("no axis of channels", "CNN408", {"x": npy(np.zeros((12, 8, 8), "u1")), "y": GOOD_Y}, "12x8x8, .* no axis"),
    ("complex numbers", "CNN412", {"x": npy(X[:, None].astype(complex)), "y": GOOD_Y}, "type <c16"),
    ("dates", "CNN412", {"x": told_shape("(30,)", "<M8[ns]"), "y": GOOD_Y}, "type <M8"),
    ("a type with fields", "CNN412",
        {"x": npy(X, "{'descr': [('a', '|u1')], 'fortran_order': False, 'shape': (240,)}"), "y": GOOD_Y}, "fields"),
    ("a type out of a tale", "CNN412", {"x": told_shape("(12, 20)", "|u7"), "y": GOOD_Y}, "type .u7"),
    ("one axis", "CNN408", {"x": npy(X.reshape(-1)), "y": GOOD_Y}, "x of a.npz has 1 axes where 2 to 4"),
    ("five axes", "CNN408", {"x": npy(X[:, None, None]), "y": GOOD_Y}, "has 5 axes where 2 to 4"),
    ("one number", "CNN408", {"x": npy(X[0, 0, 0]), "y": GOOD_Y}, "has 0 axes"),
    ("one label for all", "CNN408", {"x": GOOD_X, "y": npy(Y[0])}, "the labels of a have 0 axes"),
    ("labels as a table", "CNN408", {"x": GOOD_X, "y": npy(np.eye(3, dtype=np.uint8)[Y] + 1)}, "have 2 axes where"),
    ("several labels each", "CNN408", {"x": GOOD_X, "y": npy(np.ones((12, 3), "u1"))}, "have 2 axes where 1"),
    ("one-hot with a row of none", "CNN408",
        {"x": GOOD_X, "y": npy(np.eye(3, dtype=np.uint8)[Y] * (Y < 2)[:, None])}, "have 2 axes where 1"),
    ("targets of five axes", "CNN408", {"x": GOOD_X, "y": npy(np.zeros((12, 1, 2, 3, 4)))}, "have 5 axes"),
    ("masks of another size", "CNN408", {"x": GOOD_X, "y": npy(X[:, 1:])}, "have 3 axes where 1 is wanted"),
    ("one label too many", "CNN409", {"x": GOOD_X, "y": npy(np.append(Y, Y[:1]))}, "12 images and 13 labels"),
    ("labels of another size", "CNN409", {"x": npy(X[:1, None]), "y": npy(Y[:2])}, "has 1 image and 2 labels"),
    ("a label below zero", "CNN410", {"x": GOOD_X, "y": npy(Y.astype(np.int8) - 1)}, "image 0 of a has label -1"),
    ("a label of a million", "CNN410", {"x": GOOD_X, "y": npy(Y.astype(int) * 500_000)}, "has label 500000"),
    ("a label beyond all integers", "CNN410", {"x": GOOD_X, "y": npy(Y.astype(np.uint64) - 1)}, "not a class"),
    ("a NaN", "CNN411", {"x": npy(np.where(X[3, 2, 1] == X, np.nan, X)[:, None]), "y": GOOD_Y}, "has nan at"),
    ("infinity", "CNN411", {"x": npy(np.full((12, 2), np.inf)), "y": GOOD_Y}, r"image 0 of a has inf at \[0, 0\]"),
    ("too large for float32", "CNN411", {"x": npy(np.full((12, 2), 1e39)), "y": GOOD_Y}, "has 1e.39 at"),
    ("a target that is NaN", "CNN411", {"x": GOOD_X, "y": npy(np.full(12, np.nan))}, r"target 0 of a has nan"),
):  # fmt: skip
    case(f"npz: {title}", code, Npz("a.npz"), told)(lambda folder, members=members: archive(folder, **members))

case("npz: a label above the classes", "CNN410", Npz("a.npz", classes=2), "among the 2 classes")(
    lambda folder: archive(folder, x=GOOD_X, y=GOOD_Y)
)
case("npz: more classes than its labels name", "CNN410", Npz("a.npz", classes=5), "name 3 classes, and")(
    lambda folder: archive(folder, x=GOOD_X, y=npy(Y.astype(str)))
)
case("npz: axes that it has not", "CNN408", Npz("a.npz", axes="nhw"), r"has 4 axes where 3 \(`axes nhw`\)")(
    lambda folder: archive(folder, x=GOOD_X, y=GOOD_Y)
)
case("npz: packed by bzip2", "CNN405", Npz("a.npz"), "packed in a way that NumPy never uses")(
    lambda folder: archive(folder, zipfile.ZIP_BZIP2, x=GOOD_X, y=GOOD_Y)
)


def spoilt(folder, change):
    archive(folder, zipfile.ZIP_DEFLATED, x=GOOD_X, y=GOOD_Y)
    content = bytearray((folder / "a.npz").read_bytes())
    (folder / "a.npz").write_bytes(change(content))


def _encrypted(content):
    at = content.index(b"PK\1\2")  # the entry in the directory, and the member itself
    content[at + 8] |= 1
    content[6] |= 1
    return content


def _bomb(content):
    at = content.index(b"PK\1\2")
    content[at + 24 : at + 28] = struct.pack("<I", 3_000_000_000)
    return content


for title, code, change, told in (
    ("an empty file", "CNN405", lambda content: b"", "not a zip file"),
    ("a text", "CNN405", lambda content: b"hello", "not a zip file"),
    ("cut in half", "CNN405", lambda content: content[: len(content) // 2], "not a zip file"),
    ("an npy alone", "CNN405", lambda content: GOOD_X, "not a zip file"),
    ("encrypted", "CNN405", _encrypted, "encrypted"),
    ("three gigabytes told of", "CNN407", _bomb, "claims to unpack to more than it can hold"),
):
    case(f"npz: {title}", code, Npz("a.npz"), told)(lambda folder, change=change: spoilt(folder, change))

case("npz: no file", "CNN401", Npz("a.npz"), "there is no .*a.npz")(lambda folder: None)
case("npz: a folder", "CNN401", Npz("a.npz"), "cannot be read")(lambda folder: (folder / "a.npz").mkdir())


@case("npz: a number flipped in the packed content", "CNN405", Npz("a.npz"), "Bad CRC-32")
def _(folder):
    archive(folder, x=GOOD_X, y=GOOD_Y)
    content = bytearray((folder / "a.npz").read_bytes())
    content[content.index(X.tobytes())] ^= 1
    (folder / "a.npz").write_bytes(content)


# ---- csv ----------------------------------------------------------------------------------------------

for title, code, text, told in (
    ("an empty file", "CNN414", b"", "is empty"),
    ("blank lines", "CNN414", b"\n\n\r\n", "is empty"),
    ("a header alone", "CNN414", b"a,b,kind\n", "is empty: 0x2"),
    ("one column", "CNN418", b"kind\nx\n", "has one column"),
    ("another separator", "CNN418", b"a;b;kind\n1;2;x\n", "has one column"),
    ("a row too short", "CNN417", b"a,b,kind\n1,2,x\n1,x\n", "line 3 of a.csv has 2 columns, and the first has 3"),
    ("a row too long", "CNN417", b"a,b,kind\n1,2,3,x\n", "line 2 of a.csv has 4 columns"),
    ("a word for a number", "CNN417", b"a,b,kind\n1,two,x\n1,2,x\n", "line 2, column 2 of a.csv: `two` is not"),
    ("an empty cell", "CNN417", b"a,b,kind\n1,2,x\n\n1,,x\n", "line 4, column 2 of a.csv: the cell is empty"),
    ("an empty label", "CNN417", b"a,b,kind\n1,2,\n", "line 2, column 3 of a.csv: the label is empty"),
    ("a quote left open", "CNN417", b'a,b,kind\n1,2,"x\n', "line 2 of a.csv cannot be read"),
    ("a quote in the middle", "CNN417", b'a,b,kind\n1,"2"3,x\n', "cannot be read"),
    ("a cell of a megabyte", "CNN417", b"a,b,kind\n1," + b"2" * 1_000_000 + b",x\n", "field larger than"),
    ("a word that a row gives for missing", "CNN417", b"a,b,kind\n1,2,x\n1,NA,x\n", "line 3, .*`NA` is not a"),
    ("a comma for the point", "CNN417", b'a,b,kind\n1,"2,5",x\n', "`2,5` is not a number"),
    ("digits parted by lines", "CNN417", b"a,b,kind\n1,2_000,x\n", "`2_000` is not a number"),
    ("digits of another script", "CNN417", "a,b,kind\n1,\u0661,x\n".encode(), "is not a number"),

    ("nan among labels that are numbers", "CNN417", b"a,y\n1,0\n2,1\n3,nan\n", "line 4, column 2 of a.csv"),
    ("numbers above, and a label that never returns", "CNN418", b"5.1,?,1.4,a\n4.9,3.0,1.4,b\n",
        "first row of a.csv may be one of names or one of data"),
    ("a text above numbers, and one that returns", "CNN418", b"5.l,2,a\n4.9,3.0,a\n", "first row of a.csv may be"),
    ("columns that are counted, or are numbers", "CNN418", b"0,1,2,3\n4,5,6,7\n", "counts the columns"),
    ("texts without an end", "CNN431", b"a,b,kind\n" + b"".join(b"%dth,1,x\n" % i for i in range(300)),
        "column a of a.csv has more than 256 different texts"),
    ("a category that is missing", "CNN417", b"a,b,kind\nred,2,x\n,1,y\n", "line 3, column 1 .* the cell is empty"),
    ("row numbers of pandas", "CNN418", b",a,kind\n0,1.5,x\n1,2.5,y\n", "column 1 of a.csv has no name"),
    ("a row without an end", "CNN417", b"a,b,kind\n" + b'"1\n",' * 4_000_000, "a row has more than 16,000,000"),
    ("a line without an end", "CNN417", b"a,b,kind\n" + b"1," * 9_000_000, "a row has more than 16,000,000"),
    ("UTF-16", "CNN405", "a,b,kind\n1,2,x\n".encode("utf-16"), "it looks like UTF-16"),
    ("Latin-1", "CNN405", "a,b,kind\n1,2,caf\xe9\n".encode("latin-1"), "UTF-8: line 2 has the byte 0xe9"),
    ("a book of Excel", "CNN405", b"PK\3\4" + bytes(60), "as Excel's xlsx is"),
    ("more classes than anybody has", "CNN410", b"a,kind\n" + b"".join(b"1,c%d\n" % i for i in range(100_001)),
        "has more than 100,000 classes"),
    ("nan", "CNN411", b"a,b,kind\n1,nan,x\n", "line 2, column 2 of a.csv: nan is not a finite number"),
    ("infinity", "CNN411", b"a,b,kind\n-inf,1,x\n", "column 1 of a.csv: -inf is not"),
    ("too large for float32", "CNN411", b"a,b,kind\n1,1e39,x\n", "1e39 is not"),
    ("not a text", "CNN405", b"a,b,kind\n\xff\xfe\x00,2,x\n", "is not a text in UTF-8"),
    ("an archive", "CNN405", ZIPPED, "is not a text in UTF-8"),
):  # fmt: skip
    case(f"csv: {title}", code, Csv("a.csv"), told)(lambda folder, text=text: (folder / "a.csv").write_bytes(text))


def table(folder):
    (folder / "a.csv").write_text("a,b,kind\n1,2,x\n3,4,y\n")


case("csv: no such column", "CNN418", Csv("a.csv", "colour"), "has no column colour")(table)
case("csv: a column beyond the last", "CNN418", Csv("a.csv", 4), "has no column 4")(table)
case("csv: a name without header", "CNN418", Csv("a.csv", "kind", header=False), "has no column kind")(table)
for label in ("nan", "NaN", "NAN", " nan ", "NA", "N/A", "n/a", "null", "NULL", "None", "?", "<NA>", '""', "  "):
    case(f"csv: the label {label}", "CNN417", Csv("a.csv"), "line 3, column 3 of a.csv: .*(missing|empty)")(
        lambda folder, label=label: (folder / "a.csv").write_text(f"a,b,kind\n1,2,x\n3,4,{label}\n")
    )
for setting, told in (
    ("columns", "colour"),
    ("drop", "a, 4"),
    ("drop", "2-9"),
    ("categories", "b, , a"),
    ("columns", ""),
):
    case(f"csv: {setting} {told}", "CNN418", Csv("a.csv", **{setting: told}), "no column")(table)
case("csv: the label among the columns", "CNN418", Csv("a.csv", columns="a, kind"), "column kind .* is the label")(
    table
)
case("csv: nothing left", "CNN418", Csv("a.csv", drop="1-2"), "no column is left")(table)
case(
    "csv: a column without a number", "CNN433", Csv("a.csv", missing="mean"), "number in column b, so there is no"
)(lambda folder: (folder / "a.csv").write_text("a,b,kind\n1,,x\n3,?,y\n"))
case("csv: every row is left out", "CNN414", Csv("a.csv", missing="drop"), "is empty")(
    lambda folder: (folder / "a.csv").write_text("a,b,kind\n1,,x\n3,4,\n")
)
case("csv: pandas' row numbers and counted columns", "CNN418", Csv("a.csv"), "column 1 of a.csv has no name")(
    lambda folder: (folder / "a.csv").write_text(",0,1,2,kind\n0,4,5,0,b\n1,7,8,0,a\n")
)
case(
    "csv: a header that is told to be none",
    "CNN418",
    Csv("a.csv", header=False),
    "the first row of a.csv has no number",
)(table)
case("csv: no header, and the label first", "CNN418", Csv("a.csv", 1), "one of names or one of data")(
    lambda folder: (folder / "a.csv").write_text("a,1,2\nb,3,4\n")
)
case(
    "csv: a name that two columns have", "CNN418", Csv("a.csv", "a"), "columns 1 and 2 of a.csv are both called a"
)(lambda folder: (folder / "a.csv").write_text("a,a,kind\n1,2,x\n3,4,y\n"))
case("csv: words to meet", "CNN417", Csv("a.csv", target="numbers"), "`x` is not a number")(table)
case("csv: no file", "CNN401", Csv("b.csv"), "there is no .*b.csv")(table)

# ---- images -------------------------------------------------------------------------------------------


def png(width=4, height=5, depth=8, kind=2, rows=None):
    """A PNG by hand, so that its header may lie."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    rows = bytes((1 + 3 * 4) * 5) if rows is None else rows
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def folders(folder, content, name="b.png"):
    for inside in ("cat", "dog"):
        (folder / inside).mkdir()
        (folder / inside / "a.png").write_bytes(png())
    (folder / "dog" / name).write_bytes(content)


for title, code, content, told in (
    ("an empty file", "CNN415", b"", "is not an image that can be read"),
    ("a text", "CNN415", b"hello", "is not an image that can be read"),
    ("a PNG cut short", "CNN415", png()[:-30], "cannot be read|not an image"),
    ("a PNG of a header alone", "CNN415", png()[:33], "cannot be read|not an image"),
    ("a PNG whose content is broken", "CNN415", png(rows=b"\1"), "cannot be read"),
    ("a PNG of 10,000 megapixels", "CNN415", png(100_000, 100_000), "far too many pixels"),
    ("a PNG of 80 megapixels", "CNN415", png(10_000, 8_000), "has 10000x8000 pixels; 64,000,000 are the most"),
    ("a PNG of no pixels", "CNN415", png(0, 5), "cannot be read|not an image"),

    ("another size", "CNN416", png(4, 4, rows=bytes(13 * 4)), "is 4x4, and .* is 5x4"),
    ("a GIF cut short", "CNN415", b"GIF89a" + bytes(40), "cannot be read|not an image"),
    ("a font", "CNN415", b"OTTO" + bytes(40), "is not an image that can be read"),
    ("a script of PostScript", "CNN415", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 5\n", "is not an image"),
):  # fmt: skip
    case(f"images: {title}", code, Images("."), told)(lambda folder, content=content: folders(folder, content))

case("images: nothing", "CNN414", Images("."), "has no folder of a class")(lambda folder: None)
case("images: no folder", "CNN401", Images("nowhere"), "there is no .*nowhere")(lambda folder: None)
case("images: empty folders", "CNN414", Images("."), "has no image in it")(lambda folder: (folder / "cat").mkdir())


@case("images: an image beside the folders", "CNN410", Images("."), "the file lost.png in .* is in none of the")
def _(folder):
    folders(folder, png())
    (folder / "lost.png").write_bytes(png())


@case("images: a class in test alone", "CNN410", Images("."), "the folder cow in .* is not one of the classes")
def _(folder):
    for part, inside in (("train", "cat"), ("train", "dog"), ("test", "cow")):
        (folder / part / inside).mkdir(parents=True)
        (folder / part / inside / "a.png").write_bytes(png())


@case("images: a folder in a class", "CNN415", Images("."), "cat/more is a folder within a class")
def _(folder):
    folders(folder, png())
    (folder / "cat" / "more").mkdir()


# ---- cifar10 ------------------------------------------------------------------------------------------


def cifar_files(folder, content=bytes(2 * cifar.RECORD), drop=()):
    (folder / cifar.FOLDER).mkdir()
    for name in (*cifar.TRAIN, cifar.TEST):
        if name not in drop:
            (folder / cifar.FOLDER / name).write_bytes(content)


def cifar_archive(folder, content=bytes(2 * cifar.RECORD), drop=(), kind=tarfile.REGTYPE):
    with tarfile.open(folder / "cifar-10-binary.tar.gz", "w:gz") as file:
        for name in (*cifar.TRAIN, cifar.TEST):
            if name not in drop:
                member = tarfile.TarInfo(f"{cifar.FOLDER}/{name}")
                member.type, member.linkname = kind, "/etc/hostname" if kind != tarfile.REGTYPE else ""
                member.size = len(content) if kind == tarfile.REGTYPE else 0
                file.addfile(member, io.BytesIO(content))


def cut_archive(folder):
    cifar_archive(folder, RANDOM.bytes(2 * cifar.RECORD))
    path = folder / "cifar-10-binary.tar.gz"
    path.write_bytes(path.read_bytes()[:5000])


RECORDS = bytes(2 * cifar.RECORD)
for title, code, make, told in (
    ("a file missing", "CNN401", lambda f: cifar_files(f, drop=("data_batch_3.bin",)), "there is no .*batch_3"),
    ("a file cut short", "CNN404", lambda f: cifar_files(f, RECORDS[:-1]), "has 6,145 bytes where 6,146 are due"),
    ("a file too long", "CNN404", lambda f: cifar_files(f, RECORDS + b"1"), "has more bytes"),
    ("a label ten", "CNN410", lambda f: cifar_files(f, b"\x0a" + RECORDS[1:]), "has label 10"),
    ("a member missing", "CNN404", lambda f: cifar_archive(f, drop=(cifar.TEST,)), "has no test_batch.bin"),
    ("a member cut short", "CNN404", lambda f: cifar_archive(f, RECORDS[1:]), "has 6,145 bytes"),
    ("a member too long", "CNN407", lambda f: cifar_archive(f, RECORDS * 2), "has 12,292 bytes, more than"),
    ("links in place of files", "CNN404", lambda f: cifar_archive(f, kind=tarfile.SYMTYPE), "has no data_batch_1"),
    ("an archive cut short", "CNN404", cut_archive, "is damaged"),
    ("a page of HTML", "CNN404", lambda f: (f / "cifar-10-binary.tar.gz").write_text("<html>"), "is damaged"),
):  # fmt: skip
    case(f"cifar10: {title}", code, Cifar10(), told)(make)


# ---- the tests ----------------------------------------------------------------------------------------


def read(source, folder):
    return load(Data(source=source), folder=folder, root=folder)


def test_there_are_enough_cases():
    assert len(CASES) >= 60


@pytest.mark.parametrize("title", CASES)
def test_each_malformed_file_has_its_diagnostic(title, tmp_path, monkeypatch):
    make, code, source, told = CASES[title]
    if isinstance(source, Images):
        pytest.importorskip("PIL", reason="Pillow reads images")
    monkeypatch.setattr(cifar, "LENGTH", 2 * cifar.RECORD)
    make(tmp_path)
    with pytest.raises(SpecError) as caught:
        read(source, tmp_path)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == code, diagnostic
    assert re.search(told, diagnostic.message)
    assert "\n" not in diagnostic.message and not diagnostic.message.endswith(".")


@pytest.mark.parametrize("title", CASES)
def test_what_is_known_of_a_malformed_file_is_said_in_the_words_of_reading_it(title, tmp_path, monkeypatch):
    make, code, source, told = CASES[title]
    if isinstance(source, Images):
        pytest.importorskip("PIL", reason="Pillow reads images")
    make(tmp_path)
    try:
        describe(Data(source=source), tmp_path)  # headers may not show what is wrong
    except Fault as fault:
        assert fault.code == code and re.search(told, fault.message)


def test_most_of_what_is_malformed_is_known_from_headers(tmp_path):
    """Of arrays, tables and folders; not of the well-known sets, which are taken at their name."""
    seen = []
    for i, (title, (make, _, source, _)) in enumerate(CASES.items()):
        if not isinstance(source, Mnist | Cifar10 | Images):
            (tmp_path / str(i)).mkdir()
            make(tmp_path / str(i))
            try:
                describe(Data(source=source), tmp_path / str(i))
            except Fault:
                seen.append(title)
    assert len(seen) > 130


def test_what_does_not_fit_into_memory_is_refused(tmp_path, monkeypatch):
    idx(tmp_path)
    archive(tmp_path, x=GOOD_X, y=GOOD_Y)
    monkeypatch.setattr(files, "free_memory", lambda: 100)
    for source in (Idx("."), Npz("a.npz")):
        with pytest.raises(SpecError) as caught:
            read(source, tmp_path)
        assert caught.value.diagnostics[0].code == "CNN407"


def good(folder, kind):
    if kind == "idx":
        idx(folder)
        return Idx("."), "train-images-idx3-ubyte"
    if kind == "idx in gzip":
        idx(folder, images=ZIPPED)
        return Idx("."), "train-images-idx3-ubyte"
    if kind == "npz":
        archive(folder, zipfile.ZIP_DEFLATED, x=GOOD_X, y=GOOD_Y)
        return Npz("a.npz"), "a.npz"
    if kind == "npz of texts":
        archive(folder, x_train=npy(X.astype(">f4")), y_train=npy(TEXTS[:3][Y]), x_val=npy(X.astype(">f4")),
                y_val=npy(TEXTS[:3][Y].astype("S3")))  # fmt: skip
        return Npz("a.npz", axes="nhw"), "a.npz"
    if kind == "csv":
        table(folder)
        return Csv("a.csv", test=0.0), "a.csv"
    pytest.importorskip("PIL", reason="Pillow reads images")
    folders(folder, png())
    return Images("."), "dog/b.png"


@pytest.mark.parametrize("count", [150, pytest.param(10_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["idx", "idx in gzip", "npz", "npz of texts", "csv", "images"])
def test_no_mutation_of_a_file_escapes_the_diagnostics(tmp_path, kind, count):
    """Bytes changed, cut and put in at random: a dataset or a SpecError, nothing else."""
    source, name = good(tmp_path, kind)
    path = tmp_path / name
    whole = path.read_bytes()
    read(source, tmp_path)
    generator = np.random.default_rng(count)
    refused = 0
    for _ in range(count):
        content = bytearray(whole)
        for _ in range(generator.integers(1, 4)):
            at = int(generator.integers(len(content)))
            match generator.integers(4):
                case 0:
                    content[at] = generator.integers(256)
                case 1:
                    content[at] ^= 1 << generator.integers(8)
                case 2:
                    del content[at : at + int(generator.integers(1, 9))]
                case 3:
                    content[at:at] = generator.bytes(4)
            if not content:
                break
        path.write_bytes(content)
        try:
            describe(Data(source=source), tmp_path)
            known = True
        except Fault:
            known = False
        try:
            read(source, tmp_path)
            assert known, "what is found wrong without reading is wrong"
        except SpecError:
            refused += 1
    assert refused > 10

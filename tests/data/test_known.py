"""What a source holds is known without reading it, and is what reading it gives."""

from __future__ import annotations

import gzip
import subprocess
import sys

import numpy as np
import pytest

from cnnspec.data.formats.idx import write_idx
from cnnspec.data.known import describe
from cnnspec.data.load import load
from cnnspec.data.looks import FEW
from cnnspec.diagnostics import Fault
from cnnspec.settings.data import Cifar10, Csv, Data, Digits, FashionMnist, Idx, Images, Mnist, Npz

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.integers(0, 256, (30, 1, 6, 5), dtype=np.uint8), (np.arange(30) % 3).astype(np.uint8)
NAMES = np.array(["cat", "dog", "cow"])
SOURCES = {}


def source_of(title):
    def register(make):
        SOURCES[title] = make
        return make

    return register


def archive(title, settings=None, /, **arrays):
    @source_of(title)
    def _(folder):
        np.savez(folder / "a.npz", **arrays)
        return Npz("a.npz", **settings or {})


archive("npz of classes", x=X, y=Y)
archive("npz of classes as int64", x=X.astype(float), y=Y.astype(np.int64)[:, None])
archive("npz of classes, the highest byte first", x=X.astype(">f4"), y=Y.astype(">i2"))
archive("npz of classes in both parts", x=X, y=Y, x_test=X, y_test=Y + 2)
archive("npz with validation", x_train=X, y_train=Y, x_val=X, y_val=Y)
archive("npz of texts", x=X, y=NAMES[Y])
archive("npz of numbers", x=X, y=np.linspace(0, 1, 30))
archive("npz of several numbers", x=X, y=RANDOM.standard_normal((30, 4)))
archive("npz of one-hot rows", x=X, y=np.eye(3, dtype=np.uint8)[Y])
archive("npz of one-hot floats", x=X, y=np.eye(3)[Y])
archive("npz with channels last", dict(axes="nhwc"), x=X.transpose(0, 2, 3, 1), y=Y)
archive("npz without channels", dict(axes="nhw", classes=7), x=X[:, 0], y=Y)
archive("npz of vectors", dict(test=0.0), x=X.reshape(30, 30), y=Y)


def idx(title, end="", parts=("train", "t10k"), **settings):
    @source_of(title)
    def _(folder):
        for part in parts:
            write_idx(folder / f"{part}-images-idx3-ubyte{end}", X[:, 0])
            write_idx(folder / f"{part}-labels-idx1-ubyte{end}", Y)
        return Idx(".", **settings)


idx("idx")
idx("idx in gzip", ".gz")
idx("idx without a test", parts=("train",), classes=5)


def table(title, text, **settings):
    @source_of(title)
    def _(folder):
        (folder / "a.csv").write_text(text)
        return Csv("a.csv", **settings)


table("csv of classes", "a,b,kind\n" + "1,2,x\n3,4,y\n5,6,x\n" * 10)
table("csv of numbered classes", "kind,a\n" + "10,2\n9.0,4\n" * 10, label="kind")
table("csv of numbers", "1,2,3\n4,5,6\n" * 10, header=False, target="numbers")
table("csv of categories", "a,kind\nred,x\nblue,y\n" * 1 + "red,x\ngreen,y\n" * 10)
table("csv that is noticed to have no header", "1,2,x\n3,4,y\n" * 10)
table("csv with gaps", "a,b,kind\n" + "1,,x\n3,red,y\n" * 10, missing="mean")
table("csv without its gaps", "a,b,kind\n" + "1,,x\n3,red,y\n3,red,\n3,blue,z\n" * 10, missing="drop")
table("csv of few columns", "id,a,zip,kind\n" + "a,1,10,x\nb,2,11,y\n" * 10, columns="zip, 2", categories="zip")
table("csv that is long", "a,kind\n" + "0.12345678901234567890,x\n0.5,y\n" * 40_000)


def pictures(title, *parts, **settings):
    @source_of(title)
    def _(folder):
        pillow = pytest.importorskip("PIL.Image", reason="Pillow reads images")
        for part in parts:
            for name in ("2", "10", "1"):
                inside = folder / part / name
                inside.mkdir(parents=True)
                for i in range(4):
                    pillow.fromarray(X[i].repeat(3, 0).transpose(1, 2, 0)).save(inside / f"{i}.png")
        return Images(".", **settings)


pictures("images", "")
pictures("images in three parts", "train", "valid", "test")
pictures("images in two parts, of grey", "train", "val", colour=False, test=0.0)
pictures("images resized", "train", "test", resize=(8, 9))


@pytest.mark.parametrize("title", SOURCES)
def test_what_is_known_is_what_is_read(title, tmp_path):
    settings = Data(source=SOURCES[title](tmp_path))
    known, found = describe(settings, tmp_path), load(settings, root=tmp_path)
    assert (known.name, known.input) == (found.name, found.input_type)
    assert (known.test, known.validation) == (len(found.test) > 0, len(found.validation) > 0)
    count = len(found.classes) if found.classes else found.train.y.shape[-1]
    assert known.outputs in (count, None) and known.classes in (found.classes, None)
    assert known.numbers in (found.classes is None, None)
    if "texts" not in title and "long" not in title:
        assert known.outputs == count
    if "floats" not in title and "several" not in title:  # rows of floats may be one-hot
        assert known.numbers is not None


@pytest.mark.parametrize("source", [Digits(), Mnist(), FashionMnist(), Cifar10()])
def test_the_well_known_sets_are_known_wherever_they_lie(source, tmp_path):
    known = describe(Data(source=source, validation=0.0), tmp_path)
    assert known.name == source.word and known.outputs == len(known.classes) == 10
    assert str(known.input) == ("3x32x32" if isinstance(source, Cifar10) else "1x28x28")
    assert (known.numbers, known.test, known.validation) == (False, True, False)


def test_the_digits_are_what_is_known_of_them():
    known, found = describe(Data()), load(Data())
    assert (known.name, known.input, known.classes) == (found.name, found.input_type, found.classes)


@pytest.mark.parametrize("source", [Npz("a.npz"), Csv("a.csv"), Idx("none"), Images("none")])
def test_nothing_is_known_of_files_that_are_not_there(source, tmp_path):
    assert describe(Data(source=source), tmp_path) is None


def test_what_is_wrong_in_a_header_is_told_in_the_words_of_reading(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((9, 32, 32, 3), np.uint8), y=Y[:9])
    (tmp_path / "b.csv").write_text("0,1,2,3\n4,5,6,7\n")
    (tmp_path / "c.csv").write_text("a,b\n1,2\n1,nan\n")
    (tmp_path / "dog").mkdir()
    for source, code in (
        (Npz("a.npz"), "CNN408"), (Csv("b.csv"), "CNN418"), (Csv("c.csv"), "CNN417"),
        (Images("dog"), "CNN414"), (Idx("dog"), "CNN401"), (Npz("dog"), "CNN401"), (Csv("~nobody-/a"), "CNN401"),
    ):  # fmt: skip
        with pytest.raises(Fault) as caught:
            describe(Data(source=source), tmp_path)
        assert caught.value.code == code


def test_labels_that_are_many_are_not_read(tmp_path):
    write_idx(tmp_path / "train-images-idx3-ubyte.gz", np.zeros((FEW + 1, 1, 2), np.uint8))
    write_idx(tmp_path / "train-labels-idx1-ubyte.gz", np.full(FEW + 1, 7, np.uint8))
    known = describe(Data(source=Idx(".")), tmp_path)
    assert (str(known.input), known.outputs, known.numbers) == ("1x1x2", None, False)


def test_a_header_that_claims_more_than_its_file_can_hold_takes_no_memory(tmp_path):
    head = b"\0\0\x08\3" + (1 << 24).to_bytes(4, "big") + (1024).to_bytes(4, "big") * 2
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(head))
    write_idx(tmp_path / "train-labels-idx1-ubyte", Y)
    with pytest.raises(Fault) as caught:
        describe(Data(source=Idx(".")), tmp_path)
    assert caught.value.code == "CNN404" and "and at most" in caught.value.message


@pytest.mark.parametrize("title", ["npz of classes", "idx", "csv of classes"])
def test_numpy_is_not_needed(title, tmp_path):
    source = SOURCES[title](tmp_path)
    program = (
        "import sys; sys.modules['numpy'] = None\n"
        "from cnnspec.data.known import describe\nfrom cnnspec.settings.data import *\n"
        f"print(describe(Data(), '.').outputs, describe(Data(source={source!r}), {str(tmp_path)!r}).outputs)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["10", "2" if "csv" in title else "3"], done.stderr

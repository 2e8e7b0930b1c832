"""Every source read as it should be, and the parts that a dataset is made of."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnspec.data.formats.idx import read_idx, write_idx
from cnnspec.data.load import divide, load
from cnnspec.data.sources import cifar
from cnnspec.diagnostics import Fault, SpecError
from cnnspec.settings.data import Cifar10, Csv, Data, FashionMnist, Idx, Images, Mnist, Npz

RANDOM = np.random.default_rng(0)
WHOLE = {"validation": 0.0}


def pictures(count, *shape):
    return RANDOM.integers(0, 256, (count, *shape), dtype=np.uint8)


def classes(count, many=3):
    return (np.arange(count) % many).astype(np.uint8)


def write_set(folder: Path, parts=("train", "t10k"), end="-ubyte.gz", sizes=(20, 10)):
    folder.mkdir(parents=True, exist_ok=True)
    made = {}
    for part, count in zip(parts, sizes, strict=False):
        x, y = pictures(count, 6, 5), classes(count)
        write_idx(folder / f"{part}-images-idx3{end}", x)
        write_idx(folder / f"{part}-labels-idx1{end}", y)
        made[part] = x, y
    return made


# ---- idx ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["-ubyte", "-ubyte.gz"])
@pytest.mark.parametrize("second", ["t10k", "test"])
def test_idx_folder(tmp_path, end, second):
    made = write_set(tmp_path, ("train", second), end)
    found = load(Data(source=Idx(str(tmp_path)), **WHOLE))
    np.testing.assert_array_equal(found.train.x, made["train"][0][:, None])
    np.testing.assert_array_equal(found.train.y, made["train"][1])
    np.testing.assert_array_equal(found.test.x, made[second][0][:, None])
    assert found.classes == ("0", "1", "2") and found.train.x.dtype == np.uint8


def test_idx_folder_without_test_images_sets_some_aside(tmp_path):
    write_set(tmp_path, ("train",))
    found = load(Data(source=Idx(str(tmp_path), test=0.25, classes=7), **WHOLE))
    assert (len(found.train), len(found.test), len(found.classes)) == (15, 5, 7)


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "i4", "f4", "f8"])
@pytest.mark.parametrize("end", ["", ".gz"])
def test_idx_of_every_type_comes_back(tmp_path, dtype, end):
    array = RANDOM.integers(0, 99, (3, 4, 2)).astype(dtype)
    write_idx(tmp_path / f"a{end}", array)
    np.testing.assert_array_equal(read_idx(tmp_path / f"a{end}"), array, strict=True)


@pytest.mark.parametrize("source", [Mnist(), FashionMnist()])
@pytest.mark.parametrize("own", [True, False])
def test_well_known_sets_lie_in_their_own_folder_or_in_the_given_one(tmp_path, monkeypatch, source, own):
    made = write_set(tmp_path / source.word if own else tmp_path)
    monkeypatch.setenv("CNNSPEC_DATA", str(tmp_path))
    for folder in (tmp_path, None):
        found = load(Data(source=source, **WHOLE), folder=folder)
        np.testing.assert_array_equal(found.train.x[:, 0], made["train"][0])
        assert len(found.classes) == 10


def test_well_known_sets_may_be_unpacked(tmp_path):
    made = write_set(tmp_path, end="-ubyte")
    found = load(Data(source=Mnist(), **WHOLE), folder=tmp_path)
    np.testing.assert_array_equal(found.test.x[:, 0], made["t10k"][0])


# ---- cifar10 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [True, False])
def test_cifar10(tmp_path, monkeypatch, packed):
    monkeypatch.setattr(cifar, "LENGTH", 4 * cifar.RECORD)
    records = {name: pictures(4, cifar.RECORD) for name in (*cifar.TRAIN, cifar.TEST)}
    for content in records.values():
        content[:, 0] %= 10
    if packed:
        with tarfile.open(tmp_path / "cifar-10-binary.tar.gz", "w:gz") as archive:
            for name, content in {"readme.html": b"<p>", **records}.items():
                member = tarfile.TarInfo(f"{cifar.FOLDER}/{name}")
                member.size = len(bytes(content))
                archive.addfile(member, io.BytesIO(bytes(content)))
    else:
        (tmp_path / cifar.FOLDER).mkdir()
        for name, content in records.items():
            (tmp_path / cifar.FOLDER / name).write_bytes(bytes(content))
    found = load(Data(source=Cifar10(), **WHOLE), folder=tmp_path)
    together = np.concatenate([records[name] for name in cifar.TRAIN])
    np.testing.assert_array_equal(found.train.y, together[:, 0])
    np.testing.assert_array_equal(found.train.x.reshape(20, -1), together[:, 1:])
    np.testing.assert_array_equal(found.test.y, records[cifar.TEST][:, 0])
    assert str(found.input_type) == "3x32x32" and found.classes[0] == "airplane"


# ---- npz ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_with_x_and_y(tmp_path, save):
    x, y = pictures(30, 3, 4, 5), classes(30)
    save(tmp_path / "a.npz", x=x, y=y, others=np.array([None]))
    found = load(Data(source=Npz("a.npz", test=0.0), **WHOLE), root=tmp_path)
    np.testing.assert_array_equal(found.train.x, x)
    np.testing.assert_array_equal(found.train.y, y)
    assert found.name == "a" and len(found.test) == 0


def test_npz_as_keras_has_it(tmp_path):
    x, y = pictures(30, 8, 8), classes(30, 10)
    np.savez(tmp_path / "m.npz", x_train=x[:20], y_train=y[:20], x_test=x[20:], y_test=y[20:])
    found = load(Data(source=Npz("m.npz", axes="nhw"), **WHOLE), root=tmp_path)
    np.testing.assert_array_equal(found.train.x, x[:20, None])
    np.testing.assert_array_equal(found.test.x, x[20:, None])


@pytest.mark.parametrize(
    "axes, shape, wanted",
    [
        (None, (9, 4), "4"),
        (None, (9, 3, 7), "3x7"),
        (None, (9, 3, 7, 8), "3x7x8"),
        ("nwc", (9, 7, 3), "3x7"),
        ("nhw", (9, 7, 8), "1x7x8"),
        ("nhwc", (9, 7, 8, 3), "3x7x8"),
    ],
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_npz_axes_and_orders(tmp_path, axes, shape, wanted, order):
    x = np.asarray(pictures(*shape), order=order)
    np.savez(tmp_path / "a.npz", x=x, y=classes(9))
    found = load(Data(source=Npz("a.npz", axes=axes, test=0.0), **WHOLE), root=tmp_path)
    assert str(found.input_type) == wanted and found.train.x.flags.c_contiguous
    where = (axes or "nchw").replace("c", "")
    back = np.moveaxis(found.train.x, 1, axes.index("c")) if axes and "c" in axes else found.train.x
    np.testing.assert_array_equal(back.reshape(x.shape), x, err_msg=where)


@pytest.mark.parametrize("dtype", ["b1", "i1", "u2", ">i4", "u8", "f2", ">f4", "f8"])
def test_npz_numbers_other_than_bytes_become_float32_as_they_are(tmp_path, dtype):
    x = RANDOM.integers(0, 100, (9, 2, 3, 3)).astype(dtype)
    np.savez(tmp_path / "a.npz", x=x, y=classes(9).astype(">i8")[:, None])
    found = load(Data(source=Npz("a.npz", test=0.0), **WHOLE), root=tmp_path)
    np.testing.assert_array_equal(found.train.arrays()[0], x.astype(np.float32))
    assert found.train.y.tolist() == classes(9).tolist() and found.train.y.dtype == np.int64


@pytest.mark.parametrize("shape", [(9,), (9, 2)])
def test_npz_floats_in_y_are_numbers_to_meet(tmp_path, shape):
    y = RANDOM.standard_normal(shape)
    np.savez(tmp_path / "a.npz", x=pictures(9, 4), y=y)
    found = load(Data(source=Npz("a.npz", test=0.0), **WHOLE), root=tmp_path)
    assert found.classes is None and found.train.y.dtype == np.float32
    np.testing.assert_array_equal(found.train.y, y.reshape(9, -1).astype(np.float32))


# ---- images -------------------------------------------------------------------------------------------


def save_pictures(folder: Path, images, end=".png", mode="RGB"):
    pillow = pytest.importorskip("PIL.Image", reason="Pillow reads images")
    folder.mkdir(parents=True, exist_ok=True)
    for i, image in enumerate(images):
        pillow.fromarray(image).convert(mode).save(folder / f"{i:03}{end}")


@pytest.mark.parametrize("end", [".png", ".bmp", ".ppm"])
def test_images_of_folders(tmp_path, end):
    cats, dogs = pictures(5, 6, 7, 3), pictures(4, 6, 7, 3)
    save_pictures(tmp_path / "cat", cats, end)
    save_pictures(tmp_path / "dog", dogs, end)
    (tmp_path / ".hidden").write_text("passed over")
    found = load(Data(source=Images(str(tmp_path), test=0.0), **WHOLE))
    np.testing.assert_array_equal(found.train.x, np.concatenate([cats, dogs]).transpose(0, 3, 1, 2))
    assert found.classes == ("cat", "dog") and found.train.y.tolist() == [0] * 5 + [1] * 4


@pytest.mark.parametrize("end", [".jpg", ".webp"])
def test_images_that_lose_a_little(tmp_path, end):
    grey = np.full((1, 16, 16, 3), 130, np.uint8)
    save_pictures(tmp_path / "cat", grey, end)
    found = load(Data(source=Images(str(tmp_path), test=0.0), **WHOLE))
    assert np.abs(found.train.x.astype(int) - 130).max() <= 2


def test_images_of_train_and_test_grey_and_resized(tmp_path):
    for part, count in (("train", 6), ("test", 3)):
        for name in "ab":
            save_pictures(tmp_path / part / name, pictures(count, 6, 7, 3))
    source = Images(str(tmp_path), colour=False, resize=(4, 5))
    told = []
    found = load(Data(source=source, **WHOLE), progress=told.append)
    assert (len(found.train), len(found.test), str(found.input_type)) == (12, 6, "1x4x5")
    assert [text.split()[:3] for text in told] == [["reading", "12", "images"], ["reading", "6", "images"]]


# ---- csv ----------------------------------------------------------------------------------------------

FLOWERS = "length,width,kind\n5.1,3.5,setosa\n\n7.0,3.2,versicolor\n6.3,3.3,virginica\n4.9, 3.0 , setosa\n"


@pytest.mark.parametrize("text", [FLOWERS, "\ufeff" + FLOWERS, FLOWERS.replace("\n", "\r\n")])
def test_csv_of_classes(tmp_path, text):
    (tmp_path / "a.csv").write_text(text, encoding="utf-8", newline="")
    found = load(Data(source=Csv("a.csv", test=0.0), **WHOLE), root=tmp_path)
    np.testing.assert_allclose(found.train.x, [[5.1, 3.5], [7, 3.2], [6.3, 3.3], [4.9, 3]], rtol=1e-6)
    assert found.classes == ("setosa", "versicolor", "virginica") and found.train.y.tolist() == [0, 1, 2, 0]


@pytest.mark.parametrize("label", ["class", 1])
def test_csv_label_by_name_or_number_and_classes_in_order_of_number(tmp_path, label):
    (tmp_path / "a.csv").write_text("class;p;q\n10;1;2\n9;3;4\n10;5;6\n")
    found = load(Data(source=Csv("a.csv", label, separator=";", test=0.0), **WHOLE), root=tmp_path)
    assert found.classes == ("9", "10") and found.train.y.tolist() == [1, 0, 1]
    assert found.train.x.tolist() == [[1, 2], [3, 4], [5, 6]]


def test_csv_without_header_and_with_numbers_to_meet(tmp_path):
    (tmp_path / "a.csv").write_text("1,2,0.5\n3,4,1.5\n")
    source = Csv("a.csv", header=False, target="numbers", test=0.0)
    found = load(Data(source=source, **WHOLE), root=tmp_path)
    assert found.train.y.tolist() == [[0.5], [1.5]] and found.classes is None


@pytest.mark.parametrize(
    "text, settings",
    [
        ("a\tb\tkind\n1\t2\tx\n3\t4\ty\n", {"separator": "\t"}),
        ("a b kind\n1  2 x\n3 4 y\n", {"separator": " "}),
        ('"a", "b", "kind"\n"1", "2", "x"\n3, 4, "y"\n', {}),
        ("a,b,kind\r1,2,x\r3,4,y\r", {}),
        ("a,b,kind\n,,\n1,2,x\n , ,\n3,4,y\n,,\n", {}),
        ("\n  \na,b,kind\n1,2,x\n\n \n3,4,y", {}),
        ("1,2,x\n3,4,y\n", {"header": False}),
        ("kind,a,b\nx,1,2\ny,3,4\n", {"label": 1}),
        ("0,1,2,kind\n1,2,0,x\n3,4,0,y\n", {}),
        ("label,1,2,3\nx,1,2,0\ny,3,4,0\n", {"label": "label"}),
        ("2020,2021,year,kind\n1,2,0,x\n3,4,0,y\n", {}),
        ("  a    b kind\n  1    2 x \n  3    4 y\n", {"separator": " "}),
    ],
)
def test_csv_in_other_hands(tmp_path, text, settings):
    (tmp_path / "a.csv").write_text(text, newline="")
    found = load(Data(source=Csv("a.csv", test=0.0, **settings), **WHOLE), root=tmp_path)
    assert found.train.x[:, :2].tolist() == [[1, 2], [3, 4]] and found.classes == ("x", "y")


def test_csv_labels_are_one_class_however_their_accents_are_written(tmp_path):
    (tmp_path / "a.csv").write_text("a,kind\n1,caf\xe9\n2,cafe\u0301\n3,tea\n", encoding="utf-8")
    found = load(Data(source=Csv("a.csv", test=0.0), **WHOLE), root=tmp_path)
    assert found.classes == ("caf\xe9", "tea") and found.train.y.tolist() == [0, 0, 1]


@pytest.mark.parametrize("written", [".", "cat/..", "../photos", "../photos/"])
def test_a_folder_is_named_however_it_is_reached(tmp_path, monkeypatch, written):
    for kind in ("cat", "dog"):
        save_pictures(tmp_path / "photos" / kind, pictures(4, 6, 5, 3))
    monkeypatch.chdir(tmp_path / "photos")
    assert load(Data(source=Images(written)), root=".").name == "photos"


def test_csv_of_quoted_lines_and_cells(tmp_path):
    (tmp_path / "a.csv").write_text('a,"the\nkind"\n1,"two\nlines"\n2,"a, b"\n3,"say ""hi"""\n')
    found = load(Data(source=Csv("a.csv", "the\nkind", test=0.0), **WHOLE), root=tmp_path)
    assert found.classes == ("a, b", 'say "hi"', "two\nlines") and found.train.y.tolist() == [2, 0, 1]


def test_iris_as_the_repository_has_it_is_read_without_a_header(tmp_path):
    kinds = ("setosa", "versicolor", "virginica")
    rows = [f"{5 + i % 7 / 10},3.5,1.4,0.2,Iris-{kinds[i // 50]}" for i in range(150)]
    (tmp_path / "iris.data").write_text("\n".join(rows) + "\n\n")
    for header in (None, False):
        found = load(Data(source=Csv("iris.data", header=header, test=0.0), **WHOLE), root=tmp_path)
        assert np.bincount(found.train.y).tolist() == [50, 50, 50]


def test_csv_separator_is_one_character():
    for wrong in ("", ";;", "\n", '"', "\0"):
        with pytest.raises(Fault) as caught:
            Csv("a.csv", separator=wrong)
        assert caught.value.code == "CNN203"


# ---- parts --------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 200), st.sampled_from([0, 0.1, 0.2, 0.25, 1 / 3, 0.5, 0.9]), st.integers(1, 5), st.integers(0, 5)
)
def test_divide_takes_the_share_from_every_class_alike(count, share, many, seed):
    y = np.random.default_rng(seed).integers(0, many, count)
    rest, kept = divide(y, share, seed)
    assert sorted([*rest, *kept]) == list(range(count))
    assert list(rest) == sorted(rest) and list(kept) == sorted(kept)
    assert len(kept) == int(count * share + 1e-9)
    for each in range(many):
        assert abs((y[kept] == each).sum() - share * (y == each).sum()) <= 1


def test_validation_depends_on_the_seed_and_test_images_do_not(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.arange(100, dtype=np.float32)[:, None], y=classes(100))
    one, same, other = (load(Data(source=Npz("a.npz")), root=tmp_path, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.validation.x, same.validation.x)
    assert not np.array_equal(one.validation.x, other.validation.x)
    np.testing.assert_array_equal(one.test.x, other.test.x)
    for found in (one, other):
        parts = (found.train, found.validation, found.test)
        assert sorted(np.concatenate([part.x.ravel() for part in parts])) == list(range(100))


def test_normalise_takes_mean_and_deviation_from_the_training_images(tmp_path):
    x = pictures(90, 3, 5, 4)
    x[:, 2] = 7  # nothing to divide by
    np.savez(tmp_path / "a.npz", x=x, y=classes(90))
    found = load(Data(source=Npz("a.npz"), normalise=True), root=tmp_path)
    learnt, _ = found.train.arrays("float64")
    np.testing.assert_allclose(learnt.mean((0, 2, 3)), 0, atol=1e-12)
    np.testing.assert_allclose(learnt.std((0, 2, 3)), [1, 1, 0], atol=1e-12)
    raw = found.train.x.astype(float)
    wanted = (found.test.x - raw.mean((0, 2, 3), keepdims=True)) / np.maximum(
        raw.std((0, 2, 3), keepdims=True), 1e-9
    )
    np.testing.assert_allclose(found.test.arrays("float64")[0][:, :2], wanted[:, :2], atol=1e-9)


def test_a_constant_column_of_floats_is_not_blown_up(tmp_path):
    x = RANDOM.standard_normal((1000, 2)).astype(np.float32)
    x[:, 1] = 0.1
    np.savez(tmp_path / "a.npz", x=x, y=classes(1000))
    found = load(Data(source=Npz("a.npz"), normalise=True), root=tmp_path)
    assert np.abs(found.train.arrays()[0][:, 1]).max() < 1e-6


def test_limit_takes_few_of_each_part_from_every_class():
    found = load(Data(limit=100))
    assert (len(found.train), len(found.validation), len(found.test)) == (90, 10, 100)
    together = np.concatenate([found.train.y, found.validation.y])
    assert np.bincount(together).tolist() == [10] * 10 and np.bincount(found.test.y).tolist() == [10] * 10


def test_errors_point_at_the_span(tmp_path):
    from cnnspec.diagnostics import Source, Span

    span = Span(Source("a.cnn", 'source npz "none.npz"'), 0, 10)
    with pytest.raises(SpecError) as caught:
        load(Data(source=Npz("none.npz")), root=tmp_path, span=span)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.span == span and diagnostic.code == "CNN401"

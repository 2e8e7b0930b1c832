"""npz archives: parts, axes, labels of every form, numbers of every type."""

from __future__ import annotations

import numpy as np
import pytest

from cnnspec.data.formats.axes import other_input
from cnnspec.data.known import describe
from cnnspec.data.load import load
from cnnspec.diagnostics import Fault, SpecError
from cnnspec.ir import data as typed
from cnnspec.settings.data import Data, Npz

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.integers(0, 256, (30, 3, 6, 7), dtype=np.uint8), np.arange(30) % 3


def read(folder, settings=None, *, validation=0.0, save=np.savez, limit=None, **arrays):
    save(folder / "a.npz", **arrays)
    source = Npz("a.npz", **{"test": 0.0, **(settings or {})})
    return load(Data(source=source, validation=validation, limit=limit), root=folder)


def refusal(folder, settings=None, **arrays):
    with pytest.raises(SpecError) as caught:
        read(folder, settings, **arrays)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


# ---- axes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(30, 32, 32, 3), (30, 32, 32, 1), (30, 5, 300, 4)])
def test_channels_last_are_asked_for_whatever_the_network_takes(tmp_path, shape):
    told = refusal(tmp_path, x=np.zeros(shape, np.uint8), y=Y)
    sizes = "x".join(map(str, shape))
    assert (told.code, told.message) == ("CNN408", f"x of a.npz is {sizes}, which has its channels last")
    assert told.help.startswith("use `axes nhwc`, or `axes nchw` if these are")


def test_channels_last_are_read_as_the_spec_says(tmp_path):
    x = np.zeros((30, 8, 9, 3), np.uint8)
    assert str(read(tmp_path, {"axes": "nhwc"}, x=x, y=Y).input_type) == "3x8x9"
    assert str(read(tmp_path, {"axes": "nchw"}, x=x, y=Y).input_type) == "8x9x3"


@pytest.mark.parametrize("shape", [(30, 3, 32, 32), (30, 2, 3, 3), (30, 4, 64, 3), (30, 64, 4, 3), (30, 1, 5, 1)])
def test_channels_first_are_not_taken_for_channels_last(tmp_path, shape):
    assert read(tmp_path, x=np.zeros(shape, np.uint8), y=Y).input_type.shape == shape[1:]


def test_images_without_an_axis_of_channels_are_asked_for(tmp_path):
    told = refusal(tmp_path, x=np.zeros((30, 28, 28), np.uint8), y=Y)
    assert told.code == "CNN408" and told.help.startswith("use `axes nhw` for images of grey, or `axes ncw`")
    assert str(read(tmp_path, {"axes": "nhw"}, x=np.zeros((30, 28, 28)), y=Y).input_type) == "1x28x28"
    assert str(read(tmp_path, {"axes": "ncw"}, x=np.zeros((30, 28, 28)), y=Y).input_type) == "28x28"


@pytest.mark.parametrize(
    "shape, wanted, axes",
    [
        ((30, 20, 24), (1, 20, 24), "nhw"),
        ((30, 100, 6), (6, 100), "nwc"),
        ((30, 4, 5, 2), (2, 4, 5), "nhwc"),
        ((30, 4, 4, 4), (1, 4, 4), None),
    ],
)
def test_an_input_that_other_axes_would_give_is_told_them(tmp_path, shape, wanted, axes):
    found = read(tmp_path, x=np.zeros(shape, np.uint8), y=Y)
    help = other_input(found.source, "data", found.input_type, typed(*wanted)).help
    assert f"`axes {axes}`" in help if axes else help == f"use `input {found.input_type}`"


def test_vectors_that_are_images_laid_flat_are_told_how_to_become_images(tmp_path):
    found = read(tmp_path, x=np.zeros((30, 784), np.uint8), y=Y)
    help = other_input(found.source, "data", found.input_type, typed(1, 28, 28)).help
    assert help == "use `input 784`, and `reshape 1x28x28` as the first layer"


# ---- parts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", ["x_val y_val", "x_valid y_valid", "x_validation y_validation"])
@pytest.mark.parametrize("test", [True, False])
@pytest.mark.parametrize("first", ["x y", "x_train y_train"])
def test_validation_of_its_own_is_used(tmp_path, names, test, first):
    arrays = dict(zip(f"{first} {names}".split(), (X[:12], Y[:12], X[12:20], Y[12:20]), strict=True))
    if test:
        arrays |= {"x_test": X[20:], "y_test": Y[20:]}
    found = read(tmp_path, validation=0.5, **arrays)
    np.testing.assert_array_equal(found.train.x, X[:12])
    np.testing.assert_array_equal(found.validation.x, X[12:20])
    np.testing.assert_array_equal(found.test.x, X[20:] if test else X[:0])
    assert f"8 from {names.split()[0]} for validation" in found.told


def test_limit_holds_for_validation_too(tmp_path):
    found = read(tmp_path, x=X, y=Y, x_val=X, y_val=Y, limit=9)
    assert (len(found.train), len(found.validation)) == (9, 9)


# ---- labels -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["u1", "i8", "b1", "f4", ">f8", ">i2"])
def test_one_hot_rows_are_classes(tmp_path, dtype):
    found = read(tmp_path, x=X, y=np.eye(4)[Y].astype(dtype), x_test=X, y_test=np.eye(4)[Y[::-1]].astype(dtype))
    assert found.classes == ("0", "1", "2", "3") and found.train.y.tolist() == Y.tolist()
    assert found.test.y.tolist() == Y[::-1].tolist() and found.train.y.dtype == np.int64


@pytest.mark.parametrize("change", [lambda y: y * 2, lambda y: y + 0.5, lambda y: np.maximum(y, y[:, ::-1])])
def test_rows_that_are_not_one_hot_are_numbers_to_meet(tmp_path, change):
    y = change(np.eye(4)[Y])
    found = read(tmp_path, x=X, y=y)
    assert found.classes is None and found.train.y.tolist() == y.tolist()


def test_rows_that_are_one_hot_in_one_part_alone_are_numbers_to_meet(tmp_path):
    found = read(tmp_path, x=X, y=np.eye(4)[Y], x_test=X, y_test=np.eye(4)[Y] / 2)
    assert found.classes is None and found.test.y.max() == 0.5


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    "form", [lambda y: y, lambda y: y[:, None], lambda y: y.astype(">U9"), lambda y: y.astype("S")]
)
def test_labels_that_are_texts(tmp_path, save, form):
    names = np.array(["dog", "cat", " owl "])
    found = read(tmp_path, save=save, x=X, y=form(names[Y]), x_test=X[:3], y_test=form(names[[2, 2, 1]]))
    assert found.classes == ("cat", "dog", "owl")
    assert found.train.y[:4].tolist() == [1, 0, 2, 1] and found.test.y.tolist() == [2, 2, 0]


def test_labels_of_a_test_that_training_has_not_are_classes_too(tmp_path):
    found = read(tmp_path, x=X, y=np.array(["a", "c"])[Y % 2], x_test=X[:1], y_test=np.array(["b"]))
    assert found.classes == ("a", "b", "c") and found.test.y.tolist() == [1]


# ---- archives of validation and test ------------------------------------------------------------------

OWN = {"validation_file": "val.npz", "test_file": "test.npz"}
BESIDE = {"validation_file": "val.npz"}


@pytest.mark.parametrize("ends", [("", ""), ("_val", "_test"), ("_validation", "_test")])
def test_archives_of_their_own_for_validation_and_test(tmp_path, ends):
    for name, end, count in zip(("val", "test"), ends, (5, 7), strict=True):
        np.savez(tmp_path / f"{name}.npz", **{f"x{end}": X[:count] + 1, f"y{end}": Y[:count]})
    found = read(tmp_path, OWN, x=X, y=Y, x_test=X[:2], y_test=Y[:2])
    assert [len(part) for part in (found.train, found.validation, found.test)] == [30, 5, 7]
    np.testing.assert_array_equal(found.test.x, X[:7] + 1)
    assert "5 from val.npz for validation, 7 from test.npz" in found.told
    known = describe(Data(source=Npz("a.npz", **OWN), validation=0.0), tmp_path)
    assert known.test and known.validation and known.classes == found.classes


def test_names_of_classes_are_those_of_all_archives(tmp_path):
    np.savez(tmp_path / "val.npz", x=X[:2], y=np.array(["ant", "cat"]))
    found = read(tmp_path, BESIDE, x=X, y=np.array(["cat", "dog"])[Y % 2])
    assert found.classes == ("ant", "cat", "dog") and found.validation.y.tolist() == [0, 1]
    assert set(found.train.y.tolist()) == {1, 2}


@pytest.mark.parametrize(
    "arrays, code",
    [
        ({"x": X}, "CNN413"),
        ({"images": X, "labels": Y}, "CNN413"),
        ({"x": X[:, :1], "y": Y}, "CNN408"),
        ({"x": X[:3], "y": Y[:2]}, "CNN409"),
        ({"x": X / 255, "y": Y}, "CNN412"),
        ({"x": X, "y": Y.astype(str)}, "CNN412"),
        ({"x": X, "y": np.array(["cat"] * 30, object)}, "CNN412"),
    ],
)
def test_an_archive_of_a_part_that_does_not_fit_is_refused(tmp_path, arrays, code):
    np.savez(tmp_path / "val.npz", **arrays)
    told = refusal(tmp_path, BESIDE, x=X, y=Y)
    assert told.code == code and ("val" in told.message or "others of the file are texts" in told.message)
    if code != "CNN412":  # which reading alone would tell
        with pytest.raises(Fault) as fault:
            describe(Data(source=Npz("a.npz", validation_file="val.npz")), tmp_path)
        assert fault.value.code == code


def test_an_archive_of_a_part_that_is_not_there_or_damaged(tmp_path):
    assert "gone.npz" in refusal(tmp_path, {"test_file": "gone.npz"}, x=X, y=Y).message
    assert describe(Data(source=Npz("a.npz", test_file="gone.npz")), tmp_path) is None
    (tmp_path / "gone.npz").write_bytes(b"no archive")
    told = refusal(tmp_path, {"test_file": "gone.npz"}, x=X, y=Y)
    assert told.code == "CNN405" and "gone.npz" in told.message


# ---- numbers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(
    "dtype", ["b1", "i1", "<i2", ">u2", "<i8", ">u8", "<f2", ">f2", "<f4", ">f4", "<f8", ">f8"]
)
def test_numbers_of_every_type_and_order_are_the_same_numbers(tmp_path, dtype, order):
    x = np.asarray(
        RANDOM.integers(-100 if np.dtype(dtype).kind in "if" else 0, 100, (30, 2, 3, 5)), dtype, order=order
    )
    found = read(tmp_path, x=x, y=Y.astype(dtype if dtype[-2] in "iu" else "i8"))
    np.testing.assert_array_equal(found.train.x, x.astype(np.float32), strict=True)
    assert found.train.scaling.scale == (1.0,) and found.train.y.tolist() == Y.tolist()


def test_floats_of_double_precision_round_to_the_nearest(tmp_path):
    x = RANDOM.standard_normal((30, 7)) * 1e30
    np.testing.assert_array_equal(read(tmp_path, x=x, y=Y).train.x, x.astype(np.float32))


def test_an_archive_of_many_other_arrays_is_read_by_its_names(tmp_path):
    others = {f"meta{i}": np.array([{"a": 1}], object) for i in range(20)}
    assert len(read(tmp_path, x=X, y=Y, **others).train) == 30


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version_of_npy(tmp_path, version):
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        for name, array in (("x", X), ("y", Y)):
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, array, version=version)
    found = load(Data(source=Npz("a.npz", test=0.0), validation=0.0), root=tmp_path)
    np.testing.assert_array_equal(found.train.x, X)

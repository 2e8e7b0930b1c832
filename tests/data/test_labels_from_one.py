"""Class numbers count from 0 or from 1, as the labels of all parts tell; `check` and a run say the same."""

import numpy as np
import pytest

from cnnspec.data.formats.idx import write_idx
from cnnspec.data.known import describe
from cnnspec.data.load import load
from cnnspec.data.looks import FEW
from cnnspec.diagnostics import Fault, SpecError
from cnnspec.settings.data import Data, Idx, Npz

X = np.zeros((52, 1, 4, 4), np.uint8)
FROM_ONE = 1 + np.arange(52) % 26


def npz(folder, y, **more):
    np.savez(folder / "t.npz", x=X, y=y)
    return Data(Npz("t.npz", **more))


def idx(folder, y, **more):
    (folder / "t").mkdir()
    write_idx(folder / "t" / "train-images-idx3-ubyte", X[:, 0])
    write_idx(folder / "t" / "train-labels-idx1-ubyte", y.astype("u1"))
    return Data(Idx("t", **more))


@pytest.mark.parametrize("count", [{}, {"classes": 26}])
@pytest.mark.parametrize("made", [npz, idx])
def test_labels_from_one_are_classes_of_those_names(tmp_path, made, count):
    settings = made(tmp_path, FROM_ONE, **count)
    found, known = load(settings, root=tmp_path), describe(settings, tmp_path)
    names = tuple(map(str, range(1, 27)))
    assert found.classes == known.classes == names and known.outputs == 26
    parts = (found.train, found.validation, found.test)
    assert sorted(set(np.concatenate([part.y for part in parts]))) == list(range(26))


@pytest.mark.parametrize("made", [npz, idx])
def test_more_classes_than_there_are_labels_count_from_zero(tmp_path, made):
    settings = made(tmp_path, FROM_ONE, classes=27)
    found = load(settings, root=tmp_path)
    assert found.classes == describe(settings, tmp_path).classes == tuple(map(str, range(27)))
    assert min(part.y.min() for part in (found.train, found.test)) == 1


def test_too_few_classes_are_told_by_the_label_that_is_none(tmp_path):
    with pytest.raises(SpecError, match="has label 25, which is not among the 25 classes"):
        load(npz(tmp_path, FROM_ONE, classes=25), root=tmp_path)


@pytest.mark.parametrize(
    "y, told", [(np.full(52, 7), "are all 7"), (np.ones(52, int), "all 1"), (3 + FROM_ONE, "4 to 29")]
)
def test_labels_that_begin_elsewhere_are_told(tmp_path, y, told):
    settings = npz(tmp_path, y)
    for look in (lambda: load(settings, root=tmp_path), lambda: describe(settings, tmp_path)):
        with pytest.raises((SpecError, Fault), match=f"{told}: classes count from 0 or from 1"):
            look()


def test_labels_of_all_parts_count_together(tmp_path):
    """A training part without class 0 counts from 0 where the test has it."""
    np.savez(tmp_path / "t.npz", x_train=X, y_train=FROM_ONE, x_test=X[:2], y_test=np.array([0, 1]))
    found = load(Data(Npz("t.npz")), root=tmp_path)
    assert len(found.classes) == describe(Data(Npz("t.npz")), tmp_path).outputs == 27
    assert found.test.y.tolist() == [0, 1] and found.train.y.max() == 26


def test_labels_that_are_too_many_to_be_read_leave_it_open(tmp_path):
    many = np.resize(FROM_ONE, FEW + 1).astype("u1")
    np.savez(
        tmp_path / "t.npz",
        x_train=np.zeros((FEW + 1, 1), np.uint8),
        y_train=many,
        x_test=X[:2, 0, 0, :1],
        y_test=[1, 2],
    )
    known = describe(Data(Npz("t.npz", classes=26)), tmp_path)
    assert known.classes is None and known.outputs == 26


@pytest.mark.parametrize(
    "y", [np.eye(3)[[0, 1, 2, 1]], [[1], [2], [3], [2]], ["a", "b", "c", "b"], [b"a", b"b", b"c", b"b"]]
)
def test_labels_in_other_forms(tmp_path, y):
    np.savez(tmp_path / "t.npz", x=X[:4], y=np.array(y))
    assert load(Data(Npz("t.npz", test=0.0), validation=0.0), root=tmp_path).train.y.tolist() == [0, 1, 2, 1]

"""Class numbers that leave 0 out, of which nobody said how many there are: told, by `check` and by a run alike."""

import numpy as np
import pytest

from cnnspec.data.formats.idx import write_idx
from cnnspec.data.known import describe
from cnnspec.data.load import load
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


@pytest.mark.parametrize("made", [npz, idx])
def test_labels_from_one_are_told(tmp_path, made):
    settings = made(tmp_path, FROM_ONE)
    told = "the labels of t go from 1 to 26: label 0 never occurs, and labels count from 0"
    with pytest.raises(SpecError) as caught:
        load(settings, root=tmp_path)
    (found,) = caught.value.diagnostics
    assert (found.code, found.message) == ("CNN410", told)
    assert found.help == "take 1 from each label, or say `classes 27` if class 0 has no image here"
    with pytest.raises(Fault, match=told):
        describe(settings, tmp_path)


@pytest.mark.parametrize("made", [npz, idx])
def test_whoever_says_how_many_classes_there_are_means_it(tmp_path, made):
    settings = made(tmp_path, FROM_ONE, classes=27)
    assert len(load(settings, root=tmp_path).classes) == describe(settings, tmp_path).outputs == 27


def test_too_few_classes_are_told_by_the_label_that_is_none(tmp_path):
    with pytest.raises(SpecError, match="has label 26, which is not among the 26 classes"):
        load(npz(tmp_path, FROM_ONE, classes=26), root=tmp_path)


@pytest.mark.parametrize("y, told", [(np.full(52, 7), "are all 7"), (3 + FROM_ONE, "go from 4 to 29")])
def test_the_lowest_label_is_named(tmp_path, y, told):
    with pytest.raises(SpecError, match=f"the labels of t {told}: label 0 never occurs"):
        load(npz(tmp_path, y), root=tmp_path)


def test_labels_of_all_parts_count_together(tmp_path):
    """A training part without class 0 is no mistake where the test has it."""
    np.savez(tmp_path / "t.npz", x_train=X, y_train=FROM_ONE, x_test=X[:2], y_test=np.array([0, 1]))
    assert len(load(Data(Npz("t.npz")), root=tmp_path).classes) == 27
    assert describe(Data(Npz("t.npz")), tmp_path).outputs == 27

"""Classes have one order: whatever the source, in every process."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnspec.data.classes import classes_of, in_order, is_missing
from cnnspec.data.load import load
from cnnspec.settings.data import Csv, Data, Images, Npz


@pytest.mark.parametrize(
    "names, ordered",
    [
        ("11 2 10 0 1", "0 1 2 10 11"),
        ("b a 10 9", "10 9 a b"),
        ("-1 1 0", "-1 0 1"),
        ("0.5 0.25 2", "0.25 0.5 2"),
        ("01 1 00", "00 01 1"),
        ("Z a é", "Z a é"),
        ("1e3 20", "20 1e3"),
        ("1e999999999 2", "1e999999999 2"),
        ("inf 2 10", "10 2 inf"),
        ("9007199254740993 9007199254740992", "9007199254740992 9007199254740993"),
        ("٣ 2", "2 ٣"),
    ],
)
def test_numbers_by_value_where_all_are_numbers_else_by_code_point(names, ordered):
    assert in_order(names.split()) == tuple(ordered.split())


@pytest.mark.parametrize(
    "labels, classes",
    [
        ("1.0 1 2", "1 2"),
        ("10 9.0 9", "9 10"),
        ("0.50 0.5 1e0", "0.5 1"),
        ("-0.0 0", "0"),
        ("1e2 100", "100"),
        ("1.0 x", "1.0 x"),
        ("007 7 8", "7 8"),
        ("9007199254740993 9007199254740992", "9007199254740992 9007199254740993"),
    ],
)
def test_labels_that_are_one_number_are_one_class(labels, classes):
    names, number = classes_of(labels.split())
    assert names == tuple(classes.split())
    assert sorted(set(number.values())) == list(range(len(names))) and set(number) == set(labels.split())


@given(st.lists(st.sampled_from(["1", "1.0", "01", "2", "10", "a", "nan", "-3", "0.5", "1e1"])), st.randoms())
def test_the_order_of_the_labels_in_the_data_does_not_matter(labels, random):
    shuffled = list(labels)
    random.shuffle(shuffled)
    assert classes_of(labels) == classes_of(shuffled)


@pytest.mark.parametrize("label", ["", "?", "nan", "NaN", "NAN", "-nan", "NA", "N/A", "null", "NULL", "None"])
def test_texts_for_a_missing_label(label):
    assert is_missing(label)


@pytest.mark.parametrize("label", ["0", "none", "no", "unknown", "-", "Nancy", "nano"])
def test_texts_that_may_be_a_class(label):
    assert not is_missing(label)


NUMBERS = tuple(map(str, range(12)))


def csv_of(folder, names):
    rows = "".join(f"{i},{name}\n" for i, name in enumerate(names * 2))
    (folder / "a.csv").write_text("a,kind\n" + rows)
    return Csv("a.csv", test=0.0)


def npz_of(folder, names):
    np.savez(folder / "a.npz", x=np.zeros((len(names) * 2, 3)), y=np.array(names * 2))
    return Npz("a.npz", test=0.0)


def bytes_of(folder, names):
    np.savez(folder / "a.npz", x=np.zeros((len(names) * 2, 3)), y=np.array([name.encode() for name in names * 2]))
    return Npz("a.npz", test=0.0)


def images_of(folder, names):
    pillow = pytest.importorskip("PIL.Image", reason="Pillow reads images")
    for name in names:
        (folder / name).mkdir()
        pillow.new("RGB", (4, 4)).save(folder / name / "a.png")
    return Images(".", test=0.0)


SOURCES = (csv_of, npz_of, bytes_of, images_of)


@pytest.mark.parametrize("make", SOURCES)
@pytest.mark.parametrize("names", [NUMBERS, ("b", "a", "10", "2"), ("Ö", "z", "日本", "A b")])
def test_every_source_has_the_same_order(make, names, tmp_path):
    found = load(Data(source=make(tmp_path, names[::-1]), validation=0.0), root=tmp_path)
    assert found.classes == in_order(names)
    assert np.bincount(found.train.y).min() == np.bincount(found.train.y).max()


@pytest.mark.parametrize("make", SOURCES)
def test_labels_keep_their_meaning(make, tmp_path):
    source = make(tmp_path, ("b", "a", "c"))
    found = load(Data(source=source, validation=0.0), root=tmp_path)
    stored = ["a", "b", "c"] if make is images_of else ["b", "a", "c"] * 2
    assert [found.classes[k] for k in found.train.y] == stored


def test_every_process_has_the_same_order(tmp_path):
    """Three labels that are one number, and a text of which each process makes another hash."""
    (tmp_path / "a.csv").write_text("a,y\n" + "".join(f"{i},{['1', '1.0', '01', '2'][i % 4]}\n" for i in range(40)))
    program = (
        "from cnnspec.data.load import load; from cnnspec.settings.data import *\n"
        f"found = load(Data(source=Csv('a.csv')), root={str(tmp_path)!r})\n"
        "print(found.classes, found.train.y.tolist())"
    )

    def told(seed):
        environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
        done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    first = told(1)
    assert first.startswith("('1', '2')") and told(2) == first and told(3) == first

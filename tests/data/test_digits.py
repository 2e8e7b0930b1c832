"""The shipped digits: what they are, and that they are MNIST's."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

import cnnspec.data
from cnnspec.data.digits.make import choose, make
from cnnspec.data.formats.idx import read_idx
from cnnspec.data.load import load
from cnnspec.data.sources.fetch import MNIST
from cnnspec.settings.data import Data, Mnist

FOLDER = Path(cnnspec.data.__file__).parent / "digits"
CONTENT = {  # SHA-256 of MNIST's files without their gzip
    "train-images-idx3-ubyte.gz": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte.gz": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte.gz": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte.gz": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


@pytest.fixture(scope="module")
def mnist() -> Path:
    """The folder of the real MNIST, where there is one."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    for place in filter(None, (os.environ.get("CNNSPEC_DATA"), beside)):
        for folder in (Path(place) / "mnist", Path(place)):
            if all((folder / name).is_file() for name in MNIST.files):
                return folder
    pytest.skip("the real MNIST is not here; name its folder in CNNSPEC_DATA")


def test_they_are_few_balanced_and_small():
    found = load(Data(validation=0))
    assert found.train.x.shape == (5000, 1, 28, 28) and found.test.x.shape == (1000, 1, 28, 28)
    assert np.bincount(found.train.y).tolist() == [500] * 10
    assert np.bincount(found.test.y).tolist() == [100] * 10
    assert found.classes == tuple("0123456789")
    assert str(found.input_type) == "1x28x28"
    assert sum(file.stat().st_size for file in FOLDER.iterdir() if file.is_file()) < 1.3e6


def test_no_image_is_there_twice():
    found = load(Data(validation=0))
    images = np.concatenate([found.train.x, found.test.x]).reshape(6000, -1)
    assert len(np.unique(images, axis=0)) == 6000


def test_attribution_and_licence_lie_beside_them():
    page = (FOLDER / "README.md").read_text()
    assert all(word in page for word in ("Yann LeCun", "Corinna Cortes", "CC BY-SA 3.0", "MNIST"))


def test_choose_spreads_over_the_file_and_keeps_its_order():
    labels = np.array([0, 1, 0, 1, 0, 0])
    assert choose(labels, 1).tolist() == [0, 1]
    assert choose(labels, 2).tolist() == [0, 1, 3, 4]


def test_the_script_makes_the_shipped_arrays_from_the_real_files(mnist):
    for name, array in make(mnist).items():
        np.testing.assert_array_equal(array, read_idx(FOLDER / name), strict=True)


def test_the_real_files_are_mnist_and_load(mnist):
    for name in ("train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"):
        array = read_idx(mnist / name)
        head = bytes((0, 0, 8, array.ndim)) + b"".join(n.to_bytes(4, "big") for n in array.shape)
        assert hashlib.sha256(head + array.tobytes()).hexdigest() == CONTENT[name]
    found = load(Data(source=Mnist()), folder=mnist)
    assert (len(found.train), len(found.validation), len(found.test)) == (54_000, 6_000, 10_000)

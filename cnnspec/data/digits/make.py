"""Makes the shipped digits out of MNIST: python -m cnnspec.data.digits.make FOLDER_OF_MNIST

From the training set of MNIST 500 images of each digit, from its test set 100 of each, spread evenly over
the file and kept in its order. Spread, since the second half of the test set is the harder one: its
writers were students, those of the first half clerks.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from cnnspec.data.formats.idx import read_idx, write_idx

PARTS = (("train", 500), ("t10k", 100))


def choose(labels: np.ndarray, each: int) -> np.ndarray:
    """Positions of `each` images of every digit, spread evenly over the file, in its order.

    choose([0, 1, 0, 1, 0, 0], 1) -> [0, 1];  choose([0, 1, 0, 1, 0, 0], 2) -> [0, 1, 3, 4]
    """
    positions = [np.flatnonzero(labels == digit) for digit in np.unique(labels)]
    return np.sort(np.concatenate([found[np.arange(each) * len(found) // each] for found in positions]))


def make(mnist: Path) -> dict[str, np.ndarray]:
    """The four arrays by the names of their files."""
    made = {}
    for part, each in PARTS:
        images, labels = (f"{part}-images-idx3-ubyte.gz", f"{part}-labels-idx1-ubyte.gz")
        y = read_idx(mnist / labels)
        chosen = choose(y, each)
        made[images], made[labels] = read_idx(mnist / images)[chosen], y[chosen]
    return made


if __name__ == "__main__":
    for name, array in make(Path(sys.argv[1])).items():
        write_idx(Path(__file__).parent / name, array)

"""A day with two inputs and two answers by their names; see test_kinds.py for a day of each kind."""

from __future__ import annotations

import numpy as np

DRAW = np.random.default_rng(0)


def moved(day, run):
    """The run in another folder, where neither spec nor data are."""
    there = day.folder.parent / "there"
    there.mkdir()
    (day / "runs" / run).rename(there / run)
    return there / run


def test_a_pair_by_names_and_two_answers(day):
    a, b = DRAW.integers(0, 2, (2, 150))
    left, right = (
        (DRAW.normal(0, 0.1, (150, 4)) + np.where(which, 1, -1)[:, None]).astype(np.float32) for which in (a, b)
    )
    where = np.where(a, "up", "down")
    np.savez(day / "pairs.npz", left=left, right=right, same=(a == b).astype(np.float32), where=where)
    day.write("pair.cnn", """input 4 as left
input 4 as right
net look = dense 4 -> tanh
@left -> look as seen
net same = mul( @seen | @right -> look ) -> dense 1 -> sigmoid
net where = @seen -> dense 2 -> softmax
data { source npz "pairs.npz" }
train { cost binary_cross_entropy of same ; cost cross_entropy of where ; optimiser adam lr 5e-2 ; epochs 20 }
""")  # fmt: skip
    day.well("check", "pair.cnn")
    assert day.well("run", "pair.cnn", "--workers", 1).number("test accuracy") == 1.0
    run = moved(day, "pair-001")
    for one, k in zip(day.well("predict", run, "pairs.npz", "--json").json(), range(20), strict=False):
        assert one["outputs"]["where"]["best"][0][0] == where[k]
        assert (one["outputs"]["same"]["output"][0] > 0.5) == (a[k] == b[k])
    day.write("pair.py", """import numpy as np, cnnspec
found = cnnspec.open("there/pair-001").predict({"left": np.ones((1, 4)), "right": -np.ones((1, 4))})
assert found["same"][0, 0] < 0.5 and found["where"][0].argmax() == 1, found
""")  # fmt: skip
    day.python(f"import os; os.chdir({str(day.folder.parent)!r}); exec(open('work/pair.py').read())")

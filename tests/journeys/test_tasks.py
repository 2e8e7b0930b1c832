"""Days with other tasks than one class for an image: a mask, the image itself, two inputs, two answers."""

from __future__ import annotations

import numpy as np

DRAW = np.random.default_rng(0)


def moved(day, run):
    """The run in another folder, where neither spec nor data are."""
    there = day.folder.parent / "there"
    there.mkdir()
    (day / "runs" / run).rename(there / run)
    return there / run


def test_masks_are_learnt_and_given_for_a_new_image(day):
    x = DRAW.random((60, 1, 8, 8)).astype(np.float32)
    np.savez(day / "scans.npz", scan=x, mask=(x[:, 0] > 0.5).astype(np.uint8))
    day.write("cells.cnn", """conv 2x1x1 -> softmax
data { source npz "scans.npz" images "scan" labels "mask" ; augment flip }
train { optimiser adam lr 0.1 ; batch 8 ; epochs 12 }
""")  # fmt: skip
    day.well("check", "cells.cnn")
    assert day.well("run", "cells.cnn", "--workers", 1).number("test accuracy") > 0.9
    run = moved(day, "cells-001")
    np.save(day / "new.npy", np.linspace(0, 1, 64, dtype="f4").reshape(1, 8, 8))
    (answer,) = day.well("predict", run, "new.npy", "--json").json()
    mask = np.argmax(answer["output"], axis=0).ravel()
    assert mask[0] == 0 and mask[-1] == 1 and (np.diff(mask) >= 0).all()


def test_an_autoencoder_gives_back_what_it_was_given(day):
    parts = DRAW.random((3, 40))
    x = (DRAW.random((200, 3)) @ parts).astype(np.float32)  # 40 numbers that are 3
    np.savez(day / "signals.npz", x=x)
    day.write("squeeze.cnn", """dense 3 -> dense 40
data { source npz "signals.npz" ; target itself ; validation 0 }
train { cost mse ; optimiser adam lr 2e-2 ; schedule cosine ; batch 20 ; epochs 60 }
""")  # fmt: skip
    day.well("check", "squeeze.cnn")
    cost = day.well("run", "squeeze.cnn", "--workers", 1).number("test cost")
    assert cost < 0.02 * x.var()
    np.save(day / "new.npy", x[:2])
    answers = day.well("predict", moved(day, "squeeze-001"), "new.npy", "--json").json()
    assert np.mean((np.array([answer["output"] for answer in answers]) - x[:2]) ** 2) < 0.1 * x.var()


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

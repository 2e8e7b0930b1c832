"""Networks with several inputs or outputs: arrays by their names, for a run as for `fit`."""

from __future__ import annotations

import json

import numpy as np
import pytest

import cnnspec
from cnnspec.cli import run as command
from cnnspec.data.dataset import Scaling
from cnnspec.data.several import load_several
from cnnspec.data.sources.by_name import Wanted, describe_several
from cnnspec.diagnostics import SpecError
from cnnspec.settings.data import Data, Npz

RANDOM = np.random.default_rng(0)
COUNT = 120
A, B = RANDOM.integers(0, 2, (2, COUNT))
LEFT, RIGHT = (
    (RANDOM.normal(0, 0.1, (COUNT, 1, 4, 4)) + np.where(which, 1, -1)[:, None, None, None]).astype(np.float32)
    for which in (A, B)
)
SAME = (A == B).astype(np.int64)

SIAMESE = """input 1x4x4 as left
input 1x4x4 as right
net look = dense 4 -> tanh
mul( @left -> look | @right -> look ) -> dense 1 -> sigmoid
data { source npz "pairs.npz" ; validation 10% }
train { optimiser adam lr 5e-2 ; batch 16 ; epochs 12 }
"""
CONVOLVED = SIAMESE.replace("look = dense", "look = conv 3x3x3 -> gap -> dense")
HEADS = """input 1x4x4
dense 8 -> relu as trunk
net side = @trunk -> dense 2 -> softmax
net level = @trunk -> dense 1
data { source npz "heads.npz" }
train { cost cross_entropy of side ; cost mse of level ; optimiser adam lr 2e-2 ; batch 16 ; epochs 25 ; best cost }
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("pairs.npz", left=LEFT, right=RIGHT, y=SAME, notes=np.arange(3))
    np.savez("heads.npz", x=LEFT, side=np.where(A, "up", "down"), level=LEFT.mean(axis=(1, 2, 3)))
    (tmp_path / "pairs.cnn").write_text(SIAMESE)
    (tmp_path / "heads.cnn").write_text(HEADS)
    return tmp_path


def test_arrays_are_found_by_the_names_of_inputs(folder, capsys):
    wanted = Wanted(("left", "right"), ("sigmoid1",))
    settings = Data(source=Npz("pairs.npz"), normalise=True)
    found = load_several(settings, wanted, root=folder)
    assert found.pairs == describe_several(settings, wanted, folder)
    x, y = next(found.train.batches(7, shuffle=True))
    assert list(x) == ["left", "right"] and list(y) == ["sigmoid1"] and x["left"].shape == (7, 1, 4, 4)
    assert len(found.train) + len(found.validation) + len(found.test) == COUNT
    for name in x:
        whole = found.train.scaling[name].apply(found.train.x[name], np.empty((len(found.train), 1, 4, 4)))
        assert abs(whole.mean()) < 1e-5 and abs(whole.std() - 1) < 1e-4
    bytes_ = load_several(Data(source=Npz("b.npz")), wanted, root=_bytes(folder))
    assert bytes_.train.scaling["left"] == Scaling((1 / 255,)) and bytes_.train.scaling["right"] == Scaling()


def _bytes(folder):
    np.savez(folder / "b.npz", left=np.uint8(LEFT > 0) * 200, right=RIGHT, y=SAME)
    return folder


def test_a_pair_by_names_is_trained_moved_and_asked(folder, capsys):
    assert command(["check", "pairs.cnn"]) == 0
    assert command(["run", "pairs.cnn", "--workers", "1"]) == 0
    assert "100.00%" in capsys.readouterr().out
    (folder / "runs").rename(folder / "kept")
    assert command(["eval", "kept/pairs-001", "--data", ".", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] == 1
    (folder / "pairs.npz").rename(folder / "asked.npz")
    (folder / "pairs.cnn").unlink()
    assert command(["predict", "kept/pairs-001", "asked.npz", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    shares = np.array([one["outputs"]["sigmoid1"]["output"][0] for one in told])
    assert ((shares > 0.5) == SAME).all()
    np.savez("short.npz", left=LEFT[:3], right=RIGHT[:2])
    np.savez("half.npz", left=LEFT[:3])
    for name, code in (("short.npz", "CNN409"), ("half.npz", "CNN413")):
        assert command(["predict", "kept/pairs-001", name]) == 1
        assert code in capsys.readouterr().err


def test_two_heads_are_trained_and_named(folder, capsys):
    assert command(["check", "heads.cnn"]) == 0
    assert command(["run", "heads.cnn", "--workers", "1"]) == 0
    assert "100.00%" in capsys.readouterr().out
    np.savez("ask.npz", x=LEFT[:5])
    assert command(["predict", "runs/heads-001", "ask.npz", "--json"]) == 0
    for one, up, image in zip(json.loads(capsys.readouterr().out), A, LEFT, strict=False):
        assert one["outputs"]["side"]["best"][0][0] == ("up" if up else "down")
        assert abs(one["outputs"]["level"]["output"][0] - image.mean()) < 0.3
    assert command(["predict", "runs/heads-001", "ask.npz"]) == 0
    assert "side " in capsys.readouterr().out


def test_a_run_by_names_that_was_interrupted_goes_on_to_the_same_bits(folder):
    whole = cnnspec.run("pairs.cnn", out="a", workers=1, overrides=["train.epochs=3"])

    def stop(event):
        if getattr(event, "step", 0) == 9:
            raise ConnectionError

    with pytest.raises(ConnectionError):
        cnnspec.run("pairs.cnn", out="b", workers=1, overrides=["train.epochs=3"], on_event=stop)
    resumed = cnnspec.resume("b/pairs-001", workers=1)
    assert whole.summary["test_cost"] == resumed.summary["test_cost"]
    np.savez("pairs.npz", left=LEFT, right=LEFT, y=SAME)
    with pytest.raises(SpecError, match="CNN466"):
        cnnspec.resume("b/pairs-001", workers=1)


def test_fit_takes_the_same_names(folder):
    model = cnnspec.compile("heads.cnn")
    side, level = A, LEFT.mean(axis=(1, 2, 3))
    history = model.fit(LEFT, {"side": side, "level": level}, epochs=20)
    assert (
        history.rows[-1].accuracy > 0.95 and model.evaluate(LEFT, {"level": level, "side": side})["accuracy"] > 0.95
    )
    with pytest.raises(SpecError, match="CNN408") as caught:
        model.fit(LEFT, {"side": side})
    assert caught.value.diagnostics[0].help == "give side, level"


@pytest.mark.parametrize(
    "edit, code, told",
    [
        ((CONVOLVED, "1x4x4 as right", "1x4x5 as right"), "CNN408", "the network takes 1x4x5"),
        ((SIAMESE, "dense 1 -> sigmoid", "dense 3 -> softmax"), "CNN410", "3 outputs"),
        ((SIAMESE, 'npz "pairs.npz"', "digits"), "CNN306", "gives one of each"),
        ((SIAMESE, "right", "other"), "CNN413", "y without other"),
        ((SIAMESE, "validation 10%", "augment flip"), "CNN430", "belong together"),
        ((SIAMESE, "validation 10%", "target itself"), "CNN306", "answer its input itself"),
        ((HEADS, "dense 2 -> softmax", "dense 3 -> softmax"), "CNN410", "3 outputs"),
        ((HEADS, "net level", "net height"), "CNN", "height"),
        ((HEADS, "1x4x4", "2x4x4"), "CNN408", "2x4x4"),
    ],
)
def test_check_finds_what_a_run_refuses(folder, capsys, edit, code, told):
    text, old, new = edit
    assert old in text
    (folder / "net.cnn").write_text(text.replace(old, new))
    for words in (["check", "net.cnn"], ["run", "net.cnn", "--workers", "1"]):
        assert command(words) == 1
        said = capsys.readouterr()
        assert code in said.out + said.err and told in said.out + said.err
    assert not (folder / "runs").exists()

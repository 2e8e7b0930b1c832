"""A run that is resumed with more epochs or another rate: what it is then, what is written down and refused."""

import json

import numpy as np
import pytest

import cnnspec
from cnnspec.cli import run as command
from cnnspec.experiment.catalogue import entry
from cnnspec.train.tensors import read

SPEC = """\
input 2
dense 3 -> relu -> dense 2 -> softmax
train { epochs 2 ; batch 8 ; shards 1 ; optimiser sgd lr 0.1 momentum 0.9 }
data { source csv "table.csv" label 3 header on ; validation 25% }
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "table.csv").write_text("a,b,kind\n" + "".join(f"{k},{k % 3},{'ab'[k % 2]}\n" for k in range(40)))
    (tmp_path / "net.cnn").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def resume(folder, *overrides):
    return cnnspec.resume(folder, workers=1, overrides=overrides)


def last(folder):
    return read(folder / "state" / "last.safetensors").arrays


def same(a, b):
    ours, theirs = last(a), last(b)
    names = [name for name in ours if name != "progress"]  # which tells the time
    return ours.keys() == theirs.keys() and all(np.array_equal(ours[name], theirs[name]) for name in names)


def test_a_run_that_is_extended_is_the_longer_run(here):
    """To the same bits, since nothing of the first epochs knows how many there will be; and it goes on further."""
    long = cnnspec.run("net.cnn", overrides=["train.epochs=6"], workers=1)
    short = cnnspec.run("net.cnn", workers=1)
    resume(short.folder, "train.epochs=4")
    resume(short.folder, "train.epochs=6")
    assert same(long.folder, short.folder)
    settings = json.loads((short.folder / "settings.json").read_text())
    assert settings["set"] == ["train.epochs=4", "train.epochs=6"] and settings["train"]["epochs"] == 6
    assert settings["changed"] == [
        {"step": 8, "set": ["train.epochs=4"]}, {"step": 16, "set": ["train.epochs=6"]},
    ]  # fmt: skip
    assert entry(short.folder).figures["epochs"] == 6
    with short.open() as model:
        assert model.predict(np.ones((1, 2), np.float32)).shape == (1, 2)


def test_fewer_epochs_than_are_done_are_refused_and_the_run_stays_as_it_ended(here, capsys):
    run = cnnspec.run("net.cnn", workers=1)
    before = {path: path.read_bytes() for path in sorted(run.folder.rglob("*")) if path.is_file()}
    assert command(["run", "--resume", str(run.folder), "--epochs", "1", "--workers", "1"]) == 1
    said = capsys.readouterr().err
    assert "error[CNN460]" in said and "2 epochs are done, and the training has 1" in said and "--epochs 2" in said
    assert {path: path.read_bytes() for path in sorted(run.folder.rglob("*")) if path.is_file()} == before


def test_a_rate_is_changed_and_told_in_the_results(here):
    ran = cnnspec.run("net.cnn", workers=1)
    assert command(["run", "--resume", str(ran.folder), "--epochs", "4", "--lr", "0.01", "--workers", "1"]) == 0
    assert entry(ran.folder).columns["rate"] == [0.1, 0.1, 0.01, 0.01]
    assert entry(ran.folder).settings["train.optimiser.lr"] == 0.01
    assert entry(ran.folder).settings["train.optimiser.momentum"] == 0.9
    assert command(["eval", str(ran.folder)]) == 0  # whose best weights may be from before


def test_a_run_that_was_changed_and_stopped_goes_on_as_it_was_changed(here):
    """Killed after the change was written down and before the next state, which is why both are accepted."""
    from cnnspec.train.loop import Started

    class Killed(Exception):
        pass

    def kill(event):
        if isinstance(event, Started):
            raise Killed

    whole, killed = cnnspec.run("net.cnn", workers=1), cnnspec.run("net.cnn", workers=1)
    state = (killed.folder / "state" / "last.safetensors").read_bytes()
    with pytest.raises(Killed):
        cnnspec.resume(killed.folder, workers=1, overrides=["train.epochs=4"], on_event=kill)
    (killed.folder / "state" / "last.safetensors").write_bytes(state)
    resume(killed.folder)
    resume(whole.folder, "train.epochs=4")
    assert same(whole.folder, killed.folder)


@pytest.mark.parametrize(
    "kept", ["train.batch=4", "train.seed=1", "data.limit=9", "train.optimiser=adam", "train.shards=2"]
)
def test_what_would_make_it_another_run_is_refused(here, kept, capsys):
    ran = cnnspec.run("net.cnn", workers=1)
    with pytest.raises(ValueError, match="a resumed run keeps its settings"):
        resume(ran.folder, kept)
    assert command(["run", "--resume", str(ran.folder), "--set", kept]) == 2
    name = kept.partition("=")[0]
    said = " ".join(capsys.readouterr().err.split())
    assert f"a resumed run keeps its settings, and so its {name}: begin a new run for it" in said


def test_what_the_state_cannot_go_on_with_changes_nothing(here):
    """Fewer epochs than are done, moments that were not kept, a value that is none: each file is as it was."""
    ran = cnnspec.run("net.cnn", workers=1)
    before = {path: path.read_bytes() for path in (ran.folder / "settings.json", ran.folder / "results.csv")}
    for change, code in (
        ("train.epochs=1", "CNN460"), ("train.optimiser.momentum=0", "CNN460"), ("train.epochs=x", "CNN203"),
    ):  # fmt: skip
        with pytest.raises(cnnspec.SpecError) as refused:
            resume(ran.folder, change)
        assert [one.code for one in refused.value.diagnostics] == [code], change
    assert all(path.read_bytes() == content for path, content in before.items())
    assert resume(ran.folder, "train.epochs=3").summary["epochs"] == 3


def test_short_forms_of_run_are_settings(here):
    assert command(["run", "net.cnn", "--epochs", "1", "--batch", "16", "--lr", "1e-5", "--workers", "1"]) == 0
    settings = json.loads((here / "runs" / "net-001" / "settings.json").read_text())
    assert settings["set"] == ["train.epochs=1", "train.batch=16", "train.optimiser.lr=1e-05"]
    train = settings["train"]
    assert (train["epochs"], train["batch"], train["optimiser"]["lr"]) == (1, 16, 1e-5)
    assert train["optimiser"]["momentum"] == 0.9


def test_a_short_form_with_a_value_that_is_none_is_a_finding(here, capsys):
    for value in ("nan", "0", "-1"):
        assert command(["run", "net.cnn", "--lr", value]) == 1
        assert "error[CNN" in capsys.readouterr().err
    assert command(["run", "net.cnn", "--epochs", "x"]) == 2

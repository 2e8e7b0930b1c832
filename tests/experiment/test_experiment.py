"""`cnnspec.run`, `resume`, `open` from Python: the run of the command line, observed, stopped, gone on with."""

import json
import re
import signal
import threading
from pathlib import Path

import numpy as np
import pytest

import cnnspec
from cnnspec.cli import run as command
from cnnspec.experiment.experiment import Execution, Experiment
from cnnspec.train.loop import EpochDone, Finished, Interrupted, SaveDue, Started, StepDone

SPEC = """\
conv 4x3x3 stride 2 -> relu -> maxpool 2 -> dropout 0.1 -> dense 10 -> softmax
data { source digits ; limit 300 }
train { epochs 2 ; batch 32 ; seed 4 ; shards 2 }
"""
STEPS = 9  # of an epoch


@pytest.fixture
def net(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "net.cnn"
    path.write_text(SPEC)
    return path


def weights_of(folder):
    return {path.name: path.read_bytes() for path in (folder / "weights").iterdir()}


def kept(folder):
    """All of a run that does not tell the time, by file."""
    found = weights_of(folder)
    found |= {name: (folder / name).read_bytes() for name in ("net.cnn", "statistics.jsonl", "settings.json")}
    rows = [line.split(",") for line in (folder / "results.csv").read_text().splitlines()]
    timed = [k for k, name in enumerate(rows[0]) if "second" in name]
    found["results.csv"] = [[cell for k, cell in enumerate(row) if k not in timed] for row in rows]
    summary = json.loads((folder / "summary.json").read_text())
    return found | {"summary": {name: value for name, value in summary.items() if "second" not in name}}


def test_the_same_run_from_python_and_from_the_command_line_gives_the_same_bits(net, capfd):
    """Settings, weights, statistics and results alike; from Python nothing is printed."""
    ran = cnnspec.run(net, overrides=["train.epochs=1"], seed=9, workers=1)
    assert capfd.readouterr() == ("", "")
    assert command(["run", "net.cnn", "--set", "train.epochs=1", "--seed", "9", "--workers", "2"]) == 0
    ours, theirs = kept(ran.folder), kept(net.parent / "runs" / "net-002")
    assert len(ours) == 7
    assert ours == theirs
    assert ran.summary == json.loads((ran.folder / "summary.json").read_text())


def test_a_run_is_shown_in_two_lines_and_opened_with_its_classes(net):
    ran = cnnspec.run(str(net), overrides=("train.epochs=1",), workers=1)
    said = ran.summary
    assert repr(ran).splitlines() == [
        f"Run {ran.folder}: finished after 1 epoch, {said['seconds']:.1f} s",
        f"  test: accuracy {said['test_accuracy']:.2%}, cost {said['test_cost']:.4f} (best weights)",
    ]
    history = ran.history
    assert repr(history).startswith("History of 1 epoch, the best 1\n  epoch 1/1  cost ")
    assert history["rate"] == ran.history["rate"] and history.best_epoch == said["best_epoch"]
    lines = (ran.folder / "results.csv").read_text().splitlines(keepends=True)
    assert [row.line() for row in history.rows] == lines[1:]
    with ran.open() as model, cnnspec.open(ran.folder / "weights" / "best.safetensors") as same:
        images = np.random.default_rng(0).integers(0, 256, (5, 1, 28, 28), np.uint8)
        found = model.classify(images)
        assert found == same.classify(images)
        outputs = model.predict(model.prepare(images))
        for shares, row in zip(found, outputs, strict=True):
            assert list(shares) == [str(k) for k in np.argsort(-row, kind="stable")]
            assert [shares[str(k)] for k in range(10)] == pytest.approx(row.tolist())
        assert [list(one.items()) for one in model.classify(images, top=2)] == [
            list(one.items())[:2] for one in found
        ]


def test_what_the_api_gives_back_shows_itself_in_a_few_lines(net):
    """Names of files are quoted, since a repr is shown on a terminal."""
    text = "input 1x8x8\nconv 4x3x3 -> relu -> dense 2 -> softmax"
    model = cnnspec.compile(text=text, batch=4, seed=0)
    assert repr(model) == "Model <text>: 1x8x8 -> 2, 330 parameters, 0 steps taken"
    rows = []
    history = model.fit(np.ones((8, 1, 8, 8)), np.arange(8) % 2, epochs=3, on_epoch=rows.append)
    head, *shown = repr(history).splitlines()
    assert head == f"History of 3 epochs, the best {history.best_epoch}"
    assert shown[-1].strip() == rows[-1].told(3) and shown[-1].startswith("  epoch 3/3  cost 0.")
    assert len(shown) == 1 + (history.best_epoch != 3)
    assert "330 parameters, 6 steps" in repr(model)
    assert repr(cnnspec.check(text=text)) == "Report <text>: 0 errors, 0 warnings"
    bad = net.parent / "a\x1b[31m.cnn"
    bad.write_text("input 1x8x8\nconvv 4x3x3")
    found = repr(cnnspec.check(bad))
    assert "1 error, 0 warnings\n  CNN201 " in found and "\x1b" not in found


def test_no_fewer_than_one_class_is_named(net):
    with cnnspec.run(net, overrides=["train.epochs=1"], workers=1).open() as model:
        for top in (0, -1):
            with pytest.raises(ValueError, match="top="):
                model.classify(np.zeros((1, 1, 28, 28), np.uint8), top=top)
        assert model.classify(np.zeros((0, 1, 28, 28), np.uint8)) == []
        assert len(model.classify(np.zeros((1, 1, 28, 28), np.uint8), top=99)[0]) == 10


def test_budgets_that_are_missed_are_told_and_raise_nothing(net):
    """The run is whole and can be used; what fails a command is for a program to judge."""
    net.write_text(SPEC + "expect { accuracy >= 99.9% ; cost <= 100 }\n")
    ran = cnnspec.run(net, overrides=["train.epochs=1"], workers=1)
    assert [found.code for found in ran.missed] == ["CNN608"]
    assert repr(ran).endswith(f"missed: {ran.missed[0].message}") and "99.90%" in repr(ran)
    net.write_text(SPEC + "expect { cost <= 100 }\n")
    assert cnnspec.run(net, overrides=["train.epochs=1"], workers=1).missed == ()


def test_an_experiment_runs_once(net):
    """A second run would write over the first one's folder."""
    with Experiment.begin(net, ("train.epochs=1",), execution=Execution(workers=1)) as experiment:
        experiment.run()
        assert experiment.folder is not None
        before = weights_of(experiment.folder.path)
        with pytest.raises(RuntimeError, match="once"):
            experiment.run()
        assert weights_of(experiment.folder.path) == before


def test_the_api_is_what_dir_shows():
    assert set(cnnspec.__all__) < set(dir(cnnspec))
    assert all(getattr(cnnspec, name) is not None for name in dir(cnnspec))
    assert (Path(cnnspec.__file__).parent / "py.typed").is_file()


def test_numbers_are_no_classes_to_name(net):
    np.savez(net.parent / "n.npz", x=np.random.default_rng(1).random((40, 3), np.float32), y=np.zeros((40, 2)))
    net.write_text('dense 2\ndata { source npz "n.npz" }\ntrain { epochs 1 ; batch 8 ; cost mse }\n')
    with cnnspec.run(net, workers=1).open() as model, pytest.raises(cnnspec.SpecError, match="CNN428"):
        model.classify(np.zeros((1, 3), np.float32))


def test_events_come_in_order_and_the_folder_stands_before_the_first(net):
    """A network that takes part in another program sees each step, and may read the run's files meanwhile."""
    heard = []

    def hear(event):
        heard.append(type(event))
        assert (net.parent / "out" / "net-001" / "settings.json").is_file()

    ran = cnnspec.run(net, out="out", workers=1, on_event=hear)
    epoch = [*[StepDone] * STEPS, EpochDone, SaveDue]
    assert heard == [Started, *epoch, *epoch, Finished]
    assert not ran.summary["stopped_early"]


@pytest.mark.parametrize(
    "kind, epochs, step", [(Started, 0, 0), (StepDone, 1, STEPS + 3), (EpochDone, 1, STEPS), (SaveDue, 1, STEPS)]
)
def test_a_callback_that_returns_false_stops_and_the_run_is_tested(net, kind, epochs, step):
    """After any event: what was learnt is tested and saved, and a resumed run goes on to the same bits."""
    whole = cnnspec.run(net, workers=1, out="whole")
    heard = []

    def stop(event):
        heard.append(event)
        return not (isinstance(event, kind) and getattr(event, "step", 0) == step)

    ran = cnnspec.run(net, workers=1, on_event=stop)
    assert isinstance(heard[-1], kind)
    assert ran.summary["status"] == "finished" and ran.summary["stopped_early"]
    assert ran.summary["epochs"] == epochs and ran.summary["test_cost"] is not None
    ended = cnnspec.resume(ran.folder, workers=1)
    assert kept(ended.folder)["last.safetensors"] == kept(whole.folder)["last.safetensors"]
    assert kept(ended.folder)["results.csv"] == kept(whole.folder)["results.csv"]
    assert ended.summary["test_cost"] == whole.summary["test_cost"]


def test_none_and_other_answers_of_a_callback_do_not_stop(net):
    """Only False does: a callback that gives back 0 or an empty list meant nothing by it."""
    for answer in (None, 0, [], True):
        ran = cnnspec.run(net, overrides=["train.epochs=1"], workers=1, on_event=lambda event, a=answer: a)
        assert not ran.summary["stopped_early"]


def test_every_observer_hears_an_event_that_stops(net):
    """The statistics of an epoch are written though a callback stops the training there."""
    ran = cnnspec.run(net, workers=1, on_event=lambda event: not isinstance(event, EpochDone))
    assert len((ran.folder / "statistics.jsonl").read_text().splitlines()) == 1


def test_a_callback_that_raises_leaves_a_run_that_goes_on(net, capfd):
    whole = cnnspec.run(net, workers=1, out="whole")

    class Mine(Exception):
        pass

    def fail(event):
        if isinstance(event, StepDone) and event.step == STEPS + 2:
            raise Mine

    with pytest.raises(Mine):
        cnnspec.run(net, workers=1, on_event=fail)
    folder = net.parent / "runs" / "net-001"
    assert json.loads((folder / "summary.json").read_text())["status"] == "interrupted"
    ended = cnnspec.resume(folder, workers=2)
    assert kept(ended.folder)["best.safetensors"] == kept(whole.folder)["best.safetensors"]
    assert capfd.readouterr() == ("", "")


def test_ctrl_c_is_a_keyboard_interrupt_after_a_saved_step(net):
    def press(event):
        if isinstance(event, StepDone) and event.step == 4:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt) as caught:
        cnnspec.run(net, workers=1, on_event=press)
    assert isinstance(caught.value, Interrupted) and caught.value.step == 4
    started = []
    cnnspec.resume(caught.value.folder, workers=1, on_event=lambda event: started.append(event))
    assert started[0].step == 4
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_is_not_lost_where_the_callback_stops(net):
    """Both at one step: the run is interrupted, and can be resumed from there."""

    def press(event):
        if isinstance(event, StepDone) and event.step == 4:
            signal.raise_signal(signal.SIGINT)
            return False

    with pytest.raises(Interrupted) as caught:
        cnnspec.run(net, workers=1, on_event=press)
    assert caught.value.step == 4
    assert json.loads((caught.value.folder / "summary.json").read_text())["status"] == "interrupted"


def test_signals_are_answered_as_before_after_a_run_that_was_stopped(net):
    before = signal.getsignal(signal.SIGINT)
    cnnspec.run(net, workers=1, on_event=lambda event: not isinstance(event, StepDone))
    assert signal.getsignal(signal.SIGINT) is before


def test_runs_of_several_threads_at_once(net):
    """Each in a folder of its own, each the run that it is alone."""
    alone, found = cnnspec.run(net, workers=1), []
    threads = [threading.Thread(target=lambda: found.append(cnnspec.run(net, workers=1))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ran.folder.name for ran in found) == ["net-002", "net-003", "net-004"]
    for ran in found:
        assert kept(ran.folder) == kept(alone.folder)


def test_a_run_from_another_folder_finds_the_data_of_its_spec(net, monkeypatch):
    """Data lie beside the spec, runs where the program stands; both may move before it goes on."""
    rng = np.random.default_rng(2)
    np.savez(net.parent / "own.npz", x=rng.integers(0, 256, (60, 1, 8, 8), np.uint8), y=np.arange(60) % 3)
    net.write_text(
        'conv 2x3x3 -> relu -> dense 3 -> softmax\ndata { source npz "own.npz" }\ntrain { epochs 2 ; batch 8 }\n'
    )
    elsewhere = net.parent / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    ran = cnnspec.run("../net.cnn", workers=1, on_event=lambda event: not isinstance(event, EpochDone))
    assert ran.folder.resolve() == elsewhere / "runs" / "net-001"
    (net.parent / "moved").mkdir()
    (net.parent / "own.npz").rename(net.parent / "moved" / "own.npz")
    monkeypatch.chdir(net.parent)
    with pytest.raises(cnnspec.SpecError, match=re.escape("own.npz")):
        cnnspec.resume("elsewhere/runs/net-001", workers=1)
    ended = cnnspec.resume("elsewhere/runs/net-001", data="moved", workers=1)
    assert ended.summary["epochs"] == 2 and not ended.summary["stopped_early"]


def test_weights_to_begin_with(net):
    first = cnnspec.run(net, overrides=["train.epochs=1"], workers=1)
    weights = first.folder / "weights" / "best.safetensors"
    cost = first.summary["test_cost"]
    again = cnnspec.run(net, weights=weights, workers=1, on_event=lambda event: False)
    assert again.summary["test_cost"] == pytest.approx(cost)
    net.write_text(SPEC.replace("conv 4", "conv 5"))
    with pytest.raises(cnnspec.SpecError, match="is 4x1x3x3 there"):
        cnnspec.run(net, weights=weights, workers=1)
    assert len(list((net.parent / "runs").iterdir())) == 2  # a run that is refused leaves no folder
    with Experiment.begin(net, execution=Execution(workers=1)) as experiment:
        assert experiment.start() is experiment.start()


@pytest.mark.parametrize(
    "how, error, said",
    [
        ({"overrides": ["train.epoks=3"]}, cnnspec.SpecError, "no setting `epoks`"),
        ({"overrides": "train.epochs=3"}, ValueError, "sequence of settings"),
        ({"seed": -1}, cnnspec.SpecError, "seed"),
        ({"overrides": {"train.epochs": 3}}, ValueError, "sequence of settings"),
        ({"overrides": [("train.epochs", 3)]}, ValueError, "sequence of settings"),
        ({"workers": 0}, ValueError, "from 1 to 256"),
        ({"workers": -2}, ValueError, "from 1 to 256"),
        ({"workers": 1.5}, ValueError, "from 1 to 256"),
        ({"workers": "2"}, ValueError, "from 1 to 256"),
        ({"parallel": "gpu"}, ValueError, "processes or threads"),
        ({"engine": "torch"}, ValueError, "numpy or jax"),
        ({"partial": True}, ValueError, "weights"),
        ({"devices": 2}, ValueError, "of the engine jax"),
        ({"engine": "jax", "devices": 0}, ValueError, "1 at least"),
        ({"weights": "none.safetensors"}, cnnspec.SpecError, "none.safetensors"),
        ({"data": "nowhere", "overrides": ["data.source=mnist"]}, cnnspec.SpecError, "mnist"),
        ({"out": "net.cnn"}, cnnspec.SpecError, "net.cnn"),
        ({"out": "a\0b"}, cnnspec.SpecError, "CNN305.*null byte"),
        ({"out": "a\ud800b"}, cnnspec.SpecError, "CNN305.*surrogates"),
        ({"spec": "none.cnn"}, cnnspec.SpecError, "none.cnn"),
        ({"spec": "."}, cnnspec.SpecError, "folder"),
    ],
)
def test_mistakes_are_told_before_anything_is_written(net, how, error, said):
    with pytest.raises(error, match=said):
        cnnspec.run(**{"spec": net, "workers": 1, **how})
    assert not (net.parent / "runs").exists()


def test_what_is_no_run_is_not_gone_on_with(net):
    for ask in (cnnspec.resume, cnnspec.open):
        for place in (".", "nowhere", "net.cnn"):
            with pytest.raises(cnnspec.SpecError):
                ask(place)

"""Statistics and pictures of a run: right, quick, and never in the way of the training."""

import json
import sys
import time

import numpy as np
import pytest
from click.testing import CliRunner
from pace import took_under

import cnnspec
from cnnspec.cli import program
from cnnspec.data.dataset import Split
from cnnspec.experiment.statistics import StatisticsLog, array_statistics, ratio, read
from cnnspec.report import plots
from cnnspec.report.plots import draw_run
from cnnspec.report.tiles import filter_tiles
from cnnspec.train.loop import TrainingConfig, fit

TEXT = "input 1x8x8\nconv 3x3x3 -> bn -> relu -> dropout 20% -> dense 4 -> softmax\ntrain { optimiser sgd lr 0.1 }"
SPEC = """conv 4x3x3 stride 2 -> bn -> relu -> conv 6x3x3 stride 2 -> relu -> dense 10 -> softmax
train { epochs 2 ; batch 200 }
"""


@pytest.fixture
def images():
    generator = np.random.default_rng(0)
    return Split(generator.normal(size=(60, 1, 8, 8)).astype(np.float32), generator.integers(0, 4, 60))


def trained(images, epochs=2, batch=20, on_event=None):
    model = cnnspec.compile(text=TEXT, batch=batch)
    fit(model, images, TrainingConfig(epochs=epochs, batch=batch), on_event=on_event)
    return model


def test_a_training_that_is_written_down_ends_in_the_same_bits(images, tmp_path):
    alone = trained(images)
    model = cnnspec.compile(text=TEXT, batch=20)
    journal = StatisticsLog(model, tmp_path, images)
    fit(model, images, TrainingConfig(epochs=2, batch=20), on_event=journal)
    assert journal.problem == ""
    for name in alone.parameters:
        assert (alone.parameters[name] == model.parameters[name]).all()


def test_the_journal_has_a_line_an_epoch_that_says_what_is_there(images, tmp_path):
    model = cnnspec.compile(text=TEXT, batch=20)
    journal = StatisticsLog(model, tmp_path, images)
    fit(model, images, TrainingConfig(epochs=3, batch=20), on_event=journal)
    entries = read(tmp_path / "statistics.jsonl")
    assert [entry["epoch"] for entry in entries] == [1, 2, 3]
    last = entries[-1]
    weight = model.parameters["conv1.weight"]
    assert last["weights"]["conv1.weight"]["mean"] == pytest.approx(weight.mean(), rel=1e-6)
    assert last["weights"]["conv1.weight"]["quantiles"][3] == pytest.approx(np.median(weight), rel=1e-6)
    assert set(last["gradients"]) == set(last["weights"]) == {n for n in model.parameters if "running" not in n}
    assert set(last["activations"]) == set(model.graph.nodes)
    x, _ = next(iter(images.batches(32)))
    assert last["activations"]["relu1"]["mean"] == pytest.approx(model.activations(x)["relu1"].mean(), rel=1e-5)


def test_an_update_is_that_of_the_last_step(images, tmp_path):
    """With sgd and no momentum the last step is rate times gradient."""
    model = cnnspec.compile(text=TEXT.replace(" -> dropout 20%", "").replace("-> bn ", ""), batch=30)
    seen = {}
    journal = StatisticsLog(model, tmp_path, images)

    def hear(event):
        name = type(event).__name__
        if name == "StepDone" and event.step == 1:
            seen["before"] = model.parameters["conv1.weight"]
        journal(event)

    fit(model, images, TrainingConfig(epochs=1, batch=30), on_event=hear)
    moved = np.linalg.norm(model.parameters["conv1.weight"] - seen["before"]) / np.linalg.norm(seen["before"])
    assert read(tmp_path / "statistics.jsonl")[0]["updates"]["conv1.weight"] == pytest.approx(moved, rel=1e-6)


def test_an_epoch_of_one_step_has_an_update_too(images, tmp_path):
    model = cnnspec.compile(text=TEXT, batch=60)
    fit(model, images, TrainingConfig(epochs=2, batch=60), on_event=StatisticsLog(model, tmp_path, images))
    assert all(entry["updates"]["conv1.weight"] > 0 for entry in read(tmp_path / "statistics.jsonl"))


def test_a_journal_that_fails_stops_itself_and_not_the_training(images, tmp_path):
    model = cnnspec.compile(text=TEXT, batch=20)
    journal = StatisticsLog(model, tmp_path / "no" / "such" / "folder", images)
    history = fit(model, images, TrainingConfig(epochs=2, batch=20), on_event=journal)
    assert len(history) == 2
    assert "SpecError" in journal.problem or "Error" in journal.problem


def test_a_line_that_is_not_whole_ends_the_reading(tmp_path):
    path = tmp_path / "statistics.jsonl"
    path.write_text('{"epoch": 1}\n{"epoch": 2, "wei')
    assert [entry["epoch"] for entry in read(path)] == [1]
    assert read(tmp_path / "none.jsonl") == []


def test_the_spread_of_many_numbers_is_that_of_some(images):
    numbers = np.arange(1_000_000, dtype=float)
    told = array_statistics(numbers)
    assert told["mean"] == pytest.approx(numbers.mean(), rel=1e-3)
    assert told["quantiles"][1] == pytest.approx(50_000, rel=1e-2)
    assert ratio(np.ones(3), np.zeros(3)) is None


def test_tiles_are_the_kernels_with_gaps():
    weight = np.arange(2 * 3 * 2 * 2, dtype=float).reshape(2, 3, 2, 2)
    tiles = filter_tiles(weight)
    assert tiles.shape == (5, 8)
    assert (tiles[3:5, 6:8] == weight[1, 2]).all() and np.isnan(tiles[2]).all()
    assert filter_tiles(np.ones((5, 1, 3, 3))).shape == (11, 11)  # a square of 3x3 kernels, four left empty
    assert filter_tiles(np.ones((4, 2, 5))).shape == (7, 11)  # of a sequence: kernels one pixel high


# ---- in a run's folder -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    (folder / "net.cnn").write_text(SPEC)
    arguments = ["run", str(folder / "net.cnn"), "--workers", "1", "--out", str(folder / "runs")]
    result = CliRunner().invoke(program, arguments, standalone_mode=False)
    assert result.exception is None, result.exception
    return folder / "runs" / "net-001", result


def test_a_run_has_its_pictures(run):
    pytest.importorskip("matplotlib")
    folder, _ = run
    names = {path.stem for path in (folder / "pictures").glob("*.png")}
    wanted = {"curves", "confusion", "mistakes", "filters", "distributions", "activations", "updates"}
    assert names == wanted
    for path in (folder / "pictures").iterdir():
        assert path.read_bytes().startswith(b"\x89PNG")


def test_they_can_be_drawn_again_in_under_three_seconds(run):
    pytest.importorskip("matplotlib")
    folder, _ = run
    from cnnspec.experiment.session import reopen

    session, model = reopen(folder)
    start = time.thread_time()
    made = draw_run(folder, model, session.data)
    assert took_under(3, start)
    assert made.problem == "" and len(made.paths) == 7


def test_counts_of_the_confusion_are_those_of_the_answers(run):
    pytest.importorskip("matplotlib")
    from cnnspec.experiment.session import reopen

    folder, _ = run
    session, model = reopen(folder)
    figures = dict(plots.drawings(folder, model, session.data))
    counts = sum(int(text.get_text()) for text in figures["confusion"].axes[0].texts)
    assert counts == len(session.data.test)
    summary = json.loads((folder / "summary.json").read_text())
    assert f"{summary['test_accuracy']:.2%}" in figures["confusion"].axes[0].get_title()


def test_without_matplotlib_a_run_ends_in_good_news_and_a_page(tmp_path, monkeypatch):
    for name in ("matplotlib", "matplotlib.figure", "matplotlib.backends", "matplotlib.backends.backend_agg"):
        monkeypatch.setitem(sys.modules, name, None)
    (tmp_path / "net.cnn").write_text(SPEC.replace("epochs 2", "epochs 1"))
    arguments = ["run", str(tmp_path / "net.cnn"), "--workers", "1", "--out", str(tmp_path)]
    result = CliRunner().invoke(program, arguments, standalone_mode=False)
    assert result.exception is None and not result.return_value
    assert "cnnspec[plot]" not in result.output and "could be drawn" not in result.output
    folder = tmp_path / "net-001"
    assert result.output.endswith(f"written to {folder}\nlook at {folder / 'report.html'}\n")
    assert not (tmp_path / "net-001" / "pictures").exists()
    assert json.loads((tmp_path / "net-001" / "summary.json").read_text())["status"] == "finished"


def test_pictures_that_fail_say_so_and_raise_nothing(run, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    folder, _ = run

    def broken(*arguments):
        raise ZeroDivisionError("no ink")

    monkeypatch.setattr(plots, "updates", broken)
    made = draw_run(folder)
    assert made.problem == "ZeroDivisionError: no ink" and made.paths
    assert "CNN" not in draw_run(tmp_path).problem and draw_run(tmp_path).problem

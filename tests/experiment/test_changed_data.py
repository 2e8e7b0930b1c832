"""A run that goes on notices that its data are others; where that is accepted, the rate is that of the epoch."""

from __future__ import annotations

import csv
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from sampled import sampled

from cnnspec.cli import run as cnnspec
from cnnspec.data.dataset import Dataset, Split
from cnnspec.data.fingerprint import changes, fingerprint
from cnnspec.settings.schedules import Cosine, Exponential, OneCycle, Step
from cnnspec.train import runs, tensors
from cnnspec.train.folder import RunFolder
from cnnspec.train.loop import EpochDone, Interrupted, StepDone

SPEC = """\
input 1x6x6
dense 2 -> softmax
data {{ source npz "f.npz" ; validation 0.2 ; shuffle {shuffle} }}
train {{ epochs 4 ; batch 10 ; optimiser sgd lr 0.01 ; schedule {schedule} }}
"""
SCHEDULES = ("cosine", "step every 2 gamma 0.1", "exponential gamma 0.5", "cosine warmup 3", "onecycle", "constant")


def write(folder: Path, count: int, classes: int = 2, seed: int = 0, **changed) -> None:
    rng = np.random.default_rng(seed)
    arrays = {"x": rng.random((count, 1, 6, 6)).astype("f4"), "y": np.arange(count) % classes} | changed
    np.savez(folder / "f.npz", **arrays)


def stopped(folder: Path, monkeypatch, at, schedule: str = "cosine", shuffle: str = "on") -> RunFolder:
    """A run that Ctrl-C stopped at an event that `at` chooses, as the loop then leaves it."""
    (folder / "net.cnn").write_text(SPEC.format(schedule=schedule, shuffle=shuffle))
    original = runs.training

    def stopping(model, images, course, validation=None, progress=None):
        for event in original(model, images, course, validation, progress):
            yield event
            if at(event):
                yield runs.SaveDue(event.step, progress)
                raise Interrupted(event.step, 99)

    with monkeypatch.context() as patched:
        patched.setattr(runs, "training", stopping)
        arguments = ["run", str(folder / "net.cnn"), "--workers", "1", "--out", str(folder / "runs")]
        assert cnnspec(arguments) == 130
    return RunFolder(folder / "runs" / "net-001")


def after_epoch(number):
    return lambda event: isinstance(event, EpochDone) and event.row.epoch == number


def resume(run: RunFolder, *more: str) -> int:
    return cnnspec(["run", "--resume", str(run.path), "--workers", "1", *more])


def rates(run: RunFolder) -> list[float]:
    """The rate at the end of each epoch."""
    return [float(row["rate"]) for row in csv.DictReader(run.results.open())]


CHANGES = {
    "more images": ({"count": 140}, "there were 72 training images, now 101"),
    "fewer images": ({"count": 60}, "there were 72 training images, now 44"),
    "other images": ({"seed": 1}, "the training images are not those of before"),
    "other labels": ({"y": np.arange(100) // 50}, "the training images are not those of before"),
    "another order": ({"x": np.zeros((100, 1, 6, 6), "f4")}, "the test images are not those of before"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_data_are_refused_by_what_changed_and_nothing_is_lost(tmp_path, monkeypatch, capsys, change):
    write(tmp_path, 100)
    run = stopped(tmp_path, monkeypatch, after_epoch(2))
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    parts, told = CHANGES[change]
    write(tmp_path, **{"count": 100, **parts})
    assert resume(run) == 1
    said = capsys.readouterr().err
    assert "error[CNN466]: the data have changed: " in said and "--accept-changed-data" in said
    if "labels" not in change and "images" in told.split("there were")[-1]:
        assert told.split(", now")[0] in said
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before
    write(tmp_path, 100)
    assert resume(run) == 0, "the data are back"


@pytest.mark.parametrize(("schedule", "count"), sampled(product(SCHEDULES, (140, 45)), 3))
def test_accepted_changes_keep_the_rate_of_the_epoch(tmp_path, monkeypatch, schedule, count):
    """As a training that had so many images from the start: its rates are those of the last two epochs."""
    straight = tmp_path / "straight"
    straight.mkdir()
    write(straight, count)
    (straight / "net.cnn").write_text(SPEC.format(schedule=schedule, shuffle="on"))
    assert cnnspec(["run", str(straight / "net.cnn"), "--workers", "1", "--out", str(straight / "runs")]) == 0
    write(tmp_path, 100)
    run = stopped(tmp_path, monkeypatch, after_epoch(2), schedule)
    write(tmp_path, count)
    assert resume(run, "--accept-changed-data") == 0
    assert rates(run)[2:] == pytest.approx(rates(RunFolder(straight / "runs" / "net-001"))[2:], rel=1e-12)
    assert min(rates(run)) >= 0 and len(rates(run)) == 4


def test_an_epoch_that_was_under_way_begins_anew(tmp_path, monkeypatch):
    write(tmp_path, 100)
    run = stopped(tmp_path, monkeypatch, lambda event: isinstance(event, StepDone) and event.step == 12)
    write(tmp_path, 15)
    steps = []
    original = runs.training

    def listening(*arguments, **named):
        for event in original(*arguments, **named):
            if isinstance(event, StepDone):
                steps.append((event.step, event.epoch, event.images))
            yield event

    monkeypatch.setattr(runs, "training", listening)
    assert resume(run, "--accept-changed-data") == 0
    assert steps[0][:2] == (3, 2), "an epoch has two steps now, and one is done"
    assert sum(images for _, epoch, images in steps if epoch == 2) == 12


def test_the_change_that_was_accepted_is_the_measure_from_then_on(tmp_path, monkeypatch, capsys):
    write(tmp_path, 100)
    run = stopped(tmp_path, monkeypatch, after_epoch(2))
    write(tmp_path, 140)
    assert resume(run, "--accept-changed-data") == 0
    assert resume(run) == 0
    write(tmp_path, 100)
    assert resume(run) == 1 and "CNN466" in capsys.readouterr().err


def test_unchanged_data_go_on_to_the_same_bits(tmp_path, monkeypatch):
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        write(folder, 100)
    run = stopped(tmp_path / "a", monkeypatch, lambda event: isinstance(event, StepDone) and event.step == 12)
    assert resume(run, "--accept-changed-data") == 0
    spec = tmp_path / "b" / "net.cnn"
    spec.write_text((tmp_path / "a" / "net.cnn").read_text())
    assert cnnspec(["run", str(spec), "--workers", "1", "--out", str(tmp_path / "b" / "runs")]) == 0
    other = RunFolder(tmp_path / "b" / "runs" / "net-001")
    assert run.last.read_bytes() == other.last.read_bytes() and run.best.read_bytes() == other.best.read_bytes()


def test_the_option_is_for_resuming(tmp_path, capsys):
    write(tmp_path, 20)
    (tmp_path / "net.cnn").write_text(SPEC.format(schedule="constant", shuffle="on"))
    assert cnnspec(["run", str(tmp_path / "net.cnn"), "--accept-changed-data"]) == 2


# ---- fingerprints -----------------------------------------------------------------------------------------


def dataset(x, y, classes=("a", "b")):
    x, y = np.asarray(x), np.asarray(y)
    return Dataset("d", Split(x[:6], y[:6]), Split(x[6:8], y[6:8]), Split(x[8:], y[8:]), classes)


X, Y = np.arange(10 * 4, dtype=np.uint8).reshape(10, 4), np.arange(10) % 2


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (dataset(X, Y), ()),
        (dataset(X.copy(order="F"), Y), ()),
        (dataset(X.astype("f4"), Y), ("its numbers were uint8, now float32",)),
        (dataset(X, Y, ("a", "b", "c")), ("the classes were 2, now 3",)),
        (dataset(X[:, ::-1], Y), ("the training images are not those of before",)),
        (dataset(X, Y[::-1]), ("the training images are not those of before",)),
        (dataset(X[:9], Y[:9]), ("there were 2 test images, now 1",)),
        (dataset(X.reshape(10, 1, 2, 2), Y), ("an image was 4, now 1x2x2",)),
    ],
)
def test_what_differs_is_told(other, told):
    found = changes(fingerprint(dataset(X, Y)), fingerprint(other))
    assert set(told) <= set(found) and bool(told) == bool(found)


def test_of_large_parts_some_images_and_all_labels_are_looked_at(monkeypatch):
    from cnnspec.data import fingerprint as module

    monkeypatch.setattr(module, "WHOLE", 3 * 4)
    kept = fingerprint(dataset(X, Y))
    for k in (0, 5):  # the first and the last are always among them
        x = X.copy()
        x[k] += 1
        assert changes(kept, fingerprint(dataset(x, Y)))
    for k in range(6):
        y = Y.copy()
        y[k] += 1
        assert changes(kept, fingerprint(dataset(X, y)))


@pytest.mark.parametrize("was", [{}, {"train": 1}, {"train": {"images": "many"}, "input": {}, "classes": [1, "a"]}])
def test_a_fingerprint_that_was_edited_differs(was):
    assert changes(was, fingerprint(dataset(X, Y)))


# ---- rates ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "schedule", [Cosine(), Cosine(warmup=2.0), Step(warmup=1.0), Exponential(), OneCycle(), OneCycle(warmup=1.0)]
)
@pytest.mark.parametrize("step", [-(10**9), -7, -1, 0, 3, 10**9])
@pytest.mark.parametrize("total", [0, 1, 8])
def test_no_step_has_a_rate_below_nothing_or_above_the_largest(schedule, step, total):
    assert 0 <= schedule.rate(step, total, 2, 0.01) <= 0.01 * (1 + 1e-12)


# ---- data that are called otherwise now -----------------------------------------------------------------


def test_data_that_have_another_name_are_the_same(tmp_path, monkeypatch, capsys):
    """The run goes on to the bits of one whose data stayed, and its weights are not of another training."""
    bits = []
    for moved in (False, True):
        folder = tmp_path / str(moved)
        folder.mkdir()
        write(folder, 40)
        run = stopped(folder, monkeypatch, after_epoch(2))
        if moved:
            (folder / "elsewhere").mkdir()
            (folder / "f.npz").rename(folder / "elsewhere" / "g.npz")
            assert resume(run) == 1 and "CNN401" in capsys.readouterr().err
        source = 'data.source=npz "elsewhere/g.npz"'
        assert resume(run, *(["--set", source] if moved else [])) == 0
        bits.append(run.last)
    first, second = (tensors.read(path).arrays for path in bits)
    assert first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


def test_other_data_under_the_new_name_are_noticed(tmp_path, monkeypatch, capsys):
    write(tmp_path, 40)
    run = stopped(tmp_path, monkeypatch, after_epoch(2))
    (tmp_path / "f.npz").rename(tmp_path / "g.npz")
    write(tmp_path, 40, seed=1)
    assert resume(run, "--set", 'data.source=npz "f.npz"') == 1
    assert resume(run, "--set", 'data.source=npz "g.npz"') == 0


@pytest.mark.parametrize("setting", ["train.batch=9", "data.limit=3", "data.sources=1", "data.source"])
def test_any_other_setting_of_a_resumed_run_stays(tmp_path, monkeypatch, capsys, setting):
    write(tmp_path, 40)
    run = stopped(tmp_path, monkeypatch, after_epoch(2))
    assert resume(run, "--set", setting) == 2 and "keeps its settings" in capsys.readouterr().err
    from cnnspec import resume as go_on

    with pytest.raises(ValueError, match="keeps its settings"):
        go_on(run.path, overrides=[setting])
    with pytest.raises(ValueError, match="sequence of settings"):
        go_on(run.path, overrides=setting)

"""The loop: its events, its sums, when it stops, and that it goes on where it stopped."""

from __future__ import annotations

import copy
import os
import signal
import threading
from dataclasses import replace

import numpy as np
import pytest
from tiny import COURSE, Blobs, Tiny, same

from cnnspec.data.dataset import Split
from cnnspec.diagnostics import SpecError
from cnnspec.interrupts import Interrupts
from cnnspec.settings.data import Data
from cnnspec.settings.train import Train
from cnnspec.train.history import EpochRecord, Progress, Score
from cnnspec.train.loop import (
    EpochDone,
    Finished,
    Interrupted,
    SaveDue,
    Started,
    StepDone,
    TrainingConfig,
    fit,
    measure,
    training,
)


def events_of(course=COURSE, model=None, images=None, **parts):
    return list(training(model or Tiny(), images or Blobs(), course, **parts))


SIGNS = {Started: "<", StepDone: ".", EpochDone: "E", SaveDue: "s", Finished: ">"}


def kinds(events):
    return "".join(SIGNS[type(event)] for event in events)


def test_events_in_order_last_short_batch_included():
    events = events_of()
    assert kinds(events) == "<" + (7 * "." + "Es") * 4 + ">"
    assert [e.images for e in events if isinstance(e, StepDone)][:7] == [8] * 6 + [2]
    assert [e.step for e in events if isinstance(e, StepDone)] == list(range(1, 29))
    assert events[0] == Started(0, 28, 7)


def test_every_image_is_seen_once_an_epoch():
    class Watched(Blobs):
        def batches(self, *args, **parts):
            for x, y in super().batches(*args, **parts):
                seen.append(x)
                yield x, y

    seen = []
    images = Watched()
    events_of(images=images)
    for epoch in range(4):
        rows = np.concatenate(seen[7 * epoch : 7 * epoch + 7])
        assert sorted(map(tuple, rows)) == sorted(map(tuple, images.x))


def test_a_row_is_the_mean_over_the_images_not_over_the_batches():
    events = events_of(validation=Blobs(20, seed=9))
    steps = [e for e in events if isinstance(e, StepDone)][-7:]
    row = [e for e in events if isinstance(e, EpochDone)][-1].row
    assert row.cost == pytest.approx(sum(e.cost * e.images for e in steps) / 50, rel=1e-14)
    assert row.accuracy == sum(e.correct for e in steps) / 50
    assert row.rate == steps[-1].rate
    assert row.seconds == pytest.approx(sum(e.seconds for e in steps))
    assert row.images_per_second == pytest.approx(50 / row.seconds)
    assert (row.epoch, row.validation_cost is None) == (4, False)


def test_measure_is_the_mean_over_all_images_for_any_batch():
    model, images = Tiny(), Blobs(23)
    cost, right = model.measure(images.x, images.y)
    for batch in (1, 5, 23, 100):
        score = measure(model, images, batch)
        assert score.cost == pytest.approx(cost, rel=1e-12) and score.accuracy == right / 23
    assert measure(model, Blobs(0), 4) == Score()


def test_training_learns():
    history = fit(Tiny(), Blobs(), COURSE, Blobs(30, seed=2))
    assert history["validation_accuracy"][-1] > 0.8 and history["cost"][-1] < history["cost"][0]
    assert len(history) == 4 and history.best_epoch in (1, 2, 3, 4) and not history.stopped_early


def test_the_best_epoch_is_the_first_of_equals():
    progress = Progress()
    for epoch, accuracy in enumerate((0.5, 0.75, 0.75, 0.7), 1):
        progress.add(4, 1 / epoch, 2, 0.1, 1.0)
        assert progress.close(Score(1.0, accuracy), "accuracy") == (epoch <= 2)
    assert progress.best_epoch == 2 and progress.best == 0.75


def test_the_best_epoch_by_cost_and_where_answers_are_no_classes():
    by_cost = fit(Tiny(), Blobs(), TrainingConfig(4, 8, best="cost"))
    assert by_cost["cost"].index(min(by_cost["cost"])) + 1 == by_cost.best_epoch
    numbers = fit(Tiny(classes=False), Blobs(), COURSE, Blobs(10))
    assert numbers["accuracy"] == numbers["validation_accuracy"] == [None] * 4
    assert numbers["validation_cost"].index(min(numbers["validation_cost"])) + 1 == numbers.best_epoch


def test_patience_stops_after_epochs_without_a_better_one():
    class Forgetful(Tiny):
        def measure(self, x, y):
            cost, right = super().measure(x, y)
            return cost, 0 if self.steps > 14 else right

    course = TrainingConfig(epochs=30, batch=8, patience=3)
    events = list(training(Forgetful(), Blobs(), course, Blobs(10)))
    history = events[-1].history
    assert history.stopped_early and len(history) == history.best_epoch + 3
    assert kinds(events).endswith("Es>"), "a checkpoint before the end"


def test_checkpoints_are_due_every_part_of_an_epoch_and_at_the_end():
    assert kinds(events_of(TrainingConfig(2, 8, interval=3 / 7))) == "<...s...s.E..s...s..Es>"
    seven = 7 * "."
    assert kinds(events_of(TrainingConfig(3, 8, interval=2))) == f"<{seven}E{seven}Es{seven}Es>"


@pytest.mark.parametrize("stop", range(1, 29))
def test_stopping_after_any_step_and_going_on_gives_the_same_bits(stop):
    course = TrainingConfig(epochs=4, batch=8, seed=5, interval=1 / 7)
    validation = Blobs(10, seed=4)
    straight = Tiny()
    whole = fit(straight, Blobs(), course, validation)
    model = Tiny()
    for event in training(model, Blobs(), course, validation):
        if isinstance(event, SaveDue) and event.step == stop:
            saved = Progress.from_json(event.progress.to_json())
            parameters = {name: values.copy() for name, values in model.parameters.items()}
            state = copy.deepcopy(model.state)
            break
    other = Tiny(seed=99)
    other.parameters.update(parameters)
    other.load_state(state)
    events = list(training(other, Blobs(), course, validation, saved))
    assert same(straight, other)
    assert events[0].step == stop and len([e for e in events if isinstance(e, StepDone)]) == 28 - stop
    for column in ("epoch", "cost", "accuracy", "validation_cost", "validation_accuracy", "rate"):
        assert events[-1].history[column] == whole[column]


def test_progress_survives_json_to_the_bit():
    progress = Progress()
    for event in training(Tiny(), Blobs(), COURSE, Blobs(5), progress):
        if isinstance(event, StepDone):
            assert Progress.from_json(progress.to_json()) == progress


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("rows"),
        lambda d: d.update(more=1),
        lambda d: d.update(batch="1"),
        lambda d: d.update(batch=True),
        lambda d: d.update(batch=-1),
        lambda d: d.update(rows=[1]),
        lambda d: d.update(rows=d["rows"][1:]),
        lambda d: d["rows"][0].update(cost=None),
        lambda d: d["rows"][0].pop("cost"),
    ],
)
def test_a_damaged_progress_is_refused(change):
    progress = Progress()
    events_of(progress=progress)
    data = progress.to_json()
    change(data)
    with pytest.raises(ValueError):
        Progress.from_json(data)
    with pytest.raises(ValueError):
        Progress.from_json([data])


def test_a_line_of_results_reads_back():
    row = EpochRecord(3, 0.1 + 0.2, None, 1e-17, 0.5, 1e-3, 2.0, 100.0)
    cells = row.line().rstrip("\n").split(",")
    assert len(cells) == len(EpochRecord.columns().split(","))
    known = [float(cell) if cell else None for cell in cells]
    assert known == [3, 0.1 + 0.2, None, 1e-17, 0.5, 1e-3, 2.0, 100.0, *[None] * 9]


def test_the_course_that_a_spec_asks_for():
    train, data = Train(epochs=7, batch=32, seed=4, patience=2, best="cost"), Data(shuffle=False)
    assert TrainingConfig.of(train, data) == TrainingConfig(7, 32, seed=4, shuffle=False, best="cost", patience=2)


def test_parts_of_a_dataset_are_images():
    blobs = Blobs()
    parts = Split(blobs.x.astype("float32"), blobs.y), Split(blobs.x[:9].astype("float32"), blobs.y[:9])
    history = fit(Tiny(), parts[0], COURSE, parts[1])
    assert len(history) == 4 and history["validation_accuracy"][-1] > 0.5


# ---- feeding ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scales", [False, True])
def test_the_next_batch_is_made_while_a_step_is_under_way(scales):
    """But not for a model that scales stored images itself: those last until the next batch is asked for."""

    class Told(Tiny):
        def ready(self, x, y):
            happened.append("ready")
            ready = super().ready(x, y)

            def begin():
                happened.append("begin")
                learned = ready()
                return lambda: happened.append("end") or learned()

            return begin

    class Watched(Blobs):
        def batches(self, *args, **parts):
            for pair in super().batches(*args, **parts):
                happened.append("batch")
                yield pair

    happened = []
    model = Told()
    model.scales = scales
    once = replace(COURSE, epochs=1)
    events = []
    for event in training(model, Watched(), once):
        events.append(event)
        if isinstance(event, StepDone):
            happened.append("told")
            assert model.steps == event.step, "between two events nothing is under way"
    assert kinds(events) == "<" + 7 * "." + "Es>"
    one_by_one = ["batch", "ready", "begin", "end", "told"] * 7
    ahead = ["batch", "ready", *["begin", "batch", "ready", "end", "told"] * 6, "begin", "end", "told"]
    assert happened == (one_by_one if scales else ahead)
    plain = Tiny()
    events_of(once, plain)
    assert all(np.array_equal(values, model.parameters[name]) for name, values in plain.parameters.items())


# ---- interruption -------------------------------------------------------------------------------------


def test_ctrl_c_finishes_the_step_and_a_checkpoint_is_due():
    class Pressed(Tiny):
        def learn(self, x, y):
            if self.steps == 9:
                os.kill(os.getpid(), signal.SIGINT)
            return super().learn(x, y)

    events, model = [], Pressed()
    with pytest.raises(Interrupted) as stopped:
        for event in training(model, Blobs(), COURSE, Blobs(10)):
            events.append(event)
    assert model.steps == 10 and (stopped.value.step, stopped.value.total_steps) == (10, 28)
    assert kinds(events) == "<" + 7 * "." + "Es...s" and events[-1].step == 10
    assert str(stopped.value) == "interrupted after step 10 of 28"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_validation_cut_short_is_made_anew_on_resume():
    class Pressed(Tiny):
        pressed = False

        def measure(self, x, y):
            if len(x) == 5 and self.steps == 7 and not self.pressed:
                self.pressed = True
                os.kill(os.getpid(), signal.SIGINT)
            return super().measure(x, y)

    images, validation, progress = Blobs(), Blobs(5, seed=4), Progress()
    model, straight = Pressed(), Tiny()
    whole = fit(straight, images, COURSE, validation)
    with pytest.raises(Interrupted):
        list(training(model, images, COURSE, validation, progress))
    assert (progress.epoch, progress.batch) == (0, 7)
    events = list(training(model, images, COURSE, validation, progress))
    assert same(model, straight) and events[-1].history["validation_cost"] == whole["validation_cost"]


def test_a_second_ctrl_c_interrupts_at_once():
    with Interrupts() as interrupts:
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupts.seen
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_the_handler_of_somebody_else_stays():
    def theirs(number, frame):
        pass

    before = signal.signal(signal.SIGINT, theirs)
    try:
        with Interrupts():
            assert signal.getsignal(signal.SIGINT) is theirs
    finally:
        signal.signal(signal.SIGINT, before)


def test_training_in_a_thread_works():
    done = []
    thread = threading.Thread(target=lambda: done.append(fit(Tiny(), Blobs(), COURSE)))
    thread.start()
    thread.join(300)
    assert len(done) == 1


# ---- numbers that are none ----------------------------------------------------------------------------


def refused(model, images=None):
    with pytest.raises(SpecError) as error:
        fit(model, images or Blobs(), TrainingConfig(4, 8, shuffle=False))
    (finding,) = error.value.diagnostics
    assert finding.code == "CNN302" and finding.help
    return finding.message


def test_a_cost_that_is_nan_stops_at_its_step_with_the_parameters_as_they_were():
    model = Tiny()
    model.poison = 9
    assert "at step 9 (epoch 2): every layer's values are finite" in refused(model)
    assert model.steps == 8 and np.isfinite(model.parameters["dense1.weight"]).all()


def test_the_image_is_named():
    images = Blobs()
    images.x[11, 2] = np.inf
    assert refused(Tiny(), images) == (
        "the cost is NaN at step 2 (epoch 1): the images hold numbers that are not finite (number 3 of the batch)"
    )


def test_the_parameter_is_named():
    model = Tiny()
    model.parameters["dense1.bias"][1] = np.nan
    assert "dense1.bias holds NaN, from the update before" in refused(model)


def test_the_layer_is_named():
    class Broken(Tiny):
        def activations(self, x):
            return {"scale1": x, **super().activations(np.where(x > 0, np.nan, x))}

    assert "dense1 is the first layer whose values hold NaN" in refused(Broken())


def test_the_gradient_is_named():
    class Kinked(Tiny):
        poison = 3

        def __init__(self):
            super().__init__()
            self.poison = 3

        def gradients(self, x, y):
            found = super().gradients(x, y)
            return {**found, "dense1.bias": found["dense1.bias"] * (np.inf if self.steps == 2 else 1)}

    assert "the gradient of dense1.bias holds infinity" in refused(Kinked())


def test_no_images_is_a_diagnostic():
    with pytest.raises(SpecError) as error:
        fit(Tiny(), Blobs(0), COURSE)
    assert error.value.diagnostics[0].code == "CNN303"

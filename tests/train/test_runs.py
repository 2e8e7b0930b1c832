"""The folder of a run: what is written, in which order, and what a fault leaves behind."""

from __future__ import annotations

import errno
import json
import os
import signal
import stat
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from tiny import COURSE, SETTINGS, SPEC, STAMP, Blobs, Tiny, same

from cnnspec.diagnostics import SpecError
from cnnspec.train import files, tensors
from cnnspec.train import folder as folders
from cnnspec.train.checkpoints import Stamp, load_state
from cnnspec.train.folder import RunFolder
from cnnspec.train.history import EpochRecord, Progress
from cnnspec.train.loop import EpochDone, Interrupted, StepDone, TrainingConfig
from cnnspec.train.runs import run

SCHEMA = Path(__file__).parents[2] / "grammar" / "summary.schema.json"


def fresh(tmp_path, name="tiny"):
    folder = RunFolder.create(tmp_path / "runs", name)
    folder.describe(tmp_path / "tiny.cnn", STAMP.source, SETTINGS)
    return folder


def go(folder, model=None, course=COURSE, **parts):
    model = model or Tiny()
    parts = {"parameters": 21, "validation": Blobs(15, seed=2), "test": Blobs(12, seed=3), **parts}
    return model, run(model, Blobs(), course, folder, STAMP, **parts)


def told(folder):
    """The summary, which must be as its schema says."""
    summary = json.loads(folder.summary.read_text())
    jsonschema.validate(summary, json.loads(SCHEMA.read_text()))
    return summary


def without(data, key):
    return {name: value for name, value in data.items() if name != key}


def listing(folder):
    return sorted(str(path.relative_to(folder.path)) for path in folder.path.rglob("*") if path.is_file())


def without_times(text):
    """results.csv without the two columns that tell seconds."""
    return [line.split(",")[:6] + line.split(",")[8:] for line in text.splitlines()]


# ---- the folder ---------------------------------------------------------------------------------------


def test_numbers_grow_and_nothing_is_overwritten(tmp_path):
    names = [RunFolder.create(tmp_path, name).path.name for name in ("lenet", "lenet", "other", "lenet")]
    assert names == ["lenet-001", "lenet-002", "other-001", "lenet-003"]
    (tmp_path / "lenet-017").mkdir()
    (tmp_path / "lenet-x").mkdir()
    assert RunFolder.create(tmp_path, "lenet").path.name == "lenet-018"
    (tmp_path / "lenet-1000").mkdir()
    assert RunFolder.create(tmp_path, "lenet").path.name == "lenet-1001"


def test_a_quicker_one_gets_the_number(tmp_path, monkeypatch):
    (tmp_path / "lenet-001").mkdir()
    monkeypatch.setattr(folders.os, "listdir", lambda path: [])
    assert RunFolder.create(tmp_path, "lenet").path.name == "lenet-002"


@pytest.mark.parametrize(
    ("name", "folder"), [("<text>", "text-001"), ("../../etc", "etc-001"), ("", "run-001"), ("a b", "a-b-001")]
)
def test_names_make_folders(name, folder, tmp_path):
    assert RunFolder.create(tmp_path, name).path == tmp_path / folder


def test_a_run_writes_all_of_it(tmp_path):
    folder = fresh(tmp_path)
    _, summary = go(folder)
    assert listing(folder) == [
        "environment.json", "measures.jsonl", "measures.txt", "results.csv", "settings.json",
        "state/last.safetensors", "summary.json", "tiny.cnn",
        "weights/best.safetensors", "weights/last.safetensors",
    ]  # fmt: skip
    settings = folder.settings()
    assert settings == {**SETTINGS, "spec": "../../tiny.cnn", "imports": {}}
    assert folder.origin(settings) == tmp_path / "tiny.cnn" and folder.spec("tiny.cnn").read_text() == SPEC
    assert told(folder) == summary
    assert summary["status"] == "finished" and summary["epochs"] == 4 and summary["parameters"] == 21
    assert summary["spec_sha256"] == STAMP.sha256 and 0 <= summary["test_accuracy"] <= 1
    assert {"numpy", "python", "cores", "blas"} <= set(json.loads((folder.path / "environment.json").read_text()))
    lines = folder.results.read_text().splitlines()
    assert lines[0] + "\n" == EpochRecord.columns() and [line[:2] for line in lines[1:]] == ["1,", "2,", "3,", "4,"]


def test_the_summary_is_written_last(tmp_path, monkeypatch):
    written = []
    write = files.write
    monkeypatch.setattr(files, "write", lambda path, parts: (written.append(path), write(path, parts)))
    folder = fresh(tmp_path)
    go(folder)
    assert written[-1] == folder.summary and written.count(folder.summary) == 1


def test_the_test_is_made_with_the_best_weights(tmp_path):
    class Worsening(Tiny):
        def measure(self, x, y):
            cost, right = super().measure(x, y)
            return cost, right if self.steps <= 14 else 0

    folder = fresh(tmp_path)
    model, summary = go(folder, Worsening())
    assert summary["tested"] == "best" and summary["best_epoch"] <= 2
    best = tensors.read(folder.best)
    assert best.metadata["epoch"] == str(summary["best_epoch"])
    assert np.array_equal(best.arrays["dense1.weight"], model.parameters["dense1.weight"])
    _, summary = go(fresh(tmp_path), validation=None)
    assert summary["tested"] == "last"
    _, summary = go(fresh(tmp_path), test=None)
    assert summary["test_accuracy"] is None


@pytest.mark.parametrize("summary", ["as written", "none, as after a kill", "of an interruption"])
@pytest.mark.parametrize("validation, weights", [(Blobs(15, seed=2), "best"), (None, "last")])
def test_a_run_knows_the_weights_that_it_was_tested_with(tmp_path, validation, weights, summary):
    folder = fresh(tmp_path)
    go(folder, validation=validation)
    if summary == "none, as after a kill":
        folder.summary.unlink()
    elif summary != "as written":
        told(folder)
        folder.write_json("summary.json", {**without(folder.ended(), "tested"), "status": "interrupted"})
    assert folder.best.is_file() and folder.tested == getattr(folder, weights)


def test_weights_of_single_epochs_are_kept_as_asked(tmp_path):
    folder = fresh(tmp_path)
    go(folder, course=TrainingConfig(9, 8), every=2, keep=3)
    kept = [name for name in listing(folder) if "epoch" in name]
    assert kept == [f"weights/epoch-00{n}.safetensors" for n in (4, 6, 8)]
    assert tensors.read(folder.epoch(6)).metadata["step"] == "42"


def test_two_runs_write_the_same_weights(tmp_path):
    a, b = fresh(tmp_path), fresh(tmp_path)
    go(a)
    go(b)
    assert a.best.read_bytes() == b.best.read_bytes() and a.last.read_bytes() == b.last.read_bytes()


def test_early_stopping_is_told(tmp_path):
    _, summary = go(fresh(tmp_path), course=TrainingConfig(50, 8, patience=2))
    assert summary["status"] == "finished" and summary["stopped_early"]
    assert summary["epochs"] == summary["best_epoch"] + 2


# ---- interruption and resumption ----------------------------------------------------------------------


def press(steps):
    """Ctrl-C while the step after so many is under way."""

    class Pressed(Tiny):
        def learn(self, x, y):
            if self.steps == steps:
                os.kill(os.getpid(), signal.SIGINT)
            return super().learn(x, y)

    return Pressed()


@pytest.mark.parametrize("steps", [0, 3, 6, 7, 19, 27])
def test_an_interrupted_run_goes_on_to_the_same_bits(tmp_path, steps):
    whole, folder = fresh(tmp_path, "whole"), fresh(tmp_path)
    straight, _ = go(whole)
    with pytest.raises(Interrupted) as stopped:
        go(folder, press(steps))
    assert f"go on with `cnnspec run --resume {folder.path}`" in str(stopped.value)
    summary = told(folder)
    assert summary["status"] == "interrupted" and summary["test_accuracy"] is None
    model, summary = go(RunFolder.open(folder.path), resume=True)
    assert same(model, straight) and summary["status"] == "finished"
    for part in ("weights/best.safetensors", "weights/last.safetensors"):
        assert (folder.path / part).read_bytes() == (whole.path / part).read_bytes()
    assert without_times(folder.results.read_text()) == without_times(whole.results.read_text())


def test_results_are_cut_back_to_the_checkpoint(tmp_path):
    """The checkpoint is of epoch 2; the rows of 3 and of half a line after it are gone on resume."""

    class Killed(BaseException):
        pass

    def kill(event):
        if isinstance(event, EpochDone) and event.row.epoch == 3:
            raise Killed

    whole, folder = fresh(tmp_path, "whole"), fresh(tmp_path)
    course = TrainingConfig(4, 8, seed=3, interval=2)
    straight, _ = go(whole, course=course)
    with pytest.raises(Killed):
        go(folder, course=course, on_event=kill)
    assert len(folder.results.read_text().splitlines()) == 4
    with open(folder.results, "a") as results:
        results.write("4,0.25")
    rows = []
    model, _ = go(
        RunFolder.open(folder.path),
        course=course,
        resume=True,
        on_event=lambda event: rows.append(len(folder.results.read_text().splitlines())),
    )
    assert rows[0] == 3 and same(model, straight)
    assert without_times(folder.results.read_text()) == without_times(whole.results.read_text())


def test_a_run_that_goes_on_has_no_summary_of_its_end(tmp_path):
    folder = fresh(tmp_path)
    with pytest.raises(Interrupted):
        go(folder, press(3))
    seen = []
    go(folder, resume=True, on_event=lambda event: seen.append(folder.summary.exists()))
    assert not any(seen) and folder.summary.exists()


def test_no_epochs_are_no_training_but_a_run(tmp_path):
    folder = fresh(tmp_path)
    model, summary = go(folder, course=TrainingConfig(0, 8))
    assert same(model, Tiny()) and told(folder)["epochs"] == 0 and summary["test_accuracy"] is not None
    assert load_state(folder.state, Tiny(), STAMP).epoch == 0


def test_a_finished_run_resumed_is_finished(tmp_path):
    folder = fresh(tmp_path)
    model, summary = go(folder)
    again, later = go(RunFolder.open(folder.path), resume=True)
    assert same(model, again) and later == summary


def test_a_folder_without_a_state_cannot_be_resumed(tmp_path):
    with pytest.raises(SpecError) as error:
        RunFolder.open(tmp_path)
    assert error.value.diagnostics[0].code == "CNN462"


def test_a_changed_spec_cannot_be_resumed(tmp_path):
    folder = fresh(tmp_path)
    go(folder)
    before = folder.state.read_bytes()
    with pytest.raises(SpecError) as error:
        run(Tiny(), Blobs(), COURSE, folder, Stamp(SPEC + "# more"), parameters=21, resume=True)
    assert error.value.diagnostics[0].code == "CNN461" and folder.state.read_bytes() == before


def test_what_a_kill_left_half_written_is_swept(tmp_path):
    folder = fresh(tmp_path)
    go(folder)
    litter = folder.path / "weights" / ".last.safetensors.123.tmp"
    litter.write_bytes(b"half")
    go(folder, resume=True)
    assert not litter.exists()


# ---- faults -------------------------------------------------------------------------------------------


def test_a_cost_that_is_nan_keeps_the_last_good_checkpoint(tmp_path):
    folder, model = fresh(tmp_path), Tiny()
    model.poison = 18
    with pytest.raises(SpecError) as error:
        go(folder, model)
    (finding,) = error.value.diagnostics
    assert finding.code == "CNN302" and "at step 18" in finding.message
    assert finding.help.endswith(f"the checkpoint of step 14 is whole: {folder.state}")
    summary = told(folder)
    assert summary["status"] == "failed" and "CNN302" in summary["error"][0]
    other = Tiny(seed=5)
    assert load_state(folder.state, other, STAMP).epoch == 2 and other.steps == 14


def failing(steps, fault):
    class Failing(Tiny):
        def learn(self, x, y):
            if self.steps == steps:
                raise fault
            return super().learn(x, y)

    return Failing()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (MemoryError("Unable to allocate 7 GiB"), "memory ran out: unable to allocate 7 GiB"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "memory ran out"),
    ],
)
def test_memory_that_runs_out_is_told_with_how_to_go_on(tmp_path, fault, message):
    whole, folder = fresh(tmp_path, "whole"), fresh(tmp_path)
    straight, _ = go(whole)
    with pytest.raises(SpecError) as error:
        go(folder, failing(18, fault))
    (finding,) = error.value.diagnostics
    assert (finding.code, finding.message) == ("CNN322", message)
    assert finding.help.endswith(f"go on from there with `cnnspec run --resume {folder.path}`")
    summary = told(folder)
    assert summary["status"] == "failed" and "CNN322" in summary["error"][0]
    model, _ = go(RunFolder.open(folder.path), resume=True)
    assert same(model, straight)


def test_a_fault_of_ours_is_in_the_summary_too(tmp_path):
    folder = fresh(tmp_path)
    with pytest.raises(ZeroDivisionError):
        go(folder, failing(18, ZeroDivisionError("of ours")))
    summary = told(folder)
    assert summary["status"] == "failed" and summary["error"] == ["ZeroDivisionError: of ours"]


@pytest.mark.parametrize("steps", [1, 5, 7, 20])
def test_who_hears_of_it_may_fail_and_the_step_is_saved(tmp_path, steps):
    """A pipe without a reader, say."""
    whole, folder = fresh(tmp_path, "whole"), fresh(tmp_path)
    straight, _ = go(whole)

    def leave(event):
        if isinstance(event, StepDone) and event.step == steps:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        go(folder, on_event=leave)
    assert told(folder)["status"] == "interrupted" and tensors.read(folder.state).metadata["step"] == str(steps)
    model, _ = go(RunFolder.open(folder.path), resume=True)
    assert same(model, straight)


def test_a_ctrl_c_in_the_test_says_how_to_go_on(tmp_path):
    class Test(Blobs):
        def batches(self, *arguments, **more):
            os.kill(os.getpid(), signal.SIGINT)
            return super().batches(*arguments, **more)

    whole, folder = fresh(tmp_path, "whole"), fresh(tmp_path)
    _, summary = go(whole)
    with pytest.raises(Interrupted, match=f"after step 28 of 28; go on with `cnnspec run --resume {folder.path}`"):
        go(folder, test=Test(12, seed=3))
    assert told(folder)["status"] == "interrupted"
    _, resumed = go(RunFolder.open(folder.path), resume=True)
    assert resumed["test_cost"] == summary["test_cost"] and resumed["status"] == "finished"


def test_parameters_that_are_none_never_replace_a_checkpoint(tmp_path):
    """A gradient may overflow in the last step before a checkpoint, with a cost that was still finite."""

    class Overflowing(Tiny):
        def learn(self, x, y):
            found = super().learn(x, y)
            if self.steps == 14:
                self.parameters["dense1.bias"][1] = np.inf
            return found

    folder = fresh(tmp_path)
    with pytest.raises(SpecError) as error:
        go(folder, Overflowing(), validation=None)
    assert error.value.diagnostics[0].message == "dense1.bias holds infinity after step 14 (epoch 2)"
    assert load_state(folder.state, Tiny(), STAMP).epoch == 1


class Faulty:
    """The os module, whose call number `at` among those that write fails."""

    def __init__(self, at, code):
        self.at, self.code, self.calls = at, code, []

    def __getattr__(self, name):
        real = getattr(os, name)
        if name not in ("open", "write", "fsync", "replace", "mkdir", "close"):
            return real

        def call(*args):
            self.calls.append(name)
            if len(self.calls) == self.at:
                if name == "close":
                    real(*args)
                raise OSError(self.code, os.strerror(self.code))
            if name == "write":  # a disk may take less than it is given
                return real(args[0], args[1][:1000])
            # nothing here is about a power cut, and waiting for the disk takes most of the time
            return None if name == "fsync" else real(*args)

        return call


FAULTS = [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT]
SHORT = TrainingConfig(epochs=2, batch=16, seed=3, interval=0.5)  # 8 steps, a checkpoint every 2


def last_good(folder):
    """The step of the state that loads, or None where there is none yet; every weights file loads too."""
    for path in folder.path.glob("weights/*.safetensors"):
        tensors.read(path)
    if not folder.state.exists():
        return None
    model = Tiny(seed=5)
    load_state(folder.state, model, STAMP)
    return model.steps


def test_every_write_made_to_fail_in_turn(tmp_path, monkeypatch):
    proxy = Faulty(0, 0)
    monkeypatch.setattr(files, "os", proxy)
    straight, _ = go(fresh(tmp_path), course=SHORT)
    count = len(proxy.calls)
    assert {"open", "write", "fsync", "replace", "mkdir", "close"} == set(proxy.calls) and count > 100
    monkeypatch.undo()
    for at in range(1, count + 1):
        before = len(list((tmp_path / "runs").iterdir()))
        proxy, code = Faulty(at, FAULTS[at % len(FAULTS)]), FAULTS[at % len(FAULTS)]
        monkeypatch.setattr(files, "os", proxy)
        folder, done = None, 0

        def count_steps(event):
            nonlocal done
            done += isinstance(event, StepDone)

        with pytest.raises(SpecError) as error:
            folder = fresh(tmp_path)
            go(folder, course=SHORT, on_event=count_steps)
        monkeypatch.undo()
        (finding,) = error.value.diagnostics
        assert finding.code == "CNN305" and os.strerror(code).lower() in finding.message
        if folder is None:
            assert len(list((tmp_path / "runs").iterdir())) <= before + 1
            continue
        good = last_good(folder)
        assert done - (good or 0) <= 2 + 1, "at most one interval is lost"
        assert not list(folder.path.glob("**/*.tmp")) or proxy.calls[at - 1] == "close"
        if good is None:
            continue
        if done < 8:
            whole = f"the checkpoint of step {good} is whole: {folder.state}"
            assert finding.help.endswith(f"{whole}; go on from there with `cnnspec run --resume {folder.path}`")
        if at % 5 == 0:  # and it goes on, as soon as the disk does
            model, _ = go(RunFolder.open(folder.path), course=SHORT, resume=True)
            assert same(model, straight)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes where nobody may")
def test_a_folder_that_cannot_be_written_to(tmp_path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        with pytest.raises(SpecError) as error:
            RunFolder.create(tmp_path / "runs", "tiny")
        assert error.value.diagnostics[0].code == "CNN305"
    finally:
        tmp_path.chmod(stat.S_IRWXU)


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "runs").write_text("")
    with pytest.raises(SpecError) as error:
        RunFolder.create(tmp_path / "runs", "tiny")
    assert error.value.diagnostics[0].code == "CNN305"


def test_json_has_no_nan():
    data = {"a": [1.0, float("nan")], "b": {"c": float("inf")}}
    assert folders.finite(data) == {"a": [1.0, None], "b": {"c": None}}


# ---- written before there were measures ---------------------------------------------------------------------


def test_results_of_before_are_read_as_they_are(tmp_path):
    names = EpochRecord.first_columns()
    assert names[:3] == ("epoch", "cost", "accuracy") and names[-1] == "images_per_second"
    (tmp_path / "results.csv").write_text(",".join(names) + "\n1,0.5,0.75,,,0.1,2.0,30.0\n")
    found = RunFolder(tmp_path).columns()
    assert list(found) == list(names) and found["accuracy"] == [0.75] and found["validation_cost"] == [None]


def test_a_state_of_before_is_gone_on_with():
    row = dict(zip(EpochRecord.first_columns(), (1, 0.5, 0.75, None, None, 0.1, 2.0, 30.0), strict=True))
    kept = {**Progress().to_json(), "rows": [row], "best": 0.75, "best_epoch": 1}
    assert Progress.from_json(kept).rows == [EpochRecord(1, 0.5, 0.75, None, None, 0.1, 2.0, 30.0)]

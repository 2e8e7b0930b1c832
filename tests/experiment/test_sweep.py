"""`cnnspec sweep`: what is tried, the same bits as single runs, killed and gone on with, the best written out."""

import csv
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import killing
import pytest

import cnnspec
from cnnspec.cli import run as command
from cnnspec.experiment import space, studies, sweep, trial
from cnnspec.experiment.sweep import Sweep
from cnnspec.experiment.trial import done, run_of
from cnnspec.train import files, runs
from cnnspec.train.loop import Interrupted, StepDone
from cnnspec.train.tensors import read as safe

SPEC = """\
let w = 3  # of the hidden layer
input 2
dense {w} -> relu -> dense 2 -> softmax
train { epochs 2 ; batch 8 ; shards 1 }  # quick
data { source csv "table.csv" label 3 header on ; validation 25% }
"""
SETS = ("--set", "w=2,4,8", "--set", "train.optimiser=adam lr 1e-3..1e-1 log")


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "table.csv").write_text("a,b,kind\n" + "".join(f"{k},{k % 3},{'ab'[k % 2]}\n" for k in range(40)))
    (tmp_path / "net.cnn").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def swept(capsys, *arguments):
    code = command(["sweep", *map(str, arguments), "--json"])
    said = capsys.readouterr()
    return code, json.loads(said.out) if said.out else None, said.err


def bits(run: Path):
    """All of a run that does not tell the time."""
    found = {path.name: path.read_bytes() for path in (run / "weights").iterdir()}
    rows = list(csv.reader((run / "results.csv").open()))
    kept = [k for k, name in enumerate(rows[0]) if "second" not in name]
    return found | {"results": [[row[k] for k in kept] for row in rows]}


def trials(sweep: Path):
    return {path.name: bits(run_of(path)) for path in sorted((sweep / "trials").iterdir())}


# ---- what is tried ---------------------------------------------------------------------------------------


def test_alternatives_and_ranges_are_read():
    axis = space.axis("train.optimiser=sgd lr 0.01..1 log momentum 0..0.9, adam")
    (first, second) = axis.alternatives
    assert second == ("adam",) and axis.key == "train.optimiser"
    assert first[1] == space.Range(0.01, 1.0, log=True, whole=False)
    assert axis.written(0, (0.1, 0.5)) == "train.optimiser=sgd lr 0.1 momentum 0.5"
    assert space.axis('data.source=npz "a,b.npz",digits').alternatives == (('npz "a,b.npz"',), ("digits",))


def test_a_draw_is_in_its_range_and_spread_as_it_says():
    axes = [space.axis("w=1..4"), space.axis("train.optimiser.lr=1e-4..1e-2 log")]
    draws = [space.drawn(axes, 7, k) for k in range(400)]
    assert {draw[0] for draw in draws} == {"w=1", "w=2", "w=3", "w=4"}
    rates = [float(draw[1].partition("=")[2]) for draw in draws]
    assert all(1e-4 <= rate <= 1e-2 for rate in rates)
    assert 150 < sum(rate < 1e-3 for rate in rates) < 250
    assert draws == [space.drawn(axes, 7, k) for k in range(400)] != [space.drawn(axes, 8, k) for k in range(400)]


def test_a_grid_has_every_combination_once():
    axes = [space.axis("w=1..2"), space.axis("train.optimiser.lr=1e-4..1e-2 log"), space.axis("v=1,1,2")]
    found = space.grid(axes, 3)
    assert len(found) == len(set(found)) == 2 * 3 * 2
    assert {one[1] for one in found} == {f"train.optimiser.lr={rate}" for rate in ("0.0001", "0.001", "0.01")}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("w", "a sweep sets"), ("w=", "an alternative is empty"), ("w=1,,2", "an alternative is empty"),
        ("w=4..1", "to a larger one"), ("w=0..1 log", "begins above 0"), ("expect.params=1,2", "a sweep sets"),
        ("w=1..1e999", "to a larger one"),
    ],
)  # fmt: skip
def test_what_is_no_space_is_refused_at_its_place(here, capsys, text, told):
    code, _, err = swept(capsys, "net.cnn", "--set", text)
    assert code == 1 and "error[CNN331]" in err and told in err and not (here / "sweeps").exists()


@pytest.mark.parametrize(
    ("text", "told"), [("v=1,2", "the spec has no `let v`"), ("train.epoks=1,2", "epoks"), ("w=a,b", "CNN")]
)
def test_a_key_that_is_none_is_told_before_anything_is_written(here, capsys, text, told):
    code, _, err = swept(capsys, "net.cnn", "--set", text)
    assert code == 1 and told in err and not (here / "sweeps").exists()


def test_a_grid_that_is_too_large_is_refused(here, capsys):
    spaces = ("--set", "w=1..1000", "--set", "train.seed=1..1000")
    code, _, err = swept(capsys, "net.cnn", *spaces, "--points", 1000)
    assert code == 1 and "1 000 000 trials" in err


# ---- trials ----------------------------------------------------------------------------------------------


def test_a_trial_is_the_run_of_its_settings(here, capsys):
    code, found, _ = swept(capsys, "net.cnn", *SETS, "--trials", 3)
    assert code == 0 and sorted(one["trial"] for one in found) == [1, 2, 3]
    for one in found:
        alone = cnnspec.run("net.cnn", overrides=one["set"], workers=1)
        assert bits(Path(one["run"])) == bits(alone.folder)
    accuracies = [one["accuracy"] for one in found]
    assert accuracies == sorted(accuracies, reverse=True)


def test_the_best_is_written_out_as_a_spec_that_trains_to_the_same(here, capsys):
    _, found, _ = swept(capsys, "net.cnn", *SETS, "--trials", 3, "--by", "cost")
    costs = [one["cost"] for one in found]
    assert costs == sorted(costs)
    best = here / "sweeps" / "net-001" / "best.cnn"
    (here / "best.cnn").write_text(best.read_text())
    again = cnnspec.run("best.cnn", workers=1)
    assert bits(again.folder)["results"] == bits(Path(found[0]["run"]))["results"]
    assert "# of the hidden layer" in best.read_text() and "# quick" in best.read_text()
    rows = list(csv.DictReader((here / "sweeps" / "net-001" / "results.csv").open()))
    assert [int(row["trial"]) for row in rows] == [one["trial"] for one in found]
    assert f"w={rows[0]['w']}" in found[0]["set"]


def test_the_trials_are_drawn_beside_their_table(here, capsys):
    swept(capsys, "net.cnn", *SETS, "--trials", 3)
    text = (here / "sweeps" / "net-001" / "results.svg").read_text()
    assert text.count("<polyline") == 3 and ">w</text>" in text and ">optimiser lr</text>" in text


def test_trials_that_cannot_be_trained_are_outcomes(here, capsys):
    """A network that is none, and a cost that becomes no number; neither is tried again when the sweep goes on."""
    (here / "net.cnn").write_text(SPEC.replace("-> relu ", ""))
    code, found, _ = swept(capsys, "net.cnn", "--set", "w=0,2", "--set", "train.optimiser=sgd lr 0.1,sgd lr 1e15")
    assert code == 0 and [one["trial"] for one in found] == [3, 1, 2, 4]
    assert [one["failed"][:6] for one in found] == ["", "CNN203", "CNN203", "CNN302"]
    assert all(done(path) for path in (here / "sweeps" / "net-001" / "trials").iterdir())
    before = {path: path.stat().st_mtime_ns for path in here.rglob("trials/*/*")}
    code, again, _ = swept(capsys, "--resume", "sweeps/net-001")
    assert code == 0 and [one["failed"] for one in again] == [one["failed"] for one in found]
    assert {path: path.stat().st_mtime_ns for path in here.rglob("trials/*/*")} == before


def test_several_at_a_time_come_to_the_same(here, capsys):
    swept(capsys, "net.cnn", *SETS, "--trials", 2)
    code, found, _ = swept(capsys, "net.cnn", *SETS, "--trials", 2, "--jobs", 2)
    assert code == 0 and len(found) == 2
    assert trials(here / "sweeps" / "net-001") == trials(here / "sweeps" / "net-002")


@pytest.mark.skipif(sys.platform == "win32", reason="kills by a signal")
@pytest.mark.parametrize(
    ("count", "more"),
    [
        (3, ()), pytest.param(30, (), marks=pytest.mark.slow),
        pytest.param(30, ("--sampler", "tpe", "--pruner", "median"), marks=pytest.mark.slow),
    ],
)  # fmt: skip
def test_a_sweep_that_is_killed_at_random_comes_to_the_same(here, capsys, count, more):
    """Again and again at a time that nobody chose, and the bits of all trials are those of the whole one."""
    if more:
        pytest.importorskip("optuna", reason="the extra `sweep`")
    whole = SPEC.replace("epochs 2", "epochs 8")
    (here / "net.cnn").write_text(whole)
    swept(capsys, "net.cnn", *SETS, *more, "--trials", count)
    chance, kills = random.Random(count), 0
    folder = here / "sweeps" / "net-002"
    arguments = ["net.cnn", *SETS, *more, "--trials", str(count)]
    environment = {**os.environ, "PYTHONPATH": str(Path(cnnspec.__file__).parents[1])}
    wanted = 1 if count == 3 else 12  # kills, of a dozen times: one may end before it is killed
    for _ in range(12):
        process = subprocess.Popen(
            [sys.executable, "-m", "cnnspec", "sweep", *arguments], env=environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        limit = time.monotonic() + 300
        begun = len(list(folder.glob("trials/*/*/state/*")))
        while process.poll() is None and time.monotonic() < limit:
            if len(list(folder.glob("trials/*/*/state/*"))) > begun:
                time.sleep(chance.uniform(0, 0.15))
                process.send_signal(signal.SIGKILL)
                kills += 1
                break
            time.sleep(0.005)
        process.wait()
        if kills == wanted:
            break
        if kills:
            arguments = ["--resume", str(folder)]
        else:
            shutil.rmtree(folder, ignore_errors=True)
    assert kills
    code, found, err = swept(capsys, "--resume", folder)
    assert code == 0 and len(found) == count, err
    assert trials(here / "sweeps" / "net-001") == trials(folder)
    assert (here / "sweeps" / "net-001" / "best.cnn").read_text() == (folder / "best.cnn").read_text()


@pytest.fixture
def forked(monkeypatch):
    """Trials in processes that begin as copies of one that has imported them and has no threads."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        pytest.skip("no processes are forked here")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["cnnspec.experiment.sweep", "cnnspec.experiment.session"])
    monkeypatch.setattr(sweep.multiprocessing, "get_context", lambda kind: context)


def test_a_trial_whose_process_was_killed_is_told_and_done_again(here, capsys, forked, monkeypatch):
    swept(capsys, "net.cnn", *SETS, "--trials", 2)
    with monkeypatch.context() as patch:
        patch.setattr(sweep, "_alone", killing.at_once)
        code, _, err = swept(capsys, "net.cnn", *SETS, "--trials", 2, "--jobs", 2)
    assert code == 1 and "CNN333" in err and "ended with -9" in err
    assert "cnnspec sweep --resume" in err
    code, found, _ = swept(capsys, "--resume", "sweeps/net-002")
    assert code == 0 and len(found) == 2
    assert trials(here / "sweeps" / "net-001") == trials(here / "sweeps" / "net-002")


def test_ctrl_c_ends_every_trial_under_way_and_the_sweep_goes_on(here, capsys, forked, monkeypatch):
    (here / "net.cnn").write_text(SPEC.replace("epochs 2", "epochs 40"))
    swept(capsys, "net.cnn", *SETS, "--trials", 2)
    folder, begun = here / "sweeps" / "net-002", []

    def pressed(sentinels):
        limit = time.monotonic() + 300
        while not list(folder.glob("trials/*/*/state/*")) and time.monotonic() < limit:
            time.sleep(0.005)
        begun.extend(sentinels)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sweep, "wait", pressed)
        code, _, _ = swept(capsys, "net.cnn", *SETS, "--trials", 2, "--jobs", 2)
    assert code == 130 and len(begun) == 2
    assert not multiprocessing.active_children()
    code, found, _ = swept(capsys, "--resume", folder)
    assert code == 0 and len(found) == 2
    assert trials(here / "sweeps" / "net-001") == trials(folder)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_midst_of_an_epoch_is_the_sweeps(here, capsys, monkeypatch, number):
    (here / "net.cnn").write_text(SPEC.replace("epochs 2", "epochs 4"))
    swept(capsys, "net.cnn", *SETS, "--trials", 2)

    def interrupted(event):
        if isinstance(event, StepDone) and event.step == 5:
            raise Interrupted(5, 16, number)

    heard = runs.Recorder.__call__
    with monkeypatch.context() as patch:
        patch.setattr(runs.Recorder, "__call__", lambda one, event: heard(one, event) or interrupted(event))
        code, _, err = swept(capsys, "net.cnn", *SETS, "--trials", 2)
    assert code == 128 + number and "cnnspec sweep --resume sweeps/net-002" in err and "run --resume" not in err
    assert swept(capsys, "--resume", "sweeps/net-002")[0] == 0
    assert trials(here / "sweeps" / "net-001") == trials(here / "sweeps" / "net-002")


def test_a_trial_of_which_only_the_folder_was_made_begins_anew(here, capsys):
    swept(capsys, "net.cnn", *SETS, "--trials", 2)
    before = trials(here / "sweeps" / "net-001")
    run = run_of(here / "sweeps" / "net-001" / "trials" / "002")
    for path in (run / "summary.json", *(run / "state").iterdir(), *(run / "weights").iterdir()):
        path.unlink()
    code, _, _ = swept(capsys, "--resume", here / "sweeps" / "net-001")
    assert code == 0 and trials(here / "sweeps" / "net-001") == before


def test_a_spec_that_was_edited_since_is_refused(here, capsys):
    swept(capsys, "net.cnn", *SETS, "--trials", 1)
    (here / "net.cnn").write_text(SPEC.replace("relu", "tanh"))
    code, _, err = swept(capsys, "--resume", "sweeps/net-001")
    assert code == 1 and "CNN332" in err
    (here / "sweeps" / "net-001" / "sweep.json").write_text("{}")
    code, _, err = swept(capsys, "--resume", "sweeps/net-001")
    assert code == 1 and "CNN464" in err
    code, _, err = swept(capsys, "--resume", here)
    assert code == 1 and "CNN464" in err


@pytest.mark.parametrize(
    "arguments",
    [(), ("net.cnn",), ("net.cnn", "--resume", "."), ("--resume", ".", "--set", "w=1"),
     ("net.cnn", "--set", "w=1,2", "--sampler", "grid", "--trials", "3")],
)  # fmt: skip
def test_a_call_that_makes_no_sense_is_told_of(here, capsys, arguments):
    assert command(["sweep", *arguments]) == 2


NEEDS = {"cmaes": "cmaes", "gp": "torch", "qmc": "scipy"}  # beside Optuna


@pytest.mark.parametrize("sampler", ["tpe", "cmaes", "nsgaii", "qmc", pytest.param("gp", marks=pytest.mark.slow)])
def test_optuna_proposes_from_what_was_told_and_the_same_again(here, capsys, sampler):
    pytest.importorskip("optuna", reason="the extra `sweep`")
    if sampler in NEEDS:
        pytest.importorskip(NEEDS[sampler], reason=f"the sampler {sampler} wants it")
    axes = [space.axis("w=1..64"), space.axis("train.optimiser=adam lr 1e-4..1e-1 log,sgd lr 0.01..1 log")]

    def past(k):
        told.append(k)
        return studies.Past((0.1 * k, 0.2 * k), None if k == 3 else 0.2 * k, pruned=k == 5)

    told = []
    rounds = [range(first, first + 2) for first in range(0, 24, 2)]
    whole = studies.proposed(axes, sampler, 7, rounds, "maximize", past)
    assert len(whole) == 24 and len(set(whole)) > 12 and told == list(range(22))
    for count in (1, 3, 9):  # as a sweep that goes on asks
        assert studies.proposed(axes, sampler, 7, rounds[:count], "maximize", past) == whole[: 2 * count]


def test_a_sweep_by_tpe_comes_to_the_same_again(here, capsys):
    pytest.importorskip("optuna", reason="the extra `sweep`")
    for _ in range(2):
        code, found, _ = swept(capsys, "net.cnn", *SETS, "--sampler", "tpe", "--trials", 4)
        assert code == 0 and len({tuple(one["set"]) for one in found}) > 1
    first, second = (Sweep.reopened(here / "sweeps" / name) for name in ("net-001", "net-002"))
    assert [first.overrides(k) for k in range(4)] == [second.overrides(k) for k in range(4)]
    assert trials(first.folder) == trials(second.folder)


# ---- trials that are stopped early -----------------------------------------------------------------------

FALLS_BEHIND = ("--set", "train.optimiser=adam lr 1e-6..1e-1 log", "--trials", "9", "--by", "cost")


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
@pytest.mark.parametrize("pruner", studies.PRUNERS)
def test_a_pruner_decides_as_in_a_study_of_optuna(pruner, direction):
    """Our replay after every epoch, beside a study that runs from its first trial to its last."""
    optuna = pytest.importorskip("optuna", reason="the extra `sweep`")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    chance, epochs = random.Random(pruner), 9
    live = {
        "median": optuna.pruners.MedianPruner(),
        "halving": optuna.pruners.SuccessiveHalvingPruner(),
        "hyperband": optuna.pruners.HyperbandPruner(max_resource=epochs),
    }[pruner]
    study = optuna.create_study(study_name="sweep", direction=direction, pruner=live)
    past, stopped = [], 0
    for number in range(24):
        one, values = study.ask(), []
        goal, pruned = chance.uniform(0, 1), False
        if number == 4:
            study.tell(one, state=optuna.trial.TrialState.FAIL)
            past.append(studies.Past((), None))
            continue
        ours = studies.Pruning(pruner, direction, 0, tuple(past), number)
        for epoch in range(1, epochs + 1):
            values.append(goal * (1 - 0.5**epoch) + chance.uniform(0, 0.2))
            one.report(values[-1], epoch)
            pruned = one.should_prune() and epoch < epochs
            assert ours.stops(values, epochs) == pruned, (number, epoch)
            if pruned:
                break
        stopped += pruned
        if pruned:
            study.tell(one, state=optuna.trial.TrialState.PRUNED)
        else:
            study.tell(one, values[-1])
        past.append(studies.Past(tuple(values), values[-1], pruned))
    assert stopped > 3


def numbers(run: Path):
    """The bits of a run without the settings that its weights are stamped with."""
    kept = {path.name: safe(path).arrays for path in (run / "weights").iterdir()}
    arrays = {(name, array): values.tobytes() for name, found in kept.items() for array, values in found.items()}
    return arrays, bits(run)["results"]


def test_a_trial_that_falls_behind_is_stopped_with_the_bits_of_its_epochs(here, capsys):
    pytest.importorskip("optuna", reason="the extra `sweep`")
    (here / "net.cnn").write_text(SPEC.replace("epochs 2", "epochs 4"))
    code, found, err = swept(capsys, "net.cnn", *FALLS_BEHIND, "--pruner", "median")
    stopped = [one for one in found if one["pruned"]]
    assert code == 0 and 0 < len(stopped) < 5 and not any(one["failed"] for one in found)
    assert found[-len(stopped) :] == stopped, "whole trials are the better ones"
    for one in stopped:
        assert 0 < one["epochs"] < 4 and f"stopped after epoch {one['epochs']}" in err
        alone = cnnspec.run("net.cnn", overrides=[*one["set"], f"train.epochs={one['epochs']}"], workers=1)
        assert numbers(alone.folder) == numbers(Path(one["run"])), "the rate is constant: fewer epochs are a part"
    rows = list(csv.DictReader((here / "sweeps" / "net-001" / "results.csv").open()))
    assert [row["pruned"] for row in rows] == ["yes" if one["pruned"] else "" for one in found]
    code, again, _ = swept(capsys, "--resume", "sweeps/net-001")
    assert code == 0 and again == found


@pytest.mark.parametrize("when", ["it is noted", "it is saved"])
def test_one_that_is_killed_as_it_is_stopped_stops_when_the_sweep_goes_on(here, capsys, monkeypatch, when):
    pytest.importorskip("optuna", reason="the extra `sweep`")
    (here / "net.cnn").write_text(SPEC.replace("epochs 2", "epochs 4"))
    arguments = (*FALLS_BEHIND, "--pruner", "median")
    swept(capsys, "net.cnn", *arguments)

    def killed(*given):
        raise KeyboardInterrupt

    write = files.write

    def noted(path, pieces):
        write(path, pieces)
        if path.name == trial.PRUNED:
            killed()

    with monkeypatch.context() as patch:
        if when == "it is noted":
            patch.setattr(files, "write", noted)
        else:
            patch.setattr(runs, "stop", killed)
        assert swept(capsys, "net.cnn", *arguments)[0] == 130
    code, found, _ = swept(capsys, "--resume", "sweeps/net-002")
    assert code == 0 and len(found) == 9
    assert trials(here / "sweeps" / "net-001") == trials(here / "sweeps" / "net-002")
    whole, resumed = (
        (here / "sweeps" / name / "results.csv").read_text().count(",yes,") for name in ("net-001", "net-002")
    )
    assert whole == resumed > 0


def test_pruned_trials_several_at_a_time_depend_on_rounds_alone(here, capsys, forked):
    pytest.importorskip("optuna", reason="the extra `sweep`")
    (here / "net.cnn").write_text(SPEC.replace("epochs 2", "epochs 4"))
    for jobs in (2, 2):
        swept(capsys, "net.cnn", *FALLS_BEHIND, "--pruner", "halving", "--jobs", jobs)
    assert trials(here / "sweeps" / "net-001") == trials(here / "sweeps" / "net-002")


def test_each_trial_of_a_sweep_is_logged_if_that_is_asked_for(here, capsys, monkeypatch):
    heard = []

    class Heard:
        def begin(self, run):
            heard.append([run.name, run.settings["w"]])

        def log(self, figures, step):
            heard[-1].append(step)

        def end(self, status, figures):
            heard[-1].append(status)

    monkeypatch.setattr(trial, "loggers_of", lambda names: [Heard() for _ in names])
    monkeypatch.setattr(sweep, "loggers_of", lambda names: ())
    code, _, _ = swept(capsys, "net.cnn", "--set", "w=2,4", "--log", "tensorboard")
    assert code == 0 and heard == [["net-001", 2, 4, 8, "finished"], ["net-001", 4, 4, 8, "finished"]]
    plan = json.loads((here / "sweeps" / "net-001" / "sweep.json").read_text())
    assert plan["log"] == ["tensorboard"] and "pruner" not in plan


def test_without_optuna_its_sampler_is_refused(here, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    for asked in (("--sampler", "tpe"), ("--pruner", "median")):
        code, _, err = swept(capsys, "net.cnn", *SETS, *asked, "--trials", 1)
        assert code == 1 and "CNN334" in err and not (here / "sweeps").exists()


# ---- numbers of `let` ------------------------------------------------------------------------------------


def test_a_number_of_let_is_set_for_a_run_and_kept_with_it(here, capsys):
    assert command(["run", "net.cnn", "--set", "w=7", "--workers", "1"]) == 0
    settings = json.loads((here / "runs" / "net-001" / "settings.json").read_text())
    assert settings["let"] == {"w": 7} and settings["set"] == ["w=7"]
    with cnnspec.open(here / "runs" / "net-001") as model:
        assert model.parameters["dense1.weight"].shape == (7, 2)
    assert command(["run", "net.cnn", "--set", "ww=7"]) == 1
    assert "the spec has no `let ww`" in capsys.readouterr().err

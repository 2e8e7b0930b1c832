"""Loggers of a run: what each hears, by stand-ins of their packages, and by the packages where these are there."""

import json
import os
import sys
from collections import defaultdict
from types import ModuleType, SimpleNamespace

import pytest

import cnnspec
from cnnspec.cli import run as command
from cnnspec.experiment.loggers.logger import KNOWN, loggers_of
from cnnspec.train import documents

SPEC = """\
input 2
dense 3 -> relu -> dense 2 -> softmax
train { epochs 3 ; batch 8 ; shards 1 ; optimiser adam lr 1e-2 }
data { source csv "table.csv" label 3 header on ; validation 25% }
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "table.csv").write_text("a,b,kind\n" + "".join(f"{k},{k % 3},{'ab'[k % 2]}\n" for k in range(40)))
    (tmp_path / "net.cnn").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    for name in [one for one in os.environ if one.startswith(("MLFLOW_", "WANDB_"))]:
        monkeypatch.delenv(name)
    return tmp_path


class Heard:
    """A logger that keeps what it hears."""

    def __init__(self, fails=""):
        self.begun, self.rows, self.ended, self.fails = [], [], [], fails

    def begin(self, run):
        self._fail("begin")
        self.begun.append(run)

    def log(self, figures, step):
        self._fail("log")
        self.rows.append((step, dict(figures)))

    def end(self, status, figures):
        self._fail("end")
        self.ended.append((status, dict(figures)))

    def _fail(self, where):
        if where == self.fails:
            raise ConnectionError("the server is\ngone")


def rows_of(folder):
    """Of each epoch the step that it ended with, and its numbers."""
    columns = documents.columns(folder / "results.csv")
    steps = 4  # of an epoch: 27 images
    return [
        (int(epoch) * steps, {name: values[k] for name, values in columns.items() if values[k] is not None})
        for k, epoch in enumerate(columns["epoch"])
    ]


# ---- any logger ------------------------------------------------------------------------------------------


def test_a_logger_hears_settings_epochs_and_the_test(here):
    heard = Heard()
    run = cnnspec.run("net.cnn", workers=1, log=[heard])
    (begun,) = heard.begun
    assert begun.folder == run.folder and begun.name == "net-001"
    assert begun.settings["train.optimiser"] == "adam" and begun.settings["train.optimiser.lr"] == 0.01
    assert begun.settings["data.validation"] == 0.25 and "train.patience" not in begun.settings
    assert heard.rows == rows_of(run.folder)
    ((status, tested),) = heard.ended
    assert status == "finished" and tested["test_accuracy"] == run.summary["test_accuracy"]
    assert tested["test_cost"] == run.summary["test_cost"] and tested["test.f1"] == run.summary["test"]["f1"]
    assert run.unlogged == ()


def test_long_epochs_tell_the_cost_between(here):
    heard = Heard()
    costs = []
    cnnspec.run(
        "net.cnn", overrides=["train.epochs=4", "train.batch=1"], workers=1, log=[heard],
        on_event=lambda event: costs.append(getattr(event, "cost", None)),
    )  # fmt: skip
    told = [(step, row["step_cost"]) for step, row in heard.rows if "step_cost" in row]
    costs = [cost for cost in costs if cost is not None]
    assert told == [(100, pytest.approx(sum(costs[:100]) / 100, rel=1e-12))]
    assert [step for step, _ in heard.rows] == sorted(step for step, _ in heard.rows)


@pytest.mark.parametrize("fails", ["begin", "log", "end"])
def test_a_logger_that_fails_is_left_and_the_run_is_the_same(here, capsys, fails):
    alone = cnnspec.run("net.cnn", workers=1)
    good = Heard()
    run = cnnspec.run("net.cnn", workers=1, log=[Heard(fails), good])
    assert run.unlogged == ("Heard: ConnectionError: the server is",) and "unlogged: Heard" in repr(run)
    assert good.ended and good.rows == rows_of(run.folder)
    assert run.summary["test_cost"] == alone.summary["test_cost"]
    assert capsys.readouterr().out == ""


def test_a_resumed_run_is_logged_whole(here):
    first, second = Heard(), Heard()

    def stop(event):
        if getattr(event, "images", 0) and event.step == 9:
            raise RuntimeError("the lights went out")

    with pytest.raises(RuntimeError):
        cnnspec.run("net.cnn", workers=1, log=[first], on_event=stop)
    assert first.ended == [("failed", {})] and len(first.rows) == 2
    run = cnnspec.resume(here / "runs" / "net-001", workers=1, log=[second])
    assert second.rows == rows_of(run.folder) and len(second.rows) == 3
    later = Heard()
    cnnspec.resume(run.folder, workers=1, overrides=["train.epochs=4"], log=[later])
    assert len(later.rows) == 4 and later.begun[0].settings["train.epochs"] == 4


def test_ctrl_c_is_told_as_an_interruption(here):
    heard = Heard()

    def press(event):
        if getattr(event, "images", 0) and event.step == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cnnspec.run("net.cnn", workers=1, log=[heard], on_event=press)
    assert heard.ended == [("interrupted", {})]


@pytest.mark.parametrize("log", ["tensorboard", ["tensorbord"], [3], [SimpleNamespace(begin=print)]])
def test_what_is_no_logger_is_refused(here, log):
    with pytest.raises(ValueError, match="log"):
        cnnspec.run("net.cnn", log=log)
    assert not (here / "runs").exists()


@pytest.mark.parametrize("name", KNOWN)
def test_a_package_that_is_missing_is_told_before_anything_is_written(here, capsys, monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, f"cnnspec.experiment.loggers.{name}", raising=False)
    code = command(["run", "net.cnn", "--log", name])
    said = capsys.readouterr()
    assert code == 1 and "error[CNN527]" in said.err and "pip install" in said.err
    assert not (here / "runs").exists()


# ---- stand-ins of the packages ---------------------------------------------------------------------------


class Recorded:
    """Anything of a package: its calls are kept in `calls`, by name."""

    def __init__(self, calls, **answers):
        self.calls, self.answers = calls, answers

    def __getattr__(self, name):
        def call(*positional, **named):
            self.calls[name].append((positional, named))
            return self.answers.get(name)

        return call


@pytest.fixture
def stand_in(monkeypatch):
    """Put modules in the place of a package."""

    made = []

    def put(name, **modules):
        made.append(f"cnnspec.experiment.loggers.{name}")
        monkeypatch.delitem(sys.modules, made[0], raising=False)
        for path, members in modules.items():
            module = ModuleType(path.replace("__", "."))
            vars(module).update(members)
            monkeypatch.setitem(sys.modules, module.__name__, module)

    yield put
    for name in made:
        sys.modules.pop(name, None)


def test_mlflow_gets_parameters_metrics_and_the_end(here, capsys, stand_in, monkeypatch):
    calls = defaultdict(list)
    info = SimpleNamespace(info=SimpleNamespace(run_id="r1"))
    client = Recorded(calls, get_experiment_by_name=None, create_experiment="7", create_run=info)
    names = {name: lambda *values, name=name: (name, *values) for name in ("Metric", "Param", "RunTag")}
    stand_in("mlflow", mlflow={"MlflowClient": lambda: client}, mlflow__entities=names)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "ours")
    assert command(["run", "net.cnn", "--workers", "1", "--log", "mlflow", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert calls["create_experiment"] == [(("ours",), {})]
    assert calls["create_run"] == [(("7",), {"run_name": "net-001"})]
    metrics = [one for batch, _ in calls["log_batch"] for one in (batch[1] if len(batch) > 1 else [])]
    folder = here / "runs" / "net-001"
    told = [(step, {n: v for _, n, v, _, at in metrics if at == step}) for step in (4, 8, 12)]
    assert told == rows_of(folder)
    assert ("test_cost", summary["test_cost"]) in [(n, v) for _, n, v, _, _ in metrics]
    params = {one[1]: one[2] for _, named in calls["log_batch"] for one in named.get("params", ())}
    assert params["train.optimiser.lr"] == "0.01" and params["train.epochs"] == "3"
    assert calls["set_terminated"] == [(("r1", "FINISHED"), {})]


def test_weights_and_biases_gets_config_history_and_summary(here, capsys, stand_in):
    calls = defaultdict(list)
    kept = Recorded(calls)
    kept.summary = {}
    begun = []
    stand_in("wandb", wandb={"init": lambda **named: begun.append(named) or kept, "Settings": dict})
    assert command(["run", "net.cnn", "--workers", "1", "--log", "wandb"]) == 0
    (named,) = begun
    assert (named["project"], named["name"]) == ("cnnspec", "net-001")
    assert named["config"]["train.optimiser"] == "adam" and named["settings"] == {"silent": True, "console": "off"}
    assert [(given["step"], row) for (row,), given in calls["log"]] == rows_of(here / "runs" / "net-001")
    assert "test_accuracy" in kept.summary and calls["finish"] == [((), {"exit_code": 0})]


def test_a_logger_that_fails_is_told_by_the_command(here, capsys, stand_in):
    def refuse(**named):
        raise RuntimeError("no account")

    stand_in("wandb", wandb={"init": refuse, "Settings": dict})
    assert command(["run", "net.cnn", "--workers", "1", "--log", "wandb"]) == 0
    assert "not logged to the end: WeightsAndBiases: RuntimeError: no account" in capsys.readouterr().err


# ---- the packages ----------------------------------------------------------------------------------------


def test_tensorboard_reads_what_is_written(here, capsys):
    pytest.importorskip("tensorboard", reason="the extra `tensorboard`")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert command(["run", "net.cnn", "--workers", "1", "--log", "tensorboard"]) == 0
    folder = here / "runs" / "net-001"
    assert command(["run", "--resume", str(folder), "--epochs", "5", "--log", "tensorboard"]) == 0
    read = EventAccumulator(str(folder / "tensorboard"))
    read.Reload()
    rows = rows_of(folder)
    assert len(rows) == 5 and set(read.Tags()["scalars"]) >= {"cost", "validation_accuracy", "test_cost"}
    for name in ("cost", "validation_cost", "rate"):
        found = {one.step: one.value for one in read.Scalars(name)}
        assert found == {step: pytest.approx(row[name], rel=1e-6) for step, row in rows}
        assert len(read.Scalars(name)) == 5, "what the first part has written is not counted twice"
    plugin = read.PluginTagToContent("hparams")
    assert "_hparams_/session_start_info" in plugin


@pytest.mark.slow
def test_mlflow_reads_what_is_written(here, monkeypatch):
    mlflow = pytest.importorskip("mlflow", reason="MLflow is not installed")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{(here / 'kept.db').as_posix()}")
    run = cnnspec.run("net.cnn", workers=1, log=["mlflow"])
    assert run.unlogged == ()
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name("cnnspec")
    (found,) = client.search_runs([experiment.experiment_id])
    assert found.info.status == "FINISHED" and found.info.run_name == "net-001"
    assert found.data.params["train.optimiser.lr"] == "0.01"
    history = client.get_metric_history(found.info.run_id, "validation_cost")
    assert [(one.step, one.value) for one in history] == [
        (step, row["validation_cost"]) for step, row in rows_of(run.folder)
    ]
    assert found.data.metrics["test_cost"] == run.summary["test_cost"]


@pytest.mark.slow
def test_weights_and_biases_takes_what_is_written(here, capsys, monkeypatch):
    pytest.importorskip("wandb", reason="Weights & Biases is not installed")
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert command(["run", "net.cnn", "--workers", "1", "--log", "wandb", "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["status"] == "finished" and "not logged" not in said.err
    (kept,) = here.glob("wandb/offline-run-*/*.wandb")
    assert b"validation_cost" in kept.read_bytes()


def test_names_are_made_once(here):
    pytest.importorskip("tensorboard", reason="the extra `tensorboard`")
    heard = Heard()
    first, second = loggers_of(["tensorboard", heard])
    assert type(first).__name__ == "TensorBoard" and second is heard

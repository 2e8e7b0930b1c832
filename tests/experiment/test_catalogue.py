"""`cnnspec runs` and `cnnspec diff` of two runs: what was made, what came of it, what differs; also of old ones."""

import json
import re
import shutil

import pytest

import cnnspec
from cnnspec.api import read_spec
from cnnspec.cli import run as command
from cnnspec.diagnostics import Source
from cnnspec.experiment.catalogue import catalogue, differing, entry
from cnnspec.ir.fields import written
from cnnspec.lang.exchange import fields_as_json
from cnnspec.settings.train import Train

SPEC = """\
input 2
dense 3 -> relu -> dense 2 -> softmax
train { epochs 2 ; batch 8 ; shards 1 }
data { source csv "table.csv" label 3 header on ; validation 25% }
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Three runs of one spec, of which the third's text is another, and one of another spec, in runs/."""
    base = tmp_path_factory.mktemp("catalogue")
    (base / "table.csv").write_text("a,b,kind\n" + "".join(f"{k},{k % 3},{'ab'[k % 2]}\n" for k in range(40)))
    (base / "net.cnn").write_text(SPEC)
    (base / "other.cnn").write_text(SPEC.replace("dense 3", "dense 5"))
    for spec, overrides in (
        ("net", ()), ("net", ("train.optimiser.lr=0.1", "train.epochs=3")), ("other", ())
    ):  # fmt: skip
        cnnspec.run(base / f"{spec}.cnn", overrides=overrides, workers=1, out=base / "runs")
    (base / "net.cnn").write_text(SPEC.replace("relu", "tanh"))
    cnnspec.run(base / "net.cnn", workers=1, out=base / "runs")
    return base


@pytest.fixture
def runs(made, tmp_path, monkeypatch):
    """A copy of them that may be changed, in the current folder."""
    shutil.copytree(made, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here" / "runs"


def told(capsys, *arguments):
    code = command([str(one) for one in arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_run_is_listed_with_what_its_files_say(runs):
    found = entry(runs / "net-002")
    summary = json.loads((runs / "net-002" / "summary.json").read_text())
    assert (found.spec, found.status) == ("net", "finished")
    assert found.settings["train.optimiser"] == "adam" and found.settings["train.optimiser.lr"] == 0.1
    assert found.settings["train.epochs"] == 3 and found.settings["data.validation"] == 0.25
    assert found.settings["input"] == "2" and found.settings["shards"] == 1
    figures = found.figures
    for name in ("test_accuracy", "test_cost", "parameters", "seconds", "best_epoch", "epochs"):
        assert figures[name] == summary[name], name
    assert figures["test.f1"] == summary["test"]["f1"]
    best = summary["best_epoch"] - 1
    assert figures["accuracy"] == found.columns["validation_accuracy"][best]
    assert figures["cost"] == found.columns["validation_cost"][best]


def test_what_differs_is_told_among_runs_of_one_spec(runs):
    entries, problems = catalogue(runs)
    assert [one.path.name for one in entries] == ["net-001", "net-002", "net-003", "other-001"] and not problems
    differs = {path.name: found for path, found in differing(entries).items()}
    texts = [differs[f"net-00{k}"].pop("text") for k in (1, 2, 3)]
    assert texts[0] == texts[1] != texts[2]
    assert differs["net-001"] == differs["net-003"] == {"train.optimiser.lr": 0.001, "train.epochs": 2}
    assert differs["net-002"] == {"train.optimiser.lr": 0.1, "train.epochs": 3}
    assert differs["other-001"] == {}


def test_the_table_is_sorted_and_chosen_from(runs, capsys):
    code, out, err = told(capsys, "runs")
    assert (code, err) == (0, "")
    header, *rows = out.splitlines()
    assert header.split() == [
        "run", "spec", "epochs", "accuracy", "cost", "test", "time", "parameters", "differs",
    ]  # fmt: skip
    assert [re.split(r"  +", row)[0].replace("\\", "/") for row in rows] == [
        f"runs/{name}" for name in ("net-001", "net-002", "net-003", "other-001")
    ]
    assert "optimiser.lr=0.1 epochs=3" in rows[1]

    def names(*more):
        code, out, err = told(capsys, "runs", runs, "--json", *more)
        assert (code, err) == (0, ""), err
        return [re.split(r"[/\\]", one["run"])[-1] for one in json.loads(out)]

    assert names("--sort", "parameters")[0] == "other-001"
    costs = [entry(runs / name).figures["test_cost"] for name in names("--sort", "test_cost")]
    assert costs == sorted(costs)
    assert names("--sort", "test_cost", "--reverse") == names("--sort", "test_cost")[::-1]
    assert names("--where", "spec=net", "--where", "train.epochs>=3") == ["net-002"]
    assert names("--where", "train.optimiser.lr<=1e-3", "--where", "spec!=net") == ["other-001"]
    assert names("--where", "train.optimiser=sgd") == []
    assert names("--where", "accuracy<=100%") == names()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--where", "train.epoch=3"], "no run has `train.epoch`; did you mean `train.epochs`?"),
        (["--sort", "acuracy"], "did you mean `accuracy`?"),
        (["--where", "accuracy"], "a condition is KEY=VALUE"),
        (["nowhere"], "'nowhere' does not exist"),
    ],
)
def test_a_wrong_question_is_told_of(runs, capsys, arguments, said):
    code, out, err = told(capsys, "runs", *arguments)
    assert code == 2 and said in err and not out


def test_lines_that_may_be_said_several_times_are_told_as_they_are_written(runs, capsys):
    said = {
        "train.freeze": "conv1, bn1 until 6 ; bn2",
        "train.rate": "0.1 of conv1, bn1 ; 3 of dense1",
        "train.weights": "theirs.safetensors layout timm partial on",
        "data.augment": "flip direction horizontal ; shift 2",
    }
    spec = read_spec(
        Source(
            "net.cnn",
            "input 1x8x8\nconv 2x1x1 -> bn -> conv 2x1x1 -> bn -> dense 2 -> softmax\n"
            "train { freeze conv1, bn1 until 6 ; freeze bn2 ; rate 0.1 of conv1, bn1 ; rate 3 of dense1\n"
            'weights "theirs.safetensors" as timm partial on }\ndata { augment flip ; augment shift 2 }',
        )
    )
    path = runs / "net-002" / "settings.json"
    document = json.loads(path.read_text())
    fields = {block: fields_as_json(getattr(spec, block)) for block in ("train", "data")}
    path.write_text(json.dumps({**document, **fields}))
    settings, plain = entry(runs / "net-002").settings, entry(runs / "net-001").settings
    assert {name: settings[name] for name in said} == said
    assert {name: plain[name] for name in said} == dict.fromkeys(said)
    assert not any("freeze." in name or "weights." in name for name in settings)
    code, out, _ = told(capsys, "runs", "--where", "train.freeze=none")
    assert code == 0 and "net-002" not in out and "net-001" in out
    assert 'freeze="conv1, bn1 until 6 ; bn2"' in told(capsys, "runs")[1]


def test_settings_of_an_old_run_are_those_of_its_spec(runs):
    """They were one text, which nobody parses: the spec is in the folder, and so is what took its place."""
    new = entry(runs / "net-002")
    path = runs / "net-002" / "settings.json"
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "train": written(Train(), explicit=True), "data": "data"}))
    assert entry(runs / "net-002").settings == new.settings


def test_runs_that_did_not_end_are_listed_as_what_they_are(runs):
    from cnnspec.train.lock import held

    (runs / "net-001" / "summary.json").unlink()
    whole = entry(runs / "net-001")
    assert whole.status == "stopped" and whole.figures["epochs"] == 2 and whole.figures["parameters"] == 17
    assert whole.figures["accuracy"] is not None and whole.figures["test_accuracy"] is None
    with held(runs / "net-001"):
        assert entry(runs / "net-001").status == "running"
    (runs / "net-001" / "results.csv").unlink()
    bare = entry(runs / "net-001")
    assert bare.figures["epochs"] == 0 and bare.figures["accuracy"] is None and bare.figures["seconds"] == 0


def test_the_best_epoch_of_a_run_without_an_end_is_that_of_the_loop(runs):
    whole = entry(runs / "net-002").figures
    (runs / "net-002" / "summary.json").unlink()
    assert entry(runs / "net-002").figures["best_epoch"] == whole["best_epoch"]


def test_a_damaged_run_is_told_of_and_the_others_are_listed(runs, capsys):
    (runs / "net-001" / "settings.json").write_text("{")
    (runs / "other-001" / "results.csv").write_text("nothing\n")
    code, out, err = told(capsys, "runs")
    assert code == 1 and err.count("CNN464") == 2 and len(out.splitlines()) == 3


def test_settings_of_other_programs_and_folders_without_runs_are_none(tmp_path, capsys):
    (tmp_path / ".vscode").mkdir()
    (tmp_path / ".vscode" / "settings.json").write_text("{}")
    code, out, err = told(capsys, "runs", tmp_path)
    assert (code, err) == (0, "") and out.startswith("there are no runs in ")


def test_hostile_settings_do_not_break_the_list(runs, capsys):
    path = runs / "net-001" / "settings.json"
    document = json.loads(path.read_text())
    deep = {"word": ["x"]}
    for _ in range(150):
        deep = {"a": [deep]}
    document["train"] |= {"epochs": 10**400, "a\nb": "\x1b[31m", "deep": deep, "deeper": {"b": {"c": deep}}}
    path.write_text(json.dumps(document))
    for more in ((), ("--sort", "train.epochs"), ("--where", "train.epochs>1")):
        code, out, err = told(capsys, "runs", *more)
        assert (code, err) == (0, "") and "\x1b" not in out
        assert all(row.startswith(("run", "net", "other")) for row in out.splitlines())


# ---- diff ------------------------------------------------------------------------------------------------


def test_two_runs_are_compared_by_settings_results_and_curves(runs, capsys):
    code, out, err = told(capsys, "diff", "runs/net-001", "runs/net-002", "--svg", "curves.svg")
    assert (code, err) == (1, "")
    assert "  train.epochs: 2 -> 3\n" in out and "adam -> adam lr 0.1" in out
    summaries = [json.loads((runs / name / "summary.json").read_text()) for name in ("net-001", "net-002")]
    (row,) = [line for line in out.splitlines() if line.startswith("test accuracy")]
    assert row.split()[2:] == [f"{one['test_accuracy']:.2%}" for one in summaries]
    assert out.count("a runs/net-001   b runs/net-002") == 4  # a picture for each column
    picture = (runs.parent / "curves.svg").read_text()
    assert picture.count("<polyline") == 8 and "validation accuracy" in picture


def test_two_runs_as_json(runs, capsys):
    code, out, _ = told(capsys, "diff", "runs/net-001", "runs/other-001", "--json")
    found = json.loads(out)
    assert code == 1 and found["same"] is False and found["layers"][0]["kind"] == "changed"
    figures = found["runs"]["figures"]["parameters"]
    assert (figures["before"], figures["after"]) == (17, 27)
    assert len(found["runs"]["curves"]["cost"]["before"]) == 2


def test_runs_made_the_same_way_are_the_same_whatever_came_of_them(runs, capsys):
    shutil.copytree(runs / "net-001", runs / "net-009")
    code, out, _ = told(capsys, "diff", "runs/net-001", "runs/net-009")
    assert code == 0 and out.startswith("the same network, trained the same way\n")


def test_a_run_and_a_spec_are_compared_as_specs(runs, capsys):
    code, out, _ = told(capsys, "diff", "runs/net-003", "net.cnn")
    assert (code, out) == (0, "the same network, trained the same way\n")
    code, out, _ = told(capsys, "diff", "net.cnn", "runs/net-001")
    assert code == 1 and "tanh" in out and "relu" in out
    code, _, err = told(capsys, "diff", "net.cnn", "runs/net-001", "--svg", "x.svg")
    assert code == 2 and "--svg" in err

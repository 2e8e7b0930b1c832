"""`run`, `eval`, `predict`, `summary`, `plan`: as a user calls them, on small nets and few digits."""

import csv
import json

import numpy as np
import pytest
from click.testing import CliRunner

from cnnspec.cli import program

SPEC = """\
conv 4x3x3 stride 2 -> relu -> maxpool 2 -> dense 10 -> softmax
data { source digits ; limit 300 }
train { epochs 2 ; batch 32 ; seed 4 }
"""


@pytest.fixture
def there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.cnn").write_text(SPEC)
    return tmp_path


def call(*arguments):
    from cnnspec.cli.outcome import finish

    runner = CliRunner()
    codes = []
    original = program.main

    def main(*args, **kwargs):
        kwargs["standalone_mode"] = False
        codes.append(finish(lambda: original(*args, **kwargs)))

    program.main = main
    try:
        result = runner.invoke(program, [str(a) for a in arguments])
    finally:
        program.main = original
    return codes[-1], result.output


def test_a_run_writes_everything_down_and_can_be_used(there):
    code, told = call("run", "net.cnn", "--workers", 1)
    assert code == 0, told
    folder = there / "runs" / "net-001"
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["status"] == "finished" and summary["epochs"] == 2
    assert summary["parameters"] == 4 * 9 + 4 + 10 * 4 * 36 + 10
    assert (folder / "net.cnn").read_text() == SPEC
    assert len(list(csv.DictReader((folder / "results.csv").open()))) == 2
    assert "test accuracy" in told and "epoch 2/2" in told

    code, told = call("eval", folder, "--json")
    assert code == 0
    assert json.loads(told)["accuracy"] == pytest.approx(summary["test_accuracy"])
    code, told = call("eval", folder / "weights" / "best.safetensors", "--json")
    assert json.loads(told)["cost"] == pytest.approx(summary["test_cost"])

    np.save(there / "one.npy", np.zeros((1, 28, 28), np.uint8))
    np.save(there / "two.npy", np.zeros((2, 28, 28), np.float32))
    code, told = call("predict", folder, "one.npy", "two.npy", "--json")
    assert code == 0 and len(json.loads(told)) == 3
    assert sum(json.loads(told)[0]["output"]) == pytest.approx(1, rel=1e-4)

    assert call("run", "net.cnn", "--workers", 1)[0] == 0
    assert (there / "runs" / "net-002").is_dir()


def test_json_is_the_only_thing_on_standard_output(there):
    runner = CliRunner()
    result = runner.invoke(program, ["run", "net.cnn", "--json", "--workers", "1", "--set", "train.epochs=1"])
    assert json.loads(result.stdout)["epochs"] == 1


def test_the_same_run_on_other_workers_writes_the_same_weights(there):
    weights = []
    for workers in (1, 2, 4):
        code, told = call("run", "net.cnn", "--set", "train.shards=4", "--workers", workers)
        assert code == 0, told
        weights.append((there / f"runs/net-{len(weights) + 1:03}/weights/last.safetensors").read_bytes())
    assert weights[0] == weights[1] == weights[2]


def test_a_missed_budget_fails_the_run(there):
    (there / "net.cnn").write_text(SPEC + "expect { accuracy >= 99.9% }\n")
    code, told = call("run", "net.cnn", "--set", "train.epochs=1", "--workers", 1)
    assert code == 1 and "CNN608" in told and "99.9" in told


@pytest.mark.parametrize(
    "arguments, code, told",
    [
        (["run"], 2, "give a spec"),
        (["run", "none.cnn"], 2, "does not exist"),
        (["run", "net.cnn", "--set", "train.epoks=3"], 1, "no setting `epoks`"),
        (["run", "net.cnn", "--set", "data.source=mnist", "--data", "nowhere"], 1, "mnist"),
        (["run", "--resume", "empty"], 1, "CNN462"),
        (["eval", "empty"], 1, "CNN462"),
        (["predict", "empty", "net.cnn"], 1, "CNN462"),
        (["plan", "net.cnn", "--after", "nothing"], 2, "no pass"),
        (["summary", "wrong.cnn"], 1, "CNN201"),
    ],
)
def test_mistakes_are_told_with_their_exit_code(there, arguments, code, told):
    (there / "empty").mkdir()
    (there / "wrong.cnn").write_text("input 1x8x8\nconvv 3x3x3\n")
    found, text = call(*arguments)
    assert found == code, text
    assert told in text and "Traceback" not in text


def test_the_plan_is_python_from_the_first_line_to_the_last(there):
    import ast

    code, text = call("plan", "net.cnn")
    assert code == 0
    names = [node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    assert names == ["forward", "backward", "buffers", "update"]
    assert "net.cnn:1:1" in text and "conv 4x3x3 stride 2" in text
    code, text = call("plan", "net.cnn", "--after", "differentiate")
    assert code == 0 and "d conv1.weight" in text


def test_the_summary_counts(there):
    code, text = call("summary", "net.cnn", "--input", "1x28x28", "--json")
    found = json.loads(text)
    assert code == 0 and found["parameters"] == sum(layer["parameters"] for layer in found["layers"])
    assert found["macs"] == 4 * 13 * 13 * 9 + 10 * 4 * 36


def test_a_tuned_run_records_what_was_measured_and_a_resumed_one_takes_it(there, monkeypatch):
    """The choice decides the last bits, so it is read from the run's folder and not measured again."""
    from cnnspec.experiment.experiment import FORMER_METHODS
    from cnnspec.model import engines
    from cnnspec.runtime import remember, tune

    monkeypatch.setenv("XDG_CACHE_HOME", str(there / "cache"))
    (there / "wide.cnn").write_text(
        "conv 16x3x3 stride 2 -> relu -> conv 16x3x3 pad 2 -> gap -> dense 10 -> softmax\n"
        "data { source digits ; limit 100 }\ntrain { epochs 2 ; batch 32 }\n"
    )
    slow = {"im2col": 1.0, "Winograd": 2.0, "flipping": 1.0, "col2im": 2.0}
    asked = []

    def measure(plans, *rest):
        asked.append(set(plans))
        return {name: slow.get(name, 3.0) for name in plans}

    monkeypatch.setattr(tune, "measure", measure)
    code, told = call("run", "wide.cnn", "--workers", 1, "--tune")
    assert code == 0, told
    folder = there / "runs" / "wide-001"
    kept = json.loads((folder / "settings.json").read_text())["tuned"]
    assert asked and set(kept) == {"train", "infer"} and kept["train"]
    assert remember.file().is_file()

    former = {now: before for before, now in FORMER_METHODS.items()}
    older = {
        mode: {key: {former.get(name, name): s for name, s in times.items()} for key, times in found.items()}
        for mode, found in kept.items()
    }
    assert older != kept
    settings = json.loads((folder / "settings.json").read_text()) | {"tuned": older}
    (folder / "settings.json").write_text(json.dumps(settings))  # as a version of before names the methods

    asked.clear()
    remember.file().unlink()
    taken = []
    begin = engines.begin
    monkeypatch.setattr(engines, "begin", lambda *a, **k: taken.append(k["measured"]) or begin(*a, **k))
    code, told = call("run", "--resume", folder, "--workers", 1)
    assert code == 0, told
    assert not asked and taken[0] == kept  # others only draw
    code, told = call("run", "--resume", folder, "--tune")
    assert code == 2 and "a resumed run keeps its settings" in told

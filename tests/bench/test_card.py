"""`cnnspec bench --engine jax`: our engine on JAX beside PyTorch, on one device; and the table of a card."""

import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from cnnspec.bench import comparison, runner, torch_program
from cnnspec.bench.comparison import Result
from cnnspec.bench.subject import Subject
from cnnspec.bench.suite import SuiteRow
from cnnspec.cli import run
from cnnspec.diagnostics import Diagnostic, SpecError

NET = """input 2x8x8
conv 4x3x3 bias off -> bn -> relu -> maxpool 2 -> dense 3 -> softmax
train { optimiser sgd momentum 0.9 clip 1 ; batch 8 }
"""


SIDES = ("engine jax", "torch")


class Comparing:
    """Stands for the process that holds a network's numbers against a rival's."""

    name = "comparing"

    def __init__(self, subject):
        self.subject = subject

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass

    def answer(self, wanted):
        if "n3" in str(self.subject.spec.source.name):
            raise SpecError((Diagnostic.of("CNN319", what="the cost", who="torch", off=1.0, dtype="float64"),))
        return 0.0


@pytest.fixture
def net(tmp_path):
    path = tmp_path / "net.cnn"
    path.write_text(NET)
    return path


def test_sides_on_two_devices_are_no_comparison():
    assert comparison.one_device({"engine jax": "", "torch": ""}) == ""
    assert comparison.one_device({"engine jax": "NVIDIA H100", "torch": "NVIDIA H100 80GB HBM3"}) == "NVIDIA H100"
    with pytest.raises(SpecError) as raised:
        comparison.one_device({"engine jax": "NVIDIA H100", "torch": "", "torch channels_last": ""})
    (fault,) = raised.value.diagnostics
    assert fault.code == "CNN314" and "engine jax runs on NVIDIA H100 and torch on the processor" in fault.message


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--precision", "bfloat16"], "give --engine jax"),
        (["--engine", "jax", "--tune"], "leave it out with --engine jax"),
        (["--engine", "jax", "--against", "torch", "--against", "onnxruntime"], "not with onnxruntime"),
    ],
)
def test_what_has_no_meaning_on_jax_is_refused_as_usage(net, capsys, options, said):
    assert run(["bench", str(net), *options]) == 2
    assert said in capsys.readouterr().err


def test_the_sides_are_our_engine_and_pytorch_on_a_card_where_it_has_one(net, tmp_path):
    subject = Subject(**{**vars(Subject.read(net, 8, 2)), "engine": "jax", "precision": "bfloat16"})
    jobs = comparison.sides(subject, "train", ("torch", "torch-compile"), tmp_path)
    assert list(jobs) == ["engine jax", "torch", "torch channels_last", "torch compiled"]
    assert all(job["accelerated"] and job["precision"] == "bfloat16" for job in jobs.values())
    assert jobs["engine jax"]["engine"] == "jax" and jobs["torch"]["engine"] == "torch"
    assert "torch.autocast(x[0].device.type, torch.bfloat16)" in Path(jobs["torch"]["source"]).read_text()
    plain = comparison.sides(Subject.read(net, 8, 1), "train", ("torch", "jax"), tmp_path)
    assert not any(job["accelerated"] for job in plain.values()), "beside NumPy all sides are the processor's"
    assert "autocast" not in Path(plain["torch"]["source"]).read_text()


def test_pytorchs_program_steps_in_bfloat16_by_autocast(net):
    """The same step up to bfloat16's digits; parameters and moments stay in float32."""
    torch = pytest.importorskip("torch")
    moved = {}
    for precision in ("float32", "bfloat16"):
        program = {"__name__": "made"}
        exec(torch_program.source(Subject.read(net).spec, True, precision), program)
        torch.manual_seed(0)
        model, (x, y) = program["Net"](), program["batch"](8)
        seen = []
        model.register_forward_hook(lambda module, given, made, seen=seen: seen.append(made.dtype))
        before = [p.detach().clone() for p in model.parameters()]
        program["step"](model, program["optimiser"](model), x, y)
        assert seen == [getattr(torch, precision)] and all(p.dtype == torch.float32 for p in model.parameters())
        pairs = zip(model.parameters(), before, strict=True)
        moved[precision] = np.concatenate([(p.detach() - old).numpy().ravel() for p, old in pairs])
    apart = np.linalg.norm(moved["float32"] - moved["bfloat16"]) / np.linalg.norm(moved["float32"])
    assert 2**-12 < apart < 2**-4, "each value is rounded to 8 binary digits"


def test_a_step_of_our_side_begins_before_the_last_cost_is_read(net, monkeypatch):
    """At most one is under way, and none when the clock is read."""
    pytest.importorskip("jax")
    from cnnspec.jax.engine import Engine

    monkeypatch.setattr(runner.os, "sched_setaffinity", lambda *given: None, raising=False)
    monkeypatch.setenv("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    real, events = Engine.start, []

    def start(self, *given):
        events.append("begun")
        learned = real(self, *given)
        return lambda: events.append("read") or learned()

    monkeypatch.setattr(Engine, "start", start)
    subject = Subject(**{**vars(Subject.read(net, 8, 1)), "engine": "jax"})
    timed = runner.jax_step({**subject.job, "mode": "train"})
    for _ in range(3):
        timed.step()
    assert events == ["begun", "begun", "read", "begun", "read"]
    timed.settle()
    assert events.count("read") == 3 and timed.card == "" and timed.memory() > 2**20


@pytest.mark.slow  # XLA takes its time, and so do processes of both
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_beside_pytorch(net, capsys, monkeypatch, precision):
    pytest.importorskip("jax")
    pytest.importorskip("torch")
    monkeypatch.setattr(comparison, "ROUND", 0.01)
    options = ("--engine", "jax", "--precision", precision, "--against", "torch", "--rounds", "2", "--json")
    assert run(["bench", str(net), *options, "--starts", "0"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["mode"] for each in found["comparisons"]] == ["train", "infer"] and "layers" not in found
    for each in found["comparisons"]:
        assert list(each["sides"]) == ["engine jax", "torch", "torch channels_last"]
        assert each["sides"]["engine jax"]["ratios"][0]["median"] > 0


def test_no_row_of_a_card_costs_another(tmp_path, monkeypatch, capsys):
    """One fails, one hangs, one's numbers differ, a rival is not there: the others stand in both files."""
    where = importlib.util.spec_from_file_location("card", Path(__file__).with_name("card.py"))
    card = importlib.util.module_from_spec(where)
    monkeypatch.setitem(sys.modules, "card", card)
    where.loader.exec_module(card)

    def need(against, modes):
        if "torch-compile" in against:
            raise SpecError((Diagnostic.of("CNN501", case="compiler"),))

    def measured(path, title, suite, compared):
        if title.startswith("resnet50"):
            raise ValueError("a fault that nobody thought of")
        if title == "n4 3x8x8 bfloat16":
            time.sleep(30)
        return SuiteRow(title, (Result("train", 2, {side: [1.0] for side in SIDES}, dict.fromkeys(SIDES, 1)),))

    monkeypatch.setattr(card, "need", need)
    monkeypatch.setattr(card, "measured", measured)
    monkeypatch.setattr(card, "agreement", lambda subject, modes, rival: Comparing(subject))
    options = ["-o", str(tmp_path / "card.md"), "--tiny", "--limit", "0.3"]
    assert card.main([*options, "n3", "n4", "resnet50", "n5"]) == 1
    rows = {row["spec"]: row for row in json.loads((tmp_path / "card.json").read_text())["networks"]}
    assert len(rows) == 8 and "without torch-compile" in capsys.readouterr().out
    why = {title: row["missing"] for title, row in rows.items() if "missing" in row}
    assert sorted(why) == [
        f"{net} {way}" for net, way in [("n3 1x8x8", "bfloat16"), ("n3 1x8x8", "float32"), ("n4 3x8x8", "bfloat16"),
                                        ("resnet50 3x32x32", "bfloat16"), ("resnet50 3x32x32", "float32")]
    ]  # fmt: skip
    assert why["n4 3x8x8 bfloat16"] == ["Late: ended after 0 s"] and "CNN319" in why["n3 1x8x8 float32"][0]
    assert why["resnet50 3x32x32 float32"] == ["ValueError: a fault that nobody thought of"]
    page = (tmp_path / "card.md").read_text()
    assert all(f"| {title} |" in page for title in rows) and not list(tmp_path.glob("*.new"))


@pytest.mark.slow
def test_the_table_of_a_card(tmp_path):
    """One command: gradients compared, a line for every network in every precision, Markdown and JSON."""
    pytest.importorskip("jax")
    pytest.importorskip("torch")
    out = tmp_path / "card.md"
    program = [sys.executable, str(Path(__file__).with_name("card.py")), "-o", str(out)]
    options = ["--tiny", "n3", "n5", "--against", "torch", "--rounds", "1", "--workers", "1", "--until", "60"]
    done = subprocess.run([*program, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    page, found = out.read_text(), json.loads(out.with_suffix(".json").read_text())
    titles = [f"{name} {precision}" for name in ("n3 1x8x8", "n5 3x8x8") for precision in ("bfloat16", "float32")]
    assert [row["spec"] for row in found["networks"]] == titles
    assert "Beside torch: how many times as fast" in page and all(f"| {title} |" in page for title in titles)
    late = [sys.executable, str(Path(__file__).with_name("card.py")), "-o", str(out), *options[:2], "--until", "0"]
    done = subprocess.run([*late, "--against", "torch"], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and out.read_text().count("not begun: 0 s were over") == 2

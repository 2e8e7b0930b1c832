"""`cnnspec bench`: rates, ratios, first steps and layers, and how it ends where a side cannot run."""

import json
import statistics
import sys

import numpy as np
import pytest

from cnnspec import cache
from cnnspec.bench import comparison as comparison
from cnnspec.bench import layers, suite
from cnnspec.bench.runner import model_step
from cnnspec.bench.subject import Subject, subject_of
from cnnspec.cli import run
from cnnspec.diagnostics import SpecError

NET = """input 2x8x8
conv 4x3x3 bias off -> bn -> relu -> maxpool 2 -> dense 3 -> softmax
train { optimiser sgd momentum 0.9 clip 1 ; batch 8 }
"""


@pytest.fixture
def bench(tmp_path, monkeypatch, capsys):
    """Run `cnnspec bench` on a text, on rounds as short as can be: code, standard output and error."""
    monkeypatch.setattr(comparison, "ROUND", 0.01)

    def call(text, *arguments):
        path = tmp_path / "net.cnn"
        path.write_text(text)
        code = run(["bench", str(path), *arguments])
        return code, *capsys.readouterr()

    return call


def test_its_own_sides_as_json(bench):
    code, out, err = bench(NET, "--rounds", "2", "--starts", "1", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert [c["mode"] for c in found["comparisons"]] == ["train", "infer"]
    for each in found["comparisons"]:
        assert list(each["sides"]) == ["processes", "threads"] and each["batch"] == 8
        for side in each["sides"].values():
            assert len(side["seconds"]) == 2 and min(side["seconds"]) > 0 and side["ratios"] == []
            assert side["milliseconds"] == pytest.approx(1e3 * statistics.median(side["seconds"]))
            assert side["images_per_second"] == pytest.approx(8e3 / side["milliseconds"], rel=0.01)
            assert side["peak_mib"] > 10
    assert {side: len(seconds) for side, seconds in found["first_step"].items()} == {"processes": 1, "threads": 1}
    training, inference = found["layers"]
    assert training["batch"] == 4, "a worker's share"
    assert training["sgemm_gflops_per_second"] > 0
    names = [layer["name"] for layer in training["layers"]]
    assert names[:3] == ["input", "conv1", "bn1"] and names[-1] == "update" and "cost" not in names
    conv = training["layers"][1]
    assert conv["forward_ms"] > 0 and conv["backward_ms"] > 0
    # 4 images, 6x6 pixels, 4 filters of 2x3x3: forward, and backward for the weights alone
    work = 2 * 2 * 4 * 6 * 6 * 4 * 2 * 3 * 3
    seconds = (conv["forward_ms"] + conv["backward_ms"]) / 1e3
    assert conv["gflops_per_second"] == pytest.approx(work / seconds / 1e9)
    assert conv["bytes"] == 4 * (4 * (2 * 8 * 8 + 4 * 6 * 6) + 4 * 2 * 3 * 3)
    assert all(layer["backward_ms"] == 0 for layer in inference["layers"])


def test_one_image_at_a_time_as_a_table(bench):
    code, out, err = bench(NET, "--mode", "latency", "--rounds", "1", "--starts", "0", "--no-layers")
    assert code == 0, err
    title, _, heading, shared, alone = out.splitlines()
    assert title == "net.cnn, 2 workers" and heading == "one image"
    assert shared.split()[0] == "processes" and alone.split()[:2] == ["one", "worker"]
    assert all(unit in side for side in (shared, alone) for unit in (" images/s", " ms", " MiB"))


def test_tuned_sides_compute_convolutions_as_they_were_timed(bench, tmp_path, monkeypatch):
    """Timed once, before the sides begin, for the images of a worker; every side is told."""
    monkeypatch.setattr(cache, "folder", lambda: tmp_path / "cache")
    told = []
    monkeypatch.setattr(
        comparison,
        "sides",
        lambda subject, *rest, real=comparison.sides: told.append(subject) or real(subject, *rest),
    )
    deep = NET.replace("maxpool 2", "conv 6x3x3 pad 1 -> maxpool 2")
    code, out, err = bench(deep, "--tune", "--mode", "train", "--rounds", "1", "--starts", "0", "--json")
    assert code == 0, err
    (question,) = [q for q in told[0].measured["train"] if q.startswith("input") and "conv 6x3x3" in q]
    assert "4 images" in question and set(told[0].measured["train"][question]) == {
        "flipping",
        "col2im",
        "col2im width",
    }
    job = {**told[0].job, "mode": "train"}
    _, engine = model_step(json.loads(json.dumps(job)), workers=1)
    assert engine.measured == told[0].measured
    assert {layer["name"] for layer in json.loads(out)["layers"][0]["layers"]} >= {"conv1", "conv2"}


def test_against_pytorch(bench):
    pytest.importorskip("torch")
    options = ("--against", "torch", "--mode", "train", "--workers", "1", "--rounds", "2", "--starts", "0")
    code, out, err = bench(NET, *options, "--no-layers", "--json")
    assert code == 0, err
    (each,) = json.loads(out)["comparisons"]
    sides = each["sides"]
    assert list(sides) == ["one worker", "torch", "torch channels_last"]
    (ratio,) = sides["one worker"]["ratios"]
    rival = min(("torch", "torch channels_last"), key=lambda side: sides[side]["milliseconds"])
    rounds = [b / a for a, b in zip(sides["one worker"]["seconds"], sides[rival]["seconds"], strict=True)]
    assert ratio == {"to": rival, "median": statistics.median(rounds), "min": min(rounds), "max": max(rounds)}
    assert sides["torch"]["ratios"] == []


def test_against_onnx_runtime_where_it_has_a_part(bench):
    pytest.importorskip("onnxruntime")
    options = ("--against", "onnxruntime", "--workers", "1", "--rounds", "2", "--starts", "0", "--no-layers")
    code, out, err = bench(NET, *options, "--json")
    assert code == 0, err
    training, inference = (each["sides"] for each in json.loads(out)["comparisons"])
    assert list(training) == ["one worker"] and training["one worker"]["ratios"] == []
    assert list(inference) == ["one worker", "onnxruntime"]
    assert inference["one worker"]["ratios"][0]["to"] == "onnxruntime"
    code, _, err = bench(NET, *options, "--mode", "train")
    assert code == 1 and "error[CNN314]: ONNX Runtime trains no network" in err and "--mode infer" in err


@pytest.mark.slow  # so does the compiler of C++
def test_against_pytorch_compiled(bench):
    pytest.importorskip("torch")
    options = (
        "--against",
        "torch",
        "--against",
        "torch-compile",
        "--workers",
        "1",
        "--rounds",
        "1",
        "--starts",
        "0",
    )
    code, out, err = bench(NET, *options, "--no-layers", "--json")
    assert code == 0, err
    for each in json.loads(out)["comparisons"]:
        assert list(each["sides"]) == ["one worker", "torch", "torch channels_last", "torch compiled"]
        ratios = [ratio["to"] for ratio in each["sides"]["one worker"]["ratios"]]
        assert ratios[0].startswith("torch") and ratios[1] == "torch compiled"


@pytest.mark.slow  # XLA takes its time
def test_against_jax(bench):
    pytest.importorskip("jax")
    options = ("--against", "jax", "--rounds", "1", "--starts", "0", "--no-layers")
    code, out, err = bench(NET, *options)
    assert code == 0, err
    assert out.count(" times jax (") == 4 and out.count("\n  jax ") == 2


def page_of(found):
    """The lines of a page, made again of the figures beside it."""

    def result(told):
        sides = told["sides"].items()
        seconds = {name: side["seconds"] for name, side in sides}
        memory = {name: round(side["peak_mib"] * 2**20) for name, side in sides}
        return comparison.Result(told["mode"], told["batch"], seconds, memory)

    rows = [
        suite.SuiteRow(net["spec"], tuple(map(result, net["comparisons"])), tuple(net.get("missing", ())))
        for net in found["networks"]
    ]
    return suite.markdown(rows, suite.Suite(**found["options"]), found["circumstances"])


def test_a_suite_is_one_table_of_all_specs_in_a_folder(tmp_path, monkeypatch, capsys):
    """What cannot be read or trained is told in its row, and the others are timed all the same."""
    monkeypatch.setattr(comparison, "ROUND", 0.01)
    folder = tmp_path / "nets"
    (folder / "more").mkdir(parents=True)
    texts = {"a.cnn": NET, "b.cnn": "input 2x4x4\ngap | nothing\n", "more/c.cnn": "input 2x4x4\nmaxpool 2 -> gap\n"}
    for name, text in texts.items():
        (folder / name).write_text(text)
    table = tmp_path / "speed.md"
    asked = ["bench", "--suite", str(folder), "--rounds", "2", "--workers", "1", "-o", str(table)]
    assert run(asked) == 0, capsys.readouterr().err
    assert "more/c.cnn (3 of 3)" in capsys.readouterr().err
    title, _, made, _, about, _, *rows = table.read_text().splitlines()
    assert title == "# Speed, measured"
    assert made == f"Made by `cnnspec bench --suite {folder} --mode both --workers 1 --rounds 2`."
    assert "numpy " in about and "workers 1; rounds 2; day 20" in about
    assert {row.count("|") - row.count("\\|") for row in rows} == {9}
    timed = [row.split(" | ")[:2] for row in rows if "one worker" in row]
    assert [[name.strip("| "), mode] for name, mode in timed] == [
        ["a.cnn", "training"], ["a.cnn", "inference"], ["a.cnn", "one image"],
        ["more/c.cnn", "inference"], ["more/c.cnn", "one image"],
    ]  # fmt: skip
    found = json.loads(table.with_suffix(".json").read_text())
    assert [row["spec"] for row in found["networks"]] == list(texts)
    assert [len(row["comparisons"]) for row in found["networks"]] == [3, 0, 2]
    assert "CNN314 the network has no parameters to train" in found["networks"][2]["missing"][0]
    assert found["circumstances"]["workers"] == "1" and found["circumstances"]["processor"]
    assert "\n".join([*page_of(found), ""]) == table.read_text(), "both are of one run"


def test_a_rival_that_computes_something_else_ends_a_suite_with_findings(tmp_path, monkeypatch, capsys):
    """The others are timed and told all the same; of who agrees, ratios, memory and scaling stand in one line."""
    pytest.importorskip("torch")
    monkeypatch.setattr(comparison, "ROUND", 0.01)
    for name in ("a", "b"):
        (tmp_path / f"{name}.cnn").write_text(NET)

    def wrong(subject, modes, against):
        if subject.path.name == "a.cnn":
            raise agreement_fault()

    def agreement_fault():
        from cnnspec import SpecError
        from cnnspec.bench.agreement import apart

        try:
            apart("train", {"": np.ones(1)}, {"": np.zeros(1)}, "torch")
        except SpecError as error:
            return error
        raise AssertionError("these differ")

    monkeypatch.setattr(suite, "agree", wrong)
    asked = ["bench", "--suite", str(tmp_path), "--against", "torch", "--mode", "train", "--rounds", "1"]
    assert run([*asked, "-o", str(tmp_path / "speed.md")]) == 1
    said = capsys.readouterr().err
    assert said.count("error[CNN319]: a.cnn: the cost is not that of torch") == 1 and "Traceback" not in said
    page = (tmp_path / "speed.md").read_text()
    beside = page[page.index("Beside torch") :].splitlines()
    assert beside[2].startswith("| network | batch | training, processes | training, one worker |")
    name, batch, *ratios, ours, theirs, scaling = (cell.strip() for cell in beside[4].strip("| ").split("|"))
    assert (
        (name, batch) == ("b.cnn", "8") and len(ratios) == 2 and all(" to " in each for each in (*ratios, scaling))
    )
    assert 10 < int(ours) < int(theirs), "MiB: PyTorch's libraries alone are larger"
    assert "| a.cnn | training: CNN319 the cost is not that of torch" in page


def test_an_input_takes_the_place_of_the_one_that_a_spec_states(tmp_path, capsys):
    """In a suite only of images with more pixels; what cannot take it says why."""
    texts = {
        "large.cnn": "input 3x20x20\nconv 4x3x3 -> gap :: 4 -> dense 2\nexpect { params == 122 ; macs == 35000 }\n",
        "small.cnn": "input 1x6x6\nconv 4x3x3 -> gap -> dense 2\n",
        "vector.cnn": "input 900\ndense 2\n",
        "open.cnn": "conv 4x3x3 -> gap -> dense 2\n",
        "two.cnn": "input 1x20x20 as a\ninput 1x20x20 as b\nadd( @a | @b ) -> gap -> dense 2\n",
        "cut.cnn": "input 3x20x20\ncrop 12x12 -> gap -> dense 2\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    found = {}
    for name in texts:
        try:
            found[name] = Subject.read(tmp_path / name, 2, 1, "3x8x8", at_most=True).input
        except SpecError as error:
            found[name] = error.diagnostics[0].message
    cut = "on an input of 3x8x8 the network cannot be measured: "
    assert found == {
        "large.cnn": "3x8x8",
        "small.cnn": "1x6x6",
        "vector.cnn": "900",
        "open.cnn": "3x8x8",
        "two.cnn": cut + "it has several inputs",
        "cut.cnn": cut + "a crop to 12x12 is larger than the 8x8 image",
    }
    assert Subject.read(tmp_path / "small.cnn", 2, 1, "3x8x8").input == "3x8x8"
    job = Subject.read(tmp_path / "large.cnn", 2, 1, "3x8x8").job
    assert subject_of(job).graph.type("conv1").shape == (4, 6, 6)


def test_what_a_suite_is_not(bench, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    for asked in (
        ["--suite", "empty"],
        ["empty"],
        ["--suite", "net.cnn", "-o", "x.txt"],
        ["net.cnn", "-o", "x.md"],
    ):
        (tmp_path / "net.cnn").write_text(NET)
        places = [str(tmp_path / each) if "." in each or each == "empty" else each for each in asked]
        assert run(["bench", *places]) == 2
        assert "Traceback" not in capsys.readouterr().err


def test_what_is_not_installed_is_named(bench, monkeypatch):
    monkeypatch.setattr(comparison, "find_spec", lambda name: None)
    code, out, err = bench(NET, "--against", "torch")
    assert code == 1 and not out
    assert "error[CNN501]: `--against torch` needs the package torch" in err and "pip install torch" in err
    code, _, err = bench(NET, "--against", "onnxruntime")
    assert code == 1 and "error[CNN501]: `--against onnxruntime` needs the package onnxruntime" in err
    monkeypatch.setattr(comparison, "find_spec", lambda name: name)
    monkeypatch.setattr(comparison.shutil, "which", lambda name: None)
    code, _, err = bench(NET, "--against", "torch-compile")
    assert code == 1 and "error[CNN501]: `--against torch-compile` needs a compiler of C++" in err
    monkeypatch.setattr("cnnspec.model.engines.find_spec", lambda name: None)
    code, _, err = bench(NET, "--against", "jax")
    assert code == 1 and 'pip install "cnnspec[jax]"' in err


def test_nothing_to_train(bench):
    code, _, err = bench("input 2x8x8\nmaxpool 2 -> gap -> softmax\n")
    assert code == 1 and "error[CNN314]: the network has no parameters to train" in err and "--mode infer" in err


def test_a_refusal_in_a_side_is_a_diagnostic(bench):
    code, out, err = bench(NET.replace("batch 8", "batch 8 ; precision bfloat16"), "--mode", "train")
    assert code == 1 and not out and "error[CNN310]" in err and "Traceback" not in err


def test_a_side_that_fails_tells_its_reason():
    reason = r"^torch: KeyError: 'workers'"
    with comparison.Side("torch", {"engine": "numpy"}) as side, pytest.raises(RuntimeError, match=reason):
        side.answer("first")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals of this kind")
def test_a_side_that_is_killed_is_no_fault_of_ours(tmp_path):
    import cnnspec

    path = tmp_path / "net.cnn"
    path.write_text(NET)
    job = {"engine": "numpy", "mode": "infer", "spec": str(path), "input": None, "batch": 8, "workers": 1}
    with comparison.Side("threads", {**job, "parallel": "threads"}) as side:
        side.answer("first")
        side.answer("ready")
        side.process.kill()
        with pytest.raises(cnnspec.SpecError) as refused:
            side.run(1)
    (finding,) = refused.value.diagnostics
    assert (finding.code, finding.message) == ("CNN315", "the process of threads was ended by SIGKILL")


def test_every_line_of_a_plan_is_some_words():
    """Block names, sums of shortcuts, shared weights: no line is left without an owner."""
    import cnnspec

    text = """input 3x8x8
block basic(c) = add( conv {c}x3x3 pad 1 bias off -> bn -> relu -> conv {c}x3x3 pad 1 -> bn | id ) -> relu
conv 16x3x3 pad 1 -> basic(16)*2 -> gap -> dense 3 -> softmax
"""
    model = cnnspec.compile(text=text, batch=4)
    for mode in ("train", "infer"):
        owners = {layers.owner(node, model.graph) for node in model.engine.graph(mode, 4)}
        assert owners - {"cost"} <= set(model.graph.nodes), owners
        assert {"basic1.conv1", "basic2.bn2", "dense1"} <= owners | {"basic2.bn2"}


def test_a_module_in_the_current_folder_is_not_run(tmp_path, monkeypatch):
    """The processes that time start in a folder that somebody else may have filled."""
    monkeypatch.chdir(tmp_path)
    for name in ("json", "random", "numpy", "cnnspec"):
        (tmp_path / f"{name}.py").write_text('open("ran", "w")\n')
    with pytest.raises(RuntimeError), comparison.Process("a side", "runner", {}) as side:
        side.answer("rate")
    assert not (tmp_path / "ran").exists()

"""What somebody sent: the folder of a run, weights, an ONNX model. Nothing in them runs, or forges a line.

| door \\ sink            | eval | predict | trace | page | resume | module of Python | notebook | runs | spec |
| ---------------------- | ---- | ------- | ----- | ---- | ------ | ---------------- | -------- | ---- | ---- |
| settings.json          | yes  | yes     | yes   | yes  | yes    | yes              | yes      | yes  |      |
| summary.json           | yes  | yes     | yes   | yes  | yes    | yes              | yes      | yes  |      |
| results.csv            | yes  | yes     | yes   | yes  | yes    | yes              | yes      | yes  |      |
| the spec and its name  | yes  | yes     | yes   | yes  | yes    | yes              | yes      | yes  |      |
| metadata of weights    | yes  | yes     | yes   | yes  | yes    | yes              | yes      | yes  |      |
| names of weights       | yes  | yes     | yes   | yes  | yes    | yes              | yes      | yes  |      |
| strings of an ONNX model |    |         |       |      |        |                  |          |      | yes  |
"""

import json
import os
import shutil
from pathlib import Path

import doors
import numpy as np
import pytest
from doors import FILE, HOSTILE, call, cli, text_of

SPEC = """\
input 2
dense 3 -> relu -> dense 2 -> softmax
train { epochs 2 ; batch 4 }
data { source csv "table.csv" label 3 header on ; validation 25% }
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run that was finished, beside its spec and its data."""
    base, before = tmp_path_factory.mktemp("sent"), Path.cwd()
    os.chdir(base)
    Path("table.csv").write_text("a,b,kind\n" + "".join(f"{k},{k % 3},{'ab'[k % 2]}\n" for k in range(16)))
    Path("net.cnn").write_text(SPEC)
    Path("asked.csv").write_text("a,b\n1,2\n")
    code, said = call("run", "net.cnn", "--workers", 1, "--seed", 1)
    assert code == 0, said
    yield Path("runs/net-001")
    os.chdir(before)
    doors.nothing_ran(base)


def edited(name, change):
    def edit(run):
        document = json.loads(text_of(run / name))
        change(document)
        (run / name).write_text(json.dumps(document))

    return edit


def renamed_spec(run):
    (run / "net.cnn").rename(run / f"{FILE}.cnn")


def spec_elsewhere(run):
    """The folder of the spec is called so, and holds what it should."""
    folder = Path(FILE)
    folder.mkdir(exist_ok=True)
    shutil.copy("table.csv", folder)
    shutil.copy("net.cnn", folder)
    edited("settings.json", lambda d: d.update(spec=f"../../{FILE}/net.cnn"))(run)


def changed_metadata(key):
    def edit(run):
        from safetensors import safe_open
        from safetensors.numpy import load_file, save_file

        for path in (run / "weights").iterdir():
            with safe_open(path, "np") as file:
                metadata = file.metadata()
            save_file(load_file(path), path, {**metadata, key: HOSTILE})

    return edit


def renamed_weights(run):
    from safetensors import safe_open
    from safetensors.numpy import load_file, save_file

    for path in (run / "weights").iterdir():
        with safe_open(path, "np") as file:
            metadata = file.metadata()
        save_file({f"{HOSTILE}{name}": array for name, array in load_file(path).items()}, path, metadata)


def header_of_results(run):
    text = text_of(run / "results.csv")
    head, _, rest = text.partition("\n")
    quoted = '"' + HOSTILE.replace('"', '""') + '"'
    (run / "results.csv").write_text(f"{head},{quoted}\n{rest}", newline="")


DOORS = {
    **{
        f"settings: {key}": edited("settings.json", lambda d, key=key: d.update({key: HOSTILE}))
        for key in ("spec", "train", "data", "input", "engine", "dtype", HOSTILE)
    },
    "settings: set": edited("settings.json", lambda d: d.update(set=[f"train.seed={HOSTILE}"])),
    "settings: classes": edited(
        "settings.json", lambda d: d["preparation"].update(classes=[f"a{HOSTILE}", HOSTILE])
    ),
    "settings: source": edited("settings.json", lambda d: d["preparation"].update(source=HOSTILE)),
    "settings: columns": edited("settings.json", lambda d: d["preparation"]["table"].update(label_name=HOSTILE)),
    "settings: imports": edited("settings.json", lambda d: d.update(imports={HOSTILE: [HOSTILE]})),
    "settings: folder of the spec": spec_elsewhere,
    "summary: status": edited("summary.json", lambda d: d.update(status=HOSTILE)),
    "summary: weights": edited("summary.json", lambda d: d.update(tested=HOSTILE)),
    "summary: another key": edited("summary.json", lambda d: d.update({HOSTILE: HOSTILE})),
    "results: header": header_of_results,
    "name of the spec": renamed_spec,
    "text of the spec": lambda run: (run / "net.cnn").write_text(SPEC + HOSTILE, newline=""),
    "names of weights": renamed_weights,
    **{f"weights: {key}": changed_metadata(key) for key in ("spec", "origin", "preparation", "kind", HOSTILE)},
}


def reported(run):
    code, said = call("report", run, "-o", "report.html")
    doors.lines(said)
    if code == 0:
        doors.page(text_of(Path("report.html")))
    return code, said


def compiled(run):
    best = run / "weights" / "best.safetensors"
    code, said = call("compile", "net.cnn", "--emit", "python", "--weights", best, "-o", "net.py")
    if code == 0:
        doors.program(text_of(Path("net.py")))
    return code, said


def shown(run):
    from cnnspec.train.folder import RunFolder

    doors.page(RunFolder(run)._repr_html_())
    return 0, ""


SINKS = {
    "eval": lambda run: call("eval", run),
    "predict": lambda run: call("predict", run, "asked.csv"),
    "trace": lambda run: call("trace", run, "--at", "softmax1[0]"),
    "page": reported,
    "resume": lambda run: call("run", "--resume", run, "--workers", 1),
    "module of Python": compiled,
    "notebook": shown,
    "list of runs": lambda run: call("runs", run.parent, "--sort", "spec"),
    "diff": lambda run: call("diff", run, run.with_name("net-001")),
}


@pytest.mark.parametrize("sink", SINKS)
@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.replace(HOSTILE, "another key"))
def test_a_run_that_somebody_sent(run, door, sink):
    sent = run.with_name("sent")
    shutil.rmtree(sent, ignore_errors=True)
    shutil.copytree(run, sent)
    DOORS[door](sent)
    code, said = SINKS[sink](sent)
    assert code in (0, 1), said
    doors.lines(said)


# ---- ONNX ------------------------------------------------------------------------------------------------


def model(text):
    onnx = pytest.importorskip("onnx")
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [
            helper.make_node(
                "Gemm", ["x" + text, "w" + text], ["y" + text], name="n" + text, doc_string=text, transB=1
            ),
            helper.make_node("Relu", ["y" + text], ["z" + text], name="r" + text),
            helper.make_node("Add", ["z" + text, "y" + text], ["s" + text], name="s" + text),
        ],
        "g" + text,
        [helper.make_tensor_value_info("x" + text, floats, [1, 2])],
        [helper.make_tensor_value_info("s" + text, floats, [1, 3])],
        [onnx.numpy_helper.from_array(np.ones((3, 2), np.float32), "w" + text)],
        doc_string=text,
    )
    made = helper.make_model(
        graph, producer_name=text, doc_string=text, opset_imports=[helper.make_opsetid("", 17)]
    )
    helper.set_model_props(made, {text or "key": text, "classes": text})
    return made


@pytest.mark.parametrize("file", [FILE, "net"], ids=["name of its file", "its own strings"])
def test_an_onnx_model_becomes_the_spec_that_it_is(run, file):
    found = []
    for name, text in ((file, HOSTILE), ("net", "plain")):
        Path(f"{name}.onnx").write_bytes(model(text).SerializeToString())
        said = cli("import", f"{name}.onnx", "-o", "imported.cnn", "--force")
        written = text_of(Path("imported.cnn"))
        doors.lines(written)
        found.append((doors.lines(said), written.split("\n")[1:], cli("check", "imported.cnn")))
    assert found[0] == found[1]


def test_an_operator_that_is_refused_is_named_harmlessly(run):
    onnx = pytest.importorskip("onnx")
    made = model(HOSTILE)
    made.graph.node[1].op_type = HOSTILE
    Path("refused.onnx").write_bytes(made.SerializeToString())
    code, said = call("import", "refused.onnx", "-o", "refused.cnn")
    assert code == 1 and onnx
    doors.lines(said)

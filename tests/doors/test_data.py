"""Names that come with data (classes, columns, files, folders, archives), in all that a trained network says.

| door \\ sink              | run | eval | predict | trace | page | code | ONNX | pictures | findings |
| ------------------------ | --- | ---- | ------- | ----- | ---- | ---- | ---- | -------- | -------- |
| classes of a csv         | yes | yes  | yes     | yes   | yes  | yes  | yes  | yes      | yes      |
| header of a csv          | yes | yes  | yes     | yes   | yes  | yes  | yes  | yes      | yes      |
| file of data             | yes | yes  | yes     | yes   | yes  | yes  | yes  | yes      | yes      |
| folders of pictures      | yes | yes  | yes     | yes   | yes  | yes  | yes  | yes      | yes      |
| metadata of weights      |     |      | yes     |       |      | yes  | yes  |          |          |
| arrays of an npz archive |     |      |         |       |      |      |      |          | yes      |

run, eval, predict, trace: what they print. code: modules of Python, PyTorch and JavaScript. pictures: those of the
run.
"""

import csv
import json
import os
from functools import cache
from pathlib import Path

import doors
import numpy as np
import pytest
from doors import FILE, HOSTILE, LINE, QUOTED, call, cli, text_of

import cnnspec
from cnnspec.data.preparation import Preparation

SPEC = """\
input {shape}
flatten -> dense 2 -> softmax
train {{ epochs 1 ; batch 4 }}
data {{ source {source} ; validation 25% }}
"""
CELL = LINE.replace("\r", "")  # of a table: a line of it ends with either


def table(folder, classes=("no", "yes"), header=("a", "b", "kind"), name="table"):
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        write = csv.writer(file)
        write.writerow(header)
        for k in range(16):
            write.writerow((k, k % 3, classes[k % 2]))
    with (folder / "asked.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows((header[:2], (1, 2), (3, 4)))
    return "2", f'csv "{name}.csv" label 3 header on', "asked.csv"


def pictures(folder, classes=("no", "yes")):
    image = pytest.importorskip("PIL.Image")
    random = np.random.default_rng(0)
    for name in classes:
        (folder / "photos" / name).mkdir(parents=True)
        for k in range(8):
            pixels = random.integers(0, 256, (4, 4, 3)).astype(np.uint8)
            image.fromarray(pixels).save(folder / "photos" / name / f"{k}.png")
    image.fromarray(pixels).save(folder / "asked.png")
    return "3x4x4", 'images "photos"', "asked.png"


DOORS = {  # what a folder gets: the harmless and the hostile
    "classes of a csv": (table, {}, {"classes": (f"a{CELL}", f"b{CELL}")}),
    "header of a csv": (table, {}, {"header": ("a", f"b{CELL}", f"c{CELL}")}),
    "file of data": (table, {}, {"name": QUOTED.replace("\r", "")}),
    "folders of pictures": (pictures, {}, {"classes": (f"a{FILE[:-20]}", f"b{FILE[:-20]}")}),
}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    base, before = tmp_path_factory.mktemp("data"), Path.cwd()
    os.chdir(base)
    yield base
    os.chdir(before)
    doors.nothing_ran(base)


@cache
def trained(door, hostile):
    """A folder with the run of a network on such data, what the run printed, and a file to ask it about."""
    make, *texts = DOORS[door]
    folder = Path(f"{[*DOORS].index(door)}-{hostile:d}")
    folder.mkdir()
    shape, source, asked = make(folder, **texts[hostile])
    (folder / "net.cnn").write_text(SPEC.format(shape=shape, source=source), newline="", encoding="utf-8")
    code, said = call("run", folder / "net.cnn", "--workers", 1, "--seed", 1, "--out", folder / "runs")
    assert code == 0, said
    return folder, said, folder / asked


def run_of(door, hostile):
    return trained(door, hostile)[0] / "runs" / "net-001"


def compiled(emit, suffix=".py"):
    def write(door, hostile):
        folder, best = trained(door, hostile)[0], run_of(door, hostile) / "weights" / "last.safetensors"
        out = folder / f"{emit}{suffix}"
        cli("compile", folder / "net.cnn", "--emit", emit, "--weights", best, "-o", out)
        return out

    return write


def exported(door, hostile):
    onnx = pytest.importorskip("onnx")
    model = onnx.load(compiled("onnx", ".onnx")(door, hostile))
    onnx.checker.check_model(model, full_check=True)
    assert model.doc_string.isprintable()
    return [node.op_type for node in model.graph.node], [entry.key for entry in model.metadata_props]


def drawn(door, hostile):
    pytest.importorskip("matplotlib")
    assert "not every picture" not in trained(door, hostile)[1]
    return sorted(path.name for path in (run_of(door, hostile) / "pictures").iterdir() if path.stem != "mistakes")


def reported(door, hostile):
    out = trained(door, hostile)[0] / "report.html"
    cli("report", run_of(door, hostile), "-o", out, "--which", 0)
    return text_of(out)


def settings(door, hostile):
    document = json.loads(text_of(run_of(door, hostile) / "settings.json"))
    return sorted(document)


def refused(door, hostile):
    """A network that does not fit the data, told in every format."""
    folder = trained(door, hostile)[0]
    (folder / "wrong.cnn").write_text(text_of(folder / "net.cnn").replace("dense 2", "dense 3"), newline="")
    return "".join(cli("check", folder / "wrong.cnn", "--format", kind) for kind in ("full", "concise")) + cli(
        "run", folder / "wrong.cnn", "--workers", 1, "--out", folder / "runs"
    )


SINKS = {
    "run": (lambda door, hostile: trained(door, hostile)[1], doors.lines),
    "settings": (settings, list),
    "eval": (lambda door, hostile: cli("eval", run_of(door, hostile)), doors.lines),
    "eval as JSON": (lambda door, hostile: cli("eval", run_of(door, hostile), "--json"), doors.document),
    "predict": (
        lambda door, hostile: cli("predict", run_of(door, hostile), trained(door, hostile)[2]),
        doors.lines,
    ),
    "predict as JSON": (
        lambda door, hostile: cli("predict", run_of(door, hostile), trained(door, hostile)[2], "--json"),
        lambda text: str(doors.document(text)).count("''"),
    ),
    "trace": (lambda door, hostile: cli("trace", run_of(door, hostile), "--at", "softmax1[0]"), doors.lines),
    "HTML page": (reported, lambda text: [str(item)[:60] for item in doors.page(text)]),
    "module of Python": (lambda door, hostile: text_of(compiled("python")(door, hostile)), doors.program),
    "module of PyTorch": (lambda door, hostile: text_of(compiled("torch")(door, hostile)), doors.program),
    "module of JavaScript": (lambda door, hostile: text_of(compiled("js")(door, hostile)), doors.script),
    "ONNX": (exported, tuple),
    "pictures": (drawn, list),
    "findings": (refused, doors.lines),
}


@pytest.mark.parametrize("sink", SINKS)
@pytest.mark.parametrize("door", DOORS)
def test_names_of_data(base, door, sink):
    if door == "folders of pictures":
        pytest.importorskip("PIL", reason="Pillow reads images")
    write, skeleton = SINKS[sink]
    assert skeleton(write(door, True)) == skeleton(write(door, False))


# ---- metadata of weights ---------------------------------------------------------------------------------


def weights(classes):
    """Weights that a stranger sent: their metadata tell how images were prepared, and what the classes are."""
    folder = Path("weights")
    folder.mkdir(exist_ok=True)
    (folder / "net.cnn").write_text("input 1x4x4\nflatten -> dense 2 -> softmax\n")
    document = {
        "version": 1, "versions": {}, "source": "npz", "input": [1, 4, 4], "range": [0, 255], "scale": [0.1],
        "offset": [0.0], "stored": "bytes", "classes": classes,
    }  # fmt: skip
    with cnnspec.compile(folder / "net.cnn", seed=2) as model:
        model.preparation = Preparation.from_json(document, "here")
        model.save(folder / "w.safetensors")
    np.save(folder / "x.npy", np.zeros((2, 1, 4, 4), np.uint8))
    return folder


def emitted(emit):
    def write(folder):
        cli("compile", folder / "net.cnn", "--emit", emit, "--weights", folder / "w.safetensors", "-o", "net.out")
        return text_of(Path("net.out"))

    return write


OF_WEIGHTS = {
    "predict": (lambda folder: cli("predict", folder / "w.safetensors", folder / "x.npy"), doors.lines),
    "compile": (
        lambda folder: cli(
            "compile", folder / "net.cnn", "--emit", "onnx", "--weights", folder / "w.safetensors", "-o", "x.onnx"
        ),
        doors.lines,
    ),
    "module of Python": (emitted("python"), doors.program),
    "module of PyTorch": (emitted("torch"), doors.program),
    "module of JavaScript": (emitted("js"), doors.script),
}


@pytest.mark.parametrize("sink", OF_WEIGHTS)
def test_metadata_of_weights(base, sink):
    write, skeleton = OF_WEIGHTS[sink]
    plain, hostile = (skeleton(write(weights([f"a{text}", f"b{text}"]))) for text in ("plain", HOSTILE))
    assert plain == hostile


# ---- archives --------------------------------------------------------------------------------------------


def test_arrays_of_an_archive(base):
    """What an archive holds is told where it lacks what is wanted."""
    found = []
    for name in ("plain", HOSTILE.replace("/", "")):
        np.savez("data.npz", **{name: np.zeros((4, 2)), f"x{name}": np.zeros(4)})
        Path("of.cnn").write_text('input 2\ndense 2 -> softmax\ndata { source npz "data.npz" }\n')
        code, said = call("run", "of.cnn")
        assert code == 1
        found.append(doors.lines(said))
    assert found[0] == found[1]
